"""What a rule of an assessment is, and how it says what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.report import Confidence, Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.graph import Graph
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True)
class AssessRule:
    """One thing that an assessment may find.

    ``case`` is which of the five classic cases it belongs to: ``identity``, ``endpoint``, ``transport``,
    ``supply-chain``, ``tenancy``. ``refs`` are ids only: MITRE ATLAS techniques (``AML.T0010``) and mitigations
    (``AML.M0014``), the OWASP Machine Learning Security Top 10 of 2023 (``ML06:2023``), the OWASP Top 10 for LLM
    Applications of 2025 (``LLM03:2025``), CWE (``CWE-502``).
    """

    id: str
    severity: Severity
    title: str
    case: str
    refs: tuple[str, ...]
    confidence: Confidence = Confidence.HIGH


@dataclass(frozen=True, slots=True)
class Seen:
    """What rules look at."""

    inputs: Inputs
    estates: Estates
    graph: Graph
    now: datetime


def found(
    rule: AssessRule,
    name: str,
    message: str,
    because: Iterable[Because],
    severity: Severity | None = None,
    confidence: Confidence | None = None,
) -> Finding:
    """A finding of a rule about ``name``: a node's id, or what is unique in a file; it makes the fingerprint."""
    places = tuple(Location(place.path, line=place.line) for place in dict.fromkeys(because))
    return Finding(rule.id, severity or rule.severity, confidence or rule.confidence, message, places, name)
