"""Scanners of models in XML: OpenVINO's network and PMML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.xml import Heard, read_xml
from assaymark.scanning.graphs.shared import note_broken
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_OPSETS: Final = frozenset((*(f"opset{number}" for number in range(1, 40)), "ie_internal_opset", "util", "gpu_opset"))
_MAX_TOLD: Final = 50
_FIRST_WITH_OPSETS: Final = 10


def scan_openvino(content: Content) -> None:
    """Operators of OpenVINO's own operator sets; others come from an extension, which is a library."""
    version = [0]
    told: set[tuple[str, str]] = set()

    def heard(name: str, attributes: dict[str, str], line: int) -> None:
        if name == "net":
            number = attributes.get("version", "")
            version[0] = int(number) if number.isascii() and number.isdecimal() and len(number) < 4 else 0  # noqa: PLR2004
        elif name == "layer" and version[0] >= _FIRST_WITH_OPSETS:
            key = (attributes.get("version", ""), attributes.get("type", ""))
            if key[0] not in _OPSETS and key not in told and len(told) < _MAX_TOLD:
                told.add(key)
                message = (
                    f"the layer type {shown(key[1])!r} of {shown(key[0])!r} (line {line}) is none of OpenVINO's: it"
                    " runs native code that somebody must load"
                )
                content.notes.finding("graph-custom-operator", message, member=content.member)

    if _read(content, heard, "OpenVINO network"):
        content.notes.saw("openvino", content.member)


def scan_pmml(content: Content) -> None:
    """Functions of PMML and of the file itself; another is a class that an evaluator loads by its name."""
    used: dict[str, int] = {}
    defined: set[str] = set()

    def heard(name: str, attributes: dict[str, str], line: int) -> None:
        if name == "Apply" and "." in attributes.get("function", "") and len(used) < _MAX_TOLD:
            used.setdefault(attributes["function"], line)
        elif name == "DefineFunction":
            defined.add(attributes.get("name", ""))

    if not _read(content, heard, "PMML document"):
        return
    for function, line in used.items():
        if function not in defined:
            message = f"the function {shown(function)!r} (line {line}) is a class that the evaluator loads"
            content.notes.finding("graph-custom-operator", message, member=content.member)
    content.notes.saw("pmml", content.member)


def _read(content: Content, heard: Heard, what: str) -> bool:
    try:
        read_xml(content.view, heard)
    except InputError as error:
        if error.code == "xml-declaration":
            message = f"{error.message} ({error.position}): entities may read files or exhaust memory"
            content.notes.finding("xml-doctype", message, member=content.member)
        else:
            note_broken(content, error, what)
        return False
    return True
