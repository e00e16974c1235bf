"""``managed_policy``: the text of AWS's own managed policies, for inputs that only name them.

The table is ``data/managed.json``, made by ``tools/aws_actions/managed.py``, with the day it is from. AWS changes
these policies; an export that holds their text goes before.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from assaymark.formats.located import Map, Seq


@cache
def _table() -> dict[str, Any]:
    text = resources.files("assaymark.assess.aws").joinpath("data/managed.json").read_text(encoding="utf-8")
    found = json.loads(text)["policies"]
    return found if isinstance(found, dict) else {}


def managed_policy(name: str, line: int) -> Map | None:
    """The policy document of an AWS managed policy, on the line that names it; None when it is not known."""
    statements = _table().get(name)
    if statements is None:
        return None
    found = Map(line)
    found.put("Version", "2012-10-17", line)
    found.put("Statement", _located(statements, line), line)
    return found


def _located(value: Any, line: int) -> Any:
    if isinstance(value, dict):
        found = Map(line)
        for key, item in value.items():
            found.put(key, _located(item, line), line)
        return found
    if isinstance(value, list):
        items = Seq(line)
        for item in value:
            items.put(_located(item, line), line)
        return items
    return value
