"""JSON Schema (draft 2020-12) of the policy document, for editors; published beside docs/spec/policy.md.

``policy.parse`` is the reader, and stricter: it also refuses an id that occurs twice and a value that both meets a
condition and is no answer.
"""

from __future__ import annotations

from typing import Any, Final

from assaymark.core.limits import JSON_MAX_INTEGER, POLICY_MAX_TEXT, POLICY_MAX_THRESHOLD, POLICY_MAX_VALUES
from assaymark.core.names import NAME_FORM
from assaymark.policy.document import POLICY_FORMAT, RESERVED_IDS, SUBMITTER

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


def _closed(properties: dict[str, Any], required: list[str], **more: Any) -> dict[str, Any]:
    return {"additionalProperties": False, "properties": properties, "required": required, "type": "object"} | more


POLICY_SCHEMA: Final[dict[str, Any]] = {
    "$defs": {
        "condition": _closed(
            {
                "equals": {"$ref": "#/$defs/scalar"},
                "field": {"pattern": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+){0,15}$", "type": "string"},
                "in": _SCALARS,
                "indeterminate-when": _SCALARS,
            },
            ["field"],
            oneOf=[{"required": ["equals"]}, {"required": ["in"]}],
        ),
        "environment": _closed(
            {
                "contain": _closed({"roles": _NAMES}, ["roles"]),
                "description": _TEXT,
                "lift": _closed({"require": {"$ref": "#/$defs/requirements"}}, []),
                "require": {"$ref": "#/$defs/requirements"},
                "validity": {"pattern": "^[1-9][0-9]{0,6}(s|m|h|d)$", "type": "string"},
            },
            [],
        ),
        "requirement": _closed(
            {
                "distinct-from": {"const": [SUBMITTER]},
                "id": {**_NAME, "not": {"enum": list(RESERVED_IDS)}},
                "predicate": {**_TEXT, "pattern": "^[A-Za-z][^\\s]*:[^\\s]+$"},
                "remedy": _TEXT,
                "roles": _NAMES,
                "summary": _TEXT,
                "threshold": {"default": 1, "maximum": POLICY_MAX_THRESHOLD, "minimum": 1, "type": "integer"},
                "where": {"items": {"$ref": "#/$defs/condition"}, "type": "array"},
            },
            ["id", "predicate", "roles"],
        ),
        "requirements": {"items": {"$ref": "#/$defs/requirement"}, "type": "array"},
        "scalar": _SCALAR,
    },
    "$id": "assaymark:schema/policy-document/v1",
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Evidence policy (TOML)",
    **_closed(
        {
            "environments": {
                "additionalProperties": {"$ref": "#/$defs/environment"},
                "propertyNames": _NAME,
                "type": "object",
            },
            "format": {"const": POLICY_FORMAT},
        },
        ["format"],
    ),
}
