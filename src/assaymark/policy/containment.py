"""Whether a subject is contained: a fold over the log, in the order of its entries.

Contained since the first containment that was not lifted since. A lift counts only if, where it stands, the
evidence that the policy asks of a lift was there, logged after the containment: so that nobody lifts by word alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Mode, Outcome, Reason, outcome_of
from assaymark.core.statement import CONTAINMENT
from assaymark.core.times import format_time
from assaymark.policy.document import own_about
from assaymark.policy.entries import LIFT, Closure, Window, in_scope, names_scope
from assaymark.policy.remedies import lift, listed, printable
from assaymark.policy.subjects import Subjects, judge_all, required

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import Request
    from assaymark.policy.document import Environment, Policy


CONTAINMENT_REASON: Final = "containment"  # the requirement's name in a decision


@dataclass(frozen=True, slots=True)
class ContainmentState:
    """How a subject stands in one environment.

    ``since`` is the index of the entry that began the containment, ``logged_at`` its time in seconds, ``by`` its
    signers, ``why`` its reason as signed. ``latest`` is the newest containment entry, lifted or not, -1 when none:
    what a lift needs, and any exception, must come after it. ``after_entry`` is one more than the index of the last
    containment or lift there, 0 when none: the ``afterEntry`` of the next approval, containment, exception or lift.
    ``refused_lifts`` came before their evidence.
    """

    contained: bool
    since: int = -1
    logged_at: int = 0
    by: tuple[str, ...] = ()
    why: str = ""
    latest: int = -1
    after_entry: int = 0
    refused_lifts: tuple[int, ...] = ()


def containment_state(policy: Policy, attestations: Iterable[Attestation], request: Request) -> ContainmentState:
    """How the request's subject stands in the request's environment, by all the attestations given."""
    return fold(_environment(policy, request), Closure(attestations), request)


def lift_reasons(
    policy: Policy, attestations: Iterable[Attestation], request: Request, now: int = 0
) -> tuple[Reason, ...]:
    """What a lift at ``now`` needs and how each part of it stands; empty when the subject is not contained.

    Without ``now`` nothing is too old.
    """
    closure, environment = Closure(attestations), _environment(policy, request)
    state = fold(environment, closure, request)
    if not state.contained:
        return ()
    return _lift_reasons(environment, Subjects(closure, request), Window(now, after=state.latest))


def fold(environment: Environment | None, closure: Closure, request: Request) -> ContainmentState:
    """The state after all entries on the request's subject."""
    state = ContainmentState(contained=False)
    subjects = Subjects(closure, request)
    for item in closure.own(request).items:
        if item.statement.predicate_type != CONTAINMENT or not in_scope(item, request.scope):
            continue
        after_entry = item.position + 1
        if not _may_contain(item, environment):
            state = replace(state, after_entry=after_entry)
        elif item.statement.predicate.get("action") != LIFT:  # any other word contains: fail closed
            state = _contain(state, item)
        elif not state.contained:
            state = replace(state, after_entry=after_entry)
        elif _lifts(item, environment, subjects, state.latest):
            state = ContainmentState(contained=False, latest=state.latest, after_entry=after_entry)
        else:
            refused = (*state.refused_lifts, item.position)
            state = replace(state, after_entry=after_entry, refused_lifts=refused)
    return state


def _environment(policy: Policy, request: Request) -> Environment | None:
    return policy.judges(request.scope.environment, request.subject.kind)


def containment_reason(environment: Environment, state: ContainmentState, request: Request) -> Reason:
    """The reason that denies what is contained: since when, by whom, why, and what a lift needs."""
    own = own_about(request.subject.kind)
    needs = [item.id for item in required(environment.lift_requirements, own) if item.mode is Mode.ENFORCE]
    why = printable(state.why) or "no reason given"
    by = listed(list(state.by), "and")
    message = f"contained since {format_time(state.logged_at)} (entry {state.since}) by {by}: {why}"
    if state.refused_lifts:
        message += f"; the lift at entry {state.refused_lifts[-1]} came before the evidence that it needs"
    needed = (
        f"once these are met anew, by evidence logged after entry {state.latest}: {', '.join(needs)}"
        if needs
        else "the policy names no evidence that lifts a containment here, so it must change first"
    )
    return Reason(CONTAINMENT_REASON, Outcome.DENY, message, f"{lift(request)}  # {needed}")


def _may_contain(item: Attestation, environment: Environment | None) -> bool:
    roles = environment.contain_roles if environment is not None else ()
    return any(not roles or not signer.roles.isdisjoint(roles) for signer in item.signers)


def _contain(state: ContainmentState, item: Attestation) -> ContainmentState:
    if state.contained:  # since, by and why stay those of the first; what a lift needs must come after this one
        return replace(state, after_entry=item.position + 1, latest=item.position)
    why = item.statement.predicate.get("reason", "")
    return ContainmentState(
        contained=True,
        since=item.position,
        logged_at=item.logged_at,
        by=tuple(sorted(item.principals)),
        why=why if isinstance(why, str) else "",
        latest=item.position,
        after_entry=item.position + 1,
    )


def _lifts(item: Attestation, environment: Environment | None, subjects: Subjects, latest: int) -> bool:
    if not names_scope(item.statement.predicate, subjects.request.scope):
        return False  # a lift names exactly what it lifts
    if not Window(item.logged_at, after=latest).holds(item):
        return False  # signed before the containment that it would lift
    # What is too old is so when the lift is logged: a lift that counted once must not fail to later.
    window = Window(item.logged_at, after=latest, below=item.position)
    return outcome_of(_lift_reasons(environment, subjects, window)) is Outcome.PERMIT


def _lift_reasons(environment: Environment | None, subjects: Subjects, window: Window) -> tuple[Reason, ...]:
    requirements = required(environment.lift_requirements if environment is not None else (), subjects.own)
    if not requirements:
        message = "the policy names no evidence that lifts a containment in this environment"
        return (Reason("policy", Outcome.DENY, message, "assaymark policy show"),)
    return tuple(judge_all(requirement, subjects, window)[0] for requirement in requirements)
