"""``at_layer_4``: what is left of rules of a policy that a node's proxy of Istio's ambient mode holds to.

It sees connections and no requests: an allowance that asks for something of a request lets nothing in, and a denial
denies whatever is on the connection. Sources: Istio documentation, "Use Layer 4 security policy" ("Allowed policy
attributes": what fails safe) and "Configure waypoint proxies"; policies with ``targetRefs`` are a waypoint's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.mesh import by_node
from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod

_REQUESTS: Final = {
    "source": frozenset(("remoteIpBlocks", "notRemoteIpBlocks", "requestPrincipals", "notRequestPrincipals")),
    "operation": frozenset(("hosts", "notHosts", "methods", "notMethods", "paths", "notPaths")),
}
_CONDITIONS: Final = (
    *("source.ip", "source.namespace", "source.principal", "source.serviceAccount"),
    *("destination.ip", "destination.port"),
)
_HELD: Final = ("ALLOW", "DENY")  # it holds to no others


def held_by_node(network: Network, pod: Pod, policy: Object) -> bool:
    """Whether a node's proxy holds to a policy, not a sidecar, a gateway or a waypoint."""
    spec = policy.value.get("spec")
    return by_node(network, pod) and not (isinstance(spec, Map) and (spec.get("targetRefs") or spec.get("targetRef")))


def is_held(policy: Object) -> bool:
    """Whether the node's proxy knows what a policy asks for."""
    spec = policy.value.get("spec")
    return not isinstance(spec, Map) or str(spec.get("action") or "ALLOW") in _HELD


def at_layer_4(rule: Map, *, denies: bool) -> Map | None:
    """A rule without what it says of requests; None for one that lets nothing in."""
    found = Map(rule.line, rule.path)
    for key, value in rule.items():
        inner = {"from": _part("source"), "to": _part("operation"), "when": _condition}.get(key)
        left = value if inner is None else _kept(value, inner, denies=denies)
        if left is None:
            return None
        if not (key == "when" and not left):
            found.put(key, left, rule.at(key))
    return found


def _kept(value: Any, inner: Callable[[Map], Map | None], *, denies: bool) -> Seq | None:
    found = Seq(getattr(value, "line", 0))
    for item in listed(value):
        left = inner(item) if isinstance(item, Map) else item
        if left is not item and not denies:
            return None
        if left is not None:
            found.put(left, getattr(item, "line", found.line))
    return found


def _part(name: str) -> Callable[[Map], Map]:
    def stripped(item: Map) -> Map:
        given = item.get(name)
        if not isinstance(given, Map) or not _REQUESTS[name] & {str(key) for key, value in given.items() if value}:
            return item
        left, whole = Map(given.line, given.path), Map(item.line, item.path)
        for key, value in given.items():
            if key not in _REQUESTS[name]:
                left.put(key, value, given.at(key))
        whole.put(name, left, item.at(name))
        return whole

    return stripped


def _condition(item: Map) -> Map | None:
    return item if item.get("key") in _CONDITIONS else None
