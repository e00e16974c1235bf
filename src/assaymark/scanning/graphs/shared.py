"""What scanners of graphs have in common: reports of broken files, and which paths stay in the folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.core.errors import InputError
    from assaymark.scanning.content import Content

# Limits of ours: the file may be well-formed, and we do not know.
_UNKNOWN: Final = frozenset(("protobuf-fields", "text-size", "gguf-size", "xml-size", "graph-size"))
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?")


def note_broken(content: Content, error: InputError, what: str) -> None:
    """A file that breaks its format's rules is a finding; one above a limit of ours is skipped."""
    where = f" ({shown(error.position)})" if error.position else ""
    message = f"no whole {what}: {shown(error.message)}{where}"
    if error.code in _UNKNOWN:
        content.notes.skip(message, content.member)
        return
    word, _, number = error.position.partition(" ")
    offset = int(number) if word == "byte" and number.isdecimal() else None
    content.notes.finding("model-malformed", message, member=content.member, offset=offset)


def outside(path: str) -> str:
    """Why ``path`` does not stay in the model's folder on every system; empty when it does."""
    if not path:
        return "is empty"
    if "\0" in path or any(ord(character) < 32 for character in path):  # noqa: PLR2004 - control characters
        return "holds control characters"
    if path.startswith(("/", "\\", "~")):
        return "is absolute"
    if _DRIVE.match(path) or _URL.match(path):
        return "names a drive or an address"
    parts = re.split(r"[/\\]", path)
    if ".." in parts:
        return "leads out of the folder"
    if "\\" in path:
        return "holds a backslash, which separates folders on some systems"
    if "*/_ORT_MEM_ADDR_/*" in path:
        return "is an address in memory"
    return ""
