"""Attempts: what an enforcement point did when something was to run. Format: docs/spec/attempt.md.

An attempt is a report and no evidence: a decision never rests on one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from assaymark.core.decision import Outcome
from assaymark.core.errors import InputError
from assaymark.core.limits import ATTEMPT_MAX_NAME, ATTEMPT_MAX_REQUIREMENTS, JSON_MAX_INTEGER
from assaymark.core.names import is_name
from assaymark.core.statement import ATTEMPT, Statement, make_statement
from assaymark.core.times import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.core.subject import Subject

Action = Literal["start", "refuse", "stop"]
PointKind = Literal["run", "admission", "gateway"]
ACTIONS: Final[tuple[str, ...]] = get_args(Action)
POINT_KINDS: Final[tuple[str, ...]] = get_args(PointKind)
_ID: Final = re.compile(r"[0-9a-f]{32}")
_KEYS: Final = {"action", "count", "environment", "first", "id", "last", "outcome", "point", "requirements"}


@dataclass(frozen=True, slots=True)
class AttemptKind:
    """What attempts are counted by: two of the same kind are one record with a count.

    ``point_name`` names the enforcement point: a host, a cluster. ``requirements`` are the ids of what was not met.
    ``tenant`` and ``origin`` are empty when nothing that could be verified said whose the model is.
    """

    subject: Subject
    environment: str
    action: str
    outcome: Outcome
    requirements: tuple[str, ...] = ()
    point_kind: str = "run"
    point_name: str = "unnamed"
    tenant: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """So many attempts of one kind, between two times in seconds.

    ``identity`` makes each record another one: two points that say the same in the same second are two entries.
    ``dropped`` counts attempts whose kind was forgotten, for want of room, since the last record that said so.
    """

    kind: AttemptKind
    count: int
    first: int
    last: int
    identity: str
    dropped: int = 0


def attempt_statement(attempt: Attempt) -> Statement:
    """The statement of an attempt, ready to sign.

    Raises:
        InputError: as ``parse_attempt``; what nobody could read is not written.
    """
    kind = attempt.kind
    predicate: dict[str, Any] = {
        "action": kind.action,
        "count": attempt.count,
        "environment": kind.environment,
        "first": format_time(attempt.first),
        "id": attempt.identity,
        "last": format_time(attempt.last),
        "outcome": str(kind.outcome),
        "point": {"kind": kind.point_kind, "name": kind.point_name},
        "requirements": list(kind.requirements),
    }
    optional = {"dropped": attempt.dropped, "origin": kind.origin, "tenant": kind.tenant}
    statement = make_statement((kind.subject,), ATTEMPT, predicate | {k: v for k, v in optional.items() if v})
    parse_attempt(statement)
    return statement


def parse_attempt(statement: Statement) -> Attempt:
    """What a statement of type ``assaymark:attempt/v1`` says.

    Raises:
        InputError: ``attempt-form``, or ``time-form``.
    """
    predicate = statement.predicate
    if statement.predicate_type != ATTEMPT or len(statement.subjects) != 1:
        raise InputError("attempt-form", "not an attempt about one subject", position="$.predicateType")
    if not set(predicate) >= _KEYS:
        missing = ", ".join(sorted(_KEYS - set(predicate)))
        raise InputError("attempt-form", f"missing: {missing}", position="$.predicate")
    point = predicate["point"]
    if not isinstance(point, dict):
        raise InputError("attempt-form", "point is an object", position="$.predicate.point")
    kind = AttemptKind(
        subject=statement.subjects[0],
        environment=_text(predicate, "environment"),
        action=_word(predicate, "action", ACTIONS),
        outcome=Outcome(_word(predicate, "outcome", [str(outcome) for outcome in Outcome])),
        requirements=_requirements(predicate["requirements"]),
        point_kind=_word(point, "kind", POINT_KINDS),
        point_name=_text(point, "name"),
        tenant=_text(predicate, "tenant") if "tenant" in predicate else "",
        origin=_text(predicate, "origin") if "origin" in predicate else "",
    )
    first, last = parse_time(_text(predicate, "first")), parse_time(_text(predicate, "last"))
    identity = _text(predicate, "id")
    if not _ID.fullmatch(identity):
        raise InputError("attempt-form", "an id is 32 hexadecimal digits", position="$.predicate.id")
    if first > last:
        raise InputError("attempt-form", "the first is later than the last", position="$.predicate.first")
    dropped = _count(predicate, "dropped", 0) if "dropped" in predicate else 0
    return Attempt(kind, _count(predicate, "count", 1), first, last, identity, dropped)


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= ATTEMPT_MAX_NAME:
        raise InputError(
            "attempt-form", f"{key} is a text of 1 to {ATTEMPT_MAX_NAME} characters", position=f"$.predicate.{key}"
        )
    return value


def _word(table: Mapping[str, Any], key: str, known: tuple[str, ...] | list[str]) -> str:
    value = _text(table, key)
    if value not in known:
        raise InputError("attempt-form", f"{key} is one of {', '.join(known)}", position=f"$.predicate.{key}")
    return value


def _count(table: Mapping[str, Any], key: str, least: int) -> int:
    value = table[key]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= JSON_MAX_INTEGER:
        raise InputError("attempt-form", f"{key} is a whole number from {least}", position=f"$.predicate.{key}")
    return value


def _requirements(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > ATTEMPT_MAX_REQUIREMENTS or not all(map(is_name, value)):
        raise InputError(
            "attempt-form",
            f"requirements is a list of up to {ATTEMPT_MAX_REQUIREMENTS} ids",
            position="$.predicate.requirements",
        )
    return tuple(value)
