"""Conditionals, as the HCL native syntax specification has them: a line's end after one ends the attribute."""

from __future__ import annotations

import pytest

from assaymark.formats.hcl.parser import parse_hcl
from assaymark.formats.hcl.tree import Literal, Operation


def test_what_follows_a_conditional_is_the_next_attribute() -> None:
    body = parse_hcl('count = local.made ? 1 : 0\nname = "x"\n\nblock {\n  a = var.b ? c : d\n}\n')
    assert list(body.attributes) == ["count", "name"]
    assert [block.kind for block in body.blocks] == ["block"]
    assert isinstance(body.attributes["name"], Literal)


@pytest.mark.parametrize(
    "text",
    [
        "a = var.b ? 1 : 2\nc = 3\n",
        "a = var.b ? 1 : var.d ? 2 : 3\nc = 3\n",
        "a = (var.b\n  ? 1\n  : 2)\nc = 3\n",
        "a = var.b ?\n  1 :\n  2\nc = 3\n",
        "a = var.b ? [for x in y : x] : [\n  1,\n]\nc = 3\n",
    ],
)
def test_conditionals_over_several_lines(text: str) -> None:
    body = parse_hcl(text)
    assert list(body.attributes) == ["a", "c"]
    assert isinstance(body.attributes["a"], Operation)
