"""The zip reader beside Python's own, and the zip64 forms."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import replace

import pytest
from tests.support.asm import make_zip, zip_entry
from tests.support.views import SparseView

from assaymark.core.errors import InputError
from assaymark.core.limits import ZIP_MAX_DIRECTORY_BYTES, ZIP_MAX_ENTRIES
from assaymark.core.view import BytesView
from assaymark.formats.zip import hidden_zip, read_zip
from assaymark.formats.zip_member import member_view

TEXT = b"the same bytes again and again, " * 50


def archive(**options: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as file:  # type: ignore[arg-type]
        file.writestr("a.txt", TEXT)
        file.writestr("folder/b.txt", b"")
    return buffer.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_are_those_of_pythons_zipfile(method: int) -> None:
    data = archive(compression=method)
    ours = read_zip(BytesView(data))
    assert ours.ambiguities == ()
    with zipfile.ZipFile(io.BytesIO(data)) as reference:
        for member, info in zip(ours.members, reference.infolist(), strict=True):
            assert (member.name, member.size, member.packed, member.crc) == (
                info.filename,
                info.file_size,
                info.compress_size,
                info.CRC,
            )
            view = member_view(BytesView(data), member)
            assert view.read(0, view.size) == reference.read(info)


def test_members_of_another_method_are_named_as_unreadable() -> None:
    data = make_zip([zip_entry(b"a", b"x", method=97)])
    (member,) = read_zip(BytesView(data)).members
    with pytest.raises(InputError) as error:
        member_view(BytesView(b""), member)
    assert "method 97" in error.value.message


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_do_not_unpack_to_what_they_say(method: int) -> None:
    data = archive(compression=method)
    (member, _) = read_zip(BytesView(data)).members
    for changed in (
        replace(member, size=member.size - 1),
        replace(member, size=member.size + 1),
        replace(member, packed=member.packed - 12),
        replace(member, packed=5),
        replace(member, crc=member.crc ^ 1),
        replace(member, start=member.start + 1),
    ):
        with pytest.raises(InputError):
            member_view(BytesView(data), changed)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_of_other_methods_are_unpacked(method: int) -> None:
    data = archive(compression=method)
    with zipfile.ZipFile(io.BytesIO(data)) as reference:
        for member, info in zip(read_zip(BytesView(data)).members, reference.infolist(), strict=True):
            view = member_view(BytesView(data), member)
            assert view.read(0, view.size) == reference.read(info)


def zip64(
    entries: int = 1,
    *,
    narrow: int = 0xFFFF,
    offset: int | None = None,
    magic: bytes = b"PK\x06\x06",
    length: int = 44,
) -> bytes:
    """One stored member beyond 4 GB is not needed to write the 64-bit records."""
    plain = make_zip([zip_entry(b"a", b"hello")])
    body, end = plain[:-22], plain[-22:]
    directory, at = struct.unpack_from("<2L", end, 12)
    record = struct.pack("<4sQ2H2L4Q", magic, length, 45, 45, 0, 0, entries, entries, directory, at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body) if offset is None else offset, 1)
    return (
        body
        + record
        + locator
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, narrow, narrow, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    )


def test_zip64_records_are_read() -> None:
    result = read_zip(BytesView(zip64()))
    assert result.ambiguities == ()
    assert [member.name for member in result.members] == ["a"]


def test_end_records_that_disagree_are_ambiguous() -> None:
    assert any("disagree" in doubt.message for doubt in read_zip(BytesView(zip64(narrow=7))).ambiguities)
    assert read_zip(BytesView(zip64(length=99))).ambiguities


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        zip64(offset=3),
        zip64(magic=b"PK\0\0"),
        zip64(entries=5),
        struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0),
    ],
)
def test_no_directory_no_archive(data: bytes) -> None:
    try:
        result = read_zip(BytesView(data))
    except InputError as error:
        assert error.code.startswith("zip-")  # noqa: PT017 - one of two ways to say so
    else:
        assert result.members == ()
        assert result.unreadable


def test_limits() -> None:
    with pytest.raises(InputError) as error:
        read_zip(BytesView(zip64(entries=ZIP_MAX_ENTRIES + 1)))
    assert error.value.code == "zip-entries"
    size = ZIP_MAX_DIRECTORY_BYTES + 1
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 0, 0)
    view = SparseView(size + len(end), {size: end})
    with pytest.raises(InputError) as error:
        read_zip(view)
    assert error.value.code == "zip-directory"
    assert view.bytes_read < 1000


def test_a_large_member_is_not_read() -> None:
    """A member beyond 4 GB, as zip64 writes it: sizes in the extra fields of both headers."""
    size = 5 << 30
    extra = struct.pack("<HHQQ", 1, 16, size, size)
    local = (
        struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0, 7, 0xFFFFFFFF, 0xFFFFFFFF, 1, len(extra))
        + b"a"
        + extra
    )
    entry = (
        struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 45, 45, 0, 0, 0, 0, 7, 0xFFFFFFFF, 0xFFFFFFFF, 1, len(extra), 0, 0, 0, 0, 0
        )
        + b"a"
        + extra
    )
    at = len(local) + size
    tail = entry + struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(entry), at)
    tail += struct.pack("<4sLQL", b"PK\x06\x07", 0, at + len(entry), 1)
    tail += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), 0xFFFFFFFF, 0)
    view = SparseView(at + len(tail), {0: local, at: tail})
    (member,) = read_zip(view).members
    assert (member.size, member.start) == (size, len(local))
    assert read_zip(view).ambiguities == ()
    assert member_view(view, member).size == size
    assert view.bytes_read < 4096


def test_hidden_archives_are_those_that_zipfile_opens() -> None:
    plain = archive()
    for data in (b"x" * 100 + plain, b"x" + plain + b"tail", plain):
        assert (hidden_zip(BytesView(data)) is not None) is zipfile.is_zipfile(io.BytesIO(data))
    assert hidden_zip(BytesView(b"PK\x05\x06" + b"\x01" * 18)) is None
    assert hidden_zip(BytesView(b"text that speaks of PK\x05\x06")) is None
