"""Terraform's functions, as far as they can be computed from texts alone. What is not here stays unresolved.

Source: Terraform language documentation, "Built-in functions". A function that reads files gets them from the input.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import posixpath
import re
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.values import Json, json_of, text_of
from assaymark.core.errors import InputError
from assaymark.core.limits import TERRAFORM_MAX_VALUES
from assaymark.formats.located import Map, Seq
from assaymark.formats.located_yaml import read_located_yaml

if TYPE_CHECKING:
    from collections.abc import Callable


class CannotError(Exception):
    """The arguments do not fit; the call stays unresolved."""


def _seq(items: Any, line: int = 0) -> Seq:
    found = Seq(line)
    for item in itertools.islice(items, TERRAFORM_MAX_VALUES):
        found.put(item, getattr(item, "line", line))
    return found


def _list(value: Any) -> Seq:
    if isinstance(value, Seq):
        return value
    if isinstance(value, Map):
        return _seq(value.values(), value.line)
    raise CannotError


def _map(value: Any) -> Map:
    if not isinstance(value, Map):
        raise CannotError
    return value


def _text(value: Any) -> str:
    found = text_of(value)
    if found is None:
        raise CannotError
    return found


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise CannotError
    try:
        found = float(value)
    except ValueError:
        raise CannotError from None
    if not math.isfinite(found):
        raise CannotError
    return int(found) if found.is_integer() else found


def _merge(*maps: Any) -> Map:
    found = Map(next((item.line for item in maps if isinstance(item, Map)), 0))
    for item in maps:
        for key, value in (_map(item) if item is not None else Map(0)).items():
            found.put(key, value, item.at(key))
    return found


def _concat(*lists: Any) -> Seq:
    found = Seq(next((item.line for item in lists if isinstance(item, Seq)), 0))
    for item in lists:
        for index, value in enumerate(_list(item)):
            found.put(value, item.at(index) if isinstance(item, Seq) else item.line)
    return found


def _flatten(value: Any) -> Seq:
    found = Seq(_list(value).line)
    for index, item in enumerate(_list(value)):
        if isinstance(item, Seq):
            inner = _flatten(item)
            for place, one in enumerate(inner):
                found.put(one, inner.at(place))
        else:
            found.put(item, value.at(index))
    return found


def _distinct(value: Any) -> Seq:
    found = Seq(_list(value).line)
    for index, item in enumerate(_list(value)):
        if item not in found:
            found.put(item, value.at(index) if isinstance(value, Seq) else value.line)
    return found


def _lookup(table: Any, key: Any, *default: Any) -> Any:
    if _text(key) in _map(table):
        return table[_text(key)]
    if default:
        return default[0]
    raise CannotError


def _format(pattern: Any, *arguments: Any) -> str:
    given = iter(arguments)

    def one(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        try:
            value = next(given)
        except StopIteration:
            raise CannotError from None
        if match[2] == "d":
            return f"%{match[1]}d" % int(_number(value))
        if match[2] == "q":
            return json.dumps(_text(value))
        if match[2] in "sv":
            return f"%{match[1]}s" % _text(value)
        return f"%{match[1]}f" % _number(value)

    return re.sub(r"%(?:%|([-+ 0]*\d{0,3}(?:\.\d{1,2})?)([sdvqf]))", one, _text(pattern))


def _formatlist(pattern: Any, *arguments: Any) -> Seq:
    count = max((len(item) for item in arguments if isinstance(item, Seq)), default=1)
    rows = [
        [item[index] if isinstance(item, Seq) and index < len(item) else item for item in arguments]
        for index in range(count)
    ]
    return _seq(_format(pattern, *row) for row in rows)


def _coalesce(*values: Any) -> Any:
    for value in values:
        if value is not None and value != "":
            return value
    raise CannotError


def _element(items: Any, index: Any) -> Any:
    found = _list(items)
    if not found:
        raise CannotError
    return found[int(_number(index)) % len(found)]


def _replace(text: Any, old: Any, new: Any) -> str:
    old, new = _text(old), _text(new)
    if len(old) > 1 and old[0] == "/" == old[-1]:
        raise CannotError  # a regular expression in another dialect
    return _text(text).replace(old, new)


def _split(separator: Any, text: Any) -> Seq:
    return _seq(_text(text).split(_text(separator)) if _text(separator) else iter(_text(text)))


def _zipmap(keys: Any, values: Any) -> Map:
    found = Map(_list(keys).line)
    for key, value in zip(_list(keys), _list(values), strict=False):
        found.put(_text(key), value, keys.line)
    return found


def _setproduct(*sets: Any) -> Seq:
    lists = [_list(item) for item in sets]
    if math.prod(map(len, lists)) > TERRAFORM_MAX_VALUES:
        raise CannotError
    return _seq(_seq(row) for row in itertools.product(*lists))


def _range(*limits: Any) -> Seq:
    numbers = [int(_number(item)) for item in limits]
    try:
        return _seq(iter(range(*numbers)))
    except (TypeError, ValueError):
        raise CannotError from None


def _jsondecode(text: Any) -> Any:
    found = json_of(text, 0)
    if found is None:
        raise CannotError
    return found


def _yamldecode(text: Any) -> Any:
    try:
        found = read_located_yaml("".join(_text(text)))  # a plain text, whatever file it came from
    except InputError:
        raise CannotError from None
    if len(found) != 1:
        raise CannotError
    return found[0]


def _length(value: Any) -> int:
    if isinstance(value, (str, Map, Seq)):
        return len(value)
    raise CannotError


def _contains(items: Any, value: Any) -> bool:
    return value in _list(items)


def _join(separator: Any, *lists: Any) -> str:
    return _text(separator).join(_text(item) for values in lists for item in _list(values))


def _substr(text: Any, offset: Any, length: Any) -> str:
    start, size = int(_number(offset)), int(_number(length))
    return _text(text)[start:] if size < 0 else _text(text)[start : start + size]


def _keys(value: Any) -> Seq:
    return _seq(iter(sorted(_map(value))), value.line)


def _values(value: Any) -> Seq:
    return _seq((_map(value)[key] for key in sorted(value)), value.line)


def _trim(text: Any, characters: Any) -> str:
    return _text(text).strip(_text(characters))


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise CannotError


def _first(value: Any) -> Any:
    found = _list(value)
    if len(found) != 1:
        raise CannotError
    return found[0]


def _hash(name: str) -> Callable[..., str]:
    return lambda text: hashlib.new(name, _text(text).encode(), usedforsecurity=False).hexdigest()


def _same(value: Any) -> Any:
    return value


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": lambda value: abs(_number(value)),
    "base64decode": lambda text: base64.b64decode(_text(text), validate=False).decode("utf-8", "replace"),
    "base64encode": lambda text: base64.b64encode(_text(text).encode()).decode(),
    "alltrue": lambda items: all(_bool(item) for item in _list(items)),
    "anytrue": lambda items: any(_bool(item) for item in _list(items)),
    "basename": lambda path: posixpath.basename(_text(path)),
    "can": lambda _value: True,
    "ceil": lambda value: math.ceil(_number(value)),
    "chomp": lambda text: _text(text).rstrip("\r\n"),
    "coalesce": _coalesce,
    "coalescelist": lambda *lists: next((item for item in lists if _list(item)), Seq(0)),
    "compact": lambda items: _seq(item for item in _list(items) if item not in (None, "")),
    "concat": _concat,
    "contains": _contains,
    "dirname": lambda path: posixpath.dirname(_text(path)),
    "distinct": _distinct,
    "element": _element,
    "endswith": lambda text, end: _text(text).endswith(_text(end)),
    "flatten": _flatten,
    "floor": lambda value: math.floor(_number(value)),
    "format": _format,
    "formatlist": _formatlist,
    "index": lambda items, value: _list(items).index(value),
    "join": _join,
    "jsondecode": _jsondecode,
    "jsonencode": Json,
    "keys": _keys,
    "length": _length,
    "lookup": _lookup,
    "lower": lambda text: _text(text).lower(),
    "max": lambda *values: max(map(_number, values)),
    "md5": _hash("md5"),
    "merge": _merge,
    "min": lambda *values: min(map(_number, values)),
    "nonsensitive": _same,
    "one": lambda items: None if isinstance(items, Seq) and not items else _first(items),
    "range": _range,
    "replace": _replace,
    "reverse": lambda items: _seq(reversed(_list(items))),
    "sensitive": _same,
    "setproduct": _setproduct,
    "setintersection": lambda first, *sets: _distinct(
        _seq(item for item in _list(first) if all(item in _list(one) for one in sets))
    ),
    "setsubtract": lambda first, second: _distinct(_seq(item for item in _list(first) if item not in _list(second))),
    "setunion": lambda *sets: _distinct(_concat(*sets)),
    "sha1": _hash("sha1"),
    "sha256": _hash("sha256"),
    "slice": lambda items, start, end: _seq(_list(items)[int(_number(start)) : int(_number(end))]),
    "sort": lambda items: _seq(iter(sorted(map(_text, _list(items))))),
    "split": _split,
    "startswith": lambda text, start: _text(text).startswith(_text(start)),
    "strcontains": lambda text, part: _text(part) in _text(text),
    "substr": _substr,
    "sum": lambda items: sum(map(_number, _list(items))),
    "title": lambda text: re.sub(r"\b\w", lambda match: match[0].upper(), _text(text)),
    "tobool": _bool,
    "tolist": _list,
    "tomap": _map,
    "tonumber": _number,
    "toset": _distinct,
    "tostring": _text,
    "trim": _trim,
    "trimprefix": lambda text, start: _text(text).removeprefix(_text(start)),
    "trimspace": lambda text: _text(text).strip(),
    "trimsuffix": lambda text, end: _text(text).removesuffix(_text(end)),
    "upper": lambda text: _text(text).upper(),
    "urlencode": lambda text: urllib.parse.quote_plus(_text(text)),
    "values": _values,
    "yamldecode": _yamldecode,
    "yamlencode": Json,
    "zipmap": _zipmap,
}
