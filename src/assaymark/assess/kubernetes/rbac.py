"""Who may do what in a cluster: RBAC as the API server evaluates it, and what an attacker makes of it.

Source: Kubernetes documentation, "Using RBAC Authorization" (privilege escalation prevention, escalate, bind,
impersonate) and "Role Based Access Control Good Practices" (privilege escalation risks).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.default_roles import BUILT_IN, BUILT_IN_ROLES, RBAC, TAKES_IN, WHOLE
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.core.graph import Because

_DEFAULT: Final = "kubernetes.io/bootstrapping"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in one scope. ``namespace`` is empty for the whole cluster. ``names``: none means all.

    ``default``: by a binding that every cluster makes for itself. ``urls``: paths that are of no resource.
    """

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...]
    namespace: str
    because: tuple[Because, ...]
    default: bool = False
    urls: tuple[str, ...] = ()

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """Whether it allows a verb on a resource (``pods/exec`` for a part of one)."""
        if not ({"*", verb} & set(self.verbs) and {"*", group} & set(self.groups)):
            return False
        part = resource.partition("/")[2]
        fits = {"*", resource} | ({f"*/{part}"} if part else set())
        return bool(fits & set(self.resources))

    def allows_path(self, verb: str, path: str) -> bool:
        """Whether it allows a verb on a path that is of no resource; only rules of the whole cluster do."""
        named = any(one in ("*", path) or (one.endswith("*") and path.startswith(one[:-1])) for one in self.urls)
        return named and not self.namespace and bool({"*", verb} & set(self.verbs))


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is bound: ``kind`` is ServiceAccount, User or Group."""

    kind: str
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """The id of its node."""
        return f"k8s:{self.namespace or '-'}/{self.kind.lower()}/{self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the API server: ``resource`` with its part (``pods/exec``), or ``path`` for no resource.

    ``name`` is empty where a request has none, ``namespace`` for what lies in none and for all of them.
    """

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding with those whom it names and the rules that it gives them.

    ``role``: the role as the input has it; None for one that every cluster has, or that is not there. ``whole``: the
    rules are all that there are of the role.
    """

    binding: Object
    subjects: tuple[Subject, ...]
    rules: tuple[Rule, ...]
    role: Object | None
    whole: bool


def bindings(cluster: Cluster) -> Iterator[Bound]:
    """All bindings of a cluster."""
    for binding in cluster.of("RoleBinding", "ClusterRoleBinding"):
        roles, name = _roles(cluster, binding)
        whole = bool(roles) or (name in WHOLE and _kind(binding) == "ClusterRole")
        role = roles[0] if roles else None
        yield Bound(binding, tuple(_subjects(binding)), tuple(_rules(cluster, binding)), role, whole)


def bound(cluster: Cluster) -> dict[Subject, list[Rule]]:
    """The rules of each subject, by all bindings."""
    found: dict[Subject, list[Rule]] = {}
    for one in bindings(cluster):
        for subject in one.subjects:
            found.setdefault(subject, []).extend(one.rules)
    return found


def permits(rules: Iterable[Rule], request: Request) -> bool:
    """Whether one of the rules allows a request, as the API server decides it."""
    for rule in rules:
        if request.path:
            if rule.allows_path(request.verb, request.path):
                return True
        elif (
            rule.namespace in ("", request.namespace)
            and (not rule.names or request.name in rule.names)
            and rule.allows(request.verb, request.group, request.resource)
        ):
            return True
    return False


def _subjects(binding: Object) -> Iterator[Subject]:
    """Whom a binding names."""
    for item in listed(binding.value.get("subjects")):
        if isinstance(item, Map) and isinstance(item.get("name"), str):
            kind, name = str(item.get("kind")), str(item["name"])
            if kind == "ServiceAccount":
                yield Subject(kind, str(item.get("namespace") or binding.namespace), name)
            elif kind == "User" and name.startswith("system:serviceaccount:") and name.count(":") == 3:  # noqa: PLR2004
                _, _, namespace, account = name.split(":")
                yield Subject("ServiceAccount", namespace, account)
            elif kind in ("User", "Group"):
                yield Subject(kind, "", name)


def _kind(binding: Object) -> str:
    reference = binding.value.get("roleRef")
    return str(reference.get("kind")) if isinstance(reference, Map) else ""


def _roles(cluster: Cluster, binding: Object) -> tuple[list[Object], str]:
    """The role that a binding refers to, as each overlay has it, and its name."""
    reference = binding.value.get("roleRef")
    name = str(reference.get("name")) if isinstance(reference, Map) else ""
    kind = _kind(binding)
    namespace = binding.namespace if kind == "Role" else ""
    return [one for one in cluster.of(kind) if one.name == name and one.namespace == namespace], name


def _rules(cluster: Cluster, binding: Object) -> Iterator[Rule]:
    reference = binding.value.get("roleRef")
    if not isinstance(reference, Map):
        return
    roles, name = _roles(cluster, binding)
    kind = _kind(binding)
    namespace = binding.namespace if binding.kind == "RoleBinding" else ""
    where = binding.because(reference)
    default = binding.labels().get(_DEFAULT) == "rbac-defaults"
    if not roles:
        for groups, resources, verbs in BUILT_IN.get(name, ()) if kind == "ClusterRole" else ():
            urls = ("*",) if "*" in resources else ()
            yield Rule(groups, resources, verbs, (), namespace, (where,), default, urls)
    found = [one for role in roles for one in _role_rules(cluster, role, set())]
    for of, item in found if roles or kind == "Role" else _added(cluster, name):
        yield Rule(
            _words(item, "apiGroups"),
            _words(item, "resources"),
            _words(item, "verbs"),
            _words(item, "resourceNames"),
            namespace,
            (of.because(item), where),
            default,
            _words(item, "nonResourceURLs"),
        )


def _role_rules(cluster: Cluster, role: Object, seen: set[str]) -> Iterator[tuple[Object, Map]]:
    """The rules of a role, and of those that it aggregates, each with the role that it stands in."""
    seen.add(role.id)
    yield from ((role, item) for item in listed(role.value.get("rules")) if isinstance(item, Map))
    aggregation = role.value.get("aggregationRule")
    selectors = aggregation.get("clusterRoleSelectors") if isinstance(aggregation, Map) else None
    for selector in listed(selectors):
        for other in cluster.of("ClusterRole"):
            if other.id not in seen and selects(selector, other.labels()):
                yield from _role_rules(cluster, other, seen)


def _added(cluster: Cluster, name: str) -> Iterator[tuple[Object, Map]]:
    """What roles of the input add to one that every cluster has, by their labels."""
    labels = [f"{RBAC}/aggregate-to-{one}" for one in TAKES_IN.get(name, ())]
    seen: set[str] = set()
    for other in cluster.of("ClusterRole"):
        if other.id not in seen and any(other.labels().get(label) == "true" for label in labels):
            yield from _role_rules(cluster, other, seen)


def unresolved_roles(cluster: Cluster) -> Iterator[tuple[Object, str]]:
    """Bindings whose role is neither in the input nor one that every cluster has."""
    for binding in cluster.of("RoleBinding", "ClusterRoleBinding"):
        reference = binding.value.get("roleRef")
        if isinstance(reference, Map):
            kind, name = str(reference.get("kind")), str(reference.get("name"))
            namespace = binding.namespace if kind == "Role" else ""
            known = any(one.name == name and one.namespace == namespace for one in cluster.of(kind))
            given = name in BUILT_IN if kind == "ClusterRole" else (namespace, name) in BUILT_IN_ROLES
            if not known and not given:
                yield binding, f"{kind} {name}"


def _words(item: Map, key: str) -> tuple[str, ...]:
    found = item.get(key)
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def selects(selector: Any, labels: dict[str, str]) -> bool:
    """Whether a label selector means what has these labels; an empty one (not an absent one) means all."""
    if not isinstance(selector, dict):
        return False
    wanted = selector.get("matchLabels")
    for key, value in (wanted if isinstance(wanted, dict) else {}).items():
        if labels.get(key) != str(value):
            return False
    for item in listed(selector.get("matchExpressions")):
        if isinstance(item, dict) and not _expression(item, labels):
            return False
    return True


def _expression(item: dict[str, Any], labels: dict[str, str]) -> bool:
    key, values = str(item.get("key")), [str(one) for one in listed(item.get("values"))]
    match item.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
