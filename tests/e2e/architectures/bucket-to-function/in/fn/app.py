import pickle

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    r = event["Records"][0]
    obj = s3.get_object(Bucket=r["s3"]["bucket"]["name"], Key=r["s3"]["object"]["key"])
    return pickle.loads(obj["Body"].read())
