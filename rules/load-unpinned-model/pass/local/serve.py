from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("/models/answers-7b", local_files_only=True)
