"""Writes the page that lists the rules of assessments.

Usage: python -m tests.support.rule_index
"""

from __future__ import annotations

from pathlib import Path

from assaymark.assess.rules import RULES

PAGE = Path(__file__).parents[2] / "docs/guide/assess-rules.md"
_CASES = {
    "identity": "Identities",
    "endpoint": "Endpoints",
    "transport": "Transport and secrets",
    "supply-chain": "Supply chain",
    "tenancy": "Tenancy",
}
_HEAD = """# Rules of assessments

Each finding of [`assess`](assess.md) names its rule; `assaymark explain RULE` prints the rule's page: what it is, why it matters, what to do, references.
The severity is the usual one; a page says when it differs. Paths need no rules: they are found whether a rule speaks of their steps or not.
"""


def page() -> str:
    """The page, a table for each of the five cases."""
    lines = [_HEAD]
    for case in sorted({rule.case for rule in RULES.values()}, key=lambda one: [*_CASES, one].index(one)):
        lines += [f"## {_CASES.get(case, case)}", "", "| rule | severity | finds |", "|---|---|---|"]
        lines += [
            f"| [`{rule.id}`](../../rules/{rule.id}/rule.md) | {rule.severity.name.lower()} | {rule.title} |"
            for rule in sorted(RULES.values(), key=lambda one: one.id)
            if rule.case == case
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
