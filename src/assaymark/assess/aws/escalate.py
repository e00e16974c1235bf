"""Edges from one AWS principal to another: what it could make itself.

Whose credentials it could make, which roles it could pass to a service, what runs already that it could get into.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.linking import NOWHERE, Chain, administrator, filled
from assaymark.assess.aws.making import link_made
from assaymark.assess.aws.request import BOUNDARY_KEY
from assaymark.assess.aws.techniques import ADMINISTRATOR_POLICY, CREDENTIALS, GRANTS_ITSELF, NEW, TAKE
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.aws.techniques import TakeOver
    from assaymark.assess.estate.aws import Identity, Resource

    Trusting: TypeAlias = Mapping[tuple[str, str], Mapping[str, Chain]]


class Escalations:
    """All of an account's, principal by principal."""

    def __init__(self, run: Linking) -> None:
        self._run = run
        self._trusting = _trusting(run)
        self._running: defaultdict[str, list[Resource]] = defaultdict(list)
        for _, resource in sorted(run.estate.resources.items()):
            self._running[resource.kind].append(resource)

    def link(self, who: Identity, gained: set[str]) -> None:
        """Draws those of one. ``gained``: whom it can assume already, certainly or perhaps; more are added."""
        may = self._run.may(who)
        _credentials(self._run, who, may, gained)
        _joins(self._run, who, may)
        _trusts_itself(self._run, who, may, gained)
        _signs(self._run, who, may, gained)
        _grants_itself(self._run, who, may, gained)
        link_made(self._run, who, may)
        _passes(self._run, who, may, self._trusting)
        _takes(self._run, who, may, self._trusting, self._running)


_METADATA: Final = "iam:UpdateSAMLProvider"
_SIGN_IN: Final = "https://signin.aws.amazon.com/saml"  # the audience of assertions for AWS


def _some(may: int, *names: str) -> bool:
    return any(may & actions.bit(name) for name in names)


def _trusting(run: Linking) -> Trusting:
    """The roles that each service may assume, by service and account."""
    services = {technique.service for technique in (*NEW, *TAKE)}
    found: defaultdict[tuple[str, str], dict[str, Chain]] = defaultdict(dict)
    for role in run.principals:
        if role.kind == "role" and role.trust is not None:
            for service in sorted(services):
                if _names(role, service):
                    answer = run.access.can(service, "sts:AssumeRole", role.arn)
                    if answer.state is not State.NO:
                        found[service, role.account][role.arn] = Chain().then(answer)
    return found


def _names(role: Identity, service: str) -> bool:
    for statement in role.trust.statements if role.trust else ():
        named = statement.principals or {}
        if service in named.get("Service", ()) or "*" in named or statement.unresolved or statement.not_principals:
            return True
    return False


def _credentials(run: Linking, who: Identity, may: int, gained: set[str]) -> None:
    for action, how, effort in CREDENTIALS:
        for targets, chain in _identities(run, who, action, "user") if _some(may, action) else ():
            run.fan(who.arn, targets, "resets", f"it could {how} ({action})", chain, effort)
            gained.update(targets)


def _identities(
    run: Linking, who: Identity, action: str, kind: str, context: Mapping[str, Value] | None = None
) -> Iterator[tuple[list[str], Callable[[str], Chain]]]:
    """The identities of a kind in the account on which an action may be allowed, those alike together."""
    wanted = run.sorts[kind, who.account]
    for alike in run.each(who, action, context):
        targets = [arn for arn in alike.arns if arn in wanted]
        if targets:
            yield targets, lambda arn, alike=alike: Chain().then(alike.of(arn))  # type: ignore[misc]


def _joins(run: Linking, who: Identity, may: int) -> None:
    action = "iam:AddUserToGroup"
    perhaps = f"{who.arn} has the credentials of a user that it can add to the group"
    for targets, chain in _identities(run, who, action, "group") if _some(may, action) else ():
        for arn in targets:
            if arn not in who.groups:
                found = chain(arn) if who.kind == "user" else chain(arn).unless(perhaps)
                how = f"it could add itself to the group ({action})"
                run.draw(who.arn, arn, "escalates", how, found)


def _trusts_itself(run: Linking, who: Identity, may: int, gained: set[str]) -> None:
    action = "iam:UpdateAssumeRolePolicy"
    for targets, chain in _identities(run, who, action, "role") if _some(may, action) else ():
        how = f"it could make the role trust itself, and assume it ({action})"
        run.fan(who.arn, targets, "escalates", how, chain)
        gained.update(targets)


def _signs(run: Linking, who: Identity, may: int, gained: set[str]) -> None:
    """Who may replace the metadata of a SAML provider signs assertions itself, and is whoever it likes there."""
    if not _some(may, _METADATA):
        return
    for arn, provider in sorted(run.estate.providers.items()):
        if provider.kind != "saml" or arn.split(":")[4] != who.account:
            continue
        changes = Chain().then(run.can(who, _METADATA, arn))
        for role in run.principals if changes.state is not State.NO else ():
            if role.kind == "role" and role.account == who.account and role.trust is not None:
                # it writes the assertion, and what that says of the subject and its attributes
                said = run.access.can(arn, "sts:AssumeRoleWithSAML", role.arn, {"saml:aud": (_SIGN_IN,)})
                how = f"it could sign assertions of {arn.rpartition('/')[2]} for the role ({_METADATA})"
                chain = changes.then(said)
                run.draw(who.arn, role.arn, "resets", how, chain)
                if chain.state is not State.NO:
                    gained.add(role.arn)


def _grants_itself(run: Linking, who: Identity, may: int, gained: set[str]) -> None:
    """Whoever may change its own policies, or those of whom it can become, can become administrator."""
    names = [action for one in GRANTS_ITSELF.values() for action in one]
    if not _some(may, *names, "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"):
        return
    own = (who.arn, *who.groups)
    for action in dict.fromkeys(names):
        context = {"iam:PolicyARN": (ADMINISTRATOR_POLICY,)} if "Attach" in action else {}
        for alike in run.each(who, action, context) if _some(may, action) else ():
            for arn in alike.arns:
                other = run.estate.identities[arn]
                if (arn in own or arn in gained) and other.account == who.account:
                    if action not in GRANTS_ITSELF[other.kind]:
                        continue
                    how = f"it could give {_whom(who, other)} all permissions ({action})"
                    chain = Chain().then(alike.of(arn))
                    state = _fills(run, who, other, chain, how, 1 if other is who else 2)
                    if state is State.YES and other is not who:
                        break  # another that is like it is no easier
    if not _some(may, "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"):
        return
    for arn in (*own, *sorted(gained)):
        found = run.estate.identities.get(arn)
        if found is not None and found.account == who.account:
            _versions(run, who, found, may)


def _versions(run: Linking, who: Identity, other: Identity, may: int) -> None:
    for policy in other.policies:
        if ":policy/" not in policy.name or ":iam::aws:" in policy.name:
            continue
        if _some(may, "iam:CreatePolicyVersion"):
            chain = Chain().then(run.can(who, "iam:CreatePolicyVersion", policy.name))
            how = f"it could rewrite a policy of {_whom(who, other)} (iam:CreatePolicyVersion)"
            _fills(run, who, other, chain, how, 1 if other is who else 2)
        if _some(may, "iam:SetDefaultPolicyVersion"):
            chain = Chain().then(run.can(who, "iam:SetDefaultPolicyVersion", policy.name))
            if chain.state is not State.NO:
                chain = chain.unless(f"an older version of {policy.name} allows more")
            how = f"it could bring an older policy of {_whom(who, other)} back (iam:SetDefaultPolicyVersion)"
            _fills(run, who, other, chain, how, 2)


def _whom(who: Identity, other: Identity) -> str:
    return "itself" if other is who else f"{other.kind} {other.name}"


def _become(run: Linking, who: Identity, other: Identity, chain: Chain) -> Chain:
    """With what would decide that it becomes the other at all, where nothing of that is certain."""
    edges = run.builder.between(run.stands.get(who.arn, who.arn), other.arn)
    if not edges or any(edge.state is State.YES for edge in edges):
        return chain  # it can, is a member, or comes there by a node that stands for many
    return Chain(chain.state.both(State.UNKNOWN), chain.because, (*chain.decides, *edges[0].decides))


def _fills(run: Linking, who: Identity, other: Identity, chain: Chain, how: str, effort: int) -> State:
    """Draws what giving an identity all permissions gives: the account, or all that a boundary lets through.

    A boundary that can be taken off, or widened, is none. Returns whether it is the account.
    """
    target = administrator(who.account)
    if chain.state is State.NO:
        return State.NO
    chain = chain if other is who else _become(run, who, other, chain)
    if not (other.bounded_by or other.boundary):
        lists = f"{other.arn} has no permission boundary, which lists do not show"
        whole = chain.unless(lists) if other.listed else chain
        run.draw(who.arn, target, "escalates", how, whole, effort)
        return whole.state
    kind = other.kind.title()
    best = NOWHERE
    wide = {BOUNDARY_KEY: (ADMINISTRATOR_POLICY,)}
    for action, context in (
        (f"iam:Delete{kind}PermissionsBoundary", {}),
        (f"iam:Put{kind}PermissionsBoundary", wide),
    ):
        off = chain.then(run.can(who, action, other.arn, context))
        if off.state is State.YES or best.state is State.NO:
            best = off
        if best.state is State.YES:
            run.draw(who.arn, target, "escalates", how, best, effort)
            return State.YES
    if other.boundary is None:
        best = chain.unless(f"the boundary {other.bounded_by} leaves it what it wants")
    else:
        run.filled.add(other.arn)
        run.draw(who.arn, filled(other.arn), "escalates", f"{how}, within its boundary", chain, effort)
    run.draw(who.arn, target, "escalates", how, best, effort)
    return best.state


def _passes(run: Linking, who: Identity, may: int, trusting: Trusting) -> None:
    if not _some(may, "iam:PassRole"):
        return
    surely: set[str] = set()  # services that start something new for it, which needs nothing that is there
    for technique in NEW:
        ways = [way for way in technique.ways if all(_some(may, action) for action in way)]
        trusts = trusting.get((technique.service, who.account), {})
        if not ways or not trusts:
            continue
        starts = run.any_of(who, ways)
        if starts.state is State.NO or (technique.if_only and technique.service in surely):
            continue
        if technique.if_only:
            starts = starts.unless(technique.if_only)
        elif starts.state is State.YES:
            surely.add(technique.service)
        how = f"it could {technique.how} as this role (iam:PassRole, {', '.join(ways[0])})"
        context = {"iam:PassedToService": (technique.service,)}
        for targets, chain in _identities(run, who, "iam:PassRole", "role", context):

            def whole(
                arn: str,
                chain: Callable[[str], Chain] = chain,
                starts: Chain = starts,
                trusts: Mapping[str, Chain] = trusts,
            ) -> Chain:
                return chain(arn).then(starts).then(trusts[arn])

            for passed in _by_trust(targets, trusts):
                run.fan(who.arn, passed, "passes-role", how, whole)


def _takes(
    run: Linking,
    who: Identity,
    may: int,
    trusting: Trusting,
    running: dict[str, list[Resource]],
) -> None:
    busy = {resource.role for some in running.values() for resource in some}
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
                chain = _given(run, who, technique, ways, resource, chain)
                relation = technique.relation
                run.draw(who.arn, resource.arn, relation, f"it could {technique.how} ({names})", chain)
        if technique.if_only:
            covered |= busy
        anywhere = run.any_of(who, ways) if not technique.passes else NOWHERE  # passing it is a technique of its own
        if anywhere.state is State.NO:
            continue
        anywhere = anywhere.unless(technique.if_only) if technique.if_only else anywhere
        trusts = trusting.get((technique.service, who.account), {})
        kind = technique.kinds[0]

        def runs(
            arn: str, kind: str = kind, anywhere: Chain = anywhere, trusts: Mapping[str, Chain] = trusts
        ) -> Chain:
            return anywhere.then(trusts[arn]).unless(f"there is a {kind} that runs as {arn}, and the policy means it")

        how = f"it could {technique.how}, of one that runs as this role ({names})"
        for targets in _by_trust([arn for arn in trusts if arn not in covered], trusts):
            run.fan(who.arn, targets, "passes-role", how, runs, 2)


def _given(
    run: Linking, who: Identity, technique: TakeOver, ways: list[tuple[str, ...]], resource: Resource, chain: Chain
) -> Chain:
    """With what a technique needs beside its actions on the thing, and what is never seen of it."""
    if chain.state is State.NO or not technique.if_only:
        return chain
    if technique.beside:
        chain = chain.then(run.any_of(who, ways, technique.beside.format(account=who.account)))
    if technique.passes and resource.role:
        context = {"iam:PassedToService": (technique.service,)}
        chain = chain.then(run.can(who, "iam:PassRole", resource.role, context))
    return chain.unless(technique.if_only)


def _by_trust(targets: list[str], trusts: Mapping[str, Chain]) -> list[list[str]]:
    """Those that the service may assume, apart where what would decide that is not the same."""
    found: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for arn in targets:
        if arn in trusts:
            found[trusts[arn].state, *trusts[arn].decides].append(arn)
    return list(found.values())


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
