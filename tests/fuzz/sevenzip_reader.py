"""Fuzz target: the 7z reader and its coders."""

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.sevenzip import SevenZip


def fuzz(data: bytes) -> None:
    """Only InputError is raised."""
    try:
        archive = SevenZip(BytesView(data))
        for member in archive.members[:20]:
            if len(archive.content(member)) != member.size:
                raise AssertionError("a member of another size")
    except InputError:
        return
