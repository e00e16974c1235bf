"""Rules are documents and tests at once: each has a page, and its examples are examined."""

from __future__ import annotations

from pathlib import Path

import pytest

from assaymark.assess.rules import RULES as ASSESSED
from assaymark.core.part import load_part
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine
from assaymark.scanning.rules import RULES
from assaymark.scanning.scanners import SCANNERS

FOLDER = Path(__file__).parents[3] / "rules"
EXAMPLES = sorted(path for path in FOLDER.glob("*/*/*") if path.parent.parent.name in RULES)


def found(path: Path) -> set[str]:
    return {finding.rule for finding in examine(BytesView(path.read_bytes()), path.name).findings}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_page_and_examples_of_both_kinds(rule: str) -> None:
    page = (FOLDER / rule / "rule.md").read_text()
    assert page.startswith(f"# {rule}: {RULES[rule].title}\n")
    assert f"Severity: {RULES[rule].severity.name.lower()}." in page
    for part in ("What it is", "Why it matters", "Example", "What to do", "References"):
        assert f"## {part}\n" in page
    for kind in ("pass", "fail"):
        assert any((FOLDER / rule / kind).iterdir())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "-".join(path.parts[-3:]))
def test_an_example_shows_what_it_says(path: Path) -> None:
    assert (path.parents[1].name in found(path)) is (path.parent.name == "fail")


def test_the_examples_are_what_the_script_writes() -> None:
    from tests.support.make_rule_examples import EXAMPLES as WRITTEN

    assert {(rule, name) for rule, files in WRITTEN.items() for name in files} == {
        (path.parents[1].name, f"{path.parent.name}/{path.name}") for path in EXAMPLES
    }
    for rule, files in WRITTEN.items():
        for name, data in files.items():
            assert (FOLDER / rule / name).read_bytes() == data


def test_every_scanner_can_be_loaded_and_has_its_own_id() -> None:
    assert len({part.id for part in SCANNERS}) == len(SCANNERS)
    for part in SCANNERS:
        assert callable(load_part(part))


def test_an_installation_has_every_page_and_no_hostile_file() -> None:
    """A scanner that ships what it refuses is refused by every other scanner of that machine, and by itself."""
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(FOLDER.parent))
    files = {file.distribution_path for file in builder.recurse_included_files()}
    rules = {path for path in files if path.startswith("assaymark/_rules/")}
    assert rules == {f"assaymark/_rules/{name}/rule.md" for name in {*RULES, *ASSESSED}}
    assert {"assaymark/__main__.py", "assaymark/py.typed", "assaymark/scanning/pickle/allow/torch.json"} <= files
