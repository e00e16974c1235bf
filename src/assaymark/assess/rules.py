"""The rules of assessments: what each looks for, how bad that is, and what it is called elsewhere.

A rule is a line here, a function ``check(seen: Seen) -> Iterable[Finding]`` that ``check`` names and that may serve
several rules of one kin, and a folder ``rules/<id>/`` with its page and examples. References are ids only: MITRE
ATLAS techniques (``AML.T``) and mitigations (``AML.M``), the OWASP Machine Learning Security Top 10 of 2023
(``ML01:2023``), the OWASP Top 10 for LLM Applications of 2025 (``LLM01:2025``), CWE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.report import Confidence, Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.graph import Graph
    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True)
class AssessRule:
    """One thing that an assessment may find. ``case`` is which of the five classic cases it belongs to."""

    id: str
    severity: Severity
    title: str
    case: str  # "identity", "endpoint", "transport", "supply-chain", "tenancy"
    refs: tuple[str, ...]
    confidence: Confidence = Confidence.HIGH


@dataclass(frozen=True, slots=True)
class Seen:
    """What rules look at."""

    files: tuple[SourceFile, ...]
    estates: Estates
    graph: Graph


_ALL: Final[tuple[AssessRule, ...]] = ()

RULES: Final[dict[str, AssessRule]] = {rule.id: rule for rule in _ALL}

# Functions that look for what the rules say, "module:function"; each yields findings of one or more rules.
CHECKS: Final[tuple[str, ...]] = ()


def found(
    rule: str, name: str, message: str, because: Iterable[Because], severity: Severity | None = None
) -> Finding:
    """A finding of a rule about ``name`` (a node's id, or what is unique in a file), which makes its fingerprint."""
    places = tuple(Location(place.path, line=place.line) for place in dict.fromkeys(because))
    about = RULES[rule]
    return Finding(rule, severity or about.severity, about.confidence, message, places, name)
