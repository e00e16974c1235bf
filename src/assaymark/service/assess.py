"""Assessing a folder: read its files, and hand them to the engine. Writes nothing."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from assaymark.assess.archives import is_archive
from assaymark.assess.engine import assess
from assaymark.assess.files import FETCHED, SourceFile, source_file
from assaymark.core.errors import UsageError
from assaymark.core.limits import ASSESS_MAX_FILE_BYTES, ASSESS_MAX_FILES, ASSESS_MAX_TOTAL_BYTES
from assaymark.core.report import Skipped
from assaymark.core.words import counted
from assaymark.service.assess_archives import inside_archive, inside_layout, layouts
from assaymark.store.walk import find_file, is_folder, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from assaymark.assess.archives import Unpacked
    from assaymark.assess.engine import Assessment
    from assaymark.core.errors import InputError

# Folders that hold what a team did not write: tools' copies of other people's files, of which is said that they were
# not read; and what tools keep for themselves, which nobody misses.
_VENDORED: Final = frozenset((".terraform", "node_modules", ".venv", "venv", "site-packages"))
# What of modules that Terraform fetched is read, and the folders of them that are not.
_OF_MODULES: Final = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tftpl", ".tpl", ".tmpl", ".json", ".yaml", ".yml")
_APART: Final = frozenset((".git", ".github", "docs", "examples", "test", "tests", "wrappers"))
_KEPT: Final = frozenset(
    (
        *(".git", ".hg", ".svn", "__pycache__", ".tox", ".nox", ".eggs", ".mypy_cache", ".ruff_cache"),
        *(".pytest_cache", ".ipynb_checkpoints", ".direnv"),
    )
)
# Hidden folders in which a platform or a pipeline is described; others are of editors and tools.
_HIDDEN: Final = frozenset(
    (
        *(".github", ".gitlab", ".circleci", ".buildkite", ".azuredevops", ".azure-pipelines", ".woodpecker"),
        *(".aws", ".azure", ".gcloud", ".kube", ".docker", ".config", ".ssh", ".argo", ".argocd", ".helm"),
    )
)


def assess_path(path: Path, now: int) -> tuple[Assessment, tuple[SourceFile, ...]]:
    """The assessment of a folder (or of one file) and the files that were read. ``now``: seconds since 1970.

    Raises:
        UsageError: ``path-missing``, ``path-unreadable``, ``assess-empty`` when no file is there.
        InputError: ``manifest-size`` above the limit of files.
    """
    skipped: list[Skipped] = []
    gaps: list[str] = []
    files = tuple(_read(path, skipped, gaps))
    if not files and not skipped and not gaps:
        raise UsageError(
            "assess-empty", "there is no file in it", source=str(path), remedy="name a folder with files"
        )
    with uncollected():
        found = assess(files, datetime.fromtimestamp(now, UTC))
        _ = found.ranked, found.reach  # computed here, since what asks for them runs with the collector
    found.reading.skipped[:0] = skipped
    found.reading.gap(*gaps)
    return found, files


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's collector of cycles: trees and graphs have none, and looking takes half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(path: Path, skipped: list[Skipped], gaps: list[str]) -> list[SourceFile]:
    def refused(shown: str, error: InputError) -> None:
        """A link that leads nowhere is no loss in a folder that is not read, or is of an editor or a tool."""
        link = error.code.startswith("link-")
        tools = any(part.startswith(".") and part not in _HIDDEN for part in shown.split("/")[:-1])
        if not (link and (tools or _vendored(shown))):
            skipped.append(Skipped(shown, error.message))

    found = sorted(walk(path, refused) if is_folder(path) else [find_file(path)], key=lambda file: file.path)
    vendored: dict[str, int] = {}
    files: list[SourceFile] = []
    total = 0
    images = layouts(file for file in found if not _vendored(file.path))
    packed = [inside_layout(root, inner) for root, inner in images.items()]
    for file in found:
        folder = _vendored(file.path)
        if folder and not _module(file.path):
            vendored[folder] = vendored.get(folder, 0) + 1
            continue
        if any(file.path.startswith(root) and file.path.removeprefix(root) in images[root] for root in images):
            continue
        if is_archive(file.path):
            packed.append(inside_archive(file))
            if file.size > ASSESS_MAX_FILE_BYTES:
                continue
        if file.size > ASSESS_MAX_FILE_BYTES:
            skipped.append(Skipped(file.path, f"larger than {ASSESS_MAX_FILE_BYTES >> 20} MiB"))
            continue
        total += file.size
        if total > ASSESS_MAX_TOTAL_BYTES or len(files) >= ASSESS_MAX_FILES:
            skipped.append(Skipped(file.path, "beyond the limit of what one assessment reads; name a smaller folder"))
            continue
        try:
            files.append(source_file(file.path, file.real.read_bytes()))
        except OSError as error:
            skipped.append(Skipped(file.path, f"cannot be read: {error.strerror}"))
    _add(packed, files, skipped, total)
    gaps += [
        f"{folder} holds {counted(count, 'file')} that a tool put there, which are not read; name it to have it read"
        for folder, count in vendored.items()
        if folder.rpartition("/")[2] not in _KEPT
    ]
    return files


def _add(packed: Iterable[Unpacked], files: list[SourceFile], skipped: list[Skipped], total: int) -> None:
    """Adds what archives hold, each whole or not at all. ``total``: bytes of ``files``."""
    for inside in packed:
        skipped += inside.skipped
        total += sum(len(one.data) for one in inside.files)
        if total > ASSESS_MAX_TOTAL_BYTES or len(files) + len(inside.files) > ASSESS_MAX_FILES:
            skipped += [Skipped(one.path, "beyond the limit of what one assessment reads") for one in inside.files]
        else:
            files += inside.files


def _module(path: str) -> bool:
    """Whether a file is of a module that Terraform fetched, or its record of them; not of examples and tests."""
    inside = f"/{path}".partition(f"/{FETCHED}/")[2]
    apart = _APART & set(inside.split("/")[:-1])
    return bool(inside) and not apart and inside.lower().endswith(_OF_MODULES)


def _vendored(path: str) -> str:
    parts = path.split("/")[:-1]
    for index, part in enumerate(parts):
        if part in _VENDORED or part in _KEPT:
            return "/".join(parts[: index + 1])
    return ""
