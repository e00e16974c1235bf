"""``Use``: a call that a platform's own log shows as allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One call that was allowed. ``principal`` and ``resource`` as the platform's estate has them.

    On AWS ``resource`` is an ARN, ``*`` for a call that names none; elsewhere what a declared need names.
    """

    principal: str
    action: str
    resource: str
    because: Because


def once(uses: Iterable[Use]) -> list[Use]:
    """Each use once, where it was first seen: logs say the same over and over."""
    found: dict[tuple[str, str, str], Use] = {}
    for one in uses:
        found.setdefault((one.principal, one.action, one.resource), one)
    return list(found.values())
