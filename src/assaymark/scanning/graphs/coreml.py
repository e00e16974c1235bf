"""Scanner of Core ML models: classes that an application must bring, and files that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.coreml import read_coreml, read_weights
from assaymark.scanning.graphs.shared import note_broken, outside
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_OWN: Final = "@model_path/"


def scan(content: Content) -> None:
    """Custom layers and models, and paths of weights and linked models."""
    try:
        model = read_coreml(content.view)
    except InputError as error:
        note_broken(content, error, "Core ML model")
        return
    for what, name, place in model.custom:
        message = f"a custom {what} runs the class {shown(name)!r}, native code that the application must bring"
        content.notes.finding("graph-custom-operator", message, member=content.member, offset=place)
    for name, place in model.files:
        why = outside(name.removeprefix(_OWN))
        if why:
            message = f"the model reads {shown(name)!r}, which {why}"
            content.notes.finding("graph-external-path", message, member=content.member, offset=place)
    content.notes.saw("coreml", content.member)


def scan_weights(content: Content) -> None:
    """The file of weights in a package."""
    try:
        read_weights(content.view)
    except InputError as error:
        note_broken(content, error, "file of Core ML weights")
        return
    content.notes.saw("coreml-weights", content.member)
