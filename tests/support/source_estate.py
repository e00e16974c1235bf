"""What files given as text say of source, and what is found in them."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent
from typing import TYPE_CHECKING

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file

if TYPE_CHECKING:
    from assaymark.assess.engine import Assessment

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def assessed(**files: str) -> Assessment:
    """The assessment of files; in names ``__`` stands for ``/`` and ``_DOT_`` for a dot."""
    named = {name.replace("_DOT_", ".").replace("__", "/"): dedent(text).lstrip("\n") for name, text in files.items()}
    return assess([source_file(path, text.encode()) for path, text in named.items()], NOW)


def assessed_files(files: dict[str, str]) -> Assessment:
    """The assessment of files by path."""
    return assess([source_file(path, dedent(text).lstrip("\n").encode()) for path, text in files.items()], NOW)


def rules_of(found: Assessment) -> set[str]:
    """The ids of what is found."""
    return {finding.rule for finding in found.findings}


def lines_of(found: Assessment, rule: str) -> list[tuple[str, int | None]]:
    """Where a rule finds something."""
    return sorted(
        (place.path, place.line) for finding in found.findings if finding.rule == rule for place in finding.locations
    )
