"""Fuzz target: arrays of HDF5 in chunks, their indexes and their filters."""

import contextlib
from pathlib import Path

from assaymark.convert.hdf5_file import plan_hdf5
from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.hdf5.filters import Filter, undo

VECTORS = Path(__file__).parents[1] / "vectors" / "conversions"
SEEDS = tuple((VECTORS / f"chunks-{version}.h5").read_bytes() for version in ("earliest", "latest"))


def fuzz(data: bytes) -> None:
    """The elements, as many as were planned, or an InputError."""
    with contextlib.suppress(InputError):
        for piece in plan_hdf5(BytesView(data)).pieces:
            if piece.length < 1 << 20 and sum(map(len, piece.chunks())) != piece.length:
                raise AssertionError("other bytes than were planned")
    for number in (1, 2, 3, 32_000):
        with contextlib.suppress(InputError):
            undo((Filter(number, "", (4,)),), 0, data[:4096], 64)
