"""How often an attempt is written down: the first of a kind at once, then one record a minute with a count.

A pure state machine: state and event in, state and records out. Nothing is lost in the counts, whatever the rate: an
attempt is in a record, in a tally that a later record takes up, or in ``dropped``, which a later record says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.attempt import Attempt, AttemptKind
from assaymark.core.canonical import canonical_json, parse_object
from assaymark.core.decision import Outcome
from assaymark.core.digest import is_digest
from assaymark.core.errors import InputError
from assaymark.core.limits import ATTEMPT_MAX_BYTES, ATTEMPT_MAX_KINDS, JSON_MAX_INTEGER
from assaymark.core.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT: Final = "assaymark:attempts/v1"
EVERY_SECONDS: Final = 60
STATE_MAX_BYTES: Final = ATTEMPT_MAX_KINDS * ATTEMPT_MAX_BYTES


@dataclass(frozen=True, slots=True)
class Tally:
    """Attempts of one kind since its last record: how many, the first and the last; when that record was made."""

    count: int
    first: int
    last: int
    recorded_at: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """The tallies by kind, the one recorded longest ago first; and how many attempts were forgotten unrecorded."""

    tallies: Mapping[AttemptKind, Tally] = field(default_factory=dict)
    dropped: int = 0

    @property
    def waiting(self) -> int:
        """Attempts that no record holds yet."""
        return sum(tally.count for tally in self.tallies.values()) + self.dropped


def note_attempt(
    state: Attempts, kind: AttemptKind, now: int, draw: Callable[[], str], *, most: int = ATTEMPT_MAX_KINDS
) -> tuple[Attempts, tuple[Attempt, ...]]:
    """Count one attempt; returns the new state and the records that are due now. ``draw`` gives a record's id.

    Above ``most`` kinds the one recorded longest ago is recorded, whatever the time, and forgotten.
    """
    tallies = dict(state.tallies)
    before = tallies.get(kind)
    if before is None:
        tallies[kind] = Tally(1, now, now, now - EVERY_SECONDS)
    elif before.count:
        first = min(before.first, now)
        tallies[kind] = replace(before, count=before.count + 1, first=first, last=max(before.last, now))
    else:
        tallies[kind] = replace(before, count=1, first=now, last=now)
    state, records = due(replace(state, tallies=tallies), now, draw)
    while len(state.tallies) > most:
        oldest, tally = next(iter(state.tallies.items()))
        if tally.count:
            state, record = _record(state, oldest, now, draw)
            records += (record,)
        state = replace(state, tallies={kind: tally for kind, tally in state.tallies.items() if kind != oldest})
    return state, records


def due(state: Attempts, now: int, draw: Callable[[], str]) -> tuple[Attempts, tuple[Attempt, ...]]:
    """The records whose minute is over; kinds with nothing to say for a minute are forgotten.

    A clock that went back makes everything due: a minute is never waited for twice.
    """
    records: tuple[Attempt, ...] = ()
    for kind, tally in tuple(state.tallies.items()):
        if tally.recorded_at <= now < tally.recorded_at + EVERY_SECONDS:
            continue
        if tally.count:
            state, record = _record(state, kind, now, draw)
            records += (record,)
        else:
            state = replace(state, tallies={other: kept for other, kept in state.tallies.items() if other != kind})
    return state, records


def _record(state: Attempts, kind: AttemptKind, now: int, draw: Callable[[], str]) -> tuple[Attempts, Attempt]:
    tally = state.tallies[kind]
    record = Attempt(kind, tally.count, tally.first, tally.last, draw(), state.dropped)
    others = {other: kept for other, kept in state.tallies.items() if other != kind}
    return Attempts(others | {kind: Tally(0, now, now, now)}, 0), record


def unrecorded(state: Attempts, record: Attempt, *, most: int = ATTEMPT_MAX_KINDS) -> Attempts:
    """The state when a record could not be written: its count waits again, or is dropped where there is no room."""
    before = state.tallies.get(record.kind)
    dropped = state.dropped + record.dropped
    if before is None and len(state.tallies) >= most:
        return replace(state, dropped=dropped + record.count)
    if before is None or not before.count:
        at = record.last if before is None else before.recorded_at
        tally = Tally(record.count, record.first, record.last, at)
    else:
        first, last = min(before.first, record.first), max(before.last, record.last)
        tally = replace(before, count=before.count + record.count, first=first, last=last)
    return Attempts({**state.tallies, record.kind: tally}, dropped)


def write_attempts(state: Attempts) -> bytes:
    """The state as bytes, for a point that lives shorter than a minute.

    Raises:
        InputError: a ``json-*`` code for a name that is not Unicode.
    """
    return canonical_json(
        {
            "dropped": state.dropped,
            "format": FORMAT,
            "tallies": [
                {**_kind_json(kind), "count": tally.count, "at": [tally.first, tally.last, tally.recorded_at]}
                for kind, tally in state.tallies.items()
            ],
        }
    )


def read_attempts(data: bytes) -> Attempts:
    """The state of these bytes.

    Raises:
        InputError: ``attempts-form``, or a ``json-*`` code.
    """
    document = parse_object(data, limit=STATE_MAX_BYTES)
    items, dropped = document.get("tallies"), document.get("dropped")
    if document.get("format") != FORMAT or not isinstance(items, list) or not _whole(dropped):
        raise _malformed("$")
    tallies = dict(_tally(item, f"$.tallies[{i}]") for i, item in enumerate(items))
    return Attempts(tallies, int(dropped))  # type: ignore[arg-type]  # _whole has looked


def _kind_json(kind: AttemptKind) -> dict[str, Any]:
    return {
        "action": kind.action,
        "environment": kind.environment,
        "origin": kind.origin,
        "outcome": str(kind.outcome),
        "point_kind": kind.point_kind,
        "point_name": kind.point_name,
        "requirements": list(kind.requirements),
        "subject": [kind.subject.name, kind.subject.digest, kind.subject.kind],
        "tenant": kind.tenant,
    }


_TEXTS: Final = ("action", "environment", "origin", "outcome", "point_kind", "point_name", "tenant")


def _tally(item: Any, position: str) -> tuple[AttemptKind, Tally]:
    if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in _TEXTS):
        raise _malformed(position)
    subject, requirements, at, count = (item.get(key) for key in ("subject", "requirements", "at", "count"))
    good = (
        _list_of(subject, str, 3)
        and _list_of(requirements, str)
        and _list_of(at, int, 3)
        and all(map(_whole, at))  # type: ignore[arg-type]  # a list, as was asked before
        and _whole(count)
        and item["outcome"] in [str(outcome) for outcome in Outcome]
        and is_digest(subject[1])  # type: ignore[index]
    )
    if not good:
        raise _malformed(position)
    texts = {key: item[key] for key in _TEXTS if key != "outcome"}
    kind = AttemptKind(
        Subject(*subject),  # type: ignore[misc]
        outcome=Outcome(item["outcome"]),
        requirements=tuple(requirements),  # type: ignore[arg-type]
        **texts,
    )
    return kind, Tally(count, *at)  # type: ignore[arg-type,misc]


def _list_of(value: Any, kind: type, length: int | None = None) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(item, kind) for item in value)
        and (length is None or len(value) == length)
    )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= JSON_MAX_INTEGER


def _malformed(position: str) -> InputError:
    return InputError(
        "attempts-form",
        "not the tallies of an enforcement point, or damaged",
        position=position,
        remedy="remove the file: counts that no record holds yet are then forgotten",
    )
