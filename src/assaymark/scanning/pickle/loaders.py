"""What a judge asks for when a permitted call loads something by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.pickle.trace import Observer, Trace
    from assaymark.formats.pickle.values import Value
    from assaymark.scanning.content import Content


class Loaders(Protocol):
    """Examines what a loader within a loader reads."""

    def stream(self, view: View, start: int, judge: Observer, /) -> Trace:
        """The pickle that begins at ``start``, in the same file and before the same judge."""
        ...

    def content(self, content: Content, loader: str, /) -> Value:
        """The value that ``loader`` makes of ``content``; what it does on the way becomes findings."""
        ...
