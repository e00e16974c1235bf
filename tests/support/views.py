"""Views that count what is read of them."""

from __future__ import annotations

from assaymark.core.view import BytesView


class CountingView:
    """A view that counts bytes and calls."""

    def __init__(self, data: bytes) -> None:
        self._view = BytesView(data)
        self.bytes_read = 0
        self.reads = 0

    @property
    def size(self) -> int:
        return self._view.size

    def read(self, offset: int, length: int) -> bytes:
        data = self._view.read(offset, length)
        self.bytes_read += len(data)
        self.reads += 1
        return data


class SparseView:
    """``pieces`` (offset to bytes) in a sea of zeros: a file of any size without its bytes."""

    def __init__(self, size: int, pieces: dict[int, bytes]) -> None:
        self.size = size
        self._pieces = sorted(pieces.items())
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        self.bytes_read += length
        buffer = bytearray(length)
        for start, data in self._pieces:
            first, last = max(start, offset), min(start + len(data), offset + length)
            if first < last:
                buffer[first - offset : last - offset] = data[first - start : last - start]
        return bytes(buffer)
