"""Values as Go's and Helm's templates handle them: as YAML, as numbers, merged, formatted.

Sources: Sprig's documentation; Go's package fmt; Helm, "Values Files".
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import TEMPLATE_MAX_OUTPUT
from assaymark.formats.helm.templates import shown, truth

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./+=~](?:[-\w./@%+=~*,()$;&!?^<>| ]|:(?! |$))*(?<! )")
_SPECIAL: Final = re.compile(
    r"(?i)~|null|true|false|yes|no|on|off|y|n|[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[-+]?\d+)?|0x[\da-f]+|0o[0-7]+|[-+]?\.inf|\.nan|="
)


def to_yaml(value: Any, indent: int = 0) -> str:
    """A value in block style, keys in order; texts that would be something else are quoted."""
    blank = " " * indent
    if isinstance(value, dict) and value:
        lines = []
        for key, item in sorted(value.items(), key=lambda pair: str(pair[0])):
            nested = isinstance(item, (dict, list)) and bool(item)
            inner = to_yaml(item, indent + (2 if isinstance(item, dict) else 0)) if nested else _scalar(item)
            lines.append(f"{blank}{_scalar(str(key))}:" + (f"\n{inner}" if nested else f" {inner}"))
        return "\n".join(lines)
    if isinstance(value, list) and value:
        lines = []
        for item in value:
            nested = isinstance(item, (dict, list)) and bool(item)
            inner = to_yaml(item, indent + 2).lstrip(" ") if nested else _scalar(item)
            lines.append(f"{blank}- {inner}")
        return "\n".join(lines)
    return blank + _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, (bool, int, float)):
        return shown(as_json(value))
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    text = str(value)
    return text if _PLAIN.fullmatch(text) and not _SPECIAL.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def from_yaml(text: Any) -> Any:
    """The first document of a text; None for none."""
    from assaymark.formats.located_yaml import read_located_yaml

    values = [one for one in read_located_yaml(str(text)) if one is not None]
    return values[0] if values else None


def number(value: Any) -> int:
    """A whole number; 0 for what is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return int(value)
    match = re.match(r"\s*[-+]?\d+", str(value or ""))
    return int(match[0]) if match else 0


def floating(value: Any) -> float:
    """A number; 0 for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def equal(first: Any, *others: Any) -> bool:
    """Whether one is any of the others; booleans are no numbers."""
    return any(first == one and isinstance(first, bool) == isinstance(one, bool) for one in others)


def less(one: Any, other: Any) -> bool:
    """Whether one comes before the other.

    Raises:
        TypeError: a text and a number.
    """
    if isinstance(one, str) != isinstance(other, str):
        raise TypeError("two kinds")
    return bool(one < other)


def index_of(value: Any, *keys: Any) -> Any:
    """What lies under keys and positions, one after the other."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, (list, str)):
            value = value[key] if 0 <= key < len(value) else fail("an index that is not there")
        else:
            fail("index of nothing")
    return value


def fail(message: Any = "") -> Any:
    """Ends the template.

    Raises:
        InputError: ``template-go``.
    """
    raise InputError("template-go", f"the template fails: {str(message)[:200]}")


def required(message: Any, value: Any) -> Any:
    """The value; ends the template when there is none."""
    return fail(message) if value is None or value == "" else value


def formatted(pattern: Any, *values: Any) -> str:
    """Go's Printf as far as charts use it."""
    given = list(values)

    def one(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        if not given:
            return f"%!{match[2]}(MISSING)"
        value, verb = given.pop(0), match[2]
        if value is None and verb != "v":
            return f"%!{verb}(<nil>)"
        if verb == "q":
            return json.dumps(shown(value), ensure_ascii=False)
        if verb in "xX" and isinstance(value, (int, str)):
            text = format(value, "x") if isinstance(value, int) else value.encode().hex()
        elif verb in "fgeF":
            text = format(floating(value), (match[1] or "").replace("-", "") + verb)
        elif verb == "T":
            text = kind_of(value)
        elif verb == "d":
            text = str(number(value))
        else:
            text = "<nil>" if value is None and verb == "v" else shown(value)
        flags = re.fullmatch(r"(-?)(0?)(\d{0,3})(?:\.(\d{0,3}))?", match[1] or "")
        if flags and verb not in "fgeF":
            text = text[: int(flags[4])] if flags[4] and verb == "s" else text
            width = int(flags[3] or 0)
            text = text.ljust(width) if flags[1] else text.rjust(width, "0" if flags[2] else " ")
        return text

    return re.sub(r"%([-+#]?[\d.]*)([a-zA-Z%])", one, str(pattern))


def kind_of(value: Any) -> str:
    """The kind as Go's reflection names it."""
    for kinds, name in (
        ((bool,), "bool"),
        ((int,), "int"),
        ((float,), "float64"),
        ((str,), "string"),
        ((dict,), "map"),
        ((list,), "slice"),
    ):
        if isinstance(value, kinds):
            return name
    return "invalid"


def merged(target: dict[str, Any], *sources: Any, over: bool) -> dict[str, Any]:
    """The first, changed to hold what the others hold too; ``over``: theirs counts."""
    for source in sources:
        for key, value in source.items() if isinstance(source, dict) else ():
            known = target.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                merged(known, value, over=over)
            elif key not in target or (over and value is not None) or (not over and not truth(known)):
                target[key] = deep_copy(value)
    return target


def filled(given: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """What a chart is given, with its own values where nothing is said. Nothing (null) takes a value away.

    Source: Helm, "Values Files", "Deleting a default key": what is empty, zero or false is a value as any other.
    """
    found: dict[str, Any] = deep_copy(given)
    for key, value in usual.items():
        if key not in found:
            if value is not None:
                found[key] = deep_copy(value)
        elif found[key] is None:
            del found[key]
        elif isinstance(found[key], dict) and isinstance(value, dict):
            found[key] = filled(found[key], value)
    return found


def as_read(values: Any) -> Any:
    """Values as Helm reads them: large numbers are floating ones, which print as ``1e+06``."""
    if isinstance(values, dict):
        return {key: as_read(item) for key, item in values.items()}
    if isinstance(values, list):
        return [as_read(item) for item in values]
    whole = isinstance(values, int) and not isinstance(values, bool) and 10**6 <= abs(values) < 10**300
    return float(values) if whole else values


def as_json(value: Any) -> Any:
    """Values as JSON has them: whole numbers without a point."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value  # noqa: PLR2004


def deep_copy(value: Any) -> Any:
    """Maps and lists anew, as plain ones."""
    if isinstance(value, dict):
        return {key: deep_copy(item) for key, item in value.items()}
    return [deep_copy(item) for item in value] if isinstance(value, list) else value


def printed(*values: Any) -> str:
    """Go's Sprint: a blank stands between two of which none is a text."""
    found = ""
    for at, value in enumerate(values):
        apart = at and not isinstance(value, str) and not isinstance(values[at - 1], str)
        found += f"{' ' if apart else ''}{shown(value)}"
    return found


def put(target: dict[str, Any], key: Any, value: Any) -> dict[str, Any]:
    """A mapping, changed to hold one entry more."""
    target[str(key)] = value
    return target


def dropped(target: dict[str, Any], key: Any) -> dict[str, Any]:
    """A mapping, changed to lack an entry."""
    target.pop(str(key), None)
    return target


def dig(*arguments: Any) -> Any:
    """What lies under keys, or the default that stands before the mapping."""
    *keys, default, value = arguments
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return default
        value = value[key]
    return value


def pairs_of(*pairs: Any) -> dict[str, Any]:
    """A mapping of keys and values in turn."""
    return {shown(pairs[at]): pairs[at + 1] if at + 1 < len(pairs) else "" for at in range(0, len(pairs), 2)}


def bounded(size: int) -> None:
    """Refuses a text that would be longer than what a template may print.

    Raises:
        InputError: ``template-go``.
    """
    if size > TEMPLATE_MAX_OUTPUT:
        raise InputError("template-go", "a text that is too long")


def replaced(text: str, old: str, new: str) -> str:
    """A text with another in place of each occurrence of one."""
    bounded(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new)


def indented(count: Any, text: Any) -> str:
    """A text with blanks before each line."""
    blank = " " * max(min(number(count), 200), 0)
    return blank + replaced(shown(text), "\n", f"\n{blank}")


def numbers(*arguments: Any) -> list[int]:
    """Whole numbers as ``until`` and ``untilStep`` give them, at most 10,000."""
    start, stop, step = {1: (0, *arguments, 1), 2: (*arguments, 1)}.get(len(arguments), arguments)
    return list(range(number(start), number(stop), number(step) or 1)[:10_000])


def sequence(*arguments: Any) -> str:
    """Whole numbers as ``seq`` gives them: the last; first and last; first, step and last, which is among them."""
    given = [number(one) for one in arguments]
    first, last = (1, given[0]) if len(given) == 1 else (given[0], given[-1])
    step = given[1] if len(given) == 3 else 1 if first <= last else -1  # noqa: PLR2004
    if not step:
        return ""
    return " ".join(str(one) for one in range(first, last + (1 if step > 0 else -1), step)[:10_000])
