"""Convert a model file to a safe format; in a workspace, bring the result in with its parent and the comparison."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assaymark import __version__
from assaymark.convert.hdf5_file import TEXT_PREFIX
from assaymark.core.digest import digest_hex
from assaymark.core.errors import AssaymarkError, InputError, InternalError, UsageError
from assaymark.core.provenance import Material
from assaymark.core.report import ScanOutcome
from assaymark.core.report_json import printable
from assaymark.core.statement import CONVERSION, make_statement
from assaymark.formats.hdf5.reader import MAGIC as HDF5_MAGIC
from assaymark.sandbox.files import open_regular
from assaymark.sandbox.planning import plan_file
from assaymark.sandbox.pool import Sandbox
from assaymark.service.derive import MODEL
from assaymark.service.environments import check_environment
from assaymark.service.evidence import gather, seen_tree
from assaymark.service.model import guard_workspace, identify
from assaymark.service.principals import principal_in
from assaymark.service.publish import publish, sign_statement
from assaymark.service.submit import submit
from assaymark.store.converted import Scratch, stamp, write_converted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.convert.plan import Plan
    from assaymark.core.decision import Scope
    from assaymark.core.subject import Subject
    from assaymark.keys.signers import Signer
    from assaymark.service.verdict import Verdict
    from assaymark.service.workspace import Workspace
    from assaymark.store.converted import Compared
    from assaymark.store.recall import Recall

SUFFIX: Final = ".safetensors"
KERAS_SUFFIX: Final = ".keras"
_TARGETS: Final = {SUFFIX: "safetensors", KERAS_SUFFIX: "keras"}
_HDF5_START: Final = 8  # bytes of its magic


@dataclass(frozen=True, slots=True)
class Conversion:
    """One file converted: what it was and is, how many tensors were compared, what was left behind.

    ``unpacked`` counts the bytes that were unpacked, decoded or put together before, and compared with the result.
    """

    source: Path
    target: Path
    parent: Subject
    child: Subject
    plan: Plan
    compared: Compared
    unconfined: tuple[str, ...] = ()
    unpacked: int = 0


def convert_file(source: Path, target: Path, on_progress: Callable[[int, int], None] | None = None) -> Conversion:
    """Convert ``source`` to ``target``, which must not exist and says by its suffix what is written.

    The source is parsed in a confined process. A ``.keras`` archive gets its name only when it passes a scan.

    Raises:
        UsageError: ``path-missing``, ``path-exists``, ``convert-suffix``.
        InputError: a ``convert-*`` code, or one of the format's reader.
        UnavailableError: as the stores and the sandbox raise.
    """
    if target.suffix not in _TARGETS:
        raise UsageError("convert-suffix", f"the result is a {' or a '.join(_TARGETS)} file", source=str(target))
    form = _TARGETS[target.suffix]
    if target.exists() or target.is_symlink():
        raise UsageError("path-exists", "already exists and is not overwritten", source=str(target))
    if not target.parent.is_dir():
        raise UsageError("path-missing", "the folder to write into is not there", source=str(target))
    missing: list[tuple[str, ...]] = []
    descriptor = _open(source)
    scratch = Scratch(target)
    try:
        before = stamp(descriptor)
        plan = plan_file(str(source), descriptor, missing.append, form, scratch=scratch)
        if plan.pickled:
            _check_allowed(descriptor)
        elif (
            form == "safetensors"
            and any(key.startswith(TEXT_PREFIX) for key in plan.metadata)
            and _doubt(descriptor) is not None
        ):
            plan = _without_texts(plan)
        check = _check_keras if form == "keras" else None
        compared = write_converted(descriptor, plan, target, on_progress, check, scratch=scratch, since=before)
    except InputError as error:
        raise error.at(str(source)) from None
    finally:
        scratch.close()
        os.close(descriptor)
    parent, _ = identify(source)
    child, _ = identify(target)
    unconfined = missing[0] if missing else ()
    return Conversion(source, target, parent, child, plan, compared, unconfined, scratch.total)


def convert_into(
    workspace: Workspace,
    source: Path,
    target: Path,
    scope: Scope,
    submitter: Signer,
    clock: Callable[[], int],
    *,
    on_progress: Callable[[int, int], None] | None = None,
    on_scan: Callable[[int, int], None] | None = None,
    recall: Recall | None = None,
) -> tuple[Conversion, Verdict]:
    """Convert, log the comparison, submit the result with ``source`` as its parent, and decide on it.

    Raises:
        UsageError: ``environment-unknown``.
        AssaymarkError: as ``convert_file`` and ``submit`` raise.
    """
    # Whatever would refuse or deny the result anyway is said before the work, and before anything is logged.
    guard_workspace(workspace, target)
    principal_in(seen_tree(workspace, recall).root, submitter)
    check_environment(gather(workspace, "").policy, scope.environment, "nothing was converted")
    done = convert_file(source, target, on_progress)
    statement = make_statement((done.child,), CONVERSION, conversion_predicate(done))
    publish(workspace, [sign_statement(statement.payload, [submitter])], clock())
    parent = Material(done.parent.name, done.parent.digest, MODEL, declared=True)
    verdict = submit(
        workspace,
        target,
        scope,
        submitter,
        clock,
        parents=(parent,),
        operation="convert",
        on_scan=on_scan,
        recall=recall,
    )
    return done, verdict


@dataclass(frozen=True, slots=True)
class Fixed:
    """One unsafe file: what it was converted to, or why it was not."""

    source: Path
    done: Conversion | None
    problem: AssaymarkError | None


def fix_files(sources: Iterable[Path], on_progress: Callable[[int, int], None] | None = None) -> Iterator[Fixed]:
    """Convert each file to one beside it; what cannot be converted is said, and the others go on."""
    for source in sources:
        try:
            yield Fixed(source, _fixed(source, on_progress), None)
        except AssaymarkError as error:
            yield Fixed(source, None, error)


def _fixed(source: Path, on_progress: Callable[[int, int], None] | None) -> Conversion:
    """A model of Keras in HDF5 as a ``.keras`` archive where that can be; else, and anything else, as safetensors."""
    try:
        with source.open("rb") as file:
            hdf5 = file.read(_HDF5_START) == HDF5_MAGIC
    except OSError:
        hdf5 = False  # convert_file says what is wrong with it
    if not hdf5:
        return convert_file(source, fixed_place(source), on_progress)
    try:
        return convert_file(source, source.with_suffix(KERAS_SUFFIX), on_progress)
    except InputError as error:
        done = convert_file(source, fixed_place(source), on_progress)
        where = f" ({error.position})" if error.position else ""
        why = printable(f"the model itself: {error.message}{where}")
        return replace(done, plan=replace(done.plan, dropped=(*done.plan.dropped, why)))


def fixed_place(source: Path) -> Path:
    """``model.safetensors`` beside ``model.pt``; ``model.fixed.safetensors`` beside a malformed one."""
    return source.with_suffix(f".fixed{SUFFIX}" if source.suffix == SUFFIX else SUFFIX)


def conversion_predicate(done: Conversion) -> dict[str, Any]:
    """``assaymark:conversion/v1``: docs/spec/conversion.md. The subject is the result."""
    parent = {"digest": {"sha256": digest_hex(done.parent.digest)}, "name": done.parent.name}
    return {
        **conversion_document(done),
        "parent": parent,
        "tool": {"name": "assaymark", "version": __version__},
    }


def _check_allowed(descriptor: int) -> None:
    """Objects are written as data only where a scan knows every name and every use of the pickle.

    Raises:
        InputError: ``convert-unsafe``.
    """
    doubt = _doubt(descriptor)
    if doubt is not None:
        raise InputError(
            "convert-unsafe",
            f"a pickle of objects that does not pass a scan: {doubt}",
            remedy="scan it; only tensors of torch can be taken out of a pickle that does not pass",
        )


def _check_keras(descriptor: int) -> None:
    """What is built from tables of what is harmless passes a scan; one that does not is a mistake of the tables.

    Raises:
        InternalError: ``convert-differs``.
    """
    doubt = _doubt(descriptor)
    if doubt is not None:
        raise InternalError(
            "convert-differs",
            f"the result does not pass a scan, so nothing was kept: {doubt}",
            remedy="report this as a bug",
        )


def _doubt(descriptor: int) -> str | None:
    """Why the open file does not pass a scan; ``None`` when it does."""
    with Sandbox(workers=1) as sandbox:
        report = sandbox.scan([("source", Path(f"/dev/fd/{descriptor}"))])
    if report.outcome() is ScanOutcome.PASS:
        return None
    return [*(finding.message for finding in report.findings), *(item.reason for item in report.skipped), ""][0]


def _without_texts(plan: Plan) -> Plan:
    """The weights alone: a configuration that names code is not handed on."""
    kept = {key: value for key, value in plan.metadata.items() if not key.startswith(TEXT_PREFIX)}
    return replace(plan, metadata=kept, dropped=(*plan.dropped, "the model's configuration, which fails a scan"))


def _open(source: Path) -> int:
    try:
        return open_regular(source)
    except FileNotFoundError:
        raise UsageError("path-missing", "there is no such file", source=str(source)) from None
    except OSError as error:
        raise UsageError("path-kind", error.strerror or "not a regular file", source=str(source)) from None


def conversion_document(conversion: Conversion) -> dict[str, Any]:
    """The facts of a conversion, as the statement and the output have them: docs/spec/conversion.md."""
    plan = conversion.plan
    return {
        "aliases": len(plan.aliases),
        "bytes": conversion.compared.size,
        "compared": conversion.compared.tensors,
        "dropped": list(plan.dropped),
        "from": plan.source,
        "left": plan.left,
        "tensors": len(plan.tensors),
        "to": plan.target,
        "unpacked": conversion.unpacked,
    }
