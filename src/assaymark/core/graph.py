"""The graph of an architecture: nodes, edges, and the lines of files that they rest on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Prop: TypeAlias = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Because:
    """Where something is written: a file of the input, a line (from 1) and the file's SHA-256 in hexadecimal."""

    path: str
    line: int
    digest: str


class State(StrEnum):
    """Whether something is so. ``UNKNOWN``: it depends on what the input does not show; then it is said on what."""

    YES = "yes"
    UNKNOWN = "unknown"
    NO = "no"

    def both(self, other: State) -> State:
        """The conjunction, three-valued (Kleene)."""
        if State.NO in (self, other):
            return State.NO
        return State.UNKNOWN if State.UNKNOWN in (self, other) else State.YES

    def either(self, other: State) -> State:
        """The disjunction, three-valued (Kleene)."""
        if State.YES in (self, other):
            return State.YES
        return State.UNKNOWN if State.UNKNOWN in (self, other) else State.NO

    def inverse(self) -> State:
        """The negation, three-valued (Kleene)."""
        return {State.YES: State.NO, State.NO: State.YES, State.UNKNOWN: State.UNKNOWN}[self]


@dataclass(frozen=True, slots=True)
class Node:
    """A thing of the architecture. One without a place cannot be built, but for the internet and its like.

    ``id`` is the platform's own name: an ARN, ``k8s:<namespace>/<kind>/<name>``, a resource id, ``file:<path>``,
    ``internet``. ``kind`` is one of ``assess/kinds.py``. ``boundary`` holds what it lies in: ``cloud``,
    ``account``, ``environment``, ``tenant``, ``namespace``, ``domain``, where known.
    """

    id: str
    kind: str
    name: str
    because: tuple[Because, ...]
    boundary: Mapping[str, str] = field(default_factory=dict)
    props: Mapping[str, Prop] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edge:
    """Who has ``source`` gets ``target`` by ``relation``. An edge with state ``NO`` is not built.

    ``how`` is one sentence: what an attacker would do. ``decides`` says what would settle an ``UNKNOWN`` edge.
    ``effort``: 0 comes by itself (a workload has its identity), 1 one documented call, 2 several steps or luck.
    """

    source: str
    target: str
    relation: str
    how: str
    because: tuple[Because, ...]
    state: State = State.YES
    decides: tuple[str, ...] = ()
    effort: int = 1

    def __post_init__(self) -> None:
        if self.state is State.NO:
            raise ValueError("what is certainly not so is no edge")
        if self.state is State.UNKNOWN and not self.decides:
            raise ValueError("an unknown edge says what would decide it")
        if not self.because:
            raise ValueError("an edge rests on a line of a file")
