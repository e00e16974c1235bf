"""Scanners of files that are one thing: pickles, safetensors, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.formats.media import check_media, media_format
from assaymark.formats.pictures import check_picture, picture_format
from assaymark.formats.safetensors import read_safetensors
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.streams import examine_pickle

if TYPE_CHECKING:
    from assaymark.scanning.content import Content


def scan_pickle(content: Content) -> None:
    """Every pickle stream of the content, by the abstract machine."""
    examine_pickle(content)


def scan_safetensors(content: Content) -> None:
    """The header against the file's size; tensor data is inert and not read."""
    try:
        read_safetensors(content.view)
    except InputError as error:
        where = f" ({shown(error.position)})" if error.position else ""
        content.notes.finding(
            "safetensors-malformed", f"{shown(error.message)}{where}", member=content.member, offset=_offset(error)
        )
        return
    content.notes.saw("safetensors", content.member)


def _offset(error: InputError) -> int | None:
    word, _, number = error.position.partition(" ")
    return int(number) if word == "byte" and number.isdecimal() else None


def scan_media(content: Content) -> None:
    """Sound or film whose parts tile the file is inert."""
    kind = media_format(content.view.read(0, 16))
    try:
        check_media(content.view, kind)
    except InputError as error:
        content.notes.skip(f"not a clean {kind} file: {error.message} ({error.position})", content.member)
        return
    content.inert(kind)


def scan_picture(content: Content) -> None:
    """A picture that ends where it should is inert."""
    kind = picture_format(content.view.read(0, 16))
    try:
        check_picture(content.view, kind)
    except InputError as error:
        content.notes.skip(f"not a clean {kind} picture: {error.message} ({error.position})", content.member)
        return
    content.inert(kind)
