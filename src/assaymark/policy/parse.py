"""Strict reader of the evidence policy (TOML 1.0). Format: docs/spec/policy.md."""

from __future__ import annotations

import re
from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import (
    DECISION_DEFAULT_VALIDITY_SECONDS,
    DECISION_MAX_VALIDITY_SECONDS,
    JSON_MAX_INTEGER,
    POLICY_MAX_BYTES,
    POLICY_MAX_KEY_PARTS,
    POLICY_MAX_REQUIREMENTS,
    POLICY_MAX_TEXT,
    POLICY_MAX_THRESHOLD,
    POLICY_MAX_VALUES,
)
from assaymark.core.names import NAME_FORM, is_name
from assaymark.core.statement import is_predicate_type
from assaymark.core.times import format_duration, parse_duration
from assaymark.policy.document import (
    POLICY_FORMAT,
    RESERVED_IDS,
    SUBMITTER,
    Condition,
    Environment,
    Policy,
    Requirement,
    Scalar,
    same,
)

_FIELD: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,15}")
_TOML_POSITION: Final = re.compile(r"(.*) \(at (line \d+), (column \d+)\)", re.DOTALL)
_LONG_KEY: Final = re.compile(
    r"(?<![A-Za-z0-9_-])"
    r"(?:(?:[A-Za-z0-9_-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+){" + str(POLICY_MAX_KEY_PARTS) + "}"
)

_DOCUMENT_KEYS: Final = ("format", "environments")
_ENVIRONMENT_KEYS: Final = ("description", "validity", "require", "contain", "lift")
_REQUIREMENT_KEYS: Final = (
    "id",
    "summary",
    "predicate",
    "roles",
    "threshold",
    "distinct-from",
    "where",
    "remedy",
)
_CONDITION_KEYS: Final = ("field", "equals", "in", "indeterminate-when")


def parse_policy(data: bytes) -> Policy:
    """Read an evidence policy. Every key is known, every value has the type that the format gives it.

    A policy without environments, and an environment that requires nothing, are read: they permit nothing.

    Raises:
        InputError: ``policy-size``, ``policy-utf8``, ``policy-syntax``, ``policy-format``, ``policy-key``,
            ``policy-missing``, ``policy-type``, ``policy-value``, ``policy-id``, ``policy-text`` or
            ``policy-limit``, with the line and column or the TOML path as position.
    """
    document = _toml(data)
    if document.get("format") != POLICY_FORMAT:
        raise InputError(
            "policy-format",
            f"not a policy of format {POLICY_FORMAT}",
            position="format",
            remedy=f'begin the file with: format = "{POLICY_FORMAT}"',
        )
    _check_keys(document, _DOCUMENT_KEYS, "")
    environments = _typed(document, "environments", dict, "", default={})
    read = [_environment(name, environments[name], f"environments.{name}") for name in sorted(environments)]
    requirements = sum(len(item.require) + len(item.lift or ()) for item in read)
    if requirements > POLICY_MAX_REQUIREMENTS or len(read) > POLICY_MAX_REQUIREMENTS:
        raise InputError("policy-limit", f"more than {POLICY_MAX_REQUIREMENTS} requirements or environments")
    return Policy(tuple(read))


def _toml(data: bytes) -> dict[str, Any]:
    import tomllib  # 7 ms, and few commands read a policy

    if len(data) > POLICY_MAX_BYTES:
        raise InputError("policy-size", f"{len(data)} bytes, above the limit of {POLICY_MAX_BYTES}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError("policy-utf8", "not UTF-8", position=f"byte {error.start}") from None
    long_key = _LONG_KEY.search(text)
    if long_key is not None:
        line = text.count("\n", 0, long_key.start()) + 1
        raise InputError("policy-limit", f"a key of more than {POLICY_MAX_KEY_PARTS} parts", position=f"line {line}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError("policy-limit", "nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, or int() on thousands of digits
        match = _TOML_POSITION.fullmatch(str(error))
        what, position = (match[1], f"{match[2]} {match[3]}") if match else (str(error), "")
        raise InputError("policy-syntax", f"not TOML: {what[:200]}", position=position) from None


def _environment(name: str, table: Any, path: str) -> Environment:
    if not is_name(name):
        raise InputError(
            "policy-id", f"an environment's name has the form {NAME_FORM}", position=f"environments.{name[:80]!r}"
        )
    table = _table(table, path)
    _check_keys(table, _ENVIRONMENT_KEYS, path)
    contain = _typed(table, "contain", dict, path, default={})
    _check_keys(contain, ("roles",), f"{path}.contain")
    lift: tuple[Requirement, ...] | None = None
    if "lift" in table:
        lift_table = _typed(table, "lift", dict, path)
        _check_keys(lift_table, ("require",), f"{path}.lift")
        lift = _requirements(lift_table, f"{path}.lift")
    return Environment(
        name,
        _text(table, "description", path),
        _validity(table, path),
        _requirements(table, path),
        _names(contain, "roles", f"{path}.contain") if "contain" in table else (),
        lift,
    )


def _validity(table: dict[str, Any], path: str) -> int:
    if "validity" not in table:
        return DECISION_DEFAULT_VALIDITY_SECONDS
    where = f"{path}.validity"
    try:
        seconds = parse_duration(_typed(table, "validity", str, path))
    except InputError as error:
        if error.code != "duration-form":
            raise
        raise InputError("policy-value", error.message, position=where, remedy=error.remedy) from None
    if seconds > DECISION_MAX_VALIDITY_SECONDS:
        longest = format_duration(DECISION_MAX_VALIDITY_SECONDS)
        raise InputError("policy-value", f"a decision is valid for {longest} at most", position=where)
    return seconds


def _requirements(table: dict[str, Any], path: str) -> tuple[Requirement, ...]:
    items = _typed(table, "require", list, path, default=[])
    read = tuple(_requirement(item, f"{path}.require[{i}]") for i, item in enumerate(items))
    seen: set[str] = set()
    for i, requirement in enumerate(read):
        if requirement.id in seen:
            raise InputError(
                "policy-id", f"the id {requirement.id!r} occurs twice", position=f"{path}.require[{i}].id"
            )
        seen.add(requirement.id)
    return read


def _requirement(item: Any, path: str) -> Requirement:
    table = _table(item, path)
    _check_keys(table, _REQUIREMENT_KEYS, path)
    name = _typed(table, "id", str, path)
    if not is_name(name) or name in RESERVED_IDS:
        raise InputError(
            "policy-id",
            f"an id has the form {NAME_FORM} and is none of {', '.join(RESERVED_IDS)}",
            position=f"{path}.id",
        )
    predicate = _typed(table, "predicate", str, path)
    if not is_predicate_type(predicate) or len(predicate) > POLICY_MAX_TEXT:
        raise InputError("policy-value", "a predicate type is a URI", position=f"{path}.predicate")
    threshold = _typed(table, "threshold", int, path, default=1)
    if not 1 <= threshold <= POLICY_MAX_THRESHOLD:
        raise InputError(
            "policy-value", f"a threshold is from 1 to {POLICY_MAX_THRESHOLD}", position=f"{path}.threshold"
        )
    conditions = _typed(table, "where", list, path, default=[])
    if len(conditions) > POLICY_MAX_REQUIREMENTS:
        raise InputError("policy-limit", f"more than {POLICY_MAX_REQUIREMENTS} conditions", position=f"{path}.where")
    return Requirement(
        id=name,
        predicate=predicate,
        roles=_names(table, "roles", path),
        threshold=threshold,
        summary=_text(table, "summary", path),
        where=tuple(_condition(entry, f"{path}.where[{i}]") for i, entry in enumerate(conditions)),
        distinct_from=_distinct_from(table, path),
        remedy=_text(table, "remedy", path),
    )


def _condition(item: Any, path: str) -> Condition:
    table = _table(item, path)
    _check_keys(table, _CONDITION_KEYS, path)
    field = _typed(table, "field", str, path)
    if not _FIELD.fullmatch(field):
        raise InputError("policy-value", "a field is a dotted path such as tool.name", position=f"{path}.field")
    if ("equals" in table) == ("in" in table):
        raise InputError("policy-value", "a condition has one of equals and in", position=path)
    values = (_scalar(table["equals"], f"{path}.equals"),) if "equals" in table else _scalars(table, "in", path)
    indeterminate = _scalars(table, "indeterminate-when", path) if "indeterminate-when" in table else ()
    if any(same(value, other) for value in values for other in indeterminate):
        raise InputError(
            "policy-value", "a value both meets the condition and is no answer", position=f"{path}.indeterminate-when"
        )
    return Condition(field, values, indeterminate)


def _distinct_from(table: dict[str, Any], path: str) -> tuple[str, ...]:
    if "distinct-from" not in table:
        return ()
    entries = _typed(table, "distinct-from", list, path)
    if entries != [SUBMITTER]:
        raise InputError(
            "policy-value", f'distinct-from is ["{SUBMITTER}"] or absent', position=f"{path}.distinct-from"
        )
    return (SUBMITTER,)


def _names(table: dict[str, Any], key: str, path: str) -> tuple[str, ...]:
    where = f"{path}.{key}"
    entries = _typed(table, key, list, path)
    if not 0 < len(entries) <= POLICY_MAX_VALUES or not all(is_name(entry) for entry in entries):
        raise InputError("policy-value", f"expected one or more names of the form {NAME_FORM}", position=where)
    if len(set(entries)) != len(entries):
        raise InputError("policy-value", "a name occurs twice", position=where)
    return tuple(entries)


def _scalars(table: dict[str, Any], key: str, path: str) -> tuple[Scalar, ...]:
    entries = _typed(table, key, list, path)
    if not 0 < len(entries) <= POLICY_MAX_VALUES:
        raise InputError("policy-value", f"expected 1 to {POLICY_MAX_VALUES} values", position=f"{path}.{key}")
    return tuple(_scalar(entry, f"{path}.{key}[{i}]") for i, entry in enumerate(entries))


def _scalar(value: Any, position: str) -> Scalar:
    if isinstance(value, str):
        return _printable(value, position)
    if isinstance(value, int) and abs(value) <= JSON_MAX_INTEGER:  # a bool is an int here
        return value
    raise InputError("policy-type", "expected text, an integer below 2**53 or a boolean", position=position)


def _text(table: dict[str, Any], key: str, path: str) -> str:
    return _printable(_typed(table, key, str, path, default=""), f"{path}.{key}")


def _printable(text: str, position: str) -> str:
    if len(text) > POLICY_MAX_TEXT or not text.isprintable():
        raise InputError(
            "policy-text", f"text is printable, on one line and up to {POLICY_MAX_TEXT} characters", position=position
        )
    return text


def _table(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError("policy-type", "expected a table", position=path)
    return value


_TYPE_NAMES: Final[dict[type, str]] = {str: "text", int: "an integer", dict: "a table", list: "an array"}


def _typed(table: dict[str, Any], key: str, kind: type, path: str, *, default: Any = None) -> Any:
    where = f"{path}.{key}".lstrip(".")
    if key not in table:
        if default is None:
            raise InputError("policy-missing", f"{key} is missing", position=where)
        return default
    value = table[key]
    if type(value) is not kind:  # exact: a bool is no integer
        raise InputError("policy-type", f"expected {_TYPE_NAMES[kind]}", position=where)
    return value


def _check_keys(table: dict[str, Any], known: tuple[str, ...], path: str) -> None:
    for key in table:
        if key not in known:
            nearest = _nearest(key, known)
            raise InputError(
                "policy-key",
                f"unknown key {key[:80]!r}; known here: {', '.join(known)}",
                position=f"{path}.{_shown(key)}".lstrip("."),
                remedy=f"did you mean {nearest}?",
            )


def _shown(key: str) -> str:
    return key[:80] if key[:80].isprintable() else repr(key[:80])


def _nearest(key: str, known: tuple[str, ...]) -> str:
    import difflib  # only on the way to an error

    return max(known, key=lambda name: difflib.SequenceMatcher(None, key[:80], name).ratio())
