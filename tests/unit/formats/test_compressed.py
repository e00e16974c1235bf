"""Compressed streams are read as their libraries read them, and say what follows their end."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats import compressed
from assaymark.formats.compressed import Inflated, compression

ARCHIVES = Path(__file__).parents[2] / "vectors" / "archives"
CODECS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": zlib.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstd.compress,
}
SEVERAL = ("gzip", "bzip2", "xz", "zstd")
RANDOM = random.Random(1)  # noqa: S311 - text to pack
TEXT = b"".join(b"weights %d " % RANDOM.randrange(40) * 30 for _ in range(900))


def everything(inflated: Inflated, step: int = 10_000) -> bytes:
    return b"".join(inflated.read(at, step) for at in range(0, inflated.size, step))


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("data", [b"", b"x", TEXT], ids=["empty", "byte", "text"])
def test_a_stream_is_what_its_library_packed(kind: str, data: bytes) -> None:
    packed = CODECS[kind](data)
    assert compression(packed[:16]) == kind
    inflated = Inflated(BytesView(packed), kind)
    assert (inflated.size, inflated.trailing) == (len(data), None)
    assert everything(inflated) == data


@pytest.mark.parametrize("kind", CODECS)
def test_a_large_stream_is_read_in_any_order_without_keeping_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "INFLATED_KEPT_BYTES", 1000)
    monkeypatch.setattr(compressed, "_HEAD", 500)
    monkeypatch.setattr(compressed, "_TAIL", 300)
    monkeypatch.setattr(compressed, "_CHUNK", 4096)
    inflated = Inflated(BytesView(CODECS[kind](TEXT)), kind)
    for at in (100_000, 0, 450, 250_000, len(TEXT) - 100, 90_000, len(TEXT) - 5000, len(TEXT) + 1):
        assert inflated.read(at, 700) == TEXT[at : at + 700]
    for at in (200_000, 1000) * 6:
        try:
            inflated.read(at, 700)
        except InputError as error:
            assert "back and forth" in error.message  # noqa: PT017 - not every try fails
            return
    pytest.fail("it went back and forth as often as it was asked")


@pytest.mark.parametrize("kind", CODECS)
def test_what_follows_a_stream_is_said(kind: str) -> None:
    packed = CODECS[kind](TEXT)
    assert Inflated(BytesView(packed + b"behind"), kind).trailing == len(packed)
    twice = Inflated(BytesView(packed + CODECS[kind](b"more")), kind)
    if kind in SEVERAL:
        assert everything(twice) == TEXT + b"more"
        assert twice.trailing is None
    else:
        assert (twice.size, twice.trailing) == (len(TEXT), len(packed))


@pytest.mark.parametrize("kind", ["gzip", "xz"])
def test_padding_is_passed_over(kind: str) -> None:
    packed = CODECS[kind](TEXT)
    assert Inflated(BytesView(packed + bytes(100)), kind).trailing is None
    assert everything(Inflated(BytesView(packed + bytes(100) + packed), kind)) == TEXT + TEXT
    assert Inflated(BytesView(packed + bytes(100) + b"x"), kind).trailing == len(packed) + 100


@pytest.mark.parametrize("kind", CODECS)
def test_damage_is_an_input_error(kind: str) -> None:
    packed = CODECS[kind](TEXT)
    with pytest.raises(InputError, match="cut short"):
        Inflated(BytesView(packed[:-12]), kind)
    if kind != "lzma":  # which has no checksum
        with pytest.raises(InputError):
            Inflated(BytesView(packed[:40] + bytes((packed[40] ^ 0xFF,)) + packed[41:]), kind)


def test_a_bomb_stops_by_ratio_and_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="unpack to more than") as raised:
        Inflated(BytesView(bz2.compress(bytes(100 << 20))), "bzip2")
    assert raised.value.code == "compressed-bomb"
    monkeypatch.setattr(compressed, "INFLATED_MAX_BYTES", 1000)
    with pytest.raises(InputError, match="unpack to more than"):
        Inflated(BytesView(zlib.compress(TEXT)), "zlib")


@pytest.mark.parametrize("name", ["linked", "independent", "sized"])
def test_lz4_frames_of_the_reference_library(name: str) -> None:
    packed = (ARCHIVES / f"{name}.lz4").read_bytes()
    inflated = Inflated(BytesView(packed), "lz4")
    assert everything(inflated) == TEXT
    assert inflated.trailing is None
    assert Inflated(BytesView(packed + b"behind"), "lz4").trailing == len(packed)
    for cut in (3, 6, 40, len(packed) - 5):
        with pytest.raises(InputError):
            Inflated(BytesView(packed[:cut]), "lz4")


@pytest.mark.parametrize(
    "frame",
    [
        b"\x04\x22\x4d\x18\x61\x40\x00",  # with a dictionary
        b"\x04\x22\x4d\x18\x60\x00\x00",  # no block size
        b"\x04\x22\x4d\x18\x60\x40\x00" + (1 << 20).to_bytes(4, "little"),  # a block above the block size
        b"\x04\x22\x4d\x18\x60\x40\x00" + b"\x03\0\0\0" + b"\x00\x09\x00",  # a match before the beginning
        b"\x04\x22\x4d\x18\x60\x40\x00" + b"\x02\0\0\0" + b"\xf0\xff",  # literals that are not there
    ],
)
def test_malformed_lz4_frames(frame: bytes) -> None:
    with pytest.raises(InputError):
        Inflated(BytesView(frame), "lz4")


@pytest.mark.parametrize(
    "head", [b"", b"x", b"BZhello", b"\x78\x00", b"\x5d\x00\x00text of some kind", b"\x1f\x8b\x00"]
)
def test_what_is_no_compression(head: bytes) -> None:
    assert compression(head[:16]) == ""
