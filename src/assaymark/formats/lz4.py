"""LZ4 frames, unpacked block by block: joblib writes them when the ``lz4`` package is there.

Source: LZ4 frame format 1.6.4 and LZ4 block format. Checksums (xxHash) are not verified: a loader of other bytes than
these sees the same bytes.
"""

from __future__ import annotations

from typing import Final

_MAGIC: Final = b"\x04\x22\x4d\x18"
_VERSION: Final = 1
_BLOCK_SIZES: Final = {4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22}
_WINDOW: Final = 1 << 16
_STORED: Final = 0x80000000
_MORE: Final = 255
_LEAST_MATCH: Final = 4


class Lz4Decompressor:
    """One frame. ``decompress`` raises ``ValueError`` for anything malformed."""

    def __init__(self) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._input = b""
        self._output = b""
        self._history = b""
        self._block_size = 0
        self._linked = self._block_checksum = self._content_checksum = False

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to ``max_length`` bytes more."""
        self._input += data
        while len(self._output) < max_length and not self.eof and self._step():
            pass
        out, self._output = self._output[:max_length], self._output[max_length:]
        if self._output:
            self.needs_input = False
        return out

    def _step(self) -> bool:
        """Take the header or one block; false when more input is needed."""
        self.needs_input = True
        if not self._block_size:
            return self._header()
        if len(self._input) < 4:  # noqa: PLR2004 - the size of a block
            return False
        word = int.from_bytes(self._input[:4], "little")
        if word == 0:
            end = 4 + 4 * self._content_checksum
            if len(self._input) < end:
                return False
            self.unused_data, self._input = self._input[end:], b""
            self.eof = True
            return True
        size = word & ~_STORED
        end = 4 + size + 4 * self._block_checksum
        if size > self._block_size:
            raise ValueError("an LZ4 block above the frame's block size")
        if len(self._input) < end:
            return False
        block = self._input[4 : 4 + size]
        self._input = self._input[end:]
        plain = block if word & _STORED else unpack_block(block, self._history, self._block_size)
        if self._linked:
            self._history = (self._history + plain)[-_WINDOW:]
        self._output += plain
        self.needs_input = False
        return True

    def _header(self) -> bool:
        if len(self._input) < 7:  # noqa: PLR2004 - magic, flags, block descriptor, checksum
            return False
        flags, descriptor = self._input[4], self._input[5]
        if self._input[:4] != _MAGIC or flags >> 6 != _VERSION or flags & 0x02 or descriptor & 0x8F:
            raise ValueError("a malformed LZ4 header")
        if flags & 0x01:
            raise ValueError("an LZ4 frame with a dictionary, which is not in the file")
        length = 7 + 8 * bool(flags & 0x08)
        if len(self._input) < length:
            return False
        if descriptor >> 4 not in _BLOCK_SIZES:
            raise ValueError("a malformed LZ4 header")
        self._block_size = _BLOCK_SIZES[descriptor >> 4]
        self._linked = not flags & 0x20
        self._block_checksum = bool(flags & 0x10)
        self._content_checksum = bool(flags & 0x04)
        self._input = self._input[length:]
        return True


def unpack_block(block: bytes, history: bytes, limit: int) -> bytes:
    """The content of one compressed block after ``history``, at most ``limit`` bytes.

    Raises:
        ValueError: for anything malformed.
    """
    out = bytearray(history)
    limit += len(history)
    place = 0
    try:
        while place < len(block):
            token = block[place]
            place += 1
            literals, place = _length(block, place, token >> 4)
            if place + literals > len(block):
                raise ValueError("LZ4 literals beyond the block")
            out += block[place : place + literals]
            place += literals
            if place == len(block):
                break
            distance = block[place] | block[place + 1] << 8
            match, place = _length(block, place + 2, token & 15)
            match += _LEAST_MATCH
            if not 0 < distance <= len(out) or len(out) + match > limit:
                raise ValueError("an LZ4 match out of bounds")
            start = len(out) - distance
            if distance >= match:
                out += out[start : start + match]
            else:
                pattern = bytes(out[start:])
                out += (pattern * (match // distance + 1))[:match]
    except IndexError:
        raise ValueError("an LZ4 block that is cut short") from None
    if len(out) > limit:
        raise ValueError("an LZ4 block that unpacks to too much")
    return bytes(out[len(history) :])


def _length(block: bytes, place: int, value: int) -> tuple[int, int]:
    """A length of four bits, and bytes that are added to it."""
    if value == 15:  # noqa: PLR2004 - all four bits
        while True:
            byte = block[place]
            place += 1
            value += byte
            if byte != _MORE:
                break
    return value, place
