"""``condition_holds``: whether a role assignment's condition is met for a request, three-valued.

Source: Azure RBAC, "Azure role assignment condition format and syntax".
"""

from __future__ import annotations

import operator
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from assaymark.assess.answer import NO, YES, Answer
from assaymark.assess.values import is_higher
from assaymark.core.errors import InputError
from assaymark.core.graph import State
from assaymark.core.limits import ABAC_MAX_CHARACTERS, ABAC_MAX_DEPTH, ABAC_MAX_HEIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Node: TypeAlias = tuple[Any, ...]
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')
    |(?P<attribute>@[A-Za-z]+\[[^\[\]]{1,512}\])
    |(?P<op>&&|\|\||[!(){},])
    |(?P<word>[A-Za-z][A-Za-z]*(?::[A-Za-z]+)?)
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}))""",
    re.VERBOSE,
)
# A GUID may be written without its hyphens, as some of Azure's own roles do.
_CASED: Final = re.compile(r"<\$key_case_sensitive\$>", re.IGNORECASE)
SUBOPERATION: Final = "suboperation"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST: Final = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_GUID: Final = re.compile(r"\s*([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32}(?![0-9A-Za-z]))")


def parse_condition(text: str) -> Node:
    """The condition as nested tuples.

    Raises:
        InputError: ``abac-syntax``.
    """
    if len(text) > ABAC_MAX_CHARACTERS:
        raise InputError("abac-syntax", f"the condition has more than {ABAC_MAX_CHARACTERS} characters")
    found = _Parser(text).whole()
    if is_higher(found, ABAC_MAX_HEIGHT):
        raise InputError("abac-syntax", "the condition nests too deep")
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            guid = _GUID.match(text, at)
            match = guid or _TOKEN.match(text, at)
            if match is None:
                raise InputError("abac-syntax", "the condition cannot be read", position=f"character {at + 1}")
            self._tokens.append(("guid", guid[1]) if guid else (str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self._tokens.append(("end", ""))
        self._at = 0

    def whole(self) -> Node:
        found = self._any(0)
        if self._tokens[self._at][0] != "end":
            raise self._wrong()
        return found

    def _wrong(self) -> InputError:
        return InputError(
            "abac-syntax", f"the condition cannot be read at {self._tokens[self._at][1][:40] or 'its end'}"
        )

    def _take(self, *texts: str) -> bool:
        if self._tokens[self._at][1].upper() in texts and self._tokens[self._at][0] in ("op", "word"):
            self._at += 1
            return True
        return False

    def _any(self, depth: int) -> Node:
        if depth > ABAC_MAX_DEPTH:
            raise InputError("abac-syntax", "the condition nests too deep")
        found = self._all(depth)
        while self._take("||", "OR"):
            found = ("or", found, self._all(depth))
        return found

    def _all(self, depth: int) -> Node:
        found = self._one(depth)
        while self._take("&&", "AND"):
            found = ("and", found, self._one(depth))
        return found

    def _one(self, depth: int) -> Node:
        if self._take("!", "NOT"):
            if depth > ABAC_MAX_DEPTH:
                raise InputError("abac-syntax", "the condition nests too deep")
            return ("not", self._one(depth + 1))
        if self._take("("):
            found = self._any(depth + 1)
            if not self._take(")"):
                raise self._wrong()
            return found
        kind, text = self._tokens[self._at]
        if kind == "word" and text.upper() in ("ACTIONMATCHES", "SUBOPERATIONMATCHES"):
            self._at += 1
            return (text.lower(), self._set())
        if kind == "word" and text.upper() in ("EXISTS", "NOTEXISTS"):
            self._at += 1
            return ("exists" if text.upper() == "EXISTS" else "not-exists", self._attribute())
        if kind == "attribute":
            attribute = self._attribute()
            operator = self._word()
            return ("compare", operator, attribute, self._value())
        raise self._wrong()

    def _word(self) -> str:
        kind, text = self._tokens[self._at]
        if kind != "word":
            raise self._wrong()
        self._at += 1
        return text

    def _attribute(self) -> str:
        kind, text = self._tokens[self._at]
        if kind != "attribute":
            raise self._wrong()
        self._at += 1
        return text

    def _value(self) -> tuple[str, ...] | str:
        kind, text = self._tokens[self._at]
        if text == "{":
            return self._set()
        if kind == "attribute":
            return self._attribute()
        self._at += 1
        if kind in ("text", "guid", "number", "word"):
            return (_bare(text),)
        self._at -= 1
        raise self._wrong()

    def _set(self) -> tuple[str, ...]:
        if not self._take("{"):
            raise self._wrong()
        found = []
        while not self._take("}"):
            kind, text = self._tokens[self._at]
            if kind not in ("text", "guid", "number", "word"):
                raise self._wrong()
            self._at += 1
            found.append(_bare(text))
            self._take(",")
        return tuple(found)


def _bare(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node | None:
    try:
        return parse_condition(text)
    except InputError:
        return None


def attribute_key(attribute: str) -> str:
    """An attribute in lower case, as what is known of a request names it; the key of a tag may count its case."""
    if not _CASED.search(attribute):
        return attribute.lower()
    head, _, key = attribute.rpartition(":")
    return f"{head.lower()}:{key}"


Known: TypeAlias = "Mapping[str, str | tuple[str, ...]]"


def condition_holds(text: str | None, action: str, attributes: Known) -> Answer:
    """Whether a condition is met by a request for an action.

    ``attributes``: what is known, by the attribute as conditions write it, in lower case:
    ``@request[microsoft.authorization/roleassignments:roledefinitionid]``; several values as a tuple, none for what
    the request lacks. ``suboperation``: what it is besides its action. One that cannot be read is unknown.
    """
    if text is None:
        return YES
    node = _parsed(text)
    if node is None:
        return Answer(State.UNKNOWN, (), (f"the condition {text} is met",))
    return _value(node, action, attributes)


def _value(node: Node, action: str, attributes: Known, *, denied: bool = False) -> Answer:
    """``denied``: a ``!`` stands before it: whether that is so of what is not there is not documented."""
    match node:
        case ("or", left, right):
            one, other = (_value(side, action, attributes, denied=denied) for side in (left, right))
            return one.either(other)
        case ("and", left, right):
            one, other = (_value(side, action, attributes, denied=denied) for side in (left, right))
            return one.both(other)
        case ("not", inner):
            found = _value(inner, action, attributes, denied=not denied)
            return Answer(found.state.inverse(), found.because, found.decides)
        case ("actionmatches", patterns):
            return YES if any(fits(pattern, action) for pattern in patterns) else NO
        case ("compare", operator, attribute, values):
            return _compared(str(operator), str(attribute), values, attributes, denied=denied)
    if node[0] == "suboperationmatches":
        operation = attributes.get(SUBOPERATION)
        if operation is not None:
            return YES if {one.lower() for one in node[1]} & {one.lower() for one in _listed(operation)} else NO
        return Answer(State.UNKNOWN, (), (f"the request is of {' or '.join(node[1])}",))
    known = attributes.get(attribute_key(str(node[1])))
    if known is not None:
        return YES if (node[0] == "exists") == bool(_listed(known)) else NO
    return Answer(State.UNKNOWN, (), (f"{node[1]} is in the request",))


def _listed(known: str | tuple[str, ...]) -> tuple[str, ...]:
    return (known,) if isinstance(known, str) else known


def _compared(named: str, attribute: str, values: Any, attributes: Known, *, denied: bool) -> Answer:
    known = attributes.get(attribute_key(attribute))
    shown = values if isinstance(values, str) else ", ".join(values)
    unknown = Answer(State.UNKNOWN, (), (f"{attribute} {named} {shown}",))
    given = attributes.get(attribute_key(values)) if isinstance(values, str) else values
    across, _, name = named.lower().rpartition(":")
    negative, base = "not" in name, name.replace("not", "", 1)
    if known is None or given is None or across not in ("", *EACH):
        return unknown
    own, given = _listed(known), _listed(given)
    each_own, each_given = EACH.get(across, (False, False))
    if not own or not given:  # what is not there equals nothing, but whether it differs is not documented
        return unknown if negative or denied or each_own or not _is_known(base) else NO
    if not across and len(own) > 1:
        return unknown
    every_own, every_given = (all if each else any for each in (each_own, each_given))
    hits = [[_hit(base, one, other) for other in given] for one in own]
    if any(hit is None for some in hits for hit in some):
        return unknown
    return YES if every_own(every_given(hit is not negative for hit in some) for some in hits) else NO


def _is_known(base: str) -> bool:
    return base in _COMPARE or any(base.startswith(one) and base.removeprefix(one) in _ORDER for one in NUMBERS)


def _hit(base: str, known: str, value: str) -> bool | None:
    """Whether a value compares so with one of the condition; None for what is not decided."""
    compare = _COMPARE.get(base)
    if compare is not None:
        return compare(known, value)
    for family in NUMBERS:
        order = _ORDER.get(base.removeprefix(family)) if base.startswith(family) else None
        if order is not None:
            one, other = scaled(family, known), scaled(family, value)
            return order(one, other) if one is not None and other is not None else None
    return None


EACH: Final = {  # each value of the attribute, and each of the condition; else some
    "foranyofanyvalues": (False, False),
    "forallofanyvalues": (True, False),
    "foranyofallvalues": (False, True),
    "forallofallvalues": (True, True),
}
_ORDER: Final[dict[str, Callable[[int, int], bool]]] = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}
_COMPARE: Final[dict[str, Callable[[str, str], bool]]] = {
    "stringequals": lambda known, value: known == value,
    "stringequalsignorecase": lambda known, value: known.lower() == value.lower(),
    "stringlike": lambda known, value: fits(value, known, exact=True),
    "stringlikeignorecase": lambda known, value: fits(value, known),
    "stringstartswith": lambda known, value: known.startswith(value),
    "stringstartswithignorecase": lambda known, value: known.lower().startswith(value.lower()),
    "guidequals": lambda known, value: known.lower().replace("-", "") == value.lower().replace("-", ""),
    "boolequals": lambda known, value: known.lower() == value.lower(),
}


def fits(pattern: str, text: str, *, exact: bool = False) -> bool:
    """Whether a text is as a pattern with ``*`` and ``?`` has it; ``exact``: in the same case."""
    if not exact:
        pattern, text = pattern.lower(), text.lower()
    parts = [re.escape(one).replace(r"\?", ".") for one in pattern.split("*")]
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def scaled(family: str, text: str) -> int | None:
    """A number in thousandths, or a time in microseconds since 1970; None for neither."""
    try:
        return NUMBERS[family].read(text)
    except (ValueError, ArithmeticError):
        return None


class _Family(NamedTuple):
    read: Callable[[str], int | None]
    shown: Callable[[int], str]


def _number(text: str) -> int | None:
    found = Decimal(text.strip()) * 1000
    return int(found) if found.is_finite() and found == found.to_integral_value() else None


def _time(text: str) -> int:
    found = datetime.fromisoformat(text.strip())
    return ((found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def _shown_time(number: int) -> str:
    return (_EPOCH + timedelta(microseconds=max(_FIRST, min(number, _LAST)))).isoformat()


NUMBERS: Final = {
    "numeric": _Family(_number, lambda number: str(Decimal(number) / 1000)),
    "datetime": _Family(_time, _shown_time),
}
