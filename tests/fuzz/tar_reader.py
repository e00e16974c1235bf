"""Fuzz target: the tar reader."""

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.tar import read_tar


def fuzz(data: bytes) -> None:
    """Only InputError is raised."""
    try:
        archive = read_tar(BytesView(data))
    except InputError:
        return
    for member in archive.members:
        if member.size < 0 or member.start < 0:
            raise AssertionError("a member outside of the archive")
