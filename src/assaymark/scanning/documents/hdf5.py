"""Scanner of HDF5: what it takes from outside, the filters it needs, and the Keras model that it may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.hdf5.reader import read_hdf5
from assaymark.formats.text import json_value
from assaymark.scanning.documents.configs import judge_config
from assaymark.scanning.documents.keras import judge_keras
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.formats.hdf5.reader import Hdf5
    from assaymark.scanning.content import Content

_KERAS: Final = frozenset(("model_config", "training_config"))
# Filters that the library has built in, and the range that the HDF Group registers to their authors.
_BUILT_IN: Final = frozenset(range(1, 7))
_LZF: Final = 32_000
_REGISTERED: Final = range(32_000, 32_768)


def scan(content: Content) -> None:
    """Structure and small attributes; arrays are inert and not read."""
    try:
        file = read_hdf5(content.view)
    except InputError as error:
        if error.code == "hdf5-limit":
            content.notes.finding("scan-resource", shown(error.message), member=content.member)
            content.notes.skip(f"the HDF5 file was not read to its end: {error.message}", content.member)
            return
        where = f" ({error.position})" if error.position else ""
        content.notes.finding("hdf5-malformed", f"{shown(error.message)}{where}", member=content.member)
        return
    _outside(content, file)
    keras = False
    for name, text in file.texts.items():
        keras = _text(content, name, text) or keras
    content.notes.saw("keras-hdf5" if keras else "hdf5", content.member)


def _outside(content: Content, file: Hdf5) -> None:
    for part in file.outside:
        target = f" {shown(part.target)}" if part.target else ""
        if part.kind == "a virtual dataset" and part.target == ".":
            continue
        message = f"{shown(part.path)} is {part.kind}{target}: whoever reads the model reads another file"
        content.notes.finding("hdf5-external", message, member=content.member, offset=part.offset)
    for identity, name in sorted(file.filters.items()):
        if identity in _BUILT_IN or identity == _LZF:
            continue
        severity = Severity.LOW if identity in _REGISTERED else Severity.HIGH
        message = (
            f"needs the filter {identity} ({shown(name)}), for which HDF5 loads a plug-in of the reader's machine"
        )
        content.notes.finding("hdf5-external", message, member=content.member, severity=severity)


def _text(content: Content, name: str, text: str) -> bool:
    """Judge an attribute that is JSON; whether it configures a Keras model."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    inner = content.within(content.view, f"@{name}")
    try:
        value = json_value(text.encode("utf-8", "surrogatepass"))
    except InputError as error:
        if name in _KERAS:
            inner.notes.finding("config-ambiguous", f"{shown(name)}: {shown(error.message)}", member=inner.member)
        return False
    if name in _KERAS:
        judge_keras(inner, value)
    else:
        judge_config(inner, value, judge_keras)
    return name in _KERAS
