from transformers import AutoModelForCausalLM

commit = "6b1e2a7c0d9f4e8ab35c7d1f2e3a4b5c6d7e8f90"
model = AutoModelForCausalLM.from_pretrained("acme/answers-7b", revision=commit, use_safetensors=True)
