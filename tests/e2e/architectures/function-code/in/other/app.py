import os, pickle, base64
def handler(event, context):
    return pickle.loads(base64.b64decode(event["body"]))
