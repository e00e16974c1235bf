"""The linker of AWS: its principals and resources as nodes, and what leads from whom to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.data import RELATION_OF, link_flows, node_kind
from assaymark.assess.aws.data_access import link_data
from assaymark.assess.aws.deployed import link_deployed
from assaymark.assess.aws.escalate import Escalations
from assaymark.assess.aws.exposure import link_exposure
from assaymark.assess.aws.filled import link_filled
from assaymark.assess.aws.fronts import link_fronts
from assaymark.assess.aws.gateways import link_gateways
from assaymark.assess.aws.lasting import Lasting
from assaymark.assess.aws.linking import Chain, Linking, administrator
from assaymark.assess.aws.outside import link_outside
from assaymark.assess.aws.passing import link_passing
from assaymark.assess.aws.prefixes import link_prefixes
from assaymark.assess.aws.triggers import link_triggers
from assaymark.assess.aws.trust import link_assumed, link_trust
from assaymark.assess.boundaries import environment_of, tenant_of
from assaymark.core.graph import State
from assaymark.core.words import counted

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.estate.aws import Identity, Resource
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder

# Who may do all of these to things that nobody has made yet may do anything: what no narrower policy allows together.
_PROBES: Final = (
    ("iam:AttachRolePolicy", "arn:aws:iam::{account}:role/assaymark-probe"),
    ("iam:CreateAccessKey", "arn:aws:iam::{account}:user/assaymark-probe"),
    ("dynamodb:DeleteTable", "arn:aws:dynamodb:us-east-1:{account}:table/assaymark-probe"),
    ("secretsmanager:DeleteSecret", "arn:aws:secretsmanager:us-east-1:{account}:secret:assaymark-probe"),
    ("sagemaker:DeleteEndpoint", "arn:aws:sagemaker:us-east-1:{account}:endpoint/assaymark-probe"),
    ("ec2:RunInstances", "*"),
)


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws the accounts of AWS."""
    estate = estates.aws
    if not (estate.identities or estate.resources or estate.routes):
        return
    run = Linking(estate, builder, reading, now)
    listed = [one.name for one in run.principals if one.listed]
    if listed:
        some = listed[0] if len(listed) == 1 else f"{listed[0]} and {counted(len(listed) - 1, 'other')}"
        reading.gap(f"the lists that show {some} leave tags and permission boundaries out: no boundary was assumed")
    for identity in run.principals:
        _principal(run, identity)
    for _, resource in sorted(estate.resources.items()):
        _resource(run, resource)
    lasting = Lasting(run)
    _administrators(run, lasting)
    link_trust(run)
    escalations = Escalations(run)
    for who in run.principals:
        if who.arn not in run.administrators:
            gained = link_assumed(run, who) if who.kind != "group" else set()
            escalations.link(who, gained)
    link_filled(run, _administers)
    link_data(run, lasting)
    link_exposure(run, lasting)
    link_fronts(run, estates)
    link_prefixes(run, estates)
    triggers = link_triggers(run, estates)
    link_passing(triggers)
    link_deployed(triggers)
    link_gateways(run)
    link_outside(run, lasting)
    link_flows(run)


def _principal(run: Linking, identity: Identity) -> None:
    props: dict[str, Any] = {} if identity.kind == "group" else {"entry": "principal"}
    if identity.kind == "role" and _service_only(identity):
        props["entry"] = "workload"
    run.builder.node(
        identity.arn,
        identity.kind,
        identity.name,
        (identity.because,),
        boundary=_boundary(identity.account, identity.name, dict(identity.tags)),
        **props,
    )


def _service_only(identity: Identity) -> bool:
    statements = identity.trust.statements if identity.trust else ()
    return bool(statements) and all(set(one.principals or {"*": ()}) == {"Service"} for one in statements)


def _resource(run: Linking, resource: Resource) -> None:
    kind, target = node_kind(resource)
    name = resource.arn[13:] if resource.kind == "s3:bucket" else resource.arn.rpartition(":")[2].rpartition("/")[2]
    if ":task-definition/" in resource.arn:
        name = resource.arn.rpartition("/")[2].partition(":")[0]  # the rest is its revision
    account = str(resource.settings.get("account") or resource.account)
    boundary = _boundary(account, name, dict(resource.tags))
    props: dict[str, Any] = {}
    if target:
        props["target"] = "tenant-data" if "tenant" in boundary and target in ("data", "model") else target
    if kind in ("workload", "function"):
        props["entry"] = "workload"
    run.builder.node(resource.arn, kind, name, (resource.because,), boundary=boundary, **props)


def _boundary(account: str, name: str, tags: dict[str, str]) -> dict[str, str]:
    found = {
        "cloud": "aws",
        "account": account,
        "environment": environment_of(name, tags),
        "tenant": tenant_of(name, tags),
    }
    return {key: value for key, value in found.items() if value}


def _administrators(run: Linking, lasting: Lasting) -> None:
    """The node of each account's administrator, who is it, and what it leads to."""
    accounts = {one.account for one in run.principals}
    for account in sorted(accounts):
        members = [one for one in run.principals if one.account == account]
        run.builder.node(
            administrator(account),
            "administrator",
            f"administrator of AWS account {account}",
            (members[0].because,),
            boundary={"cloud": "aws", "account": account},
            target="administrator",
        )
    for who in run.principals:
        chain = _administers(run, who)
        if chain.state is State.YES and who.boundary is None:
            run.administrators.add(who.arn)
        how = "its policies allow every action on every resource"
        run.draw(who.arn, administrator(who.account), "administers", how, chain, 0)
    for who in run.principals:
        how = "an administrator may change any role and make keys for any user"
        run.draw(administrator(who.account), who.arn, "administers", how, Chain(because=(who.because,)), 1)
    for _, resource in sorted(run.estate.resources.items()):
        account = str(resource.settings.get("account") or resource.account)
        owner = account if account in accounts else next(iter(accounts)) if len(accounts) == 1 else ""
        if owner:
            _administers_resource(run, lasting, owner, resource)


def _administers_resource(run: Linking, lasting: Lasting, owner: str, resource: Resource) -> None:
    """All of it, unless the organisation or a key's policy keeps administrators out too."""
    chain = Chain(because=(resource.because,))
    left = lasting.administered(owner, resource, node_kind(resource)[0])
    how = "an administrator may do everything with what is in the account"
    if left is None:
        run.draw(administrator(owner), resource.arn, "administers", how, chain, 0)
        return
    how += ", as far as the organisation and keys let it"
    for action_class, given in left.items():
        relation = "governs" if action_class == "permissions" else RELATION_OF[action_class]
        run.draw(administrator(owner), resource.arn, relation, how, chain.then(given), 0)


def _administers(run: Linking, who: Identity) -> Chain:
    wide = any(
        statement.effect != "Deny"
        and (statement.not_actions is not None or statement.unresolved or {"*", "*:*", "**"} & set(statement.actions))
        for policy in run.policies(who)
        for statement in policy.statements
    )
    if not wide:
        return Chain(State.NO)
    chain = Chain()
    for action, resource in _PROBES:
        chain = chain.then(run.can(who, action, resource.format(account=who.account)))
        if chain.state is State.NO:
            break
    return chain
