"""Fuzz target: containers of sound and film."""

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.media import check_media


def fuzz(data: bytes) -> None:
    """Only InputError is raised."""
    for kind in ("wav", "mp4", "ogg", "flac", "matroska"):
        try:
            check_media(BytesView(data), kind)
        except InputError:
            continue
