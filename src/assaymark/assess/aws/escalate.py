"""Edges from one AWS principal to another: what it could make itself.

Whose credentials it could make, which roles it could pass to a service, what runs already that it could get into.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from assaymark.assess.aws import actions
from assaymark.assess.aws.linking import NOWHERE, Chain, administrator
from assaymark.assess.aws.techniques import ADMINISTRATOR_POLICY, CREDENTIALS, GRANTS_ITSELF, NEW, TAKE
from assaymark.core.graph import State

if TYPE_CHECKING:
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Identity, Resource


def link_escalations(run: Linking, gains: dict[str, set[str]]) -> None:
    """Draws them all. ``gains``: whom each principal can assume already, certainly or perhaps."""
    trusting = _trusting(run)
    running: defaultdict[str, list[Resource]] = defaultdict(list)
    for _, resource in sorted(run.estate.resources.items()):
        running[resource.kind].append(resource)
    for who in run.principals:
        if who.arn in run.administrators:
            continue
        may = run.may(who)
        _credentials(run, who, may, gains)
        _joins(run, who, may)
        _trusts_itself(run, who, may, gains)
        _grants_itself(run, who, may, gains[who.arn])
        _passes(run, who, may, trusting)
        _takes(run, who, may, trusting, running)


def _some(may: int, *names: str) -> bool:
    return any(may & actions.bit(name) for name in names)


def _trusting(run: Linking) -> dict[str, list[tuple[Identity, Chain]]]:
    """The roles that each service may assume."""
    services = {technique.service for technique in (*NEW, *TAKE)}
    found: defaultdict[str, list[tuple[Identity, Chain]]] = defaultdict(list)
    for role in run.principals:
        if role.kind == "role" and role.trust is not None:
            for service in sorted(services):
                if _names(role, service):
                    answer = run.access.can(service, "sts:AssumeRole", role.arn)
                    if answer.state is not State.NO:
                        found[service].append((role, Chain().then(answer)))
    return found


def _names(role: Identity, service: str) -> bool:
    for statement in role.trust.statements if role.trust else ():
        named = statement.principals or {}
        if service in named.get("Service", ()) or "*" in named or statement.unresolved or statement.not_principals:
            return True
    return False


def _credentials(run: Linking, who: Identity, may: int, gains: dict[str, set[str]]) -> None:
    if not _some(may, *(action for action, _, _ in CREDENTIALS)):
        return
    for other in run.principals:
        if other.kind == "user" and other.account == who.account and other.arn != who.arn:
            for action, how, effort in CREDENTIALS:
                chain = Chain().then(run.can(who, action, other.arn)) if _some(may, action) else NOWHERE
                if chain.state is not State.NO:
                    run.draw(who.arn, other.arn, "resets", f"it could {how} ({action})", chain, effort)
                    gains[who.arn].add(other.arn)


def _joins(run: Linking, who: Identity, may: int) -> None:
    action = "iam:AddUserToGroup"
    if not _some(may, action):
        return
    for group in run.principals:
        if group.kind == "group" and group.account == who.account and group.arn not in who.groups:
            chain = Chain().then(run.can(who, action, group.arn))
            if who.kind != "user" and chain.state is not State.NO:
                chain = chain.unless(f"{who.arn} has the credentials of a user that it can add to the group")
            run.draw(who.arn, group.arn, "escalates", f"it could add itself to the group ({action})", chain)


def _trusts_itself(run: Linking, who: Identity, may: int, gains: dict[str, set[str]]) -> None:
    action = "iam:UpdateAssumeRolePolicy"
    if not _some(may, action):
        return
    for role in run.principals:
        if role.kind == "role" and role.account == who.account and role.arn != who.arn:
            chain = Chain().then(run.can(who, action, role.arn))
            if chain.state is not State.NO:
                how = f"it could make the role trust itself, and assume it ({action})"
                run.draw(who.arn, role.arn, "escalates", how, chain)
                gains[who.arn].add(role.arn)


def _grants_itself(run: Linking, who: Identity, may: int, gained: set[str]) -> None:
    """Whoever may change its own policies, or those of whom it can become, can become administrator."""
    names = [action for one in GRANTS_ITSELF.values() for action in one]
    if not _some(may, *names, "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"):
        return
    target = administrator(who.account)
    for arn in (who.arn, *who.groups, *sorted(gained)):
        other = run.estate.identities.get(arn)
        if other is None or other.account != who.account:
            continue
        for action in GRANTS_ITSELF[other.kind]:
            if not _some(may, action):
                continue
            context = {"iam:PolicyARN": (ADMINISTRATOR_POLICY,)} if "Attach" in action else {}
            chain = _bounded(other, Chain().then(run.can(who, action, arn, context)))
            how = f"it could give {_whom(who, other)} all permissions ({action})"
            run.draw(who.arn, target, "escalates", how, chain, 1 if other is who else 2)
        _versions(run, who, other, may, target)


def _versions(run: Linking, who: Identity, other: Identity, may: int, target: str) -> None:
    for policy in other.policies:
        if ":policy/" not in policy.name or ":iam::aws:" in policy.name:
            continue
        if _some(may, "iam:CreatePolicyVersion"):
            chain = _bounded(other, Chain().then(run.can(who, "iam:CreatePolicyVersion", policy.name)))
            how = f"it could rewrite a policy of {_whom(who, other)} (iam:CreatePolicyVersion)"
            run.draw(who.arn, target, "escalates", how, chain, 1 if other is who else 2)
        if _some(may, "iam:SetDefaultPolicyVersion"):
            chain = _bounded(other, Chain().then(run.can(who, "iam:SetDefaultPolicyVersion", policy.name)))
            if chain.state is not State.NO:
                chain = chain.unless(f"an older version of {policy.name} allows more")
            how = f"it could bring an older policy of {_whom(who, other)} back (iam:SetDefaultPolicyVersion)"
            run.draw(who.arn, target, "escalates", how, chain, 2)


def _whom(who: Identity, other: Identity) -> str:
    return "itself" if other is who else f"{other.kind} {other.name}"


def _bounded(other: Identity, chain: Chain) -> Chain:
    """What an identity with a boundary gets is what the boundary leaves."""
    if other.boundary is None or chain.state is State.NO:
        return chain
    return chain.unless(f"the boundary {other.boundary.name} leaves it what it wants")


def _passes(run: Linking, who: Identity, may: int, trusting: dict[str, list[tuple[Identity, Chain]]]) -> None:
    if not _some(may, "iam:PassRole"):
        return
    for technique in NEW:
        ways = [way for way in technique.ways if all(_some(may, action) for action in way)]
        roles = [(role, trust) for role, trust in trusting.get(technique.service, ()) if role.account == who.account]
        if not ways or not roles:
            continue
        starts = run.any_of(who, ways)
        if starts.state is State.NO:
            continue
        for role, trust in roles:
            if role.arn == who.arn:
                continue
            passed = run.can(who, "iam:PassRole", role.arn, {"iam:PassedToService": (technique.service,)})
            chain = Chain().then(passed).then(starts)
            if chain.state is not State.NO:
                chain = Chain(chain.state, chain.because, chain.decides).then(trust)
                how = f"it could {technique.how} as this role (iam:PassRole, {', '.join(ways[0])})"
                run.draw(who.arn, role.arn, "passes-role", how, chain)


def _takes(
    run: Linking,
    who: Identity,
    may: int,
    trusting: dict[str, list[tuple[Identity, Chain]]],
    running: dict[str, list[Resource]],
) -> None:
    for technique in TAKE:
        ways = [way for way in technique.ways if all(_some(may, action) for action in way)]
        if not ways:
            continue
        covered: set[str] = set()
        names = ", ".join(ways[0])
        for kind in technique.kinds:
            for resource in running.get(kind, ()):
                covered.add(resource.role)
                chain = _on_resource(run, who, ways, resource)
                relation = technique.relation
                run.draw(who.arn, resource.arn, relation, f"it could {technique.how} ({names})", chain)
        anywhere = run.any_of(who, ways)
        if anywhere.state is State.NO:
            continue
        for role, trust in trusting.get(technique.service, ()):
            if role.arn not in covered and role.arn != who.arn and role.account == who.account:
                kind = technique.kinds[0]
                chain = anywhere.then(trust).unless(
                    f"there is a {kind} that runs as {role.arn}, and the policy means it"
                )
                how = f"it could {technique.how}, of one that runs as this role ({names})"
                run.draw(who.arn, role.arn, "passes-role", how, chain, 2)


def _on_resource(run: Linking, who: Identity, ways: list[tuple[str, ...]], resource: Resource) -> Chain:
    """The actions on one resource; those that take no resource of its kind on any."""
    best = NOWHERE
    for way in ways:
        chain = Chain()
        for action in way:
            on = resource.arn if actions.actions_for(resource.arn) & actions.bit(action) else "*"
            chain = chain.then(run.can(who, action, on))
        if chain.state is State.YES:
            return chain
        best = chain if best.state is State.NO else best
    return best
