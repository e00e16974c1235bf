"""Sound and film: the parts tile the file."""

from __future__ import annotations

import io
import struct
import wave

import pytest

from assaymark.core.report import ScanOutcome
from assaymark.core.view import BytesView
from assaymark.formats.media import media_format
from assaymark.scanning.examine import examine


def sound() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    return buffer.getvalue()


def box(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">L", 8 + len(data)) + name + data


def page(data: bytes) -> bytes:
    return b"OggS\0" + bytes(21) + bytes((1, len(data))) + data


FILES = {
    "wav": sound(),
    "avi": b"RIFF" + struct.pack("<L", 4 + 8 + 6) + b"AVI " + b"LIST" + struct.pack("<L", 5) + b"movi1\0",
    "mp4": box(b"ftyp", b"isom\0\0\0\0") + box(b"moov") + struct.pack(">L4sQ", 1, b"mdat", 16 + 4) + b"data",
    "ogg": page(b"one") + page(b"two"),
    "flac": b"fLaC" + b"\x80\0\0\x04info" + b"\xff\xf8frames",
    "matroska": b"\x1a\x45\xdf\xa3\x81x" + b"\x18\x53\x80\x67\x83abc",
}


@pytest.mark.parametrize("kind", FILES)
def test_a_whole_file_is_inert(kind: str) -> None:
    assert media_format(FILES[kind][:16]) == kind
    assert examine(BytesView(FILES[kind]), f"demo.{kind}").inert == (f"demo.{kind}",)


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind != "flac"])
def test_what_is_cut_or_longer_is_no_answer(kind: str) -> None:
    for data in (FILES[kind][:-1], FILES[kind] + b"x", FILES[kind] + b"behind the end of it", FILES[kind][:-3]):
        assert examine(BytesView(data), f"demo.{kind}").outcome() is ScanOutcome.INCOMPLETE, data[-20:]


@pytest.mark.parametrize(
    "data",
    [
        b"fLaC" + b"\x80\0\0\x04infotext",
        b"fLaC\x00\0\0\x04info",
        box(b"ftyp") + box(b"\xff\xff\xff\xff"),
        box(b"ftyp") + struct.pack(">L", 4) + b"free",
        b"\x1a\x45\xdf\xa3\x00" + bytes(12),
        b"OggS\0" + bytes(21) + b"\xff",
    ],
)
def test_malformed_parts(data: bytes) -> None:
    assert examine(BytesView(data), "demo").outcome() is ScanOutcome.INCOMPLETE


def test_a_box_to_the_end_and_an_element_of_unknown_size() -> None:
    film = box(b"ftyp") + b"\0\0\0\0mdat" + b"data" * 9
    live = b"\x1a\x45\xdf\xa3\x81x" + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + b"clusters"
    for data in (film, live):
        assert examine(BytesView(data), "demo").outcome() is ScanOutcome.PASS
