"""``met``: conditions of IAM as formulas over what a request carries: texts, numbers, its time, tags, roles granted.

A part of a condition is true, false, or an error where the request lacks what it asks for, as in CEL; both sides are
formulas of their own. What is not modelled (regular expressions, sums, functions of other services) is a flag for
each side, the same wherever the same words stand. Times of day are numbers of their own beside the time: the request
that is shown is looked for among the times that have them.

Source: CEL specification, "Logical operators" (errors are absorbed); Google Cloud IAM, "Attribute reference for IAM
Conditions".
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.gcp.cel import GONE, Node, Open, dotted, evaluate, parse_cel, show
from assaymark.assess.gcp.conditions import CLOCK, Moment, called, clock_value
from assaymark.assess.unresolved import HOLE, Unresolved
from assaymark.core.errors import InputError
from assaymark.solve.formula import FALSE, TRUE, And, Flag, Like, Not, Or, Within, atoms, both, either, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assaymark.solve.formula import Formula, Value

TIME: Final = "request.time"
_HAS: Final = "has:"
_IS: Final = "text:"
_NUMBER: Final = "number:"
_GRANTED: Final = "granted:"
_IN: Final = "member:"
_OF: Final = " of "
_OTHER: Final = "another"
_YES: Final = "yes"
_MICRO: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_AFFIXES: Final = {"startsWith": "{}*", "endsWith": "*{}", "contains": "*{}*"}
_TEMPLATE: Final = re.compile(r"([^{}]*)\{[^{}]*\}([^{}]*)")
_HOURS: Final = 24 * 8  # around a time that has them: a week of hours and of days
_DAYS: Final = 366 * 2


@dataclass(frozen=True, slots=True)
class Sides:
    """When a condition is true, and when it is false; neither where it is an error."""

    yes: Formula
    no: Formula

    def inverse(self) -> Sides:
        """The other way round."""
        return Sides(self.no, self.yes)


@lru_cache(maxsize=4096)
def met(condition: str | None) -> Sides:
    """A condition as formulas; one that cannot be read, or that a template leaves open, is a flag."""
    if condition is None:
        return Sides(TRUE, FALSE)
    if isinstance(condition, Unresolved) or HOLE in condition:
        return _open(f"the condition {condition} is met")
    try:
        return _sides(parse_cel(condition))
    except InputError:
        return _open(f"the condition {condition} is met")


def _open(words: str) -> Sides:
    return Sides(Flag(words), And((Not(Flag(words)), Flag(f"it is decided whether {words}"))))


def _sides(node: Node) -> Sides:
    known = _constant(node)
    if isinstance(known, bool):
        return Sides(TRUE, FALSE) if known else Sides(FALSE, TRUE)
    match node:
        case ("&&", left, right):
            one, other = _sides(left), _sides(right)
            return Sides(both(one.yes, other.yes), either(one.no, other.no))
        case ("||", left, right):
            one, other = _sides(left), _sides(right)
            return Sides(either(one.yes, other.yes), both(one.no, other.no))
        case ("unary!", inner):
            return _sides(inner).inverse()
        case ("?", test, yes, no):
            asked, one, other = _sides(test), _sides(yes), _sides(no)
            return Sides(
                Or((And((asked.yes, one.yes)), And((asked.no, other.yes)))),
                Or((And((asked.yes, one.no)), And((asked.no, other.no)))),
            )
    return _atom(node) or _open(repr(node))


def _constant(node: Node) -> Any:
    """What an expression is whatever the request carries; ``Open`` for one that depends on it."""
    return evaluate(node, lambda _: None, lambda name, on, values: called(name, on, values, {}))


def _atom(node: Node) -> Sides | None:
    match node:
        case ("==" | "!=" | "<" | "<=" | ">" | ">=", left, right):
            return _compared(str(node[0]), left, right)
        case ("in", item, items):
            return _among(item, items)
        case ("call", "startsWith" | "endsWith" | "contains", of, (argument,)) if of is not None:
            part = _constant(argument)
            pattern = _AFFIXES[str(node[1])].format(literal(part)) if isinstance(part, str) else None
            return _of_text(of, Like(_variable(of), pattern)) if pattern and _is_text(of) else None
        case ("call", "matchTag" | "matchTagId", _, (key, value)):
            tag, wanted = _constant(key), _constant(value)
            if isinstance(tag, str) and isinstance(wanted, str):
                return _plain(Like(_tag(str(node[1]), tag), wanted, plain=True))
        case ("call", "hasTagKey" | "hasTagKeyId", _, (key,)):
            tag = _constant(key)
            if isinstance(tag, str):
                word = "matchTagId" if str(node[1]).endswith("Id") else "matchTag"
                return _plain(Not(Like(_tag(word, tag), "", plain=True)))
        case ("call", "hasOnly", ("call", "getAttribute", ("name", "api"), (name, _)), (items,)):
            attribute, values = _constant(name), _constant(items)
            if (
                isinstance(attribute, str)
                and isinstance(values, list)
                and all(isinstance(one, str) for one in values)
            ):
                return _plain(Like("\n".join((f"{_GRANTED}{attribute}", *sorted({*values}))), _YES, plain=True))
    return None


def _plain(formula: Formula) -> Sides:
    return Sides(formula, Not(formula))


def _tag(word: str, key: str) -> str:
    return f"{_IS}{word}({key})"


def _compared(operator: str, left: Node, right: Node) -> Sides | None:
    value = _constant(right)
    if isinstance(value, Open):
        value, left, operator = _constant(left), right, _FLIPPED[operator]
    if isinstance(value, (Open, bool)) or value is None:
        return None
    if isinstance(value, str):
        if operator not in ("==", "!=") or not _is_text(left):
            return None
        found = _of_text(left, Like(_variable(left), value, plain=True))
        return found if operator == "==" else found.inverse()
    number, variable = _scaled(value), _number(left)
    if number is None or variable is None or (isinstance(value, datetime) != (variable == TIME)):
        return None
    bounds = {
        "==": (number, number),
        "!=": (number, number),
        "<": (None, number - 1),
        "<=": (None, number),
        ">": (number + 1, None),
        ">=": (number, None),
    }[operator]
    inside = Within(variable, *bounds)
    found = _plain(inside) if variable == TIME or left[0] == "call" else _of_text(left, inside)
    return found if operator != "!=" else found.inverse()


def _scaled(value: Any) -> int | None:
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MICRO
    return value if isinstance(value, int) else None


def _number(node: Node) -> str | None:
    """The variable of what is compared as a number."""
    name = dotted(node)
    if name == TIME:
        return TIME
    match node:
        case ("call", method, of, arguments) if of is not None and dotted(of) == TIME and method in CLOCK:
            zone = [_constant(one) for one in arguments]
            return f"{_NUMBER}{method}({zone[0] if zone else 'UTC'})" if len(zone) <= 1 else None
    return f"{_NUMBER}{name}" if name else None


def _among(item: Node, items: Node) -> Sides | None:
    values = _constant(items)
    if isinstance(values, list) and all(isinstance(one, str) for one in values) and _is_text(item):
        return _of_text(item, Or(tuple(Like(_variable(item), one, plain=True) for one in values)))
    wanted, name = _constant(item), dotted(items)
    if isinstance(wanted, str) and name:
        return _plain(Like(f"{_HAS}{wanted!r} in {name}", _YES, plain=True))
    return None


def there(name: str) -> str:
    """The variable that says ``yes`` where a request has what is named so."""
    return _HAS + name


def named_as(name: str) -> str:
    """The variable of a text that is named so."""
    return _IS + name


def _is_text(node: Node) -> bool:
    if dotted(node) not in ("", TIME):
        return True
    match node:
        case ("call", "extract", of, (template,)) if of is not None:
            return _is_text(of) and isinstance(_constant(template), str)
        case ("call", "lowerAscii" | "upperAscii", of, ()) if of is not None:
            return _is_text(of)
    return False


def _variable(node: Node) -> str:
    return _IS + (dotted(node) or show(node))


def _of_text(node: Node, formula: Formula) -> Sides:
    """What is asked of a text that the request may lack."""
    while node[0] == "call":
        node = node[2]
    there = Like(_HAS + dotted(node), _YES, plain=True)
    return Sides(And((there, formula)), And((there, Not(formula))))


def links(formula: Formula, now: datetime) -> Formula:
    """What is so of the variables of a formula whatever a request carries: their ranges, and how they depend."""
    found: list[Formula] = []
    named: defaultdict[str, set[Formula]] = defaultdict(set)
    for one in atoms(formula):
        if not isinstance(one, Flag):
            named[one.name].add(one)
    for name, some in sorted(named.items()):
        if name == TIME:
            found.append(Within(TIME, _scaled(now), _scaled(_LAST)))
        elif name.startswith(_NUMBER) and (method := name.removeprefix(_NUMBER).partition("(")[0]) in CLOCK:
            found.append(Within(name, *CLOCK[method].range))
        elif name.startswith(_IS) and ".extract(" in name:
            found += _extracted(name, some)
    found += _sets(sorted(name for name in named if name.startswith(_GRANTED)))
    return And(tuple(found))


def _extracted(name: str, some: Iterable[Formula]) -> Iterator[Formula]:
    """What is extracted stands in the text, behind what the template has before it."""
    whole, _, template = name.rpartition(".extract(")
    match = _TEMPLATE.fullmatch(template.removesuffix(")").strip("'"))
    for one in sorted(some, key=repr):
        if match and isinstance(one, Like) and one.plain and one.pattern:
            before, after = match[1], match[2]
            tail = f"{literal(after)}*" if after else ""
            yield Or((Not(one), Like(whole, f"*{literal(before + one.pattern)}{tail}")))


def _sets(names: Iterable[str]) -> Iterator[Formula]:
    """All that is granted is among some when nothing else is: what is named elsewhere, or nowhere."""
    allowed: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
    for name in names:
        attribute, *values = name.removeprefix(_GRANTED).split("\n")
        allowed[attribute][name] = set(values)
    for attribute, some in sorted(allowed.items()):
        spoken = set[str]().union(*some.values())
        for name, members in sorted(some.items()):
            left = [*sorted(spoken - members), _OTHER]
            others = Or(tuple(Like(f"{_IN}{one}{_OF}{attribute}", _YES, plain=True) for one in left))
            only = Like(name, _YES, plain=True)
            yield Or((And((only, Not(others))), And((Not(only), others))))


def seen(model: Mapping[str, Value], now: datetime) -> Iterator[dict[str, Any]]:
    """What the request of a model carries, by the names that conditions have; several times that may be its own."""
    found: dict[str, Any] = {}
    clock: dict[str, int] = {}
    for name, value in sorted(model.items()):
        if name.startswith(_HAS) and " in " not in name:
            key = name.removeprefix(_HAS)
            found[key] = GONE if value != _YES else found.get(key, model.get(_IS + key, model.get(_NUMBER + key, "")))
        elif name.startswith(_HAS):
            wanted, _, key = name.removeprefix(_HAS).rpartition(" in ")
            found[key] = [*found.get(key, []), *([wanted[1:-1]] if value == _YES else [])]
        elif name.startswith(_IN):
            one, _, key = name.removeprefix(_IN).partition(_OF)
            key = f"api.getAttribute({key})"
            found[key] = [*found.get(key, []), *([one] if value == _YES else [])]
        elif name.startswith((f"{_IS}matchTag(", f"{_IS}matchTagId(")):
            found[name.removeprefix(_IS)] = value
        elif name.startswith(_NUMBER) and name.removeprefix(_NUMBER).partition("(")[0] in CLOCK:
            clock[name.removeprefix(_NUMBER).removesuffix(")")] = int(value)
    for moment in _moments(model, clock, now) if clock or TIME in model else ():
        yield {**found, TIME: moment}
    if not (clock or TIME in model):
        yield found


def _moments(model: Mapping[str, Value], clock: Mapping[str, int], now: datetime) -> Iterator[Moment]:
    """The time of a model, or those around it that have its hours and days."""
    try:
        start = _EPOCH + timedelta(microseconds=int(model.get(TIME, _scaled(now) or 0)))
    except OverflowError:
        return
    if not clock:
        yield Moment.of(start)
        return
    hours = [sign * one for one in range(_HOURS) for sign in (1, -1)]
    days = [sign * one * 24 for one in range(_DAYS) for sign in (1, -1)]
    for step in (*hours, *days):
        try:
            moment = Moment.of(start + timedelta(hours=step))
        except OverflowError:
            continue
        if all(clock_value(moment, *key.split("(", 1)) == value for key, value in clock.items()):
            yield moment
            return
