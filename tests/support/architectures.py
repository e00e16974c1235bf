"""Small architectures for tests: files by name in, an assessment out."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent
from typing import TYPE_CHECKING

from assaymark.assess.engine import Assessment, assess
from assaymark.assess.files import source_file

if TYPE_CHECKING:
    from assaymark.core.graph import Edge
    from assaymark.core.report import Finding

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def assessed(**files: str) -> Assessment:
    """What comes of files; ``base__main_tf`` is ``base/main.tf``, and texts may be indented."""
    named = {name.replace("__", "/").replace("_", "."): dedent(text) for name, text in files.items()}
    return assess([source_file(path, text.encode()) for path, text in named.items()], NOW)


def findings(assessment: Assessment, rule: str) -> list[Finding]:
    """The findings of a rule."""
    return [finding for finding in assessment.findings if finding.rule == rule]


def edges(assessment: Assessment, relation: str = "", source: str = "", target: str = "") -> list[Edge]:
    """The edges of a relation, from and to ids that contain these words."""
    return [
        edge
        for edge in assessment.graph.edges
        if relation in ("", edge.relation) and source in edge.source and target in edge.target
    ]
