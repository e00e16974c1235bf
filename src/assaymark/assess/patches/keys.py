"""Patches that give buckets and tenants keys of their own."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.boundaries import tenant_of
from assaymark.assess.edits import text_of_file
from assaymark.assess.patches.buckets import bucket_of
from assaymark.assess.patches.terraform import changed
from assaymark.assess.terraform.declared import block_of, declared, lone, referable
from assaymark.assess.terraform.written import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.estate.aws import Identity, Resource
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.patch import Patch, Place
    from assaymark.assess.terraform.written import Written
    from assaymark.formats.hcl.tree import Block

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]

_ENCRYPTION: Final = "aws_s3_bucket_server_side_encryption_configuration"
_NAMES: Final = ("kms_master_key_id", "kms_key_id", "kms_key_arn", "kms_master_key_arn")
# What takes another key where it stands; volumes and databases are made anew, and lose what they hold.
_IN_PLACE: Final = (
    "s3:bucket",
    "dynamodb:table",
    "sqs:queue",
    "sns:topic",
    "secretsmanager:secret",
    "kinesis:stream",
)
_NAME: Final = re.compile(r"[\w.-]+")
_ADMINISTRATION: Final = (
    *("kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*"),
    *("kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion"),
    "kms:CancelKeyDeletion",
)
_USE: Final = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


def _bucket_key(place: Place) -> Iterator[Patch]:
    """A key for a bucket; who reads and writes it needs that key too."""
    index = declared(place.estates)
    bucket = bucket_of(place)
    if bucket is None:
        return
    name = bucket.address.partition(".")[2]
    if not index.free(bucket.file.path, f"aws_kms_key.{name}"):
        return
    title = "encrypt with a key of the bucket's own, which those who use the bucket must be let use"
    text = text_of_file(bucket.file)
    lines = ["", f'resource "aws_kms_key" "{name}" {{', f'  description         = "objects of {name}"']
    lines += ["  enable_key_rotation = true", "}"]
    there = index.naming(_ENCRYPTION, "bucket", bucket)
    if len(there) > 1 or bucket.blocks("server_side_encryption_configuration"):
        return
    if there:
        path = "rule.apply_server_side_encryption_by_default"
        values = {f"{path}.sse_algorithm": '"aws:kms"', f"{path}.kms_master_key_id": f"aws_kms_key.{name}.arn"}
        patches = list(changed(there[0], values, title)) if referable(there[0], bucket.file.path) else []
        if patches:
            yield text.appended(lines, title)
            yield from patches
        return
    if not index.free(bucket.file.path, f"{_ENCRYPTION}.{name}"):
        return
    lines += ["", f'resource "{_ENCRYPTION}" "{name}" {{', f"  bucket = {bucket.address}.id", "  rule {"]
    lines += ["    apply_server_side_encryption_by_default {", '      sse_algorithm     = "aws:kms"']
    yield text.appended([*lines, f"      kms_master_key_id = aws_kms_key.{name}.arn", "    }", "  }", "}"], title)


def _tenant_keys(place: Place) -> list[Patch]:
    """A key for each tenant that shares one, where all that is encrypted with it is declared beside it."""
    index = declared(place.estates)
    keys = [one for one in index.by_arn[place.finding.name] if one.kind == "aws_kms_key"]
    if len(keys) != 1 or not lone(keys[0]) or block_of(keys[0]) is None:
        return []
    key = keys[0]
    shared = _encrypted(place, key)
    if not shared:
        return []
    changes: dict[str, list[tuple[Written, tuple[int, int, str]]]] = {}
    for tenant, resources in shared.items():
        changes[tenant] = []
        for resource in resources:
            reference = _reference(place, resource, key)
            if reference is None or resource.kind not in _IN_PLACE:
                return []
            file, (start, end) = reference
            new = re.sub(rf"^{re.escape(key.address)}\b", f"{key.address}_{_word(tenant)}", file.text.text[start:end])
            changes[tenant].append((file, (start, end, new)))
    roles_of = {tenant: _roles(place, tenant, some, key) for tenant, some in shared.items()}
    title = f"give {', '.join(shared)} a key each; what is encrypted already stays so until it is written again"
    if not all(roles_of.values()):
        title += ", and whoever uses it must be let use its key"
    by_file: dict[str, tuple[Written, list[tuple[int, int, str]]]] = {}
    lines: list[str] = []
    identity = False
    if not all(_NAME.fullmatch(tenant) for tenant in changes):
        return []
    for tenant, some in changes.items():
        address = f"{key.address}_{_word(tenant)}"
        if not index.free(key.file.path, address):
            return []
        for file, change in some:
            by_file.setdefault(file.text.path, (file, []))[1].append(change)
        roles = roles_of[tenant]
        identity |= bool(roles)
        lines += ["", f'resource "aws_kms_key" "{address.partition(".")[2]}" {{']
        lines += [f'  description         = "data of {tenant}"', "  enable_key_rotation = true"]
        lines += [f'  tags                = {{ tenant = "{tenant}" }}', *_policy(place, key, roles), "}"]
    if identity and not _caller(place, key):
        lines += ["", 'data "aws_caller_identity" "current" {}']
    found = [patch for file, some in by_file.values() for patch in file.text.replaced(some, title)]
    return [text_of_file(key.file).appended(lines, title), *found]


def _word(tenant: str) -> str:
    return re.sub(r"\W", "_", tenant)


def _encrypted(place: Place, key: TfResource) -> dict[str, list[Resource]]:
    """What lies under a key, by tenant; what is nobody's keeps the key."""
    known: dict[str, dict[str, list[Resource]]] | None = place.estates.indexes.get("under keys")
    if known is None:
        known = {}
        for resource in place.estates.aws.resources.values():
            tenant = tenant_of(resource.arn.rpartition(":")[2].rpartition("/")[2], resource.tags)
            for name in _keys(resource) if tenant else ():
                known.setdefault(name, {}).setdefault(tenant, []).append(resource)
        place.estates.indexes["under keys"] = known
    return dict(sorted(known.get(key.arn, {}).items()))


def _keys(resource: Resource) -> set[str]:
    """The keys that a resource's settings name."""
    found = set()
    pending: list[object] = [resource.settings.get("encryption"), dict(resource.settings)]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found |= {value[name] for name in _NAMES if isinstance(value.get(name), str)}
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return found


def _reference(place: Place, resource: Resource, key: TfResource) -> tuple[Written, tuple[int, int]] | None:
    """Where a resource, or what sets its encryption, names the key by its address."""
    index = declared(place.estates)
    setting = index.of_values(resource.settings.get("encryption"))
    own = [one for one in index.by_arn[resource.arn] if one.arn and not one.kind.startswith("aws_iam")]
    for one in [setting] if setting is not None else own:
        shown = block_of(one)
        if shown is None or not referable(one, key.file.path):
            continue
        file = shown[0]
        pending: list[Block] = [shown[1]]
        while pending:
            block = pending.pop()
            pending += block.body.blocks
            for name in _NAMES:
                value = block.body.attributes.get(name)
                if value is not None and re.fullmatch(
                    rf"{re.escape(key.address)}\.(?:arn|id|key_id)", file.source(value)
                ):
                    return file, file.spans[id(value)]
    return None


def _roles(place: Place, tenant: str, resources: list[Resource], key: TfResource) -> list[str]:
    """The addresses of a tenant's roles where they alone, as far as can be seen, use what is under the key."""
    if any(resource.kind != "s3:bucket" for resource in resources):
        return []  # a service that keeps the key for itself asks for it in the name of whoever sets it up
    found = []
    people = _by_tenant(place)
    for who in people.get(tenant, []):
        own = [one for one in declared(place.estates).by_arn[who.arn] if one.kind == "aws_iam_role"]
        if len(own) != 1 or not referable(own[0], key.file.path):
            return []
        found.append(own[0].address)
    return [] if any(_uses(who, resources, key) for who in people.get("", [])) else sorted(found)


def _by_tenant(place: Place) -> dict[str, list[Identity]]:
    """The roles of each tenant; whoever is none's by the empty name."""
    found: dict[str, list[Identity]] | None = place.estates.indexes.get("identities of tenants")
    if found is None:
        found = {}
        for who in place.estates.aws.identities.values():
            tenant = tenant_of(who.name, who.tags)
            if not tenant or who.kind == "role":
                found.setdefault(tenant, []).append(who)
        place.estates.indexes["identities of tenants"] = found
    return found


def _uses(who: Identity, resources: list[Resource], key: TfResource) -> bool:
    """Whether somebody who is no tenant's may use some of what is under the key."""
    names = [one.arn for one in resources]
    for policy in who.policies:
        for statement in policy.statements:
            words = [one.lower() for one in statement.actions]
            if statement.effect == "Allow" and any(one.startswith(("s3:", "kms:", "*")) for one in words):
                patterns = [one.partition("/")[0].rstrip("*") for one in statement.resources]
                if any(name.startswith(one) for one in patterns for name in (*names, key.arn)):
                    return True
    return bool(who.opaque)


def _policy(place: Place, key: TfResource, roles: list[str]) -> list[str]:
    """Administration for the account, use for a tenant's roles; none where those cannot be seen."""
    if not roles:
        return []
    caller = _caller(place, key) or "current"
    account = f"arn:aws:iam::${{data.aws_caller_identity.{caller}.account_id}}:root"
    administration = ", ".join(f'"{one}"' for one in _ADMINISTRATION)
    use = ", ".join(f'"{one}"' for one in _USE)
    return [
        "  policy = jsonencode({",
        '    Version = "2012-10-17"',
        "    Statement = [",
        "      {",
        '        Effect    = "Allow"',
        f'        Principal = {{ AWS = "{account}" }}',
        f"        Action    = [{administration}]",
        '        Resource  = "*"',
        "      },",
        "      {",
        '        Effect    = "Allow"',
        f"        Principal = {{ AWS = [{', '.join(f'{role}.arn' for role in roles)}] }}",
        f"        Action    = [{use}]",
        '        Resource  = "*"',
        "      },",
        "    ]",
        "  })",
    ]


def _caller(place: Place, key: TfResource) -> str:
    """The name that the key's folder has for the account that it is deployed to; empty for none."""
    known: dict[str, str] | None = place.estates.indexes.get("callers")
    if known is None:
        known = {}
        for source in place.inputs.named(".tf", ".tofu"):
            file = written(source)
            for block in file.body.blocks if file is not None else ():
                if (
                    block.kind == "data"
                    and block.labels[:1] == ("aws_caller_identity",)
                    and _NAME.fullmatch(block.labels[-1])
                ):
                    known.setdefault(posixpath.dirname(source.path), block.labels[-1])
        place.estates.indexes["callers"] = known
    return known.get(posixpath.dirname(key.file.path), "")


KEY_WRITERS: Final[dict[str, Writer]] = {"aws-bucket-key": _bucket_key, "aws-tenants-share-key": _tenant_keys}
