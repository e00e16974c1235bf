"""AWS policies as formulas over a request: the segments of its ARN, its condition keys, one action at a time.

What is not modelled becomes a flag of its own, free to be true or false: so what is shown to be impossible is
impossible, and a model that is found is replayed by the evaluator before anyone hears of it. Flags: operators over
sets of values, ARNs and texts without regard to case in conditions, addresses of IPv6, values with policy
variables.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.conditions import date_number
from assaymark.assess.aws.patterns import segments
from assaymark.assess.aws.principals import named
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.core.graph import State
from assaymark.solve.formula import FALSE, TRUE, And, Flag, Like, Not, Or, Within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assaymark.assess.aws.request import Principal
    from assaymark.assess.estate.aws import PolicyDocument, Statement
    from assaymark.solve.formula import Formula

SEGMENTS: Final = ("partition", "service", "region", "account", "resource")
_VARIABLE: Final = re.compile(r"\$\{[^{}]*\}")
_CLOSED: Final = re.compile(
    r"(?:\ue010|\\u\{e010\})+([^\ue010\ue011\\]*)(?:\ue011|\\u\{e011\})"
)  # as solvers write it
_NEGATED: Final = {"stringnotequals": "stringequals", "stringnotlike": "stringlike", "notipaddress": "ipaddress"}
_TEXTS: Final = frozenset(("stringequals", "stringlike", "bool", "ipaddress"))
_BOUNDS: Final = {
    "equals": (True, True, 0),
    "lessthan": (False, True, -1),
    "lessthanequals": (False, True, 0),
    "greaterthan": (True, False, 1),
    "greaterthanequals": (True, False, 0),
}
SCALE: Final = 1000  # numbers of conditions have at most three digits after the point here; others are flags


def allowed(
    documents: Iterable[PolicyDocument], action: str, shape: str, principal: Principal | None = None
) -> Formula:
    """When the policies allow an action: some statement does and none denies it.

    ``shape``: the form of the ARN that is asked about, ``*`` for an action that has no resource. ``principal``: who
    asks, of policies that say whom they are for.
    """
    allows: list[Formula] = []
    denies: list[Formula] = []
    for document in documents:
        for statement in document.statements:
            if names(statement, action):
                part = And((_who(statement, principal), _resource(statement, shape), condition(statement)))
                (allows if statement.effect == "Allow" else denies).append(part)
    return And((Or(tuple(allows)), Not(Or(tuple(denies)))))


def names(statement: Statement, action: str) -> bool:
    """Whether the statement's actions mean the action."""
    bit = actions.bit(action)
    if statement.not_actions is not None:
        return not any(actions.expand(pattern) & bit for pattern in statement.not_actions)
    return any(actions.expand(pattern) & bit for pattern in statement.actions)


def _who(statement: Statement, principal: Principal | None) -> Formula:
    if principal is None:
        return TRUE
    state = named(statement, principal).state
    if state is State.UNKNOWN:
        return Flag(f"{principal.arn} is one of {statement.principals or statement.not_principals}")
    return TRUE if state is State.YES else FALSE


def _resource(statement: Statement, shape: str) -> Formula:
    bare = not statement.resources and statement.not_resources is None
    if bare and (statement.principals is not None or statement.not_principals is not None):
        return TRUE  # a trust policy is about its role
    excluded = statement.not_resources is not None
    values = statement.not_resources if statement.not_resources is not None else statement.resources
    found = Or(tuple(_pattern(value, shape) for value in values))
    return Not(found) if excluded else found


def _pattern(value: str, shape: str) -> Formula:
    text = pattern_of(value)
    if HOLE in text:
        return Flag(f"open:{value}")
    if text == "*":
        return TRUE
    if shape == "*":
        return FALSE
    parts = segments(_closed(text))
    if len(parts) != len(SEGMENTS) + 1:
        return FALSE
    return And(tuple(_segment(name, part) for name, part in zip(SEGMENTS, parts[1:], strict=True) if part != "*"))


def _segment(name: str, part: str) -> Formula:
    return Like(f"arn.{name}", part, plain="*" not in part and "?" not in part)


def _closed(text: str) -> str:
    """A policy variable as a text of its own, the same wherever it stands, and longer than marks could cover."""
    return _VARIABLE.sub(lambda match: "\ue010" * 40 + match[0][2:-1].strip().lower() + "\ue011", text)


def opened(text: str) -> tuple[str, tuple[str, ...]]:
    """A text of a model with a word in place of policy variables, and their keys."""
    return _CLOSED.sub("example", text), tuple(_CLOSED.findall(text))


def well_formed(shape: str, mentioned: Mapping[str, Iterable[str]]) -> Formula:
    """What every ARN of a form is like: its fixed parts, and a partition, an account and a region that are some."""
    if shape == "*":
        return TRUE
    parts = segments(shape)[1:]
    rules: list[Formula] = []
    for name, part in zip(SEGMENTS, parts, strict=True):
        variable = f"arn.{name}"
        if name == "partition" or (name in mentioned and part == "*"):
            rules.append(Or(tuple(Like(variable, value, plain=True) for value in mentioned[name])))
        else:
            rules += [_segment(variable.removeprefix("arn."), part.replace("*", "?*"))]
    return And(tuple(rules))


def condition(statement: Statement) -> Formula:
    """When the conditions of a statement hold."""
    parts: list[Formula] = []
    for operator, keys in statement.condition.items():
        for key, values in keys.items():
            parts.append(_test(operator.lower(), key.lower(), values))
    return And(tuple(parts))


def _test(operator: str, key: str, values: tuple[str, ...]) -> Formula:
    present = Flag(f"has:{key}")
    if operator == "null":
        wanted = {value.lower() for value in values}
        if wanted == {"true"}:
            return Not(present)
        return present if wanted == {"false"} else _flag(operator, key, values)
    base = operator.removesuffix("ifexists")
    optional = base != operator
    negated = base in _NEGATED or (base.startswith(("numeric", "date")) and base.endswith("notequals"))
    base = _NEGATED.get(base, base.replace("notequals", "equals") if negated else base)
    found = _holds(base, key, values)
    if found is None:
        return _flag(operator, key, values)
    if negated:
        return Or((Not(present), Not(found)))
    return Or((Not(present), found)) if optional else And((present, found))


def _flag(operator: str, key: str, values: tuple[str, ...]) -> Formula:
    return Flag(f"{operator} {key} {' '.join(values)}")


def _holds(base: str, key: str, values: tuple[str, ...]) -> Formula | None:
    """When a value of the key passes; None for what is not modelled."""
    if any("${" in value or HOLE in pattern_of(value) for value in values):
        return None
    variable = f"key:{key}"
    if base == "stringequals":
        return Or(tuple(Like(variable, value, plain=True) for value in values))
    if base == "stringlike":
        return Or(tuple(Like(variable, value, plain="*" not in value and "?" not in value) for value in values))
    if base == "bool":
        return Or(tuple(Like(variable, value.lower(), plain=True) for value in values))
    if base == "ipaddress":
        networks = [_network(value) for value in values]
        if any(network is None for network in networks):
            return None
        return Or(
            tuple(
                Within(f"ip:{key}", int(network.network_address), int(network.broadcast_address))
                for network in networks
                if network is not None
            )
        )
    for family in ("numeric", "date"):
        if base.startswith(family) and base.removeprefix(family) in _BOUNDS:
            numbers = [_number(family, value) for value in values]
            if any(number is None for number in numbers):
                return None
            low, high, shift = _BOUNDS[base.removeprefix(family)]
            return Or(
                tuple(
                    Within(f"number:{key}", number + shift if low else None, number + shift if high else None)
                    for number in numbers
                    if number is not None
                )
            )
    return None


def _network(value: str) -> IPv4Network | None:
    try:
        return IPv4Network(value, strict=False)
    except ValueError:
        return None


def _number(family: str, value: str) -> int | None:
    try:
        number = float(value) if family == "numeric" else date_number(value)
    except ValueError:
        return None
    scaled = number * SCALE if number is not None else None
    return int(scaled) if scaled is not None and float(scaled).is_integer() else None
