"""Arrays of HDF5 by hand, from the File Format Specification; h5py reads the same files."""

from __future__ import annotations

import struct

import pytest
from tests.support.cli import cli
from tests.support.hdf5_files import UNDEFINED, hdf5, link, message, object_header, text_attribute
from tests.unit.convert.test_convert_torch import converted

from assaymark.convert.engine import make
from assaymark.core.errors import InputError
from assaymark.core.view import BytesView

FLOAT32 = struct.pack("<B3BIHHBBBBI", 0x11, 0x20, 31, 0, 4, 0, 32, 23, 8, 0, 23, 127)
FLOAT32_BIG = struct.pack("<B3BIHHBBBBI", 0x11, 0x21, 31, 0, 4, 0, 32, 23, 8, 0, 23, 127)
INT16 = struct.pack("<B3BIHH", 0x10, 0x08, 0, 0, 2, 0, 16)
STRING = struct.pack("<B3BI", 0x13, 0, 0, 0, 4)


def dataset(datatype: bytes, shape: tuple[int, ...], address: bytes, size: int) -> bytes:
    space = struct.pack("<BBB5x", 1, len(shape), 0) + b"".join(struct.pack("<Q", n) for n in shape)
    layout = struct.pack("<BB", 3, 1) + address + struct.pack("<Q", size)
    return object_header([message(0x01, space), message(0x03, datatype), message(0x08, layout)])


def file(datatype: bytes, shape: tuple[int, ...], data: bytes, *, written: bool = True, texts=()) -> bytes:
    """One array ``w``; the group's messages have the same length whatever the addresses are."""

    def group(address: int) -> list[bytes]:
        return [link("w", 0, struct.pack("<Q", address)), *(text_attribute(*pair) for pair in texts)]

    at = len(hdf5(group(0)))
    header = len(dataset(datatype, shape, UNDEFINED, 0))
    place = struct.pack("<Q", at + header) if written else UNDEFINED
    return hdf5(group(at), dataset(datatype, shape, place, len(data)) + data)


def hdf5_with_name(name: bytes) -> bytes:
    at = len(hdf5([link(name.decode(), 0, bytes(8))]))
    array = dataset(FLOAT32, (1,), struct.pack("<Q", at + len(dataset(FLOAT32, (1,), UNDEFINED, 0))), 4)
    return hdf5([link(name.decode(), 0, struct.pack("<Q", at))], array + b"\0\0\x80\x3f")


@pytest.mark.parametrize(
    ("datatype", "data", "dtype"),
    [
        (FLOAT32, struct.pack("<6f", *range(6)), "F32"),
        (FLOAT32_BIG, struct.pack(">6f", *range(6)), "F32"),
        (INT16, struct.pack("<6h", *range(6)), "I16"),
    ],
)
def test_an_array_is_copied(tmp_path, datatype, data, dtype):
    plan, tensors = converted(tmp_path, file(datatype, (2, 3), data))
    form = "<6h" if dtype == "I16" else "<6f"
    assert tensors == {"w": (dtype, (2, 3), struct.pack(form, *range(6)))}
    assert plan.source == "hdf5"


@pytest.mark.parametrize(
    "data",
    [
        file(STRING, (2,), b"abcdefgh"),
        file(FLOAT32, (2, 3), b"\0" * 20),
        file(FLOAT32, (2, 3), b"\0" * 24, written=False),
    ],
    ids=["text", "short", "never written"],
)
def test_what_does_not_lie_there_is_refused(data):
    with pytest.raises(InputError) as caught:
        make(BytesView(data))
    assert caught.value.code == "convert-unsupported"


@pytest.mark.parametrize("name", [b"__metadata__", b"////////////"])
def test_an_array_of_a_name_that_no_tensor_may_have_is_refused(name):
    plain = file(FLOAT32, (1,), b"\0\0\x80\x3f")
    longer = hdf5_with_name(name)
    assert make(BytesView(plain)).tensors[0].name == "w"
    with pytest.raises(InputError) as caught:
        make(BytesView(longer))
    assert caught.value.code == "convert-name"


@pytest.mark.parametrize(
    ("layer", "kept"),
    [
        ({"class_name": "Dense", "config": {"name": "d", "units": 2}}, True),
        ({"class_name": "Lambda", "config": {"name": "l", "function": ["4wEAAAA=", None, None]}}, False),
    ],
)
def test_a_configuration_goes_along_only_when_it_passes_a_scan(tmp_path, layer, kept):
    import json

    config = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": [layer]}})
    source, target = tmp_path / "model.h5", tmp_path / "model.safetensors"
    source.write_bytes(file(FLOAT32, (1,), b"\0\0\x80\x3f", texts=[("model_config", config)]))
    done = cli("convert", source, target)
    assert done.code == 0, done
    assert (b"keras.model_config" in target.read_bytes()) is kept
    assert ("left behind" in done.out) is not kept
