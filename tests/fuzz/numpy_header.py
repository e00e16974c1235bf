"""Fuzz target: the reader of NumPy's headers."""

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.numpy_file import read_array


def fuzz(data: bytes) -> None:
    """Only InputError is raised."""
    try:
        array = read_array(BytesView(data))
    except InputError:
        return
    if array.start > len(data) or array.size < 0:
        raise AssertionError("an array outside of the file")
