"""Fuzz target: the HDF5 reader, and the judge of a Keras model in it."""

import contextlib

from tests.support.examples_documents import LAMBDA_2, keras_h5
from tests.support.hdf5_files import external_link, hdf5, soft_link, text_attribute

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.hdf5.reader import read_hdf5
from assaymark.scanning.examine import examine

SEEDS = (
    hdf5([soft_link("a", "/b"), external_link("c", "d.h5", "/e"), text_attribute("x", "y")]),
    keras_h5({"class_name": "Sequential", "config": {"layers": [LAMBDA_2]}}),
)


def fuzz(data: bytes) -> None:
    """A structure or an InputError; a report in any case."""
    with contextlib.suppress(InputError):
        read_hdf5(BytesView(data))
    examine(BytesView(data), "model.h5")
