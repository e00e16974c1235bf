"""``Sandbox``: examines files in confined processes and merges what they say into one report."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

from assaymark.core.errors import InputError, UnavailableError
from assaymark.core.limits import REMOTE_WALL_SECONDS, SANDBOX_BATCH_FILES
from assaymark.core.report import Report, Skipped, merge_reports
from assaymark.sandbox.confine import HOLDS
from assaymark.sandbox.files import in_memory, needed_folders, open_regular, small_file
from assaymark.sandbox.limits import DEFAULT_LIMITS, SandboxLimits
from assaymark.sandbox.pipes import GRACE_SECONDS, patience, read_capped, read_framed
from assaymark.sandbox.remote import Answers, read_lines
from assaymark.sandbox.result import failed_report, failure, judged_result, read_result
from assaymark.sandbox.wire import (
    EXITED,
    READY,
    Item,
    receive_status,
    send_request,
)
from assaymark.sandbox.worker import EXIT_DONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.sandbox.remote import RangeSource

Taken = TypeVar("Taken")
EXAMINER: Final = "assaymark.scanning.examine:examine"
_STANDARD_STREAMS: Final = 3
_START_SECONDS: Final = 30.0
_BOOT: Final = (
    "import sys; sys.path[:0] = sys.argv[3:]; "
    "from assaymark.sandbox.zygote import main; main(int(sys.argv[1]), sys.argv[2])"
)


class Sandbox:
    """Examines files in confined children. A context manager: leaving it ends the children.

    ``workers`` files are examined at a time, each in a process of its own under ``limits``; with ``batch`` small
    files of a large tree share one, so that what one of them breaks may tell a lie about the others (ADR 0015).
    ``allow`` are names that pickles may use besides the reviewed ones. ``examiner``
    (``module:function``) and ``search`` (folders to find it in) are for tests, which show what is held by
    examiners that misbehave.
    """

    def __init__(
        self,
        workers: int = 2,
        limits: SandboxLimits = DEFAULT_LIMITS,
        *,
        batch: bool = False,
        allow: frozenset[str] = frozenset(),
        examiner: str = EXAMINER,
        search: tuple[str, ...] = (),
    ) -> None:
        self._workers = max(1, workers)
        self._limits = limits
        self._batch = batch
        self._allow = allow
        self._examiner = examiner
        self._search = search
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._idle: list[socket.socket] = []
        self._busy: set[socket.socket] = set()
        self._aborted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def scan(
        self,
        items: Iterable[tuple[str, Path]],
        on_progress: Callable[[int, int], None] | None = None,
        on_report: Callable[[int, Report, float], None] | None = None,
    ) -> Report:
        """One report on all ``items`` (path to show, file to open), in their order.

        A file that cannot be opened, or that crashes, hangs or exhausts its worker, is skipped with the reason;
        the others go on. ``on_progress`` gets (files done, files in all), ``on_report`` (number of the item, its
        report, seconds that it took) of each file that had a worker of its own; one call at a time, from any thread.

        Raises:
            UnavailableError: ``sandbox-start`` when no confined process can be started at all.
        """
        jobs = list(items)
        reports: list[Report | None] = [None] * len(jobs)
        # With few files each is taken alone, so that all cores have some.
        width = SANDBOX_BATCH_FILES if self._batch and len(jobs) >= self._workers * SANDBOX_BATCH_FILES else 1
        shares = iter(range(0, len(jobs), width))
        failures: list[BaseException] = []
        done = 0

        def work() -> None:
            nonlocal done
            channel: socket.socket | None = None
            try:
                while not failures:
                    with self._lock:
                        first = next(shares, None)
                    if first is None:
                        return
                    share = jobs[first : first + width]
                    begun = time.monotonic()
                    made, channel = self._share(share, channel)
                    reports[first : first + width] = made
                    with self._lock:
                        if on_report is not None and len(share) == 1:
                            on_report(first, made[0], time.monotonic() - begun)
                        done += len(share)
                        if on_progress is not None:
                            on_progress(done, len(jobs))
            except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
                failures.append(error)
                self._abort()  # Ctrl-C or a callback's error: nobody waits for a file any more
            finally:
                self._return(channel)

        helpers: list[threading.Thread] = []
        with contextlib.suppress(RuntimeError):  # a limit on processes counts threads too: fewer do the work
            for _ in range(min(self._workers, len(jobs)) - 1):
                helper = threading.Thread(target=work, daemon=True)
                helper.start()
                helpers.append(helper)
        work()
        for helper in helpers:
            helper.join()
        if failures:
            raise failures[0]
        return _merge([report for report in reports if report is not None])

    def scan_source(self, path: str, source: RangeSource) -> Report:
        """The report on a file that lies elsewhere and is read by ranges, shown as ``path``.

        What cannot be fetched makes a skip.

        Raises:
            UnavailableError: ``sandbox-start`` when no confined process can be started at all.
        """
        limits = replace(self._limits, wall_seconds=REMOTE_WALL_SECONDS)
        channel = self._open_channel()
        asked, answers_sink = os.pipe()
        result, result_sink = os.pipe()
        answers = Answers(source, answers_sink)
        try:
            channel.settimeout(REMOTE_WALL_SECONDS + GRACE_SECONDS)
            try:
                items = [Item(path, 0, source.size, remote=True)]
                send_request(channel, items, limits, self._allow, [asked, result_sink])
            finally:
                os.close(asked)
                os.close(result_sink)
            data, complaint = read_lines(result, limits.output_bytes, patience(result, limits.wall_seconds), answers)
            os.close(answers_sink)
            answers_sink = -1
            status = receive_status(channel)
            if status is None:
                raise EOFError
        except (OSError, EOFError):
            self._drop(channel)
            return failed_report(path, "the sandbox stopped while it examined this file", None)
        finally:
            os.close(result)
            if answers_sink >= 0:
                os.close(answers_sink)
        channel.settimeout(self._limits.wall_seconds + GRACE_SECONDS)
        self._return(channel)
        report = judged_result(path, data, complaint, status, limits)
        if answers.problem:
            return merge_reports(
                [report, failed_report(path, f"not all of it could be read: {answers.problem}", None)]
            )
        return report

    def ask(self, path: str, descriptor: int, sink: Callable[[bytes], None]) -> tuple[bytes, bytes, str]:
        """What the engine, one that makes no report, says of an open file: what held, its answer, what went wrong.

        ``sink`` gets the bytes that the engine derives from the file, at most ``stream_bytes`` of them.

        Raises:
            UnavailableError: ``sandbox-start`` when no confined process can be started at all, or it stopped.
            AssaymarkError: what ``sink`` raises.
        """
        channel = self._open_channel()
        try:
            (header, body, complaint), status = self._exchange(
                channel, [Item(path)], descriptor, lambda source: read_framed(source, self._limits, sink)
            )
        except (OSError, EOFError):
            self._drop(channel)
            raise _no_start("it stopped while it read the file") from None
        except BaseException:
            self._drop(channel)  # with it goes the worker
            raise
        self._return(channel)
        return header, body, complaint or failure(status, self._limits)

    def _share(
        self, share: list[tuple[str, Path]], channel: socket.socket | None
    ) -> tuple[list[Report], socket.socket | None]:
        """The reports on some files: small ones together in one process, all others each in one of its own."""
        reports: dict[int, Report] = {}
        small: list[tuple[int, bytes]] = []
        if len(share) > 1:
            small = [(i, data) for i, (_, file) in enumerate(share) if (data := small_file(file)) is not None]
        if len(small) > 1:
            items: list[Item] = []
            place = 0
            for i, data in small:
                items.append(Item(share[i][0], place, len(data)))
                place += len(data)
            channel = channel or self._open_channel()
            together = self._ask_together(channel, items, b"".join(data for _, data in small))
            reports = {i: report for (i, _), report in zip(small, together, strict=False)}
        for i, (path, file) in enumerate(share):
            if i not in reports:
                reports[i], channel = self._examine(path, file, channel)
        return [reports[i] for i in range(len(share))], channel

    def _ask_together(self, channel: socket.socket, items: list[Item], data: bytes) -> list[Report]:
        """Reports on small files by one process; none when anything went wrong, so that each is examined alone."""
        try:
            with in_memory(data) as file:
                (answer, complaint), status = self._exchange(channel, items, file.fileno(), self._capped)
        except (OSError, EOFError):
            return []  # the next one who uses the channel learns what is the matter
        header, *lines = answer.split(b"\n")
        if complaint or status != (EXITED, EXIT_DONE) or len(lines) != len(items):
            return []
        try:
            return [read_result(item.path, header, line) for item, line in zip(items, lines, strict=True)]
        except InputError:
            return []

    def _examine(self, path: str, file: Path, channel: socket.socket | None) -> tuple[Report, socket.socket | None]:
        try:
            descriptor = open_regular(file)
        except OSError as error:
            return _not_read(path, f"cannot be opened: {error.strerror or 'not a regular file'}"), channel
        try:
            channel = channel or self._open_channel()
            try:
                return self._ask(channel, path, descriptor), channel
            except (OSError, EOFError):
                self._drop(channel)
                return failed_report(path, "the sandbox stopped while it examined this file", None), None
        finally:
            os.close(descriptor)

    def _ask(self, channel: socket.socket, path: str, descriptor: int) -> Report:
        """Have one file examined, and make a report of whatever comes back."""
        (data, complaint), status = self._exchange(channel, [Item(path)], descriptor, self._capped)
        return judged_result(path, data, complaint, status, self._limits)

    def _capped(self, source: int) -> tuple[bytes, str]:
        return read_capped(source, self._limits)

    def _exchange(
        self, channel: socket.socket, items: list[Item], descriptor: int, read: Callable[[int], Taken]
    ) -> tuple[Taken, tuple[int, int]]:
        """What ``read`` takes of what one worker writes about ``items``, and how the worker ended."""
        limits = self._limits
        source, sink = os.pipe()
        try:
            try:
                send_request(channel, items, limits, self._allow, [descriptor, sink])
            finally:
                os.close(sink)
            taken = read(source)
        finally:
            os.close(source)
        status = receive_status(channel)
        if status is None:
            raise EOFError
        return taken, status

    def _open_channel(self) -> socket.socket:
        with self._lock:
            if self._aborted:
                raise _no_start("the scan was given up")
            if self._idle:
                self._busy.add(self._idle[-1])
                return self._idle.pop()
            control = self._control if self._control is not None else self._start()
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    socket.send_fds(control, [b"S"], [theirs.fileno()])
                except OSError as error:
                    ours.close()
                    raise _no_start(str(error)) from None
            ours.settimeout(self._limits.wall_seconds + GRACE_SECONDS)
            self._busy.add(ours)
            return ours

    def _return(self, channel: socket.socket | None) -> None:
        if channel is not None:
            with self._lock:
                self._busy.discard(channel)
                self._idle.append(channel)

    def _drop(self, channel: socket.socket) -> None:
        with self._lock:
            self._busy.discard(channel)
        channel.close()

    def _abort(self) -> None:
        """Hang up on every server: each kills its worker, whose pipe then ends."""
        with self._lock:
            self._aborted = True
            for channel in self._busy:
                with contextlib.suppress(OSError):
                    channel.shutdown(socket.SHUT_RDWR)

    def _start(self) -> socket.socket:
        """Start the zygote: a fresh isolated interpreter with an empty environment."""
        packages = [str(Path(__file__).resolve().parents[2]), *needed_folders()]
        ours, theirs = socket.socketpair()
        if theirs.fileno() < _STANDARD_STREAMS:  # a caller closed those, and the child gets new ones
            with theirs:
                theirs = socket.socket(fileno=fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, _STANDARD_STREAMS))
        command = [sys.executable, "-I", "-S", "-c", _BOOT, str(theirs.fileno()), self._examiner, *packages]
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
        try:
            with theirs:
                self._zygote = subprocess.Popen(  # noqa: S603 - our own interpreter
                    [*command, *self._search],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=kept,
                    cwd="/",
                    pass_fds=(theirs.fileno(),),
                )
        except OSError as error:
            ours.close()
            raise _no_start(error.strerror or str(error)) from None
        self._control = ours
        ours.settimeout(_START_SECONDS)
        try:
            ready = ours.recv(1)
        except OSError:
            ready = b""
        if ready != READY:
            self._stop()
            raise _no_start("the confined interpreter did not start")
        return ours

    def _stop(self) -> None:
        for channel in (*self._idle, *self._busy):
            channel.close()
        self._idle.clear()
        self._busy.clear()
        self._aborted = False
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._zygote is not None:
            try:
                self._zygote.wait(1.0)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()
            self._zygote = None


def _no_start(why: str) -> UnavailableError:
    return UnavailableError(
        "sandbox-start", f"no confined process can be started: {why}", remedy="check limits on processes and memory"
    )


def _not_read(path: str, why: str) -> Report:
    """No hostile byte was read, so nothing had to hold."""
    return Report((), (), (), (Skipped(path, why),), confinement=HOLDS)


def _merge(reports: list[Report]) -> Report:
    merged = merge_reports(reports)
    missing = tuple(name for name in HOLDS if name not in merged.confinement) if reports else ()
    return replace(merged, unconfined=missing)
