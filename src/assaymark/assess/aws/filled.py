"""What a user or role within a boundary is once it is given all permissions: all that the boundary lets through.

A node stands for it, whose edges are those of the same identity with a policy that allows everything: so access
within the boundary is found, and whether it leads to the administrator is decided and not guessed. Statements that
deny are taken to go, as elsewhere: who may put policies in writes over them. Source: IAM User Guide, "Permissions
boundaries for IAM entities": the effective permissions are the intersection of policy and boundary.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.data_access import link_data_of
from assaymark.assess.aws.escalate import Escalations
from assaymark.assess.aws.lasting import Lasting
from assaymark.assess.aws.linking import Chain, Linking, administrator, filled
from assaymark.assess.aws.trust import link_assumed
from assaymark.assess.estate.aws import PolicyDocument, Statement
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.estate.aws import Identity

_MOST: Final = 64  # each is evaluated over the whole estate; of more the administrator is perhaps within reach


def link_filled(run: Linking, administers: Callable[[Linking, Identity], Chain]) -> None:
    """Draws what those can do that somebody may fill, and those that these may fill in turn.

    ``administers``: whether an identity's policies make it an administrator.
    """
    done: set[str] = set()
    while left := sorted(run.filled - done):
        for arn in left:
            done.add(arn)
            _one(run, run.estate.identities[arn], administers, within=len(done) <= _MOST)


def _one(run: Linking, who: Identity, administers: Callable[[Linking, Identity], Chain], *, within: bool) -> None:
    limit = who.boundary
    if limit is None:
        return
    node = filled(who.arn)
    run.builder.node(
        node,
        "group",
        f"{who.kind} {who.name} with all that its boundary lets through",
        (limit.because,),
        boundary=run.builder.boundary(who.arn),
    )
    if not within:
        chain = Chain(because=(limit.because,)).unless(f"the boundary {limit.name} leaves it what it wants")
        run.draw(node, administrator(who.account), "escalates", "it has what its boundary lets through", chain, 1)
        return
    everything = Statement("Allow", limit.because, actions=("*",), resources=("*",))
    given = PolicyDocument("all that it may be given", (everything,), limit.because)
    whole = replace(who, policies=(given,), groups=(), opaque=())
    estate = replace(run.estate, identities={**run.estate.identities, who.arn: whole})
    inner = Linking(estate, run.builder, run.reading, run.now)
    inner.administrators, inner.filled, inner.stands = run.administrators, run.filled, {who.arn: node}
    chain = administers(inner, whole)
    how = "its boundary lets every action on every resource through"
    inner.draw(who.arn, administrator(who.account), "administers", how, chain, 0)
    if chain.state is State.YES:
        return
    takes_off = f"iam:Delete{who.kind.title()}PermissionsBoundary"
    off = Chain().then(inner.can(whole, takes_off, who.arn))
    how = f"it could take its boundary off ({takes_off})"
    inner.draw(who.arn, administrator(who.account), "escalates", how, off, 1)
    Escalations(inner).link(whole, link_assumed(inner, whole))
    link_data_of(inner, Lasting(inner), whole)
