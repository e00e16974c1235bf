"""What a run of another scanner left behind, and what it says: the two values between which each reader stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.canonical import parse_json
from assaymark.core.errors import InputError
from assaymark.core.limits import OPINION_FILE_BYTES
from assaymark.core.opinion import OpinionFinding, OpinionOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

# Words of a command that stand for the path to look at and for the file that the report goes to.
PATH: Final = "{path}"
REPORT: Final = "{report}"
_NAMED: Final = 3  # of the files that one detail names


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended by itself. ``report`` is the file that it wrote, None when it wrote none.

    ``root`` is the path that it was given, and ``files`` what it must have looked at below it, by their paths there;
    with a scanner that takes one file at a time ``root`` is that file.
    """

    exit_code: int
    stdout: str
    stderr: str
    report: bytes | None
    root: str
    files: tuple[str, ...]

    def place(self, path: str) -> str:
        """A path as the scanner prints it, below the model; of one file its name alone."""
        if path == self.root:
            return path.rsplit("/", 1)[-1]
        return path.removeprefix(f"{self.root.rstrip('/')}/")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a run says. ``detail`` says why it is no yes."""

    outcome: OpinionOutcome
    findings: tuple[OpinionFinding, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SecondScanner:
    """How a scanner is asked and understood. ``each``: one file at a time; ``links``: it reads through links.

    ``read`` raises ``InputError`` for a report that it does not understand, which is no answer.
    """

    arguments: tuple[str, ...]
    read: Callable[[Run], Reading]
    each: bool = False
    links: bool = True
    environment: tuple[tuple[str, str], ...] = ()


def incomplete(detail: str, findings: tuple[OpinionFinding, ...] = ()) -> Reading:
    """No answer, and why."""
    return Reading(OpinionOutcome.INCOMPLETE, findings, detail)


def passed() -> Reading:
    """It looked at everything that it had to, and objects to nothing."""
    return Reading(OpinionOutcome.PASS)


def failed(findings: tuple[OpinionFinding, ...], detail: str = "") -> Reading:
    """It objects."""
    return Reading(OpinionOutcome.FAIL, findings, detail)


def not_seen(files: list[str]) -> Reading:
    """It did not look at these."""
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return incomplete(f"it did not look at {', '.join(files[:_NAMED])}{more}")


def report_object(run: Run) -> dict[str, Any]:
    """The JSON object that the scanner wrote.

    Raises:
        InputError: ``opinion-form``, or a ``json-*`` code.
    """
    if run.report is None:
        raise InputError("opinion-form", "it wrote no report")
    document = parse_json(run.report, limit=OPINION_FILE_BYTES)
    if not isinstance(document, dict):
        raise InputError("opinion-form", "the report is no object", position="$")
    return document


def objects(value: Any, position: str) -> list[dict[str, Any]]:
    """A list of objects of a report.

    Raises:
        InputError: ``opinion-form``.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError("opinion-form", "expected an array of objects", position=position)
    return value


def text(value: Any) -> str:
    """A text of a report; empty for anything else."""
    return value if isinstance(value, str) else ""
