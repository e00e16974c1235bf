"""The public Python interface: the verbs that a program needs. docs/guide/python.md shows each at work."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.decision import Outcome, Reason
from assaymark.core.errors import UsageError, VerificationError
from assaymark.core.report import Report
from assaymark.service.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.subject import Manifest, Subject
    from assaymark.store.recall import Recall

__all__ = ["Outcome", "Reason", "Report", "Verdict", "admitted", "decide", "scan", "verify"]

StrPath = str | os.PathLike[str]


def scan(path: StrPath) -> Report:
    """Look into a model file or folder without executing any of it; hostile bytes are parsed in a confined child.

    ``report.outcome()`` is ``"pass"``, ``"fail"`` or ``"incomplete"``; a report has no truth value.

    Raises:
        UsageError: there is no such path.
        InputError: the folder holds a link that leaves it, a device, or a name that is not UTF-8.
    """
    from assaymark.service.scan import scan_path

    return scan_path(_place(path))


def verify(
    path: StrPath,
    environment: str,
    *,
    workspace: StrPath | None = None,
    dossier: StrPath | None = None,
    root: str | None = None,
    configurations: tuple[StrPath, ...] = (),
) -> Verdict:
    """May the model at ``path`` run in ``environment``? Writes nothing to the log.

    Give a ``dossier`` with the ``root`` digest that you pinned (no workspace, no network), or a ``workspace``;
    with both, the dossier is also held against the workspace's log. A ``root`` given with a workspace alone must be
    the one that the workspace stands on.

    Raises:
        UsageError: neither is given, or something named does not exist.
        InputError: the dossier, the log or the model is malformed.
        VerificationError: a signature, proof or chain was refused.
    """
    from assaymark.service.model import identify

    subject, manifest = identify(_place(path), tuple(Path(file) for file in configurations))
    return _judge(subject, manifest, environment, workspace, dossier, root)


def decide(
    path: StrPath,
    environment: str,
    *,
    workspace: StrPath,
    dossier: StrPath | None = None,
    configurations: tuple[StrPath, ...] = (),
) -> Verdict:
    """Decide from what the workspace's log holds now, and log the decision; ``dossier`` names a file to write.

    Raises:
        AssaymarkError: as the workspace, its log and its keys raise.
    """
    from assaymark.service.decide import decide_path
    from assaymark.service.workspace import open_workspace
    from assaymark.store.files import write_durable

    opened = open_workspace(Path(workspace))
    verdict, data = decide_path(
        opened,
        _place(path),
        environment,
        _now,
        configurations=tuple(Path(file) for file in configurations),
        recall=_recall(),
    )
    if dossier is not None and data is not None:
        write_durable(Path(dossier), data)
    return verdict


@contextmanager
def admitted(
    path: StrPath,
    environment: str,
    *,
    workspace: StrPath | None = None,
    dossier: StrPath | None = None,
    root: str | None = None,
    configurations: tuple[StrPath, ...] = (),
) -> Iterator[Path]:
    """A private copy of the model, verified, for a loader; the copy is what was hashed, so nothing can be swapped.

    Yields the copy's path: a folder, or the file for a model of one file; read-only, and gone at the end.

    Raises:
        VerificationError: ``not-admitted`` when the decision is anything but PERMIT, naming the reasons.
        UsageError, InputError: as ``verify``.
    """
    from assaymark.core.subject import Subject
    from assaymark.service.model import model_name
    from assaymark.store.private_copy import private_copy

    with private_copy(_place(path), tuple(Path(file) for file in configurations)) as (manifest, copy):
        subject = Subject(model_name(Path(path)), manifest.digest)
        verdict = _judge(subject, manifest, environment, workspace, dossier, root)
        if verdict.outcome is not Outcome.PERMIT:
            unmet = "; ".join(f"{reason.requirement}: {reason.message}" for reason in verdict.reasons if reason.stops)
            raise VerificationError(
                "not-admitted",
                f"{verdict.outcome} for {environment}: {unmet}",
                source=str(path),
                remedy=next((reason.remedy for reason in verdict.reasons if reason.stops), ""),
            )
        yield copy


def _place(path: StrPath) -> Path:
    """``path``, but an empty one, which would be the current folder."""
    if not os.fspath(path):
        raise UsageError("path-missing", "the path is empty", remedy="name the model")
    return Path(path)


def _judge(
    subject: Subject,
    manifest: Manifest,
    environment: str,
    workspace: StrPath | None,
    dossier: StrPath | None,
    root: str | None,
) -> Verdict:
    from assaymark.core.digest import parse_digest
    from assaymark.service.verify import read_dossier, verify_in_workspace, verify_with_dossier
    from assaymark.service.workspace import open_workspace

    opened = open_workspace(Path(workspace)) if workspace is not None else None
    recall = _recall()
    if dossier is not None:
        if root is None:
            raise UsageError("root-missing", "a dossier is checked against a root digest that you pinned")
        return verify_with_dossier(
            read_dossier(Path(dossier)),
            parse_digest(root),
            subject,
            manifest,
            environment,
            _now(),
            recall=recall,
            log_copy=opened,
            source=str(dossier),
        )
    if opened is None:
        raise UsageError("evidence-missing", "name a workspace, or a dossier with the root digest that you pinned")
    if root is not None:
        opened.hold_to(parse_digest(root))
    return verify_in_workspace(opened, subject, manifest, environment, _now(), recall)


def _recall() -> Recall:
    from assaymark.store.recall import Recall

    return Recall(state_folder())


def state_folder() -> Path | None:
    """Where a verifier remembers what it has seen: ``$XDG_STATE_HOME/assaymark`` (XDG Base Directory 0.8).

    None for a user without a home, such as a number that a container runs under.
    """
    base = os.environ.get("XDG_STATE_HOME")
    if base:
        return Path(base) / "assaymark"
    try:
        return Path.home() / ".local" / "state" / "assaymark"
    except RuntimeError:
        return None


def _now() -> int:
    return int(time.time())
