import os

TRACKING = os.environ["TRACKING"]
EXAMPLE = "postgresql://user:<password>@db.acme.io:5432/mlflow"
