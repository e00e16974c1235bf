"""``Roles``: which permissions a role has: custom ones as the files say, predefined ones by ``data/roles.json``.

The table is condensed from Google's reference of predefined roles to the permissions that are asked about; a role
that is in neither is unknown, never empty. Basic roles do not hold the objects of buckets and the rows of datasets:
these come with the convenience members of a bucket's or dataset's own policy.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.gcp import Role

OWNER = "roles/owner"


@cache
def _table() -> dict[str, Any]:
    text = resources.files("assaymark.assess.gcp").joinpath("data/roles.json").read_text(encoding="utf-8")
    found = json.loads(text)["roles"]
    return found if isinstance(found, dict) else {}


@cache
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    parts = [".*".join(map(re.escape, one.split("*"))) for one in patterns]
    return re.compile("|".join(parts)) if parts else None


class Roles:
    """The roles of an estate, with what each allows remembered."""

    def __init__(self, custom: Mapping[str, Role]) -> None:
        self._custom = custom
        self._known: dict[tuple[str, str], State] = {}

    def has(self, role: str, permission: str) -> State:
        """Whether a role has a permission; UNKNOWN for a role that is not known."""
        key = (role, permission)
        if key not in self._known:
            self._known[key] = self._has(role, permission)
        return self._known[key]

    def known(self, role: str) -> bool:
        """Whether it is known what the role allows."""
        return role in self._custom or (role in _table() and not isinstance(role, Unresolved))

    def _has(self, role: str, permission: str) -> State:
        if role in self._custom:
            permissions = self._custom[role].permissions
            if permission in permissions:
                return State.YES
            return State.UNKNOWN if any(isinstance(one, Unresolved) for one in permissions) else State.NO
        found = _table().get(role)
        if found is None or isinstance(role, Unresolved):
            return State.UNKNOWN
        allow, without = (found["allow"], found["except"]) if isinstance(found, dict) else (found, ())
        allowed, left = _pattern(tuple(allow)), _pattern(tuple(without))
        yes = allowed is not None and allowed.fullmatch(permission) and not (left and left.fullmatch(permission))
        return State.YES if yes else State.NO
