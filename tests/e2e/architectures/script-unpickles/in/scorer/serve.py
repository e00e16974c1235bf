import io
import os

import boto3
import joblib


def load():
    body = boto3.client("s3").get_object(Bucket=os.environ["MODEL_BUCKET"], Key="prod/model.joblib")["Body"].read()
    return joblib.load(io.BytesIO(body))


if __name__ == "__main__":
    load()
