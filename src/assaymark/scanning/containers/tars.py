"""Scanner of tar archives: every member by its content, and members that leave the folder they are unpacked into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.view import SliceView
from assaymark.formats.tar import TarMember, read_tar
from assaymark.formats.zip import hidden_zip
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_ROOTED: Final = re.compile(r"[/\\]|[A-Za-z]:")
_INERT: Final = frozenset(("folder",))


def scan(content: Content) -> None:
    """Every member, by content; links, devices and names that lead out of the archive's folder are findings."""
    notes = content.notes
    try:
        archive = read_tar(content.view)
    except InputError as error:
        notes.skip(f"the tar archive cannot be read: {error.message}", content.member)
        return
    for doubt in archive.ambiguities:
        inner = content.within(content.view, doubt.member).member if doubt.member else content.member
        message = f"{shown(doubt.message)} (byte {doubt.offset}): two readers may see different files"
        notes.finding("archive-ambiguous", message, member=inner, offset=doubt.offset)
    for member in archive.members:
        where = content.within(content.view, member.name).member
        reason = unsafe(member)
        if reason:
            notes.finding("archive-unsafe-path", f"{reason}", member=where, offset=member.header)
        if member.kind == "file":
            view = SliceView(content.view, member.start, min(member.size, max(content.view.size - member.start, 0)))
            content.examine(content.within(view, member.name.removeprefix("./")))
    end = hidden_zip(content.view)
    if end is not None and not any(m.start <= end < m.start + m.size for m in archive.members):
        message = f"ends as a zip archive (byte {end}) and begins as a tar archive"
        notes.finding("file-polyglot", message, member=content.member, offset=end)
    notes.saw("tar", content.member)


def leaves(name: str) -> bool:
    """Whether a name leads out of the folder that it is unpacked into, on any system."""
    return bool(_ROOTED.match(name)) or ".." in re.split(r"[/\\]", name)


def unsafe(member: TarMember) -> str:
    """What unpacking the member would do outside of its folder; empty when nothing (CVE-2007-4559)."""
    if leaves(member.name):
        return f"unpacking writes {shown(member.name)!r}, outside of the folder that it is unpacked into"
    if member.kind in ("symbolic link", "hard link"):
        # A link's target counts from the link's own folder, a hard link's from the archive's.
        depth = member.name.strip("/").count("/") if member.kind == "symbolic link" else 0
        ups = 0
        for part in re.split(r"[/\\]", member.target):
            ups += 1 if part == ".." else -1 if part not in ("", ".") else 0
            if ups > depth:
                break
        if _ROOTED.match(member.target) or ups > depth:
            return f"a {member.kind} leads to {shown(member.target)!r}, outside of the archive"
        return ""
    if member.kind not in _INERT and member.kind != "file":
        return f"a {member.kind} in a model's archive"
    return ""
