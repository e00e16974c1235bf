"""Decide from what the log holds now; log the decision; write its dossier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.decision import Outcome, Request, Scope
from assaymark.core.errors import InternalError, UsageError
from assaymark.policy.statement import decision_payload
from assaymark.service.evidence import gather, seen_tree
from assaymark.service.model import differences_from_nearest, subject_at
from assaymark.service.publish import publish, sign_statement
from assaymark.service.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assaymark.core.report import Report
    from assaymark.core.subject import Difference, Manifest
    from assaymark.service.workspace import Workspace
    from assaymark.store.recall import Recall


def decide_path(
    workspace: Workspace,
    place: Path,
    environment: str,
    clock: Callable[[], int],
    *,
    configurations: tuple[Path, ...] = (),
    need_dossier: bool = False,
    recall: Recall | None = None,
) -> tuple[Verdict, bytes | None]:
    """Decide on the model at a path (or with a digest) and log the decision.

    ``recall`` refuses a workspace that was set back to an earlier state, before anything is decided.

    Returns the verdict and the dossier's bytes, or None in their place when the subject's manifest is not known.

    Raises:
        UsageError: ``dossier-files`` when a dossier is needed and the files are not known.
        AssaymarkError: as the stores, the keys and the log raise.
    """
    scope = Scope(workspace.config.tenant, environment)
    subject, manifest = subject_at(workspace, place, configurations)
    if need_dossier and manifest is None:
        raise UsageError(
            "dossier-files",
            "no dossier: the files of this digest are not known here, so nothing was decided",
            source=str(place),
            remedy="name the model by its path",
        )
    seen_tree(workspace, recall)
    verdict = decide_on(workspace, Request(subject, scope), clock, manifest=manifest)
    if manifest is None:
        return verdict, None
    from assaymark.service.dossier import export_dossier

    if verdict.receipt is None:
        raise InternalError("decision-receipt", "a logged decision without a receipt")
    return verdict, export_dossier(workspace, verdict.receipt.index, manifest)


def decide_on(
    workspace: Workspace,
    request: Request,
    clock: Callable[[], int],
    *,
    manifest: Manifest | None = None,
    report: Report | None = None,
) -> Verdict:
    """Decide on a request, sign the decision with the workspace's service key and log it."""
    evidence = gather(workspace, request.subject.digest)
    now = clock()
    decision = evidence.decide(request, now)
    envelope = sign_statement(decision_payload(decision), [workspace.signer(None, name="service")])
    (receipt,) = publish(workspace, [envelope], now)
    differences, notes = compare(workspace, request, manifest, known=bool(evidence.own))
    return Verdict(
        decision.outcome,
        request.subject,
        request.scope,
        decision.reasons,
        differences=differences,
        receipt=receipt,
        decision=decision,
        report=report,
        root_digest=workspace.config.root,
        notes=notes if decision.outcome is not Outcome.PERMIT else (),
    )


def compare(
    workspace: Workspace, request: Request, manifest: Manifest | None, *, known: bool
) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """Differences from the nearest release when this one was never submitted."""
    if known or manifest is None:
        return (), ()
    differences, digest = differences_from_nearest(
        workspace, request.subject.name, manifest, request.scope.environment
    )
    return differences, (f"compared with {digest}",) if digest else ()
