"""Ask other scanners what they think of a model, each confined, each by itself; what they say is theirs."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UsageError
from assaymark.core.limits import OPINION_FILE_BYTES, OPINION_MAX_FILES, OPINION_SECONDS
from assaymark.core.opinion import Opinion, OpinionFinding, OpinionOutcome
from assaymark.core.part import load_part
from assaymark.core.report_json import printable
from assaymark.sandbox.program import ProgramLimits, holds_files, run_program
from assaymark.scanning.opinions.reading import PATH, REPORT, Reading, Run, SecondScanner, incomplete
from assaymark.scanning.opinions.second_scanners import SECOND_SCANNERS
from assaymark.service.scanner_places import find_scanner
from assaymark.store.walk import find_file, is_folder, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from assaymark.sandbox.program import Ran
    from assaymark.service.scanner_places import Place

_NAMED: Final = 3  # of the details of single files that one detail repeats
_BY_ID: Final = {part.id: part for part in SECOND_SCANNERS}


def require_scanners(names: Sequence[str]) -> None:
    """Refuse before anything is done when one of them is not installed.

    Raises:
        UsageError: ``scanner-absent``, ``scanner-path`` or ``scanner-home``.
    """
    absent = [name for name in names if find_scanner(name) is None]
    if absent:
        raise UsageError(
            "scanner-absent",
            f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed",
            remedy=f"assaymark scanners install {' '.join(absent)}",
        )


def ask_scanners(
    names: Sequence[str],
    files: Sequence[tuple[str, Path]],
    inert: Collection[str] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Opinion, ...]:
    """What each of the scanners says of the ``files`` (path in the model, file), in the order of ``names``.

    They see every file; those that are ``inert`` (recognised, and never executed) they may leave out. One that is
    not installed is ``absent``, and whatever goes wrong with one is its own affair.

    Raises:
        UsageError: ``scanner-path``, ``scanner-home``.
    """
    opinions = []
    for done, name in enumerate(names, 1):
        place = find_scanner(name)
        if place is None:
            detail = f"not installed: assaymark scanners install {name}"
            opinions.append(Opinion(name, "unknown", OpinionOutcome.ABSENT, detail=detail))
        else:
            opinions.append(_ask(name, place, files, inert))
        if on_progress is not None:
            on_progress(done, len(names))
    return tuple(opinions)


def opinions_at(
    path: Path,
    names: Sequence[str],
    inert: Collection[str] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Opinion, ...]:
    """As ``ask_scanners``, on the file or folder ``path``.

    Nobody is shown an entry that has no place in a model, such as a link out of the folder: then none says yes.

    Raises:
        UsageError: ``path-missing``, ``path-unreadable``, ``scanner-path``, ``scanner-home``.
        InputError: for a file given by its name, as the intake raises.
    """
    refused: list[str] = []

    def refuse(shown: str, error: InputError) -> None:
        refused.append(f"{printable(shown)}: {error.message}")

    files = sorted(walk(path, refuse), key=lambda file: file.path) if is_folder(path) else [find_file(path)]
    said = ask_scanners(names, [(file.path, file.real) for file in files], inert, on_progress)
    return tuple(_doubted(one, sorted(refused)) for one in said)


def _doubted(opinion: Opinion, unseen: list[str]) -> Opinion:
    """An opinion that was not shown everything: a no is a no, and a yes is none."""
    if not unseen or opinion.outcome in (OpinionOutcome.ABSENT, OpinionOutcome.ERROR):
        return opinion
    outcome = OpinionOutcome.INCOMPLETE if opinion.outcome is OpinionOutcome.PASS else opinion.outcome
    doubts = ([opinion.detail] if opinion.detail else []) + [f"it was not shown {_some(unseen)}"]
    return replace(opinion, outcome=outcome, detail="; ".join(doubts))


def _some(items: list[str]) -> str:
    more = f"; and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return "; ".join(items[:_NAMED]) + more


def _ask(name: str, place: Place, files: Sequence[tuple[str, Path]], inert: Collection[str]) -> Opinion:
    scanner: SecondScanner = load_part(_BY_ID[name])
    with tempfile.TemporaryDirectory(prefix="assaymark-", ignore_cleanup_errors=True) as folder:
        model, scratch = Path(folder).resolve() / "model", Path(folder).resolve() / "scratch"
        link = scanner.links and holds_files()
        laid, problems = _lay_out(model, files, link=link)
        if problems and not laid:
            return Opinion(name, place.version, OpinionOutcome.ERROR, detail=_some(problems))
        reads = (model, *place.reads, *((real.resolve() for _, real in laid) if link else ()))
        opinion = _Asking(name, place.version, scanner, place.executable, model, scratch, reads).ask(
            [path for path, _ in laid], inert
        )
        return _doubted(opinion, problems)


def _lay_out(
    model: Path, files: Sequence[tuple[str, Path]], *, link: bool
) -> tuple[list[tuple[str, Path]], list[str]]:
    """The files below ``model`` under their own names: those that are there, and why others are not.

    By a link where the confinement forbids to write through it, else by a copy. Not by a second name of the bytes
    themselves: that would touch the file, which somebody may be serving under watch.
    """
    laid: list[tuple[str, Path]] = []
    problems: list[str] = []
    model.mkdir()
    for path, real in files:
        target = model / path
        try:
            if not target.resolve().is_relative_to(model):
                problems.append(f"{path}: it leads out of the model")
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if link:
                target.symlink_to(real.resolve(strict=True))
            else:
                shutil.copyfile(real, target)
        except OSError as error:
            problems.append(f"{path}: it could not be laid out: {error.strerror}")
        else:
            laid.append((path, real))
    return laid, problems


class _Asking:
    """One scanner on one model. ``deadline`` holds for all its runs together."""

    def __init__(
        self,
        name: str,
        version: str,
        scanner: SecondScanner,
        executable: Path,
        model: Path,
        scratch: Path,
        reads: tuple[Path, ...],
    ) -> None:
        self._name = name
        self._version = version
        self._scanner = scanner
        self._executable = executable
        self._model = model
        self._scratch = scratch
        self._reads = reads
        self._deadline = time.monotonic() + OPINION_SECONDS
        self._held: set[str] | None = None

    def ask(self, files: list[str], inert: Collection[str]) -> Opinion:
        needed = [path for path in files if path not in inert]
        try:
            reading = self._of_each(files, needed) if self._scanner.each else self._of(self._model, tuple(needed))
            if not needed and reading.outcome is OpinionOutcome.PASS:
                reading = incomplete("there is no file that could execute anything")
        except OSError as error:
            reading = Reading(OpinionOutcome.ERROR, detail=f"it could not be run: {error.strerror}")
        return Opinion(
            self._name,
            self._version,
            reading.outcome,
            tuple(self._shown(finding) for finding in reading.findings),
            self._without_place(reading.detail),
            tuple(sorted(self._held or ())),
        )

    def _of_each(self, files: list[str], needed: list[str]) -> Reading:
        """One run for each file, taken together: a no is a no, and no answer on a file that matters is none."""
        if len(files) > OPINION_MAX_FILES:
            return incomplete(f"it takes one file at a time, and {len(files)} are more than {OPINION_MAX_FILES}")
        findings: list[OpinionFinding] = []
        doubts: list[str] = []
        no = False
        failed: list[str] = []
        for number, path in enumerate(files, 1):
            reading = self._of(self._model / path, (path,))
            no = no or reading.outcome is OpinionOutcome.FAIL
            findings += [replace(item, place=self._in_model(item.place, path)) for item in reading.findings]
            if reading.outcome is OpinionOutcome.ERROR:
                failed.append(f"{path}: {reading.detail}")
                if len(failed) >= _NAMED and len(failed) == number:
                    return reading  # the program, and not a file, is the matter
                continue
            if reading.outcome is OpinionOutcome.INCOMPLETE and path in needed:
                doubts.append(f"{path}: {reading.detail}")
        if failed and len(failed) == len(files):
            return Reading(OpinionOutcome.ERROR, detail=_some(failed))
        doubts += failed
        detail = _some(doubts)
        outcome = OpinionOutcome.FAIL if no else OpinionOutcome.INCOMPLETE if doubts else OpinionOutcome.PASS
        return Reading(outcome, tuple(findings), detail)

    def _in_model(self, place: str, path: str) -> str:
        """A place in one file, which the reader names by its last part alone, as a place in the model."""
        return path + place.removeprefix(path.rsplit("/", 1)[-1]) if place else path

    def _of(self, root: Path, files: tuple[str, ...]) -> Reading:
        left = self._deadline - time.monotonic()
        if left < 1:
            return incomplete(f"it took longer than {OPINION_SECONDS} s")
        # A folder that is new: what hostile bytes made a run leave must not guide the next one.
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        report = self._scratch / "report.json"
        words = [
            word.replace(PATH, str(root)).replace(REPORT, str(report)) if "{" in word else word
            for word in self._scanner.arguments
        ]
        ran = run_program(
            [str(self._executable), *words],
            self._scratch,
            self._reads,
            environment=dict(self._scanner.environment),
            limits=ProgramLimits(seconds=int(left)),
        )
        self._held = set(ran.held) if self._held is None else self._held & set(ran.held)
        return self._read(ran, root, files, report)

    def _read(self, ran: Ran, root: Path, files: tuple[str, ...], report: Path) -> Reading:
        if not ran.started:
            return Reading(OpinionOutcome.ERROR, detail=ran.complaint)
        if ran.complaint:
            return incomplete(ran.complaint)
        run = Run(
            ran.exit_code,
            ran.stdout.decode("utf-8", "replace"),
            ran.stderr.decode("utf-8", "replace"),
            _read_report(report),
            str(root),
            files,
        )
        try:
            return self._scanner.read(run)
        except InputError as error:
            return incomplete(f"its report was not understood: {error.message}")

    def _shown(self, finding: OpinionFinding) -> OpinionFinding:
        return replace(
            finding,
            place=self._without_place(finding.place),
            message=self._without_place(finding.message),
        )

    def _without_place(self, text: str) -> str:
        """A text without the folder that the files lie in for the moment."""
        return text.replace(f"{self._model}/", "").replace(str(self._model), ".")


def _read_report(report: Path) -> bytes | None:
    """What the scanner wrote, when it is a plain file: what it ran on may have had it put something else there."""
    try:
        descriptor = os.open(report, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(OPINION_FILE_BYTES + 1)
