"""Programs that run what they load from stores: which store, in which workload, and what is not claimed."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.source.addresses import address
from assaymark.core.graph import State

BUCKETS = """
resource "aws_s3_bucket" "models" {
  bucket = "models"
}
resource "aws_s3_bucket" "other" {
  bucket = "other"
}
resource "google_storage_bucket" "m" {
  name     = "gmodels"
  location = "EU"
}
resource "google_storage_bucket" "n" {
  name     = "gother"
  location = "EU"
}
resource "azurerm_storage_account" "s" {
  name                = "mlstore"
  resource_group_name = "r"
  location            = "x"
}
resource "azurerm_storage_container" "c" {
  name                 = "models"
  storage_account_name = azurerm_storage_account.s.name
}
"""
BUILD = {
    "Dockerfile": 'FROM python:3.12\nCOPY . .\nENTRYPOINT ["python", "train.py"]\n',
    "build.sh": "#!/bin/sh\ndocker build -t acme/train:1 .\n",
}
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {{name: train, namespace: ml}}
spec:
  template:
    spec:
      containers:
      - name: c
        image: acme/train:1
        {more}
"""


def loaded(files: dict[str, str]) -> dict[tuple[str, str], tuple[State, tuple[str, ...]]]:
    """The stores that something is loaded from, by their last names, with what loads it."""
    found = assessed_files({"buckets.tf": BUCKETS, **files})
    return {
        (edge.source.split(":::")[-1].rpartition("googleapis.com/")[2].rpartition("/containers/")[2], edge.target): (
            edge.state,
            edge.decides,
        )
        for edge in found.graph.edges
        if edge.relation == "loaded-by"
    }


def by_job(program: str, more: str = "env: []", **files: str) -> dict[str, State]:
    """What a job of a cluster loads."""
    found = loaded({**BUILD, "train.py": program, "job.yaml": JOB.format(more=more), **files})
    return {source: state for (source, target), (state, _) in found.items() if target == "k8s:ml/job/train"}


def gaps(program: str, more: str = "env: []") -> list[str]:
    """What is said not to be shown of stores."""
    files = {"buckets.tf": BUCKETS, **BUILD, "train.py": program, "job.yaml": JOB.format(more=more)}
    return [one for one in assessed_files(files).reading.gaps if "does not show which" in one]


BY_ENVIRONMENT = """
import os, boto3, joblib
BUCKET = os.environ["BUCKET"]
def fetch(bucket, path):
    boto3.client("s3").download_file(bucket, "m.pkl", path)
    return path
def main():
    return joblib.load(fetch(BUCKET, "/tmp/m.pkl"))
main()
"""


def test_the_bucket_that_the_environment_names() -> None:
    assert by_job(BY_ENVIRONMENT, "env: [{name: BUCKET, value: models}]") == {"models": State.YES}
    assert by_job(BY_ENVIRONMENT, "env: [{name: BUCKET, value: elsewhere}]") == {}


def test_configuration_maps_are_the_environment() -> None:
    cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg, namespace: ml}\ndata: {BUCKET: other}\n"
    by_all = "envFrom: [{configMapRef: {name: cfg}}]"
    by_key = "env: [{name: BUCKET, valueFrom: {configMapKeyRef: {name: cfg, key: BUCKET}}}]"
    assert by_job(BY_ENVIRONMENT, by_all, **{"cm.yaml": cm}) == {"other": State.YES}
    assert by_job(BY_ENVIRONMENT, by_key, **{"cm.yaml": cm}) == {"other": State.YES}


def test_a_default_counts_as_far_as_nothing_hides_another_value() -> None:
    program = BY_ENVIRONMENT.replace('os.environ["BUCKET"]', 'os.environ.get("BUCKET", "models")')
    assert by_job(program) == {"models": State.YES}
    assert by_job(program, "env: [{name: BUCKET, value: other}]") == {"other": State.YES}
    assert by_job(program, "envFrom: [{secretRef: {name: s}}]") == {"models": State.UNKNOWN}


def test_what_nothing_names_is_said() -> None:
    assert by_job(BY_ENVIRONMENT) == {}
    assert gaps(BY_ENVIRONMENT) == [
        "train.py runs what lies in a store that $BUCKET names: the input does not show which"
    ]


OPTIONS = """
import argparse
import pandas as pd
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", "--model-uri", default="s3://models/x.pkl")
    return parser.parse_args()
def main():
    options = parse()
    return pd.read_pickle(options.model_uri)
"""


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ("env: []", {"models": State.YES}),
        ('args: ["--model-uri=gs://gmodels/a"]', {"gmodels": State.YES}),
        ('args: ["-m", "$(WHERE)/a"]\n        env: [{name: WHERE, value: "gs://gother"}]', {"gother": State.YES}),
        ('args: ["--model-uri", "/data/a.pkl"]', {}),
        ('command: ["torchrun", "--nproc_per_node", "2", "train.py", "-m", "gs://gother/b"]', {"gother": State.YES}),
    ],
)
def test_options_of_the_command(more: str, wanted: dict[str, State]) -> None:
    assert by_job(OPTIONS, more) == wanted


@pytest.mark.parametrize(
    "program",
    [
        """
        import os, pickle
        from google.cloud import storage
        def main():
            blob = storage.Client().bucket(os.environ["B"]).blob("m.pkl")
            return pickle.loads(blob.download_as_bytes())
        """,
        """
        import os, joblib
        from google.cloud import storage
        blob = storage.Client().get_bucket(os.getenv("B")).get_blob("m.pkl")
        blob.download_to_filename("model/m.pkl")
        joblib.load("model/m.pkl")
        """,
        """
        import os, torch, io, tensorflow as tf
        with tf.io.gfile.GFile(f"gs://{os.environ['B']}/m.pt", "rb") as f:
            torch.load(io.BytesIO(f.read()), weights_only=False)
        """,
        """
        import os, dill, gcsfs
        class Models:
            def __init__(self, bucket):
                self.bucket = bucket
                self.files = gcsfs.GCSFileSystem()
            def load(self, key):
                with self.files.open(f"{self.bucket}/{key}") as f:
                    return dill.load(f)
        models = Models(os.environ["B"])
        models.load("m")
        """,
        """
        import os, numpy as np, fsspec
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            b: str = "gother"
        settings = Settings()
        with fsspec.open("gs://" + settings.b + "/x.npy") as f:
            np.load(f, allow_pickle=True)
        """,
        """
        import os, subprocess, cloudpickle
        subprocess.run(["gsutil", "cp", "gs://{}/m".format(os.environ["B"]), "/tmp/m"], check=True)
        with open("/tmp/m", "rb") as f:
            cloudpickle.load(f)
        """,
        """
        import os, subprocess
        from google.cloud import storage
        storage.Client().bucket(os.environ["B"]).blob("run.sh").download_to_filename("/tmp/run.sh")
        os.system("bash /tmp/run.sh --fast")
        """,
        """
        import os, subprocess
        from google.cloud import storage
        path = "/tmp/run.py"
        storage.Client().bucket(os.environ["B"]).blob("run.py").download_to_filename(path)
        subprocess.run(["python", path], check=True)
        """,
        """
        import importlib.util, os
        from google.cloud import storage
        storage.Client().bucket(os.environ["B"]).blob("plugin.py").download_to_filename("/tmp/plugin.py")
        spec = importlib.util.spec_from_file_location("plugin", "/tmp/plugin.py")
        """,
        """
        import click, mlflow
        @click.command()
        @click.option("--uri", envvar="U")
        def main(uri):
            mlflow.sklearn.load_model(uri)
        """,
    ],
)
def test_ways_to_the_store(program: str) -> None:
    env = 'env: [{name: B, value: gmodels}, {name: U, value: "gs://gmodels/model"}]'
    found = loaded({**BUILD, "train.py": program, "job.yaml": JOB.format(more=env)})
    assert found["gmodels", "k8s:ml/job/train"][0] is State.YES
    assert ("gother", "k8s:ml/job/train") not in found


@pytest.mark.parametrize(
    "program",
    [
        # data, and a model that lies in the image
        """
        import pickle, pandas as pd
        frame = pd.read_csv("s3://models/data.csv")
        with open("model.pkl", "rb") as f:
            pickle.load(f).predict(frame)
        """,
        # a loader that runs nothing
        """
        import boto3, torch, io
        body = boto3.client("s3").get_object(Bucket="models", Key="m")["Body"]
        torch.load(io.BytesIO(body.read()), weights_only=True)
        """,
        # a length is no content
        """
        import boto3, pickle
        body = boto3.client("s3").get_object(Bucket="models", Key="m")["Body"].read()
        pickle.loads(bytes(len(body)))
        """,
        # what another program gets is not run
        """
        import boto3, subprocess, os
        boto3.client("s3").download_file("models", "a.tar", "/tmp/a.tar")
        os.system("tar xf /tmp/a.tar")
        subprocess.run(["tar", "xf", "/tmp/a.tar"], check=True)
        path = "/tmp/" + "a.tar"
        subprocess.run(f"tar xf {path}", shell=True, check=True)
        """,
        # JSON is no code
        """
        import json, boto3
        json.loads(boto3.client("s3").get_object(Bucket="models", Key="m")["Body"].read())
        """,
        # a path that looks like an address is no address for joblib
        """
        import joblib
        joblib.load("s3:/models/x")
        """,
    ],
)
def test_what_runs_nothing_of_a_store(program: str) -> None:
    assert by_job(program) == {}


def test_what_a_version_decides() -> None:
    program = """
    import boto3, torch, io
    body = boto3.client("s3").get_object(Bucket="models", Key="m")["Body"]
    torch.load(io.BytesIO(body.read()))
    """
    assert by_job(program) == {"models": State.UNKNOWN}
    assert by_job(program, **{"requirements.txt": "torch==2.4.0\n"}) == {"models": State.YES}
    assert by_job(program, **{"requirements.txt": "torch==2.7.0\n"}) == {}


AZURE = """
resource "azurerm_container_group" "g" {
  name                = "g"
  resource_group_name = "r"
  location            = "x"
  container {
    name                  = "c"
    image                 = "acme/train:1"
    environment_variables = { CONTAINER = "models" }
  }
}
"""


@pytest.mark.parametrize(
    "program",
    [
        """
        import os, joblib
        from azure.storage.blob import BlobServiceClient
        service = BlobServiceClient(account_url="https://mlstore.blob.core.windows.net", credential=None)
        blob = service.get_blob_client(container=os.environ["CONTAINER"], blob="m.pkl")
        with open("/tmp/m.pkl", "wb") as f:
            f.write(blob.download_blob().readall())
        joblib.load("/tmp/m.pkl")
        """,
        """
        import os, io, joblib
        from azure.storage.blob import ContainerClient
        container = ContainerClient.from_connection_string(os.environ["C"], container_name="models")
        joblib.load(io.BytesIO(container.download_blob("m.pkl").readall()))
        """,
        """
        import pandas as pd
        pd.read_pickle("abfs://models@mlstore.dfs.core.windows.net/x.pkl")
        """,
        """
        import pickle, adlfs
        files = adlfs.AzureBlobFileSystem(account_name="mlstore")
        with files.open("models/x.pkl") as f:
            pickle.load(f)
        """,
    ],
)
def test_containers_of_azure(program: str) -> None:
    found = loaded({**BUILD, "train.py": program, "group.tf": AZURE})
    assert [(source, state) for (source, _), (state, _) in found.items()] == [("models", State.YES)]


def test_python_in_manifests_runs_in_its_own_step() -> None:
    workflow = """
    apiVersion: argoproj.io/v1alpha1
    kind: Workflow
    metadata: {name: w, namespace: ml}
    spec:
      templates:
      - name: a
        script:
          image: python
          command: [python]
          source: |
            import boto3, pickle
            o = boto3.client("s3").get_object(Bucket="models", Key="x")
            pickle.loads(o["Body"].read())
      - name: b
        script:
          image: python
          command: [python]
          source: |
            print(1)
    """
    assert list(loaded({"w.yaml": workflow})) == [("models", "k8s:ml/workflow/w#a")]
    mounted = (
        JOB.format(more="command: [python, /scripts/go.py]").replace("acme/train:1", "python:3")
        + "      volumes: [{name: s, configMap: {name: cm}}]\n---\n"
        + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm, namespace: ml}\ndata:\n  go.py: |\n"
        + '    import boto3, pickle\n    o = boto3.resource("s3").Object("models", "x").get()\n'
        + '    pickle.loads(o["Body"].read())\n'
    )
    assert list(loaded({"job.yaml": mounted})) == [("models", "k8s:ml/job/train")]


ROLE = """
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sts:AssumeRole",
    Principal = { Service = ["ecs-tasks.amazonaws.com", "glue.amazonaws.com"] } }] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::models/*" }] })
}
"""


def test_jobs_of_aws() -> None:
    batch = """
    resource "aws_batch_job_definition" "b" {
      name = "b"
      type = "container"
      container_properties = jsonencode({ image = "acme/train:1", jobRoleArn = aws_iam_role.r.arn,
        environment = [{ name = "BUCKET", value = aws_s3_bucket.models.id }] })
    }
    """
    found = loaded({**BUILD, "train.py": BY_ENVIRONMENT, "main.tf": ROLE + batch})
    assert [(source, state) for (source, _), (state, _) in found.items()] == [("models", State.YES)]
    glue = """
    resource "aws_glue_job" "g" {
      name     = "g"
      role_arn = aws_iam_role.r.arn
      command {
        script_location = "s3://scripts/jobs/etl.py"
      }
      default_arguments = { "--MODEL_BUCKET" = aws_s3_bucket.models.id }
    }
    """
    upload = """
    resource "aws_s3_object" "o" {
      bucket = "scripts"
      key    = "jobs/etl.py"
      source = "${path.module}/src/program.py"
    }
    """
    program = """
    import sys, boto3, pickle
    from awsglue.utils import getResolvedOptions
    args = getResolvedOptions(sys.argv, ["JOB_NAME", "MODEL_BUCKET"])
    pickle.loads(boto3.client("s3").get_object(Bucket=args["MODEL_BUCKET"], Key="x")["Body"].read())
    """
    found = loaded({"main.tf": ROLE + glue + upload, "src/program.py": program})
    assert [(source, state) for (source, _), (state, _) in found.items()] == [("models", State.YES)]
    found = loaded({"main.tf": ROLE + glue, "src/etl.py": program})
    assert list(found.values()) == [(State.UNKNOWN, ("what g starts is src/etl.py",))]


def test_what_a_workload_may_read_stands_for_a_name_that_is_not_seen() -> None:
    task = """
    resource "aws_ecs_task_definition" "t" {
      family        = "t"
      task_role_arn = aws_iam_role.r.arn
      container_definitions = jsonencode([{ name = "a", image = "acme/train:1" }])
    }
    """
    found = loaded({**BUILD, "train.py": BY_ENVIRONMENT, "main.tf": ROLE + task})
    assert list(found.values()) == [(State.UNKNOWN, ("$BUCKET names models where it runs",))]


def test_a_service_of_a_compose_file_and_a_job_of_a_pipeline() -> None:
    compose = "services:\n  train:\n    build: .\n    environment:\n      BUCKET: models\n"
    found = loaded({"Dockerfile": BUILD["Dockerfile"], "train.py": BY_ENVIRONMENT, "compose.yml": compose})
    assert found == {("models", "service:compose.yml#train"): (State.YES, ())}
    workflow = """
    on: push
    permissions: {id-token: write}
    jobs:
      evaluate:
        runs-on: x
        env: {BUCKET: models}
        steps:
        - run: |
            pip install -r r.txt   # don't cache
            python train.py
      lint:
        runs-on: x
        steps:
        - run: ruff check
    """
    found = loaded({"train.py": BY_ENVIRONMENT, ".github/workflows/a.yml": workflow})
    assert list(found) == [("models", "ci:github:.github/workflows/a.yml#evaluate")]


MLFLOW = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: mlflow, namespace: tracking}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
      - name: c
        image: ghcr.io/mlflow/mlflow:2
        command: [mlflow, server, --host, 0.0.0.0, --artifacts-destination, "s3://other/x"]
---
apiVersion: v1
kind: Service
metadata: {name: mlflow, namespace: tracking}
spec:
  selector: {a: b}
  ports: [{port: 5000}]
"""


def test_a_tracking_server_decides_what_is_loaded_from_its_store() -> None:
    program = 'import mlflow\nmlflow.pyfunc.load_model("models:/fraud/Production")\n'
    env = "env: [{name: MLFLOW_TRACKING_URI, value: 'http://mlflow.tracking.svc.cluster.local:5000'}]"
    found = by_job(program, env, **{"mlflow.yaml": MLFLOW})
    assert found == {"other": State.YES, "k8s:tracking/deployment/mlflow#MLflow": State.YES}
    assert by_job(program, **{"mlflow.yaml": MLFLOW}) == {}
    said = program.replace("mlflow.pyfunc", 'mlflow.set_tracking_uri("http://mlflow.tracking:5000")\nmlflow.pyfunc')
    assert by_job(said, **{"mlflow.yaml": MLFLOW}) == found


def test_code_of_the_hub_is_its_owners() -> None:
    program = """
    from transformers import AutoModel
    AutoModel.from_pretrained("acme/own-code", trust_remote_code=True)
    AutoModel.from_pretrained("acme/pinned", trust_remote_code=True, revision="{commit}")
    AutoModel.from_pretrained("acme/plain")
    AutoModel.from_pretrained("models/local", trust_remote_code=True)
    """.replace("{commit}", "0123456789" * 4)
    assert by_job(program) == {"hub:acme/own-code": State.YES}


READS = """
import argparse
import pandas as pd
parser = argparse.ArgumentParser()
parser.add_argument("--data")
pd.read_pickle(parser.parse_args().data)
"""
VERTEX = {
    "name": "projects/p/locations/eu/customJobs/1",
    "displayName": "x",
    "jobSpec": {
        "workerPoolSpecs": [{"containerSpec": {"imageUri": "acme/train:1", "args": ["--data", "s3://models/x"]}}]
    },
}
TRAINING = {
    "TrainingJobName": "t",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:111122223333:training-job/t",
    "RoleArn": "arn:aws:iam::111122223333:role/r",
    "HyperParameters": {"sagemaker_program": '"train.py"', "data": '"s3://models/x.pkl"'},
    "AlgorithmSpecification": {"TrainingImage": "acme/other:1"},
}
DATAPROC = """
resource "google_dataproc_batch" "b" {
  batch_id = "b"
  location = "eu"
  pyspark_batch {
    main_python_file_uri = "gs://code/train.py"
    args                 = ["--data", "s3://models/x"]
  }
}
"""


@pytest.mark.parametrize(
    ("files", "target", "state"),
    [
        ({**BUILD, "job.json": json.dumps(VERTEX)}, "customJobs/1", State.YES),
        ({"job.json": json.dumps(TRAINING)}, "training-job/t", State.UNKNOWN),  # whose code is in a bucket
        ({"job.tf": DATAPROC}, "batches/b", State.UNKNOWN),
    ],
)
def test_jobs_as_exports_and_other_clouds_have_them(files: dict[str, str], target: str, state: State) -> None:
    found = loaded({**files, "train.py": READS})
    assert [(to.endswith(target), given) for (_, to), (given, _) in found.items()] == [(True, state)]


def test_an_account_of_azure_is_told_by_its_address_or_a_connection_string() -> None:
    program = """
        import os, pickle
        from azure.storage.blob import BlobServiceClient
        service = BlobServiceClient(os.environ["ACCOUNT"], credential=None)
        pickle.loads(service.get_blob_client("models", "m.pkl").download_blob().readall())
        """
    known = {"models": State.YES}
    env = "env: [{{name: ACCOUNT, value: '{}'}}]"
    assert by_job(program, env.format("https://mlstore.blob.core.windows.net")) == known
    assert by_job(program, env.format("DefaultEndpointsProtocol=https;AccountName=mlstore;AccountKey=${K}")) == known
    assert by_job(program, env.format("https://elsewhere.blob.core.windows.net")) == {}


@pytest.mark.parametrize(
    "host", ["x.s3" + "-a" * 200 + "!.amazonaws.com", "s3" + ".a-" * 200 + "/b", "-".join("s3" * 99)]
)
def test_an_address_that_is_nearly_one_of_a_store_is_told_from_one_at_once(host: str) -> None:
    assert address((f"https://{host}/x",)) is None
