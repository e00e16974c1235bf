"""``by_linkerd``: whom policies of Linkerd let call a pod.

Source: Linkerd documentation, "Authorization Policy": default policies, servers with their ``accessPolicy`` (``deny``
where they have none), authorisations, routes; "Proxy Configuration" (ports that skip the proxy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from assaymark.assess.kubernetes.mesh_callers import Admitted, getting_there, spec_of
from assaymark.assess.kubernetes.mesh_targets import linkerd_routes
from assaymark.assess.kubernetes.ports import declared_ports, named_ports
from assaymark.assess.kubernetes.rbac import selects
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.mesh_requests import Asked
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod

_DEFAULT: Final = "config.linkerd.io/default-inbound-policy"
_SKIPPED: Final = "config.linkerd.io/skip-inbound-ports"
_ALL: Final = "all-unauthenticated"
_Test: TypeAlias = "Callable[[Pod], bool]"


def by_linkerd(network: Network, pod: Pod, asked: Asked | None) -> Admitted:
    """Whom servers, authorisations and defaults let in."""
    servers = [
        one
        for one in network.cluster.of("Server")
        if "linkerd" in one.api
        and one.namespace == pod.owner.namespace
        and isinstance(spec_of(one).get("podSelector"), Map)
        and selects(spec_of(one)["podSelector"], pod.labels)
    ]
    notes = {**network.namespace_annotations(pod.owner.namespace), **pod.annotations}
    if not servers:
        return _by_default(network, pod, notes.get(_DEFAULT, _ALL), pod.owner)
    if _SKIPPED in notes:
        return Admitted(State.UNKNOWN, by=servers[0])  # ports that pass the proxy by
    names = {one.name for one in servers}
    given = [_by_default(network, pod, str(spec_of(one).get("accessPolicy") or "deny"), one) for one in servers]
    if State.YES in {one.anyone for one in given}:
        return Admitted(State.YES if len(servers) == 1 else State.UNKNOWN, by=servers[0])
    anyone, tests = max((one.anyone for one in given), key=_RANK.index), list[_Test]()
    routes = linkerd_routes(network, pod.owner.namespace, names, asked)
    if asked is not None and routes and State.NO in routes.values() and len(set(routes.values())) == 1:
        return Admitted(State.NO, (), servers[0])  # a server with routes answers what is on one of them
    for one in network.cluster.of("AuthorizationPolicy", "ServerAuthorization"):
        if one.namespace == pod.owner.namespace and "linkerd" in one.api:
            reference = next((spec_of(one).get(key) for key in ("targetRef", "server") if key in spec_of(one)), None)
            part = _targets(reference, names, routes if asked is not None else None)
            if part:
                state, test = _let_in(network, one)
                state = state if part == "whole" else _less(state)
                anyone = max(anyone, state, key=_RANK.index)
                tests.append(test)
    served = len(servers) == 1
    callers = [(index, one, State.YES) for index, one in enumerate(network.pods) if any(test(one) for test in tests)]
    if anyone is State.NO and notes.get(_DEFAULT) != "deny" and not _covers(servers, pod):
        return Admitted(State.UNKNOWN, by=servers[0])  # ports that no server is about have the default
    known = getting_there(network, pod, callers, servers[0]) if anyone is State.NO else ()
    known = tuple(sorted({**dict(known), **{who: more for one in given for who, more in one.callers}}.items()))
    return Admitted(anyone if served else _less(anyone), known, servers[0])


def _by_default(network: Network, pod: Pod, word: str, policy: Object) -> Admitted:
    """Whom a default lets in, of a workload or of a server (``accessPolicy``)."""
    if word in (_ALL, "audit"):
        return Admitted(State.YES)
    if word in ("all-authenticated", "cluster-authenticated"):
        meshed = [(index, one, State.YES) for index, one in enumerate(network.pods)]
        return Admitted(State.NO, getting_there(network, pod, meshed, policy), policy)
    return Admitted(State.NO if word == "deny" else State.UNKNOWN, by=policy)


def _covers(servers: list[Object], pod: Pod) -> bool:
    """Whether each port that a pod's containers declare has a server."""
    about = {str(spec_of(one).get("port")) for one in servers}
    names = {str(number): name for name, number in named_ports(pod).items()}
    ports = {str(number) for container in pod.containers() for number in declared_ports(container)}
    return bool(ports) and all(one in about or names.get(one) in about for one in ports)


_RANK: Final = (State.NO, State.UNKNOWN, State.YES)


def _less(state: State) -> State:
    return State.UNKNOWN if state is State.YES else state


def _targets(reference: Any, names: set[str], routes: dict[str, State] | None) -> str:
    """What an authorisation is about: ``whole`` for what is asked, ``part`` where it may be; empty for none."""
    if not isinstance(reference, Map):
        return ""
    kind, name = reference.get("kind", "Server"), reference.get("name")
    if kind == "Namespace" or (kind == "Server" and name in names):
        return "whole"
    if kind in ("HTTPRoute", "GRPCRoute") and routes is not None:
        met = routes.get(str(name), State.NO)
        return {State.YES: "whole", State.UNKNOWN: "part"}.get(met, "")
    return "part" if kind in ("HTTPRoute", "GRPCRoute") or "selector" in reference else ""


def _let_in(network: Network, policy: Object) -> tuple[State, _Test]:
    """Whether an authorisation lets anyone in, and which pods."""
    client = spec_of(policy).get("client")
    if isinstance(client, Map):
        return (State.YES if client.get("unauthenticated") is True else State.NO), lambda _: "meshTLS" in client
    references = [one for one in listed(spec_of(policy).get("requiredAuthenticationRefs")) if isinstance(one, Map)]
    identities: list[str] = []
    anyone = State.YES
    for one in references:
        kind, name = str(one.get("kind")), str(one.get("name"))
        namespace = str(one.get("namespace") or policy.namespace)
        if kind == "NetworkAuthentication":
            anyone = anyone.both(State.UNKNOWN)
            continue
        anyone = State.NO
        if kind == "ServiceAccount":
            identities.append(f"{name}.{namespace}.")
        for known in network.cluster.of("MeshTLSAuthentication"):
            if kind == "MeshTLSAuthentication" and (known.namespace, known.name) == (namespace, name):
                identities += [str(each) for each in listed(spec_of(known).get("identities"))]
                for each in listed(spec_of(known).get("identityRefs")):
                    if isinstance(each, Map):
                        home = str(each.get("namespace") or namespace)
                        whole = each.get("kind") == "Namespace"
                        identities.append(f"*.{each.get('name')}." if whole else f"{each.get('name')}.{home}.")
    return anyone, lambda pod: any(_is(one, pod) for one in identities)


def _is(identity: str, pod: Pod) -> bool:
    """Whether an identity, ``account.namespace.serviceaccount.identity...`` or a pattern, is a pod's."""
    own = f"{pod.account or 'default'}.{pod.owner.namespace}.serviceaccount.identity.linkerd.cluster.local"
    if identity.endswith("."):
        identity += "serviceaccount.identity.linkerd.cluster.local"
    return identity in ("*", own) or (identity.startswith("*.") and own.endswith(identity[1:]))
