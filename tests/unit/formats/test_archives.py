"""tar and 7z: one reading, or it says where readers differ."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from pathlib import Path

import pytest
from tests.support.examples_containers import link, tar

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.sevenzip import SevenZip
from assaymark.formats.tar import TarArchive, is_tar, read_tar

ARCHIVES = Path(__file__).parents[2] / "vectors" / "archives"
NOTES = b"hello " * 200


@pytest.mark.parametrize("name", ["lzma2", "lzma", "bzip2", "deflate", "copy", "x86", "delta"])
def test_archives_of_another_tool(name: str) -> None:
    archive = SevenZip(BytesView((ARCHIVES / f"{name}.7z").read_bytes()))
    content = {member.name: archive.content(member) for member in archive.members}
    assert set(content) == {"notes.txt", "model.pkl", "empty.txt"}
    assert content["notes.txt"] == NOTES
    assert content["model.pkl"].startswith(b"\x80\x02}")
    assert content["empty.txt"] == b""
    assert archive.trailing is None


@pytest.mark.parametrize(("name", "why"), [("encrypted", "encryption"), ("zstd", "coder")])
def test_what_cannot_be_unpacked_says_why(name: str, why: str) -> None:
    archive = SevenZip(BytesView((ARCHIVES / f"{name}.7z").read_bytes()))
    with pytest.raises(InputError, match=why):
        archive.content(archive.members[0])


def test_damage_to_a_7z_archive() -> None:
    data = (ARCHIVES / "copy.7z").read_bytes()
    assert SevenZip(BytesView(data + b"behind")).trailing == len(data)
    with pytest.raises(InputError, match="signature"):
        SevenZip(BytesView(data[:20]))
    with pytest.raises(InputError, match="outside"):
        SevenZip(BytesView(data[:-1]))
    with pytest.raises(InputError, match="checksum"):
        SevenZip(BytesView(data[:-1] + bytes((data[-1] ^ 1,))))
    bad = SevenZip(BytesView(data[:40] + b"X" + data[41:]))
    with pytest.raises(InputError, match="does not unpack"):
        bad.content(bad.members[0])
    # Any header with a checksum that holds: nothing but InputError.
    for place in range(1, 30):
        header = bytearray(data[32:])
        header[-place] ^= 0x55
        size = int.from_bytes(data[20:28], "little")
        start = struct.pack("<QQL", int.from_bytes(data[12:20], "little"), size, zlib.crc32(bytes(header[-size:])))
        changed = data[:8] + struct.pack("<L", zlib.crc32(start)) + start + bytes(header)
        try:
            archive = SevenZip(BytesView(changed))
            for member in archive.members:
                archive.content(member)
        except InputError:
            pass


def names(data: bytes) -> list[str]:
    return [member.name for member in read_tar(BytesView(data)).members]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_pythons_tarfile(form: int) -> None:
    buffer = io.BytesIO()
    long = "folder/" * 12 + "long name" * 6 + ".txt"
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name in ("a.txt", long):
            info = tarfile.TarInfo(name)
            info.size = 700
            archive.addfile(info, io.BytesIO(b"x" * 700))
        archive.addfile(link("b", "a.txt"))
        folder = tarfile.TarInfo("c")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    data = buffer.getvalue()
    assert is_tar(BytesView(data))
    archive_read = read_tar(BytesView(data))
    assert archive_read.ambiguities == ()
    assert [(m.name, m.kind, m.size) for m in archive_read.members] == [
        ("a.txt", "file", 700),
        (long, "file", 700),
        ("b", "symbolic link", 0),
        ("c", "folder", 0),
    ]
    assert data[archive_read.members[1].start :][:700] == b"x" * 700


def doubts(data: bytes) -> str:
    archive: TarArchive = read_tar(BytesView(data))
    return " ".join(doubt.message for doubt in archive.ambiguities)


def resealed(data: bytes, at: int = 0) -> bytes:
    """With the checksum of the header at ``at`` made anew."""
    header = bytearray(data[at : at + 512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return data[:at] + bytes(header) + data[at + 512 :]


def test_what_readers_take_differently() -> None:
    one = tar(("a.txt", b"one"))
    assert doubts(one) == ""
    assert "twice" in doubts(tar(("a", b"1"), ("a", b"2")))
    assert "after the end" in doubts(one + b"x")
    assert "without the two empty blocks" in doubts(one[:1024])
    assert "checksum" in doubts(one[:1024] + b"\1" * 512)
    assert "cut short" in doubts(tar(("a", b"x" * 2000))[:1024])
    assert "type" in doubts(resealed(one[:156] + b"Z" + one[157:]))
    assert "sparse" in doubts(resealed(one[:156] + b"S" + one[157:]))
    assert "hard link with content" in doubts(resealed(one[:156] + b"1" + one[157:]))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "b"}) as archive:
        archive.addfile(tarfile.TarInfo("a"))
    assert "global header" in doubts(buffer.getvalue())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.size, info.pax_headers = 600, {"size": "20"}
        archive.addfile(info, io.BytesIO(b"x" * 600))
    assert "different sizes" in doubts(buffer.getvalue())


@pytest.mark.parametrize(
    ("field", "value"),
    [(slice(124, 136), b"notanumber\0\0"), (slice(124, 136), b"\xff" * 12)],
    ids=["text", "negative"],
)
def test_a_header_that_cannot_be_followed(field: slice, value: bytes) -> None:
    data = bytearray(tar(("a.txt", b"one")))
    data[field] = value
    with pytest.raises(InputError, match="number"):
        read_tar(BytesView(resealed(bytes(data))))
    assert not is_tar(BytesView(bytes(512)))
    assert not is_tar(BytesView(b"text"))


@pytest.mark.parametrize("record", [b"junk", b"99 path=a\n", b"9 path a\n", b"0 path=a\n"])
def test_malformed_extended_headers(record: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    data = info.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + tar(("a", b"1"))
    with pytest.raises(InputError, match="extended header"):
        read_tar(BytesView(data))
