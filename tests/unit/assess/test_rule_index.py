"""A page of the guide lists every rule of assessments; the rules' own pages are found by their ids."""

from __future__ import annotations

import pytest
from tests.support.rule_index import PAGE, page

from assaymark.assess.rules import RULES
from assaymark.service.explain import explain


def test_the_guide_lists_every_rule() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.support.rule_index"


@pytest.mark.parametrize("rule", RULES)
def test_explain_prints_the_page(rule: str) -> None:
    found = explain(rule)
    assert found.kind == "rule"
    assert RULES[rule].title in found.text
