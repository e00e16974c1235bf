"""The one extension pattern: a part is a line in an explicit, ordered tuple, loaded at first use."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One scanner, collector, signer or the like.

    ``kind`` names the Protocol that the loaded object meets; ``needs`` lists the extras (of pyproject) that it
    imports; ``load`` is ``module:name``, imported at first use so that start-up pays for nothing unused.
    """

    id: str
    kind: str
    summary: str
    needs: tuple[str, ...]
    load: str


def load_part(part: Part) -> Any:
    """The object that ``part.load`` names.

    Raises:
        ImportError: when a package that the part needs is not installed.
        AttributeError: when the module has no such name (a bug of ours).
    """
    module, _, name = part.load.partition(":")
    return getattr(import_module(module), name)
