"""What is needed of a cluster, as rules: ``get secrets`` in a namespace, of one object, or in the whole cluster.

Source: Kubernetes documentation, "Using RBAC Authorization", referring to resources: requests that create, and those
that delete a collection, have no name that a rule could ask for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.rbac import Request, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.core.graph import Because

EVERYWHERE: Final = "*"
ACTION: Final = re.compile(
    r"(?P<verb>[a-z]+|\*) (?:(?P<resource>[a-z0-9-]+|\*)(?:\.(?P<group>[a-z0-9.-]+|\*))?(?:/(?P<part>[a-z0-9-]+))?"
    r"|(?P<path>/\S*))"
)
_NAMELESS: Final = ("create", "deletecollection")


def needed_rule(action: str, where: str, because: Sequence[Because] = ()) -> Rule | None:
    """A need as a rule, None for what is none.

    ``where``: ``NAMESPACE``, ``NAMESPACE/NAME``, ``*`` for all namespaces and what lies in none, ``*/NAME``; or a
    node's id.
    """
    match = ACTION.fullmatch(action)
    if match is None:
        return None
    verb, part = match["verb"], match["part"]
    if match["path"]:
        return Rule((), (), (verb,), (), "", tuple(because), urls=(match["path"],))
    namespace, _, name = where.removeprefix("k8s:").partition("/")
    kind, _, rest = name.partition("/")
    name = rest if rest and match["resource"] and match["resource"].startswith(kind) else name  # of a node's id
    if name in ("", "*") or (verb in _NAMELESS and not part):
        name = ""
    resource = match["resource"] + (f"/{part}" if part else "")
    scope = "" if namespace in (EVERYWHERE, "-") else namespace
    return Rule((match["group"] or "",), (resource,), (verb,), (name,) if name else (), scope, tuple(because))


def action_of(verb: str, group: str, resource: str) -> str:
    """A verb and a resource as needs are written."""
    kind, _, part = resource.partition("/")
    return f"{verb} {kind}{f'.{group}' if group else ''}{f'/{part}' if part else ''}"


def place_of(namespace: str, name: str) -> str:
    """Where, as needs are written."""
    return (namespace or EVERYWHERE) + (f"/{name}" if name else "")


def written(rule: Rule) -> tuple[str, str]:
    """A needed rule as action and place."""
    if rule.urls:
        return f"{rule.verbs[0]} {rule.urls[0]}", EVERYWHERE
    action = action_of(rule.verbs[0], rule.groups[0], rule.resources[0])
    return action, place_of(rule.namespace, rule.names[0] if rule.names else "")


def words(request: Request) -> tuple[str, str]:
    """A request as action and place."""
    if request.path:
        return f"{request.verb} {request.path}", EVERYWHERE
    return action_of(request.verb, request.group, request.resource), place_of(request.namespace, request.name)


def holds(rule: Rule, need: Rule) -> bool:
    """Whether a rule allows all that a needed one means."""
    if need.urls:
        return rule.allows_path(need.verbs[0], need.urls[0])
    return (
        rule.namespace in ("", need.namespace)
        and (not rule.names or (set(need.names) <= set(rule.names) and bool(need.names)))
        and rule.allows(need.verbs[0], need.groups[0], need.resources[0])
    )
