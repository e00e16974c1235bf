"""How one requirement stands on one subject: which attestations count for it, and what they say.

The rules, in full in docs/spec/policy.md:

1. An attestation counts when its predicate type is the requirement's, it is about the subject, it is not bound to
   another environment or tenant, it is not too old, and a signer holds one of the requirement's roles.
2. Of several by one signer the newest is what the signer says now.
3. If what any signer says now fails a condition, the requirement is denied, whatever others say, however old it is:
   waiting turns no denial into a permit.
4. The same payload signed by the same key, logged again, is not said again: the first entry of it counts.
5. Signers count once by key, by principal and by the person who answers for a workload.
6. With ``distinct`` the values of a field count instead: of several statements with one value by one signer the
   newest is what that signer says of it, a value counts when somebody says yes to it and nobody no, and a no to one
   value takes nothing from another: a requirement that asks how many agree is not denied by one who does not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assaymark.core.decision import Outcome
from assaymark.core.statement import CONFIGURATION, RELEASE, SCAN
from assaymark.core.times import MAX_TIME, format_duration, format_time
from assaymark.policy.conditions import Says, says, value_at
from assaymark.policy.document import SUBMITTER, About, Requirement
from assaymark.policy.entries import in_scope
from assaymark.policy.remedies import listed, look, printable, supply

if TYPE_CHECKING:
    from assaymark.core.attestation import Attestation, Signer
    from assaymark.core.decision import Request
    from assaymark.policy.entries import Entries, Window


@dataclass(frozen=True, slots=True)
class Standing:
    """How a requirement stands on one subject. ``good_until``: when what it needs will be too old, in seconds."""

    outcome: Outcome
    message: str
    remedy: str = ""
    good_until: int = MAX_TIME


def judge(requirement: Requirement, entries: Entries, request: Request, window: Window) -> Standing:
    """How ``requirement`` stands by the entries on the request's subject.

    DENY when a signer's current statement fails a condition or signers are missing; INDETERMINATE when what is
    missing may be in statements that give no answer; else PERMIT.
    """
    tally = _tally(requirement, entries, request, window)
    if tally.refusals:
        return Standing(Outcome.DENY, "; ".join(tally.refusals), _remedy_refused(requirement, request))
    have, threshold = len(tally.yes), requirement.needed
    count = f"{have} of {threshold}"
    if have >= threshold:
        # The moment at which fewer signers than the threshold would be fresh enough.
        good_until = sorted(tally.yes.values(), reverse=True)[threshold - 1]
        against = "".join(f"; {why}" for why in tally.against)
        return Standing(Outcome.PERMIT, f"{count}: {', '.join(tally.names.values())}{against}", good_until=good_until)
    if tally.silent and have + len(tally.nothing) >= threshold:
        remedy = requirement.remedy or (
            f"{look(request)}  # shows what was not examined"
            if requirement.predicate == SCAN
            else _remedy_missing(requirement, request, tally)
        )
        return Standing(Outcome.INDETERMINATE, f"no answer: {'; '.join(tally.silent)}", remedy)
    if SUBMITTER in requirement.distinct_from and not tally.submitters:
        return Standing(
            Outcome.DENY,
            f"missing: nobody has submitted this subject, so no {_short(requirement)} is known to be another's",
            f"{supply(RELEASE, request)}  # first",
        )
    return Standing(
        Outcome.DENY,
        "; ".join([_missing(requirement, tally), *tally.against, *tally.silent, *tally.notes]),
        _remedy_missing(requirement, request, tally),
    )


@dataclass(slots=True)
class _Tally:
    """What the signers say now. ``yes`` and ``nothing`` hold one mark for each distinct signer that counts, or value.

    ``yes`` has the time until which each is fresh enough. ``refusals`` deny; what is ``against`` only does not count.
    """

    submitters: list[str]
    notes: list[str]
    yes: dict[str, int] = field(default_factory=dict)
    nothing: set[str] = field(default_factory=set)
    no: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


def _tally(requirement: Requirement, entries: Entries, request: Request, window: Window) -> _Tally:
    people = entries.people
    # Who submits a configuration is who binds it to the model.
    submits = (RELEASE, CONFIGURATION) if requirement.about is About.CONFIGURATION else (RELEASE,)
    submitted = [
        signer
        for item in entries.items
        if item.statement.predicate_type in submits and item.position < window.below
        for signer in item.signers
    ]
    excluded = {people.mark(signer) for signer in submitted} if SUBMITTER in requirement.distinct_from else set()
    tally = _Tally(sorted({signer.principal for signer in submitted}), [])
    if SUBMITTER in requirement.distinct_from and not submitted:
        return tally
    current, tally.notes = _current(requirement, entries, request, window)
    for signer, attestation in current:
        answer, why = says(requirement.where, attestation.statement.predicate)
        name, person = f"{signer.principal} (entry {attestation.position})", people.mark(signer)
        voice = _voice(requirement, attestation)
        if voice:
            name = f"{printable(voice)} by {name}"
        mark = voice or person
        until = attestation.logged_at + requirement.max_age if requirement.max_age else MAX_TIME
        if answer is Says.NO:
            tally.no.add(mark)
            (tally.against if voice else tally.refusals).append(f"{_short(requirement)} by {name}: {why}")
        elif person in excluded:
            tally.notes.append(f"{name} does not count: the submitter")
        elif window.now > until:
            logged, age = format_time(attestation.logged_at), format_duration(requirement.max_age)
            tally.notes.append(f"{name} is too old: logged at {logged}, more than {age} ago")
        elif answer is Says.NOTHING:
            tally.nothing.add(mark)
            tally.silent.append(f"{_short(requirement)} by {name}: {why}")
        elif mark in tally.yes:
            tally.notes.append(f"{name} counts once with another signature")
            tally.yes[mark] = max(tally.yes[mark], until)
        else:
            tally.yes[mark] = until
            tally.names[mark] = name
    for mark in tally.no:
        tally.yes.pop(mark, None)
        tally.names.pop(mark, None)
    tally.nothing -= tally.yes.keys() | tally.no
    return tally


def _voice(requirement: Requirement, attestation: Attestation) -> str:
    """The value that a statement is counted by, as JSON, in which no two values look alike; empty for none."""
    if not requirement.distinct:
        return ""
    value = value_at(requirement.distinct, attestation.statement.predicate)
    return "" if value is None else json.dumps(value)


def _current(
    requirement: Requirement, entries: Entries, request: Request, window: Window
) -> tuple[list[tuple[Signer, Attestation]], list[str]]:
    """Each signer in a role with the newest statement of theirs, and notes on statements that do not count.

    With ``distinct``, the newest with each value of that field.
    """
    newest: dict[tuple[str, str], tuple[Signer, Attestation]] = {}
    notes: list[str] = []
    for item in entries.items:
        if item.statement.predicate_type != requirement.predicate or item.position >= window.below:
            continue
        if not in_scope(item, request.scope):
            notes.append(f"entry {item.position} is for another environment or tenant")
        elif not window.holds(item):
            notes.append(f"entry {item.position} was signed or logged before the containment")
        elif requirement.distinct and not _voice(requirement, item):
            notes.append(f"entry {item.position} has no {requirement.distinct} that counts")
        else:
            for signer in item.signers:
                if signer.roles.isdisjoint(requirement.roles):
                    notes.append(f"{signer.principal} (entry {item.position}) is not in role {_roles(requirement)}")
                else:
                    newest[entries.signers.mark(signer), _voice(requirement, item)] = (signer, item)
    return sorted(newest.values(), key=lambda pair: (pair[1].position, pair[0].principal)), notes


def _short(requirement: Requirement) -> str:
    """``approval`` for ``assaymark:approval/v1``."""
    predicate = requirement.predicate
    return predicate.removeprefix("assaymark:").rsplit("/", 1)[0] if predicate.startswith("assaymark:") else predicate


def _missing(requirement: Requirement, tally: _Tally) -> str:
    short, roles, threshold = _short(requirement), _roles(requirement), requirement.needed
    there = f": {', '.join(tally.names.values())}" if tally.names else ""
    if requirement.distinct:
        return f"{len(tally.yes)} of {threshold} values of {requirement.distinct} say yes{there}"
    if threshold == 1:
        return f"missing: no {short} by a principal in role {roles}"
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
    there = f"; {len(tally.yes)} of {requirement.needed} there so far"
    if requirement.max_age:
        there += f", each at most {format_duration(requirement.max_age)} old"
    who = f"by a principal in role {_roles(requirement)}{others}{there}"
    return f"{supply(requirement.predicate, request)}  # {who}"


def _remedy_refused(requirement: Requirement, request: Request) -> str:
    if requirement.remedy:
        return requirement.remedy
    if requirement.predicate == SCAN:
        return f"{look(request)}  # shows what was found; a corrected model is a new submission"
    return f"{supply(requirement.predicate, request)}  # anew, by who signed it, once its cause is gone"
