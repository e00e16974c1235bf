"""Fuzz target: the safetensors reader."""

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.safetensors import has_safetensors_shape, read_safetensors


def fuzz(data: bytes) -> None:
    """What is read tiles the file exactly."""
    view = BytesView(data)
    has_safetensors_shape(view)
    try:
        parsed = read_safetensors(view)
    except InputError:
        return
    if sum(tensor.end - tensor.start for tensor in parsed.tensors) + 8 + parsed.header_size != len(data):
        raise AssertionError("bytes that belong to no tensor")
