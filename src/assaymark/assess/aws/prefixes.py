"""Prefixes of buckets that several tenants or environments share: who reads and writes which.

A bucket has no folders, and policies name the beginnings of keys (Amazon S3 User Guide, "Organizing objects using
prefixes"; IAM User Guide, "Allows access to a user's own folder"). A prefix is known by policies that name it, with a
policy variable for whoever has the tag, and by workloads that load from it. It is a tenant's when a part of it is
called as a tenant of the input is, or as tenants are called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.linking import Chain
from assaymark.assess.aws.patterns import FRESH, arn_matches
from assaymark.assess.boundaries import ENVIRONMENT_WORDS, environment_of, tenant_of
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import texts_in
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Identity, PolicyDocument
    from assaymark.assess.estate.estates import Estates
    from assaymark.core.graph import Because

_OBJECTS: Final = re.compile(r"arn:aws[\w-]*:s3:::([^/*?$]+)/(.+)", re.DOTALL)
_ADDRESS: Final = re.compile(r"s3a?://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([^\s\"'*?${}]+)")
_VARIABLE: Final = re.compile(r"\$\{aws:PrincipalTag/([^{}]+)\}", re.IGNORECASE)
_OPEN: Final = re.compile(r"[*?$]")
_CLASSES: Final = (("reads", "s3:GetObject"), ("writes", "s3:PutObject"), ("deletes", "s3:DeleteObject"))
_MOST: Final = 200  # prefixes of a bucket that are drawn


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of the keys of a tenant's or an environment's objects; ``path`` ends with a slash."""

    bucket: str
    path: str
    tenant: str
    environment: str
    because: Because

    @property
    def arn(self) -> str:
        """The id of its node."""
        return f"{self.bucket}/{self.path}"


def prefixes(estates: Estates) -> dict[str, Prefix]:
    """The prefixes that are somebody's, by id."""
    known: dict[str, Prefix] | None = estates.indexes.get("prefixes")
    if known is None:
        known = {}
        tenants = {tenant_of(who.name, who.tags) for who in estates.aws.identities.values()} - {""}
        for bucket, key, because in _named(estates):
            found = _whose(bucket, key, because, tenants)
            if found is not None and bucket in estates.aws.resources:
                known.setdefault(found.arn, found)
        estates.indexes["prefixes"] = known
    return known


def _named(estates: Estates) -> Iterator[tuple[str, str, Because]]:
    """Buckets and keys that policies and workloads name, and where."""
    aws = estates.aws
    held: list[tuple[Identity | None, PolicyDocument]] = [
        (who, policy) for who in aws.identities.values() for policy in who.policies
    ]
    held += [(None, one.policy) for one in aws.resources.values() if one.policy is not None]
    for who, policy in held:
        for statement in policy.statements:
            for value in statement.resources:
                match = None if isinstance(value, Unresolved) else _OBJECTS.fullmatch(value)
                if match is not None:
                    key = _filled(match[2], who) if who is not None else match[2]
                    yield f"arn:aws:s3:::{match[1]}", key, statement.because
    for pod in pod_specs(estates.kubernetes):
        for text in (one for one in texts_in(pod.spec) if "s3" in one):
            for found in _ADDRESS.finditer(text):
                yield f"arn:aws:s3:::{found[1]}", found[2], pod.because()


def _filled(key: str, who: Identity) -> str:
    """A key with the tag of who has the policy in the place of its variable."""
    tags = {name.lower(): value for name, value in who.tags.items() if not isinstance(value, Unresolved)}
    return _VARIABLE.sub(lambda match: tags.get(match[1].lower(), match[0]), key)


def _whose(bucket: str, key: str, because: Because, tenants: set[str]) -> Prefix | None:
    """The prefix up to the part that says whose it is; None where none does."""
    opened = _OPEN.search(key)
    closed = key[: opened.start()] if opened else key
    parts = closed.split("/")[:-1]  # what is behind the last slash is no whole part
    for number, part in enumerate(parts, 1):
        word = part.lower()
        tenant = word if word in tenants else tenant_of(part)
        environment = environment_of(part) if word in ENVIRONMENT_WORDS else ""
        if tenant or environment:
            return Prefix(bucket, "/".join(parts[:number]) + "/", tenant, environment, because)
    return None


def link_prefixes(run: Linking, estates: Estates) -> None:
    """Draws prefixes, what they lie in, and who of the bucket's users comes to each."""
    by_bucket: dict[str, list[Prefix]] = {}
    for _, one in sorted(prefixes(estates).items()):
        inside = run.builder.boundary(one.bucket) if run.builder.has(one.bucket) else {}
        apart = {"tenant": one.tenant, "environment": one.environment}
        if run.builder.has(one.bucket) and any(value and inside.get(key) != value for key, value in apart.items()):
            by_bucket.setdefault(one.bucket, []).append(one)
    for bucket, some in by_bucket.items():
        for one in some[:_MOST]:
            _draw(run, bucket, one)


def _draw(run: Linking, bucket: str, one: Prefix) -> None:
    known = run.builder.known(bucket)
    boundary = {**known.boundary}
    boundary |= {key: value for key, value in (("tenant", one.tenant), ("environment", one.environment)) if value}
    target = "tenant-data" if boundary.get("tenant") else str(known.props.get("target", "data"))
    name = f"{known.name}/{one.path.rstrip('/')}"
    run.builder.node(one.arn, "prefix", name, (one.because,), boundary=boundary, target=target)
    how = "it is a part of the bucket"
    run.builder.edge(Edge(bucket, one.arn, "contains", how, (one.because,), effort=0))
    for who in run.principals:
        if who.kind == "group" or who.arn in run.administrators:
            continue
        for relation, action in _CLASSES:
            answer = run.can(who, action, f"{bucket}/{one.path}*")
            if answer.state is not State.NO:
                chain = Chain().then(answer)
                run.draw(who.arn, one.arn, relation, f"its policies allow {action} on what begins so", chain)


def comes_to_all(who: Identity, groups: list[Identity], bucket: str) -> bool:
    """Whether some policy of an identity lets it at objects of a bucket wherever they lie, and not below a prefix."""
    for holder in (who, *groups):
        for policy in holder.policies:
            for statement in policy.statements:
                if statement.effect == "Allow" and (
                    statement.not_resources is not None
                    or any(arn_matches(one, f"{bucket}/{FRESH}") is not State.NO for one in statement.resources)
                ):
                    return True
    return False
