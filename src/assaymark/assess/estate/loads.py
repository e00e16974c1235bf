"""What the source says of programs that run what they load from a store: which store, by what name, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True)
class Given:
    """A text that a program is told when it starts.

    ``kind``: ``variable`` of its environment, ``option`` of its command (``name`` has all spellings, separated by
    blanks), or ``place``, an argument by its number. ``default``: what it takes where nobody tells it, which may be
    told in another way.
    """

    kind: str
    name: str
    default: str | Given | None = None

    @property
    def shown(self) -> str:
        """What messages call it."""
        return f"argument {self.name}" if self.kind == "place" else self.name.split(" ", maxsplit=1)[0]


# A text as the source puts it together; None stands for what is not known of it.
Words: TypeAlias = tuple[str | Given | None, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """Where something lies.

    ``platform``: ``s3``, ``gs``, ``azure``, ``hub`` (Hugging Face's), ``mlflow``; ``address`` where the whole address
    is told when the program starts; ``path`` of the disk, where something else may have put it. ``name``: of the
    bucket, container, repository or model; ``within``: the storage account of Azure, the tracking server of MLflow;
    empty where nobody says.
    """

    platform: str
    name: Words
    within: Words = ()


@dataclass(frozen=True, slots=True)
class Load:
    """A call runs what lies in a store, which is named at ``origin``. ``decides``: what that depends on."""

    store: Store
    call: str
    because: Because
    origin: Because
    decides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """A module that can be started, with the paths of all that it imports (itself among them)."""

    path: str
    parts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Task:
    """What a pipeline or a compose file runs: ``id`` is that of its node.

    ``folder``: where its commands begin; ``image`` and ``dockerfile``: what it runs in, empty where nobody says.
    ``made``: it has a node only if something leads to it.
    """

    id: str
    name: str
    folder: str
    command: str
    variables: tuple[tuple[str, str], ...]
    because: Because
    image: str = ""
    dockerfile: str = ""
    made: bool = False
