"""Small architectures for tests: files by name, assessed."""

from __future__ import annotations

from datetime import UTC, datetime

from assaymark.assess.engine import Assessment, assess
from assaymark.assess.files import source_file

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def assessed(**files: str) -> Assessment:
    """Files by name, ``_`` before the ending for the dot."""
    return assess(
        [source_file(".".join(name.rsplit("_", 1)), text.encode()) for name, text in files.items()],
        NOW,
    )


def edges(assessment: Assessment) -> set[tuple[str, str, str, str]]:
    """Source, relation, target and state of each edge, names cut to what follows the last slash."""
    return {
        (edge.source.rpartition("/")[2], edge.relation, edge.target.rpartition("/")[2], str(edge.state))
        for edge in assessment.graph.edges
    }
