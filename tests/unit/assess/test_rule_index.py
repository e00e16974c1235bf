"""The guide lists every rule of assessments, as it is; their pages are found by their ids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assaymark.assess.rules import RULES
from assaymark.service.explain import explain

GUIDE = Path(__file__).parents[3] / "docs/guide/assess.md"
ROW = re.compile(r"^\| \[`([\w-]+)`\]\(\.\./\.\./rules/\1/rule\.md\) \| (\w+) \| (.+) \|$", re.MULTILINE)


def test_the_guide_lists_every_rule_once() -> None:
    rows = ROW.findall(GUIDE.read_text())
    assert sorted(rows) == sorted((rule.id, rule.severity.name.lower(), rule.title) for rule in RULES.values())


@pytest.mark.parametrize("rule", RULES)
def test_explain_prints_the_page(rule: str) -> None:
    page = explain(rule)
    assert page.kind == "rule"
    assert RULES[rule].title in page.text
