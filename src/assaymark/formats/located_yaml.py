"""``read_located_yaml``: the documents of a YAML text, typed as YAML 1.1 has it, each value with its line.

PyYAML's C scanner finds the events; what is built from them are ``Map`` and ``Seq``. Nothing is constructed from a
tag: a tagged value is the plain value under it, so no tag can run anything; CloudFormation's short tags become the
functions that they stand for. An alias is the value of its anchor, built once and shared; ``LOCATED_MAX_NODES``
counts what a walk over all of it would meet, so that aliases of aliases do not grow.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import LOCATED_MAX_BYTES, LOCATED_MAX_DEPTH, LOCATED_MAX_NODES
from assaymark.formats.located import Map, Seq

_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE: Final = frozenset(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"))
_FALSE: Final = frozenset(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"))
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,300})")
_OTHER_INTEGER: Final = re.compile(r"[-+]?0(?:x[0-9a-fA-F_]{1,200}|b[01_]{1,200}|o?[0-7_]{1,200})")
_SHORT: Final = frozenset(
    f"!{name}"
    for name in (
        *(
            "Ref",
            "Condition",
            "Sub",
            "GetAtt",
            "Join",
            "Select",
            "Split",
            "If",
            "Equals",
            "And",
            "Or",
            "Not",
            "Base64",
        ),
        *("ImportValue", "FindInMap", "GetAZs", "Cidr", "Transform", "ToJsonString", "Length"),
    )
)
_BASES: Final = {"x": 16, "b": 2, "o": 8}
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_SPECIAL: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def read_located_yaml(text: str) -> list[Any]:
    """The documents, an empty one as None.

    Raises:
        InputError: ``yaml-syntax`` with the line, ``located-limit``.
    """
    import yaml

    if len(text) > LOCATED_MAX_BYTES:
        raise InputError("located-limit", f"the document has more than {LOCATED_MAX_BYTES} characters")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(yaml.parse(text, Loader=loader)).documents()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError("yaml-syntax", str(error.problem or "not YAML"), position=f"line {line}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise InputError("yaml-syntax", str(error).splitlines()[0]) from None


def _long(event: Any, value: Any) -> Map:
    """CloudFormation's short form of a function as its long one: ``!Ref a`` is ``{"Ref": "a"}``."""
    name = event.tag[1:]
    line = event.start_mark.line + 1
    found = Map(line)
    if name == "GetAtt" and isinstance(value, str):
        parts = Seq(line)
        for part in value.split(".", 1):
            parts.put(part, line)
        value = parts
    found.put(name if name in ("Ref", "Condition") else f"Fn::{name}", value, line)
    return found


class _Builder:
    """Events in, values out."""

    def __init__(self, events: Any) -> None:
        self._events = iter(events)
        self._anchors: dict[str, tuple[Any, int]] = {}

    def documents(self) -> list[Any]:
        found = []
        for event in self._events:
            if type(event).__name__ == "DocumentStartEvent":
                self._anchors = {}
                value, _ = self._value(next(self._events), 0)
                found.append(value)
        return found

    def _value(self, event: Any, depth: int) -> tuple[Any, int]:
        """The value that begins with ``event``, and how many nodes a walk over it meets."""
        kind = type(event).__name__
        if kind == "AliasEvent":
            if event.anchor not in self._anchors:
                raise InputError("yaml-syntax", f"nothing is anchored as {event.anchor}", position=_line_of(event))
            return self._anchors[event.anchor]
        if depth > LOCATED_MAX_DEPTH:
            raise InputError("located-limit", "the document nests too deep")
        if kind == "ScalarEvent":
            answer: tuple[Any, int] = (_scalar(event), 1)
        elif kind == "MappingStartEvent":
            answer = self._map(event, depth)
        else:
            answer = self._seq(event, depth)
        if answer[1] > LOCATED_MAX_NODES:
            raise InputError("located-limit", "the document has too many values")
        if event.tag in _SHORT:
            answer = (_long(event, answer[0]), answer[1] + 1)
        if event.anchor:
            self._anchors[event.anchor] = answer
        return answer

    def _map(self, start: Any, depth: int) -> tuple[Map, int]:
        found, count = Map(start.start_mark.line + 1), 1
        merged: list[Any] = []
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key, keys = self._value(event, depth + 1)
            value, values = self._value(next(self._events), depth + 1)
            count += keys + values
            if count > LOCATED_MAX_NODES:
                raise InputError("located-limit", "the document has too many values")
            if key == "<<" and isinstance(value, (Map, Seq)):
                merged += value if isinstance(value, Seq) else [value]
            else:
                found.put(_key(key), value, event.start_mark.line + 1)
        for other in merged:
            for key, value in other.items() if isinstance(other, Map) else ():
                if key not in found:
                    found.put(key, value, other.at(key))
        return found, count

    def _seq(self, start: Any, depth: int) -> tuple[Seq, int]:
        found, count = Seq(start.start_mark.line + 1), 1
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            value, values = self._value(event, depth + 1)
            count += values
            if count > LOCATED_MAX_NODES:
                raise InputError("located-limit", "the document has too many values")
            found.put(value, event.start_mark.line + 1)
        return found, count


def _line_of(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"


def _key(key: Any) -> str:
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return key if isinstance(key, str) else str(key)


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.style or event.tag in ("tag:yaml.org,2002:str", "!"):
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _OTHER_INTEGER.fullmatch(text):
        return _other_integer(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if _SPECIAL.fullmatch(text):
        return math.nan if "n" in text.lower().replace("inf", "") else math.inf * (-1 if text[0] == "-" else 1)
    return text


def _other_integer(text: str) -> int | str:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    prefix = digits[1:2].lower()
    try:
        if prefix in _BASES:
            return sign * int(digits[2:], _BASES[prefix])
        return sign * int(digits, 8)
    except ValueError:
        return text
