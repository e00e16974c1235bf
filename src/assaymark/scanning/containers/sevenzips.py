"""Scanner of 7z archives: every member by its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.sevenzip import SevenZip
from assaymark.scanning.containers.tars import leaves
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content


def scan(content: Content) -> None:
    """Every member, by content; one that cannot be had is skipped with the reason."""
    notes = content.notes
    try:
        archive = SevenZip(content.view)
    except InputError as error:
        notes.skip(f"the 7z archive cannot be read: {error.message}", content.member)
        return
    if archive.trailing is not None:
        message = f"bytes follow the end of the archive (byte {archive.trailing})"
        notes.finding("trailing-data", message, member=content.member, offset=archive.trailing)
    seen: set[str] = set()
    for member in archive.members:
        where = content.within(content.view, member.name).member
        if leaves(member.name):
            message = f"unpacking writes {shown(member.name)!r}, outside of the folder that it is unpacked into"
            notes.finding("archive-unsafe-path", message, member=where)
        if member.name in seen:
            notes.finding("archive-ambiguous", "a name that occurs twice", member=where)
        seen.add(member.name)
        if member.folder < 0:
            continue  # a folder, or an empty file
        try:
            data = archive.content(member)
        except InputError as error:
            if error.code == "7z-bomb":
                notes.finding("scan-resource", error.message, member=where)
            notes.skip(error.message, where)
            continue
        content.examine(content.within(BytesView(data), member.name))
    notes.saw("7z", content.member)
