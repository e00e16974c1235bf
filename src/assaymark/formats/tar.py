"""Strict reader of tar archives (POSIX.1-2001 ustar and pax, GNU long names), without unpacking.

Readers differ on numbers that two headers give, on sparse members, on headers whose checksum is wrong and on what
follows the end. An archive that leaves none of these open is read; each thing left open is an ``Ambiguity``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import TAR_MAX_ENTRIES, TAR_MAX_EXTENDED_BYTES
from assaymark.formats.zip import Ambiguity

if TYPE_CHECKING:
    from assaymark.core.view import View

BLOCK: Final = 512
_CHECKSUM: Final = slice(148, 156)
_CHUNK: Final = 1 << 16
_NO_END: Final = "it ends without the two empty blocks that end an archive"
_NO_HEADER: Final = "a header whose checksum is wrong: some readers stop here, others go on"
_CUT: Final = "a member that is cut short"
_UNENDED: Final = frozenset((_NO_END, _NO_HEADER, _CUT))
_KINDS: Final = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",  # contiguous: read as a plain file
    b"1": "hard link",
    b"2": "symbolic link",
    b"3": "character device",
    b"4": "block device",
    b"5": "folder",
    b"6": "pipe",
}


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member. ``kind``: file, folder, symbolic link, hard link, device, pipe. ``target`` is a link's."""

    name: str
    kind: str
    start: int
    size: int
    target: str = ""
    header: int = 0


@dataclass(frozen=True, slots=True)
class TarArchive:
    """Members in order, and what two readers take differently."""

    members: tuple[TarMember, ...]
    ambiguities: tuple[Ambiguity, ...]

    @property
    def unended(self) -> str:
        """Why what there is may not be all; empty for an archive that ends as archives do."""
        return next((one.message for one in self.ambiguities if one.message in _UNENDED), "")


def is_tar(view: View) -> bool:
    """Whether ``view`` begins with a tar header: its checksum decides, as in Python's tarfile; magic is optional."""
    block = view.read(0, BLOCK)
    return len(block) == BLOCK and any(block) and _checksum_holds(block)


def _checksum_holds(block: bytes) -> bool:
    said = tar_number(block[_CHECKSUM])
    rest = block[: _CHECKSUM.start] + b" " * 8 + block[_CHECKSUM.stop :]
    unsigned = sum(rest)
    return said in (unsigned, unsigned - 256 * sum(byte > 0x7F for byte in rest))  # noqa: PLR2004 - signed characters


def tar_number(field: bytes) -> int | None:
    """Octal digits up to a NUL, or GNU's base 256; ``None`` when it is neither."""
    if field[0] in (0x80, 0xFF):
        return int.from_bytes(field[1:], "big") - (256 ** (len(field) - 1) if field[0] == 0xFF else 0)  # noqa: PLR2004
    try:
        return int(field.split(b"\0", 1)[0].strip() or b"0", 8)
    except ValueError:
        return None


class _Reader:
    def __init__(self, view: View) -> None:
        self.view = view
        self.members: list[TarMember] = []
        self.doubts: list[Ambiguity] = []
        self.place = 0
        self._name: str | None = None
        self._target: str | None = None
        self._pax: dict[str, str] = {}

    def doubt(self, message: str, member: str = "") -> None:
        self.doubts.append(Ambiguity(message, self.place, member))

    def run(self) -> TarArchive:
        seen: set[str] = set()
        while True:
            block = self.view.read(self.place, BLOCK)
            if len(block) < BLOCK:
                self.doubt(_NO_END)
                break
            if not any(block):
                self._end()
                break
            if not _checksum_holds(block):
                self.doubt(_NO_HEADER)
                break
            if len(self.members) >= TAR_MAX_ENTRIES:
                raise InputError("tar-entries", f"more than {TAR_MAX_ENTRIES} members")
            member = self._header(block)
            if member is None:
                continue
            if member.name in seen and member.kind != "folder":
                self.doubt("a name that occurs twice", member.name)
            seen.add(member.name)
            self.members.append(member)
            if member.start + member.size > self.view.size:
                self.doubt(_CUT, member.name)
                break
        return TarArchive(tuple(self.members), tuple(self.doubts))

    def _header(self, block: bytes) -> TarMember | None:
        """The member of ``block``; ``None`` for a header that speaks of the next one."""
        header = self.place
        size = tar_number(block[124:136])
        if size is None or size < 0:
            raise InputError("tar-size", "a member's size is no number", position=f"byte {header}")
        flag = block[156:157]
        start = header + BLOCK
        if flag in b"LKxgX" and flag != b"":
            self._extended(flag, start, size)
            self.place = start + -(-size // BLOCK) * BLOCK
            return None
        name, target = self._names(block)
        kind = _KINDS.get(flag, "")
        if not kind:
            self.doubt(f"a member of type {flag!r}, which readers treat as they please", name)
            kind = "file"
        if "size" in self._pax:
            try:
                told = int(self._pax["size"])
            except ValueError:
                told = -1
            if told < 0 or (size not in (told, 0) and size != told % 8**11):
                self.doubt("two headers give different sizes", name)
            size = max(told, 0)
        if any(key.startswith("GNU.sparse") for key in self._pax) or flag == b"S":
            self.doubt("a sparse member, which readers unpack to different bytes", name)
        if kind not in ("file", "hard link"):
            size = 0
        elif kind == "hard link":
            if size:
                self.doubt("a hard link with content, which only some readers pass over", name)
            size = 0
        # The old form marks a folder by its name.
        if kind == "file" and name.endswith("/") and not size:
            kind = "folder"
        self.place = start + -(-size // BLOCK) * BLOCK
        self._name = self._target = None
        self._pax = {}
        return TarMember(name.rstrip("/") if kind == "folder" else name, kind, start, size, target, header)

    def _names(self, block: bytes) -> tuple[str, str]:
        name = _text(block[:100])
        prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""  # GNU has other fields there
        if prefix:
            name = f"{prefix}/{name}"
        target = _text(block[157:257])
        for told in (self._name, self._pax.get("path")):
            name = told if told is not None else name
        for told in (self._target, self._pax.get("linkpath")):
            target = told if told is not None else target
        if self._name is not None and self._pax.get("path", self._name) != self._name:
            self.doubt("two headers give different names", name)
        return name, target

    def _extended(self, flag: bytes, start: int, size: int) -> None:
        if size > TAR_MAX_EXTENDED_BYTES:
            raise InputError("tar-header", f"a header of {size} bytes", position=f"byte {start}")
        data = self.view.read(start, size)
        if flag == b"L":
            self._name = _text(data)
        elif flag == b"K":
            self._target = _text(data)
        elif flag == b"g":
            if _pax(data).keys() & {"path", "linkpath", "size"}:
                self.doubt("a global header that renames every member")
        else:
            self._pax |= _pax(data)

    def _end(self) -> None:
        place = self.place
        while piece := self.view.read(place, _CHUNK):
            if any(piece):
                self.place = place
                self.doubt("bytes after the end of the archive")
                return
            place += len(piece)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _pax(data: bytes) -> dict[str, str]:
    """Records of ``length key=value`` and a line end.

    Raises:
        InputError: ``tar-header`` for anything else.
    """
    records: dict[str, str] = {}
    place = 0
    while place < len(data) and data[place] != 0:
        space = data.find(b" ", place, place + 20)
        digits = data[place:space] if space > 0 else b""
        length = int(digits) if digits.isdigit() else 0
        record = data[space + 1 : place + length]
        key, equals, value = record.partition(b"=")
        if length <= len(digits) + 1 or place + length > len(data) or not equals or not record.endswith(b"\n"):
            raise InputError("tar-header", "a malformed extended header")
        records[key.decode("utf-8", "backslashreplace")] = value[:-1].decode("utf-8", "backslashreplace")
        place += length
    return records


def read_tar(view: View) -> TarArchive:
    """The members of the archive, without reading their content.

    Raises:
        InputError: ``tar-size``, ``tar-header``, ``tar-entries`` when it cannot be followed.
    """
    return _Reader(view).run()
