"""What code calls, as needs: for each call of the client library the actions that AWS asks for, and on what.

What the source does not spell out is ``*`` in the resource, and ``narrowed`` cuts it to what the old policies allow,
so that a need from code never asks for more than there was.

Sources: Service Authorization Reference; boto3's reference of each service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.api_calls import actions_of
from assaymark.assess.aws.evaluate import action_state
from assaymark.assess.aws.patterns import arn_matches
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assaymark.assess.estate.aws import PolicyDocument
    from assaymark.assess.estate.source import CloudCall

_PREFIXES: Final = {
    "sagemaker-runtime": "sagemaker",
    "sagemaker-featurestore-runtime": "sagemaker",
    "sagemaker-metrics": "sagemaker",
    "bedrock-runtime": "bedrock",
    "bedrock-agent": "bedrock",
    "bedrock-agent-runtime": "bedrock",
    "stepfunctions": "states",
    "emr": "elasticmapreduce",
    "efs": "elasticfilesystem",
    "opensearch": "es",
    "sesv2": "ses",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "iot-data": "iot",
    "lexv2-runtime": "lex",
    "resourcegroupstaggingapi": "tag",
}
_S3_OBJECT: Final = {
    "get": "s3:GetObject",
    "put": "s3:PutObject",
    "load": "s3:GetObject",
    "delete": "s3:DeleteObject",
}
_WRITES: Final = ("s3:PutObject", "s3:AbortMultipartUpload")
# Methods of the library that are no calls of the API by their names.
_METHODS: Final[dict[str, tuple[str, ...]]] = {
    **{f"s3:{of}{one}": _WRITES for of in ("", "object.", "bucket.") for one in ("upload_file", "upload_fileobj")},
    **{
        f"s3:{of}{one}": ("s3:GetObject",)
        for of in ("", "object.", "bucket.")
        for one in ("download_file", "download_fileobj")
    },
    **{f"s3:object.{method}": (action,) for method, action in _S3_OBJECT.items()},
    "s3:copy": ("s3:GetObject", "s3:PutObject"),
    "s3:bucket.load": ("s3:ListAllMyBuckets",),
    "iam:pass_role": ("iam:PassRole",),
}
# Action parts to the parameter that names the resource, and how its ARN goes; ``{}`` is the parameter.
_ARNS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "dynamodb": (("TableName", "arn:*:dynamodb:*:*:table/{}"),),
    "sqs": (("QueueUrl", "arn:*:sqs:*:*:{}"),),
    "sns": (("TopicArn", "{}"),),
    "lambda": (("FunctionName", "arn:*:lambda:*:*:function:{}"),),
    "secretsmanager": (("SecretId", "arn:*:secretsmanager:*:*:secret:{}-*"),),
    "ssm": (("Name", "arn:*:ssm:*:*:parameter/{}"),),
    "kms": (("KeyId", "arn:*:kms:*:*:key/{}"),),
    "sagemaker": (
        ("EndpointName", "arn:*:sagemaker:*:*:endpoint/{}"),
        ("TrainingJobName", "arn:*:sagemaker:*:*:training-job/{}"),
        ("ModelName", "arn:*:sagemaker:*:*:model/{}"),
        ("NotebookInstanceName", "arn:*:sagemaker:*:*:notebook-instance/{}"),
    ),
    "bedrock": (("modelId", "arn:*:bedrock:*::foundation-model/{}"),),
    "states": (("stateMachineArn", "{}"),),
    "ecr": (("repositoryName", "arn:*:ecr:*:*:repository/{}"),),
    "logs": (("logGroupName", "arn:*:logs:*:*:log-group:{}:*"),),
    "kinesis": (("StreamName", "arn:*:kinesis:*:*:stream/{}"),),
    "firehose": (("DeliveryStreamName", "arn:*:firehose:*:*:deliverystream/{}"),),
}
# What nobody writes a call for: keys that stores use in the caller's name, and what the platform does as the role.
IMPLIED: Final = (
    *("kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"),
    *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData"),
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "ecr:GetAuthorizationToken", "ecr:BatchGetImage"),
    *("ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability", "ec2:CreateNetworkInterface"),
    *("ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"),
)
_PROFILE: Final = re.compile(r"(?:us|eu|apac|global|us-gov|jp|au|ca)\..*")
_ROLES: Final = ("RoleArn", "roleArn", "ExecutionRoleArn", "executionRoleArn", "Role")
_PASSING: Final = ("create_", "update_", "start_", "run_", "put_", "register_")
_SEGMENTS: Final = 6


def needed(call: CloudCall, partition: str = "aws") -> Iterator[tuple[str, str]]:
    """Pairs of action and resource that a call needs; ``service:*`` where it is not known what is asked."""
    for action, resource in _pairs(call):
        yield action, resource.replace("arn:*:", f"arn:{partition}:")


def _pairs(call: CloudCall) -> Iterator[tuple[str, str]]:
    prefix = _PREFIXES.get(call.service, call.service)
    if call.operation == "*":
        yield f"{prefix}:*" if prefix != "*" else "*", "*"
        return
    names = _METHODS.get(f"{prefix}:{call.operation}")
    if names is None:
        known = actions_of(prefix, call.operation.rpartition(".")[2])
        names = known if known is not None else (f"{prefix}:*",)
    for action in names:
        for resource in _resources(call, prefix, action):
            yield action, resource
    if call.operation.startswith(_PASSING):
        for name in _ROLES:
            role = call.parameters.get(name)
            if role is not None and prefix != "sts":
                yield "iam:PassRole", role if role.startswith("arn:") else "*"


def _resources(call: CloudCall, prefix: str, action: str) -> list[str]:
    """What a call names, as ARNs with wildcards of the kinds that the action takes; ``*`` for nothing."""
    given = call.parameters
    named = []
    if prefix == "s3":
        source = given.get("CopySource")
        bucket, key = given.get("Bucket", "*"), given.get("Key", "*")
        if action == "s3:GetObject" and source is not None:
            bucket, _, key = source.partition("/")
            key = key or "*"
        if "Object" in action or action == "s3:AbortMultipartUpload":
            named = [f"arn:*:s3:::{bucket}/{key}"]
        elif action != "s3:ListAllMyBuckets":
            named = [f"arn:*:s3:::{bucket}"]
    for name, form in _ARNS.get(prefix, ()):
        value = given.get(name)
        if value is None:
            continue
        if (prefix == "kms" and value.startswith("alias/")) or (prefix == "bedrock" and _PROFILE.fullmatch(value)):
            continue  # the key and the models behind a name are not in the source
        text = value.removeprefix("/") if prefix == "ssm" else value
        text = text.rpartition("/")[2] if prefix == "sqs" else text
        named.append(value if value.startswith("arn:") else form.format(text))
    return named or ["*"]


def implied(old: Sequence[PolicyDocument]) -> list[tuple[str, str]]:
    """What the old policies allow of that for which no call is written."""
    found = []
    for action in IMPLIED:
        pairs = narrowed((action, "*"), old)
        found += pairs if _allowed(action, old) else []
    return found


def _allowed(action: str, old: Sequence[PolicyDocument]) -> bool:
    return any(
        one.effect == "Allow" and action_state(one, action) is State.YES
        for document in old
        for one in document.statements
    )


def narrowed(need: tuple[str, str], old: Sequence[PolicyDocument]) -> list[tuple[str, str]]:
    """A need from code cut to what the old policies allow: pairs of action and resource; itself when they do not."""
    found: list[tuple[str, str]] = []
    action, resource = need
    for document in old:
        for statement in document.statements:
            if statement.effect != "Allow":
                continue
            for name in _within(action, statement.actions) if statement.not_actions is None else (action,):
                if action_state(statement, name) is not State.YES:
                    continue
                if statement.not_resources is not None:
                    found.append((name, resource))
                for pattern in statement.resources if statement.not_resources is None else ():
                    common = _both(resource, pattern)
                    if common is not None:
                        found.append((name, common))
    return _largest(found) or [need]


def _within(action: str, patterns: Iterable[str]) -> list[str]:
    """An action, or for all of a service what the patterns say of it."""
    if not action.endswith("*"):
        return [action]
    service = action.removesuffix("*")
    if not service:
        return list(patterns)
    return [action if one == "*" else one for one in patterns if one == "*" or one.lower().startswith(service)]


def _both(one: str, other: str) -> str | None:
    """What two patterns of ARNs both mean, as one pattern; None for nothing."""
    if one == "*" or other == "*":
        return other if one == "*" else one
    left, right = one.split(":", _SEGMENTS - 1), other.split(":", _SEGMENTS - 1)
    if len(left) != _SEGMENTS or len(right) != _SEGMENTS:
        return None
    parts = []
    for mine, theirs in zip(left[:-1], right[:-1], strict=True):
        if mine != theirs and "*" not in (mine, theirs):
            return None
        parts.append(theirs if mine == "*" else mine)
    for smaller, larger in ((left[-1], right[-1]), (right[-1], left[-1])):
        if arn_matches(":".join((*parts, larger)), ":".join((*parts, smaller))) is State.YES:
            return ":".join((*parts, smaller))
    # Two patterns may mean something together that none of them says: then all that is allowed stays.
    return ":".join((*parts, right[-1])) if _may_meet(left[-1], right[-1]) else None


def _may_meet(one: str, other: str) -> bool:
    """Whether two patterns could mean something together, by what they begin and end with."""
    ends = [re.split(r"[*?]", text) for text in (one, other)]
    if any(len(parts) == 1 for parts in ends):
        return False  # one text, which the other pattern does not mean
    (head, *_, tail), (start, *_, stop) = ends
    return (head.startswith(start) or start.startswith(head)) and (tail.endswith(stop) or stop.endswith(tail))


def _largest(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of an action without those whose resource another one of it holds already."""
    found = list(dict.fromkeys(pairs))
    return [
        (action, resource)
        for action, resource in found
        if not any(
            name == action and other != resource and arn_matches(other, resource) is State.YES
            for name, other in found
        )
    ]
