"""JSON Schema (draft 2020-12) of the policy document, for editors; published beside docs/spec/policy.md.

``policy.parse`` is the reader, and stricter: it also refuses an id that occurs twice, a value that both meets a
condition and is no answer, a parent that is unknown or inherits from its child, and a ``[policy]`` that enforces
nothing.
"""

from __future__ import annotations

from typing import Any, Final

from assaymark.core.limits import (
    JSON_MAX_INTEGER,
    POLICY_MAX_DIGITS,
    POLICY_MAX_TEXT,
    POLICY_MAX_THRESHOLD,
    POLICY_MAX_VALUES,
)
from assaymark.core.names import NAME_FORM
from assaymark.policy.conditions import NUMERIC
from assaymark.policy.document import POLICY_ENVIRONMENT, POLICY_FORMAT, RESERVED_IDS, SUBMITTER, Operator
from assaymark.policy.parse import LINEAGES
from assaymark.policy.parse_requirement import ABOUTS, DISTINCT_FORM, FIELD_FORM, MODES

_NAME: Final = {"pattern": f"^{NAME_FORM}$", "type": "string"}
_NAMES: Final = {"items": _NAME, "maxItems": POLICY_MAX_VALUES, "minItems": 1, "type": "array", "uniqueItems": True}
_TEXT: Final = {"maxLength": POLICY_MAX_TEXT, "type": "string"}
_SCALAR: Final = {
    "anyOf": [
        _TEXT,
        {"maximum": JSON_MAX_INTEGER, "minimum": -JSON_MAX_INTEGER, "type": "integer"},
        {"type": "boolean"},
    ]
}
_SCALARS: Final = {"items": {"$ref": "#/$defs/scalar"}, "maxItems": POLICY_MAX_VALUES, "minItems": 1, "type": "array"}


_NUMBER: Final = {
    "anyOf": [
        {"maximum": JSON_MAX_INTEGER, "minimum": -JSON_MAX_INTEGER, "type": "integer"},
        {
            "pattern": f"^-?(0|[1-9][0-9]{{0,{POLICY_MAX_DIGITS - 1}}})(\\.[0-9]{{1,{POLICY_MAX_DIGITS}}})?$",
            "type": "string",
        },
    ]
}
_DURATION: Final = {"pattern": "^[1-9][0-9]{0,6}(s|m|h|d)$", "type": "string"}
_THRESHOLD: Final = {"default": 1, "maximum": POLICY_MAX_THRESHOLD, "minimum": 1, "type": "integer"}
_CONDITIONS: Final[dict[str, Any]] = {
    "equals": {"$ref": "#/$defs/scalar"},
    **{str(key): {"$ref": "#/$defs/number"} for key in sorted(NUMERIC)},
    str(Operator.CONTAINS): {"$ref": "#/$defs/scalar"},
    str(Operator.IN): _SCALARS,
    str(Operator.NOT_IN): _SCALARS,
}


def _closed(properties: dict[str, Any], required: list[str], **more: Any) -> dict[str, Any]:
    return {"additionalProperties": False, "properties": properties, "required": required, "type": "object"} | {
        key.rstrip("_"): value for key, value in more.items()
    }


POLICY_SCHEMA: Final[dict[str, Any]] = {
    "$defs": {
        "condition": _closed(
            {
                **_CONDITIONS,
                "field": {"pattern": f"^{FIELD_FORM}$", "type": "string"},
                "indeterminate-when": _SCALARS,
            },
            ["field"],
            not_={"required": ["contains", "indeterminate-when"]},
            oneOf=[{"required": [key]} for key in sorted(_CONDITIONS)],
        ),
        "environment": _closed(
            {
                "contain": _closed({"roles": _NAMES}, ["roles"]),
                "description": _TEXT,
                "exceptions": _closed(
                    {"max-duration": {**_DURATION, "default": "90d"}, "roles": _NAMES, "threshold": _THRESHOLD},
                    ["roles"],
                ),
                "inherits": _NAME,
                "lift": _closed({"require": {"$ref": "#/$defs/requirements"}}, []),
                "lineage": {"default": LINEAGES[0], "enum": list(LINEAGES)},
                "require": {"$ref": "#/$defs/requirements"},
                "validity": _DURATION,
            },
            [],
        ),
        "requirement": _closed(
            {
                "about": {"default": ABOUTS[0], "enum": list(ABOUTS)},
                "at-least-distinct": {"maximum": POLICY_MAX_THRESHOLD, "minimum": 1, "type": "integer"},
                "distinct": {"pattern": f"^{DISTINCT_FORM}$", "type": "string"},
                "distinct-from": {"const": [SUBMITTER]},
                "id": {**_NAME, "not": {"enum": list(RESERVED_IDS)}},
                "max-age": _DURATION,
                "mode": {"default": MODES[0], "enum": list(MODES)},
                "predicate": {**_TEXT, "pattern": "^[A-Za-z][^\\s]*:[^\\s]+$"},
                "remedy": _TEXT,
                "roles": _NAMES,
                "summary": _TEXT,
                "threshold": _THRESHOLD,
                "where": {"items": {"$ref": "#/$defs/condition"}, "type": "array"},
            },
            ["id", "predicate", "roles"],
            dependentRequired={"at-least-distinct": ["distinct"], "distinct": ["at-least-distinct"]},
            not_={"required": ["distinct", "threshold"]},
        ),
        "requirements": {"items": {"$ref": "#/$defs/requirement"}, "type": "array"},
        "number": _NUMBER,
        "scalar": _SCALAR,
    },
    "$id": "assaymark:schema/policy-document/v1",
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Evidence policy (TOML)",
    **_closed(
        {
            "environments": {
                "additionalProperties": {"$ref": "#/$defs/environment"},
                "propertyNames": {**_NAME, "not": {"const": POLICY_ENVIRONMENT}},
                "type": "object",
            },
            "format": {"const": POLICY_FORMAT},
            "policy": _closed(
                {
                    "require": {
                        "items": {"allOf": [{"$ref": "#/$defs/requirement"}, {"not": {"required": ["about"]}}]},
                        "type": "array",
                    }
                },
                [],
            ),
        },
        ["format"],
    ),
}
