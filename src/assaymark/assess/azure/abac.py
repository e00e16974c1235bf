"""``condition_holds``: whether a role assignment's condition is met for a request, three-valued.

Source: Azure RBAC, "Azure role assignment condition format and syntax".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

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


def condition_holds(text: str | None, action: str, attributes: Mapping[str, str]) -> Answer:
    """Whether a condition is met by a request for an action.

    ``attributes``: what is known, by the attribute as conditions write it, in lower case:
    ``@request[microsoft.authorization/roleassignments:roledefinitionid]``. One that cannot be read is unknown.
    """
    if text is None:
        return YES
    node = _parsed(text)
    if node is None:
        return Answer(State.UNKNOWN, (), (f"the condition {text} is met",))
    return _value(node, action, attributes)


def _value(node: Node, action: str, attributes: Mapping[str, str]) -> Answer:
    match node:
        case ("or", left, right):
            one, other = _value(left, action, attributes), _value(right, action, attributes)
            return one.either(other)
        case ("and", left, right):
            return _value(left, action, attributes).both(_value(right, action, attributes))
        case ("not", inner):
            found = _value(inner, action, attributes)
            return Answer(found.state.inverse(), found.because, found.decides)
        case ("actionmatches", patterns):
            return YES if any(_fits(pattern, action) for pattern in patterns) else NO
        case ("compare", operator, attribute, values):
            return _compared(str(operator), str(attribute), values, attributes)
    if node[0] == "suboperationmatches":
        return Answer(State.UNKNOWN, (), (f"the request is of {' or '.join(node[1])}",))
    known = attributes.get(str(node[1]).lower())
    if known is not None:
        return YES if node[0] == "exists" else NO
    return Answer(State.UNKNOWN, (), (f"{node[1]} is in the request",))


def _compared(operator: str, attribute: str, values: Any, attributes: Mapping[str, str]) -> Answer:
    known = attributes.get(attribute.lower())
    shown = values if isinstance(values, str) else ", ".join(values)
    unknown = Answer(State.UNKNOWN, (), (f"{attribute} {operator} {shown}",))
    if isinstance(values, str) or known is None:
        return unknown
    across, _, name = operator.rpartition(":")
    negative = name.lower().removeprefix("string").removeprefix("guid").startswith("not")
    compare = _COMPARE.get(name.lower().replace("not", "", 1))
    if compare is None:
        return unknown
    hits = [compare(known, value) for value in values]
    if across.lower() in ("foranyofallvalues", "forallofallvalues"):
        held = all(not hit if negative else hit for hit in hits)
    elif across.lower() in ("", "foranyofanyvalues", "forallofanyvalues"):
        held = any(not hit if negative else hit for hit in hits)
    else:
        return unknown
    return YES if held else NO


_COMPARE: Final[dict[str, Callable[[str, str], bool]]] = {
    "stringequals": lambda known, value: known == value,
    "stringequalsignorecase": lambda known, value: known.lower() == value.lower(),
    "stringlike": lambda known, value: _fits(value, known, exact=True),
    "stringlikeignorecase": lambda known, value: _fits(value, known),
    "stringstartswith": lambda known, value: known.startswith(value),
    "stringstartswithignorecase": lambda known, value: known.lower().startswith(value.lower()),
    "guidequals": lambda known, value: known.lower().replace("-", "") == value.lower().replace("-", ""),
    "boolequals": lambda known, value: known.lower() == value.lower(),
}


def _fits(pattern: str, text: str, *, exact: bool = False) -> bool:
    if not exact:
        pattern, text = pattern.lower(), text.lower()
    parts = [re.escape(one).replace(r"\?", ".") for one in pattern.split("*")]
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None
