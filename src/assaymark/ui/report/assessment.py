"""An assessment for scripts: the contract of ``assess --format json``, version 1 (docs/spec/assess.md)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.fingerprints import finding_fingerprint, path_fingerprint
from assaymark.assess.rules import RULES
from assaymark.core.graph import State
from assaymark.core.limits import ASSESS_MAX_REACH
from assaymark.core.report_json import printable
from assaymark.core.times import format_time
from assaymark.ui.report.assessment_fixes import fix_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.assess.engine import Assessment
    from assaymark.assess.measures import Measures
    from assaymark.assess.paths.isolation import Isolation
    from assaymark.assess.paths.ranked import Path
    from assaymark.assess.rewrite import Rewrite
    from assaymark.core.graph import Because, Edge
    from assaymark.core.report import Finding
    from assaymark.service.assess_review import Standing

ASSESS_SCHEMA: Final = "assaymark:assess-output/v1"
ISOLATION_SCHEMA: Final = "assaymark:isolation-output/v1"


def assessment_document(
    found: Assessment, how: Standing, measures: Measures | None = None, fixes: Sequence[Rewrite] = ()
) -> dict[str, Any]:
    """Findings, paths, reach, skipped and measures; lists are sorted, the worst first where there is a worst."""
    reach = found.reach
    return {
        "schema": ASSESS_SCHEMA,
        "graph": {
            "digest": found.graph.digest(),
            "nodes": len(found.graph.nodes),
            "edges": len(found.graph.edges),
        },
        "findings": [finding_document(finding, how, found) for finding in found.findings],
        "paths": [path_document(path, how) for path in found.ranked.paths],
        "paths_total": found.ranked.pairs,
        "choke_points": [
            {
                "target": printable(choke.target.id),
                "cut": None if choke.cut is None else [edge_document(edge) for edge in choke.cut],
            }
            for choke in found.chokes
        ],
        "reach": [
            {
                "principal": printable(triple.principal),
                "action": triple.action,
                "resource": printable(triple.resource),
                "state": "allowed" if triple.state is State.YES else "unknown",
            }
            for triple in islice(reach.triples(), ASSESS_MAX_REACH)
        ],
        "threats": [
            {
                "component": printable(threat.component.id),
                "technique": threat.technique.id,
                "name": threat.technique.name,
                "tactics": list(threat.technique.tactics),
                "state": "open" if threat.open else "unknown" if threat.perhaps else "closed",
                "by": [printable(one) for one in threat.by],
                "perhaps": [printable(one) for one in threat.perhaps],
                "findings": list(threat.findings),
                "controls": [
                    {"text": printable(one.text), "because": [place_document(place) for place in one.because]}
                    for one in threat.controls
                ],
            }
            for threat in found.threats
        ],
        "skipped": [
            {"path": printable(item.path), "reason": printable(item.reason)} for item in found.reading.skipped
        ],
        "fixes": [fix_document(least) for least in fixes],
        "fixed": [
            {"fingerprint": review.fingerprint, "owner": printable(review.owner), "reason": printable(review.reason)}
            for review in how.fixed
        ],
        "gone": list(how.gone),
        "gaps": [printable(text) for text in found.reading.gaps],
        "measures": {
            "files_read": len(found.reading.read),
            "reach_allowed": reach.count(unknown=False),
            "reach_possible": reach.count(unknown=True),
            **(measures_document(measures) if measures else {}),
        },
    }


def finding_document(finding: Finding, how: Standing, found: Assessment) -> dict[str, Any]:
    """One finding."""
    fingerprint = finding_fingerprint(finding)
    return {
        "rule": finding.rule,
        "severity": finding.severity.name.lower(),
        "confidence": finding.confidence.name.lower(),
        "message": printable(finding.message),
        "about": printable(finding.name),
        "fingerprint": fingerprint,
        **_decided(how, fingerprint),
        "locations": [{"path": printable(place.path), "line": place.line} for place in finding.locations],
        "refs": list(RULES[finding.rule].refs),
        "fixes": [
            {
                "title": printable(patch.title),
                "safe": patch.safe,
                "path": printable(patch.path),
                "line": patch.line,
                "removed": patch.removed,
                "inserted": [printable(line) for line in patch.inserted],
            }
            for patch in found.patches[finding]
        ],
    }


def path_document(path: Path, how: Standing) -> dict[str, Any]:
    """One attack path."""
    fingerprint = path_fingerprint(path)
    return {
        "from": printable(path.source.id),
        "to": printable(path.target.id),
        "severity": path.severity.name.lower(),
        "fingerprint": fingerprint,
        **_decided(how, fingerprint),
        "boundary": "; ".join(path.crosses),
        "state": "certain" if path.state is State.YES else "unknown",
        "decides": [printable(text) for text in path.decides],
        "steps": [edge_document(step) for step in path.steps],
    }


def _decided(how: Standing, fingerprint: str) -> dict[str, Any]:
    """How it stands, and what was decided by whom."""
    review = next(
        (some[fingerprint] for some in (how.accepted, how.assigned, how.claimed) if fingerprint in some), None
    )
    said: dict[str, Any] = {"standing": how.state(fingerprint)}
    if review is not None:
        said |= {"owner": printable(review.owner), "reason": printable(review.reason)}
        said["until"] = format_time(review.until) if review.until else None
    return said


def measures_document(measures: Measures) -> dict[str, Any]:
    """What a change took away; ratios are None where nothing was there before."""
    return {
        "triples_before": measures.before,
        "triples_after": measures.after,
        "raw_reduction": measures.raw_reduction,
        "excess_reduction": measures.excess_reduction,
        "cross_boundary_before": measures.cross_boundary_before,
        "cross_boundary_after": measures.cross_boundary_after,
        "triples_new": measures.new,
        "cross_boundary_new": measures.cross_boundary_new,
        "needed": measures.needed,
        "needed_allowed": not measures.lost,
        "needed_lost": [
            {"principal": printable(who), "action": action, "resource": printable(what)}
            for who, action, what in measures.lost
        ],
    }


def edge_document(edge: Edge) -> dict[str, Any]:
    """One step: ``because`` is where it is written, ``how`` what an attacker would do."""
    return {
        "relation": edge.relation,
        "from": printable(edge.source),
        "to": printable(edge.target),
        "state": "certain" if edge.state is State.YES else "unknown",
        "how": printable(edge.how),
        "because": [place_document(place) for place in edge.because],
    }


def place_document(place: Because) -> dict[str, Any]:
    """A line of a file."""
    return {"path": printable(place.path), "line": place.line, "digest": f"sha256:{place.digest}"}


def isolation_document(answer: Isolation) -> dict[str, Any]:
    """``--isolated``: the closed set, or the walk."""
    return {
        "schema": ISOLATION_SCHEMA,
        "from": printable(answer.source),
        "to": printable(answer.target),
        "isolated": {State.YES: "yes", State.NO: "no", State.UNKNOWN: "unknown"}[answer.state],
        "graph": answer.graph,
        "closed_set": [{"node": printable(node), "mode": mode} for node, mode in answer.closed],
        "path": [edge_document(edge) for edge in answer.walk],
        "decides": [printable(text) for text in answer.decides],
    }
