"""What the linkers of Google Cloud share: the estate as it is evaluated, its members as nodes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from assaymark.assess.answer import NO, Answer, draw
from assaymark.assess.boundaries import environment_of, tenant_of
from assaymark.assess.estate.gcp import MANAGER, UNKNOWN_PROJECT
from assaymark.assess.gcp.evaluate import ALL_USERS, AUTHENTICATED, Access
from assaymark.assess.gcp.names import gke_member, project, project_in, project_of_account
from assaymark.assess.kinds import INTERNET
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from assaymark.assess.estate.gcp import Gcp, Resource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_FEDERATED = ("principal://", "principalSet://")


class Linking:
    """The estate, asked and drawn."""

    def __init__(self, estate: Gcp, builder: Builder, reading: Reading, now: datetime) -> None:
        self.estate = estate
        self.builder = builder
        self.reading = reading
        self.access = Access(estate, now)
        self.administrators: set[tuple[str, str]] = set()  # of members and the places that they administer

    @cached_property
    def members(self) -> list[str]:
        """Who acts: what bindings name and service accounts, but everyone and convenience values."""
        names = set(self.access.members()) | {f"serviceAccount:{email}" for email in self.estate.accounts}
        names |= {f"serviceAccount:{one.account}" for one in self.estate.resources.values() if one.account}
        for group, inside in self.estate.groups.items():
            names |= {group, *inside}
        kept = []
        for name in sorted(names):
            kind = name.partition(":")[0]
            if isinstance(name, Unresolved) or kind in ("projectOwner", "projectEditor", "projectViewer", "deleted"):
                continue
            if name not in (ALL_USERS, AUTHENTICATED):
                kept.append(name)
        return kept

    @cached_property
    def projects(self) -> list[str]:
        """The ids of all projects that the input speaks of."""
        found = {one.project for one in self.estate.resources.values()}
        found |= {project_in(binding.resource) for binding in self.estate.bindings}
        found |= {account.project for account in self.estate.accounts.values()}
        found |= {project_in(place) for place in self.estate.places}
        return sorted(found - {"", "-", "_"})

    @cached_property
    def by_place(self) -> dict[str, list[Resource]]:
        """The resources in each project, folder and organisation, and each by itself."""
        found: dict[str, list[Resource]] = {}
        for _, resource in sorted(self.estate.resources.items()):
            for place in self.access.chain(resource.name):
                found.setdefault(place, []).append(resource)
        return found

    def within(self, member: str) -> list[Resource]:
        """The resources on which some binding speaks of a member."""
        found = {one.name: one for place in self.access.held(member) for one in self.by_place.get(place, ())}
        return [found[name] for name in sorted(found)]

    def projects_of(self, member: str) -> list[str]:
        """The projects on which, or above which, some binding speaks of a member."""
        return sorted({one for place in self.access.held(member) for one in self.projects_in.get(place, ())})

    @cached_property
    def projects_in(self) -> dict[str, list[str]]:
        """The ids of the projects in each place, a project in itself."""
        found: dict[str, list[str]] = {}
        for one in self.projects:
            for place in self.access.chain(project(one)):
                found.setdefault(place, []).append(one)
        return found

    def accounts_of(self, member: str) -> list[str]:
        """The emails of service accounts on which, or above which, some binding speaks of a member."""
        return sorted({one for place in self.access.held(member) for one in self._accounts.get(place, ())})

    @cached_property
    def _accounts(self) -> dict[str, list[str]]:
        """The emails of the service accounts in each place, and of each by its own name."""
        found: dict[str, list[str]] = {}
        for member in self.members:
            if member.startswith("serviceAccount:") and not gke_member(member):
                email = member.partition(":")[2]
                for place in self.access.chain(self.access.account(email)):
                    found.setdefault(place, []).append(email)
        return found

    def node_of(self, member: str) -> str:
        """The id of a member's node."""
        kind, _, rest = member.partition(":")
        if kind == "serviceAccount" and not gke_member(member):
            return self.access.account(rest)
        return INTERNET if member in (ALL_USERS, AUTHENTICATED) else member

    def any_of(self, member: str, permissions: Iterable[str], resource: str) -> tuple[Answer, str]:
        """The best answer of several permissions, and the permission."""
        best, name = NO, ""
        for permission in permissions:
            answer = self.access.can(member, permission, resource)
            if answer.state is State.YES:
                return answer, permission
            if answer.state is State.UNKNOWN and best.state is State.NO:
                best, name = answer, permission
        return best, name

    def all_of(self, member: str, permissions: Iterable[tuple[str, str]]) -> Answer:
        """Several permissions, each on its resource, that must all be there."""
        found = Answer(State.YES)
        for permission, resource in permissions:
            found = found.both(self.access.can(member, permission, resource))
            if found.state is State.NO:
                break
        return found

    def draw(self, source: str, target: str, relation: str, how: str, answer: Answer, effort: int = 1) -> None:
        """The edge of an answer between nodes that are there."""
        if self.builder.has(source) and self.builder.has(target):
            draw(self.builder, source, target, relation, how, answer, effort)

    def boundary(self, home: str, name: str, labels: dict[str, str] | None = None) -> dict[str, str]:
        """In what a thing lies."""
        found = {
            "cloud": "gcp",
            "account": "" if home in (UNKNOWN_PROJECT, "-") else home,
            "environment": environment_of(name, labels) or environment_of(home),
            "tenant": tenant_of(name, labels),
        }
        return {key: value for key, value in found.items() if value}

    def principal(self, member: str, because: Iterable[Because]) -> str:
        """The node of a member."""
        kind, _, rest = member.partition(":")
        node = self.node_of(member)
        places = tuple(because)
        if gke_member(member):
            return self.builder.node(node, "service-account", rest, places, boundary={"cloud": "gcp"})
        if kind == "serviceAccount":
            known = self.estate.accounts.get(rest)
            home = project_in(node)
            ours = bool(known or project_of_account(rest)) or "-compute@" in rest
            props = {"entry": "principal"} if ours else {}
            places = (known.because,) if known else places
            name = rest.partition("@")[0] if known else rest
            return self.builder.node(
                node, "service-account", rest, places, boundary=self.boundary(home, name), **props
            )
        if member.startswith(_FEDERATED):
            return self.builder.node(member, "token-subject", member, places, boundary={"cloud": "gcp"})
        words = {"user": "user", "group": "group", "domain": "group"}
        entry = {} if kind == "domain" else {"entry": "principal"}
        return self.builder.node(
            member, words.get(kind, "user"), rest or member, places, boundary={"cloud": "gcp"}, **entry
        )


def administrator(place: str) -> str:
    """The id of the node that stands for control of a project, folder or organisation."""
    kind, _, name = place.removeprefix(MANAGER).partition("/")
    word = {"projects": name, "folders": f"folder:{name}", "organizations": f"organization:{name}"}.get(kind, name)
    return f"gcp:{word}:administrator"
