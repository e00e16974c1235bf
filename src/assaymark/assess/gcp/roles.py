"""``Roles``: which permissions a role has: custom ones as the files say, predefined ones by ``data/roles.json``.

The table holds Google's predefined roles, of their permissions those that are asked about (``asked``); a role that is
in neither, and a permission that the table does not speak of, is unknown, never empty. Basic roles do not hold the
objects of buckets and the rows of datasets: these come with the convenience members of a bucket's or dataset's own
policy.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.gcp import Role

OWNER = "roles/owner"
# The newer basic roles hold what the older ones hold; what they hold beyond that no table says.
_AT_LEAST: Final = {"roles/admin": OWNER, "roles/writer": "roles/editor", "roles/reader": "roles/viewer"}


class _Table(NamedTuple):
    roles: dict[str, list[str]]
    nothing: frozenset[str]  # roles with none of what is asked
    asked: frozenset[str]


@cache
def _table() -> _Table:
    text = resources.files("assaymark.assess.gcp").joinpath("data/roles.json").read_text(encoding="utf-8")
    whole = json.loads(text)
    return _Table(whole["roles"], frozenset(whole["nothing"]), frozenset(whole["asked"]))


def asked_permissions() -> frozenset[str]:
    """The permissions that the table of predefined roles speaks of."""
    return _table().asked


def short(permission: str) -> str:
    """A permission that is written with its service's host: ``iam.googleapis.com/x.create`` is ``iam.x.create``."""
    return permission.replace(".googleapis.com/", ".", 1)


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
        return role in self._custom or (not isinstance(role, Unresolved) and _predefined(role) is not None)

    def permissions(self, role: str) -> tuple[tuple[str, ...], bool]:
        """The permissions that a role is known to have, and whether these are all of them."""
        if role in self._custom:
            found = self._custom[role].permissions
            return found, not any(isinstance(one, Unresolved) for one in found)
        return tuple(_predefined(role) or ()) if not isinstance(role, Unresolved) else (), False

    def _has(self, role: str, permission: str) -> State:
        if role in self._custom:
            permissions = self._custom[role].permissions
            if permission in map(short, permissions):
                return State.YES
            return State.UNKNOWN if any(isinstance(one, Unresolved) for one in permissions) else State.NO
        found = None if isinstance(role, Unresolved) else _predefined(role)
        if found is not None and permission in found:
            return State.YES
        known = found is not None and role not in _AT_LEAST and permission in _table().asked
        return State.NO if known else State.UNKNOWN


def _predefined(role: str) -> list[str] | None:
    """What a predefined role holds of what is asked; None for one that is not in the table."""
    table = _table()
    name = _AT_LEAST.get(role, role)
    return [] if name in table.nothing else table.roles.get(name)
