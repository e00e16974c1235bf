"""The decision: a pure function of policy, attestations, request, time, trust root and log position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.decision import Decision, Outcome, Reason, TrustState, combine
from assaymark.core.limits import CLOCK_SKEW_SECONDS, DECISION_DEFAULT_VALIDITY_SECONDS
from assaymark.core.times import MAX_TIME, format_time
from assaymark.policy.containment import containment_reason, fold
from assaymark.policy.evidence import Entries, distinct_below, entries_on, judge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import LogPosition, Request
    from assaymark.policy.document import Environment, Policy

__all__ = ["TrustState", "decide"]


def decide(
    policy: Policy,
    policy_digest: str,
    attestations: Iterable[Attestation],
    request: Request,
    now: int,
    trust: TrustState,
    position: LogPosition,
) -> Decision:
    """May the request's subject run in its environment, and why.

    ``attestations`` are the closure: all entries on the subject, on its ancestors and on the configurations bound to
    it, and every key event; signers whose keys do not count were taken off before. All of them below
    ``position.tree_size`` but decisions and attempts are the decision's inputs, so that a later log replays an earlier
    decision to the byte; their order does not matter. ``now`` in seconds. The decision ends after the environment's
    validity, or with the root if that is sooner.
    """
    closure = distinct_below(attestations, position.tree_size)
    entries = entries_on(closure, request, position.tree_size)
    environment = policy.environment(request.scope.environment)
    reasons = [
        *_root_reasons(trust, now),
        *_clock_reasons(closure, now),
        *_environment_reasons(policy, environment, entries, request),
    ]
    validity = environment.validity if environment is not None else DECISION_DEFAULT_VALIDITY_SECONDS
    return Decision(
        outcome=combine([reason.outcome for reason in reasons]),
        reasons=tuple(reasons),
        request=request,
        root_version=trust.root_version,
        root_digest=trust.root_digest,
        policy_digest=policy_digest,
        position=position,
        inputs=tuple((item.position, item.envelope.digest) for item in closure),
        decided_at=now,
        valid_until=min(now + validity, trust.root_expires, MAX_TIME),
    )


def _root_reasons(trust: TrustState, now: int) -> list[Reason]:
    if now < trust.root_expires:
        return []
    message = f"version {trust.root_version} of the trust root expired at {format_time(trust.root_expires)}"
    remedy = "assaymark keys renew  # by the principals in role root"
    return [Reason("root", Outcome.INDETERMINATE, message, remedy)]


def _clock_reasons(closure: tuple[Attestation, ...], now: int) -> list[Reason]:
    newest = max(closure, key=lambda item: (item.logged_at, item.position), default=None)
    if newest is None or now >= newest.logged_at - CLOCK_SKEW_SECONDS:
        return []
    logged = f"entry {newest.position} was logged at {format_time(newest.logged_at)}"
    message = f"the clock says {format_time(now)}, and {logged}, which is later"
    return [Reason("clock", Outcome.INDETERMINATE, message, "set the clock of this machine and decide again")]


def _environment_reasons(
    policy: Policy, environment: Environment | None, entries: Entries, request: Request
) -> list[Reason]:
    show = "assaymark policy show"
    if not policy.environments:
        return [Reason("policy", Outcome.DENY, "the policy has no environments, so it permits nothing", show)]
    if environment is None:
        known = ", ".join(item.name for item in policy.environments)
        message = f"the policy has no environment {request.scope.environment!r}; it has {known}"
        return [Reason("environment", Outcome.DENY, message, show)]
    if not environment.require:
        message = f"the policy requires nothing of {environment.name}, and what requires nothing permits nothing"
        return [Reason("policy", Outcome.DENY, message, show)]
    state = fold(environment, entries, request)
    contained = [containment_reason(environment, state, request)] if state.contained else []
    return contained + [judge(requirement, entries, request) for requirement in environment.require]
