"""``assaymark run``, from the copy to the last word: what the launcher is made of, put together."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assaymark.api import state_folder
from assaymark.core.attempt import AttemptKind
from assaymark.core.decision import DEFAULT_TENANT, Outcome, Reason, Scope
from assaymark.core.errors import (
    AssaymarkError,
    InputError,
    InternalError,
    UnavailableError,
    UsageError,
    VerificationError,
)
from assaymark.core.names import is_name
from assaymark.core.subject import Subject
from assaymark.core.times import format_time
from assaymark.enforce.launch import Clocks, launch
from assaymark.enforce.ruling import Ruling
from assaymark.enforce.watch import Watch, Watched
from assaymark.service.model import guard_workspace, model_name
from assaymark.service.verdict import Verdict, refused
from assaymark.service.verify import read_dossier, verify_in_workspace, verify_with_dossier
from assaymark.store.placed_copy import placed_copy
from assaymark.store.private_copy import held_copy
from assaymark.store.recall import Recall
from assaymark.ui.cli.clock import now
from assaymark.ui.cli.options import configurations, duration, passphrase_source
from assaymark.ui.cli.output import NO, NO_ANSWER, YES, Result, note, render
from assaymark.ui.cli.progress import Progress
from assaymark.ui.cli.remedies import complete
from assaymark.ui.cli.verify import evidence_workspace
from assaymark.ui.report.documents import reason_document, verdict_document
from assaymark.ui.report.style import Style, printable, style_for
from assaymark.ui.report.text import reason_line, verdict_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from assaymark.enforce.launch import Ended
    from assaymark.enforce.record import Recorder
    from assaymark.service.workspace import Workspace
    from assaymark.store.placed_copy import Placed
    from assaymark.store.private_copy import Copy

_EXIT: Final = {Outcome.PERMIT: YES, Outcome.DENY: NO, Outcome.INDETERMINATE: NO_ANSWER}
_LONGEST_NOTE: Final = 500  # characters; of what is said while the program runs
_SECRET_VARIABLES: Final = ("ASSAYMARK_PASSPHRASE_FILE",)  # what the program has no use for


@dataclass(frozen=True, slots=True)
class Place:
    """Where this runs and what it reports to: the parts that do not depend on the model's bytes."""

    args: argparse.Namespace
    outputs: list[tuple[str, Path]]
    workspace: Workspace | None
    recorder: Recorder | None
    point: str
    interval: float
    grace: float


def run_model(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Copy, verify, and start the program or place the copy; returns the exit code.

    Raises:
        UsageError: what was asked for cannot be done as asked; said before a large model is copied.
    """
    interval, grace = duration("--interval", args.interval), duration("--grace", args.grace)
    _check_program(args.command)
    workspace = evidence_workspace(args)
    if workspace is not None:
        guard_workspace(workspace, Path(args.path))
    if args.dossier:
        read_dossier(Path(args.dossier))
    point = point_name(args.point)
    place = Place(args, outputs, workspace, recorder_for(args, workspace), point, interval, grace)
    subject = Subject(model_name(Path(args.path)), "")
    try:
        with _ended_by_signals():
            return _copy_and_run(place)
    except VerificationError as error:
        return _refuse(place, refused(error, Outcome.DENY, subject, Scope(DEFAULT_TENANT, args.environment)))
    except (InputError, UnavailableError) as error:
        return _refuse(place, refused(error, Outcome.INDETERMINATE, subject, Scope(DEFAULT_TENANT, args.environment)))


def _check_program(words: list[str]) -> None:
    if words and "{model}" not in words[0] and shutil.which(words[0]) is None:
        raise UsageError(
            "command-missing", "there is no such program to start", source=words[0], remedy="check PATH and the name"
        )


def _copy_and_run(place: Place) -> int:
    args = place.args
    source, extra = Path(args.path), configurations(args)
    evidence = (Path(args.dossier),) if args.dossier else ()
    if place.workspace is not None:
        evidence = (*evidence, *place.workspace.log.change_signs())
    watch = Watch(None if args.ignore_source or not args.command else source, extra, evidence)
    with _copied(place, source, extra) as (copy, placed):
        watch.copied(copy)
        verdict = _ask(place, copy)
        watched = Watched(
            copy,
            None if args.ignore_source else source,
            extra,
            evidence,
            lambda: _ask_again(place, copy),
            place.interval,
        )
        touched = watch.look_at_copy(watched)
        if touched is not None:
            verdict = replace(verdict, outcome=touched.outcome, reasons=(*touched.reasons, *verdict.reasons))
        if verdict.outcome is not Outcome.PERMIT:
            return _refuse(place, verdict)
        if placed is not None:
            placed.publish()
        _record(place, verdict, "start", _ruling(verdict))
        if not args.command:
            return _tell(place, verdict, "placed", YES, placed=placed)
        ended = launch(
            [word.replace("{model}", str(copy.model)) for word in args.command],
            _environment(copy, verdict),
            _ruling(verdict),
            watch,
            replace(watched, until=_ruling(verdict).valid_until),
            grace=place.grace,
            clocks=Clocks(),
            on_note=_talk,
            leave=copy.folder if placed is None else None,
        )
        return _finish(place, verdict, ended, placed)


@contextlib.contextmanager
def _copied(place: Place, source: Path, extra: tuple[Path, ...]) -> Iterator[tuple[Copy, Placed | None]]:
    """The copy that is verified, and where it is to be placed when it is for others."""
    with Progress("copying") as progress, contextlib.ExitStack() as stack:
        if place.args.into:
            placed = stack.enter_context(
                placed_copy(source, Path(place.args.into).absolute(), model_name(source), extra, progress.update)
            )
            progress.clear()
            yield placed.copy, placed
        else:
            copy = stack.enter_context(held_copy(source, extra, progress.update))
            progress.clear()
            yield copy, None


def _ask(place: Place, copy: Copy) -> Verdict:
    """The verdict on the copy, as ``verify`` gives it."""
    args = place.args
    subject = Subject(model_name(Path(args.path)), copy.manifest.digest)
    recall = Recall(state_folder())
    try:
        if place.workspace is None or args.dossier:
            return verify_with_dossier(
                read_dossier(Path(args.dossier)),
                args.root,
                subject,
                copy.manifest,
                args.environment,
                now(),
                recall=recall,
                log_copy=place.workspace,
                source=args.dossier,
            )
        return verify_in_workspace(place.workspace, subject, copy.manifest, args.environment, now(), recall)
    except VerificationError as error:
        return refused(error, Outcome.DENY, subject, _scope(place))
    except (InputError, UnavailableError) as error:
        return refused(error, Outcome.INDETERMINATE, subject, _scope(place))


def _talk(message: str) -> None:
    """Say something while the program runs; who listens may have gone, and that must not end the program.

    Nor may who does not read keep the launcher from stopping it: where a pipe or a terminal takes nothing more (the
    program may have filled it), nothing is said.
    """
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [sys.stderr], [], 0)[1]:  # of a pipe: that it takes 4 KiB (pipe(7), PIPE_BUF)
            note(message[:_LONGEST_NOTE])


def _scope(place: Place) -> Scope:
    tenant = DEFAULT_TENANT if place.workspace is None else place.workspace.config.tenant
    return Scope(tenant, place.args.environment)


def _ask_again(place: Place, copy: Copy) -> Ruling:
    """As ``_ask``, for the watching thread: whatever cannot be asked is no answer."""
    try:
        return _ruling(_ask(place, copy))
    except UsageError as error:  # a dossier or workspace that is away for the moment
        return Ruling(Outcome.INDETERMINATE, (Reason(error.code, Outcome.INDETERMINATE, str(error), error.remedy),))
    except OSError as error:
        message = f"the decision cannot be asked for: {error.strerror}"
        return Ruling(Outcome.INDETERMINATE, (Reason("os", Outcome.INDETERMINATE, message),))


def _ruling(verdict: Verdict) -> Ruling:
    if verdict.outcome is not Outcome.PERMIT:
        return Ruling(verdict.outcome, verdict.reasons)
    if verdict.decision is None:
        raise InternalError("run-decision", "a PERMIT without a decision")
    return Ruling(verdict.outcome, verdict.reasons, verdict.decision.valid_until)


def _environment(copy: Copy, verdict: Verdict) -> dict[str, str]:
    """The program's environment: ours, and what it runs under."""
    environment = {name: value for name, value in os.environ.items() if name not in _SECRET_VARIABLES}
    environment |= {
        "ASSAYMARK_MODEL": str(copy.model),
        "ASSAYMARK_MODEL_DIGEST": copy.manifest.digest,
        "ASSAYMARK_ENVIRONMENT": verdict.scope.environment,
    }
    if verdict.decision is not None:
        environment["ASSAYMARK_VALID_UNTIL"] = format_time(verdict.decision.valid_until)
    if copy.configurations is not None:
        environment["ASSAYMARK_CONFIGURATIONS"] = str(copy.configurations)
    return environment


def _refuse(place: Place, verdict: Verdict) -> int:
    if verdict.subject.digest:
        _record(place, verdict, "refuse", Ruling(verdict.outcome, verdict.reasons))
    elif place.recorder is not None:
        note("the attempt is not recorded: without a digest it is about nothing")
    return _tell(place, verdict, "refused", _EXIT[verdict.outcome])


def _finish(place: Place, verdict: Verdict, ended: Ended, placed: Placed | None) -> int:
    stopped = ended.stopped
    _record(place, verdict, "stop", stopped or Ruling(Outcome.PERMIT, ()))
    if stopped is None:
        return _tell(place, verdict, "ended", ended.code, placed=placed, renewals=ended.renewals)
    verdict = replace(verdict, outcome=stopped.outcome, reasons=stopped.reasons)
    code = _EXIT[stopped.outcome]
    return _tell(place, verdict, "stopped", code, placed=placed, renewals=ended.renewals)


def _tell(
    place: Place,
    verdict: Verdict,
    action: str,
    code: int,
    *,
    placed: Placed | None = None,
    renewals: int = 0,
) -> int:
    """Say how it went: on stdout when no program owns it, else on stderr; and in each ``--output``."""
    from assaymark.store.files import write_durable

    verdict = replace(verdict, reasons=complete(verdict.reasons, verdict.subject.name, place.args))
    document: dict[str, Any] = {
        "schema": "assaymark:run/v1",
        "action": action,
        "exit_code": code,
        "model": None if placed is None or action == "refused" else str(placed.final),
        "renewals": renewals,
        "verdict": verdict_document(verdict),
    }
    if action == "stopped":
        document["reasons"] = [reason_document(reason) for reason in verdict.reasons if not reason.met]
    result = Result(code, document, lambda style: _text(verdict, action, placed, style))
    for name, file in place.outputs:
        write_durable(file, render(result, name, Style()).encode())
    if action == "ended":
        return code
    stream = sys.stderr if place.args.command else sys.stdout
    stream.write(render(result, place.args.format, style_for(stream)))
    stream.flush()
    return code


def _text(verdict: Verdict, action: str, placed: Placed | None, style: Style) -> str:
    name = f"{printable(verdict.subject.name)} for {printable(verdict.scope.environment)}"
    if action == "stopped":
        lines = [f"{style('STOPPED', 'red', 'bold')}  {name}"]
        lines += [reason_line(reason, style) for reason in verdict.reasons if not reason.met]
        remedies = dict.fromkeys(reason.remedy for reason in verdict.reasons if not reason.met and reason.remedy)
        return "\n".join([*lines, *(f"  {printable(remedy)}" for remedy in remedies)])
    text = verdict_text(verdict, style)
    if action == "placed" and placed is not None:
        text += f"\nverified copy: {printable(str(placed.final))}"
    return text if action != "refused" else f"{text}\nnothing was started"


def recorder_for(args: argparse.Namespace, workspace: Workspace | None) -> Recorder | None:
    """Where attempts are recorded; None, and a note, when there is no key or no place for them."""
    from assaymark.enforce.record import Recorder
    from assaymark.keys.signers import load_signer
    from assaymark.service.publish import sign_statement
    from assaymark.store.spool import Spool

    signer = load_signer(args.key, passphrase_source(args)) if args.key else None
    lack = "there is no key: name one with --key"
    if signer is None and workspace is not None:
        try:
            signer = workspace.signer(None, name="service")
        except AssaymarkError as error:
            # A copy of a log, or a workspace mounted without its keys, has none; any other trouble is said as it is.
            if error.code != "key-not-found":
                lack = f"the workspace's key cannot be used: {error}" + (f"; {error.remedy}" if error.remedy else "")
    state = state_folder()
    folder = Path(args.spool) if args.spool else None if state is None else state / "spool"
    if signer is None or folder is None:
        place = "there is no home folder: name a place with --spool"
        note(f"attempts are not recorded, for {lack if signer is None else place}")
        return None
    key = signer
    return Recorder(Spool(folder), lambda payload: sign_statement(payload, [key]).data)


def _record(place: Place, verdict: Verdict, action: str, ruling: Ruling) -> None:
    if place.recorder is None:
        return
    decision, workspace = verdict.decision, place.workspace
    known = decision is not None or workspace is not None
    origin = ""
    if decision is not None:
        origin = decision.position.origin
    elif workspace is not None:
        origin = workspace.config.origin
    kind = AttemptKind(
        verdict.subject,
        verdict.scope.environment,
        action,
        ruling.outcome,
        ruling.unmet,
        "run",
        place.point,
        verdict.scope.tenant if known else "",
        origin,
    )
    place.recorder.record(kind, now())
    for line in place.recorder.notes:
        note(line)
    place.recorder.notes.clear()


def point_name(name: str | None) -> str:
    """The name of this place: as given, or the host's in the form of names.

    Raises:
        UsageError: ``name-form``.
    """
    if name is not None:
        if not is_name(name):
            raise UsageError("name-form", f"{name!r} is not a name", remedy="1 to 64 of a-z 0-9 . _ -")
        return name
    import socket

    host = "".join(c if is_name(c) or c in "._-" else "-" for c in socket.gethostname().lower())[:64].lstrip("._-")
    return host if is_name(host) else "unnamed"


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """While a copy is made, SIGTERM and SIGHUP end us as Ctrl-C does: what was made is removed."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for changed, handler in before.items():
            signal.signal(changed, handler)
