"""Whether a subject is contained: a fold over the log, in the order of its entries.

Contained since the first containment that was not lifted since. A lift counts only if, where it stands, the
evidence that the policy asks of a lift was there, logged after the containment: so that nobody lifts by word alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Outcome, Reason, combine
from assaymark.core.limits import TREE_MAX_SIZE
from assaymark.core.statement import CONTAINMENT
from assaymark.core.times import format_time
from assaymark.policy.evidence import LIFT, Entries, Window, entries_on, in_scope, judge
from assaymark.policy.remedies import lift, listed, printable

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
    signers, ``why`` its reason as signed. ``latest`` is the newest containment entry: what a lift needs must come
    after it. ``after_entry`` is one more than the index of the last containment or lift there, 0 when none: the
    ``afterEntry`` of the next approval, containment or lift. ``refused_lifts`` came before their evidence.
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
    return fold(
        policy.environment(request.scope.environment), entries_on(attestations, request, TREE_MAX_SIZE), request
    )


def lift_reasons(policy: Policy, attestations: Iterable[Attestation], request: Request) -> tuple[Reason, ...]:
    """What a lift needs and how each part of it stands; empty when the subject is not contained."""
    entries = entries_on(attestations, request, TREE_MAX_SIZE)
    environment = policy.environment(request.scope.environment)
    state = fold(environment, entries, request)
    return _lift_reasons(environment, entries, request, Window(after=state.latest)) if state.contained else ()


def fold(environment: Environment | None, entries: Entries, request: Request) -> ContainmentState:
    """The state after all of ``entries``."""
    state = ContainmentState(contained=False)
    for item in entries.items:
        if item.statement.predicate_type != CONTAINMENT or not in_scope(item, request):
            continue
        after_entry = item.position + 1
        if not _may_contain(item, environment):
            state = _replace(state, after_entry=after_entry)
        elif item.statement.predicate.get("action") != LIFT:  # any other word contains: fail closed
            state = _contain(state, item)
        elif not state.contained:
            state = _replace(state, after_entry=after_entry)
        elif _lifts(item, environment, entries, request, state.latest):
            state = ContainmentState(contained=False, after_entry=after_entry)
        else:
            state = _replace(state, after_entry=after_entry, refused=item.position)
    return state


def containment_reason(environment: Environment, state: ContainmentState, request: Request) -> Reason:
    """The reason that denies what is contained: since when, by whom, why, and what a lift needs."""
    needs = [requirement.id for requirement in environment.lift_requirements]
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
        return _replace(state, after_entry=item.position + 1, latest=item.position)
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


def _lifts(
    item: Attestation,
    environment: Environment | None,
    entries: Entries,
    request: Request,
    latest: int,
) -> bool:
    predicate, scope = item.statement.predicate, request.scope
    if (predicate.get("environment"), predicate.get("tenant")) != (scope.environment, scope.tenant):
        return False  # a lift names exactly what it lifts
    if not Window(after=latest).holds(item):
        return False  # signed before the containment that it would lift
    reasons = _lift_reasons(environment, entries, request, Window(after=latest, below=item.position))
    return combine([reason.outcome for reason in reasons]) is Outcome.PERMIT


def _lift_reasons(
    environment: Environment | None, entries: Entries, request: Request, window: Window
) -> tuple[Reason, ...]:
    requirements = environment.lift_requirements if environment is not None else ()
    if not requirements:
        message = "the policy names no evidence that lifts a containment in this environment"
        return (Reason("policy", Outcome.DENY, message, "assaymark policy show"),)
    return tuple(judge(requirement, entries, request, window) for requirement in requirements)


def _replace(
    state: ContainmentState, *, after_entry: int, latest: int | None = None, refused: int | None = None
) -> ContainmentState:
    return ContainmentState(
        state.contained,
        state.since,
        state.logged_at,
        state.by,
        state.why,
        state.latest if latest is None else latest,
        after_entry,
        state.refused_lifts if refused is None else (*state.refused_lifts, refused),
    )
