"""What an assessment is held against: the reviewed file, an earlier assessment, an earlier state of the files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from assaymark import __version__
from assaymark.assess.fingerprints import finding_fingerprint, path_fingerprint
from assaymark.assess.measures import Measures, Needed, measure
from assaymark.assess.names import find_node
from assaymark.assess.reviews import AssessConfig, Review, parse_assess_config, platform_of
from assaymark.core.canonical import canonical_json
from assaymark.core.errors import InputError, UsageError
from assaymark.core.report import Severity
from assaymark.core.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from assaymark.assess.engine import Assessment
    from assaymark.assess.rewrite import Rewrite
    from assaymark.solve.ask import Answer


@dataclass(frozen=True, slots=True)
class Standing:
    """How findings and paths stand. ``known``: fingerprints of an earlier assessment; None when none was given.

    ``accepted``, ``assigned`` and ``claimed`` (said to be fixed and still there) by fingerprint. ``fixed``: reviews
    whose finding is gone. ``gone``: fingerprints of the earlier assessment that are no more.
    """

    accepted: dict[str, Review] = field(default_factory=dict)
    assigned: dict[str, Review] = field(default_factory=dict)
    claimed: dict[str, Review] = field(default_factory=dict)
    fixed: tuple[Review, ...] = ()
    known: frozenset[str] | None = None
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def counts(self, fingerprint: str) -> bool:
        """Whether a finding or path may fail the run."""
        return fingerprint not in self.accepted and not (self.known is not None and fingerprint in self.known)

    def state(self, fingerprint: str) -> str:
        """``accepted``, ``open`` (somebody has it), ``not-fixed``, ``known`` from earlier, or ``new``."""
        for word, some in (("accepted", self.accepted), ("open", self.assigned), ("not-fixed", self.claimed)):
            if fingerprint in some:
                return word
        return "known" if self.known is not None and fingerprint in self.known else "new"


def load_assess_config(path: Path) -> AssessConfig:
    """The entries of the file at ``path``.

    Raises:
        UsageError: ``path-missing`` when the file cannot be read.
        InputError: ``assess-config``.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        message = error.strerror or "cannot be read"
        raise UsageError("path-missing", message, source=str(path), remedy="check the path of --config") from None
    try:
        return parse_assess_config(text)
    except InputError as error:
        raise error.at(str(path)) from None


def load_known(path: Path) -> frozenset[str]:
    """The fingerprints of an earlier ``assess --format json``.

    Raises:
        UsageError: ``path-missing`` when the file cannot be read.
        InputError: ``assess-earlier`` when it is no assessment.
    """
    try:
        value: Any = json.loads(path.read_bytes())
        items = [*value["findings"], *value["paths"]]
        return frozenset(str(item["fingerprint"]) for item in items)
    except OSError as error:
        message = error.strerror or "cannot be read"
        raise UsageError("path-missing", message, source=str(path), remedy="check the path of --new-only") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        message = "not what `assess --format json` writes"
        raise InputError("assess-earlier", message, source=str(path)) from None


def standing(found: Assessment, config: AssessConfig, known: frozenset[str] | None, now: int) -> Standing:
    """How each finding and path stands."""
    here = {finding_fingerprint(finding) for finding in found.findings}
    here |= {path_fingerprint(path) for path in found.ranked.paths}
    notes = []
    accepted, assigned, claimed, fixed = {}, {}, {}, []
    for review in config.reviews:
        if review.fingerprint not in here:
            fixed.append(review)
        elif review.accepts(now):
            accepted[review.fingerprint] = review
        elif review.state == "fixed":
            claimed[review.fingerprint] = review
        else:
            assigned[review.fingerprint] = review
            if review.state == "accepted":
                notes.append(f"the acceptance of {review.fingerprint} ended {format_time(review.until)}")
    gone = tuple(sorted((known or frozenset()) - here))
    return Standing(accepted, assigned, claimed, tuple(fixed), known, gone, tuple(notes))


def worst_that_counts(found: Assessment, how: Standing) -> list[Severity]:
    """The severities that may fail the run."""
    worst = [one.severity for one in found.findings if how.counts(finding_fingerprint(one))]
    return worst + [path.severity for path in found.ranked.paths if how.counts(path_fingerprint(path))]


def assessment_predicate(
    found: Assessment,
    how: Standing,
    outcome: str,
    threshold: str,
    measures: Measures | None,
    rewritten: Sequence[Rewrite] = (),
) -> dict[str, Any]:
    """``assaymark:assessment/v1``: docs/spec/assessment.md. The subject is the folder that was assessed."""
    predicate: dict[str, Any] = {
        "accepted": len(how.accepted),
        "files": len(found.reading.read),
        "findings": _counts([one.severity for one in found.findings if how.counts(finding_fingerprint(one))]),
        "gaps": len(found.reading.gaps),
        "graph": found.graph.digest(),
        "outcome": outcome,
        "paths": _counts([one.severity for one in found.ranked.paths if how.counts(path_fingerprint(one))]),
        "reach": {"allowed": found.reach.count(unknown=False), "possible": found.reach.count(unknown=True)},
        "skipped": len(found.reading.skipped),
        "threshold": threshold,
        "tool": {"name": "assaymark", "version": __version__},
    }
    if measures is not None:
        predicate["change"] = {
            "after": measures.after,
            "before": measures.before,
            "crossBoundaryAfter": measures.cross_boundary_after,
            "crossBoundaryBefore": measures.cross_boundary_before,
            "crossBoundaryNew": measures.cross_boundary_new,
            "excessAfter": measures.excess_after,
            "excessBefore": measures.excess_before,
            "needed": measures.needed,
            "neededLost": len(measures.lost),
            "new": measures.new,
        }
    reviews = sorted(_reviewed(how), key=lambda one: str(one["fingerprint"]))
    if reviews:
        predicate["reviews"] = reviews
    if rewritten:
        predicate["rewrites"] = [_rewrite(least) for least in rewritten]
    return predicate


def _reviewed(how: Standing) -> Iterator[dict[str, Any]]:
    """What was decided of findings and paths, and how it stands."""
    for state, some in (
        ("accepted", how.accepted.values()),
        ("open", how.assigned.values()),
        ("not-fixed", how.claimed.values()),
        ("fixed", how.fixed),
    ):
        for review in some:
            said = {
                "fingerprint": review.fingerprint,
                "owner": review.owner,
                "reason": review.reason,
                "state": state,
            }
            yield said | ({"until": format_time(review.until)} if review.until else {})


def _rewrite(one: Rewrite) -> dict[str, Any]:
    """What was asked of a rewritten policy, and what solvers said."""
    shown: dict[str, Any] = {
        "kind": "solver-attested",
        "new": _digest(one.policy),
        "newWithinOld": one.within.verdict,
        "old": [_digest(policy.policy) for policy in one.replaces],
        "principal": one.about,
        "proved": one.proved,
        "purpose": one.kind,
        "questions": _questions(one.answers),
        "uncovered": len(one.uncovered) + len(one.undecided),
    }
    if one.covers is not None:
        shown["neededWithinNew"] = one.covers.verdict
    if one.droppable is not None:
        shown["minimal"] = not one.droppable
        shown["minimality"] = _questions(one.minimality)
    return shown


def _questions(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Each question once, and what each solver said."""
    return [
        {
            "question": question,
            "said": [{"answer": said.answer, "solver": said.solver, "version": said.version} for said in answer.said],
        }
        for question, answer in sorted({answer.question: answer for answer in answers}.items())
    ]


def _digest(policy: Any) -> str:
    return sha256(canonical_json(policy)).hexdigest()


def _counts(severities: list[Severity]) -> dict[str, int]:
    return {severity.name.lower(): severities.count(severity) for severity in Severity}


def measured(before: Assessment, after: Assessment, config: AssessConfig) -> Measures:
    """The measures of a change.

    Raises:
        UsageError: ``node-unknown`` or ``node-ambiguous`` for a need that names nothing of the baseline.
    """
    needs: list[Needed] = []
    for need in config.needs:
        classes = [action for action in need.actions if not platform_of(action)]
        for principal in need.principals if classes else ():
            for resource in need.resources:
                ends = find_node(before.graph, principal), find_node(before.graph, resource)
                needs += [(ends[0], action, ends[1]) for action in classes]
    return measure(before.reach, before.graph, after.reach, after.graph, needs)
