"""What another policy would change: the logged decisions, made again under both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Mode, TrustState
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError, UsageError, VerificationError
from assaymark.core.statement import DECISION
from assaymark.policy.decide import decide
from assaymark.policy.parse import parse_policy
from assaymark.policy.statement import parse_decision
from assaymark.service.evidence import Reader, attestation_at
from assaymark.service.policy import PolicyView, current_policy, read_policy
from assaymark.trust.key_events import counting, key_standing
from assaymark.trust.policy import policy_of
from assaymark.trust.replay import VERIFIER_ROLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import Decision, Outcome, Reason
    from assaymark.service.workspace import TrustedTree, Workspace

_ENTRY: Final = re.compile(r"entry:([0-9]{1,18})")
CURRENT: Final = "current"
ABSENT: Final = "not required"


@dataclass(frozen=True, slots=True)
class RequirementChange:
    """How a requirement stands under each policy, in words; ``message`` is what the new one says of it."""

    requirement: str
    before: str
    after: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A decision that would come out otherwise, and the requirements that make the difference."""

    index: int
    decision: Decision
    before: Outcome
    after: Outcome
    requirements: tuple[RequirementChange, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """A decision that could not be made again, and why."""

    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PolicyDiff:
    """The difference of two policies on the decisions that were ``compared``, newest first."""

    old: PolicyView
    new: PolicyView
    compared: int
    changes: tuple[Change, ...]
    unread: tuple[Unread, ...]


def policy_named(name: str, workspace: Workspace) -> PolicyView:
    """A policy by its file, ``current`` for the one in force, or ``entry:N`` for one that was logged.

    Raises:
        UsageError: ``policy-entry`` when that entry is no policy, or ``policy-missing``.
        InputError, VerificationError: the policy is malformed, or its signers are not enough.
    """
    if name == CURRENT:
        return current_policy(workspace)
    match = _ENTRY.fullmatch(name)
    if match is None:
        return read_policy(Path(name))
    tree, index = workspace.trust(), int(match[1])
    if index >= tree.checkpoint.size:
        raise UsageError("policy-entry", f"the log ends before entry {index}", remedy="`assaymark log show`")
    try:
        text = policy_of(attestation_at(workspace, tree, index), tree.root)
    except InputError as error:
        raise UsageError(
            "policy-entry", f"entry {index} is no policy: {error.message}", remedy="`assaymark log show`"
        ) from None
    return PolicyView(text, sha256_digest(text), parse_policy(text), index)


def policy_diff(
    workspace: Workspace,
    old: PolicyView,
    new: PolicyView,
    *,
    every: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> PolicyDiff:
    """Decide again under both policies: the newest decision of each subject and environment, or ``every`` one.

    Each at its own time and on its own inputs, so that only the policy makes a difference. The trust root is today's.

    Raises:
        InputError, VerificationError: the root or the checkpoint was refused.
    """
    tree = workspace.trust()
    indices = workspace.log.by_predicate(DECISION, below=tree.checkpoint.size, newest_first=True)
    changes: list[Change] = []
    unread: list[Unread] = []
    seen: set[tuple[str, str, str]] = set()
    reader = Reader(workspace, tree)
    compared = 0
    for done, index in enumerate(indices):
        if on_progress is not None:
            on_progress(done, len(indices))
        try:
            decision = _decision(workspace, tree, index)
            if decision is None:
                continue
            scope = decision.request.scope
            key = (decision.request.subject.digest, scope.tenant, scope.environment)
            if key in seen and not every:
                continue
            seen.add(key)
            inputs = list(_inputs(reader, decision))
            evidence = counting(inputs, key_standing(inputs, tree.root), tree.root)
        except (InputError, VerificationError) as error:
            unread.append(Unread(index, error.code, str(error)))
            continue
        compared += 1
        before, after = (_again(view, evidence, decision, tree) for view in (old, new))
        if before.outcome is not after.outcome:
            changes.append(Change(index, decision, before.outcome, after.outcome, _differences(before, after)))
    return PolicyDiff(old, new, compared, tuple(changes), tuple(unread))


def _decision(workspace: Workspace, tree: TrustedTree, index: int) -> Decision | None:
    """The decision at ``index``; None for a summary that no verifier of this tenant signed."""
    attestation = attestation_at(workspace, tree, index)
    if not any(VERIFIER_ROLE in signer.roles for signer in attestation.signers):
        return None
    return parse_decision(attestation.statement)


def _inputs(reader: Reader, decision: Decision) -> Iterator[Attestation]:
    """The entries that the decision rests on, each verified once."""
    for index, digest in decision.inputs:
        found = reader.at(index)
        if found.envelope.digest != digest:
            raise VerificationError(
                "decision-inputs",
                "the log holds another entry there than the decision names",
                source=f"entry {index}",
            )
        yield found


def _again(view: PolicyView, evidence: tuple[Attestation, ...], decision: Decision, tree: TrustedTree) -> Decision:
    trust = TrustState(decision.root_version, decision.root_digest, tree.root.expires)
    return decide(view.policy, view.digest, evidence, decision.request, decision.decided_at, trust, decision.position)


def _differences(before: Decision, after: Decision) -> tuple[RequirementChange, ...]:
    old = {reason.requirement: reason for reason in before.reasons}
    new = {reason.requirement: reason for reason in after.reasons}
    changes = []
    for name in [*new, *(name for name in old if name not in new)]:
        was, becomes = _words(old.get(name)), _words(new.get(name))
        if was != becomes:
            changes.append(RequirementChange(name, was, becomes, new[name].message if name in new else ""))
    return tuple(changes)


def _words(reason: Reason | None) -> str:
    if reason is None:
        return ABSENT
    words = str(reason.outcome)
    if reason.mode is not Mode.ENFORCE:
        words += f" ({reason.mode})"
    return words if reason.exception is None else f"{words} (excepted)"
