"""``standing``: what a file is for, as its path tells; what tests and documents do is judged more mildly."""

from __future__ import annotations

import re
from typing import Final

from assaymark.core.report import Severity

_TESTS: Final = frozenset(("test", "tests", "testing", "unittests", "fixtures", "testdata", "spec"))
_DOCUMENTS: Final = frozenset(("doc", "docs", "documentation", "benchmarks", "benchmark"))
_TEST_FILE: Final = re.compile(r"(?:^test_.*|.*_test|conftest)\.py$")
_SIDE_FILE: Final = re.compile(
    r"(?:^|[-_.])(?:dev|develop|development|test|tests|testing|docs?|lint|format|ci|typing|bench)(?=[-_.]|$)"
)


def standing(path: str) -> str:
    """``test``, ``docs`` or empty for what may be deployed."""
    *folders, name = path.lower().split("/")
    if _TESTS & set(folders) or _TEST_FILE.fullmatch(name):
        return "test"
    return "docs" if _DOCUMENTS & set(folders) else ""


def for_development(path: str) -> bool:
    """Whether a list of requirements is that of tests, documents or tools: ``requirements-dev.txt``."""
    return bool(standing(path)) or bool(_SIDE_FILE.search(path.lower().rpartition("/")[2]))


def milder(path: str, severity: Severity) -> Severity:
    """``LOW`` for tests and documents, else what it is."""
    return min(severity, Severity.LOW) if standing(path) else severity
