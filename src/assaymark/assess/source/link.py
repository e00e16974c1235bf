"""The linker of source: pipelines to the identities that they may take on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.overlaps import overlaps
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.source import Pipeline
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder

_OPEN: Final = "{repository}"


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws them. ``now`` is not needed."""
    del now
    for pipeline in estates.source.pipelines:
        _pipeline(pipeline, estates, builder, reading)


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
