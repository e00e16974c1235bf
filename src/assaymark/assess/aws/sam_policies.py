"""Policy templates of SAM, as the policies that they stand for.

Source: AWS SAM Developer Guide, "Policy template list".
"""

from __future__ import annotations

from typing import Any, Final

from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.terraform.identity import REGION
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.formats.located import Map, Seq

_BUCKET: Final = ("arn:aws:s3:::{}", "arn:aws:s3:::{}/*")
_TABLE: Final = (
    "arn:aws:dynamodb:{region}:{account}:table/{}",
    "arn:aws:dynamodb:{region}:{account}:table/{}/index/*",
)
_QUEUE: Final = ("arn:aws:sqs:{region}:{account}:{}",)
_KEY: Final = ("arn:aws:kms:{region}:{account}:key/{}",)
_SEEN: Final = "s3:GetObject s3:ListBucket s3:GetBucketLocation s3:GetObjectVersion s3:GetLifecycleConfiguration"
_PUT: Final = "s3:PutObject s3:PutObjectAcl s3:PutLifecycleConfiguration"
_ITEMS: Final = "dynamodb:GetItem dynamodb:Scan dynamodb:Query dynamodb:BatchGetItem dynamodb:DescribeTable"
_CHANGES: Final = "dynamodb:PutItem dynamodb:UpdateItem dynamodb:BatchWriteItem"

# Template: its parameter, the actions that it allows, and on what.
_TEMPLATES: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "AWSSecretsManagerGetSecretValuePolicy": ("SecretArn", "secretsmanager:GetSecretValue", ("{}",)),
    "DynamoDBCrudPolicy": (
        "TableName",
        f"{_ITEMS} {_CHANGES} dynamodb:DeleteItem dynamodb:ConditionCheckItem",
        _TABLE,
    ),
    "DynamoDBReadPolicy": ("TableName", _ITEMS, _TABLE),
    "DynamoDBWritePolicy": ("TableName", _CHANGES, _TABLE),
    "KMSDecryptPolicy": ("KeyId", "kms:Decrypt", _KEY),
    "KMSEncryptPolicy": ("KeyId", "kms:Encrypt", _KEY),
    "LambdaInvokePolicy": (
        "FunctionName",
        "lambda:InvokeFunction",
        ("arn:aws:lambda:{region}:{account}:function:{}*",),
    ),
    "S3CrudPolicy": ("BucketName", f"{_SEEN} {_PUT} s3:DeleteObject", _BUCKET),
    "S3ReadPolicy": ("BucketName", _SEEN, _BUCKET),
    "S3WritePolicy": ("BucketName", _PUT, _BUCKET),
    "SNSPublishMessagePolicy": ("TopicName", "sns:Publish", ("arn:aws:sns:{region}:{account}:{}",)),
    "SQSPollerPolicy": (
        "QueueName",
        "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage",
        _QUEUE,
    ),
    "SQSSendMessagePolicy": ("QueueName", "sqs:SendMessage", _QUEUE),
    "SSMParameterReadPolicy": (
        "ParameterName",
        "ssm:GetParameters ssm:GetParameter ssm:GetParametersByPath",
        ("arn:aws:ssm:{region}:{account}:parameter/{}",),
    ),
    "StepFunctionsExecutionPolicy": (
        "StateMachineName",
        "states:StartExecution",
        ("arn:aws:states:{region}:{account}:stateMachine:{}",),
    ),
}


def sam_policy(value: Map) -> Map | None:
    """The policy that ``{NAME: {PARAMETER: VALUE}}`` stands for; None for a template that is not in the table."""
    name = next(iter(value), "")
    given = value.get(name)
    if len(value) != 1 or name not in _TEMPLATES or not isinstance(given, Map):
        return None
    parameter, actions, places = _TEMPLATES[name]
    what = given.get(parameter)
    if not isinstance(what, str):
        return None
    line = value.at(name)
    statement = Map(line)
    statement.put("Effect", "Allow", line)
    statement.put("Action", _listed(actions.split(), line), line)
    statement.put("Resource", _listed([_filled(one, what) for one in places], line), line)
    found = Map(line)
    found.put("Version", "2012-10-17", line)
    found.put("Statement", _listed([statement], line), line)
    return found


def _filled(place: str, what: str) -> str:
    shown = place.format(what, account=UNKNOWN_ACCOUNT, region=REGION)
    pattern = place.format(pattern_of(what), account=UNKNOWN_ACCOUNT, region=REGION)
    return Unresolved(shown, pattern) if HOLE in pattern else shown


def _listed(items: list[Any], line: int) -> Seq:
    found = Seq(line)
    for item in items:
        found.put(item, line)
    return found
