from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("acme/answers-7b")
