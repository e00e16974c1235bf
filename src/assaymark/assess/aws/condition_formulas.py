"""``Conditions``: conditions of AWS's policies as formulas over the keys that a request carries.

A key that an operator over sets asks about has as many values as questions are asked about it: each question that
some value answers needs one of its own, and what all values answer fewer answer too, so that none is overlooked.
Texts are variables, once more in lower case where an operator compares them so; a policy variable of a condition is
the variable of its key. Flags are left for values that a template leaves open, for defaults of policy variables, and
for wildcards beside them.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Multivalued context keys".
"""

from __future__ import annotations

import re
from collections import defaultdict
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.conditions import date_number
from assaymark.assess.aws.patterns import segments
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.solve.formula import (
    FALSE,
    MARK,
    STAR,
    TRUE,
    And,
    Flag,
    Joined,
    Like,
    LikeArn,
    Not,
    Or,
    Text,
    Within,
    atoms,
    plainly,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from assaymark.assess.estate.aws import PolicyDocument, Statement
    from assaymark.solve.formula import Formula, Value

SCALE: Final = 1000  # numbers of conditions have at most three digits after the point here; others are flags
_MOST: Final = 8  # values of one key; what is asked beyond is left open
_VERSION: Final = "2012-10-17"
_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_NAME: Final = re.compile(r"\s*[A-Za-z0-9][^,'\s]*\s*")
_LITERALS: Final = {"*": STAR, "?": MARK, "$": "$"}
_SIX: Final = 2**64  # where addresses of IPv6 begin on the line of all
_BOUNDS: Final = {
    "equals": (True, True, 0),
    "lessthan": (False, True, -1),
    "lessthanequals": (False, True, 0),
    "greaterthan": (True, False, 1),
    "greaterthanequals": (True, False, 0),
}


class Conditions:
    """Conditions that are asked about together: those of all documents of a question."""

    def __init__(self, documents: Iterable[PolicyDocument]) -> None:
        tests: defaultdict[str, set[tuple[str, tuple[str, ...]]]] = defaultdict(set)
        sets: set[str] = set()
        for document in documents:
            for statement in document.statements:
                for operator, keys in statement.condition.items():
                    for key, values in keys.items():
                        tests[key.lower()].add((operator.lower(), values))
                        sets |= {key.lower()} if operator.lower().startswith("for") else set()
        self.slots = {key: len(some) if key in sets else 1 for key, some in tests.items()}

    def met(self, statement: Statement, version: str) -> Formula:
        """When the conditions of a statement hold."""
        return And(
            tuple(
                self._test(operator.lower(), key.lower(), values, version)
                for operator, keys in statement.condition.items()
                for key, values in keys.items()
            )
        )

    def fact(self, key: str, value: str) -> Formula:
        """That every request carries a key with one value."""
        rest = tuple(Not(_there(_slot(key, slot))) for slot in range(1, self.slots.get(key, 1)))
        return And((_there(key), Like(f"key:{key}", value, plain=True), *rest))

    def _test(self, operator: str, key: str, values: tuple[str, ...], version: str) -> Formula:
        across, _, name = operator.rpartition(":")
        if name == "null":
            return _null(operator, key, values)
        base = name.removesuffix("ifexists")
        negated = "not" in base and base != "null"
        count = self.slots.get(key, 1)
        asked = [
            self._value(base.replace("not", "", 1), _slot(key, one), values, version, negated) for one in range(count)
        ]
        flag = Flag(f"{operator} {key} {' '.join(values)}")
        if count > _MOST or across not in ("", "forallvalues", "foranyvalue"):
            return flag
        known = [
            (TRUE if slot == 0 else _there(_slot(key, slot)), one)
            for slot, one in enumerate(asked)
            if one is not None
        ]
        if len(known) != count:
            return flag
        there, optional = _there(key), base != name
        if across == "forallvalues":
            every = (Or((Not(one), Not(found) if negated else found)) for one, found in known)
            return Or((Not(there), And(tuple(every))))
        inside = negated and across == "foranyvalue"
        some: Formula = Or(tuple(And((one, Not(found) if inside else found)) for one, found in known))
        some = Not(some) if negated and not inside else some
        return Or((Not(there), some)) if optional or (negated and not inside) else And((there, some))

    def _value(self, base: str, key: str, values: tuple[str, ...], version: str, negated: bool) -> Formula | None:
        """When one value of a key passes; None for what is not modelled."""
        if any(HOLE in pattern_of(value) for value in values):
            return None
        found = [self._one(base, key, value, version, negated) for value in values]
        known = [one for one in found if one is not None]
        return Or(tuple(known)) if len(known) == len(found) else None

    def _one(self, base: str, key: str, value: str, version: str, negated: bool) -> Formula | None:
        make = _COMPARED.get(base)
        if make is not None:
            variable = version == _VERSION and "${" in value
            return None if variable else make(key, value)
        text = _TEXTS.get(base)
        if text is None:
            return _number(base, key, value)
        parts = _parts(value) if version == _VERSION else (value,)
        if parts is None:
            return None
        names = [one.name for one in parts if isinstance(one, Text)]
        if not names:
            return text(key, "".join(str(one) for one in parts))
        if any(self.slots.get(name.removeprefix("key:"), 1) > 1 for name in names):
            return None
        joined = _joined(base, key, parts)
        if joined is None:
            return None
        there = And(tuple(_there(name.removeprefix("key:")) for name in names))
        # Without its variable a value counts for nothing; what that makes of an operator that negates is not known.
        without = And((Not(there), Flag(f"{key} is not {value}"))) if negated else FALSE
        return Or((And((there, joined)), without))


def _there(key: str) -> Formula:
    return Flag(f"has:{key}")


def _slot(key: str, slot: int) -> str:
    return f"{key}#{slot}" if slot else key


def _null(operator: str, key: str, values: tuple[str, ...]) -> Formula:
    wanted = {pattern_of(value).strip().lower() for value in values}
    if {"true", "false"} <= wanted:
        return TRUE
    if any(HOLE in value for value in wanted):
        return Flag(f"{operator} {key} {' '.join(values)}")
    return Not(_there(key)) if "true" in wanted else _there(key) if "false" in wanted else FALSE


def _parts(value: str) -> tuple[str | Text, ...] | None:
    """A value with its policy variables apart; None for one that has a default."""
    found: list[str | Text] = []
    for index, piece in enumerate(_VARIABLE.split(value)):
        if index % 2 == 0:
            found += [piece] if piece else []
        elif piece in _LITERALS:
            found.append(_LITERALS[piece])
        elif _NAME.fullmatch(piece):
            found.append(Text(f"key:{piece.strip().lower()}"))
        else:
            return None
    return tuple(found)


def _joined(base: str, key: str, parts: tuple[str | Text, ...]) -> Formula | None:
    """A value with policy variables; None for one with wildcards anywhere but at its end."""
    wild = base != "stringequals"
    last = parts[-1]
    more = wild and isinstance(last, str) and last.endswith("*")
    if more and isinstance(last, str):
        parts = (*parts[:-1], last.rstrip("*"))
    plain = [one for one in parts if isinstance(one, str)]
    if wild and any({"*", "?"} & set(one) for one in plain):
        return None
    if base.startswith("arn") and (more or "".join(plain).count(":") < 5):  # noqa: PLR2004  # of an ARN, all outside
        return None
    return Joined(f"key:{key}", tuple(plainly(one) if isinstance(one, str) else one for one in parts), more=more)


def _equal(key: str, value: str) -> Formula:
    return Like(f"key:{key}", plainly(value), plain=True)


def _equal_any_case(key: str, value: str) -> Formula:
    return Like(f"lower:{key}", plainly(value).lower(), plain=True)


def _like(key: str, value: str) -> Formula:
    plain = not {"*", "?", STAR, MARK} & set(value)
    return Like(f"key:{key}", value, plain=plain)


def _arn(key: str, value: str) -> Formula:
    parts = segments(value)
    return LikeArn(f"key:{key}", ":".join(parts)) if len(parts) > 1 else _like(key, value)


_TEXTS: Final[dict[str, Callable[[str, str], Formula]]] = {
    "stringequals": _equal,
    "stringequalsignorecase": _equal_any_case,
    "stringlike": _like,
    "arnequals": _arn,
    "arnlike": _arn,
}


def _address(key: str, value: str) -> Formula | None:
    try:
        network = ip_network(value.strip(), strict=False)
    except ValueError:
        return None
    shift = _SIX if network.version == 6 else 0  # noqa: PLR2004  # of the protocol
    return Within(f"ip:{key}", int(network.network_address) + shift, int(network.broadcast_address) + shift)


_COMPARED: Final[dict[str, Callable[[str, str], Formula | None]]] = {
    "bool": lambda key, value: Like(f"lower:{key}", value.lower(), plain=True),
    "binaryequals": lambda key, value: Like(f"key:{key}", value, plain=True),
    "ipaddress": _address,
}


def _number(base: str, key: str, value: str) -> Formula | None:
    family = next((one for one in ("numeric", "date") if base.startswith(one)), "")
    bounds = _BOUNDS.get(base.removeprefix(family)) if family else None
    number = _scaled(family, value)
    if bounds is None or number is None:
        return None
    low, high, shift = bounds
    return Within(f"number:{key}", number + shift if low else None, number + shift if high else None)


def _scaled(family: str, value: str) -> int | None:
    try:
        number = float(value) if family == "numeric" else date_number(value)
        scaled = number * SCALE if number is not None else None
        return int(scaled) if scaled is not None and float(scaled).is_integer() else None
    except (ValueError, OverflowError):
        return None


def links(formula: Formula) -> Formula:
    """What is so of the variables of a formula in any request: the lower case of a text follows from it."""
    named: defaultdict[str, list[Like]] = defaultdict(list)
    for one in dict.fromkeys(atoms(formula)):
        if isinstance(one, Like):
            named[one.name].append(one)
    return And(
        tuple(
            Or((Not(one), Like(lower, one.pattern.lower(), plain=one.plain)))
            for name, some in sorted(named.items())
            if name.startswith("key:") and (lower := f"lower:{name.removeprefix('key:')}") in named
            for one in some
        )
    )


def carried(model: Mapping[str, Value]) -> Iterator[tuple[dict[str, tuple[str, ...]], tuple[str, ...]]]:
    """The keys that the request of a model carries with their values, and those that it does not.

    Several times where texts and their lower case are asked about: a model does not say which letters are large.
    """
    there = [name.removeprefix("has:") for name in model if name.startswith("has:")]
    absent = tuple(key for key in there if "#" not in key and model[f"has:{key}"] is not True)
    for kinds, change in ((("key:", "lower:"), str), (("lower:", "key:"), str), (("lower:", "key:"), str.upper)):
        found: dict[str, tuple[str, ...]] = {}
        for key in there:
            if "#" not in key and key not in absent:
                slots = [
                    key,
                    *sorted(one for one in there if one.startswith(f"{key}#") and model[f"has:{one}"] is True),
                ]
                found[key] = tuple(dict.fromkeys(_text(one, model, kinds, change) for one in slots))
        yield found, absent


def _text(key: str, model: Mapping[str, Value], kinds: tuple[str, ...], change: Callable[[str], str]) -> str:
    if f"ip:{key}" in model:
        number = max(0, int(model[f"ip:{key}"]))
        if number >= _SIX:
            return str(IPv6Address(min(number - _SIX, 2**128 - 1)))
        return str(IPv4Address(min(number, 2**32 - 1)))
    if f"number:{key}" in model:
        shown = int(model[f"number:{key}"]) / SCALE
        return str(int(shown)) if shown.is_integer() else str(shown)
    for kind in kinds:
        if isinstance(text := model.get(kind + key), str):
            return change(text) if kind == "lower:" else text
    return "x"
