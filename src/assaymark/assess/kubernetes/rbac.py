"""Who may do what in a cluster: RBAC as the API server evaluates it, and what an attacker makes of it.

Source: Kubernetes documentation, "Using RBAC Authorization" (privilege escalation prevention, escalate, bind,
impersonate) and "Role Based Access Control Good Practices" (privilege escalation risks).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.core.graph import Because

RBAC: Final = "rbac.authorization.k8s.io"
_DEFAULT: Final = "kubernetes.io/bootstrapping"
# Roles that every cluster has, as far as they matter: (groups, resources, verbs).
_READ: Final = ("get", "list", "watch")
_CHANGE: Final = ("create", "delete", "deletecollection", "patch", "update")
_WORK: Final = ("deployments", "daemonsets", "statefulsets", "replicasets", "deployments/scale", "statefulsets/scale")
_EDIT: Final = (
    (
        ("",),
        ("pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"),
        (*_READ, *_CHANGE),
    ),
    (("",), ("secrets", "configmaps", "services", "persistentvolumeclaims", "serviceaccounts"), (*_READ, *_CHANGE)),
    (("",), ("serviceaccounts",), ("impersonate",)),
    (("",), ("serviceaccounts/token",), ("create",)),
    (("apps",), _WORK, (*_READ, *_CHANGE)),
    (("batch",), ("jobs", "cronjobs"), (*_READ, *_CHANGE)),
    (("networking.k8s.io",), ("ingresses", "networkpolicies"), (*_READ, *_CHANGE)),
)
_BUILT_IN: Final[dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]]] = {
    "cluster-admin": ((("*",), ("*",), ("*",)),),
    "admin": (*_EDIT, ((RBAC,), ("roles", "rolebindings"), (*_READ, *_CHANGE))),
    "edit": _EDIT,
    "view": ((("",), ("pods", "configmaps", "services", "persistentvolumeclaims"), _READ),),
    "system:auth-delegator": (
        (("authentication.k8s.io",), ("tokenreviews",), ("create",)),
        (("authorization.k8s.io",), ("subjectaccessreviews",), ("create",)),
    ),
    **dict.fromkeys(("system:basic-user", "system:discovery", "system:public-info-viewer", "system:monitoring"), ()),
    "system:node": ((("",), ("secrets", "configmaps", "pods", "nodes"), _READ),),
}
_BUILT_IN_ROLES: Final = (("kube-system", "extension-apiserver-authentication-reader"),)  # reads a ConfigMap
# Whose labelled roles the controller adds to those that every cluster has: what views may edit, and so on.
_TAKES_IN: Final = {"view": ("view",), "edit": ("view", "edit"), "admin": ("view", "edit", "admin")}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in one scope. ``namespace`` is empty for the whole cluster. ``names``: none means all.

    ``default``: by a binding that every cluster makes for itself.
    """

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...]
    namespace: str
    because: tuple[Because, ...]
    default: bool = False

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """Whether it allows a verb on a resource (``pods/exec`` for a part of one)."""
        if not ({"*", verb} & set(self.verbs) and {"*", group} & set(self.groups)):
            return False
        part = resource.partition("/")[2]
        fits = {"*", resource} | ({f"*/{part}"} if part else set())
        return bool(fits & set(self.resources))


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


def bound(cluster: Cluster) -> dict[Subject, list[Rule]]:
    """The rules of each subject, by all bindings."""
    found: dict[Subject, list[Rule]] = {}
    for binding in cluster.of("RoleBinding", "ClusterRoleBinding"):
        rules = list(_rules(cluster, binding))
        for subject in _subjects(binding):
            found.setdefault(subject, []).extend(rules)
    return found


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


def _rules(cluster: Cluster, binding: Object) -> Iterator[Rule]:
    reference = binding.value.get("roleRef")
    if not isinstance(reference, Map):
        return
    name, kind = str(reference.get("name")), str(reference.get("kind"))
    namespace = binding.namespace if binding.kind == "RoleBinding" else ""
    role_namespace = binding.namespace if kind == "Role" else ""
    roles = [one for one in cluster.of(kind) if one.name == name and one.namespace == role_namespace]
    where = binding.because(reference)
    default = binding.labels().get(_DEFAULT) == "rbac-defaults"
    if not roles:
        for groups, resources, verbs in _BUILT_IN.get(name, ()) if kind == "ClusterRole" else ():
            yield Rule(groups, resources, verbs, (), namespace, (where,), default)
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
    labels = [f"{RBAC}/aggregate-to-{one}" for one in _TAKES_IN.get(name, ())]
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
            given = name in _BUILT_IN if kind == "ClusterRole" else (namespace, name) in _BUILT_IN_ROLES
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
