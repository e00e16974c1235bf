"""The functions of Helm's templates: Go's own, those of Sprig, and Helm's additions.

Sources: Helm's "Template Function List", Sprig's documentation, Go's text/template, "Functions". What a cluster or
chance would decide is fixed: ``lookup`` finds nothing, random texts and certificates are placeholders, the day is the
first of 2000. Functions that are not here make a template unreadable, which is said.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.helm.patterns import pattern as pattern_of
from assaymark.formats.helm.templates import shown, truth
from assaymark.formats.helm.values import (
    as_json,
    bounded,
    deep_copy,
    dig,
    dropped,
    equal,
    fail,
    floating,
    formatted,
    from_yaml,
    indented,
    index_of,
    kind_of,
    less,
    merged,
    number,
    numbers,
    pairs_of,
    printed,
    put,
    replaced,
    required,
    sequence,
    to_yaml,
)
from assaymark.formats.helm.versions import satisfies, version_of
from assaymark.formats.located import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.helm.templates import Templates

_PLACEHOLDER: Final = "placeholder"


def _include(templates: Templates, depth: int, steps: list[int], name: Any, dot: Any = None) -> str:
    return templates.print(str(name), dot, depth, steps)


def _tpl(templates: Templates, depth: int, steps: list[int], text: Any, dot: Any) -> str:
    name = f"tpl:{hashlib.sha256(str(text).encode('utf-8', 'surrogatepass')).hexdigest()}"
    templates.parse(name, str(text))
    return templates.print(name, dot, depth, steps)


_include.includes = True  # type: ignore[attr-defined]
_tpl.includes = True  # type: ignore[attr-defined]


def _texts(value: Any) -> list[str]:
    return [shown(one) for one in value] if isinstance(value, list) else [] if value is None else [shown(value)]


def _split(separator: Any, text: Any) -> dict[str, str]:
    return {f"_{index}": part for index, part in enumerate(shown(text).split(shown(separator)))}


def _quoted(value: Any) -> str:
    return json.dumps(shown(value), ensure_ascii=False)


def _repeated(count: Any, text: Any) -> str:
    bounded(len(shown(text)) * max(number(count), 0))
    return shown(text) * number(count)


def _cut(count: Any, text: Any) -> str:
    return shown(text)[: number(count)] if number(count) >= 0 else shown(text)[number(count) :]


def _end(stop: Any) -> int | None:
    return None if number(stop) < 0 else number(stop)


def _sha1(text: Any) -> str:
    return hashlib.sha1(shown(text).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _substituted(pattern: Any, text: Any, new: Any) -> str:
    found = pattern_of(pattern, shown(text))
    bounded(len(shown(text)) + (len(shown(text)) + 1) * len(shown(new)))
    return found.sub(re.sub(r"\$\{?(\d+)\}?", r"\\\1", shown(new)), shown(text))


def _found(pattern: Any, text: Any) -> list[str]:
    return [match[0] for match in pattern_of(pattern, shown(text)).finditer(shown(text))]


def _parted(pattern: Any, text: Any, count: Any) -> list[str]:
    """What stands between what a pattern finds, at most so many parts."""
    whole, most, parts, start = shown(text), number(count), list[str](), 0
    for match in pattern_of(pattern, whole).finditer(whole):
        if len(parts) + 1 == most:
            break
        if match.end() > 0 and (match.end() > match.start() or match.start() < len(whole)):
            parts.append(whole[start : match.start()])
            start = match.end()
    return [*parts, whole[start:]] if most else []


def _shortened(text: str, most: int) -> str:
    return f"{text[: most - 3]}..." if 3 < most < len(text) else text  # noqa: PLR2004


def _from_yaml(text: Any) -> Any:
    """A mapping; what is none is said in it, as Helm does."""
    try:
        found = from_yaml(text)
    except InputError as error:
        return {"Error": error.message}
    return {} if found is None else found if isinstance(found, dict) else {"Error": "it is no mapping"}


def _joined(separator: Any, values: Any) -> str:
    texts = _texts(values)
    bounded(sum(map(len, texts)) + len(texts) * len(shown(separator)))
    return shown(separator).join(texts)


_TYPES: Final = {"map": "map[string]interface {}", "slice": "[]interface {}"}
_CHANCE: Final = (
    *("randAlphaNum", "randAlpha", "randNumeric", "randAscii", "randBytes", "uuidv4", "genPrivateKey", "htpasswd"),
    *("bcrypt", "derivePassword"),
)
_MUST: Final = (
    *("toJson", "fromJson", "first", "last", "rest", "initial", "append", "prepend", "has", "uniq", "merge", "slice"),
    *("mergeOverwrite", "deepCopy", "regexMatch", "regexFind", "regexReplaceAll", "toYaml", "compact", "reverse"),
    "without",
)


def functions() -> dict[str, Callable[..., Any]]:
    """All of them by name."""
    found: dict[str, Callable[..., Any]] = {
        "and": lambda *values: next((one for one in values if not truth(one)), values[-1]),
        "or": lambda *values: next((one for one in values if truth(one)), values[-1]),
        "not": lambda value: not truth(value),
        "eq": equal,
        "ne": lambda one, other: not equal(one, other),
        "lt": less,
        "le": lambda one, other: not less(other, one),
        "gt": lambda one, other: less(other, one),
        "ge": lambda one, other: not less(one, other),
        "len": len,
        "index": index_of,
        "slice": lambda value, start=0, stop=None: value[start:stop],
        "print": printed,
        "println": lambda *values: " ".join(map(shown, values)) + "\n",
        "printf": formatted,
        "call": lambda function, *values: function(*values),
        "html": shown,
        "urlquery": lambda value: re.sub(r"[^\w.~-]", lambda match: f"%{ord(match[0]):02X}", shown(value)),
        "include": _include,
        "tpl": _tpl,
        "required": required,
        "fail": fail,
        "lookup": lambda *_: {},
        "toYaml": lambda value: to_yaml(value),  # noqa: PLW0108 - it takes no indentation
        "toYamlPretty": lambda value: to_yaml(value),  # noqa: PLW0108
        "fromYaml": _from_yaml,
        "fromYamlArray": lambda text: from_yaml(text) or [],
        "toJson": lambda value: json.dumps(as_json(value), sort_keys=True, separators=(",", ":")),
        "toPrettyJson": lambda value: json.dumps(as_json(value), sort_keys=True, indent=2),
        "fromJson": lambda text: read_json(str(text)),
        "fromJsonArray": lambda text: read_json(str(text)),
        "default": lambda default, value=None: value if truth(value) else default,
        "empty": lambda value: not truth(value),
        "coalesce": lambda *values: next((one for one in values if truth(one)), None),
        "all": lambda *values: all(map(truth, values)),
        "any": lambda *values: any(map(truth, values)),
        "ternary": lambda yes, no, test: yes if truth(test) else no,
        "quote": lambda *values: " ".join(_quoted(one) for one in values if one is not None),
        "squote": lambda *values: " ".join(f"'{shown(one)}'" for one in values if one is not None),
        "cat": lambda *values: " ".join(shown(one) for one in values if one is not None),
        "indent": indented,
        "nindent": lambda count, text: "\n" + indented(count, text),
        "repeat": _repeated,
        "replace": lambda old, new, text: replaced(shown(text), shown(old), shown(new)),
        "trunc": _cut,
        "substr": lambda start, stop, text: shown(text)[max(number(start), 0) : _end(stop)],
        "contains": lambda part, text: shown(part) in shown(text),
        "hasPrefix": lambda part, text: shown(text).startswith(shown(part)),
        "hasSuffix": lambda part, text: shown(text).endswith(shown(part)),
        "trim": lambda text: shown(text).strip(),
        "trimAll": lambda letters, text: shown(text).strip(shown(letters)),
        "trimPrefix": lambda part, text: shown(text).removeprefix(shown(part)),
        "trimSuffix": lambda part, text: shown(text).removesuffix(shown(part)),
        "abbrev": lambda most, text: _shortened(shown(text), number(most)),
        "initials": lambda text: "".join(word[0] for word in shown(text).split()),
        "swapcase": lambda text: shown(text).swapcase(),
        "upper": lambda text: shown(text).upper(),
        "lower": lambda text: shown(text).lower(),
        "title": lambda text: re.sub(r"\b\w", lambda match: match[0].upper(), shown(text)),
        "nospace": lambda text: re.sub(r"\s", "", shown(text)),
        "snakecase": lambda text: re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-\s]+", "_", shown(text)).lower(),
        "kebabcase": lambda text: re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\s]+", "-", shown(text)).lower(),
        "camelcase": lambda text: re.sub(r"(?:^|[-_\s]+)(\w)", lambda match: match[1].upper(), shown(text)),
        "toString": shown,
        "toStrings": _texts,
        "int": number,
        "int64": number,
        "float64": floating,
        "atoi": number,
        "toDecimal": lambda value: int(str(value), 8),
        "add": lambda *values: sum(map(number, values)),
        "add1": lambda value: number(value) + 1,
        "sub": lambda one, other: number(one) - number(other),
        "mul": lambda *values: math.prod(map(number, values[:8])),
        "div": lambda one, other: int(number(one) / number(other)),
        "mod": lambda one, other: math.fmod(number(one), number(other)).__trunc__(),
        "addf": lambda *values: sum(map(floating, values)),
        "mulf": lambda *values: math.prod(map(floating, values)),
        "divf": lambda one, other: floating(one) / floating(other),
        "subf": lambda one, other: floating(one) - floating(other),
        "max": lambda *values: max(map(number, values)),
        "min": lambda *values: min(map(number, values)),
        "floor": lambda value: float(math.floor(floating(value))),
        "ceil": lambda value: float(math.ceil(floating(value))),
        "round": lambda value, places=0: round(floating(value), number(places)),
        "list": lambda *values: list(values),
        "tuple": lambda *values: list(values),
        "first": lambda values: values[0] if values else None,
        "last": lambda values: values[-1] if values else None,
        "rest": lambda values: list(values[1:]),
        "initial": lambda values: list(values[:-1]),
        "append": lambda values, value: [*(values or ()), value],
        "prepend": lambda values, value: [value, *(values or ())],
        "concat": lambda *lists: [one for some in lists for one in some or ()],
        "has": lambda value, values: any(equal(value, one) for one in values or ()),
        "without": lambda values, *dropped: [one for one in values if one not in dropped],
        "uniq": lambda values: [one for at, one in enumerate(values) if one not in values[:at]],
        "compact": lambda values: [one for one in values if truth(one)],
        "reverse": lambda values: list(reversed(values)),
        "sortAlpha": lambda values: sorted(_texts(values)),
        "join": _joined,
        "split": _split,
        "splitList": lambda separator, text: shown(text).split(shown(separator)),
        "splitn": lambda separator, count, text: {
            f"_{at}": part for at, part in enumerate(shown(text).split(shown(separator), max(number(count) - 1, 0)))
        },
        "until": numbers,
        "untilStep": numbers,
        "seq": sequence,
        "chunk": lambda count, values: [
            values[at : at + max(number(count), 1)] for at in range(0, len(values), max(number(count), 1))
        ],
        "dict": pairs_of,
        "get": lambda values, key: values.get(shown(key), ""),
        "set": put,
        "unset": dropped,
        "hasKey": lambda values, key: shown(key) in (values or {}),
        "keys": lambda *maps: sorted(str(key) for one in maps for key in one or {}),
        "values": lambda values: [values[key] for key in sorted(values, key=str)],
        "pick": lambda values, *keys: {key: values[key] for key in keys if key in values},
        "omit": lambda values, *keys: {key: value for key, value in values.items() if key not in keys},
        "pluck": lambda key, *maps: [one[key] for one in maps if key in one],
        "dig": dig,
        "merge": lambda target, *sources: merged(target, *sources, over=False),
        "mergeOverwrite": lambda target, *sources: merged(target, *sources, over=True),
        "deepCopy": deep_copy,
        "kindOf": kind_of,
        "kindIs": lambda name, value: kind_of(value) == name,
        "typeOf": lambda value: _TYPES.get(kind_of(value), kind_of(value)),
        "typeIsLike": lambda name, value: kind_of(value) == shown(name).removeprefix("*"),
        "typeIs": lambda name, value: kind_of(value) == name,
        "deepEqual": lambda one, other: one == other,
        "b64enc": lambda text: base64.b64encode(shown(text).encode("utf-8", "replace")).decode(),
        "b64dec": lambda text: base64.b64decode(shown(text) + "==").decode("utf-8", "replace"),
        "sha256sum": lambda text: hashlib.sha256(shown(text).encode("utf-8", "replace")).hexdigest(),
        "sha512sum": lambda text: hashlib.sha512(shown(text).encode("utf-8", "replace")).hexdigest(),
        "sha1sum": _sha1,
        "regexMatch": lambda pattern, text: bool(pattern_of(pattern, shown(text)).search(shown(text))),
        "regexFind": lambda pattern, text: (pattern_of(pattern, shown(text)).search(shown(text)) or [""])[0],
        "regexFindAll": lambda pattern, text, count: _found(pattern, text)[: _end(count)],
        "regexSplit": _parted,
        "regexQuoteMeta": lambda text: re.escape(shown(text)),
        "regexReplaceAll": _substituted,
        "base": lambda path: shown(path).rstrip("/").rpartition("/")[2] or shown(path),
        "dir": lambda path: posixpath.dirname(shown(path)) or ".",
        "ext": lambda path: posixpath.splitext(shown(path))[1],
        "clean": lambda path: posixpath.normpath(shown(path)),
        "isAbs": lambda path: shown(path).startswith("/"),
        "untitle": lambda text: re.sub(r"\b\w", lambda match: match[0].lower(), shown(text)),
        "plural": lambda one, many, count: one if number(count) == 1 else many,
        "randInt": lambda least, _most: number(least),
        "unixEpoch": lambda *_: "946684800",
        "getHostByName": lambda _name: "",
        "semverCompare": satisfies,
        "semver": lambda text: dict(zip(("Major", "Minor", "Patch"), version_of(text), strict=True)),
        "now": lambda: "2000-01-01T00:00:00Z",
        "date": lambda *_: "2000-01-01",
        "dateInZone": lambda *_: "2000-01-01",
        "genCA": lambda *_: {"Cert": _PLACEHOLDER, "Key": _PLACEHOLDER},
        "genSignedCert": lambda *_: {"Cert": _PLACEHOLDER, "Key": _PLACEHOLDER},
        "genSelfSignedCert": lambda *_: {"Cert": _PLACEHOLDER, "Key": _PLACEHOLDER},
    }
    found |= {name: lambda *_: _PLACEHOLDER for name in _CHANCE}
    found |= {"toRawJson": found["toJson"], "ago": found["now"], "htmlDate": found["date"], "biggest": found["max"]}
    found["regexReplaceAllLiteral"] = found["regexReplaceAll"]
    return found | {f"must{name[0].upper()}{name[1:]}": found[name] for name in _MUST}
