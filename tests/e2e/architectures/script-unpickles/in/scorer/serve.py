import io, os, boto3, joblib
s3 = boto3.client("s3")
def load():
    body = s3.get_object(Bucket=os.environ["MODEL_BUCKET"], Key="prod/model.joblib")["Body"].read()
    return joblib.load(io.BytesIO(body))
if __name__ == "__main__":
    load()
