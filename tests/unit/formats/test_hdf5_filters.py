"""Filters of chunks against encoders written from their descriptions; h5py's own are in tests/e2e/test_convert_packed.py."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.core.errors import InputError
from assaymark.formats.hdf5.filters import Filter, undo, unknown_filter

DEFLATE = Filter(1, "deflate", (6,))
CHECKSUM = Filter(3, "fletcher32", ())
LZF = Filter(32_000, "lzf", (4, 261, 40))


def shuffled(data: bytes, width: int) -> bytes:
    """``H5Zshuffle.c``: the first bytes of all elements, the second ones, and the rest as it is."""
    whole = len(data) // width * width
    return b"".join(data[i:whole:width] for i in range(width)) + data[whole:]


def checked(data: bytes) -> bytes:
    """``H5_checksum_fletcher32`` word by word, as the C source does it."""
    first = second = 0
    for i in range(0, len(data), 2):
        word = data[i] << 8 | (data[i + 1] if i + 1 < len(data) else 0)
        first += word
        second += first
    while first >> 16:
        first = (first & 0xFFFF) + (first >> 16)
    while second >> 16:
        second = (second & 0xFFFF) + (second >> 16)
    return data + (second << 16 | first).to_bytes(4, "little")


def literals(data: bytes) -> bytes:
    """LZF without a reference: runs of up to 32 bytes behind their length less one."""
    runs = [data[i : i + 32] for i in range(0, len(data), 32)]
    return b"".join(bytes((len(run) - 1,)) + run for run in runs)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(2, 9))
def test_every_stage_is_undone(data, width):
    stages = (Filter(2, "shuffle", (width,)), DEFLATE, CHECKSUM)
    stored = checked(zlib.compress(shuffled(data, width)))
    assert undo(stages, 0, stored, len(data)) == data
    assert undo((CHECKSUM, LZF), 0, literals(checked(data)), len(data)) == data


def test_a_stage_that_was_left_out_is_not_undone():
    assert undo((DEFLATE, CHECKSUM), 0b01, checked(b"as it was"), 9) == b"as it was"


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (b"\x00a\x20\x00", b"aaaa"),  # one byte, then three from one back: they overlap
        (b"\x02abc\x20\x02\x00d", b"abcabcd"),
        (b"\x00x\xe0\x05\x00", b"x" * 15),  # a length of more than seven
    ],
)
def test_references_of_lzf(packed, plain):
    assert undo((LZF,), 0, packed, len(plain)) == plain


def test_halves_turned_around_as_old_files_have_them():
    sound = checked(b"abcdefg")
    low, high = sound[-4:-2], sound[-2:]
    assert undo((CHECKSUM,), 0, sound[:-4] + low[::-1] + high[::-1], 7) == b"abcdefg"


@pytest.mark.parametrize(
    ("stages", "data"),
    [
        ((DEFLATE,), zlib.compress(bytes(1000))),
        ((DEFLATE,), zlib.compress(b"12345678")[:-3]),
        ((DEFLATE,), b"no zlib"),
        ((CHECKSUM,), b"12345678abcd"),
        ((CHECKSUM,), b"ab"),
        ((LZF,), b"\x05ab"),
        ((LZF,), b"\x20"),
        ((LZF,), b"\xe0"),
        ((LZF,), b"\x20\x00"),
        ((LZF,), b"\x00a" + b"\xe0\xff\x00" * 100),
        ((), b"1234567"),
    ],
)
def test_what_is_not_the_chunk_is_refused(stages, data):
    with pytest.raises(InputError) as caught:
        undo(stages, 0, data, 8)
    assert caught.value.code == "hdf5-data"


def test_other_filters_are_named():
    assert unknown_filter((DEFLATE, Filter(32_015, "zstd", ()))) == "zstd"
    assert unknown_filter((Filter(32_001, "", ()),)) == "number 32001"
    assert unknown_filter((DEFLATE, CHECKSUM, LZF)) == ""
