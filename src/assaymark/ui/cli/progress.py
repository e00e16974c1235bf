"""A progress line on stderr, for a terminal and for work that takes longer than a moment."""

from __future__ import annotations

import sys
import time
from typing import Final, Self

from assaymark.ui.report.style import human_size

_PATIENCE_SECONDS: Final = 0.4
_EVERY_SECONDS: Final = 0.1
_WIDTH: Final = 28


class Progress:
    """Counts work done of work in all; silent unless stderr is a terminal and the work is long.

    Use as a context manager; ``update(done, total)`` may be called from several threads.
    """

    def __init__(self, what: str, unit: str = "bytes") -> None:
        self._what = what
        self._unit = unit
        self._live = sys.stderr.isatty()
        self._start = self._last = time.monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away: the work is done, or something else is to be said."""
        if self._shown:
            self._shown = False
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def update(self, done: int, total: int) -> None:
        """Show how far the work is, at most ten times a second."""
        if not self._live:
            return
        now = time.monotonic()
        if now - self._start < _PATIENCE_SECONDS or now - self._last < _EVERY_SECONDS:
            return
        self._last = now
        self._shown = True
        share = min(1.0, done / total) if total else 1.0
        filled = round(share * _WIDTH)
        bar = "█" * filled + "░" * (_WIDTH - filled)
        rate = done / (now - self._start)
        left = f", {round((total - done) / rate)} s left" if rate and total > done else ""
        sys.stderr.write(f"\r\x1b[2K{self._what} {bar} {self._amount(done)} of {self._amount(total)}{left}")
        sys.stderr.flush()

    def count(self, done: int, found: int) -> None:
        """Show work whose end nobody knows: how many were looked at, and how many found."""
        now = time.monotonic()
        if not self._live or now - self._start < _PATIENCE_SECONDS or now - self._last < _EVERY_SECONDS:
            return
        self._last = now
        self._shown = True
        sys.stderr.write(f"\r\x1b[2K{self._what}: {done:,} {self._unit}, {found:,} found")
        sys.stderr.flush()

    def _amount(self, count: int) -> str:
        if self._unit != "bytes":
            return f"{count} {self._unit}"
        return human_size(count)
