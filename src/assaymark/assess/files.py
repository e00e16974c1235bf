"""The files of an architecture, as whoever reads the disk hands them over."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.graph import Because
from assaymark.core.report import Skipped
from assaymark.formats.located import Elsewhere

if TYPE_CHECKING:
    from collections.abc import Container, Iterable


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file: its path relative to the assessed folder with ``/``, its bytes and their SHA-256 in hexadecimal.

    ``archive``: the path of the archive that it is packed in; nobody can change it there.
    """

    path: str
    data: bytes
    digest: str
    archive: str = ""

    def because(self, line: int) -> Because:
        """A line of this file (from 1), or of the one that an ``Elsewhere`` names."""
        if isinstance(line, Elsewhere):
            return Because(line.path, int(line), line.digest)
        return Because(self.path, line, self.digest)

    def text(self) -> str:
        """The file as UTF-8.

        Raises:
            InputError: ``text-encoding``.
        """
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(
                "text-encoding", "the file is not UTF-8", source=self.path, position=f"byte {error.start}"
            ) from None


FETCHED: Final = ".terraform/modules"


def is_fetched(path: str) -> bool:
    """Whether ``terraform init`` put a file there, as a part of a module that somebody else wrote."""
    return f"/{FETCHED}/" in f"/{path}"


def source_file(path: str, data: bytes) -> SourceFile:
    """The file with its digest."""
    return SourceFile(path, data, sha256(data).hexdigest())


@dataclass(slots=True)
class Reading:
    """What reading came to: ``read`` paths were understood, ``skipped`` were not, each with its reason.

    ``gaps`` says what the input cannot show and what was taken instead, in one sentence each: an export without
    service control policies, a variable without a value.
    """

    read: set[str] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)
    gaps: dict[str, None] = field(default_factory=dict)
    _known: set[Skipped] = field(default_factory=set)

    def skip(self, path: str, reason: str, line: int | None = None) -> None:
        """``path`` (or what stands on ``line`` of it) was not understood."""
        entry = Skipped(path, reason if line is None else f"line {line}: {reason}")
        if entry not in self._known:
            self._known.add(entry)
            self.skipped.append(entry)

    @property
    def unread(self) -> list[str]:
        """The files of which nothing was understood, though they look like what a platform has."""
        return sorted({item.path for item in self.skipped} - self.read)

    def forget(self, paths: Container[str]) -> None:
        """What was said of these paths is not so; a better reason follows."""
        self.skipped[:] = [item for item in self.skipped if item.path not in paths]
        self._known = set(self.skipped)

    def gap(self, *sentences: str) -> None:
        """What the input cannot show."""
        self.gaps |= dict.fromkeys(sentences)


def by_path(files: Iterable[SourceFile]) -> list[SourceFile]:
    """In the order of their paths, so that the same input gives the same output."""
    return sorted(files, key=lambda file: file.path)
