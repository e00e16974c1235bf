"""The decision: a pure function of policy, attestations, request, time, trust root and log position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.decision import Decision, Mode, Outcome, Reason, TrustState, outcome_of
from assaymark.core.limits import CLOCK_SKEW_SECONDS, DECISION_DEFAULT_VALIDITY_SECONDS, TREE_MAX_SIZE
from assaymark.core.times import MAX_TIME, format_time
from assaymark.policy.ancestry import lineage_reason
from assaymark.policy.containment import containment_reason, fold
from assaymark.policy.document import About
from assaymark.policy.entries import Closure, Window
from assaymark.policy.exceptions import exceptions_of
from assaymark.policy.subjects import Subjects, judge_all, required

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import LogPosition, Request
    from assaymark.policy.document import Environment, Policy
    from assaymark.policy.exceptions import Exceptions

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
    ``position.tree_size`` but decisions and attempts are the decision's inputs, so that a later log replays an
    earlier decision to the byte; their order does not matter. ``now`` in seconds. The decision ends after the
    environment's validity, or sooner: with the root, with an exception that it uses, or when what it needs is too
    old.
    """
    closure = Closure(attestations, position.tree_size)
    environment = policy.judges(request.scope.environment, request.subject.kind)
    validity = environment.validity if environment is not None else DECISION_DEFAULT_VALIDITY_SECONDS
    judged, good_until = _environment_reasons(policy, environment, closure, request, now)
    reasons = (*_root_reasons(trust, now), *_clock_reasons(closure, now), *judged)
    return Decision(
        outcome=outcome_of(reasons),
        reasons=reasons,
        request=request,
        root_version=trust.root_version,
        root_digest=trust.root_digest,
        policy_digest=policy_digest,
        position=position,
        inputs=closure.inputs,
        decided_at=now,
        valid_until=min(now + validity, trust.root_expires, good_until, MAX_TIME),
    )


def _root_reasons(trust: TrustState, now: int) -> list[Reason]:
    if now < trust.root_expires:
        return []
    message = f"version {trust.root_version} of the trust root expired at {format_time(trust.root_expires)}"
    remedy = "assaymark keys renew  # by the principals in role root"
    return [Reason("root", Outcome.INDETERMINATE, message, remedy)]


def _clock_reasons(closure: Closure, now: int) -> list[Reason]:
    newest = max(closure.given, key=lambda item: (item.logged_at, item.position), default=None)
    if newest is None or now >= newest.logged_at - CLOCK_SKEW_SECONDS:
        return []
    logged = f"entry {newest.position} was logged at {format_time(newest.logged_at)}"
    message = f"the clock says {format_time(now)}, and {logged}, which is later"
    return [Reason("clock", Outcome.INDETERMINATE, message, "set the clock of this machine and decide again")]


def _environment_reasons(
    policy: Policy, environment: Environment | None, closure: Closure, request: Request, now: int
) -> tuple[list[Reason], int]:
    """What the environment says, and until when what it rests on is fresh enough."""
    show = "assaymark policy show"
    if not policy.environments and environment is None:
        return [
            Reason("policy", Outcome.DENY, "the policy has no environments, so it permits nothing", show)
        ], MAX_TIME
    if environment is None:
        known = ", ".join(item.name for item in policy.environments)
        message = f"the policy has no environment {request.scope.environment!r} for a {request.subject.kind}"
        return [Reason("environment", Outcome.DENY, f"{message}; it has {known}", show)], MAX_TIME
    subjects = Subjects(closure, request)
    requirements = required(environment.require, subjects.own)
    if not requirements:
        kind = {About.MODEL: "", About.POLICY: ""}.get(subjects.own, f" about a {request.subject.kind}")
        message = (
            f"the policy requires nothing of {environment.name}{kind} that it enforces, "
            "and what requires nothing permits nothing"
        )
        return [Reason("policy", Outcome.DENY, message, show)], MAX_TIME
    state = fold(environment, closure, request)
    contained = [containment_reason(environment, state, request)] if state.contained else []
    exceptions = exceptions_of(
        environment.exceptions, closure.own(request), request.scope, Window(now, after=state.latest)
    )
    reasons: list[Reason] = []
    good_until = MAX_TIME
    if environment.lineage:
        reason, may_except = lineage_reason(environment, subjects, TREE_MAX_SIZE)
        if may_except:
            reason, good_until = _excepted(reason, exceptions, good_until)
        reasons.append(reason)
    for requirement in requirements:
        reason, fresh_until = judge_all(requirement, subjects, Window(now))
        if reason.met and reason.mode is Mode.ENFORCE:
            good_until = min(good_until, fresh_until)
        reason, good_until = _excepted(reason, exceptions, good_until)
        reasons.append(reason)
    return contained + reasons, good_until


def _excepted(reason: Reason, exceptions: Exceptions, good_until: int) -> tuple[Reason, int]:
    reason, used = exceptions.apply(reason)
    # At its end an exception does not count any more.
    return reason, good_until if used is None else min(good_until, used.until - 1)
