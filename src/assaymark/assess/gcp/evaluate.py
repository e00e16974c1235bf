"""``Access``: whether a principal of Google Cloud has a permission on a resource, by IAM's own order of decisions.

A deny policy on the resource's project, folders or organisation that matches decides first; then any binding, on
the resource or anything it lies in, of a role that has the permission, whose condition holds, gives it, unless a
principal access boundary may stand against it. Source: Google Cloud IAM, "How IAM policy evaluation works", "Deny
policies", "Policy inheritance".
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.estate.gcp import Binding
from assaymark.assess.gcp.boundaries import stands_against
from assaymark.assess.gcp.conditions import holds
from assaymark.assess.gcp.names import account_name, project, project_in, seen_by_conditions
from assaymark.assess.gcp.roles import OWNER, Roles
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.estate.gcp import DenyRule, Gcp
    from assaymark.core.graph import Because

ALL_USERS: Final = "allUsers"
AUTHENTICATED: Final = "allAuthenticatedUsers"
_MAX_HEIGHT: Final = 16  # folders nest ten deep
# What the policy of a new bucket or dataset holds until somebody replaces it.
_DEFAULTS: Final = {
    "storage:bucket": (
        ("projectViewer", "roles/storage.legacyBucketReader"),
        ("projectViewer", "roles/storage.legacyObjectReader"),
        ("projectEditor", "roles/storage.legacyBucketOwner"),
        ("projectEditor", "roles/storage.legacyObjectOwner"),
        ("projectOwner", "roles/storage.legacyBucketOwner"),
        ("projectOwner", "roles/storage.legacyObjectOwner"),
    ),
    "bigquery:dataset": (
        ("projectViewer", "roles/bigquery.dataViewer"),
        ("projectEditor", "roles/bigquery.dataEditor"),
        ("projectOwner", "roles/bigquery.dataOwner"),
    ),
}
_CONVENIENCE: Final = {"projectOwner": OWNER, "projectEditor": "roles/editor", "projectViewer": "roles/viewer"}


class Access:
    """An estate, asked. ``now`` is what conditions on dates are held against."""

    def __init__(self, estate: Gcp, now: datetime) -> None:
        self.estate = estate
        self.roles = Roles(estate.roles)
        self._now = now
        self._by_member: defaultdict[str, list[Binding]] = defaultdict(list)
        for binding in (*estate.bindings, *self._implied()):
            for member in binding.members:
                self._by_member[member].append(binding)
        self._groups: defaultdict[str, dict[str, Because]] = defaultdict(dict)
        for group, members in estate.groups.items():
            for member, because in members.items():
                self._groups[member][group] = because
        self._known: dict[str, dict[str, list[tuple[Binding, tuple[Because, ...]]]]] = {}
        self._chains: dict[str, tuple[str, ...]] = {}

    def _implied(self) -> Iterator[Binding]:
        """What new buckets and datasets grant to whoever has a basic role on their project."""
        for name, resource in self.estate.resources.items():
            if name not in self.estate.whole:
                for word, role in _DEFAULTS.get(resource.kind, ()):
                    yield Binding(name, role, (f"{word}:{resource.project}",), resource.because)

    def members(self) -> list[str]:
        """All that bindings name."""
        return sorted(self._by_member)

    def chain(self, resource: str) -> tuple[str, ...]:
        """The resource and all that it lies in, up to the organisation."""
        if resource not in self._chains:
            found = [resource]
            while len(found) < _MAX_HEIGHT:
                parent = self.parent(found[-1])
                if not parent or parent in found:
                    break
                found.append(parent)
            self._chains[resource] = tuple(found)
        return self._chains[resource]

    def parent(self, name: str) -> str:
        """What a resource lies in; empty when that is not known."""
        if name in self.estate.parents:
            return self.estate.parents[name]
        known = self.estate.resources.get(name)
        if known is not None:
            return project(known.project)
        home = project_in(name)
        return project(home) if home and project(home) != name else ""

    def held(self, member: str) -> dict[str, list[tuple[Binding, tuple[Because, ...]]]]:
        """The bindings that speak of a member, by resource, each with the lines that made it one."""
        if member not in self._known:
            found: defaultdict[str, list[tuple[Binding, tuple[Because, ...]]]] = defaultdict(list)
            names = self.identities(member)
            for name, because in names.items():
                for binding in self._by_member.get(name, ()):
                    found[binding.resource].append((binding, because))
            for word, role in _CONVENIENCE.items():
                for home, bindings in list(found.items()):
                    basic = [(one, lines) for one, lines in bindings if one.role == role and one.condition is None]
                    if basic and home.startswith(project("")):
                        for binding in self._by_member.get(f"{word}:{home.removeprefix(project(''))}", ()):
                            one, lines = basic[0]
                            found[binding.resource].append((binding, (*lines, one.because)))
            self._known[member] = dict(found)
        return self._known[member]

    def identities(self, member: str) -> dict[str, tuple[Because, ...]]:
        """What a member counts as: itself, its groups and theirs, its domain, everyone."""
        found: dict[str, tuple[Because, ...]] = {member: ()}
        pending = [member]
        while pending:
            name = pending.pop()
            for group, because in self._groups.get(name, {}).items():
                if group not in found:
                    found[group] = (*found[name], because)
                    pending.append(group)
        kind, _, rest = member.partition(":")
        if kind in ("user", "group") and "@" in rest:
            found.setdefault(f"domain:{rest.partition('@')[2]}", ())
        if kind in ("user", "serviceAccount"):
            found.setdefault(AUTHENTICATED, ())
        found.setdefault(ALL_USERS, ())
        return found

    def can(self, member: str, permission: str, resource: str, seen: Mapping[str, Any] | None = None) -> Answer:
        """Whether a member has a permission on a resource, or on a project, folder or organisation.

        ``seen``: what conditions see of this one request, beside what is known of the resource.
        """
        chain = self.chain(resource)
        held = self.held(member)
        if not any(place in held for place in chain):
            return NO
        names: dict[str, Any] | None = None
        answer = NO
        for place in chain:
            for binding, lines in held.get(place, ()):
                has = self.roles.has(binding.role, permission)
                if has is State.NO:
                    continue
                if binding.condition is not None and names is None:
                    names = {**self.names(resource, permission), **(seen or {})}
                one = Answer(State.YES, (*lines, binding.because)).both(holds(binding.condition, names or {}))
                if has is State.UNKNOWN:
                    one = one.unless(f"the role {binding.role} holds {permission}")
                answer = answer.either(one)
                if answer.state is State.YES:
                    return self._undenied(member, permission, resource, answer, seen)
        return answer if answer.state is State.NO else self._undenied(member, permission, resource, answer, seen)

    def names(self, resource: str, permission: str) -> dict[str, Any]:
        """What conditions see of a request."""
        known = self.estate.resources.get(resource)
        found: dict[str, Any] = {"request.time": self._now}
        return found | seen_by_conditions(self.estate, resource, known.kind if known else "", permission)

    def _undenied(
        self, member: str, permission: str, resource: str, answer: Answer, seen: Mapping[str, Any] | None = None
    ) -> Answer:
        chain = self.chain(resource)
        for place in (*chain, ""):
            for rule in self.denies(place):
                if not place and rule.resource in chain:
                    continue
                hit = self.denied(rule, member, permission)
                if hit is State.NO:
                    continue
                condition = holds(rule.condition, seen or {})
                if place and hit is State.YES and condition.state is State.YES:
                    return NO
                if condition.state is not State.NO:
                    text = f"the deny policy at {rule.because.path}:{rule.because.line} does not apply"
                    answer = answer.unless(text)
        boundary = stands_against(self.estate, self.chain, member, resource) if self.estate.bound else None
        if boundary is not None:
            where = f"{boundary.because.path}:{boundary.because.line}"
            answer = answer.unless(f"the principal access boundary policy at {where} does not cover {permission}")
        return answer

    def denies(self, place: str) -> list[DenyRule]:
        """The deny rules that are attached to a place; for the empty one, those whose place is open."""
        rules = self.estate.denies or ()
        return [rule for rule in rules if rule.resource == place or (not place and "<" in rule.resource)]

    def undenied(self, member: str, permission: str, resource: str) -> Answer:
        """Whether no deny policy keeps a member from a permission, whoever gives it that."""
        return self._undenied(member, permission, resource, Answer(State.YES))

    @staticmethod
    def is_about(rule: DenyRule, permission: str) -> bool:
        """Whether a deny rule denies a permission to somebody."""
        denied = any(_denies(one, permission) for one in rule.permissions)
        return denied and not any(_denies(one, permission) for one in rule.except_permissions)

    def denied(self, rule: DenyRule, member: str, permission: str) -> State:
        """Whether a deny rule is about a member and a permission, wherever it is attached."""
        if not self.is_about(rule, permission):
            return State.NO
        named = self._among(rule.principals, member)
        return named.both(self._among(rule.except_principals, member).inverse())

    def _among(self, principals: tuple[str, ...], member: str) -> State:
        """Whether principals of a deny rule (identifiers of version 2) include a member."""
        names = self.identities(member)
        found = State.NO
        for one in principals:
            if one == "principalSet://goog/public:all" or _member(one) in names:
                return State.YES
            if isinstance(one, Unresolved) or one.startswith(
                (
                    "principalSet://goog/group/",
                    "principalSet://goog/cloudIdentityCustomerId/",
                    "principalSet://cloudresourcemanager",
                )
            ):
                found = State.UNKNOWN  # who belongs to a group or customer is not all in the input
        return found

    def account(self, email: str) -> str:
        """The full resource name of a service account."""
        return account_name(self.estate, email)


def _denies(pattern: str, permission: str) -> bool:
    """Whether a denied permission, ``iam.googleapis.com/roles.create``, is this one; a group of them has a star."""
    host, _, rest = pattern.partition("/")
    service = {"cloudresourcemanager": "resourcemanager"}.get(host.partition(".")[0], host.partition(".")[0])
    full = f"{service}.{rest}"
    if full.endswith("*"):
        return permission.startswith(full[:-1])
    if rest.startswith("*."):
        return permission.startswith(f"{service}.") and permission.endswith(rest[1:])
    return full == permission


def _member(principal: str) -> str:
    """An identifier of version 2 as the member that bindings name."""
    for prefix, word in (
        ("principal://goog/subject/", "user:"),
        ("principalSet://goog/group/", "group:"),
        ("principal://iam.googleapis.com/projects/-/serviceAccounts/", "serviceAccount:"),
    ):
        if principal.startswith(prefix):
            return word + principal.removeprefix(prefix)
    return principal
