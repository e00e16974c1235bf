"""The linker of Azure: its principals and resources as nodes, and what leads from whom to what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import Answer
from assaymark.assess.azure.data import link_data, link_flows, node_kind
from assaymark.assess.azure.directory import link_directory
from assaymark.assess.azure.eligible import MEMBERSHIP
from assaymark.assess.azure.escalate import link_escalations
from assaymark.assess.azure.evaluate import GROUPS
from assaymark.assess.azure.federation import link_federation
from assaymark.assess.azure.linking import Linking, administrator
from assaymark.core.graph import State

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_ASSIGN: Final = "Microsoft.Authorization/roleAssignments/write"
_ANY: Final = "Microsoft.Assaymark/probe/write"  # what only a role that allows every action allows
_OF_SCOPE: Final = re.compile(r"/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws the subscriptions and what lies in them. ``now`` is what schedules of assignments are held against."""
    estate = estates.azure
    if not (estate.principals or estate.resources):
        return
    run = Linking(estate, builder, reading, now)
    _gaps(run)
    for principal in run.principals:
        where = estate.resources.get(principal.resource)
        boundary = run.boundary(principal.resource, principal.name, dict(where.tags) if where else None)
        builder.node(
            principal.node, principal.kind, principal.name, (principal.because,), boundary=boundary, entry="principal"
        )
    for resource in run.resources:
        _resource(run, resource)
    _memberships(run)
    _administrators(run)
    link_directory(run)
    link_escalations(run)
    link_data(run)
    link_flows(run)
    link_federation(run)


def _gaps(run: Linking) -> None:
    if run.estate.denies is None and run.estate.assignments:
        run.reading.gap("no file holds deny assignments of Azure; taken as none")
    for group in run.principals:
        if group.kind == "group" and group.id not in run.estate.groups:
            run.reading.gap("who belongs to groups of Entra ID is not in the input; a group stands for its members")
    for assignment in run.estate.assignments:
        if run.access.roles.get(assignment.role) is None:
            run.reading.gap(f"what the role {assignment.role} allows is not in the input; it may allow anything")


def _resource(run: Linking, resource: Resource) -> None:
    kind, target = node_kind(resource)
    if not kind:
        return
    boundary = run.boundary(resource.id, resource.name, dict(resource.tags))
    props: dict[str, Any] = {}
    if target:
        props["target"] = "tenant-data" if "tenant" in boundary and target in ("data", "model") else target
    if kind in ("workload", "function"):
        props["entry"] = "tenant" if "tenant" in boundary and kind == "workload" else "workload"
    run.builder.node(resource.id, kind, resource.name, (resource.because,), boundary=boundary, **props)


def _memberships(run: Linking) -> None:
    for group, members in sorted(run.estate.groups.items()):
        known = run.estate.principals.get(group)
        for member, because in sorted(members.items()):
            how = f"it is a member of {known.name if known else group}"
            answer = Answer(State.YES, (because,))
            run.draw(f"azure:principal:{member}", f"azure:principal:{group}", "member-of", how, answer, 0)
    for group, members in sorted(run.estate.eligible.items()):
        known = run.estate.principals.get(group)
        for member, because in sorted(members.items()):
            how = f"it may become a member of {known.name if known else group}"
            answer = Answer(State.YES, (because,)).unless(MEMBERSHIP)
            run.draw(f"azure:principal:{member}", f"azure:principal:{group}", "member-of", how, answer, 1)


def _scopes(run: Linking) -> list[str]:
    """Subscriptions, resource groups and what else of such assignments speak of."""
    found = set(run.subscriptions)
    for assignment in run.estate.assignments:
        scope = assignment.scope
        if scope == "/" or scope.startswith(GROUPS) or _OF_SCOPE.fullmatch(scope):
            found.add(scope)
    matches = (_OF_SCOPE.match(resource.id) for resource in run.resources)
    return sorted(found | {match[0] for match in matches if match})


def _administrators(run: Linking) -> None:
    """The node of each subscription, group and so on that somebody could administer, and what it leads to."""
    first = _first(run)
    scopes = _scopes(run)
    for scope in scopes:
        target: dict[str, Any] = {} if "/resourcegroups/" in scope else {"target": "administrator"}
        because = (run.estate.scopes[scope],) if scope in run.estate.scopes else first
        run.builder.node(
            administrator(scope),
            "administrator",
            f"administrator of {scope}",
            because,
            boundary=run.boundary(scope, ""),
            **target,
        )
    for scope in scopes:
        for above in _directly(run, scope, scopes):
            how = "who administers what it lies in administers it"
            run.draw(administrator(above), administrator(scope), "administers", how, Answer(State.YES, first), 0)
    for principal in run.principals:
        for scope in sorted({one.scope for one, _ in run.access.held(principal.id)} & set(scopes)):
            answer = run.access.can(principal.id, _ANY, scope).both(run.access.can(principal.id, _ASSIGN, scope))
            if answer.state is State.YES:
                run.owners.add((principal.id, scope))
            how = "its role allows every action there, assigning roles too"
            run.draw(principal.node, administrator(scope), "administers", how, answer, 0)
    for resource in run.resources:
        _owned(run, resource)


def _owned(run: Linking, resource: Resource) -> None:
    match = _OF_SCOPE.match(resource.id)
    if match is None:
        return
    how = "an administrator may do everything with what is in the scope"
    lines = Answer(State.YES, (resource.because,))
    run.draw(administrator(match[0]), resource.id, "administers", how, lines, 0)
    if resource.kind == "microsoft.managedidentity/userassignedidentities":
        key = run.estate.aliases.get(resource.id, "")
        how = "an administrator may give the identity to a machine of its own"
        run.draw(administrator(match[0]), f"azure:principal:{key}", "administers", how, lines, 1)


def _directly(run: Linking, scope: str, scopes: list[str]) -> list[str]:
    """The scopes that a scope lies in with none of those drawn between."""
    covers = run.access.covers
    around = [one for one in scopes if one != scope and covers(one, scope) is State.YES]
    return [one for one in around if not any(other != one and covers(one, other) is State.YES for other in around)]


def _first(run: Linking) -> tuple[Because, ...]:
    for source in (run.estate.assignments, run.resources, run.principals):
        for one in source:
            return (one.because,)
    return ()
