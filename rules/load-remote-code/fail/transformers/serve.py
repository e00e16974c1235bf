from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("acme/answers-7b", trust_remote_code=True)
