"""``Sources``: the files that kustomizations are built of, as whoever has them hands them over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from assaymark.formats.located import Map


class Sources(Protocol):
    """The files, as whoever has them hands them over."""

    def kustomization(self, folder: str) -> tuple[str, Map] | None:
        """The path and the value of a folder's kustomization."""

    def documents(self, path: str) -> list[Any] | None:
        """The documents of a YAML or JSON file; None when there is none that can be read."""

    def inline(self, path: str, text: str, line: int) -> list[Any]:
        """The documents of a text in a file, at a key on ``line``, with the lines of that file.

        Raises:
            InputError: it is no YAML.
        """

    def data(self, path: str) -> bytes | None:
        """A file's bytes."""

    def digest(self, path: str) -> str:
        """A file's SHA-256, empty when there is none."""

    def chart(self, path: str, folder: str, entry: Map) -> list[tuple[str, Any]] | None:
        """What an entry of ``helmCharts`` comes to, each object with its file; None when its chart is not there."""

    def note(self, path: str, line: int, reason: str) -> None:
        """Something of a kustomization could not be done."""
