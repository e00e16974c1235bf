"""The one extension pattern: explicit ordered tuples of parts, loaded at first use."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """Something that can be chosen by its id. ``load`` is ``module:name``; ``needs`` names extras it wants."""

    id: str
    kind: str
    summary: str
    load: str
    needs: tuple[str, ...] = ()

    def resolve(self) -> Any:
        """The object behind ``load``, imported now."""
        module, _, name = self.load.partition(":")
        return getattr(import_module(module), name)
