"""Buckets, keys and file systems: who may come in, whether in plain text, and under whose key.

Sources: Amazon S3 User Guide, "Blocking public access", "The meaning of public" and "Security best practices";
AWS KMS Developer Guide, "Key policies" and "Rotate AWS KMS keys".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.blocks import BLOCKS, account_blocks, means_everyone
from assaymark.assess.aws.data import own_key
from assaymark.assess.aws.exposure import ENFORCED, grants, ownership
from assaymark.assess.aws.rule_list import (
    BUCKET_BLOCK,
    BUCKET_KEY,
    BUCKET_NETWORK,
    BUCKET_PUBLIC,
    BUCKET_TLS,
    EFS_PLAIN,
    KEY_ANYONE,
    KEY_ROTATION,
)
from assaymark.assess.rule import found
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import unresolved
from assaymark.core.graph import State
from assaymark.core.report import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Resource, Statement
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

_ASKED: Final = (
    ("s3:GetObject", "read objects of"),
    ("s3:GetObjectVersion", "read old objects of"),
    ("s3:PutObject", "write to"),
    ("s3:DeleteObject", "delete objects of"),
    ("s3:ListBucket", "list"),
    ("s3:PutBucketPolicy", "change the policy of"),
)
_OF_BUCKET: Final = ("s3:ListBucket", "s3:PutBucketPolicy")
_CHOSEN: Final = ("aws:securetransport", "aws:referer", "aws:useragent")  # keys that whoever asks sets at will
_KEEPS: Final = ("model", "weight", "checkpoint", "artifact", "mlflow", "dataset", "tenant", "customer")
_MODELS: Final = ("model", "weight", "checkpoint", "mlflow")
_NETWORKS: Final = frozenset(("aws:sourcevpce", "aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip"))
_FILE_SYSTEMS: Final = ("elasticfilesystem:file-system", "efs:file-system")


def check_data(run: Linking, seen: Seen) -> Iterator[Finding]:
    """Findings about buckets, keys and file systems."""
    endpoint = any(
        one.kind == "aws_vpc_endpoint" and one.text("service_name").endswith(".s3") for one in seen.estates.terraform
    )
    for _, resource in sorted(seen.estates.aws.resources.items()):
        if resource.kind == "s3:bucket":
            account = account_blocks(run.estate, resource)
            yield from _public(run, resource, account)
            yield from _declared(resource, account)
            if endpoint and _any_network(resource):
                message = f"bucket {_name(resource)} answers every network, though there is an endpoint of S3"
                yield found(BUCKET_NETWORK, resource.arn, message, (resource.because,))
        elif resource.kind == "kms:key":
            yield from _key(run, resource)
        elif resource.kind in _FILE_SYSTEMS:
            settings = resource.settings
            encrypted = settings.get("encrypted", settings.get("Encrypted"))
            known = "terraform" in settings or "Encrypted" in settings
            if known and encrypted is not True and not isinstance(encrypted, Unresolved):
                message = f"file system {resource.arn.rpartition('/')[2]} is not encrypted"
                yield found(EFS_PLAIN, resource.arn, message, (resource.because,))


def _name(resource: Resource) -> str:
    return resource.arn.rpartition(":::")[2]


def _blocks(resource: Resource, account: Sequence[Mapping[str, object]], name: str) -> bool:
    """Whether one of the four settings is on for the bucket, or may be."""
    own = resource.settings.get("public_access_block")
    values = [part.get(name) for part in (own, *account) if isinstance(part, dict)]
    return any(value is True or isinstance(value, Unresolved) for value in values)


def _public(run: Linking, resource: Resource, account: Sequence[Mapping[str, object]]) -> Iterator[Finding]:
    if not _blocks(resource, account, "ignore_public_acls") and ENFORCED not in ownership(resource):
        for _, _, what in grants(resource)[:1]:
            yield found(BUCKET_PUBLIC, resource.arn, f"bucket {_name(resource)} has {what}", (resource.because,))
    if resource.policy is None or _blocks(resource, account, "restrict_public_buckets"):
        return
    statements = [one for one in resource.policy.statements if means_everyone(one)]
    for action, words in _ASKED:
        targets = {f"{resource.arn}/object"}
        for one in statements:
            targets |= {text.replace("*", "x").replace("?", "x") for text in one.resources if "/" in text}
        for target in (resource.arn,) if action in _OF_BUCKET else sorted(targets):
            for context in [_context(one) for one in statements]:
                answer = run.access.can("*", action, target, context)
                if answer.state is State.YES:
                    places = answer.because or (resource.because,)
                    message = f"everyone may {words} bucket {_name(resource)}"
                    told = "terraform" not in resource.settings or "public_access_block" in resource.settings
                    sure = None if told else Confidence.MEDIUM  # a new bucket refuses such a policy by itself
                    yield found(BUCKET_PUBLIC, resource.arn, message, places, None, sure)
                    return


def _context(statement: Statement) -> Mapping[str, tuple[str, ...]]:
    """What whoever asks would send so that the statement's conditions hold, as far as that is theirs to choose."""
    found_ = {}
    for operator, keys in statement.condition.items():
        if "not" not in operator.lower():
            for key, values in keys.items():
                if key.lower() in _CHOSEN and values:
                    found_[key.lower()] = (values[0].replace("*", "x").replace("?", "x"),)
    found_.setdefault("aws:securetransport", ("true",))
    return found_


def _declared(resource: Resource, account: Sequence[Mapping[str, object]]) -> Iterator[Finding]:
    """What a template should say of a bucket and does not. An export of a bucket's name says nothing of it."""
    settings, name = resource.settings, _name(resource)
    if "terraform" not in settings:
        return
    off = [one for one in BLOCKS if not _blocks(resource, account, one)]
    if off:
        blocked = settings.get("public_access_block")
        said = isinstance(blocked, dict)
        what = f"leaves {off[0]} off" if said else "does not say that it blocks public access"
        place = resource.because
        yield found(
            BUCKET_BLOCK, resource.arn, f"bucket {name} {what}", (place,), None, None if said else Confidence.LOW
        )
    if "policy_unread" not in settings and not _denies_plaintext(resource):
        yield found(BUCKET_TLS, resource.arn, f"bucket {name} does not refuse plain HTTP", (resource.because,))
    words = f"{name} {' '.join(resource.tags.values())}".lower()
    if any(word in words for word in _KEEPS) and not own_key(resource) and not unresolved(settings.get("encryption")):
        yield found(BUCKET_KEY, resource.arn, f"bucket {name} has no key of its own", (resource.because,))


def _denies_plaintext(resource: Resource) -> bool:
    """Whether a statement denies everyone the bucket's objects without TLS, or may: a template leaves it open."""
    for statement in resource.policy.statements if resource.policy else ():
        if statement.effect != "Deny":
            continue
        if statement.unresolved and not statement.condition:
            return True
        objects = statement.not_resources is not None or any(
            one == "*" or one.endswith("/*") or isinstance(one, Unresolved) for one in statement.resources
        )
        reads = statement.not_actions is not None or any(
            isinstance(one, Unresolved) or one.lower() in ("*", "s3:*", "s3:get*", "s3:getobject", "s3:*object")
            for one in statement.actions
        )
        for operator, keys in statement.condition.items():
            for key, values in keys.items():
                plain = key.lower() == "aws:securetransport" and "false" in [value.lower() for value in values]
                if plain and operator.lower().startswith(("bool", "stringequals")) and objects and reads:
                    return True
    return False


def _any_network(resource: Resource) -> bool:
    """Whether a bucket of models has a policy, or none, that refuses nobody by the network that they come from."""
    words = f"{_name(resource)} {' '.join(resource.tags.values())}".lower()
    if "terraform" not in resource.settings or "policy_unread" in resource.settings:
        return False
    if not any(word in words for word in _MODELS):
        return False
    for statement in resource.policy.statements if resource.policy else ():
        if statement.effect == "Deny" and (statement.unresolved or _NETWORKS & _condition_keys(statement)):
            return False
    return True


def _condition_keys(statement: Statement) -> set[str]:
    return {key.lower() for keys in statement.condition.values() for key in keys}


def _key(run: Linking, resource: Resource) -> Iterator[Finding]:
    name = resource.arn.rpartition("/")[2]
    if resource.policy is not None:
        answer = run.access.can("*", "kms:Decrypt", resource.arn)
        if answer.state is State.YES:
            places = answer.because or (resource.because,)
            yield found(KEY_ANYONE, resource.arn, f"everyone may decrypt with key {name}", places)
    settings = resource.settings
    spec = settings.get("customer_master_key_spec", "SYMMETRIC_DEFAULT")
    elsewhere = settings.get("custom_key_store_id") or settings.get("origin", "AWS_KMS") != "AWS_KMS"
    rotated = settings.get("enable_key_rotation")
    open_ = isinstance(rotated, Unresolved) or rotated is True
    if "terraform" in settings and spec == "SYMMETRIC_DEFAULT" and not elsewhere and not open_:
        yield found(KEY_ROTATION, resource.arn, f"key {name} is not rotated", (resource.because,))
