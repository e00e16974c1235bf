from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("acme/answers-7b", revision="6b1e2a7c0d9f4e8ab35c7d1f2e3a4b5c6d7e8f90")
