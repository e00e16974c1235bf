"""Scanner of NumPy array files: raw data is passed over, objects are a pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.core.view import SliceView
from assaymark.formats.numpy_file import MAGIC, read_array
from assaymark.scanning.pickle.streams import examine_pickle

if TYPE_CHECKING:
    from assaymark.scanning.content import Content


def scan(content: Content) -> None:
    """One array, or several in a row as ``numpy.save`` writes them into an open file."""
    view, notes, place = content.view, content.notes, 0
    while place < view.size:
        try:
            array = read_array(view, place)
        except InputError as error:
            if place and view.read(place, len(MAGIC)) != MAGIC:
                message = f"bytes follow the end of the array (byte {place})"
                notes.finding("trailing-data", message, member=content.member, offset=place)
            else:
                where = f" ({error.position})" if error.position else ""
                notes.skip(f"not a clean NumPy array: {error.message}{where}", content.member)
            return
        if array.objects:
            objects = SliceView(view, array.start, view.size - array.start)
            examine_pickle(content.within(objects, "objects"))
            break  # a pickle says itself where it ends, and what follows it was examined with it
        if array.start + array.size > view.size:
            notes.skip(f"the array's data is cut short: {array.size} bytes are due", content.member)
            return
        place = array.start + array.size
    notes.saw("numpy", content.member)
