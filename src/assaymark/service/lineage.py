"""The lineage of a subject, from the log or from a dossier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.decision import Outcome, Reason
from assaymark.core.words import counted
from assaymark.policy.lineage import Lineage, Link, LinkState, lineage_of
from assaymark.policy.remedies import quoted
from assaymark.service.evidence import gather_seen

if TYPE_CHECKING:
    from assaymark.core.attestation import Attestation
    from assaymark.core.subject import Subject
    from assaymark.service.workspace import Workspace
    from assaymark.store.recall import Recall

LINEAGE_REASON = "lineage"


@dataclass(frozen=True, slots=True)
class LineageView:
    """A lineage with its subject; for each ancestor, how many statements of each predicate type count about it."""

    subject: Subject
    lineage: Lineage
    evidence: dict[str, dict[str, int]]

    @property
    def reason(self) -> Reason:
        """Whether every link holds to the first ancestors; the message names the first that does not."""
        if self.subject.digest not in self.evidence:
            message = "nobody in the trust root says anything about this subject"
            remedy = f"assaymark submit {quoted(self.subject.name)} --to ENV"
            return Reason(LINEAGE_REASON, Outcome.DENY, message, remedy)
        return lineage_reason(self.lineage)


def lineage_in(workspace: Workspace, subject: Subject, recall: Recall | None = None) -> LineageView:
    """The lineage of a subject by what the log holds now.

    Raises:
        AssaymarkError: as the log raises.
    """
    return view_of(subject, gather_seen(workspace, subject.digest, recall).attestations)


def view_of(subject: Subject, attestations: tuple[Attestation, ...]) -> LineageView:
    """The lineage that verified attestations tell."""
    lineage = lineage_of(subject, attestations)
    evidence: dict[str, dict[str, int]] = {}
    for item in attestations:
        if not item.signers:
            continue
        kind = item.statement.predicate_type
        for digest in {named.digest for named in item.statement.subjects}:
            counts = evidence.setdefault(digest, {})
            counts[kind] = counts.get(kind, 0) + 1
    return LineageView(subject, lineage, evidence)


def lineage_reason(lineage: Lineage) -> Reason:
    """A lineage as one reason: PERMIT when every link holds and somebody who counts speaks of the subject."""
    if lineage.broken:
        link = lineage.broken[0]
        more = f"; and {len(lineage.broken) - 1} more" if len(lineage.broken) > 1 else ""
        return Reason(LINEAGE_REASON, Outcome.DENY, f"{describe(link, lineage)}{more}", _remedy(link))
    count = len(lineage.ancestors) - 1
    if count == 0:
        return Reason(LINEAGE_REASON, Outcome.PERMIT, "no parent is claimed: this is a first ancestor")
    origins = ", ".join(sorted(name_in(lineage, digest) for digest in lineage.origins))
    return Reason(
        LINEAGE_REASON, Outcome.PERMIT, f"{counted(count, 'ancestor')}, every link holds, back to {origins}"
    )


def describe(link: Link, lineage: Lineage) -> str:
    """One link in words: which, how it stands, why."""
    child = name_in(lineage, link.child)
    parent = f"to {link.name or link.parent} " if link.parent else ""
    return f"the link from {child} {parent}is {link.state}: {link.message}"


def name_in(lineage: Lineage, digest: str) -> str:
    """The name of an ancestor, or the digest itself."""
    return next((item.name for item in lineage.ancestors if item.digest == digest and item.name), digest)


def _remedy(link: Link) -> str:
    match link.state:
        case LinkState.MISSING if link.kind == "dataset":
            return f"assaymark attest dataset PATH  # where the files of {quoted(link.name or link.parent)} are"
        case LinkState.MISSING:
            return f"assaymark submit PATH --to ENV  # where the files of {quoted(link.name or link.parent)} are"
        case LinkState.FORGED:
            return f"assaymark log show {link.position}  # who made the model attests what it is from"
        case _:
            return f"assaymark log show {link.position}  # and a right statement by whoever made the model"
