"""Inventory: every model below some folders, with digest, unsafe parts and standing. Writes nothing."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import AssaymarkError
from assaymark.sandbox.pool import Sandbox
from assaymark.service.found_models import Finder
from assaymark.service.inventoried import Model, risk
from assaymark.service.scan import scan_with
from assaymark.store.intake import take_manifest
from assaymark.store.survey import stamp
from assaymark.store.walk import is_folder, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assaymark.service.found_models import Found
    from assaymark.service.model_standing import Standings
    from assaymark.store.survey import LeftOut


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was found, the riskiest first, and what was not looked into. ``files`` and ``folders`` were looked at."""

    models: tuple[Model, ...]
    left_out: tuple[LeftOut, ...]
    files: int
    folders: int
    scanned: bool
    environments: tuple[str, ...] = ()

    @property
    def unread(self) -> tuple[LeftOut, ...]:
        """The places that may hold models and were not looked into."""
        return tuple(item for item in self.left_out if item.unread)


@dataclass(frozen=True, slots=True)
class Progresses:
    """Where the stages say how far they are: (files, models) found, then (done, of) for bytes and for models."""

    finding: Callable[[int, int], None] | None = None
    hashing: Callable[[int, int], None] | None = None
    scanning: Callable[[int, int], None] | None = None


def take_inventory(
    roots: Sequence[Path],
    *,
    standings: Standings | None = None,
    workspace_folder: Path | None = None,
    scan: bool = True,
    jobs: int = 0,
    progress: Progresses | None = None,
) -> Inventory:
    """Every model below ``roots``. Only models are hashed and scanned; of other files a page is read.

    ``jobs`` threads hash and so many confined processes scan (0: the cores that this process may use). The workspace
    is not looked into: it holds copies of what was submitted.

    Raises:
        UsageError: ``path-missing`` or ``path-unreadable`` for one of ``roots``.
        UnavailableError: ``sandbox-start``.
        AssaymarkError: as the log raises.
    """
    progress = progress or Progresses()
    jobs = jobs or _cores()
    own = stamp(str(workspace_folder)) if workspace_folder is not None else ()
    for root in roots:
        is_folder(root)  # says so when it is not there: a word that was misspelt is not an empty tree
    finder = Finder(frozenset([(own[0], own[1])]) if own else frozenset(), progress.finding)
    found = finder.find(roots)
    models = _by_digest(_hash(found, jobs, progress.hashing))
    if standings is not None:
        models = standings.add(models)
    if scan:
        models = _scan(models, jobs, progress.scanning)
    ordered = tuple(sorted(models, key=lambda item: (risk(item), item.places[0])))
    return Inventory(
        ordered,
        tuple(sorted(finder.left_out, key=lambda item: item.path)),
        finder.files,
        finder.folders,
        scan,
        standings.environments if standings is not None else (),
    )


def _cores() -> int:
    """The cores that this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _hash(found: list[Found], jobs: int, on_progress: Callable[[int, int], None] | None) -> list[Model]:
    """The manifest of each model: hashlib lets other threads run, so models are hashed side by side."""
    # Few models are large ones: then the files of each are hashed side by side instead.
    few = len(found) < 2 * jobs
    models: list[Model] = []
    with ThreadPoolExecutor(1 if few else jobs, thread_name_prefix="inventory") as pool:
        try:
            for model in pool.map(partial(_hashed, workers=jobs if few else 1), found):
                models.append(model)
                if on_progress is not None:
                    on_progress(len(models), len(found))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # an interrupt: nobody waits for the other models
            raise
    return models


def _hashed(found: Found, workers: int) -> Model:
    try:
        stamped = stamps(Path(found.path))
        manifest = take_manifest(Path(found.path), workers=workers).manifest
    except AssaymarkError as error:
        return Model(found, (found.path,), None, problem=str(error))
    return Model(found, (found.path,), manifest, stamped=stamped)


def _by_digest(models: list[Model]) -> list[Model]:
    """One model for each digest, with all its places."""
    grouped: dict[str, Model] = {}
    for model in models:
        key = model.manifest.digest if model.manifest is not None else model.places[0]
        before = grouped.get(key)
        grouped[key] = model if before is None else replace(before, places=(*before.places, *model.places))
    return list(grouped.values())


def _scan(models: list[Model], jobs: int, on_progress: Callable[[int, int], None] | None) -> list[Model]:
    scanned = []
    with Sandbox(workers=jobs, batch=True) as sandbox:
        for number, model in enumerate(models):
            scanned.append(_scanned(model, sandbox))
            if on_progress is not None:
                on_progress(number + 1, len(models))
    return scanned


def _scanned(model: Model, sandbox: Sandbox) -> Model:
    """The model with the report on its first place, when that is still what was hashed."""
    path = Path(model.places[0])
    try:
        report = scan_with(sandbox, path)
        same = model.manifest is None or stamps(path) == model.stamped
    except AssaymarkError as error:
        if error.code == "sandbox-start":
            raise
        return replace(model, problem=model.problem or str(error))
    return replace(model, report=report, problem=model.problem if same else "it changed while it was looked at")


def stamps(path: Path) -> dict[str, tuple[int, ...]]:
    """What changes when any file of a model is written to, by its path in the manifest."""
    if path.is_dir():
        return {file.path: stamp(str(file.real)) for file in walk(path)}
    return {path.name: stamp(str(path))}
