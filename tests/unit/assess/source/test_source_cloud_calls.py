"""Which calls of AWS's client library code makes, and which clients are handed on to where nobody follows them."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files


def calls(text: str, **more: str) -> list[tuple[str, str, dict[str, str]]]:
    files = {"app/main.py": text} | {f"app/{name}.py": other for name, other in more.items()}
    found = assessed_files(files).estates.source.cloud_calls
    return [(one.service, one.operation, dict(one.parameters)) for one in found if one.because.path == "app/main.py"]


S3 = "import boto3\ns3 = boto3.client('s3')\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (S3 + "s3.get_object(Bucket='b', Key='k')", ("s3", "get_object", {"Bucket": "b", "Key": "k"})),
        (
            S3 + "s3.download_file('b', f'runs/{x}/k', '/tmp/a')",
            ("s3", "download_file", {"Bucket": "b", "Key": "runs/*/k"}),
        ),
        (S3 + "s3.upload_file('/tmp/a', 'b', 'w/' + x)", ("s3", "upload_file", {"Bucket": "b", "Key": "w/*"})),
        (
            S3 + "B = 'b'\ndef f(k):\n    s3.get_object(Bucket=B, Key=k)",
            ("s3", "get_object", {"Bucket": "b", "Key": "*"}),
        ),
        (S3 + "B = 'b'\nB = 'c'\ns3.head_bucket(Bucket=B)", ("s3", "head_bucket", {"Bucket": "*"})),
        (
            S3 + "s3.copy_object(CopySource={'Bucket': 'a', 'Key': 'x'}, Bucket='b', Key='y')",
            ("s3", "copy_object", {"CopySource": "a/x", "Bucket": "b", "Key": "y"}),
        ),
        (
            S3 + "for p in s3.get_paginator('list_objects_v2').paginate(Bucket='b'): pass",
            ("s3", "list_objects_v2", {"Bucket": "b"}),
        ),
        (
            S3 + "pages = s3.get_paginator('list_objects_v2')\npages.paginate(Bucket='b')",
            ("s3", "list_objects_v2", {"Bucket": "b"}),
        ),
        (
            S3 + "s3.generate_presigned_url('put_object', Params={'Bucket': 'b', 'Key': k})",
            ("s3", "put_object", {"Bucket": "b", "Key": "*"}),
        ),
        (
            "import boto3\nboto3.Session().client('sqs').send_message(QueueUrl=u)",
            ("sqs", "send_message", {"QueueUrl": "*"}),
        ),
        (
            "from boto3.session import Session\ns = Session()\ns.client('kms').decrypt(KeyId='k')",
            ("kms", "decrypt", {"KeyId": "k"}),
        ),
        (
            "import boto3\nboto3.resource('s3').Object('b', 'k').get()",
            ("s3", "object.get", {"Bucket": "b", "Key": "k"}),
        ),
        (
            "import boto3\nb = boto3.resource('s3').Bucket('b')\nfor o in b.objects.filter(Prefix='x'): pass",
            ("s3", "list_objects", {"Bucket": "b", "Prefix": "x"}),
        ),
        (
            (
                "import boto3\nclass A:\n    def __init__(self):\n        self.t = boto3.resource('dynamodb').Table('runs')\n"
                "    def f(self):\n        self.t.put_item(Item={})"
            ),
            ("dynamodb", "put_item", {"TableName": "runs", "Item": "*"}),
        ),
    ],
)
def test_a_call(text, expected):
    assert calls(text) == [expected]


def test_each_function_has_its_own_client():
    text = """
    import boto3
    def one():
        client = boto3.client("s3")
        client.head_bucket(Bucket="b")
    def two():
        client = boto3.client("sqs")
        client.list_queues()
    """
    assert [(service, operation) for service, operation, _ in calls(text)] == [
        ("s3", "head_bucket"),
        ("sqs", "list_queues"),
    ]


def test_a_client_of_another_module():
    text = "from app.clients import queue\nqueue.send_message(QueueUrl='q')"
    found = calls(text, clients="import boto3\nqueue = boto3.client('sqs')")
    assert found == [("sqs", "send_message", {"QueueUrl": "q"})]


@pytest.mark.parametrize(
    "text",
    [
        S3 + "work(s3)",
        "import boto3\ndef make():\n    return boto3.client('s3')",
        "import boto3\nclients = {'s3': boto3.client('s3')}",
        "import boto3\nclients = {}\nclients['s3'] = boto3.client('s3')",
        "import boto3\nc = boto3.client('s3') if x else None\nc.get_object(Bucket='b', Key='k')",
        S3 + "get = s3.get_object if x else None\nwork(s3)",
        S3 + "get = getattr(s3, name)",
    ],
)
def test_what_is_handed_on_may_be_asked_anything(text):
    assert ("s3", "*", {}) in calls(text)


def test_a_name_of_two_clients_may_be_either():
    text = "import boto3\nc = boto3.client('s3')\nif x:\n    c = boto3.client('sqs')\nc.list()"
    assert {(service, operation) for service, operation, _ in calls(text)} == {("s3", "*"), ("sqs", "*")}


@pytest.mark.parametrize(
    "text",
    [
        "import boto3\ns3 = boto3.client('s3')",
        "import boto3\ndef f(s3):\n    s3.get_object(Bucket='b', Key='k')",
        "import other\nclient = other.client('s3')\nclient.get_object()",
        "client.get_object(Bucket='b')",
    ],
)
def test_no_call(text):
    assert calls(text) == []


def test_a_method_that_is_kept_is_said():
    assert calls(S3 + "get = s3.get_object\nget(Bucket='b')") == [("s3", "*", {})]


def test_tests_are_not_what_runs():
    files = {"tests/test_a.py": S3 + "s3.get_object(Bucket='b', Key='k')"}
    assert assessed_files(files).estates.source.cloud_calls == []


PANDAS = "import pandas as pd\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (PANDAS + "pd.read_csv('s3://b/train.csv')", {("get_object", "train.csv"), ("list_objects_v2", "train.csv")}),
        (PANDAS + "pd.read_parquet('s3://b/train')", {("get_object", "train*"), ("list_objects_v2", "train*")}),
        (PANDAS + "P = 's3://b/x'\nd.to_parquet(f'{P}/{day}')", {("put_object", "x/*"), ("list_objects_v2", "x/*")}),
        ("from smart_open import open\nopen('s3a://b/k.pkl', 'rb')", {("get_object", "k.pkl"), ("list_objects_v2", "k.pkl")}),
        ("from smart_open import open\nopen('s3://b/k.pkl', mode='wb')", {("put_object", "k.pkl")}),
        ("fs.open('s3://b/k.txt', 'r+')", {("get_object", "k.txt"), ("list_objects_v2", "k.txt"), ("put_object", "k.txt")}),
        ("train(data='s3://b/k.csv')", {("*", "k.csv")}),
        ("print('s3://b/k.csv')", set()),
    ],
)  # fmt: skip
def test_addresses_of_stores_are_read_or_written_as_the_call_is_named(text, wanted):
    found = calls(text)
    assert {(operation, given["Key"]) for _, operation, given in found} == wanted
    assert {(service, given["Bucket"]) for service, _, given in found} <= {("s3", "b")}


@pytest.mark.parametrize(
    "text",
    [
        "def main(path='s3://b/k'):\n    read_csv(path)",
        "PATHS = {'a': 's3://b/k'}",
        "def f():\n    return 's3://b/k'",
    ],
)
def test_an_address_that_goes_where_it_is_not_followed_keeps_all_of_the_store(text):
    assert calls(text) == [("s3", "*", {})]


def test_addresses_in_words_are_no_calls():
    assert calls("'''Reads s3://b/k'''\n# s3://b/k\nx = 'see s3://b/k'") == []


def test_libraries_that_make_clients_of_their_own_keep_their_services():
    assert calls("import s3fs") == [("s3", "*", {})]
    assert {one[:2] for one in calls("from awswrangler import s3")} == {("s3", "*"), ("glue", "*"), ("athena", "*")}
    found = {one[:2] for one in calls("from sagemaker.estimator import Estimator")}
    assert {("sagemaker", "*"), ("iam", "pass_role"), ("s3", "*")} <= found
