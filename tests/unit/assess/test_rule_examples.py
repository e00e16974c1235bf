"""Rules of assessments are documents and tests at once: each has a page, and its example folders are assessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.rules import RULES

FOLDER = Path(__file__).parents[3] / "rules"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLES = sorted(path for rule in RULES for path in FOLDER.glob(f"{rule}/*/*") if path.is_dir())
REF = re.compile(r"AML\.[TM]\d{4}(\.\d{3})?|ML\d\d:2023|LLM\d\d:2025|CWE-\d+")


def found(folder: Path) -> set[str]:
    files = [
        source_file(str(path.relative_to(folder)), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return {finding.rule for finding in assess(files, NOW).findings}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_page_and_examples_of_both_kinds(rule: str) -> None:
    page = (FOLDER / rule / "rule.md").read_text()
    assert page.startswith(f"# {rule}: {RULES[rule].title}\n")
    assert f"Severity: {RULES[rule].severity.name.lower()}." in page
    for part in ("What it is", "Why it matters", "Example", "What to do", "References"):
        assert f"## {part}\n" in page
    for reference in RULES[rule].refs:
        assert reference in page, reference
        assert REF.fullmatch(reference)
    for kind in ("pass", "fail"):
        assert any(path.is_dir() for path in (FOLDER / rule / kind).iterdir())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "-".join(path.parts[-3:]))
def test_an_example_shows_what_it_says(path: Path) -> None:
    assert (path.parents[1].name in found(path)) is (path.parent.name == "fail")


def test_a_folder_of_rules_belongs_to_a_rule() -> None:
    from assaymark.scanning.rules import RULES as SCANNED

    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert folders == set(RULES) | set(SCANNED)
    assert not set(RULES) & set(SCANNED)
