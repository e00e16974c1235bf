"""Conditions of policy statements, three-valued.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Multivalued context keys", "Conditions with
multiple context keys or values". Values of a key are joined by or, keys and operators by and. Without the key in the
request a positive operator is false and a negated one true; ``IfExists`` and ``ForAllValues`` make it true,
``ForAnyValue`` false. What is not known of the request makes the answer unknown, with a text of what would decide it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.aws.patterns import arn_matches, literal, overlap, substitute, text_matches
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Key(Enum):
    """What is known of a condition key when its values are not."""

    ABSENT = "the request does not carry it"
    UNKNOWN = "the request may carry it, with any value"
    PRESENT = "the request carries it, with any value"


Value: TypeAlias = "tuple[str, ...] | Key"
Lookup: TypeAlias = "Callable[[str], Value]"  # by the key in lower case


@dataclass(frozen=True, slots=True)
class _Operator:
    negated: bool
    compare: Callable[[str, str], State]
    words: str  # between key and values
    variables: bool = False
    wild: bool = False


_ANY_ACCOUNT: Final = "?" * 12
_DATE: Final = re.compile(r"\d{4}-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[-+]\d{2}:?\d{2})?)?)?")
_STATE: Final = {True: State.YES, False: State.NO}


def _like(pattern: str, actual: str) -> State:
    found = text_matches(pattern, actual)
    if found is State.NO and UNKNOWN_ACCOUNT in actual + pattern:
        one = pattern.replace(UNKNOWN_ACCOUNT, _ANY_ACCOUNT)
        two = actual.replace(UNKNOWN_ACCOUNT, _ANY_ACCOUNT)
        return State.UNKNOWN if overlap(one.replace(HOLE, "*"), two.replace(HOLE, "*")) else State.NO
    return found


def _equal(value: str, actual: str) -> State:
    return _like(literal(value), actual)


def _equal_any_case(value: str, actual: str) -> State:
    return _like(literal(value).lower(), actual.lower())


def _arn(value: str, actual: str) -> State:
    return arn_matches(value, actual)


def _flag(value: str, actual: str) -> State:
    return _equal(value.lower(), actual.lower())


@lru_cache(maxsize=10_000)
def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


@lru_cache(maxsize=10_000)
def date_number(text: str) -> Decimal | None:
    """Seconds since 1970 of a date of ISO 8601, or of such a number."""
    text = text.strip()
    if text.lstrip("-").replace(".", "", 1).isdigit() and text.isascii() and not _DATE.fullmatch(text):
        return _number(text)
    if not _DATE.fullmatch(text):
        return None
    if len(text) == len("2024-01"):
        text += "-01"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return Decimal(int(found.timestamp())) + Decimal(found.microsecond) / 1_000_000


def _ordered(read: Callable[[str], Decimal | None], test: Callable[[Decimal, Decimal], bool]) -> Callable[..., State]:
    def compare(value: str, actual: str) -> State:
        if HOLE in value + actual:
            return State.UNKNOWN
        one, two = read(value), read(actual)
        return State.NO if one is None or two is None else _STATE[test(two, one)]

    return compare


def _address(value: str, actual: str) -> State:
    from ipaddress import ip_address, ip_network

    if HOLE in value + actual:
        return State.UNKNOWN
    try:
        network, address = ip_network(value.strip(), strict=False), ip_address(actual.strip())
    except ValueError:
        return State.NO
    return _STATE[network.version == address.version and address in network]


def _equals(one: Decimal, two: Decimal) -> bool:
    return one == two


def _table() -> dict[str, _Operator]:
    found = {
        "stringequals": _Operator(False, _equal, "is", True),
        "stringnotequals": _Operator(True, _equal, "is not", True),
        "stringequalsignorecase": _Operator(False, _equal_any_case, "is, in any case,", True),
        "stringnotequalsignorecase": _Operator(True, _equal_any_case, "is not, in any case,", True),
        "stringlike": _Operator(False, _like, "is like", True, True),
        "stringnotlike": _Operator(True, _like, "is not like", True, True),
        "bool": _Operator(False, _flag, "is", True),
        "binaryequals": _Operator(False, _equal, "is"),
        "ipaddress": _Operator(False, _address, "is in"),
        "notipaddress": _Operator(True, _address, "is not in"),
        "arnequals": _Operator(False, _arn, "is like", True, True),
        "arnlike": _Operator(False, _arn, "is like", True, True),
        "arnnotequals": _Operator(True, _arn, "is not like", True, True),
        "arnnotlike": _Operator(True, _arn, "is not like", True, True),
    }
    for name, read in (("numeric", _number), ("date", date_number)):
        less, more = ("before", "after") if name == "date" else ("less than", "more than")
        for suffix, negated, test, words in (
            ("equals", False, _equals, "is"),
            ("notequals", True, _equals, "is not"),
            ("lessthan", False, Decimal.__lt__, f"is {less}"),
            ("lessthanequals", False, Decimal.__le__, f"is not {more}"),
            ("greaterthan", False, Decimal.__gt__, f"is {more}"),
            ("greaterthanequals", False, Decimal.__ge__, f"is not {less}"),
        ):
            found[name + suffix] = _Operator(negated, _ordered(read, test), words)
    return found


_OPERATORS: Final = _table()


@dataclass(frozen=True, slots=True)
class _Test:
    operator: _Operator | None  # None is Null
    every: bool
    some: bool
    if_exists: bool


@lru_cache(maxsize=1_000)
def _test(name: str) -> _Test | None:
    text = name.lower()
    every, some = text.startswith("forallvalues:"), text.startswith("foranyvalue:")
    text = text.partition(":")[2] if every or some else text
    if text == "null":
        return _Test(None, every, some, False)
    base = text.removesuffix("ifexists")
    operator = _OPERATORS.get(base)
    return _Test(operator, every, some, base != text) if operator else None


def condition_keys(condition: Mapping[str, Mapping[str, tuple[str, ...]]]) -> frozenset[str]:
    """The keys that a condition looks at, in lower case; those within policy variables of its values too."""
    found = set()
    for keys in condition.values():
        for key, values in keys.items():
            found.add(key.lower())
            for value in values:
                found |= variables(value)
    return frozenset(found)


def variables(text: str) -> set[str]:
    """The keys of the policy variables in a text, in lower case."""
    if "${" not in text:
        return set()
    names = re.findall(r"\$\{\s*([^{},]*?)\s*[,}]", pattern_of(text))
    return {name.lower() for name in names} - {"*", "?", "$"}


def evaluate_condition(
    condition: Mapping[str, Mapping[str, tuple[str, ...]]], version: str, lookup: Lookup
) -> tuple[State, tuple[str, ...]]:
    """Whether a condition is met; when it is unknown, what would decide it, one text for each open part."""
    state = State.YES
    decides: list[str] = []
    for name, keys in condition.items():
        test = _test(name)
        for key, values in keys.items():
            if test is None or HOLE in pattern_of(key):
                found, words = State.UNKNOWN, f"{name} {key} is met" if values else f"{key} is resolved"
            else:
                found, words = _one(test, key, values, version, lookup)
            if found is State.NO:
                return State.NO, ()
            if found is State.UNKNOWN:
                state = State.UNKNOWN
                decides.append(words)
    return state, tuple(decides)


def _one(test: _Test, key: str, values: tuple[str, ...], version: str, lookup: Lookup) -> tuple[State, str]:
    known = lookup(key.lower())
    if known == ():
        known = Key.ABSENT
    if test.operator is None:
        return _null(key, values, known)
    shown = " or ".join(str(value) for value in values) or "nothing"
    prefix = "every value of " if test.every else "a value of " if test.some else ""
    words = f"{prefix}{key} {test.operator.words} {shown}"
    if test.if_exists:
        words += ", or is not there"
    patterns, doubtful = _patterns(test.operator, values, version, lookup)
    if known is Key.UNKNOWN:
        absent = _absent(test)
        present = _present(test, patterns, doubtful)
        return (absent if absent is present else State.UNKNOWN), words
    if known is Key.ABSENT:
        return _absent(test), words
    if known is Key.PRESENT:
        return _present(test, patterns, doubtful), words
    return _known(test, patterns, doubtful, known), words


def _patterns(
    operator: _Operator, values: tuple[str, ...], version: str, lookup: Lookup
) -> tuple[tuple[str, ...], bool]:
    """The values with their variables replaced, and whether one was left out as its variable has no value."""
    if not operator.variables:
        return tuple(pattern_of(value) for value in values), False
    found, doubtful = [], False
    for value in values:
        done = substitute(value, version, lambda name: variable(lookup(name)))
        if done is None:
            doubtful = True
        else:
            found.append(done)
    return tuple(found), doubtful


def variable(known: Value) -> str | None:
    """A key's value as a pattern for a policy variable; None when the request has none. Single values alone count."""
    if known is Key.ABSENT or known == ():
        return None
    if isinstance(known, Key) or len(known) != 1:
        return HOLE
    return literal(known[0])


def _null(key: str, values: tuple[str, ...], known: Value) -> tuple[State, str]:
    wanted = {pattern_of(value).strip().lower() for value in values}
    words = f"{key} is {'not there' if wanted == {'true'} else 'there'}"
    if {"true", "false"} <= wanted:
        return State.YES, words
    if known is Key.UNKNOWN or any(HOLE in value for value in wanted):
        return State.UNKNOWN, words
    return _STATE[("true" if known is Key.ABSENT else "false") in wanted], words


def _absent(test: _Test) -> State:
    """The answer for a request without the key."""
    if test.if_exists or test.every:
        return State.YES
    if test.some:
        return State.NO
    return _STATE[bool(test.operator and test.operator.negated)]


def _present(test: _Test, patterns: tuple[str, ...], doubtful: bool) -> State:
    """The answer for a value that could be any: known only when all values match, or none can."""
    operator = test.operator
    if operator is None or doubtful:
        return State.UNKNOWN
    if operator.wild and any(pattern and not pattern.strip("*") for pattern in patterns):
        return _STATE[not operator.negated]
    return State.UNKNOWN if patterns else _STATE[operator.negated]


def _known(test: _Test, patterns: tuple[str, ...], doubtful: bool, actual: tuple[str, ...]) -> State:
    operator = test.operator
    if operator is None:
        return State.UNKNOWN
    results = []
    for value in actual:
        found = State.NO
        for pattern in patterns:
            found = found.either(operator.compare(pattern, value))
        if doubtful and operator.negated:
            found = found.either(State.UNKNOWN)
        results.append(found)
    if test.every or test.some or not operator.negated:
        if operator.negated:
            results = [found.inverse() for found in results]
        whole = results[0]
        for found in results[1:]:
            whole = whole.both(found) if test.every else whole.either(found)
        return whole
    whole = results[0]
    for found in results[1:]:
        whole = whole.either(found)
    return whole.inverse()
