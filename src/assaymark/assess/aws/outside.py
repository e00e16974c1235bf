"""Edges from principals of accounts that the input does not hold, where a resource's own policy lets them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.blocks import shuts_out
from assaymark.assess.aws.data import CLASSES, let_out, node_kind
from assaymark.assess.aws.lasting import gives
from assaymark.assess.aws.linking import Chain
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from assaymark.assess.aws.lasting import Lasting
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Resource

# Amazon's own, which deliver the logs of load balancers; Elastic Load Balancing User Guide, "Enable access logs".
_DELIVERY: Final = frozenset(
    (
        *("127311923021", "033677994240", "027434742980", "797873946194", "985666609251", "054676820928"),
        *("156460612806", "652711504416", "009996457667", "897822967062", "582318560864", "114774131450"),
        *("783225319266", "718504428378", "507241528517"),
    )
)


def link_outside(run: Linking, lasting: Lasting) -> None:
    """Draws what resource policies give to principals of other accounts.

    What their own account allows them is for that account to say: that they may is what the resource's owner has
    given away. The account that the resource lies in is asked through its principals, and not here.
    """
    accounts = {one.account for one in run.principals}
    for _, resource in sorted(run.estate.resources.items()):
        kind, _ = node_kind(resource)
        if resource.policy is None or kind not in CLASSES:
            continue
        owner = str(resource.settings.get("account") or resource.account)
        for value in _named(resource):
            account = value if value.isdigit() else value.split(":")[4]
            if account in _DELIVERY or shuts_out(run.estate, resource, account):
                continue
            if account not in accounts and account != owner:
                for action_class in CLASSES[kind]:
                    _outside(run, lasting, resource, kind, value, action_class)


def _named(resource: Resource) -> list[str]:
    found: dict[str, None] = {}
    for statement in resource.policy.statements if resource.policy else ():
        if statement.effect == "Allow":
            for value in (statement.principals or {}).get("AWS", ()):
                whole = value.isdigit() or (value.startswith("arn:") and value.count(":") > 4)  # noqa: PLR2004
                if whole and not isinstance(value, Unresolved):
                    found[value] = None
    return list(found)


def _outside(run: Linking, lasting: Lasting, resource: Resource, kind: str, value: str, action_class: str) -> None:
    target = f"{resource.arn}/*" if kind == "bucket" and action_class != "permissions" else resource.arn
    principal = f"arn:aws:iam::{value}:root" if value.isdigit() else value
    mask = actions.actions_for(target) & actions.class_bits().get(action_class, 0)
    best: tuple[str, Chain] | None = None
    for action in actions.names_of(mask):
        chain = Chain().then(run.access.can(principal, action, target))
        if chain.state is not State.NO and (best is None or best[1].state is not State.YES):
            best = action, chain
        if chain.state is State.YES:
            break
    if best is None:
        return
    action, chain = best
    account = principal.split(":")[4]
    if action_class == "read":
        chain = chain.then(let_out(resource, account))
        chain = chain.then(lasting.opens(principal, resource)) if resource.arn in lasting.keys else chain
    if chain.state is State.NO:
        return
    who = f"AWS account {account}" if principal.endswith(":root") else value
    node = run.builder.node(
        f"aws:outside:{value}",
        "outside",
        who,
        chain.because or (resource.because,),
        boundary={"cloud": "aws", "account": account},
        entry="outside",
    )
    how = f"its policy allows {who} {action}"
    for relation, whole in gives(lasting, principal, resource, kind, action_class, chain):
        decides = whole.decides if whole.state is State.UNKNOWN else ()
        because = whole.because or (resource.because,)
        run.builder.edge(Edge(node, resource.arn, relation, how, because, whole.state, decides, effort=0))
