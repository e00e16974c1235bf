"""A strict walk through XML: no document type, no entities, no stylesheets; elements with their attributes.

XML 1.0 by expat, which is told to stop at the first declaration that could reach beyond the file (CWE-611, CWE-776).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from assaymark.core.errors import InputError
from assaymark.core.limits import SCAN_MAX_TEXT_BYTES, XML_MAX_DEPTH, XML_MAX_ELEMENTS

if TYPE_CHECKING:
    from assaymark.core.view import View

_CHUNK: Final = 1 << 18
# name without its namespace's prefix, attributes, line
Heard = Callable[[str, dict[str, str], int], None]


def read_xml(view: View, heard: Heard) -> None:
    """Tell ``heard`` of every element in its order.

    Raises:
        InputError: ``xml-declaration`` for what may reach beyond the file, ``xml-malformed``, ``xml-size``.
    """
    if view.size > SCAN_MAX_TEXT_BYTES:
        raise InputError("xml-size", f"{view.size} bytes, above the limit of {SCAN_MAX_TEXT_BYTES} for text")
    _Walk(heard).read(view)


class _Walk:
    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._depth = 0
        self._left = XML_MAX_ELEMENTS
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._entity
        self._parser.ProcessingInstructionHandler = self._instruction

    def read(self, view: View) -> None:
        try:
            for start in range(0, max(view.size, 1), _CHUNK):
                self._parser.Parse(view.read(start, _CHUNK), start + _CHUNK >= view.size)
        except expat.ExpatError as error:
            message = expat.ErrorString(error.code) or "no XML"
            raise InputError("xml-malformed", message, position=f"line {error.lineno}") from None
        except (ValueError, LookupError, OSError):
            raise InputError("xml-malformed", "an encoding that is not known", position="line 1") from None

    def _where(self) -> str:
        return f"line {self._parser.CurrentLineNumber}"

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._left -= 1
        if self._depth > XML_MAX_DEPTH:
            raise InputError("xml-malformed", f"elements nest deeper than {XML_MAX_DEPTH}", position=self._where())
        if self._left < 0:
            raise InputError("xml-size", f"more than {XML_MAX_ELEMENTS} elements", position=self._where())
        self._heard(name.rpartition(":")[2], attributes, self._parser.CurrentLineNumber)

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _doctype(self, *_arguments: object) -> None:
        raise InputError("xml-declaration", "a document type is declared", position=self._where())

    def _entity(self, *_arguments: object) -> None:
        raise InputError("xml-declaration", "an entity is declared", position=self._where())

    def _instruction(self, target: str, _data: str) -> None:
        if target.lower() == "xml-stylesheet":
            raise InputError("xml-declaration", "a stylesheet is asked for", position=self._where())
