"""Strict reader of 7z archives (7zFormat.txt of the LZMA SDK 23.01): headers, and folders unpacked in memory.

Coders: copy, LZMA, LZMA2, BZip2, Deflate, Delta, and the x86 filter, one stream through a chain of them. Others
(encryption, BCJ2, PPMd) make a member unreadable, with the reason.

This is one file because the header is one grammar, whose parts are used in one place each.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import SEVENZIP_MAX_ENTRIES, SEVENZIP_MAX_HEADER_BYTES, ZIP_MAX_INFLATED_BYTES
from assaymark.formats.compressed import raw_lzma

if TYPE_CHECKING:
    from assaymark.core.view import View

MAGIC: Final = b"7z\xbc\xaf\x27\x1c"
_SIGNATURE: Final = 32
# Ids of a header's parts, and of coders.
_END: Final = 0
_HEADER: Final = 1
_ARCHIVE_PROPERTIES: Final = 2
_MAIN: Final = 4
_FILES: Final = 5
_PACK: Final = 6
_UNPACK: Final = 7
_SUBSTREAMS: Final = 8
_SIZE: Final = 9
_CRC: Final = 10
_FOLDER: Final = 11
_CODERS_SIZES: Final = 12
_COUNT: Final = 13
_EMPTY: Final = 14
_NAMES: Final = 17
_ENCODED: Final = 0x17
_COPY: Final = b"\x00"
_LZMA: Final = b"\x03\x01\x01"
_LZMA2: Final = b"\x21"
_BZIP2: Final = b"\x04\x02\x02"
_DEFLATE: Final = b"\x04\x01\x08"
_DELTA: Final = b"\x03"
_BCJ: Final = b"\x03\x03\x01\x03"
_NAMES_OF: Final = {b"\x06\xf1\x07\x01": "encryption", b"\x03\x03\x01\x1b": "BCJ2", b"\x03\x04\x01": "PPMd"}


@dataclass(frozen=True, slots=True)
class _Coder:
    method: bytes
    properties: bytes


@dataclass(slots=True)
class _Folder:
    coders: list[_Coder] = field(default_factory=list)
    simple: bool = True  # one stream in and out, all coders in one chain
    order: list[int] = field(default_factory=list)  # the coders as packed data goes through them
    packed: int = 1
    sizes: list[int] = field(default_factory=list)
    crc: int | None = None
    start: int = 0
    length: int = 0
    streams: list[tuple[int, int | None]] = field(default_factory=list)  # size and checksum of each file in it

    @property
    def size(self) -> int:
        """Bytes that come out in the end."""
        return self.sizes[self.order[-1] if self.order else 0]


@dataclass(frozen=True, slots=True)
class SevenZipMember:
    """One file. ``folder`` is the number of the packed folder that holds it, ``-1`` for an empty file."""

    name: str
    size: int
    folder: int
    offset: int
    crc: int | None


class _Bytes:
    """A header, read from its beginning."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, length: int) -> bytes:
        part = self.data[self.place : self.place + length]
        if len(part) < length:
            raise InputError("7z-header", "the header is cut short")
        self.place += length
        return part

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """A number whose first byte says in its leading ones how many follow."""
        first = self.byte()
        mask, value = 0x80, 0
        for index in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * index)
            value |= self.byte() << (8 * index)
            mask >>= 1
        return value

    def count(self) -> int:
        number = self.number()
        if number > SEVENZIP_MAX_ENTRIES:
            raise InputError("7z-entries", f"more than {SEVENZIP_MAX_ENTRIES} entries")
        return number

    def bits(self, length: int) -> list[bool]:
        data = self.take(-(-length // 8))
        return [bool(data[i // 8] & 0x80 >> i % 8) for i in range(length)]

    def defined(self, length: int) -> list[bool]:
        return [True] * length if self.byte() else self.bits(length)

    def checksums(self, length: int) -> list[int | None]:
        return [int.from_bytes(self.take(4), "little") if there else None for there in self.defined(length)]

    def expect(self, kind: int) -> None:
        if self.byte() != kind:
            raise InputError("7z-header", "the header's parts are out of order", position=f"byte {self.place - 1}")


class SevenZip:
    """An archive's members and how to get them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._folders: list[_Folder] = []
        self._unpacked: tuple[int, bytes] = (-1, b"")
        self.members: tuple[SevenZipMember, ...] = ()
        self.trailing: int | None = None
        self._read()

    def content(self, member: SevenZipMember) -> bytes:
        """The bytes of ``member``.

        Raises:
            InputError: ``7z-coder`` when they cannot be had, ``7z-bomb`` above ZIP_MAX_INFLATED_BYTES,
                ``7z-data`` when they do not unpack to what the header says.
        """
        if member.folder < 0:
            return b""
        if self._unpacked[0] != member.folder:
            self._unpacked = (member.folder, self._unpack(self._folders[member.folder]))
        data = self._unpacked[1][member.offset : member.offset + member.size]
        if len(data) != member.size or (member.crc is not None and zlib.crc32(data) != member.crc):
            raise InputError("7z-data", "it does not unpack to what the header says")
        return data

    def _read(self) -> None:
        head = self._view.read(0, _SIGNATURE)
        if (
            len(head) < _SIGNATURE
            or not head.startswith(MAGIC)
            or zlib.crc32(head[12:32]) != int.from_bytes(head[8:12], "little")
        ):
            raise InputError("7z-header", "the signature header is malformed")
        offset, size = int.from_bytes(head[12:20], "little"), int.from_bytes(head[20:28], "little")
        if size > SEVENZIP_MAX_HEADER_BYTES or _SIGNATURE + offset + size > self._view.size:
            raise InputError("7z-header", "the header lies outside the file")
        if _SIGNATURE + offset + size != self._view.size:
            self.trailing = _SIGNATURE + offset + size
        data = self._view.read(_SIGNATURE + offset, size)
        if zlib.crc32(data) != int.from_bytes(head[28:32], "little"):
            raise InputError("7z-header", "the header's checksum is wrong")
        for _ in range(4):
            if not data:
                return
            source = _Bytes(data)
            kind = source.byte()
            if kind == _HEADER:
                self._header(source)
                return
            if kind != _ENCODED:
                break
            self._folders = []
            self._streams(source)
            if len(self._folders) != 1:
                break
            data = self._unpack(self._folders[0], SEVENZIP_MAX_HEADER_BYTES)
            self._folders = []
        raise InputError("7z-header", "the header is malformed")

    def _header(self, source: _Bytes) -> None:
        kind = source.byte()
        if kind == _ARCHIVE_PROPERTIES:
            while source.byte() != _END:
                source.take(source.number())
            kind = source.byte()
        if kind == _MAIN:
            self._streams(source)
            kind = source.byte()
        if kind == _FILES:
            self._files(source)
            kind = source.byte()
        if kind != _END:
            raise InputError("7z-header", "a part of the header is not known", position=f"byte {source.place - 1}")

    def _streams(self, source: _Bytes) -> None:
        kind = source.byte()
        packed: list[int] = []
        start = _SIGNATURE
        if kind == _PACK:
            start += source.number()
            count = source.count()
            while (kind := source.byte()) != _END:
                if kind == _SIZE:
                    packed = [source.number() for _ in range(count)]
                elif kind == _CRC:
                    source.checksums(count)
                else:
                    raise InputError("7z-header", "a part of the header is not known")
            kind = source.byte()
        if kind == _UNPACK:
            self._unpack_info(source)
            kind = source.byte()
        self._place(start, packed)
        for folder in self._folders:
            folder.streams = [(folder.size, folder.crc)]
        if kind == _SUBSTREAMS:
            self._substreams(source)
            kind = source.byte()
        if kind != _END:
            raise InputError("7z-header", "a part of the header is not known", position=f"byte {source.place - 1}")

    def _place(self, start: int, packed: list[int]) -> None:
        index = 0
        for folder in self._folders:
            sizes = packed[index : index + folder.packed]
            if len(sizes) != folder.packed or start + sum(sizes) > self._view.size:
                raise InputError("7z-header", "packed data lies outside the file")
            folder.start, folder.length = start, sum(sizes)
            start += folder.length
            index += folder.packed

    def _unpack_info(self, source: _Bytes) -> None:
        source.expect(_FOLDER)
        count = source.count()
        if source.byte():
            raise InputError("7z-header", "an external header")
        self._folders = [_folder(source) for _ in range(count)]
        source.expect(_CODERS_SIZES)
        for folder in self._folders:
            folder.sizes = [source.number() for _ in folder.coders]
        while (kind := source.byte()) != _END:
            if kind != _CRC:
                raise InputError("7z-header", "a part of the header is not known")
            for folder, crc in zip(self._folders, source.checksums(count), strict=True):
                folder.crc = crc

    def _substreams(self, source: _Bytes) -> None:
        kind = source.byte()
        counts = [1] * len(self._folders)
        if kind == _COUNT:
            counts = [source.count() for _ in self._folders]
            kind = source.byte()
        if sum(counts) > SEVENZIP_MAX_ENTRIES:
            raise InputError("7z-entries", f"more than {SEVENZIP_MAX_ENTRIES} entries")
        for folder, number in zip(self._folders, counts, strict=True):
            sizes = [source.number() for _ in range(number - 1)] if kind == _SIZE else []
            if number:
                rest = folder.size - sum(sizes)
                if rest < 0 or (number > 1 and kind != _SIZE):
                    raise InputError("7z-header", "files are larger than the data that holds them")
                sizes.append(rest)
            folder.streams = [(size, folder.crc if number == 1 else None) for size in sizes]
        if kind == _SIZE:
            kind = source.byte()
        if kind == _CRC:
            missing = [
                (folder, i)
                for folder in self._folders
                for i in range(len(folder.streams))
                if not (len(folder.streams) == 1 and folder.crc is not None)
            ]
            for (folder, i), crc in zip(missing, source.checksums(len(missing)), strict=True):
                folder.streams[i] = (folder.streams[i][0], crc)
            kind = source.byte()
        if kind != _END:
            raise InputError("7z-header", "a part of the header is not known")

    def _files(self, source: _Bytes) -> None:
        count = source.count()
        names = [""] * count
        empty = [False] * count
        while (kind := source.byte()) != _END:
            part = _Bytes(source.take(source.number()))
            if kind == _NAMES:
                if part.byte():
                    raise InputError("7z-header", "names that lie elsewhere")
                names = part.take(len(part.data) - 1).decode("utf-16-le", "backslashreplace").split("\0")[:-1]
            elif kind == _EMPTY:
                empty = part.bits(count)
        if len(names) != count:
            raise InputError("7z-header", "files without a name")
        places = [
            (number, offset, size, crc)
            for number, folder in enumerate(self._folders)
            for offset, (size, crc) in zip(_offsets(folder), folder.streams, strict=True)
        ]
        if len(places) != empty.count(False):
            raise InputError("7z-header", "not as many files as streams")
        streams = iter(places)
        members = []
        for name, is_empty in zip(names, empty, strict=True):
            number, offset, size, crc = (-1, 0, 0, None) if is_empty else next(streams)
            members.append(SevenZipMember(name, size, number, offset, crc))
        self.members = tuple(members)

    def _unpack(self, folder: _Folder, limit: int = ZIP_MAX_INFLATED_BYTES) -> bytes:
        for coder in folder.coders:
            if coder.method in _NAMES_OF:
                raise InputError("7z-coder", f"it uses {_NAMES_OF[coder.method]}, which is not read")
        if not folder.simple:
            raise InputError("7z-coder", "it uses coders that are bound in a way that is not read")
        if max(folder.sizes) > limit:
            raise InputError("7z-bomb", f"unpacks to {max(folder.sizes)} bytes, above the limit of {limit}")
        data = self._view.read(folder.start, folder.length)
        try:
            data = _decode(data, folder)
        except (lzma.LZMAError, zlib.error, OSError, ValueError, EOFError) as error:
            raise InputError("7z-data", f"it does not unpack: {error}") from None
        if len(data) != folder.size or (folder.crc is not None and zlib.crc32(data) != folder.crc):
            raise InputError("7z-data", "it does not unpack to what the header says")
        return data


def _offsets(folder: _Folder) -> list[int]:
    offsets, place = [], 0
    for size, _ in folder.streams:
        offsets.append(place)
        place += size
    return offsets


def _folder(source: _Bytes) -> _Folder:
    folder = _Folder()
    count = source.number()
    if not 1 <= count <= 4:  # noqa: PLR2004 - MAX_NUM_CODERS_FOR_STREAMS_INFO of the SDK is 32; writers use up to 4
        raise InputError("7z-header", "a folder with too many coders")
    for _ in range(count):
        flags = source.byte()
        method = source.take(flags & 0x0F)
        ins, outs = (source.number(), source.number()) if flags & 0x10 else (1, 1)
        folder.simple &= ins == outs == 1
        if ins + outs > 8 or flags & 0x80:  # noqa: PLR2004
            raise InputError("7z-header", "a coder that is not known")
        folder.packed += ins - 1
        folder.coders.append(_Coder(method, source.take(source.number()) if flags & 0x20 else b""))
    pairs = [(source.number(), source.number()) for _ in range(count - 1)]
    if folder.packed > 1:
        for _ in range(folder.packed):
            source.number()
    # A pair says which coder's output is a coder's input. Data enters at the one whose input is no one's output.
    feeds = {output: into for into, output in pairs}
    at = next((index for index in range(count) if index not in dict(pairs)), None)
    while at is not None and len(folder.order) < count:
        folder.order.append(at)
        at = feeds.get(at)
    folder.simple &= sorted(folder.order) == list(range(count))
    return folder


def _decode(data: bytes, folder: _Folder) -> bytes:
    for index in folder.order:
        coder, size = folder.coders[index], folder.sizes[index]
        match coder.method:
            case method if method == _COPY:
                pass
            case method if method in (_LZMA, _LZMA2, _DELTA, _BCJ):
                data = _lzma(data, coder, size)
            case method if method == _BZIP2:
                data = bz2.BZ2Decompressor().decompress(data, size)
            case method if method == _DEFLATE:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, max(size, 1))
            case _:
                raise InputError("7z-coder", f"it uses the coder {coder.method.hex()}, which is not read")
        if len(data) != size:
            raise ValueError("a coder's output has another length than the header says")
    return data


def _lzma(data: bytes, coder: _Coder, size: int) -> bytes:
    properties = coder.properties
    if coder.method == _LZMA:
        return raw_lzma(properties, size).decompress(data, size)
    if coder.method == _LZMA2:
        if len(properties) != 1 or properties[0] > 40:  # noqa: PLR2004
            raise ValueError("malformed properties")
        word = 2**32 - 1 if properties[0] == 40 else (2 | properties[0] & 1) << (properties[0] // 2 + 11)  # noqa: PLR2004
        two = {"id": lzma.FILTER_LZMA2, "dict_size": _dictionary(word, size)}
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[two]).decompress(data, size)
    # liblzma takes a filter only before LZMA2: data goes through it in stored chunks of LZMA2.
    first = (
        {"id": lzma.FILTER_DELTA, "dist": (properties[0] if properties else 0) + 1}
        if coder.method == _DELTA
        else {"id": lzma.FILTER_X86}
    )
    stored = b"".join(
        (b"\x01" if i == 0 else b"\x02") + (len(data[i : i + 65536]) - 1).to_bytes(2, "big") + data[i : i + 65536]
        for i in range(0, len(data), 65536)
    )
    chain = [first, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain).decompress(stored + b"\0", size)


def _dictionary(said: int, size: int) -> int:
    """No more memory than the output needs, whatever the header says."""
    return max(4096, min(said, size, ZIP_MAX_INFLATED_BYTES))
