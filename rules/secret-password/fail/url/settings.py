TRACKING = "postgresql://mlflow:9rTk2vQx@db.acme.io:5432/mlflow"
