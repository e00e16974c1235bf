"""A view that reads ahead: what small structures that lie side by side are read through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assaymark.core.view import View


class PagedView:
    """Another view, read in pages of ``page`` bytes, of which the last one is kept."""

    __slots__ = ("_bytes", "_page", "_start", "_view", "size")

    def __init__(self, view: View, page: int = 4096) -> None:
        self._view = view
        self.size = view.size
        self._page = page
        self._start = 0
        self._bytes = b""

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        place = offset - self._start
        if place >= 0 and place + length <= len(self._bytes):
            return self._bytes[place : place + length]
        if length > self._page:
            return self._view.read(offset, length)
        self._start = offset
        self._bytes = self._view.read(offset, self._page)
        return self._bytes[:length]
