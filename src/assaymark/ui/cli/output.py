"""What a verb returns, and how it is written: stdout is data, stderr is talk."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from assaymark.core.errors import UnavailableError, UsageError
from assaymark.ui.report.style import Style, printable, style_for

if TYPE_CHECKING:
    from collections.abc import Callable

YES: Final = 0
NO: Final = 1
USAGE: Final = 2
NO_ANSWER: Final = 3
BUG: Final = 4

FORMATS: Final = ("text", "json")


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a verb: the same facts for people and for scripts, and the exit code in every format."""

    exit_code: int
    document: dict[str, Any]
    text: Callable[[Style], str]
    more: dict[str, Callable[[], str]] = field(default_factory=dict)  # other formats that the verb has
    large: bool = False  # too much to be indented


def parse_output(text: str, formats: tuple[str, ...] = FORMATS) -> tuple[str, Path]:
    """``FORMAT=FILE`` of ``--output``; ``formats`` are those that the verb has.

    Raises:
        UsageError: ``output-form``, or as ``writable``.
    """
    name, equals, file = text.partition("=")
    if name not in formats or not equals or not file:
        raise UsageError(
            "output-form",
            f"--output {text!r} is not FORMAT=FILE",
            remedy=f"FORMAT is one of {', '.join(formats)}",
        )
    return name, writable(Path(file))


def writable(file: Path) -> Path:
    """``file``, when its folder is there: said before the work is done and logged, not after.

    Raises:
        UsageError: ``path-missing``, ``path-kind`` or ``path-read-only``.
    """
    folder = file.parent
    if not folder.is_dir():
        what = f"the folder to write into is not there: {folder}"
        raise UsageError("path-missing", what, source=str(file), remedy="make the folder")
    if file.is_dir():
        raise UsageError("path-kind", "a folder, where a file is to be written", source=str(file))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _read_only(file)
    return file


def _read_only(file: Path) -> UsageError:
    what = f"the folder to write into may not be written by this user: {file.parent}"
    return UsageError("path-read-only", what, source=str(file), remedy="name another folder, or make it writable")


def render(result: Result, form: str, style: Style) -> str:
    """The result in one format, ending in a newline."""
    if form == "json":
        # Indenting takes the slow encoder, and nobody reads ten thousand entries one by one.
        return json.dumps(result.document, indent=None if result.large else 2, ensure_ascii=True) + "\n"
    if form in result.more:
        return result.more[form]()
    return result.text(style).rstrip("\n") + "\n"


def emit(result: Result, form: str, outputs: list[tuple[str, Path]]) -> int:
    """Write the result to stdout and to every ``--output``; returns the exit code.

    Raises:
        UsageError: ``path-read-only``: asking did not tell, as in the folders of a kernel.
        UnavailableError: a file cannot be written.
    """
    from assaymark.store.files import write_durable

    for name, file in outputs:
        try:
            write_durable(file, render(result, name, Style()).encode())
        except UnavailableError as error:
            if error.code == "store-read-only":
                raise _read_only(file) from error
            raise
    sys.stdout.write(render(result, form, style_for(sys.stdout)))
    sys.stdout.flush()
    return result.exit_code


def open_streams() -> None:
    """Stand in for a stream that was closed before we started: whoever closed it wants the exit code alone."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open until the process ends


def write_utf8(*streams: TextIO) -> None:
    """Write UTF-8 whatever the locale says, and escape what even that cannot: proofs and policies are bytes."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def note(message: str) -> None:
    """Talk to the person at the terminal: one line on stderr."""
    sys.stderr.write(printable(message) + "\n")
