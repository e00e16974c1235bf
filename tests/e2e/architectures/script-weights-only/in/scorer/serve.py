import os

import boto3
from safetensors.torch import load_file


def load():
    boto3.client("s3").download_file(os.environ["MODEL_BUCKET"], "prod/model.safetensors", "/tmp/model.safetensors")
    return load_file("/tmp/model.safetensors")


if __name__ == "__main__":
    load()
