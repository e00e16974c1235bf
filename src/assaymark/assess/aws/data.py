"""Edges from AWS principals to data, models, secrets and keys, and what flows by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.images import images_of
from assaymark.assess.aws.linking import NOWHERE, Chain
from assaymark.assess.aws.request import same_account
from assaymark.assess.values import mappings
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Resource

KINDS: Final[dict[str, tuple[str, str]]] = {  # the kind of node, and what it is as a target
    "bedrock:agent": ("endpoint", "endpoint"),
    "bedrock:knowledge-base": ("database", "data"),
    "dynamodb:table": ("database", "data"),
    "ecr:repository": ("registry", ""),
    "efs:file-system": ("volume", "data"),
    "elasticfilesystem:file-system": ("volume", "data"),
    "firehose:deliverystream": ("queue", ""),
    "kinesis:firehose-delivery-stream": ("queue", ""),
    "kinesis:stream": ("queue", "data"),
    "kms:key": ("key", "key"),
    "lambda:function": ("function", ""),
    "logs:log-group": ("log", ""),
    "logs:cloudwatch-log-group": ("log", ""),
    "opensearch:domain": ("database", "data"),
    "pipes:pipe": ("queue", ""),
    "rds:cluster": ("database", "data"),
    "rds:db": ("database", "data"),
    "rds:instance": ("database", "data"),
    "s3:bucket": ("bucket", "data"),
    "s3files:file-system": ("volume", "data"),
    "s3tables:bucket": ("database", "data"),
    "s3tables:table": ("database", "data"),
    "s3tables:table-bucket": ("database", "data"),
    "s3vectors:bucket": ("database", "data"),
    "s3vectors:index": ("database", "data"),
    "s3vectors:vector-bucket": ("database", "data"),
    "sagemaker:endpoint": ("endpoint", "endpoint"),
    "sagemaker:feature-group": ("database", "data"),
    "sagemaker:model": ("model", "model"),
    "sagemaker:model-package-group": ("model", "model"),
    "scheduler:schedule": ("queue", ""),
    "secretsmanager:secret": ("secret", "secret"),
    "sns:topic": ("queue", ""),
    "sqs:queue": ("queue", ""),
    "ssm:parameter": ("secret", ""),
    "states:state-machine": ("function", ""),
    "states:stateMachine": ("function", ""),
}
_MODEL_WORDS: Final = ("model", "weight", "checkpoint", "artifact", "registry", "mlflow")
RELATION_OF: Final = {
    "read": "reads",
    "write": "writes",
    "delete": "deletes",
    "permissions": "permissions",
    "invoke": "invokes",
    "decrypt": "decrypts",
}
CLASSES: Final = {
    "bucket": ("read", "write", "delete", "permissions"),
    "database": ("read", "write", "delete", "permissions"),
    "endpoint": ("invoke", "write", "delete", "permissions"),
    "function": ("invoke", "permissions"),
    "key": ("decrypt", "permissions"),
    "log": ("read",),
    "model": ("read", "write", "delete", "permissions"),
    "queue": ("read", "write", "delete", "permissions"),
    "registry": ("read", "write", "delete", "permissions"),
    "secret": ("read", "write", "delete", "permissions"),
    "volume": ("read", "write", "delete", "permissions"),
}


# What people know of a kind of thing and a class of actions.
KNOWN: Final = {
    ("s3:bucket", "read"): "s3:GetObject",
    ("s3:bucket", "write"): "s3:PutObject",
    ("s3:bucket", "delete"): "s3:DeleteObject",
    ("s3:bucket", "permissions"): "s3:PutBucketPolicy",
    ("kms:key", "decrypt"): "kms:Decrypt",
    ("kms:key", "permissions"): "kms:PutKeyPolicy",
    ("secretsmanager:secret", "read"): "secretsmanager:GetSecretValue",
    ("dynamodb:table", "read"): "dynamodb:GetItem",
    ("dynamodb:table", "write"): "dynamodb:PutItem",
    ("lambda:function", "invoke"): "lambda:InvokeFunction",
    ("sagemaker:endpoint", "invoke"): "sagemaker:InvokeEndpoint",
    ("ecr:repository", "write"): "ecr:PutImage",
}


def node_kind(resource: Resource) -> tuple[str, str]:
    """The kind of node of a resource, and what it is as a target (empty for none)."""
    kind, target = KINDS.get(resource.kind, ("workload", ""))
    words = f"{resource.arn} {' '.join(resource.tags.values())}".lower()
    if kind == "bucket" and any(word in words for word in _MODEL_WORDS):
        target = "model"
    return kind, target


def encryption_key(run: Linking, resource: Resource) -> str:
    """The customer's key that a resource is encrypted with; empty for none, or one that the input does not hold."""
    for value in mappings(resource.settings.get("encryption"), resource.settings):
        for name in _KEY_NAMES:
            text = value.get(name)
            if isinstance(text, str) and text in run.estate.resources:
                return text
    return ""


_KEY_NAMES: Final = ("kms_master_key_id", "kms_key_id", "kms_key_arn", "KmsKeyId", "kms_master_key_arn")


def own_key(resource: Resource) -> str:
    """The key that a resource is encrypted with, in the input or not; empty for one that Amazon keeps, or none."""
    for value in mappings(resource.settings.get("encryption"), resource.settings):
        for name in _KEY_NAMES:
            text = value.get(name)
            if isinstance(text, str) and text and "alias/aws/" not in text:
                return text
    return ""


def locked(resource: Resource) -> bool:
    """Whether a resource is encrypted with a key that Amazon keeps for the account alone."""
    if resource.kind == "secretsmanager:secret":
        return not own_key(resource)
    values = mappings(resource.settings.get("encryption"), resource.settings)
    algorithms = [str(value.get(name)) for value in values for name in ("sse_algorithm", "SSEAlgorithm")]
    return resource.kind == "s3:bucket" and not own_key(resource) and "aws:kms" in algorithms


def let_out(resource: Resource, account: str) -> Chain:
    """Whether the key that Amazon keeps lets an account read what is encrypted with it: its own alone.

    Sources: Secrets Manager User Guide, "Access to secrets from a different account"; Amazon S3 User Guide, "Using
    server-side encryption with AWS KMS keys": ``aws/secretsmanager`` and ``aws/s3`` are of no use across accounts.
    """
    if same_account(account, str(resource.settings.get("account") or resource.account)) is not False:
        return Chain()
    if not locked(resource):
        return Chain()
    if "terraform" in resource.settings or resource.kind == "s3:bucket":
        return NOWHERE
    return Chain(State.UNKNOWN, (), (f"{resource.arn} is encrypted with a key of the account's own",))


def link_flows(run: Linking) -> None:
    """Draws what runs as which role, and what is loaded from where."""
    for arn, resource in sorted(run.estate.resources.items()):
        if resource.role and run.builder.has(resource.role) and run.builder.has(arn):
            how = "what runs in it gets the role's credentials"
            run.builder.edge(Edge(arn, resource.role, "runs-as", how, (resource.because,), effort=0))
        for value in mappings(dict(resource.settings)):
            for name, text in value.items():
                asked = isinstance(text, str) and not resource.kind.startswith(_DESCRIBES)
                for repository, image, decides in images_of(run.estate, text) if asked else ():
                    if repository != arn and run.builder.has(repository):
                        how, state = (
                            f"it runs {image}, a tag that may be moved",
                            State.UNKNOWN if decides else State.YES,
                        )
                        because = (resource.because,)
                        run.builder.edge(Edge(repository, arn, "loaded-by", how, because, state, decides))
                for bucket in _buckets(text, name) if isinstance(text, str) and _loads(resource, name) else ():
                    if bucket != arn and run.builder.has(bucket):
                        how = f"it loads {text} ({name})"
                        run.builder.edge(Edge(bucket, arn, "loaded-by", how, (resource.because,), effort=1))


# Attributes whose address or bucket is what runs: code, models, and what is installed before them.
_LOADED: Final = frozenset(
    (
        *("model_data_url", "modeldataurl", "s3uri", "s3_uri", "code_location", "sourceuri", "script_location"),
        *("scriptlocation", "--extra-py-files", "--extra-jars", "--extra-files", "entry_point", "jar"),
    )
)
_BUCKET_OF_CODE: Final = ("s3_bucket", "s3bucket", "code_s3_bucket")
_RUNS_PATHS: Final = ("elasticmapreduce:cluster", "emr:cluster", "glue:job")  # whose path and arguments are scripts
_DESCRIBES: Final = ("states:", "sagemaker:pipeline")  # what others run


def _loads(resource: Resource, name: str) -> bool:
    name = name.lower()
    if resource.kind in _RUNS_PATHS and name in ("path", "args"):
        return True
    return name in _LOADED or (resource.kind == "lambda:function" and name in _BUCKET_OF_CODE)


def _buckets(text: str, name: str) -> list[str]:
    """The buckets of an attribute: addresses, ARNs, and a name alone where the attribute is one of a bucket."""
    if name.lower() in _BUCKET_OF_CODE and "/" not in text and ":" not in text:
        return [f"arn:aws:s3:::{text}"]
    found = []
    for one in text.split(","):
        if one.strip().startswith("s3://"):
            found.append(f"arn:aws:s3:::{one.strip()[5:].partition('/')[0]}")
        elif one.startswith("arn:aws:s3:::"):
            found.append(one.partition("/")[0])
    return found
