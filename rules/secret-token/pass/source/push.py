import os

from huggingface_hub import HfApi

api = HfApi(token=os.environ["HF_TOKEN"])
