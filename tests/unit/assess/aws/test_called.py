"""What calls in code need, and that a need is cut to what the old policies allow, never beyond it and never short."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assaymark.assess.aws.called import implied, narrowed, needed
from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.patterns import arn_matches
from assaymark.assess.estate.source import CloudCall
from assaymark.assess.files import source_file
from assaymark.core.graph import Because, State
from assaymark.formats.located import read_json


def policy(*statements):
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return policy_document(read_json(text), "p", source_file("p.json", text.encode()))


def allow(actions, resources):
    return policy({"Effect": "Allow", "Action": actions, "Resource": resources})


def needs(service, operation, **parameters):
    return sorted(needed(CloudCall(service, operation, parameters, Because("a.py", 1, ""))))


BUCKET = "arn:aws:s3:::b"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (("s3", "head_object", {"Bucket": "b", "Key": "k"}), [("s3:GetObject", f"{BUCKET}/k")]),
        (("s3", "list_objects_v2", {"Bucket": "b"}), [("s3:ListBucket", BUCKET)]),
        (
            ("s3", "upload_file", {"Bucket": "b", "Key": "w/*"}),
            [("s3:AbortMultipartUpload", f"{BUCKET}/w/*"), ("s3:PutObject", f"{BUCKET}/w/*")],
        ),
        (
            ("s3", "copy", {"CopySource": "a/x", "Bucket": "b", "Key": "y"}),
            [("s3:GetObject", "arn:aws:s3:::a/x"), ("s3:PutObject", f"{BUCKET}/y")],
        ),
        (("s3", "object.put", {"Bucket": "b", "Key": "k"}), [("s3:PutObject", f"{BUCKET}/k")]),
        (("s3", "list_buckets", {}), [("s3:ListAllMyBuckets", "*")]),
        (("sqs", "send_message", {"QueueUrl": "https://h/1/done"}), [("sqs:SendMessage", "arn:aws:sqs:*:*:done")]),
        (("lambda", "invoke", {"FunctionName": "f"}), [("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:f")]),
        (("kms", "decrypt", {"KeyId": "alias/a"}), [("kms:Decrypt", "*")]),
        (
            ("bedrock-runtime", "converse", {"modelId": "*"}),
            [("bedrock:InvokeModel", "arn:aws:bedrock:*::foundation-model/*")],
        ),
        (("bedrock-runtime", "converse", {"modelId": "eu.a"}), [("bedrock:InvokeModel", "*")]),
        (("sts", "get_caller_identity", {}), []),
        (("s3", "*", {}), [("s3:*", "*")]),
        (("s3", "no_such_method", {"Bucket": "b"}), [("s3:*", BUCKET)]),
        (
            ("sagemaker", "create_training_job", {"TrainingJobName": "t", "RoleArn": "arn:aws:iam::1:role/r"}),
            [
                ("iam:PassRole", "arn:aws:iam::1:role/r"),
                ("sagemaker:CreateTrainingJob", "arn:aws:sagemaker:*:*:training-job/t"),
            ],
        ),
    ],
)
def test_what_a_call_needs(call, expected):
    service, operation, parameters = call
    assert needs(service, operation, **parameters) == expected


@pytest.mark.parametrize(
    ("need", "old", "expected"),
    [
        (("s3:GetObject", f"{BUCKET}/*"), allow("s3:*", "*"), [("s3:GetObject", f"{BUCKET}/*")]),
        (("s3:GetObject", f"{BUCKET}/*"), allow("s3:*", f"{BUCKET}/m/*"), [("s3:GetObject", f"{BUCKET}/m/*")]),
        (("s3:GetObject", "*"), allow("s3:Get*", f"{BUCKET}/m"), [("s3:GetObject", f"{BUCKET}/m")]),
        (
            ("sqs:SendMessage", "arn:aws:sqs:*:*:q"),
            allow("sqs:*", "arn:aws:sqs:eu-west-1:1:*"),
            [("sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:q")],
        ),
        (("s3:*", "*"), allow(["s3:Get*", "sqs:*"], "*"), [("s3:Get*", "*")]),
        (("s3:*", "*"), allow("*", "*"), [("s3:*", "*")]),
        (
            ("s3:GetObject", f"{BUCKET}/w/*"),
            allow("s3:*", "arn:aws:s3:::other/*"),
            [("s3:GetObject", f"{BUCKET}/w/*")],
        ),
        (("s3:GetObject", f"{BUCKET}/*/x"), allow("s3:*", f"{BUCKET}/m*"), [("s3:GetObject", f"{BUCKET}/m*")]),
        (("s3:GetObject", f"{BUCKET}/k"), allow("sqs:*", "*"), [("s3:GetObject", f"{BUCKET}/k")]),
    ],
)
def test_a_need_is_cut_to_what_is_allowed(need, old, expected):
    assert narrowed(need, [old]) == expected


def test_what_platforms_do_in_the_name_of_a_role_stays():
    assert implied([allow(["kms:Decrypt", "logs:*"], "*")]) == [
        ("kms:Decrypt", "*"),
        ("logs:CreateLogGroup", "*"),
        ("logs:CreateLogStream", "*"),
        ("logs:PutLogEvents", "*"),
    ]
    assert implied([allow("s3:*", "*")]) == []


TEXT = st.text("ab*/", min_size=1, max_size=6).map(lambda text: text.replace("**", "*"))
WORD = st.text("ab/", min_size=1, max_size=8)


@given(TEXT, TEXT, WORD)
def test_what_both_mean_is_meant_by_what_is_left(need, old, key):
    """No request that the code could make and the old policy allows is lost."""
    wanted, was, asked = (f"arn:aws:s3:::{text}" for text in (f"b/{need}", f"b/{old}", f"b/{key}"))
    left = narrowed(("s3:GetObject", wanted), [allow("s3:GetObject", was)])
    if arn_matches(wanted, asked) is State.YES and arn_matches(was, asked) is State.YES:
        assert any(arn_matches(resource, asked) is State.YES for _, resource in left)
