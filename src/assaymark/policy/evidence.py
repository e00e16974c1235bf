"""How one requirement stands: which attestations count for it, and what they say.

The rules, in full in docs/spec/policy.md:

1. An attestation counts when its predicate type is the requirement's, it is about the request's subject, it is
   not bound to another environment or tenant, and a signer holds one of the requirement's roles.
2. Of several by one signer the newest is what the signer says now.
3. If what any signer says now fails a condition, the requirement is denied, whatever others say.
4. The same payload signed by the same key, logged again, is not said again: the first entry of it counts.
5. Signers count once by key, by principal and by the person who answers for a workload.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.decision import Outcome, Reason
from assaymark.core.limits import TREE_MAX_SIZE
from assaymark.core.statement import APPROVAL, CONTAINMENT, NOT_EVIDENCE, RELEASE, SCAN
from assaymark.policy.document import SUBMITTER, Condition, Requirement, same
from assaymark.policy.remedies import listed, look, shown, supply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.attestation import Attestation, Signer
    from assaymark.core.decision import Request

_ABSENT: Final = object()
# Statements whose format demands ``afterEntry``: without it nobody knows what their signer knew.
_SAY_AFTER: Final = (APPROVAL, CONTAINMENT)


@dataclass(frozen=True, slots=True)
class Window:
    """Entries with ``after < position < below`` count; what a lift needs must come after the containment."""

    after: int = -1
    below: int = TREE_MAX_SIZE

    def holds(self, attestation: Attestation) -> bool:
        """Whether the entry lies inside, and its signer knew of the containment that opens the window.

        A statement with ``afterEntry`` says how many entries its signer took into account: one that was signed
        before the containment and logged after it does not answer it. Neither does an approval or a lift that
        does not say: their format demands it.
        """
        if not self.after < attestation.position < self.below:
            return False
        if self.after < 0:
            return True
        seen = attestation.statement.predicate.get("afterEntry", _ABSENT)
        if seen is _ABSENT:
            return attestation.statement.predicate_type not in _SAY_AFTER
        return type(seen) is int and seen > self.after


EVERYTHING: Final = Window()
LIFT: Final = "lift"


class _Says(Enum):
    YES = 1
    NO = 2
    NOTHING = 3  # no answer


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries on one subject, sorted by position, each once; and which of their signers are one.

    ``signers`` are one by key or principal, ``people`` also through the workloads that they answer for.
    """

    items: tuple[Attestation, ...]
    signers: Groups
    people: Groups


def distinct_below(attestations: Iterable[Attestation], below: int) -> tuple[Attestation, ...]:
    """The entries below a tree size but decisions and attempts, each once, in the order of the log."""
    distinct = {
        (item.position, item.envelope.digest): item
        for item in attestations
        if item.position < below and item.statement.predicate_type not in NOT_EVIDENCE
    }
    return tuple(distinct[key] for key in sorted(distinct))


def entries_on(attestations: Iterable[Attestation], request: Request, below: int) -> Entries:
    """The entries on the request's subject below a tree size, but decisions and attempts."""
    items = _said_first(
        item
        for item in distinct_below(attestations, below)
        if any(subject.digest == request.subject.digest for subject in item.statement.subjects)
    )
    return Entries(items, Groups(items, workloads=False), Groups(items, workloads=True))


def _said_first(items: Iterable[Attestation]) -> tuple[Attestation, ...]:
    """The entries, each with those of its signers who had not said the very same before.

    A signature holds in any envelope: with other white space, base64 or key ids the old bytes are a new entry, that
    anyone may log. Whoever signed must not be taken to say it anew. A containment is: doubt contains.
    """
    said: set[tuple[str, bytes]] = set()
    kept = []
    for item in items:
        payload = item.statement.payload
        signers = tuple(signer for signer in item.signers if (signer.key_id, payload) not in said)
        said.update((signer.key_id, payload) for signer in signers)
        kept.append(item if len(signers) == len(item.signers) or _contains(item) else replace(item, signers=signers))
    return tuple(kept)


def _contains(item: Attestation) -> bool:
    return item.statement.predicate_type == CONTAINMENT and item.statement.predicate.get("action") != LIFT


def in_scope(attestation: Attestation, request: Request) -> bool:
    """Whether the statement holds for the request's environment and tenant: it names them, or names none."""
    predicate = attestation.statement.predicate
    scope = request.scope
    return same(predicate.get("environment", scope.environment), scope.environment) and same(
        predicate.get("tenant", scope.tenant), scope.tenant
    )


def judge(requirement: Requirement, entries: Entries, request: Request, window: Window = EVERYTHING) -> Reason:
    """How ``requirement`` stands by the entries on the subject.

    DENY when a signer's current statement fails a condition or signers are missing; INDETERMINATE when what is
    missing may be in statements that give no answer; else PERMIT.
    """
    tally = _tally(requirement, entries, request, window)
    if tally.refusals:
        return Reason(requirement.id, Outcome.DENY, "; ".join(tally.refusals), _remedy_refused(requirement, request))
    have, threshold = len(tally.yes), requirement.threshold
    count = f"{have} of {threshold}"
    if have >= threshold:
        return Reason(requirement.id, Outcome.PERMIT, f"{count}: {', '.join(tally.names)}")
    if tally.silent and have + len(tally.nothing) >= threshold:
        remedy = requirement.remedy or (
            f"{look(request)}  # shows what was not examined"
            if requirement.predicate == SCAN
            else _remedy_missing(requirement, request, tally)
        )
        return Reason(requirement.id, Outcome.INDETERMINATE, f"no answer: {'; '.join(tally.silent)}", remedy)
    if SUBMITTER in requirement.distinct_from and not tally.submitters:
        return Reason(
            requirement.id,
            Outcome.DENY,
            f"missing: nobody has submitted this subject, so no {_short(requirement)} is known to be another's",
            f"{supply(RELEASE, request)}  # first",
        )
    return Reason(
        requirement.id,
        Outcome.DENY,
        "; ".join([_missing(requirement, tally), *tally.silent, *tally.notes]),
        _remedy_missing(requirement, request, tally),
    )


@dataclass(slots=True)
class _Tally:
    """What the signers say now. ``yes`` and ``nothing`` hold one mark for each distinct signer that counts."""

    yes: set[str]
    nothing: set[str]
    names: list[str]
    refusals: list[str]
    silent: list[str]
    notes: list[str]
    submitters: list[str]


def _tally(requirement: Requirement, entries: Entries, request: Request, window: Window) -> _Tally:
    people = entries.people
    submitted = [
        signer
        for item in entries.items
        if item.statement.predicate_type == RELEASE and item.position < window.below
        for signer in item.signers
    ]
    excluded = {people.mark(signer) for signer in submitted} if SUBMITTER in requirement.distinct_from else set()
    tally = _Tally(set(), set(), [], [], [], [], sorted({signer.principal for signer in submitted}))
    if SUBMITTER in requirement.distinct_from and not submitted:
        return tally
    current, tally.notes = _current(requirement, entries, request, window)
    for signer, attestation in current:
        says, why = _says(requirement.where, attestation.statement.predicate)
        name, mark = f"{signer.principal} (entry {attestation.position})", people.mark(signer)
        if says is _Says.NO:
            tally.refusals.append(f"{_short(requirement)} by {name}: {why}")
        elif mark in excluded:
            tally.notes.append(f"{name} does not count: the submitter")
        elif says is _Says.NOTHING:
            tally.nothing.add(mark)
            tally.silent.append(f"{_short(requirement)} by {name}: {why}")
        elif mark in tally.yes:
            tally.notes.append(f"{name} counts once with another signature")
        else:
            tally.yes.add(mark)
            tally.names.append(name)
    tally.nothing -= tally.yes
    return tally


def _current(
    requirement: Requirement, entries: Entries, request: Request, window: Window
) -> tuple[list[tuple[Signer, Attestation]], list[str]]:
    """Each signer in a role with the newest statement of theirs, and notes on statements that do not count."""
    newest: dict[str, tuple[Signer, Attestation]] = {}
    notes: list[str] = []
    for item in entries.items:
        if item.statement.predicate_type != requirement.predicate or item.position >= window.below:
            continue
        if not in_scope(item, request):
            notes.append(f"entry {item.position} is for another environment or tenant")
        elif not window.holds(item):
            notes.append(f"entry {item.position} was signed or logged before the containment")
        else:
            for signer in item.signers:
                if signer.roles.isdisjoint(requirement.roles):
                    notes.append(f"{signer.principal} (entry {item.position}) is not in role {_roles(requirement)}")
                else:
                    newest[entries.signers.mark(signer)] = (signer, item)
    return sorted(newest.values(), key=lambda pair: (pair[1].position, pair[0].principal)), notes


def _says(where: tuple[Condition, ...], predicate: dict[str, Any]) -> tuple[_Says, str]:
    """What a statement says to the conditions; a failed one weighs more than one without an answer."""
    says, why = _Says.YES, ""
    for condition in where:
        value = _field(predicate, condition.field)
        if value is _ABSENT:
            says, why = _Says.NOTHING, f"{condition.field} is missing"
        elif any(same(value, wanted) for wanted in condition.values):
            continue
        elif any(same(value, unknown) for unknown in condition.indeterminate_when):
            says, why = _Says.NOTHING, f"{condition.field} is {shown(value)}, which is no answer"
        else:
            wanted_values = listed([shown(wanted) for wanted in condition.values])
            return _Says.NO, f"{condition.field} is {shown(value)}, and {wanted_values} is needed"
    return says, why


def _field(predicate: dict[str, Any], path: str) -> Any:
    value: Any = predicate
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return _ABSENT
        value = value[part]
    return value


class Groups:
    """Signers that are one: the same key under two names, one principal with two keys, a person and a workload.

    ``trust`` refuses a root in which a key has two owners; this counts rightly all the same.
    """

    def __init__(self, entries: tuple[Attestation, ...], *, workloads: bool) -> None:
        self._parent: dict[str, str] = {}
        for item in entries:
            for signer in item.signers:
                self._join("principal " + signer.principal, "key " + signer.key_id)
                if workloads and signer.registered_by:
                    self._join("principal " + signer.principal, "principal " + signer.registered_by)

    def mark(self, signer: Signer) -> str:
        """The same text for two signers exactly when they are one."""
        return self._find("key " + signer.key_id)

    def _find(self, name: str) -> str:
        while (parent := self._parent.setdefault(name, name)) != name:
            name = parent
        return name

    def _join(self, one: str, other: str) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        self._parent[second] = first


def _short(requirement: Requirement) -> str:
    """``approval`` for ``assaymark:approval/v1``."""
    predicate = requirement.predicate
    return predicate.removeprefix("assaymark:").rsplit("/", 1)[0] if predicate.startswith("assaymark:") else predicate


def _missing(requirement: Requirement, tally: _Tally) -> str:
    short, roles, threshold = _short(requirement), _roles(requirement), requirement.threshold
    if threshold == 1:
        return f"missing: no {short} by a principal in role {roles}"
    there = f": {', '.join(tally.names)}" if tally.names else ""
    what = f"{short}s" if short.isalpha() else f"statements {short}"
    return f"{len(tally.yes)} of {threshold} {what} by distinct principals in role {roles}{there}"


def _roles(requirement: Requirement) -> str:
    return listed(list(requirement.roles))


def _remedy_missing(requirement: Requirement, request: Request, tally: _Tally) -> str:
    if requirement.remedy:
        return requirement.remedy
    others = ""
    if SUBMITTER in requirement.distinct_from:
        others = f", not {listed(tally.submitters)} who submitted it" if tally.submitters else ""
    there = f"; {len(tally.yes)} of {requirement.threshold} there so far"
    who = f"by a principal in role {_roles(requirement)}{others}{there}"
    return f"{supply(requirement.predicate, request)}  # {who}"


def _remedy_refused(requirement: Requirement, request: Request) -> str:
    if requirement.remedy:
        return requirement.remedy
    if requirement.predicate == SCAN:
        return f"{look(request)}  # shows what was found; a corrected model is a new submission"
    return f"{supply(requirement.predicate, request)}  # anew, by who signed it, once its cause is gone"
