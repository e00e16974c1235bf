"""Canonical JSON out, strict JSON in.

What we sign is RFC 8785 (JCS) on a subset where all implementations agree: no floats, integers within
plus or minus 2**53-1, ASCII keys. Within it, sorted keys, no white space and UTF-8 are the whole of JCS.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, Never

from assaymark.core.errors import InputError
from assaymark.core.limits import JSON_MAX_BYTES, JSON_MAX_DEPTH, JSON_MAX_INTEGER

_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS: Final = re.compile(rb"[\[\]{}]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of ``value`` (RFC 8785 on our subset).

    Raises:
        InputError: ``json-float``, ``json-integer``, ``json-key``, ``json-string`` or ``json-type``, with the
            JSON path as position, when the value lies outside the subset.
    """
    check_signable(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def check_signable(value: Any) -> None:
    """Refuse what must not be signed: floats, wide integers, non-ASCII keys, lone surrogates.

    Raises:
        InputError: as ``canonical_json``.
    """
    stack: list[tuple[Any, str, int]] = [(value, "$", 0)]
    while stack:
        item, path, depth = stack.pop()
        if depth > JSON_MAX_DEPTH:
            raise InputError("json-depth", f"nested deeper than {JSON_MAX_DEPTH}", position=path)
        if item is None or isinstance(item, bool):
            continue
        if isinstance(item, str):
            _check_string(item, path)
        elif isinstance(item, int):
            if abs(item) > JSON_MAX_INTEGER:
                raise InputError(
                    "json-integer", "integer beyond 2**53-1", position=path, remedy="write it as a string"
                )
        elif isinstance(item, float):
            raise InputError(
                "json-float",
                f"floating-point number {item!r}; signed payloads hold none",
                position=path,
                remedy='write it as a decimal string, such as "0.95"',
            )
        elif isinstance(item, dict):
            for key, member in item.items():
                if not isinstance(key, str) or not key.isascii():
                    raise InputError("json-key", f"key {key!r} is not ASCII text", position=path)
                stack.append((member, f"{path}.{key}", depth + 1))
        elif isinstance(item, (list, tuple)):
            stack.extend((member, f"{path}[{i}]", depth + 1) for i, member in enumerate(item))
        else:
            raise InputError("json-type", f"a {type(item).__name__} has no JSON form", position=path)


def _check_string(item: str, path: str) -> None:
    if _SURROGATE.search(item):
        raise InputError("json-string", "text with a lone surrogate is not Unicode", position=path)


def parse_json(data: bytes, *, limit: int = JSON_MAX_BYTES, nan: bool = False) -> Any:
    """The value of strict JSON: UTF-8, one value, no duplicate keys, no NaN, bounded depth and size.

    ``nan`` lets NaN and Infinity through, which Python's own writer uses, as texts.

    Floats are returned as floats (a reader of foreign files may meet them); ``check_signable`` refuses them.

    Raises:
        InputError: ``json-size``, ``json-depth``, ``json-utf8``, ``json-duplicate-key``, ``json-number`` or
            ``json-syntax``.
    """
    if len(data) > limit:
        raise InputError("json-size", f"{len(data)} bytes, above the limit of {limit}")
    _check_depth(data)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError("json-utf8", "not UTF-8", position=f"byte {error.start}") from None
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=str if nan else _no_constant,
            parse_int=_integer,
            parse_float=_real,
        )
    except json.JSONDecodeError as error:
        raise InputError(
            "json-syntax", f"not JSON: {error.msg}", position=f"line {error.lineno} column {error.colno}"
        ) from None
    except RecursionError:  # pragma: no cover - the depth was checked above
        raise InputError("json-depth", "nested too deeply") from None


def parse_object(data: bytes, *, limit: int = JSON_MAX_BYTES) -> dict[str, Any]:
    """As ``parse_json``, where the value must be an object.

    Raises:
        InputError: as ``parse_json``, and ``json-type`` for any other value.
    """
    value = parse_json(data, limit=limit)
    if not isinstance(value, dict):
        raise InputError("json-type", "expected a JSON object", position="$")
    return value


def _check_depth(data: bytes) -> None:
    """Bound nesting before json.loads, whose recursion would otherwise meet the interpreter's limit."""
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", data)):
        if bracket in b"[{":
            depth += 1
            if depth > JSON_MAX_DEPTH:
                raise InputError("json-depth", f"nested deeper than {JSON_MAX_DEPTH}")
        else:
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InputError("json-duplicate-key", f"key {key!r} occurs twice")
            seen.add(key)
    return members


def _no_constant(name: str) -> Never:
    raise InputError("json-number", f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > 400:  # noqa: PLR2004 - longer than any double; keeps int() linear
        raise InputError("json-number", "a number of more than 400 digits")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise InputError("json-number", "a number beyond the range of a double")
    return value
