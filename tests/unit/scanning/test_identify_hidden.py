"""A safetensors file whose header does not look like one in its first page is found all the same."""

import struct

import pytest

from assaymark.core.view import BytesView
from assaymark.scanning.identity.identify import identify

TENSOR = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


def framed(header: bytes) -> BytesView:
    return BytesView(struct.pack("<Q", len(header)) + header + bytes(4))


@pytest.mark.parametrize(
    "header",
    [
        b"{" + b" " * 200_000 + b'"w":' + TENSOR + b"}",
        b'{"' + b"x" * 9_000 + b'":' + TENSOR + b"}",
        b'{"w":' + TENSOR.replace(b"data_offsets", b"data\\u005foffsets") + b"}",
        b'{"' + b"x" * 9_000 + b'":' + TENSOR + b"}" + b" " * 9_000,
    ],
    ids=["spaces", "long-name", "escaped", "padded"],
)
def test_it_is_recognised(header: bytes) -> None:
    found = identify(framed(header))
    assert found is not None
    assert found.format == "safetensors"


@pytest.mark.parametrize("header", [b'{"a":1}', b'{"' + b"x" * 9_000 + b'":1', b"{" + b"\\" + b"x" * 9_000])
def test_other_json_behind_a_length_is_not(header: bytes) -> None:
    found = identify(framed(header))
    assert found is None or found.format != "safetensors"
