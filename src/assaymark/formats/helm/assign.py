"""``assigned``: values as ``helm --set`` writes them, put into others.

Source: Helm's documentation, "The Format and Limitations of --set".
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.helm.values import deep_copy

_KEY: Final = re.compile(r"((?:[^\\.=\[,]|\\.)+)((?:\[\d{1,5}\])*)(\.|=|,|$)", re.DOTALL)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,18})")
_MOST: Final = 65_536  # the largest index that Helm takes
_WORDS: Final = {"true": True, "false": False, "null": None}


def assigned(values: dict[str, Any], text: str, *, strings: bool = False) -> dict[str, Any]:
    """The values with those of a text (``a.b=1,c[0]={x,y}``); nothing (null) takes a value away in the end.

    Args:
        values: what is there already; it stays as it is.
        text: one or several assignments.
        strings: whether numbers and words stay texts, as ``--set-string`` has it.

    Raises:
        InputError: ``template-go``: it is no assignment.
    """
    found: dict[str, Any] = deep_copy(values)
    at = 0
    while at < len(text):
        path, at = _path(text, at)
        value, at = _value(text, at, strings=strings)
        _put(found, path, value)
    return found


def parameter(values: dict[str, Any], name: str, value: str, *, strings: bool = False) -> dict[str, Any]:
    """The values with one more, its name and its text apart: commas of the text separate nothing.

    Raises:
        InputError: ``template-go``: it is no name.
    """
    plain = re.sub(r"([\\,])", r"\\\1", value)
    return assigned(values, f"{name}={plain}", strings=strings)


def _path(text: str, at: int) -> tuple[list[str | int], int]:
    path: list[str | int] = []
    while True:
        match = _KEY.match(text, at)
        if match is None or match[3] in (",", ""):
            raise InputError("template-go", f"no assignment of a value: {text[:100]}")
        path.append(re.sub(r"\\(.)", r"\1", match[1]))
        path += [int(one) for one in re.findall(r"\d+", match[2])]
        at = match.end()
        if match[3] == "=":
            return path, at


def _value(text: str, at: int, *, strings: bool) -> tuple[Any, int]:
    if text.startswith("{", at):
        items, ended = [], ","
        at += 1
        while ended == ",":
            item, at, ended = _word(text, at, ",}")
            items.append(_typed(item, strings=strings))
        if not ended:
            raise InputError("template-go", f"a list that does not end: {text[:100]}")
        return items, at + text.startswith(",", at)
    word, at, _ = _word(text, at, ",")
    return _typed(word, strings=strings), at


def _word(text: str, at: int, ends: str) -> tuple[str, int, str]:
    """What stands up to one of some characters, that one, and where it goes on."""
    found = ""
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            found += text[at + 1]
            at += 2
        elif text[at] in ends:
            return found, at + 1, text[at]
        else:
            found += text[at]
            at += 1
    return found, at, ""


def _typed(word: str, *, strings: bool) -> Any:
    if strings:
        return word
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    number = int(word) if _NUMBER.fullmatch(word) else None
    return word if number is None or abs(number) >= 2**63 else number


def _put(target: Any, path: list[str | int], value: Any) -> None:
    for key, after in pairwise(path):
        inner = _inner(target, key)
        if inner is None:
            inner = [] if isinstance(after, int) else {}
            _set(target, key, inner)
        elif not isinstance(inner, list if isinstance(after, int) else dict):
            raise InputError("template-go", f"{key} is given a value and parts of one")
        target = inner
    _set(target, path[-1], value)


def _inner(target: Any, key: str | int) -> Any:
    if isinstance(key, int):
        return target[key] if key < len(target) else None
    return target.get(key)


def _set(target: Any, key: str | int, value: Any) -> None:
    if isinstance(key, str):
        target[key] = value
        return
    if key > _MOST:
        raise InputError("template-go", f"an index above {_MOST}")
    target += [None] * (key + 1 - len(target))
    target[key] = value
