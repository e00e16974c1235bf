"""A model at hand: its name, its manifest, and what it differs from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.digest import is_digest, parse_digest
from assaymark.core.errors import AssaymarkError, UsageError
from assaymark.core.limits import MANIFEST_MAX_BYTES
from assaymark.core.statement import RELEASE, parse_envelope, parse_statement
from assaymark.core.subject import Difference, Manifest, Subject, compare_manifests, parse_manifest
from assaymark.store.intake import take_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assaymark.service.workspace import Workspace

# Releases looked at for the one that a changed model came from; keeps the search independent of the log's size.
NEAREST_RELEASES = 256


def model_name(path: Path) -> str:
    """The name a subject gets: the last part of its path."""
    return path.resolve().name or "model"


def guard_workspace(workspace: Workspace, path: Path) -> None:
    """Refuse a model folder that holds the workspace: it would change with every entry.

    Raises:
        UsageError: ``workspace-inside``.
    """
    here, model = workspace.folder.resolve(), path.resolve()
    if here == model or model in here.parents:
        raise UsageError(
            "workspace-inside",
            "the workspace lies inside the model's folder, so the model would change with every entry",
            source=str(path),
            remedy="move the model into a folder of its own, or name another workspace",
        )


def identify(
    path: Path,
    configurations: tuple[Path, ...] = (),
    on_progress: Callable[[int, int], None] | None = None,
    workspace: Workspace | None = None,
) -> tuple[Subject, Manifest]:
    """The subject that the files at ``path`` are now, with its manifest."""
    if workspace is not None:
        guard_workspace(workspace, path)
    manifest = take_manifest(path, configurations=configurations, on_progress=on_progress).manifest
    return Subject(model_name(path), manifest.digest), manifest


def subject_at(
    workspace: Workspace, place: Path, configurations: tuple[Path, ...] = ()
) -> tuple[Subject, Manifest | None]:
    """The subject named by a path or, where no such path is, by a digest that was submitted."""
    text = str(place)
    if is_digest(text) and not place.exists():
        digest = parse_digest(text)
        manifest = stored_manifest(workspace, digest)
        return Subject(_known_name(workspace, digest), digest), manifest
    return identify(place, configurations, workspace=workspace)


def stored_manifest(workspace: Workspace, digest: str) -> Manifest | None:
    """The manifest of a subject that was submitted here, if it was."""
    if not workspace.blobs.has(digest):
        return None
    return parse_manifest(workspace.blobs.get(digest, MANIFEST_MAX_BYTES))


def _known_name(workspace: Workspace, digest: str) -> str:
    _, checkpoint = workspace.log.checkpoint()
    for index in workspace.log.by_subject(digest, below=checkpoint.size):
        statement = parse_statement(parse_envelope(workspace.log.entry(index)[1]).payload)
        return next(subject.name for subject in statement.subjects if subject.digest == digest)
    return digest


def differences_from_nearest(
    workspace: Workspace, name: str, manifest: Manifest, environment: str
) -> tuple[tuple[Difference, ...], str]:
    """How a model that was never submitted differs from the release it most likely came from.

    The nearest is the one that shares most files, then the one of the same name, then the newest. Returns the
    differences and the digest of that release, or nothing and an empty text.
    """
    own = {(entry.path, entry.digest) for entry in manifest.files}
    best: tuple[tuple[int, bool, int], Manifest, str] | None = None
    _, checkpoint = workspace.log.checkpoint()
    indices = workspace.log.by_predicate(RELEASE, below=checkpoint.size, newest_first=True, limit=NEAREST_RELEASES)
    for index in indices:
        try:
            statement = parse_statement(parse_envelope(workspace.log.entry(index)[1]).payload)
            subject = statement.subjects[0]
            other = stored_manifest(workspace, subject.digest)
        except AssaymarkError:
            continue  # a hint only: what is wrong with the entry is `log check`'s to say
        if other is None or statement.predicate.get("environment") != environment:
            continue
        shared = sum((entry.path, entry.digest) in own for entry in other.files)
        score = (shared, subject.name == name, index)
        if (shared or subject.name == name) and (best is None or score > best[0]):
            best = (score, other, subject.digest)
    if best is None:
        return (), ""
    return compare_manifests(best[1], manifest), best[2]
