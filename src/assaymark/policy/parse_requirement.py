"""Strict reader of requirements and their conditions. Format: docs/spec/policy.md."""

from __future__ import annotations

import re
from typing import Any, Final

from assaymark.core.decision import Mode
from assaymark.core.limits import (
    POLICY_MAX_DIGITS,
    POLICY_MAX_REQUIREMENTS,
    POLICY_MAX_TEXT,
    POLICY_MAX_THRESHOLD,
    POLICY_MAX_VALUES,
)
from assaymark.core.names import NAME_FORM, is_name
from assaymark.core.statement import is_predicate_type
from assaymark.policy import form
from assaymark.policy.conditions import NUMERIC, number
from assaymark.policy.document import (
    RESERVED_IDS,
    SUBMITTER,
    About,
    Condition,
    Operator,
    Requirement,
    Scalar,
    same,
)

FIELD_FORM: Final = r"[A-Za-z0-9_-]+(\.([A-Za-z0-9_-]+|\*)){0,15}"
# What a policy may ask about; its own change is about the policy alone.
ABOUTS: Final = tuple(str(item) for item in About if item is not About.POLICY)
MODES: Final = tuple(str(item) for item in Mode)

# A field whose values are counted is one value of a statement: no part of its path is ``*``.
DISTINCT_FORM: Final = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,15}"

_FIELD: Final = re.compile(FIELD_FORM)
_DISTINCT: Final = re.compile(DISTINCT_FORM)
_REQUIREMENT_KEYS: Final = (
    "id",
    "summary",
    "predicate",
    "roles",
    "threshold",
    "distinct-from",
    "distinct",
    "at-least-distinct",
    "where",
    "max-age",
    "mode",
    "remedy",
)
# A condition has one of these; ``equals`` is ``in`` with one value.
_OPERATORS: Final = ("equals", *Operator)
_CONDITION_KEYS: Final = ("field", *_OPERATORS, "indeterminate-when")


def parse_requirements(table: dict[str, Any], path: str, *, of_policy: bool = False) -> tuple[Requirement, ...]:
    """The requirements below ``require``; ``of_policy`` for those that a change of the policy needs.

    Raises:
        InputError: as ``parse_policy``.
    """
    items = form.typed(table, "require", list, path, default=[])
    read = tuple(_requirement(item, f"{path}.require[{i}]", of_policy=of_policy) for i, item in enumerate(items))
    seen: set[str] = set()
    for i, requirement in enumerate(read):
        if requirement.id in seen:
            position = f"{path}.require[{i}].id"
            raise form.refused("policy-id", f"the id {requirement.id!r} occurs twice", position)
        seen.add(requirement.id)
    return read


def threshold_of(table: dict[str, Any], path: str, key: str = "threshold") -> int:
    """The threshold of a table, 1 when it is not said.

    Raises:
        InputError: ``policy-value`` or ``policy-type``.
    """
    threshold = int(form.typed(table, key, int, path, default=1))
    if not 1 <= threshold <= POLICY_MAX_THRESHOLD:
        raise form.refused("policy-value", f"a threshold is from 1 to {POLICY_MAX_THRESHOLD}", f"{path}.{key}")
    return threshold


def _requirement(item: Any, path: str, *, of_policy: bool) -> Requirement:
    table = form.table(item, path)
    form.check_keys(table, _REQUIREMENT_KEYS if of_policy else (*_REQUIREMENT_KEYS, "about"), path)
    name = form.typed(table, "id", str, path)
    if not is_name(name) or name in RESERVED_IDS:
        reserved = ", ".join(RESERVED_IDS)
        raise form.refused("policy-id", f"an id has the form {NAME_FORM} and is none of {reserved}", f"{path}.id")
    predicate = form.typed(table, "predicate", str, path)
    if not is_predicate_type(predicate) or len(predicate) > POLICY_MAX_TEXT:
        raise form.refused("policy-value", "a predicate type is a URI", f"{path}.predicate")
    conditions = form.typed(table, "where", list, path, default=[])
    if len(conditions) > POLICY_MAX_REQUIREMENTS:
        raise form.refused("policy-limit", f"more than {POLICY_MAX_REQUIREMENTS} conditions", f"{path}.where")
    distinct, at_least_distinct = _distinct(table, path)
    return Requirement(
        id=name,
        predicate=predicate,
        roles=form.names(table, "roles", path),
        threshold=threshold_of(table, path),
        summary=form.text(table, "summary", path),
        where=tuple(_condition(entry, f"{path}.where[{i}]") for i, entry in enumerate(conditions)),
        distinct_from=_distinct_from(table, path),
        remedy=form.text(table, "remedy", path),
        max_age=form.duration(table, "max-age", path) if "max-age" in table else 0,
        about=About.POLICY if of_policy else About(form.choice(table, "about", path, ABOUTS)),
        mode=Mode(form.choice(table, "mode", path, MODES)),
        distinct=distinct,
        at_least_distinct=at_least_distinct,
    )


def _distinct(table: dict[str, Any], path: str) -> tuple[str, int]:
    """The field whose values are counted and how many are needed; empty and 0 when signers are counted."""
    if "distinct" not in table and "at-least-distinct" not in table:
        return "", 0
    if "distinct" not in table or "at-least-distinct" not in table or "threshold" in table:
        raise form.refused(
            "policy-value",
            "distinct and at-least-distinct stand together, in the place of a threshold",
            path,
            'such as distinct = "scanner" and at-least-distinct = 2',
        )
    field = form.typed(table, "distinct", str, path)
    if not _DISTINCT.fullmatch(field):
        raise form.refused("policy-value", "a field is a dotted path such as tool.name", f"{path}.distinct")
    return field, threshold_of(table, path, "at-least-distinct")


def _distinct_from(table: dict[str, Any], path: str) -> tuple[str, ...]:
    if "distinct-from" not in table:
        return ()
    if form.typed(table, "distinct-from", list, path) != [SUBMITTER]:
        raise form.refused("policy-value", f'distinct-from is ["{SUBMITTER}"] or absent', f"{path}.distinct-from")
    return (SUBMITTER,)


def _condition(item: Any, path: str) -> Condition:
    table = form.table(item, path)
    form.check_keys(table, _CONDITION_KEYS, path)
    field = form.typed(table, "field", str, path)
    if not _FIELD.fullmatch(field):
        raise form.refused(
            "policy-value", "a field is a dotted path such as tool.name or findings.*.rule", f"{path}.field"
        )
    said = [key for key in _OPERATORS if key in table]
    if len(said) != 1:
        raise form.refused("policy-value", f"a condition has one of {', '.join(_OPERATORS)}", path)
    operator = Operator.IN if said == ["equals"] else Operator(said[0])
    values = _operands(table, said[0], operator, path)
    unknown = _scalars(table, "indeterminate-when", path) if "indeterminate-when" in table else ()
    if unknown and operator is Operator.CONTAINS:
        raise form.refused("policy-value", "contains knows yes and no alone", f"{path}.indeterminate-when")
    if any(same(value, other) for value in values for other in unknown if operator not in NUMERIC):
        raise form.refused(
            "policy-value", "a value both decides the condition and is no answer", f"{path}.indeterminate-when"
        )
    return Condition(field, values, unknown, operator)


def _operands(table: dict[str, Any], key: str, operator: Operator, path: str) -> tuple[Scalar, ...]:
    if key in (Operator.IN, Operator.NOT_IN):
        return _scalars(table, key, path)
    position = f"{path}.{key}"
    value = form.scalar(table[key], position)
    if operator in NUMERIC and number(value) is None:
        raise form.refused(
            "policy-value",
            f'expected an integer, or a decimal of up to {POLICY_MAX_DIGITS} digits in text, such as "0.95"',
            position,
        )
    return (value,)


def _scalars(table: dict[str, Any], key: str, path: str) -> tuple[Scalar, ...]:
    entries = form.typed(table, key, list, path)
    if not 0 < len(entries) <= POLICY_MAX_VALUES:
        raise form.refused("policy-value", f"expected 1 to {POLICY_MAX_VALUES} values", f"{path}.{key}")
    return tuple(form.scalar(entry, f"{path}.{key}[{i}]") for i, entry in enumerate(entries))
