"""A run that is recorded as it happens: inputs held, program run, outputs digested, one signed statement logged."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assaymark import __version__
from assaymark.core.digest import digest_hex
from assaymark.core.errors import UsageError, VerificationError
from assaymark.core.provenance import (
    OPERATIONS,
    Material,
    installed_json,
    material_json,
    parse_provenance,
    record_predicate,
)
from assaymark.core.statement import DATASET, PROVENANCE, make_statement
from assaymark.core.subject import Subject
from assaymark.core.times import format_time
from assaymark.recording.code import Code, read_code
from assaymark.recording.command import chosen_variables, entry_script, interpreter_of, redact_words, shown
from assaymark.recording.distributions import Installed, read_installed
from assaymark.recording.hardware import read_hardware
from assaymark.recording.opened import Opened, name_of, sort_opened
from assaymark.recording.program import find_program, run_program
from assaymark.service.derive import DATA, dataset_predicate
from assaymark.service.evidence import gather
from assaymark.service.model import model_name
from assaymark.service.principals import principal_in
from assaymark.service.publish import publish, sign_statement
from assaymark.service.record_files import (
    FILE,
    Input,
    Output,
    check_inputs,
    hold_input,
    hold_output,
    let_time_pass,
    mark_start,
    refuse_overlaps,
    take_output,
)
from assaymark.store.files import write_durable
from assaymark.store.intake import take_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assaymark.core.attestation import Receipt
    from assaymark.core.statement import Statement
    from assaymark.keys.signers import Signer
    from assaymark.recording.program import Ran
    from assaymark.service.workspace import Workspace

BUILDER_ROLE = "builder"
# What the program has no use for: where to find the passphrase of a key that signs what it did.
_SECRET_VARIABLES = ("ASSAYMARK_PASSPHRASE_FILE",)


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run and recorded. ``inputs`` are pairs of ``parent``, ``data`` or ``input`` and a path."""

    words: Sequence[str]
    outputs: Sequence[Path]
    inputs: Sequence[tuple[str, Path]] = ()
    operation: str = "train"
    variables: Sequence[str] = ()
    observe: bool = True
    describe: bool = True
    statement: Path | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run that ended. ``receipt`` is None when the program failed: nothing is claimed then.

    ``code`` is the program's exit code. ``described`` are data sets that were described along with it, ``missing``
    the declared materials of which nobody says anything; ``notes`` are for people.
    """

    code: int
    subjects: tuple[Subject, ...] = ()
    materials: tuple[Material, ...] = ()
    predicate: Mapping[str, Any] = field(default_factory=dict)
    principal: str = ""
    receipt: Receipt | None = None
    described: tuple[Subject, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Before:
    """What was read before the program started."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    code: Code | str
    installed: Installed | str
    hardware: dict[str, Any]
    script: tuple[str, str] | None  # real path and digest
    environment: dict[str, str]


def record(
    workspace: Workspace,
    run: Run,
    signer: Signer,
    clock: Callable[[], int],
    on_progress: Callable[[int, int], None] | None = None,
) -> Recorded:
    """Run a program and log SLSA provenance of its outputs, one statement for all of them, when all is in order.

    Must be called from the only thread. Nothing is claimed when the program fails, when an input changed meanwhile or
    an output was not written by it.

    Raises:
        UsageError: ``record-usage``, ``record-overlap``, ``command-missing``, ``command-failed``, ``key-unknown``.
        VerificationError: ``record-input-changed``, ``record-output-missing``, ``record-output-untouched``,
            ``record-output-input``, ``record-left``.
        AssaymarkError: as the intake, the stores and the log raise.
    """
    _check(run)
    principal = principal_in(workspace.trust().root, signer)
    environment = {name: value for name, value in os.environ.items() if name not in _SECRET_VARIABLES}
    program = find_program(run.words[0], environment)
    before = _read_before(workspace, run, program, environment, on_progress)
    since_ns = let_time_pass()
    marks = [mark_start(output) for output in before.outputs]
    started = clock()
    ran = run_program(program, run.words, environment, [item.real for item in before.inputs], observe=run.observe)
    finished = clock()
    if ran.code:
        return Recorded(ran.code, principal=principal)
    check_inputs(before.inputs)
    if ran.left:
        raise VerificationError(
            "record-left",
            "the program ended, and something that it started goes on and may still write; nothing is claimed",
            remedy="let the program wait for what it starts",
        )
    subjects = _subjects(before, marks, on_progress)
    opened = _opened(before, ran, since_ns)
    predicate = _predicate(run, before, ran, opened, format_time(started), format_time(finished))
    statement = make_statement(subjects, PROVENANCE, predicate)
    parse_provenance(statement)
    return _log(workspace, run, before, statement, signer, principal, clock)


def _check(run: Run) -> None:
    if not run.words or not run.outputs:
        lacking = "a program after --" if not run.words else "what it writes: --output PATH"
        raise UsageError(
            "record-usage",
            "a record needs a program and its outputs",
            remedy=f"name {lacking}; `assaymark record --help`",
        )
    if run.operation not in OPERATIONS:
        raise UsageError(
            "derivation-usage", f"{run.operation!r} is no operation", remedy=f"one of {', '.join(OPERATIONS)}"
        )


def _read_before(
    workspace: Workspace,
    run: Run,
    program: str,
    environment: dict[str, str],
    on_progress: Callable[[int, int], None] | None,
) -> _Before:
    outputs = tuple(hold_output(workspace, place) for place in run.outputs)
    named = [(os.path.realpath(place), place) for _, place in run.inputs]
    refuse_overlaps(named, [(item.real, item.place) for item in outputs])
    interpreter = interpreter_of(program, run.words[0])
    script = entry_script(run.words)
    digest = None
    if script is not None and Path(script).is_file():
        digest = (os.path.realpath(script), take_manifest(Path(script)).manifest.files[0].digest)
    return _Before(
        tuple(hold_input(workspace, place, role, on_progress) for role, place in run.inputs),
        outputs,
        read_code(Path.cwd()),
        "the command names no Python interpreter"
        if interpreter is None
        else read_installed(interpreter, environment),
        read_hardware(),
        digest,
        environment,
    )


def _subjects(
    before: _Before, marks: Sequence[int], on_progress: Callable[[int, int], None] | None
) -> tuple[Subject, ...]:
    subjects = tuple(
        Subject(model_name(item.place), take_output(item, mark, on_progress).digest)
        for item, mark in zip(before.outputs, marks, strict=True)
    )
    made = {subject.digest: subject for subject in subjects}
    for item in before.inputs:
        if item.material.digest in made:
            raise VerificationError(
                "record-output-input",
                f"an output is the input {item.material.name}, byte for byte, and nothing is made from itself",
                source=made[item.material.digest].name,
                remedy="name what the program makes; nothing is claimed",
            )
    return tuple(made.values())


def _opened(before: _Before, ran: Ran, since_ns: int) -> Opened | None:
    if ran.seen is None:
        return None
    installed = before.installed
    known = {before.script[0]} if before.script else set()
    return sort_opened(
        ran.seen,
        [item.real for item in before.inputs],
        outputs=[item.real for item in before.outputs],
        installed=installed.files if isinstance(installed, Installed) else (),
        library=installed.library if isinstance(installed, Installed) else (),
        known=known,
        since_ns=since_ns,
        names_from=str(Path.cwd()),
    )


def _predicate(
    run: Run, before: _Before, ran: Ran, opened: Opened | None, started: str, finished: str
) -> dict[str, Any]:
    command, redacted = redact_words(run.words)
    parameters: dict[str, Any] = {
        "command": command,
        "environment": chosen_variables(before.environment, run.variables),
        "operation": run.operation,
    }
    if isinstance(before.code, Code):
        parameters["workingDirectory"] = shown(os.path.relpath(Path.cwd(), before.code.top))
    extension = {
        "code": _code_json(before.code),
        "distributions": _installed_extension(before.installed),
        "observation": _observation(ran, opened),
        "redacted": redacted,
        "resources": {
            "maxRss": ran.max_rss,
            "systemMilliseconds": ran.system_milliseconds,
            "userMilliseconds": ran.user_milliseconds,
        },
    }
    if opened is not None:
        extension["declaredNotOpened"] = [
            item.material.name for number, item in enumerate(before.inputs) if number not in opened.declared
        ]
    if before.script is not None:
        path, digest = before.script
        extension["entryScript"] = {
            "changedMeanwhile": not Path(path).is_file()
            or take_manifest(Path(path)).manifest.files[0].digest != digest,
            "name": name_of(path, str(Path.cwd())),
        }
    internal: dict[str, Any] = {"hardware": before.hardware}
    if isinstance(before.installed, Installed):
        internal["interpreter"] = {
            "implementation": shown(before.installed.implementation),
            "version": shown(before.installed.version),
        }
    return record_predicate(
        parameters,
        _dependencies(before, opened),
        internal=internal,
        version=__version__,
        invocation=f"urn:assaymark:run:{secrets.token_hex(16)}",
        started=started,
        finished=finished,
        extension=extension,
    )


def _dependencies(before: _Before, opened: Opened | None) -> list[dict[str, Any]]:
    """All that went into the run: what was declared, the code, the distributions, what was only observed."""
    found = list({item.material.digest: material_json(item.material) for item in before.inputs}.values())
    if isinstance(before.code, Code):
        found.append({"digest": {"gitCommit": before.code.revision}, "name": "code"})
    if before.script is not None:
        path, digest = before.script
        found.append(material_json(Material(name_of(path, str(Path.cwd())), digest, FILE, declared=True)))
    if isinstance(before.installed, Installed):
        found += [installed_json(package) for package in before.installed.packages]
    if opened is not None:
        found += [material_json(material) for material in opened.materials]
    return found


def _code_json(code: Code | str) -> dict[str, Any]:
    if isinstance(code, str):
        return {"absent": code}
    document = {
        "changed": code.changed,
        "dirty": code.dirty,
        "revision": code.revision,
        "untracked": code.untracked,
    }
    return document | ({"diff": digest_hex(code.diff)} if code.diff else {})


def _installed_extension(installed: Installed | str) -> dict[str, Any]:
    if isinstance(installed, str):
        return {"absent": installed}
    return {
        "installed": len(installed.packages),
        "unreadable": installed.unnamed,
        "withoutRecord": sum(not package.digest for package in installed.packages),
    }


def _observation(ran: Ran, opened: Opened | None) -> dict[str, Any]:
    if ran.seen is None or opened is None:
        return {"how": "none", "why": ran.unobserved}
    return {
        "beyondLimit": ran.seen.more,
        "changedSinceStart": opened.changed,
        "files": len(opened.materials),
        "notThere": opened.absent,
        "how": "seccomp",
        "installed": opened.installed,
        "undigested": opened.undigested,
        "unread": ran.seen.unread,
    }


def _log(
    workspace: Workspace,
    run: Run,
    before: _Before,
    statement: Statement,
    signer: Signer,
    principal: str,
    clock: Callable[[], int],
) -> Recorded:
    envelope = sign_statement(statement.payload, [signer])
    if run.statement is not None:
        write_durable(run.statement, envelope.data)  # before it is logged: what a full log refuses is not lost
    unknown = _unknown(workspace, before)
    described = [item for item in unknown if item.material.kind == DATA] if run.describe else []
    envelopes = [envelope]
    for item in described:
        workspace.blobs.put(item.manifest.to_bytes())
        subject = Subject(item.material.name, item.material.digest, DATA)
        about = make_statement((subject,), DATASET, dataset_predicate(item.manifest))
        envelopes.append(sign_statement(about.payload, [signer]))
    receipts = publish(workspace, envelopes, clock())
    notes = [
        f"nobody says anything of {item.material.name} yet, so the lineage ends there as missing:"
        f" {item.material.digest}"
        for item in unknown
        if item not in described
    ]
    if BUILDER_ROLE not in workspace.trust().root.roles_of(principal):
        notes.append(
            f"{principal} does not hold role {BUILDER_ROLE}: a policy that asks for it does not count this record"
        )
    return Recorded(
        0,
        statement.subjects,
        tuple(item.material for item in before.inputs),
        statement.predicate,
        principal,
        receipts[0],
        tuple(Subject(item.material.name, item.material.digest, DATA) for item in described),
        tuple(notes),
    )


def _unknown(workspace: Workspace, before: _Before) -> list[Input]:
    """The declared parents of which nobody in the trust root says anything."""
    found = {item.material.digest: item for item in before.inputs if item.material.kind != FILE}
    return [
        item
        for digest, item in found.items()
        if not any(attestation.signers for attestation in gather(workspace, digest).own)
    ]
