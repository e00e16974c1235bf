"""Exceptions: for a time, and on somebody's word, an unmet requirement is treated as met.

Each names its owner, a reason and its end, and ends by itself. Format: docs/spec/exception.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assaymark.core.errors import InputError
from assaymark.core.statement import EXCEPTION
from assaymark.core.times import format_duration, format_time, parse_time
from assaymark.policy.document import NEVER_EXCEPTED
from assaymark.policy.entries import names_scope
from assaymark.policy.remedies import listed, printable

if TYPE_CHECKING:
    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import Reason, Scope
    from assaymark.policy.document import ExceptionRule
    from assaymark.policy.entries import Entries, Window


@dataclass(frozen=True, slots=True)
class Exempt:
    """An exception that is in force. ``position`` is the entry with which its signers were enough."""

    position: int
    requirements: frozenset[str]
    owner: str
    reason: str
    until: int


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Those in force, and why others are not: the requirements that they name, and a note for people."""

    in_force: tuple[Exempt, ...] = ()
    refused: tuple[tuple[frozenset[str], str], ...] = ()

    def apply(self, reason: Reason) -> tuple[Reason, Exempt | None]:
        """A reason that stops, with the exception that lets it pass: of several, the one that ends last."""
        if not reason.stops or reason.requirement in NEVER_EXCEPTED:
            return reason, None
        able = [item for item in self.in_force if reason.requirement in item.requirements]
        if not able:
            notes = [note for names, note in self.refused if reason.requirement in names]
            return (replace(reason, message=f"{reason.message}; {notes[-1]}") if notes else reason), None
        best = max(able, key=lambda item: (item.until, item.position))
        message = (
            f"excepted until {format_time(best.until)} (entry {best.position}), owner {printable(best.owner)}: "
            f"{printable(best.reason)}; without it: {reason.message}"
        )
        return replace(reason, message=message, exception=best.position), best


def exceptions_of(rule: ExceptionRule | None, entries: Entries, scope: Scope, window: Window) -> Exceptions:
    """The exceptions on a subject. ``window`` opens after the newest containment: what was said before is over.

    Several people agree to one exception by signing the same payload, in one envelope or in several. How long it runs
    is counted from the first of these entries, in the log's time.
    """
    said: dict[bytes, list[Attestation]] = {}
    for item in entries.items:
        if item.statement.predicate_type == EXCEPTION and names_scope(item.statement.predicate, scope):
            said.setdefault(item.statement.payload, []).append(item)
    in_force: list[Exempt] = []
    refused: list[tuple[frozenset[str], str]] = []
    for group in said.values():
        one = _read(group[0].statement.predicate)
        if one is None:
            continue  # it names no requirement that can be read
        position, begun, why = _signed(rule, group, entries, window)
        if not why and rule is not None:
            why = _timely(one, rule, begun, window.now)
        if why:
            refused.append((one.requirements, f"the exception of entry {group[0].position} does not count: {why}"))
        else:
            in_force.append(replace(one, position=position))
    return Exceptions(tuple(in_force), tuple(refused))


def _signed(
    rule: ExceptionRule | None, group: list[Attestation], entries: Entries, window: Window
) -> tuple[int, int, str]:
    """The entry with which those who signed are enough and when the first of them did; or why they are not."""
    if rule is None:
        return -1, 0, "the policy names nobody who may except from it in this environment"
    marks: set[str] = set()
    late, begun = False, 0
    for item in group:
        if not window.holds(item):
            late = True
            continue
        able = [signer for signer in item.signers if not signer.roles.isdisjoint(rule.roles)]
        if able and not marks:
            begun = item.logged_at
        marks |= {entries.people.mark(signer) for signer in able}
        if len(marks) >= rule.threshold:
            return item.position, begun, ""
    if late and not marks:
        return -1, 0, "it was signed or logged before the containment"
    roles = listed(list(rule.roles))
    return -1, 0, f"{len(marks)} of {rule.threshold} distinct principals in role {roles} signed it"


def _timely(one: Exempt, rule: ExceptionRule, begun: int, now: int) -> str:
    if now >= one.until:
        return f"it ended at {format_time(one.until)}"
    if one.until - begun > rule.max_duration:
        return f"it is for longer than {format_duration(rule.max_duration)}"
    return ""


def _read(predicate: dict[str, Any]) -> Exempt | None:
    """The exception that a predicate says, or None: an owner, a reason and an end are what makes it one."""
    names, owner, reason = (predicate.get(key) for key in ("requirements", "owner", "reason"))
    until = predicate.get("until")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return None
    if not isinstance(owner, str) or not isinstance(reason, str) or not owner.strip() or not reason.strip():
        return None
    try:
        end = parse_time(until) if isinstance(until, str) else -1
    except InputError:
        return None
    return Exempt(-1, frozenset(names), owner, reason, end) if end >= 0 else None
