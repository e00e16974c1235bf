import io

import boto3
import torch


def latest(bucket):
    body = boto3.client("s3").get_object(Bucket=bucket, Key="latest.pt")["Body"]
    return torch.load(io.BytesIO(body.read()), weights_only=True)
