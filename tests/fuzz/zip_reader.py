"""Fuzz target: the zip reader and its members."""

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.zip import hidden_zip, read_zip
from assaymark.formats.zip_member import member_view


def fuzz(data: bytes) -> None:
    """Only InputError is raised, and a member's content has the size that the directory says."""
    view = BytesView(data)
    hidden_zip(view)
    try:
        archive = read_zip(view)
    except InputError:
        return
    for member in archive.members[:100]:
        try:
            content = member_view(view, member, limit=1 << 20)
        except InputError:
            continue
        if content.size != member.size:
            raise AssertionError("a member of another size")
