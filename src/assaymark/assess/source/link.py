"""The linker of source: files that hold a key to whom it belongs, pipelines to the identities they may take on."""

from __future__ import annotations

import binascii
from base64 import b64decode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.patterns import glob
from assaymark.assess.estate.source import Secret
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.servers import container_variables
from assaymark.assess.source.credentials import account_of, aws_keys
from assaymark.core.graph import Edge, State
from assaymark.core.report import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assaymark.assess.estate.aws import Identity
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.source import Pipeline
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_GITHUB: Final = "token.actions.githubusercontent.com"
_OPEN: Final = "{repository}"


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws them. ``now`` is not needed."""
    del now
    for secret in estates.source.secrets:
        if secret.rule == "secret-aws-key":
            _key(_file(secret, builder), secret, estates, builder, reading)
        elif secret.identity and secret.rule == "secret-cloud-key":
            _account(secret, builder)
    for node, secret in _in_clusters(estates, builder):
        _key(node, secret, estates, builder, reading)
    for pipeline in estates.source.pipelines:
        _pipeline(pipeline, estates, builder, reading)


def _file(secret: Secret, builder: Builder) -> str:
    path = secret.because.path
    return builder.node(f"file:{path}", "file", path, (secret.because,), entry="supply-chain")


def _in_clusters(estates: Estates, builder: Builder) -> Iterator[tuple[str, Secret]]:
    """AWS access keys in secrets, configuration and variables of clusters, with the node that has each."""
    for one in estates.kubernetes.of("Secret", "ConfigMap"):
        for name in ("data", "stringData"):
            given = one.value.get(name)
            for key, value in given.items() if isinstance(given, dict) else ():
                text = _decoded(value) if one.kind == "Secret" and name == "data" else value
                for identity, words in aws_keys(text) if isinstance(text, str) else ():
                    kind = "secret" if one.kind == "Secret" else "configuration"
                    place = one.because(given, key)
                    node = builder.node(one.id, kind, f"{one.namespace}/{one.name}", (place,))
                    yield node, _of_key(identity, words, place)
    for pod in pod_specs(estates.kubernetes):
        for container in pod.containers():
            for value in container_variables(container).values():
                for identity, words in aws_keys(value) if builder.has(pod.id) else ():
                    yield pod.id, _of_key(identity, words, pod.because(container))


def _of_key(identity: str, words: frozenset[str], place: Because) -> Secret:
    return Secret("secret-aws-key", "an AWS access key", identity[:4], place, Severity.HIGH, identity, words)


def _decoded(value: object) -> str:
    try:
        return b64decode(str(value), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _key(file: str, secret: Secret, estates: Estates, builder: Builder, reading: Reading) -> None:
    """An AWS access key: its owner is listed, or named beside it, or one of an account's users, or nobody knows."""
    if secret.identity in estates.source.inactive:
        return
    account = account_of(secret.identity)
    users = [one for one in estates.aws.identities.values() if one.kind == "user" and builder.has(one.arn)]
    listed = estates.source.owners.get(secret.identity)
    if listed is not None:
        owner = next((one for one in users if listed[0] in (one.name, one.arn)), None)
        if owner is not None:
            how = f"it has the access key {secret.shown}... of {owner.name}"
            builder.edge(Edge(file, owner.arn, "holds-credential", how, (secret.because, listed[1])))
            return
    possible = [one for one in users if one.account in (account, "000000000000") or not account]
    named = [one for one in possible if one.name in secret.beside]
    for owner in named or (possible if len(possible) == 1 and _has_key(possible[0]) else []):
        how = (
            f"it has an access key {secret.shown}..., and names {owner.name} beside it"
            if named
            else (f"it has an access key {secret.shown}..., and {owner.name} is the only user of its account")
        )
        decides = (f"the access key {secret.shown}... belongs to {owner.name}",)
        builder.edge(
            Edge(file, owner.arn, "holds-credential", how, (secret.because, *owner.keys), State.UNKNOWN, decides)
        )
    if named or (len(possible) == 1 and _has_key(possible[0])):
        return
    mark = sha256(secret.identity.encode()).hexdigest()[:8]
    boundary = {"cloud": "aws", "account": account} if account else {"cloud": "aws"}
    name = f"the owner of access key {secret.shown}... in account {account or 'unknown'}"
    node = builder.node(f"aws:key:{mark}", "user", name, (secret.because,), boundary=boundary, target="identity")
    how = f"it has the access key {secret.shown}..."
    builder.edge(Edge(file, node, "holds-credential", how, (secret.because,)))
    reading.gap(f"whose access key {secret.because.path} holds is not in the input; what it may do is not known")


def _has_key(user: Identity) -> bool:
    return bool(user.keys)


def _account(secret: Secret, builder: Builder) -> None:
    """A key of a Google service account says whose it is."""
    file = _file(secret, builder)
    project = secret.identity.partition("@")[2].removesuffix(".iam.gserviceaccount.com")
    node = next(
        (
            one
            for one in builder.ids()
            if one.endswith((f"/{secret.identity}", f":{secret.identity}")) or one == secret.identity
        ),
        f"gcp:serviceaccount:{secret.identity}",
    )
    builder.node(
        node,
        "service-account",
        secret.identity,
        (secret.because,),
        boundary={"cloud": "gcp", "account": project},
        target="identity",
    )
    how = f"the file has a key of {secret.identity}"
    builder.edge(Edge(file, node, "holds-credential", how, (secret.because,)))


def _pipeline(pipeline: Pipeline, estates: Estates, builder: Builder, reading: Reading) -> None:
    """A job that may ask for a token to the subjects that roles trust: ``oidc:<issuer>:<pattern>``."""
    entry = {"entry": "supply-chain"} if pipeline.untrusted else {"entry": "principal"}
    node = builder.node(
        pipeline.id, "pipeline", pipeline.name, (pipeline.because,), boundary={"domain": pipeline.issuer}, **entry
    )
    prefix = f"oidc:{pipeline.issuer}:"
    drawn = False
    for subject in sorted(one for one in builder.ids() if one.startswith(prefix)):
        pattern = subject[len(prefix) :]
        fit = _fits(pipeline, pattern, estates)
        if fit is None:
            continue
        drawn = True
        state, decides = fit
        how = f"its job may ask for a token of {pipeline.issuer} with this subject"
        builder.edge(Edge(node, subject, "federates", how, (pipeline.because,), state, decides, 0))
    if not drawn:
        for role in pipeline.roles:
            if not builder.has(role):
                reading.gap(f"{pipeline.name} names the role {role}, which is not in the input")


def _fits(pipeline: Pipeline, pattern: str, estates: Estates) -> tuple[State, tuple[str, ...]] | None:
    """Whether a subject that a role trusts can be one of the job's; None when it cannot."""
    known = sorted(estates.source.repositories)
    trusted = pattern.split(":")[1] if pattern.startswith("repo:") and pattern.count(":") else ""
    named = any(_trusts(estates, role, pattern) for role in pipeline.roles)
    for subject in pipeline.subjects:
        for repository in known or ["*/*"]:
            whole = subject.replace(_OPEN, repository)
            if not overlaps(pattern, whole):
                continue
            if known or named or pattern == "*" or trusted in ("*", "*/*"):
                return State.YES, ()
            return State.UNKNOWN, (f"the repository of {pipeline.because.path} is {trusted or pattern}",)
    return None


def _trusts(estates: Estates, role: str, pattern: str) -> bool:
    """Whether a role that the job names trusts this pattern, which shows whose repository this is."""
    found = estates.aws.identities.get(role)
    return (
        found is not None
        and found.trust is not None
        and any(
            pattern in values
            for statement in found.trust.statements
            for keys in statement.condition.values()
            for values in keys.values()
        )
    )


def overlaps(one: str, other: str) -> bool:
    """Whether some text matches both of two patterns with ``*`` and ``?``."""
    if "*" not in one + other and "?" not in one + other:
        return one == other
    if "*" not in other and "?" not in other:
        return glob(one, other)
    states = {(0, 0)}
    pending = [(0, 0)]
    while pending:
        left, right = pending.pop()
        if left == len(one) and right == len(other):
            return True
        for step in _steps(one, other, left, right):
            if step not in states:
                states.add(step)
                pending.append(step)
    return False


def _steps(one: str, other: str, left: int, right: int) -> list[tuple[int, int]]:
    first = one[left] if left < len(one) else ""
    second = other[right] if right < len(other) else ""
    found = []
    if first == "*":
        found.append((left + 1, right))
        if second and second != "*":
            found.append((left, right + 1))
    if second == "*":
        found.append((left, right + 1))
        if first and first != "*":
            found.append((left + 1, right))
    if first and second and first != "*" and second != "*" and (first == second or "?" in (first, second)):
        found.append((left + 1, right + 1))
    return found
