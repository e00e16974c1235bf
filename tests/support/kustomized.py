"""What kustomizations given as text come to."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from assaymark.assess.files import source_file
from assaymark.assess.inputs import Inputs
from assaymark.assess.kubernetes.overlays import Overlays


def overlays(files: dict[str, str]) -> tuple[Overlays, Inputs]:
    """The kustomizations among files by path."""
    inputs = Inputs([source_file(path, dedent(text).lstrip("\n").encode()) for path, text in files.items()])
    return inputs.once(Overlays), inputs


def built(files: dict[str, str], folder: str = "") -> dict[str, Any]:
    """What an outermost kustomization comes to: ``Kind/name`` to the object. It must be done whole."""
    found, inputs = overlays(files)
    assert inputs.reading.skipped == []
    return {f"{one.id.kind}/{one.id.name}": one.value for one in found.built[folder]}


def skipped(files: dict[str, str]) -> list[str]:
    """What could not be done, with the kustomization and the line."""
    _, inputs = overlays(files)
    return [f"{one.path} {one.reason}" for one in inputs.reading.skipped]
