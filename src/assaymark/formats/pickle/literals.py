"""Opcodes that push constants. Raw data is passed over, long text is known by its length."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import PICKLE_MAX_DIGITS, PICKLE_MAX_INTEGER_BYTES, SCAN_MAX_STRING
from assaymark.formats.pickle.machine import NO_FRAME
from assaymark.formats.pickle.reader import Truncated
from assaymark.formats.pickle.values import MALFORMED, Blob, EightBit, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.machine import Machine

_OCTAL: Final = re.compile(rb"\s*([+-]?)0([0-7]+)")
_HIGHEST_PROTOCOL: Final = 5
_SSIZE_MAX: Final = 2**63 - 1


def _proto(machine: Machine) -> None:
    protocol = machine.reader.byte()
    if protocol > _HIGHEST_PROTOCOL:
        machine.doubt(f"protocol {protocol} does not exist")
    else:
        machine.protocol = protocol


def _frame(machine: Machine) -> None:
    """A look-ahead, as in C; ``pickle.py`` does not check that it is there, and wants no frame within another."""
    length = machine.reader.unsigned(8)
    if length > machine.reader.left():
        machine.doubt("a FRAME that is longer than the stream")
    if machine.frame_end != NO_FRAME:
        machine.observer.on_split(machine.at)
    machine.frame_end = machine.reader.offset() + length


def parse_integer(text: bytes) -> int | None:
    """The number that C reads (``strtol`` with base 0, then ``int(text, 0)``), up to the first NUL: ``010`` is 8."""
    text = text.split(b"\0", 1)[0]
    octal = _OCTAL.fullmatch(text)
    if octal is not None and len(text) <= PICKLE_MAX_DIGITS:
        return int(octal[1] + octal[2], 8)
    try:
        return int(text, 0)
    except ValueError:
        return None


def _int(machine: Machine) -> None:
    line = machine.reader.line()
    if line in (b"00", b"01"):
        machine.stack.append(line == b"01")
        return
    _push_integer(machine, line, "INT")


def _long(machine: Machine) -> None:
    line = machine.reader.line()
    _push_integer(machine, line[:-1] if line is not None and line.endswith(b"L") else line, "LONG")


def _push_integer(machine: Machine, line: bytes | None, opcode: str) -> None:
    number = None if line is None else parse_integer(line)
    if number is None:
        machine.doubt(f"{opcode} with something that is no number")
        machine.stack.append(MALFORMED)
    else:
        machine.stack.append(number)


def _binint(machine: Machine) -> None:
    machine.stack.append(int.from_bytes(machine.reader.take(4), "little", signed=True))


def _binint1(machine: Machine) -> None:
    machine.stack.append(machine.reader.byte())


def _binint2(machine: Machine) -> None:
    machine.stack.append(machine.reader.unsigned(2))


def _long1(machine: Machine) -> None:
    _push_long(machine, machine.reader.byte())


def _long4(machine: Machine) -> None:
    _push_long(machine, _signed_length(machine, "LONG4"))


def _push_long(machine: Machine, length: int) -> None:
    if length > PICKLE_MAX_INTEGER_BYTES:
        machine.reader.skip(length)
        machine.stack.append(Blob("int", length))
    else:
        machine.stack.append(int.from_bytes(machine.reader.take(length), "little", signed=True))


def _float(machine: Machine) -> None:
    line = machine.reader.line()
    try:
        value: Value = float((line or b"").split(b"\0", 1)[0])
    except ValueError:
        machine.doubt("FLOAT with something that is no number")
        value = MALFORMED
    machine.stack.append(value)


def _binfloat(machine: Machine) -> None:
    machine.stack.append(struct.unpack(">d", machine.reader.take(8))[0])


def _string(machine: Machine) -> None:
    line = machine.reader.line()
    if line is None:
        machine.stack.append(Blob("str"))
        return
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":  # noqa: PLR2004 - two quotes
        machine.doubt("STRING without quotes")
        machine.stack.append(MALFORMED)
        return
    try:
        raw = _unescape(line[1:-1])
    except ValueError:
        machine.doubt("STRING with a malformed escape")
        machine.stack.append(MALFORMED)
        return
    machine.stack.append(_eight_bit(raw))


_ESCAPE: Final = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.)|$)", re.DOTALL)
_SIMPLE: Final = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def _unescape(text: bytes) -> bytes:
    """As ``PyBytes_DecodeEscape``: unknown escapes stay; a backslash at the end, or a short hex one is an error."""
    if b"\\" not in text:
        return text

    def replace(match: re.Match[bytes]) -> bytes:
        hexadecimal, octal, other = match.groups()
        if hexadecimal is not None:
            return bytes((int(hexadecimal, 16),))
        if octal is not None:
            return bytes((int(octal, 8) & 0xFF,))
        if other is None or other == b"x":
            raise ValueError(other)
        if other == b"\n":
            return b""
        return other if other in b"\\'\"" else _SIMPLE.get(other, b"\\" + other)

    return _ESCAPE.sub(replace, text)


def _eight_bit(raw: bytes) -> Value:
    """Text if it is ASCII, which every encoding that a loader would choose agrees on; else of unknown content."""
    return EightBit(raw.decode("ascii")) if raw.isascii() else Blob("str", len(raw))


def _signed_length(machine: Machine, opcode: str) -> int:
    length = int.from_bytes(machine.reader.take(4), "little", signed=True)
    if length < 0:
        machine.fail(f"{opcode} with a negative length")
    return length


def _binstring(machine: Machine) -> None:
    _push_eight_bit(machine, _signed_length(machine, "BINSTRING"))


def _short_binstring(machine: Machine) -> None:
    _push_eight_bit(machine, machine.reader.byte())


def _push_eight_bit(machine: Machine, length: int) -> None:
    if length > SCAN_MAX_STRING:
        machine.reader.skip(length)
        machine.stack.append(Blob("str", length))
    else:
        machine.stack.append(_eight_bit(machine.reader.take(length)))


def _unicode(machine: Machine) -> None:
    offset = machine.reader.offset()
    line = machine.reader.line()
    if line is None:
        length = machine.reader.offset() - 1 - offset
        machine.stack.append(Blob("str", length, offset, escaped=True))
        return
    try:
        machine.stack.append(line.decode("raw_unicode_escape"))
    except ValueError:
        machine.doubt("UNICODE with a malformed escape")
        machine.stack.append(MALFORMED)


def _push_text(machine: Machine, length: int) -> None:
    if length > SCAN_MAX_STRING:
        offset = machine.reader.offset()
        machine.reader.skip(length)
        machine.stack.append(Blob("str", length, offset, utf8=True))
        return
    raw = machine.reader.take(length)
    try:
        machine.stack.append(raw.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        machine.doubt("text that is not UTF-8")
        machine.stack.append(MALFORMED)


def _short_binunicode(machine: Machine) -> None:
    _push_text(machine, machine.reader.byte())


def _binunicode(machine: Machine) -> None:
    _push_text(machine, machine.reader.unsigned(4))


def _binunicode8(machine: Machine) -> None:
    _push_text(machine, _wide_length(machine))


def _wide_length(machine: Machine) -> int:
    length = machine.reader.unsigned(8)
    if length > _SSIZE_MAX:
        raise Truncated
    return length


def _push_raw(machine: Machine, length: int, kind: str) -> None:
    offset = machine.reader.offset()
    machine.reader.skip(length)
    machine.stack.append(Blob(kind, length, offset))


def _short_binbytes(machine: Machine) -> None:
    _push_raw(machine, machine.reader.byte(), "bytes")


def _binbytes(machine: Machine) -> None:
    _push_raw(machine, machine.reader.unsigned(4), "bytes")


def _binbytes8(machine: Machine) -> None:
    _push_raw(machine, _wide_length(machine), "bytes")


def _bytearray8(machine: Machine) -> None:
    _push_raw(machine, _wide_length(machine), "bytearray")


def _constant(value: Value) -> Callable[[Machine], None]:
    def push(machine: Machine) -> None:
        machine.stack.append(value)

    return push


OPCODES: Final[dict[int, Callable[[Machine], None]]] = {
    0x80: _proto,
    0x95: _frame,
    0x49: _int,  # I
    0x4C: _long,  # L
    0x4A: _binint,  # J
    0x4B: _binint1,  # K
    0x4D: _binint2,  # M
    0x8A: _long1,
    0x8B: _long4,
    0x46: _float,  # F
    0x47: _binfloat,  # G
    0x53: _string,  # S
    0x54: _binstring,  # T
    0x55: _short_binstring,  # U
    0x56: _unicode,  # V
    0x58: _binunicode,  # X
    0x8C: _short_binunicode,
    0x8D: _binunicode8,
    0x42: _binbytes,  # B
    0x43: _short_binbytes,  # C
    0x8E: _binbytes8,
    0x96: _bytearray8,
    0x4E: _constant(None),  # N
    0x88: _constant(True),
    0x89: _constant(False),
}
