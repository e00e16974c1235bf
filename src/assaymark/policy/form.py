"""Strict reading of TOML tables: every key is known, every value has its type, every error says where it is.

Policies and the cases of ``policy test`` are read with it; their errors share the codes ``policy-*``.
"""

from __future__ import annotations

import re
from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import (
    JSON_MAX_INTEGER,
    POLICY_MAX_DURATION_SECONDS,
    POLICY_MAX_KEY_PARTS,
    POLICY_MAX_TEXT,
    POLICY_MAX_VALUES,
)
from assaymark.core.names import NAME_FORM, is_name
from assaymark.core.times import format_duration, parse_duration

_TOML_POSITION: Final = re.compile(r"(.*) \(at (line \d+), (column \d+)\)", re.DOTALL)
_LONG_KEY: Final = re.compile(
    r"(?<![A-Za-z0-9_-])"
    r"(?:(?:[A-Za-z0-9_-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+){" + str(POLICY_MAX_KEY_PARTS) + "}"
)
_TYPE_NAMES: Final[dict[type, str]] = {str: "text", int: "an integer", dict: "a table", list: "an array"}


def refused(code: str, message: str, position: str, remedy: str = "") -> InputError:
    """The error of a reader; ``position`` is a TOML path, or line and column."""
    return InputError(code, message, position=position, remedy=remedy)


def load(data: bytes, limit: int) -> dict[str, Any]:
    """The table that TOML bytes say.

    Raises:
        InputError: ``policy-size``, ``policy-utf8``, ``policy-syntax`` or ``policy-limit``.
    """
    import tomllib  # 7 ms, and few commands read a policy

    if len(data) > limit:
        raise refused("policy-size", f"{len(data)} bytes, above the limit of {limit}", "")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise refused("policy-utf8", "not UTF-8", f"byte {error.start}") from None
    long_key = _LONG_KEY.search(text)
    if long_key is not None:
        line = text.count("\n", 0, long_key.start()) + 1
        raise refused("policy-limit", f"a key of more than {POLICY_MAX_KEY_PARTS} parts", f"line {line}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise refused("policy-limit", "nested too deeply", "") from None
    except ValueError as error:  # TOMLDecodeError, or int() on thousands of digits
        match = _TOML_POSITION.fullmatch(str(error))
        what, position = (match[1], f"{match[2]} {match[3]}") if match else (str(error), "")
        raise refused("policy-syntax", f"not TOML: {what[:200]}", position) from None


def check_format(document: dict[str, Any], name: str, what: str) -> None:
    """The document is of the format ``name``.

    Raises:
        InputError: ``policy-format``.
    """
    if document.get("format") != name:
        raise refused(
            "policy-format", f"not {what} of format {name}", "format", f'begin the file with: format = "{name}"'
        )


def table(value: Any, path: str) -> dict[str, Any]:
    """A table.

    Raises:
        InputError: ``policy-type``.
    """
    if not isinstance(value, dict):
        raise refused("policy-type", "expected a table", path)
    return value


def typed(table: dict[str, Any], key: str, kind: type, path: str, *, default: Any = None) -> Any:
    """A value of exactly this type: a boolean is no integer.

    Raises:
        InputError: ``policy-missing`` without a default, or ``policy-type``.
    """
    where = f"{path}.{key}".lstrip(".")
    if key not in table:
        if default is None:
            raise refused("policy-missing", f"{key} is missing", where)
        return default
    value = table[key]
    if type(value) is not kind:
        raise refused("policy-type", f"expected {_TYPE_NAMES[kind]}", where)
    return value


def check_keys(table: dict[str, Any], known: tuple[str, ...], path: str) -> None:
    """No key that is not known.

    Raises:
        InputError: ``policy-key``, naming the nearest.
    """
    for key in table:
        if key not in known:
            shown = key[:80] if key[:80].isprintable() else repr(key[:80])
            raise refused(
                "policy-key",
                f"unknown key {key[:80]!r}; known here: {', '.join(known)}",
                f"{path}.{shown}".lstrip("."),
                f"did you mean {_nearest(key, known)}?",
            )


def names(table: dict[str, Any], key: str, path: str) -> tuple[str, ...]:
    """One or more distinct names.

    Raises:
        InputError: ``policy-value``, ``policy-missing`` or ``policy-type``.
    """
    where = f"{path}.{key}"
    entries = typed(table, key, list, path)
    if not 0 < len(entries) <= POLICY_MAX_VALUES or not all(is_name(entry) for entry in entries):
        raise refused("policy-value", f"expected one or more names of the form {NAME_FORM}", where)
    if len(set(entries)) != len(entries):
        raise refused("policy-value", "a name occurs twice", where)
    return tuple(entries)


def choice(table: dict[str, Any], key: str, path: str, choices: tuple[str, ...]) -> str:
    """One of ``choices``; the first when it is not said.

    Raises:
        InputError: ``policy-value`` or ``policy-type``.
    """
    value = str(typed(table, key, str, path, default=choices[0]))
    if value not in choices:
        raise refused("policy-value", f"expected one of {', '.join(choices)}", f"{path}.{key}")
    return value


def duration(table: dict[str, Any], key: str, path: str, longest: int = POLICY_MAX_DURATION_SECONDS) -> int:
    """Seconds of a duration such as ``30d``.

    Raises:
        InputError: ``policy-value``, ``policy-missing`` or ``policy-type``.
    """
    where = f"{path}.{key}"
    try:
        seconds = parse_duration(typed(table, key, str, path))
    except InputError as error:
        if error.code != "duration-form":
            raise
        raise refused("policy-value", error.message, where, error.remedy) from None
    if seconds > longest:
        raise refused("policy-value", f"{format_duration(longest)} is the longest", where)
    return seconds


def text(table: dict[str, Any], key: str, path: str) -> str:
    """One line of text, empty when it is not said.

    Raises:
        InputError: ``policy-text`` or ``policy-type``.
    """
    return printable(typed(table, key, str, path, default=""), f"{path}.{key}")


def printable(text: str, position: str) -> str:
    """Text that is printable, on one line and not too long.

    Raises:
        InputError: ``policy-text``.
    """
    if len(text) > POLICY_MAX_TEXT or not text.isprintable():
        raise refused(
            "policy-text", f"text is printable, on one line and up to {POLICY_MAX_TEXT} characters", position
        )
    return text


def scalar(value: Any, position: str) -> str | int | bool:
    """Text, an integer or a boolean: what a signed predicate may hold.

    Raises:
        InputError: ``policy-type`` or ``policy-text``.
    """
    if isinstance(value, str):
        return printable(value, position)
    if isinstance(value, int) and abs(value) <= JSON_MAX_INTEGER:  # a bool is an int here
        return value
    remedy = 'write a number with a fraction as text: "0.95"' if isinstance(value, float) else ""
    raise refused("policy-type", "expected text, an integer below 2**53 or a boolean", position, remedy)


def _nearest(key: str, known: tuple[str, ...]) -> str:
    import difflib  # only on the way to an error

    return max(known, key=lambda name: difflib.SequenceMatcher(None, key[:80], name).ratio())
