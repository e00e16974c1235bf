"""``Use``: a call that a platform's own log shows as allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
