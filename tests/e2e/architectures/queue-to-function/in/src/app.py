import base64
import pickle


def handler(event, context):
    for record in event["Records"]:
        pickle.loads(base64.b64decode(record["body"]))
