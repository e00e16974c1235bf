"""Pull a model back, and lift that when the policy's evidence is there anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assaymark.core.decision import Outcome, Reason, Request, Scope, outcome_of
from assaymark.core.statement import CONTAINMENT, make_statement
from assaymark.policy.containment import CONTAINMENT_REASON, containment_state, lift_reasons
from assaymark.policy.predicates import containment_predicate
from assaymark.service.decide import decide_on
from assaymark.service.environments import check_environment
from assaymark.service.evidence import gather
from assaymark.service.model import subject_at
from assaymark.service.principals import principal_in
from assaymark.service.publish import publish, sign_statement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assaymark.core.attestation import Receipt
    from assaymark.core.subject import Subject
    from assaymark.keys.signers import Signer
    from assaymark.service.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Containment:
    """How a subject stands after the command. ``changed`` is False when there was nothing to do.

    ``reasons`` are what lifting needs, with what is met; ``outcome`` is what was decided after a lift.
    """

    subject: Subject
    scope: Scope
    contained: bool
    changed: bool
    reasons: tuple[Reason, ...] = ()
    receipt: Receipt | None = None
    outcome: Outcome | None = None
    notes: tuple[str, ...] = ()


def contain(
    workspace: Workspace,
    place: Path,
    environment: str,
    reason: str,
    signer: Signer,
    clock: Callable[[], int],
    *,
    configurations: tuple[Path, ...] = (),
) -> Containment:
    """Log a containment: from now on every decision on this digest there is DENY.

    Containing what is contained already logs the further reason; the first one stays the beginning.

    Raises:
        UsageError: ``key-unknown``, or ``environment-unknown``: a misspelt environment must not look pulled back.
        AssaymarkError: as the stores and the log raise.
    """
    subject, _ = subject_at(workspace, place, configurations)
    request = Request(subject, Scope(workspace.config.tenant, environment))
    evidence = gather(workspace, subject.digest)
    principal_in(evidence.tree.root, signer)
    check_environment(evidence.policy, environment, "nothing was contained")
    before = containment_state(evidence.policy, evidence.attestations, request)
    receipt = _publish(workspace, request, "contain", reason, before.after_entry, signer, clock)
    after = gather(workspace, subject.digest)
    state = containment_state(after.policy, after.attestations, request)
    notes = () if state.contained else (f"the policy lets this key contain nothing in {environment}",)
    return Containment(subject, request.scope, state.contained, changed=True, receipt=receipt, notes=notes)


def lift(
    workspace: Workspace,
    place: Path,
    environment: str,
    reason: str,
    signer: Signer,
    clock: Callable[[], int],
    *,
    configurations: tuple[Path, ...] = (),
) -> Containment:
    """Lift a containment if the evidence that the policy asks of a lift is there, logged after it; then decide.

    When something is missing, nothing is logged and the reasons say what.

    Raises:
        UsageError: ``key-unknown``.
        AssaymarkError: as the stores and the log raise.
    """
    subject, manifest = subject_at(workspace, place, configurations)
    request = Request(subject, Scope(workspace.config.tenant, environment))
    evidence = gather(workspace, subject.digest)
    principal_in(evidence.tree.root, signer)
    state = containment_state(evidence.policy, evidence.attestations, request)
    if not state.contained:
        return Containment(
            subject, request.scope, contained=False, changed=False, notes=("it is not contained there",)
        )
    reasons = lift_reasons(evidence.policy, evidence.attestations, request, clock())
    if outcome_of(reasons) is not Outcome.PERMIT:
        return Containment(subject, request.scope, contained=True, changed=False, reasons=reasons)
    receipt = _publish(workspace, request, "lift", reason, state.after_entry, signer, clock)
    verdict = decide_on(workspace, request, clock, manifest=manifest)
    still = any(item.requirement == CONTAINMENT_REASON for item in verdict.reasons)
    return Containment(
        subject,
        request.scope,
        still,
        changed=not still,
        reasons=verdict.reasons,
        receipt=receipt,
        outcome=verdict.outcome,
    )


def _publish(
    workspace: Workspace,
    request: Request,
    action: Literal["contain", "lift"],
    reason: str,
    after_entry: int,
    signer: Signer,
    clock: Callable[[], int],
) -> Receipt:
    predicate = containment_predicate(
        request.scope, action, after_entry=after_entry, reason=reason, origin=workspace.config.origin
    )
    envelope = sign_statement(make_statement((request.subject,), CONTAINMENT, predicate).payload, [signer])
    (receipt,) = publish(workspace, [envelope], clock())
    return receipt
