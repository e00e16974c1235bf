"""A layer that is converted: its new configuration, its variables, and where Keras 3 looks for each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: by which names versions of Keras call it, and whether training may change it."""

    names: tuple[str, ...]
    trainable: bool = True


@dataclass(slots=True)
class Part:
    """A layer, cell or model: ``config`` as Keras 3 writes it, its own variables, and parts by their attribute.

    ``parts`` are in the order in which Keras counts weights; their places in the file follow from the attribute's
    name alone. ``trainable`` is what the configuration says of it. ``shape`` is its input's, if it says so.
    """

    class_name: str
    name: str
    config: dict[str, Any]
    variables: list[Variable] = field(default_factory=list)
    parts: list[tuple[str, Part]] = field(default_factory=list)
    trainable: bool = True
    shape: list[int | None] | None = None


def weights(part: Part, path: str) -> list[tuple[str, Variable]]:
    """Every variable with its place in ``model.weights.h5``, in the order of an HDF5 model's ``weight_names``.

    That order is trainable ones first, then the others, each in the order of the layer and then its parts
    (``_legacy_weights`` in ``keras/src/legacy/saving/legacy_h5_format.py``).
    """
    found = list(_walk(part, path, trainable=True))
    return [(place, v) for place, v, yes in found if yes] + [(place, v) for place, v, yes in found if not yes]


def _walk(part: Part, path: str, *, trainable: bool) -> Iterator[tuple[str, Variable, bool]]:
    trainable = trainable and part.trainable
    for i, variable in enumerate(part.variables):
        yield f"{path}/vars/{i}", variable, trainable and variable.trainable
    for attribute, child in part.parts:
        yield from _walk(child, f"{path}/{attribute}", trainable=trainable)


def snake(name: str) -> str:
    """The name of a class as ``keras/src/utils/naming.py`` writes it in paths."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def in_container(parts: Iterable[Part], container: str) -> dict[int, str]:
    """Where each part of a list lies, by its identity: by its class, counted (``_save_container_state``)."""
    used: dict[str, int] = {}
    places = {}
    for part in parts:
        name = snake(part.class_name)
        count = used.get(name, -1) + 1
        used[name] = count
        places[id(part)] = f"{container}/{name}_{count}" if count else f"{container}/{name}"
    return places
