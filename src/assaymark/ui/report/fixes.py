"""What a rule's page says, for reports that quote it."""

from __future__ import annotations

import re
from functools import cache

from assaymark.core.errors import UsageError
from assaymark.service.explain import explain


@cache
def rule_page(rule: str) -> str:
    """The page of a rule in Markdown; empty when there is none."""
    try:
        return explain(rule).text
    except UsageError:
        return ""


@cache
def rule_part(rule: str, heading: str) -> str:
    """The text under one heading of a rule's page, as one paragraph."""
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", rule_page(rule), re.DOTALL | re.MULTILINE)
    return " ".join(match[1].split()) if match else ""


def fix(rule: str) -> str:
    """The first sentence of what to do."""
    text = rule_part(rule, "What to do").partition("```")[0].rstrip(" :")
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", text, maxsplit=1)[0]
