"""``least_roles``: for needed requests the smallest roles and bindings that the old ones contain.

A role in each namespace, and a cluster role only for what is needed in the whole cluster. What a subject holds
through its groups counts as old: the new ones take the place of all of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.default_roles import RBAC
from assaymark.assess.kubernetes.formulas import language
from assaymark.assess.kubernetes.needs import holds, needed_rule, written
from assaymark.assess.kubernetes.rbac import Subject, bindings
from assaymark.assess.proofs import Needed, least_rewrite
from assaymark.assess.rewrite import Replaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assaymark.assess.estate.kubernetes import Cluster
    from assaymark.assess.kubernetes.rbac import Bound, Rule
    from assaymark.assess.rewrite import Rewrite

_API: Final = f"{RBAC}/v1"
_ALL: Final = "*"


def subjects(cluster: Cluster) -> dict[str, Subject]:
    """Whom bindings name and who is an account, by the ids of their nodes."""
    found = {one.id: one for bound in bindings(cluster) for one in bound.subjects}
    for account in cluster.of("ServiceAccount"):
        found.setdefault(account.id, Subject("ServiceAccount", account.namespace, account.name))
    return found


def least_roles(cluster: Cluster, subject: Subject, needs: Iterable[tuple[str, str]]) -> Rewrite:
    """The least roles for pairs of action and place.

    Raises:
        UsageError: ``solver-missing``.
    """
    held = held_by(cluster, subject)
    old = [rule for one in held for rule in one.rules]
    needed = needed_rules(held, needs)
    rules = merged(needed.grants)
    return least_rewrite(
        subject.id,
        replaced(held, subject),
        lambda some: _objects(subject, some),
        (rules, old),
        language([*rules, *old]),
        needed,
    )


def held_by(cluster: Cluster, subject: Subject) -> list[Bound]:
    """The bindings that speak of a subject or of a group that it is in."""
    return [one for one in bindings(cluster) if {*one.subjects} & {*counts_as(subject)}]


def needed_rules(held: Sequence[Bound], needs: Iterable[tuple[str, str]]) -> Needed[Rule]:
    """Needs as rules, as far as what is held allows them."""
    wanted = [rule for need in sorted(set(needs)) if (rule := needed_rule(*need)) is not None]
    needed = tuple(rule for rule in wanted if any(holds(each, rule) for one in held for each in one.rules))
    left = tuple(written(rule) for rule in wanted if rule not in needed)
    return Needed(needed, left, ()) if all(one.whole for one in held) else Needed(needed, (), left)


def counts_as(subject: Subject) -> list[Subject]:
    """A subject and the groups that the API server puts it into."""
    groups = []
    if subject.kind == "ServiceAccount":
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{subject.namespace}", "system:authenticated"]
    elif subject.kind == "User" and subject.name != "system:anonymous":
        groups = ["system:authenticated"]
    elif subject.kind == "User":
        groups = ["system:unauthenticated"]
    return [subject, *(Subject("Group", "", name) for name in groups)]


def merged(needed: Sequence[Rule]) -> list[Rule]:
    """Rules that allow just what the needed ones allow, as few as their forms make it."""
    rules = [replace(one, because=(), default=False) for one in needed]
    rules = [one for one in dict.fromkeys(rules) if not any(other != one and holds(other, one) for other in rules)]
    for field in ("verbs", "resources", "names", "urls"):
        groups: defaultdict[Rule, set[str]] = defaultdict(set)
        for rule in rules:  # a rule without names means all of them, which no list of names says
            groups[replace(rule, **{field: ()})] |= {*getattr(rule, field)} or {_ALL}  # type: ignore[arg-type]
        rules = [
            replace(rule, **{field: tuple(sorted(values - {_ALL}))})  # type: ignore[arg-type]  # texts
            for rule, values in groups.items()
        ]
    return sorted(
        set(rules), key=lambda one: (one.namespace, one.groups, one.resources, one.verbs, one.names, one.urls)
    )


def replaced(held: Sequence[Bound], subject: Subject) -> list[Replaced]:
    """The bindings as far as they are the subject's, each with the rules of its role where files say them."""
    found = []
    for one in held:
        reference = one.binding.value.get("roleRef")
        role = dict(reference) if isinstance(reference, dict) else {}
        via = [each for each in one.subjects if each in counts_as(subject)]
        through = "" if subject in via else f", through the group {via[0].name}"
        name = f"{one.binding.kind} {one.binding.name} to {role.get('kind')} {role.get('name')}{through}"
        value: dict[str, Any] = _bound(one.binding.kind, one.binding.name, one.binding.namespace, via[0], role)
        if one.role is not None:
            value["rules"] = [_rule_json(rule) for rule in one.rules]
        found.append(Replaced(name, one.binding.because(), value))
    return found


def _objects(subject: Subject, rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """The roles and bindings as manifests."""
    by_place: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_place[rule.namespace].append(rule)
    found = []
    for namespace, some in sorted(by_place.items()):
        prefix, name = "" if namespace else "Cluster", f"{subject.name.replace(':', '-')}-least"
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        head = {"apiVersion": _API, "kind": f"{prefix}Role", "metadata": metadata}
        found.append({**head, "rules": [_rule_json(rule) for rule in some]})
        reference = {"apiGroup": RBAC, "kind": f"{prefix}Role", "name": name}
        found.append(_bound(f"{prefix}RoleBinding", name, namespace, subject, reference))
    return found


def _bound(kind: str, name: str, namespace: str, subject: Subject, role: dict[str, Any]) -> dict[str, Any]:
    place = {"namespace": subject.namespace} if subject.kind == "ServiceAccount" else {"apiGroup": RBAC}
    return {
        "apiVersion": _API,
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "roleRef": {str(key): str(value) for key, value in role.items()},
        "subjects": [{"kind": subject.kind, "name": subject.name, **place}],
    }


def _rule_json(rule: Rule) -> dict[str, list[str]]:
    words = {
        "apiGroups": rule.groups,
        "resources": rule.resources,
        "resourceNames": rule.names,
        "nonResourceURLs": rule.urls,
        "verbs": rule.verbs,
    }
    return {key: list(values) for key, values in words.items() if values}
