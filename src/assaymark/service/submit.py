"""Bring a model in: copy while hashing, scan the copy, sign, log, decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assaymark import __version__
from assaymark.core.decision import Request, Scope
from assaymark.core.report import ScanOutcome
from assaymark.core.report_json import printable, report_from_json, report_to_json
from assaymark.core.statement import (
    CONFIGURATION,
    CONTAINMENT,
    OPINION,
    PROVENANCE,
    RELEASE,
    SCAN,
    Statement,
    make_statement,
)
from assaymark.core.subject import Subject
from assaymark.core.times import MAX_TIME, format_time
from assaymark.policy.predicates import configuration_predicate, opinion_predicate, release_predicate
from assaymark.scanning.rules import RULES
from assaymark.service.decide import decide_on
from assaymark.service.derive import derivation, refuse_self
from assaymark.service.evidence import gather, seen_tree
from assaymark.service.model import guard_workspace, model_name
from assaymark.service.opinions import ask_scanners, require_scanners
from assaymark.service.principals import principal_in
from assaymark.service.publish import publish, sign_statement
from assaymark.store.intake import take_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assaymark.core.attestation import Attestation
    from assaymark.core.opinion import Opinion
    from assaymark.core.provenance import Material
    from assaymark.core.report import Finding, Report
    from assaymark.core.statement import Envelope
    from assaymark.core.subject import Manifest
    from assaymark.keys.signers import Signer
    from assaymark.service.evidence import Evidence
    from assaymark.service.verdict import Verdict
    from assaymark.service.workspace import Workspace
    from assaymark.store.intake import Intake
    from assaymark.store.recall import Recall

_REPORT_KEYS = ("outcome", "findings", "examined", "inert", "skipped", "confinement", "unconfined")
_CONFIGURATION_SUFFIXES = (".json", ".toml", ".yaml", ".yml", ".ini", ".cfg")


def submit(
    workspace: Workspace,
    path: Path,
    scope: Scope,
    submitter: Signer,
    clock: Callable[[], int],
    *,
    configurations: tuple[Path, ...] = (),
    parents: tuple[Material, ...] = (),
    operation: str = "derive",
    on_copy: Callable[[int, int], None] | None = None,
    on_scan: Callable[[int, int], None] | None = None,
    recall: Recall | None = None,
    scanners: Sequence[str] = (),
    on_asked: Callable[[int, int], None] | None = None,
    on_opinion: Callable[[Opinion], None] | None = None,
) -> Verdict:
    """Submit a file or folder to an environment and decide on it.

    What is hashed is what is copied, and the copy is what is scanned. A release that was submitted before, or
    a scan by this version of the scanner that still counts, is not repeated. ``recall`` refuses a workspace that was
    set back to an earlier state, before anything is logged. ``parents`` are what it was made from, by ``operation``.
    ``scanners`` are asked about the copy too, each anew, and what each says is a statement of its own.

    Raises:
        UsageError: ``derivation-usage``, ``derivation-self``, or ``scanner-absent`` before anything is done.
        AssaymarkError: as the stores, the keys and the log raise.
    """
    origin = derivation(operation, parents) if parents else None
    guard_workspace(workspace, path)
    require_scanners(scanners)
    principal_in(seen_tree(workspace, recall).root, submitter)
    workspace.blobs.sweep()  # what an interrupted submission left may be as large as its model
    intake = take_manifest(path, configurations=configurations, copy_to=workspace.blobs, on_progress=on_copy)
    subject = Subject(model_name(path), intake.manifest.digest)
    refuse_self(subject, parents)
    workspace.blobs.put(intake.manifest.to_bytes())

    evidence = gather(workspace, subject.digest)
    after = max((item.position for item in evidence.own if _is_containment(item)), default=-1)
    made = release_statements(subject, scope, intake.manifest)
    if origin is not None:
        made.append(make_statement((subject,), PROVENANCE, origin))
    envelopes = _not_yet_said(evidence, made, submitter)
    report = _standing_scan(evidence, subject, after, clock() - _scan_age(evidence, scope))
    service = workspace.signer(None, name="service")
    if report is None:
        report = scan_copy(intake, on_scan)
        envelopes.append(
            sign_statement(scan_statement(subject, report, clock(), after_entry=after + 1).payload, [service])
        )
    if scanners:
        files = [(entry.path, file) for entry, file in intake.files]
        for opinion in ask_scanners(scanners, files, report.inert, on_asked):
            if on_opinion is not None:
                on_opinion(opinion)
            predicate = opinion_predicate(opinion, clock(), after_entry=after + 1)
            envelopes.append(sign_statement(make_statement((subject,), OPINION, predicate).payload, [service]))
    if envelopes:
        publish(workspace, envelopes, clock())
    return decide_on(workspace, Request(subject, scope), clock, report=report)


def scan_copy(intake: Intake, on_progress: Callable[[int, int], None] | None = None) -> Report:
    """Scan what was taken in; the paths in the report are those of the manifest."""
    from assaymark.sandbox.pool import Sandbox

    with Sandbox() as sandbox:
        return sandbox.scan(
            [(entry.path, file) for entry, file in (*intake.files, *intake.configurations)], on_progress
        )


def scan_statement(subject: Subject, report: Report, now: int, *, after_entry: int) -> Statement:
    """The signed form of a report: docs/spec/scan.md.

    ``after_entry`` is one more than the index of the last containment or lift of the subject anywhere.
    """
    document = report_to_json(report)
    unknown = [finding for finding in report.findings if RULES[finding.rule].unknown]
    predicate: dict[str, Any] = {
        "afterEntry": after_entry,
        "complete": not report.skipped and bool(report.examined or report.inert),
        "confinement": document["confinement"],
        "examined": document["examined"],
        "findings": document["findings"],
        "highest": _highest(report.findings),
        "highestKnown": _highest([finding for finding in report.findings if finding not in unknown]),
        "inert": document["inert"],
        "outcome": document["outcome"],
        "scannedOn": format_time(now),
        "skipped": document["skipped"],
        "tool": {"name": "assaymark", "version": __version__},
        "unconfined": document["unconfined"],
        "unknownNames": sorted({printable(finding.name) or "computed" for finding in unknown}) or ["none"],
    }
    return make_statement((subject,), SCAN, predicate)


def _highest(findings: Sequence[Finding]) -> str:
    return max(finding.severity for finding in findings).name.lower() if findings else "none"


def release_statements(subject: Subject, scope: Scope, manifest: Manifest) -> list[Statement]:
    """What a submitter says of a release: that it shall run there, and which files configure it."""
    made = [make_statement((subject,), RELEASE, release_predicate(scope, manifest))]
    files = (
        *(entry for entry in manifest.files if entry.path.lower().endswith(_CONFIGURATION_SUFFIXES)),
        *manifest.configurations,
    )
    if files:
        subjects = (subject, *(Subject(entry.path, entry.digest, "configuration") for entry in files))
        made.append(make_statement(subjects, CONFIGURATION, configuration_predicate(subject.digest, files)))
    return made


def _not_yet_said(evidence: Evidence, made: list[Statement], submitter: Signer) -> list[Envelope]:
    """The statements signed by the submitter, but what the same key has said before."""
    said = {
        (attestation.statement.payload, signer.key_id)
        for attestation in evidence.own
        for signer in attestation.signers
    }
    return [
        sign_statement(statement.payload, [submitter])
        for statement in made
        if (statement.payload, submitter.key_id) not in said
    ]


def _scan_age(evidence: Evidence, scope: Scope) -> int:
    """How old a scan may be there, in seconds."""
    environment = evidence.policy.environment(scope.environment)
    ages = [item.max_age for item in environment.require if item.predicate == SCAN] if environment is not None else []
    return min((age for age in ages if age), default=MAX_TIME)


def _standing_scan(evidence: Evidence, subject: Subject, after: int, since: int) -> Report | None:
    """The newest scan of this subject by this scanner, if it was logged after the last containment or lift.

    And not before ``since``, in seconds: one that is too old for the policy is made anew.
    """
    for attestation in reversed(evidence.own):
        statement = attestation.statement
        if (
            statement.predicate_type == SCAN
            and attestation.position > after
            and attestation.logged_at >= since
            and any("scanner" in signer.roles for signer in attestation.signers)
            and statement.predicate.get("tool") == {"name": "assaymark", "version": __version__}
            and [s.digest for s in statement.subjects] == [subject.digest]
        ):
            report = report_from_json({key: statement.predicate.get(key) for key in _REPORT_KEYS})
            # What was skipped for want of time or memory may go better now.
            return report if report.outcome() is not ScanOutcome.INCOMPLETE else None
    return None


def _is_containment(attestation: Attestation) -> bool:
    return attestation.statement.predicate_type == CONTAINMENT
