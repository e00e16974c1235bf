"""The linker of Google Cloud: its principals and resources as nodes, and what leads from whom to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assaymark.assess.answer import Answer
from assaymark.assess.estate.gcp import MANAGER
from assaymark.assess.gcp.data import ALLOWS, link_data, link_flows, node_kind
from assaymark.assess.gcp.escalate import link_agents, link_escalations
from assaymark.assess.gcp.evaluate import ALL_USERS
from assaymark.assess.gcp.federation import link_federation
from assaymark.assess.gcp.fronts import Fronts
from assaymark.assess.gcp.lasting import left
from assaymark.assess.gcp.linking import Linking, administrator
from assaymark.assess.gcp.names import project
from assaymark.assess.gcp.roles import OWNER
from assaymark.core.graph import State

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.gcp import Resource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_OWNS = (  # who may do all of these on a place may do everything there that somebody else could not take back
    "resourcemanager.projects.setIamPolicy",
    "iam.serviceAccounts.actAs",
    "compute.instances.create",
    "secretmanager.versions.access",
)


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws the organisation, its projects and what lies in them."""
    estate = estates.gcp
    if not (estate.bindings or estate.resources or estate.accounts):
        return
    run = Linking(estate, builder, reading, now)
    _gaps(run)
    places = _because(run)
    for member in run.members:
        run.principal(member, places.get(member, ()) or _first(run))
    for _, resource in sorted(estate.resources.items()):
        _resource(run, resource)
    _memberships(run)
    _administrators(run)
    link_escalations(run)
    link_agents(run)
    link_data(run, Fronts(estates))
    link_flows(run)
    link_federation(run)


def _gaps(run: Linking) -> None:
    if run.estate.denies is None:
        run.reading.gap("no file holds deny policies of Google Cloud; taken as none")
    if any(member.startswith("group:") and member not in run.estate.groups for member in run.members):
        run.reading.gap("who belongs to groups of Google Cloud is not in the input; a group stands for its members")
    for binding in run.estate.bindings:
        if not run.access.roles.known(binding.role):
            run.reading.gap(f"what {binding.role} allows is not in the input; it may allow anything")


def _first(run: Linking) -> tuple[Because, ...]:
    for source in (run.estate.bindings, run.estate.accounts.values(), run.estate.resources.values()):
        for one in source:
            return (one.because,)
    return ()


def _because(run: Linking) -> dict[str, list[Because]]:
    found: dict[str, list[Because]] = {}
    for binding in run.estate.bindings:
        for member in binding.members:
            found.setdefault(member, []).append(binding.because)
    for resource in run.estate.resources.values():
        if resource.account:
            found.setdefault(f"serviceAccount:{resource.account}", []).append(resource.because)
    for group, members in run.estate.groups.items():
        for member, because in members.items():
            found.setdefault(member, []).append(because)
            found.setdefault(group, []).append(because)
    return found


def _resource(run: Linking, resource: Resource) -> None:
    kind, target = node_kind(resource)
    name = resource.name.rpartition("/")[2]
    boundary = run.boundary(resource.project, name, dict(resource.labels))
    props: dict[str, Any] = {}
    if target:
        props["target"] = "tenant-data" if "tenant" in boundary and target in ("data", "model") else target
    if kind in ("workload", "function"):
        props["entry"] = "tenant" if "tenant" in boundary and kind == "workload" else "workload"
    run.builder.node(resource.name, kind, name, (resource.because,), boundary=boundary, **props)


def _memberships(run: Linking) -> None:
    for group, members in sorted(run.estate.groups.items()):
        for member, because in sorted(members.items()):
            how = f"it is a member of {group.partition(':')[2]}"
            run.draw(run.node_of(member), run.node_of(group), "member-of", how, Answer(State.YES, (because,)), 0)


def _places(run: Linking) -> list[str]:
    """Projects, and the folders and organisations above them or that a binding speaks of."""
    places = [project(one) for one in run.projects]
    places += sorted({place for one in places for place in run.access.chain(one)[1:]})
    above = (f"{MANAGER}folders/", f"{MANAGER}organizations/")
    places += sorted(one.resource for one in run.estate.bindings if one.resource.startswith(above))
    return list(dict.fromkeys(places))


def _administrators(run: Linking) -> None:
    """The node of each project, folder and organisation that somebody could administer, and what it leads to."""
    first = _first(run)
    places = _places(run)
    for place in places:
        word = place.removeprefix(MANAGER)
        home = word.partition("/")[2] if word.startswith("projects/") else ""
        because = (run.estate.places[place],) if place in run.estate.places else first
        run.builder.node(
            administrator(place),
            "administrator",
            f"administrator of {word}",
            because,
            boundary=run.boundary(home, home),
            target="administrator",
        )
    for place in places:
        for above in run.access.chain(place)[1:2]:
            how = "who administers what it lies in administers it"
            run.draw(administrator(above), administrator(place), "administers", how, Answer(State.YES, first), 0)
    for member in (*run.members, ALL_USERS):
        inner = [project(one) for one in run.projects_of(member)]
        bound = [place for place in run.access.held(member) if place.startswith(MANAGER)]
        for place in dict.fromkeys((*bound, *inner)):
            _owner(run, member, place)
    _owned(run, first)


def _owner(run: Linking, member: str, place: str) -> None:
    """Whether a member may do everything in a place."""
    kind = place.removeprefix(MANAGER).partition("/")[0]
    owns = [(permission.replace("manager.projects", f"manager.{kind}"), place) for permission in _OWNS]
    answer = run.all_of(member, owns)
    held = run.access.held(member)
    owner = any(one.role == OWNER for above in run.access.chain(place) for one, _ in held.get(above, ()))
    if answer.state is State.NO or (answer.state is State.UNKNOWN and not owner):
        return
    if answer.state is State.YES:
        run.administrators.add((member, place))
    how = "its role allows everything there"
    run.draw(run.node_of(member), administrator(place), "administers", how, answer, 0)


def _owned(run: Linking, first: tuple[Because, ...]) -> None:
    """What an administrator has: resources, and the service accounts of the project."""
    for _, resource in sorted(run.estate.resources.items()):
        how = "an administrator may do everything with what is in the project"
        answer = Answer(State.YES, (resource.because,))
        source = administrator(project(resource.project))
        given = left(run.access, "", resource, ALLOWS.get(resource.kind, {}))
        run.draw(source, resource.name, "administers" if given is None else "governs", how, answer, 0)
        for relation, whole in (given or {}).items():
            run.draw(source, resource.name, relation, f"{how}, as far as deny policies let it", answer.both(whole), 0)
    for member in run.members:
        if member.startswith("serviceAccount:"):
            node = run.node_of(member)
            known = run.estate.accounts.get(member.partition(":")[2])
            parent = run.access.chain(node)
            how = "an administrator may let itself impersonate every service account of the project"
            if len(parent) > 1:
                because = (known.because,) if known else first
                run.draw(administrator(parent[1]), node, "administers", how, Answer(State.YES, because), 1)
