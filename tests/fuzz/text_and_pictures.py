"""Fuzz target: the readers of what may be inert."""

import contextlib

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.pictures import check_picture, picture_format
from assaymark.formats.text import json_value, read_text


def fuzz(data: bytes) -> None:
    """Only InputError is raised."""
    view = BytesView(data)
    kind = picture_format(data[:16])
    with contextlib.suppress(InputError):
        if kind:
            check_picture(view, kind)
    with contextlib.suppress(InputError):
        json_value(read_text(view))
