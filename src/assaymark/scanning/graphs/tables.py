"""Scanners of tables beside graphs: tensors and records, which no loader executes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.tensorflow_tables import read_records, read_table
from assaymark.scanning.graphs.shared import note_broken

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

# Raw tensors, without any structure, as a graph or an index beside them names them: TensorFlow's checkpoints, and the
# external data that exporters of ONNX write.
_RAW: Final = re.compile(r".*\.data-\d{5}-of-\d{5}|.*\.onnx[._]data(?:[._]\d+)?", re.DOTALL)


def scan_table(content: Content) -> None:
    """A checkpoint's index: names, shapes and places of tensors."""
    try:
        read_table(content.view)
    except InputError as error:
        note_broken(content, error, "table of a checkpoint")
        return
    content.notes.saw("tensorflow-table", content.member)


def scan_records(content: Content) -> None:
    """Records: TensorBoard's events or training data."""
    try:
        read_records(content.view)
    except InputError as error:
        note_broken(content, error, "file of records")
        return
    content.notes.saw("tensorflow-records", content.member)


def is_raw_tensors(name: str) -> bool:
    """Whether a file of this name, whose content is none that any loader executes, holds raw tensors."""
    return _RAW.fullmatch(name.rsplit("/", 1)[-1]) is not None
