"""Edges from AWS principals to data, models, secrets and keys, and what flows by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.blocks import shuts_out
from assaymark.assess.aws.images import images_of
from assaymark.assess.aws.linking import NOWHERE, Chain
from assaymark.assess.aws.request import same_account
from assaymark.assess.values import mappings
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.aws.answers import Reach
    from assaymark.assess.aws.grants import Reached
    from assaymark.assess.aws.lasting import Lasting
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Identity, Resource

KINDS: Final[dict[str, tuple[str, str]]] = {  # the kind of node, and what it is as a target
    "bedrock:agent": ("endpoint", "endpoint"),
    "bedrock:knowledge-base": ("database", "data"),
    "dynamodb:table": ("database", "data"),
    "ecr:repository": ("registry", ""),
    "efs:file-system": ("volume", "data"),
    "elasticfilesystem:file-system": ("volume", "data"),
    "kinesis:stream": ("queue", "data"),
    "kms:key": ("key", "key"),
    "lambda:function": ("function", ""),
    "logs:log-group": ("log", ""),
    "logs:cloudwatch-log-group": ("log", ""),
    "opensearch:domain": ("database", "data"),
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
    "secretsmanager:secret": ("secret", "secret"),
    "sns:topic": ("queue", ""),
    "sqs:queue": ("queue", ""),
    "ssm:parameter": ("secret", ""),
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


def node_kind(resource: Resource) -> tuple[str, str]:
    """The kind of node of a resource, and what it is as a target (empty for none)."""
    kind, target = KINDS.get(resource.kind, ("workload", ""))
    words = f"{resource.arn} {' '.join(resource.tags.values())}".lower()
    if kind == "bucket" and any(word in words for word in _MODEL_WORDS):
        target = "model"
    return kind, target


def link_data(run: Linking, lasting: Lasting) -> None:
    """Draws who reads, writes, calls and decrypts what."""
    kinds = {arn: node_kind(resource)[0] for arn, resource in run.estate.resources.items()}
    for who in run.principals:
        if who.arn in run.administrators:
            continue
        reached = run.access.reached(who.arn, identities=False)
        alike: dict[tuple[str, str, Chain, int], list[str]] = {}
        for found in reached.rows:
            arn = found.resource.removesuffix("/*") if ":s3:::" in found.resource else found.resource
            resource = run.estate.resources.get(arn)
            if resource is None:
                continue
            kind = kinds[arn]
            if found.action_class in CLASSES.get(kind, ()) and not shuts_out(run.estate, resource, who.account):
                chain = Chain(found.state, found.because, found.decides)
                if found.action_class == "read" and arn in lasting.keys and kind != "key":
                    chain = chain.then(lasting.opens(who.arn, resource))
                if found.action_class == "read" and chain.state is not State.NO:
                    chain = chain.then(let_out(resource, who.account))
                action = _known_action(run, who, resource, found, reached)
                for relation, how, whole, effort in _gets(lasting, who, resource, kind, found, action, chain):
                    alike.setdefault((relation, how, whole, effort), []).append(arn)
        for (relation, how, chain, effort), arns in alike.items():
            run.fan(who.arn, arns, relation, how, lambda _, chain=chain: chain, effort)  # type: ignore[misc]


def _gets(
    lasting: Lasting, who: Identity, resource: Resource, kind: str, found: Reach, action: str, chain: Chain
) -> Iterator[tuple[str, str, Chain, int]]:
    """The relations that a class of access makes; changing who may do what gives the rest, but what else denies."""
    how = f"its policies allow {action}"
    left = lasting.after(who, resource, kind) if found.action_class == "permissions" else None
    if left is None:
        yield RELATION_OF[found.action_class], how, chain, 0
        return
    yield "governs", how, chain, 0
    for action_class, given in left.items():
        yield RELATION_OF[action_class], f"it could let itself in ({action})", chain.then(given), 1


# What people know of a kind of thing and a class of actions.
KNOWN: Final = {
    ("s3:bucket", "read"): "s3:GetObject",
    ("s3:bucket", "write"): "s3:PutObject",
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


def _known_action(run: Linking, who: Identity, resource: Resource, found: Reach, reached: Reached) -> str:
    """The action to show: the one that people know, where it is allowed as the others of its class are."""
    known = KNOWN.get((resource.kind, found.action_class), "")
    if known and known != found.action:
        on = f"{resource.arn}/*" if known.endswith("Object") else resource.arn
        state = run.access.can(who.arn, known, on).state if reached.unread else reached.state(known, on)
        if state is found.state:
            return known
    return found.action


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


def let_out(resource: Resource, account: str) -> Chain:
    """Whether the key that Amazon keeps lets an account read what is encrypted with it: its own alone.

    Sources: Secrets Manager User Guide, "Access to secrets from a different account"; Amazon S3 User Guide, "Using
    server-side encryption with AWS KMS keys": ``aws/secretsmanager`` and ``aws/s3`` are of no use across accounts.
    """
    if same_account(account, str(resource.settings.get("account") or resource.account)) is not False:
        return Chain()
    values = mappings(resource.settings.get("encryption"), resource.settings)
    if resource.kind == "secretsmanager:secret":
        locked = not own_key(resource)
    else:
        algorithms = [str(value.get(name)) for value in values for name in ("sse_algorithm", "SSEAlgorithm")]
        locked = resource.kind == "s3:bucket" and not own_key(resource) and "aws:kms" in algorithms
    if not locked:
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
                for repository, image, decides in images_of(run.estate, text) if isinstance(text, str) else ():
                    if repository != arn and run.builder.has(repository):
                        how, state = (
                            f"it runs {image}, a tag that may be moved",
                            State.UNKNOWN if decides else State.YES,
                        )
                        because = (resource.because,)
                        run.builder.edge(Edge(repository, arn, "loaded-by", how, because, state, decides))
                bucket = _bucket(text) if isinstance(text, str) else ""
                if bucket and bucket != arn and run.builder.has(bucket) and _loads(resource, name):
                    how = f"it loads {text} ({name})"
                    run.builder.edge(Edge(bucket, arn, "loaded-by", how, (resource.because,), effort=1))


_LOADED: Final = (
    "model_data_url",
    "modeldataurl",
    "s3uri",
    "s3_uri",
    "code_location",
    "sourceuri",
    "script_location",
)


def _loads(resource: Resource, name: str) -> bool:
    return name.lower() in _LOADED or (resource.kind == "lambda:function" and name == "s3_bucket")


def _bucket(text: str) -> str:
    if text.startswith("s3://"):
        return f"arn:aws:s3:::{text[5:].partition('/')[0]}"
    return text if text.startswith("arn:aws:s3:::") else ""
