"""``Exposed``: a way from the internet to a workload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True)
class Exposed:
    """A workload that is reached from the internet: by which objects, in words, and where that is written.

    ``ports``: those of its pods; None for all. ``decides``: what would have to be so, and the input does not show;
    none when it is certain. ``through``: what a controller makes for the object passes it on.
    """

    pod: Pod
    by: Object
    how: str
    because: tuple[Because, ...]
    tls: bool
    decides: tuple[str, ...] = ()
    ports: frozenset[int] | None = None
    through: bool = False
