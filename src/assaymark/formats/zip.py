"""Strict reader of zip archives (PKWARE APPNOTE 6.3.10): one canonical reading, or it says where readers differ.

Readers disagree on which of two end records counts, whether the local or the central name holds, what lies
between members and which of two equal names wins. An archive that leaves none of these open is read; each
thing left open is an ``Ambiguity``. Members that cannot be read carry a reason in ``unreadable``.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import ZIP_MAX_DIRECTORY_BYTES, ZIP_MAX_ENTRIES, ZIP_MAX_TAIL

if TYPE_CHECKING:
    from assaymark.core.view import View

LOCAL_MAGIC: Final = b"PK\x03\x04"
END_MAGIC: Final = b"PK\x05\x06"
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_CENTRAL_MAGIC: Final = b"PK\x01\x02"
_END64_MAGIC: Final = b"PK\x06\x06"
_LOCATOR_MAGIC: Final = b"PK\x06\x07"
_DESCRIPTOR_MAGIC: Final = b"PK\x07\x08"
_MAX16: Final = 0xFFFF
_MAX32: Final = 0xFFFFFFFF
_ENCRYPTED: Final = 0x2041  # bits 0, 6 and 13: traditional, strong, masked headers
_HAS_DESCRIPTOR: Final = 0x0008
_UTF8: Final = 0x0800
_STORED: Final = 0
DEFLATED: Final = 8
BZIP2: Final = 12
LZMA: Final = 14
ZSTANDARD: Final = 93
METHODS: Final = frozenset((DEFLATED, BZIP2, LZMA, ZSTANDARD))  # what Python's zipfile inflates (APPNOTE 4.4.5)
_ZIP64_FIELD: Final = 0x0001
_UNICODE_PATH_FIELD: Final = 0x7075
_UNIX: Final = 3
_LINK: Final = 0o120000
_TYPE_MASK: Final = 0o170000
_LOCAL_GUESS: Final = 128  # torch pads a local header to its alignment of 64
# Device names and drive letters are paths of their own on Windows.
_ROOTED: Final = re.compile(r"[/\\]|[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Something that two readers take differently: what, at which byte, of which member."""

    message: str
    offset: int
    member: str = ""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One file of the archive. ``start`` is where its data begins; ``unreadable`` says why it cannot be had.

    ``deflated`` says that it is compressed, by ``method`` (APPNOTE 4.4.5).
    """

    name: str
    size: int
    packed: int
    crc: int
    deflated: bool
    start: int
    unreadable: str = ""
    method: int = DEFLATED


@dataclass(frozen=True, slots=True)
class ZipArchive:
    """Members in the order of the directory, and what is ambiguous about the archive.

    ``unreadable`` says why an archive that is ambiguous as well could not be read; ``members`` is then empty.
    """

    members: tuple[ZipMember, ...]
    ambiguities: tuple[Ambiguity, ...]
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class _Directory:
    offset: int
    size: int
    entries: int
    shift: int  # what Python's zipfile adds to every offset when bytes lie before the archive


@dataclass(frozen=True, slots=True)
class _Entry:
    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int
    attributes: int
    system: int


def read_zip(view: View) -> ZipArchive:
    """The archive's members and its ambiguities; reads directory and local headers, no data.

    Raises:
        InputError: ``zip-end``, ``zip-directory``, ``zip-entries``: no directory can be read.
    """
    doubts: list[Ambiguity] = []
    try:
        return ZipArchive(_read(view, doubts), tuple(doubts))
    except InputError as error:
        if not doubts:
            raise
        return ZipArchive((), tuple(doubts), error.message)


def _read(view: View, doubts: list[Ambiguity]) -> tuple[ZipMember, ...]:
    directory = _find_directory(view, doubts)
    if directory.entries > ZIP_MAX_ENTRIES:
        raise InputError("zip-entries", f"{directory.entries} members, above the limit of {ZIP_MAX_ENTRIES}")
    entries = _read_directory(view, directory, doubts)
    _check_names(entries, doubts)
    members: dict[int, ZipMember] = {}
    expected = 0
    for index in sorted(range(len(entries)), key=lambda index: entries[index].header):
        entry = entries[index]
        if entry.header != expected:
            what = (
                "overlaps the one before" if entry.header < expected else "has bytes before it that belong to nothing"
            )
            doubts.append(Ambiguity(f"the member {what}", entry.header, entry.name))
        members[index], expected = _member(view, entry, directory, doubts)
    if expected != directory.offset:
        doubts.append(Ambiguity("the directory does not begin where the last member ends", directory.offset))
    return tuple(members[index] for index in range(len(entries)))


def hidden_zip(view: View) -> int | None:
    """Where the end record is that a reader from the end (Python's zipfile) would open in a file that is no zip."""
    tail_start = max(0, view.size - ZIP_MAX_TAIL)
    tail = view.read(tail_start, ZIP_MAX_TAIL)
    found = tail.rfind(END_MAGIC)
    while found >= 0:
        record = tail[found : found + _END.size]
        if len(record) == _END.size and _leads_to_directory(view, tail_start + found, record):
            return tail_start + found
        found = tail.rfind(END_MAGIC, 0, found)
    return None


def _leads_to_directory(view: View, at: int, record: bytes) -> bool:
    """Whether a reader finds a directory, be it empty, by the end record at ``at``.

    With a zip64 locator before the record, readers take the numbers from there and none from the record.
    """
    _, _, _, _, entries, size, offset, _ = _END.unpack(record)
    if at >= _LOCATOR.size and view.read(at - _LOCATOR.size, 4) == _LOCATOR_MAGIC:
        return True
    if size == 0:
        return bool(entries == 0)
    return any(place >= 0 and view.read(place, 4) == _CENTRAL_MAGIC for place in (at - size, offset))


def _find_directory(view: View, doubts: list[Ambiguity]) -> _Directory:
    at = view.size - _END.size
    record = view.read(at, _END.size) if at >= 0 else b""
    if record[:4] != END_MAGIC or record[-2:] != b"\0\0":
        at, record = _end_with_comment(view, doubts)
    _, disk, first_disk, here, entries, size, offset, _ = _END.unpack(record)
    if disk not in (0, _MAX16) or first_disk not in (0, _MAX16) or here != entries:
        doubts.append(Ambiguity("the archive says that it has several parts", at))
    locator = view.read(at - _LOCATOR.size, _LOCATOR.size) if at >= _LOCATOR.size else b""
    if locator[:4] != _LOCATOR_MAGIC:
        if _MAX16 in (entries, here) or _MAX32 in (size, offset):
            raise InputError("zip-end", "a zip64 archive without its end record", position=f"byte {at}")
        end = at
    else:
        narrow = (entries, size, offset)
        end = _LOCATOR.unpack(locator)[2]
        entries, size, offset = _read_end64(view, end, at - _LOCATOR.size, doubts)
        for small, large, saturated in zip(narrow, (entries, size, offset), (_MAX16, _MAX32, _MAX32), strict=True):
            if small not in (large, saturated):
                doubts.append(Ambiguity("the two end records disagree", at))
                break
    shift = 0
    if offset + size != end:
        doubts.append(Ambiguity("the directory does not end where the end record begins", end))
        if size <= end and view.read(end - size, 4) == _CENTRAL_MAGIC:
            shift = end - size - offset
    if offset + shift + size > view.size:
        raise InputError("zip-directory", "the directory lies outside the file", position=f"byte {offset}")
    return _Directory(offset + shift, size, entries, shift)


def _read_end64(view: View, at: int, locator: int, doubts: list[Ambiguity]) -> tuple[int, int, int]:
    record = view.read(at, _END64.size)
    if len(record) < _END64.size or record[:4] != _END64_MAGIC:
        raise InputError("zip-end", "no zip64 end record where the locator says", position=f"byte {at}")
    _, length, _, _, disk, first_disk, here, entries, size, offset = _END64.unpack(record)
    if disk or first_disk or here != entries:
        doubts.append(Ambiguity("the archive says that it has several parts", at))
    if length != _END64.size - 12 or at + _END64.size != locator:
        doubts.append(Ambiguity("the zip64 end record is followed by bytes that belong to nothing", at))
    return entries, size, offset


def _end_with_comment(view: View, doubts: list[Ambiguity]) -> tuple[int, bytes]:
    start = max(0, view.size - ZIP_MAX_TAIL)
    tail = view.read(start, ZIP_MAX_TAIL)
    candidates = [match.start() for match in re.finditer(re.escape(END_MAGIC), tail)]
    for found in candidates:
        record = tail[found : found + _END.size]
        if len(record) == _END.size and found + _END.size + int.from_bytes(record[-2:], "little") == len(tail):
            if found != candidates[-1]:
                doubts.append(Ambiguity("the comment holds a second end record", start + candidates[-1]))
            return start + found, record
    for found in reversed(candidates):
        record = tail[found : found + _END.size]
        if len(record) == _END.size:
            doubts.append(Ambiguity("bytes follow the end record", start + found + _END.size))
            return start + found, record
    raise InputError("zip-end", "no end record: the archive is cut off, or no archive")


def _read_directory(view: View, directory: _Directory, doubts: list[Ambiguity]) -> list[_Entry]:
    if directory.size > ZIP_MAX_DIRECTORY_BYTES:
        raise InputError("zip-directory", f"a directory of {directory.size} bytes, above the limit")
    data = view.read(directory.offset, directory.size)
    entries: list[_Entry] = []
    position = 0
    for _ in range(directory.entries):
        at = directory.offset + position
        if data[position : position + 4] != _CENTRAL_MAGIC or position + _CENTRAL.size > len(data):
            raise InputError("zip-directory", "the directory is malformed", position=f"byte {at}")
        fields = _CENTRAL.unpack_from(data, position)
        _, made, _, flags, method, _, _, crc, packed, size, name_length, extra_length, comment_length = fields[:13]
        attributes, header = fields[15:17]
        position += _CENTRAL.size
        raw = data[position : position + name_length]
        extra = data[position + name_length : position + name_length + extra_length]
        position += name_length + extra_length + comment_length
        if position > len(data):
            raise InputError("zip-directory", "the directory is cut off", position=f"byte {at}")
        name = _decode(raw, flags)
        values = {"size": size, "packed": packed, "header": header}
        _apply_extra(
            extra, values, (("size", size), ("packed", packed), ("header", header)), name=name, at=at, doubts=doubts
        )
        entries.append(
            _Entry(
                raw_name=raw,
                name=name,
                flags=flags,
                method=method,
                crc=crc,
                packed=values["packed"],
                size=values["size"],
                header=values["header"] + directory.shift,
                attributes=attributes,
                system=made >> 8,
            )
        )
    if position != len(data):
        doubts.append(Ambiguity("the directory holds bytes that belong to nothing", directory.offset + position))
    return entries


def _decode(raw: bytes, flags: int) -> str:
    """The name; UTF-8 that is none, and bytes in code page 437, stay distinguishable."""
    return raw.decode("utf-8", "backslashreplace") if flags & _UTF8 else raw.decode("cp437")


def _apply_extra(
    extra: bytes,
    values: dict[str, int],
    order: tuple[tuple[str, int], ...],
    *,
    name: str,
    at: int,
    doubts: list[Ambiguity],
) -> None:
    """Replace saturated 32-bit values by those of the zip64 field (APPNOTE 4.5.3).

    Of two such fields one reader takes the first and another the last, so a second one is a doubt.
    """
    position = 0
    wide = False
    while position + 4 <= len(extra):
        tag = int.from_bytes(extra[position : position + 2], "little")
        length = int.from_bytes(extra[position + 2 : position + 4], "little")
        body = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if tag == _UNICODE_PATH_FIELD:
            doubts.append(Ambiguity("the member has a second name in an extra field", at, name))
        if tag == _ZIP64_FIELD:
            if wide:
                doubts.append(Ambiguity("the member has two zip64 fields", at, name))
                continue
            wide = True
            for key, narrow in order:
                if narrow == _MAX32 and len(body) >= 8:  # noqa: PLR2004 - a 64-bit number
                    values[key], body = int.from_bytes(body[:8], "little"), body[8:]
    if position != len(extra):
        doubts.append(Ambiguity("the member's extra field is malformed", at, name))


def _check_names(entries: list[_Entry], doubts: list[Ambiguity]) -> None:
    seen: set[str] = set()
    folded: set[str] = set()
    for entry in entries:
        plain = entry.name.split("\0", 1)[0].replace("\\", "/")
        if plain in seen:
            doubts.append(Ambiguity("two members have this name", entry.header, entry.name))
        elif plain.casefold() in folded:  # torch looks names up without regard to case, as some file systems do
            doubts.append(Ambiguity("two members' names differ in case only", entry.header, entry.name))
        seen.add(plain)
        folded.add(plain.casefold())
        if "\0" in entry.name or not plain:
            doubts.append(Ambiguity("the member's name is empty or holds a NUL", entry.header, entry.name))
        if _ROOTED.match(plain) or ".." in plain.split("/"):
            doubts.append(Ambiguity("the member's name leads out of the archive", entry.header, entry.name))
        if entry.system == _UNIX and (entry.attributes >> 16) & _TYPE_MASK == _LINK:
            doubts.append(Ambiguity("the member is a symbolic link", entry.header, entry.name))


def _member(view: View, entry: _Entry, directory: _Directory, doubts: list[Ambiguity]) -> tuple[ZipMember, int]:
    """The member, and where the next one should begin."""
    head = view.read(max(entry.header, 0), _LOCAL.size + len(entry.raw_name) + _LOCAL_GUESS)
    unreadable = ""
    if len(head) < _LOCAL.size or head[:4] != LOCAL_MAGIC or not 0 <= entry.header < directory.offset:
        doubts.append(Ambiguity("the directory points to something that is no member", entry.header, entry.name))
        lost = ZipMember(entry.name, entry.size, entry.packed, entry.crc, False, 0, "no local header")
        return lost, entry.header
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack_from(head)
    start = entry.header + _LOCAL.size + name_length + extra_length
    if start > entry.header + len(head):
        head += view.read(entry.header + len(head), start - entry.header - len(head))
    raw = head[_LOCAL.size : _LOCAL.size + name_length]
    extra = head[_LOCAL.size + name_length : _LOCAL.size + name_length + extra_length]
    values = {"size": size, "packed": packed}
    _apply_extra(extra, values, (("size", size), ("packed", packed)), name=entry.name, at=entry.header, doubts=doubts)
    streamed = bool(flags & _HAS_DESCRIPTOR)
    local = (values["size"], values["packed"], crc)
    same = local == (entry.size, entry.packed, entry.crc) or (streamed and not any(local))
    if raw != entry.raw_name or method != entry.method or flags != entry.flags or not same:
        doubts.append(Ambiguity("the local header disagrees with the directory", entry.header, entry.name))
    if entry.flags & _ENCRYPTED:
        unreadable = "the member is encrypted"
    elif entry.method != _STORED and entry.method not in METHODS:
        unreadable = f"the member is compressed by method {entry.method}, which is not read"
    elif entry.method == _STORED and entry.size != entry.packed:
        doubts.append(Ambiguity("a stored member has two sizes", entry.header, entry.name))
        unreadable = "a stored member with two sizes"
    elif start + entry.packed > directory.offset:
        doubts.append(Ambiguity("the member's data reach into the directory", entry.header, entry.name))
        unreadable = "the member's data lie outside the archive"
    compressed = entry.method != _STORED
    member = ZipMember(
        entry.name, entry.size, entry.packed, entry.crc, compressed, start, unreadable, method=entry.method
    )
    end = start + entry.packed
    return member, end + (_descriptor(view, entry, end, doubts) if streamed else 0)


def _descriptor(view: View, entry: _Entry, at: int, doubts: list[Ambiguity]) -> int:
    """The length of the data descriptor at ``at`` (APPNOTE 4.3.9): with or without magic, 32 or 64 bits wide."""
    data = view.read(at, 24)
    for magic in (_DESCRIPTOR_MAGIC, b""):
        for width in (4, 8):
            expected = magic + entry.crc.to_bytes(4, "little")
            try:
                expected += entry.packed.to_bytes(width, "little") + entry.size.to_bytes(width, "little")
            except OverflowError:
                continue
            if data.startswith(expected):
                return len(expected)
    doubts.append(Ambiguity("the descriptor behind the data disagrees with the directory", at, entry.name))
    return 0
