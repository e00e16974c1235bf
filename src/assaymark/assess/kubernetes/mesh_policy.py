"""``admitted``: whom the policies of a mesh let call a pod: anyone, those that the mesh knows, or nobody.

Sources: Istio documentation, "Authorization Policy" (a matching denial decides, then any matching allowance; where
there is an allowance at all, what none matches is denied; one without rules matches nothing) and "Conditions";
Linkerd documentation, "Authorization Policy" and "Policy" (servers, authentications, the default of a workload).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from assaymark.assess.kubernetes.mesh import applies, in_mesh
from assaymark.assess.kubernetes.mesh_requests import ADDRESSES, addresses, fits, operations
from assaymark.assess.kubernetes.mesh_targets import about, linkerd_routes
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

_GATEWAY: Final = re.compile(r"gateway|ingress", re.IGNORECASE)
_IDENTITIES: Final = ("principals", "namespaces", "serviceAccounts")
_TOKENS: Final = ("requestPrincipals",)
_EXCLUDED: Final = "traffic.sidecar.istio.io/excludeInboundPorts"
_DEFAULT: Final = "config.linkerd.io/default-inbound-policy"
_Test: TypeAlias = "Callable[[Pod], bool]"
_Callers: TypeAlias = "list[tuple[int, Pod, State]]"


@dataclass(frozen=True, slots=True)
class Admitted:
    """``anyone``: whether a caller that has no identity gets through, a gateway's among them.

    ``callers``: the nodes of the pods that their identity lets in and that get there, each with what would decide
    it, where others are refused. ``by``: a policy that decides.
    """

    anyone: State
    callers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by: Object | None = None


def judged(found: Admitted) -> str:
    """What decides, as messages say it: a policy, or the service that it leaves the decision to."""
    if found.by is None:
        return ""
    provider = _spec(found.by).get("provider")
    name = provider.get("name") if isinstance(provider, Map) else None
    shown = f"{found.by.kind} {found.by.name}"
    asked = isinstance(name, str) and _spec(found.by).get("action") == "CUSTOM"
    return f"the provider {name} of {shown}" if asked else shown


def admitted(network: Network, pod: Pod, asked: Asked | None = None) -> Admitted:
    """Whom policies let call a pod, or ask one thing of it; anyone where there are none."""
    if not in_mesh(network, pod):
        return Admitted(State.YES)
    policies = [one for one in network.cluster.of("AuthorizationPolicy") if "linkerd" not in one.api]
    ours = [one for one in policies if applies(network, one, pod) and about(network, one, pod) is not State.NO]
    if ours:
        return _istio(network, pod, ours, asked)
    if any(network.cluster.of("Server", "ServerAuthorization")) or any("linkerd" in one.api for one in _all(network)):
        return _linkerd(network, pod, asked)
    return Admitted(State.YES)


def without_identity(policies: list[Object], asked: Asked) -> tuple[State, Object | None]:
    """What policies of Istio decide of a request of somebody who has no identity; and one that decides it."""
    return _decided(policies, None, asked)


def _all(network: Network) -> list[Object]:
    return list(network.cluster.of("AuthorizationPolicy"))


def _spec(policy: Object) -> Map:
    spec = policy.value.get("spec")
    return spec if isinstance(spec, Map) else Map(policy.value.line)


# Istio


def _istio(network: Network, pod: Pod, policies: list[Object], asked: Asked | None) -> Admitted:
    loose = next((one for one in policies if about(network, one, pod) is State.UNKNOWN), None)
    if _EXCLUDED in pod.annotations or loose is not None:
        return Admitted(State.UNKNOWN, by=loose or policies[0])
    anyone, by = _decided(policies, None, asked)
    known: tuple[tuple[str, tuple[str, ...]], ...] = ()
    if anyone is State.NO:
        known = _getting_there(network, pod, _callers(network, policies, asked), by or policies[0])
    return Admitted(anyone, known, by or policies[0])


def _callers(network: Network, policies: list[Object], asked: Asked | None) -> _Callers:
    """What policies decide of the pods, by their identities; once for all pods that the same policies are about."""
    key = (asked, *(id(one) for one in policies))
    if key not in network.mesh_callers:
        states: dict[tuple[str, str], State] = {}
        found = []
        for index, one in enumerate(network.pods):
            identity = (one.owner.namespace, one.account)
            if identity not in states:
                states[identity], _ = _decided(policies, one, asked)
            if states[identity] is not State.NO:
                found.append((index, one, states[identity]))
        network.mesh_callers[key] = found
    return network.mesh_callers[key]


def _getting_there(
    network: Network, pod: Pod, callers: _Callers, policy: Object
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The callers that are in the mesh and that network policies let through, on some port."""
    into = network.policies(pod, "Ingress")
    inside = reduce(or_, network.peers(into, "Ingress", perhaps=True).values(), 0) if into else -1
    own = 1 << next((index for index, one in enumerate(network.pods) if one is pod), 0)
    found = {}
    for index, one, state in callers:
        if one.id == pod.id or one.is_template or not in_mesh(network, one):
            continue
        out = network.policies(one, "Egress")
        outside = reduce(or_, network.peers(out, "Egress", perhaps=True).values(), 0) if out else -1
        if inside & 1 << index and outside & own:
            unsure = (f"{policy.kind} {policy.name} lets {one.shown} in",)
            found[one.id] = () if state is State.YES else unsure
    return tuple(sorted(found.items()))


def _decided(policies: list[Object], caller: Pod | None, asked: Asked | None) -> tuple[State, Object | None]:
    """What policies decide of a caller, None for one that has no identity; and a policy that decides it.

    What another service decides (``CUSTOM``) can only refuse what the others let in.
    """
    unsure: Object | None = None
    allows: list[Object] = []
    for one in policies:
        action = str(_spec(one).get("action") or "ALLOW")
        if action == "ALLOW":
            allows.append(one)
        elif action == "DENY":
            met = _matches(one, caller, asked, denies=True)
            if met is State.YES:
                return State.NO, one
            unsure = one if met is State.UNKNOWN else unsure
        elif action != "AUDIT" and _matches(one, caller, asked, denies=False) is not State.NO:
            unsure = one
    best, by = (State.NO if allows else State.YES), allows[0] if allows else None
    for one in allows:
        met = _matches(one, caller, asked, denies=False)
        if met is State.YES:
            best, by = met, one
            break
        best, by = (met, one) if met is State.UNKNOWN else (best, by)
    return (State.UNKNOWN, unsure) if best is State.YES and unsure is not None else (best, by)


def _matches(policy: Object, caller: Pod | None, asked: Asked | None, *, denies: bool) -> State:
    """Whether some request is matched, of a denial whether all are."""
    found = State.NO
    for rule in listed(_spec(policy).get("rules")):
        if not isinstance(rule, Map):
            continue
        met = _from(policy, rule, caller, denies=denies)
        met = met.both(_when(policy, rule, caller, denies=denies))
        to = operations(rule, asked)
        met = met.both(to.every if denies else to.some)
        if met is State.YES:
            return met
        found = State.UNKNOWN if met is State.UNKNOWN else found
    return found


def _from(policy: Object, rule: Map, caller: Pod | None, *, denies: bool) -> State:
    given = rule.get("from")
    if given is None:
        return State.YES
    found = State.NO
    for item in listed(given):
        source = item.get("source") if isinstance(item, Map) else None
        met = _source(policy, source, caller, denies=denies) if isinstance(source, Map) else State.UNKNOWN
        if met is State.YES:
            return met
        found = State.UNKNOWN if met is State.UNKNOWN else found
    return found


def _source(policy: Object, source: Map, caller: Pod | None, *, denies: bool) -> State:
    """Whether all that a source asks for is so."""
    whole = State.YES
    for key, values in source.items():
        texts = [str(one) for one in listed(values)]
        plain = key.removeprefix("not")
        name = key if plain == key else plain[:1].lower() + plain[1:]
        if name in _IDENTITIES:
            met = _identity(policy, name, texts, caller)
        elif name in _TOKENS:  # a caller that has a token of the issuer has been asked who it is
            met = State.UNKNOWN if denies and name == key else State.NO
        elif name in ADDRESSES:
            there = addresses(texts)
            met = there.every if denies is (name == key) else there.some
        else:
            met = State.UNKNOWN
        whole = whole.both(met if name == key else _not(met))
    return whole


def _identity(policy: Object, name: str, texts: list[str], caller: Pod | None) -> State:
    if caller is None:
        return State.UNKNOWN if any(_GATEWAY.search(one) or one == "istio-system" for one in texts) else State.NO
    namespace = caller.owner.namespace
    account = caller.account or "default"
    own = {
        "principals": f"cluster.local/ns/{namespace}/sa/{account}",
        "namespaces": namespace,
        "serviceAccounts": f"{namespace}/{account}",
    }[name]
    for one in texts:
        text = one if name != "serviceAccounts" or "/" in one else f"{policy.namespace}/{one}"
        if fits(text, own) or (name == "principals" and text.partition("/")[2] == own.partition("/")[2]):
            return State.YES
    return State.NO


def _when(policy: Object, rule: Map, caller: Pod | None, *, denies: bool) -> State:
    """Conditions: those on tokens, identities and addresses; others are not evaluated.

    What a request does not carry meets no value, and every ``notValues``.
    """
    whole = State.YES
    for one in listed(rule.get("when")):
        if not isinstance(one, Map):
            continue
        for name in ("values", "notValues"):
            if one.get(name):
                texts = [str(each) for each in listed(one[name])]
                met = _condition(policy, str(one.get("key", "")), texts, caller, denies is (name == "values"))
                whole = whole.both(met if name == "values" else _not(met))
    return whole


_SOURCES: Final = {"principal": "principals", "namespace": "namespaces", "serviceAccount": "serviceAccounts"}


def _condition(policy: Object, key: str, texts: list[str], caller: Pod | None, every: bool) -> State:
    """Whether a request has one of the values: some request, or every one."""
    if key.startswith("request.auth."):
        return State.NO  # a caller that has a token has been asked who it is
    if key.startswith("request.headers["):
        return State.NO if every else State.UNKNOWN  # which the caller chooses, if it knows what to say
    first, _, last = key.partition(".")
    if first == "source" and last in _SOURCES:
        return _identity(policy, _SOURCES[last], texts, caller)
    if key in ("source.ip", "remote.ip"):
        there = addresses(texts)
        return there.every if every else there.some
    return State.UNKNOWN


def _not(state: State) -> State:
    return state.inverse()


# Linkerd


def _linkerd(network: Network, pod: Pod, asked: Asked | None) -> Admitted:
    servers = [
        one
        for one in network.cluster.of("Server")
        if "linkerd" in one.api
        and one.namespace == pod.owner.namespace
        and isinstance(_spec(one).get("podSelector"), Map)
        and selects(_spec(one)["podSelector"], pod.labels)
    ]
    notes = {**network.namespace_annotations(pod.owner.namespace), **pod.annotations}
    default = notes.get(_DEFAULT, "all-unauthenticated")
    if not servers:
        return Admitted({"all-unauthenticated": State.YES, "deny": State.NO}.get(default, State.UNKNOWN))
    names = {one.name for one in servers}
    anyone, tests = State.NO, list[_Test]()
    routes = linkerd_routes(network, pod.owner.namespace, names, asked)
    if asked is not None and routes and State.NO in routes.values() and len(set(routes.values())) == 1:
        return Admitted(State.NO, (), servers[0])  # a server with routes answers what is on one of them
    for one in network.cluster.of("AuthorizationPolicy", "ServerAuthorization"):
        if one.namespace == pod.owner.namespace and "linkerd" in one.api:
            reference = next((_spec(one).get(key) for key in ("targetRef", "server") if key in _spec(one)), None)
            part = _targets(reference, names, routes if asked is not None else None)
            if part:
                state, test = _let_in(network, one)
                state = state if part == "whole" else _less(state)
                anyone = max(anyone, state, key=_RANK.index)
                tests.append(test)
    served = len(servers) == 1
    callers = [(index, one, State.YES) for index, one in enumerate(network.pods) if any(test(one) for test in tests)]
    if anyone is State.NO and not _covers(servers, pod):
        return Admitted(State.UNKNOWN, by=servers[0])  # ports that no server is about have the default
    known = _getting_there(network, pod, callers, servers[0]) if anyone is State.NO else ()
    return Admitted(anyone if served else _less(anyone), known, servers[0])


def _covers(servers: list[Object], pod: Pod) -> bool:
    """Whether each port that a pod's containers declare has a server."""
    about = {str(_spec(one).get("port")) for one in servers}
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
    client = _spec(policy).get("client")
    if isinstance(client, Map):
        return (State.YES if client.get("unauthenticated") is True else State.NO), lambda _: "meshTLS" in client
    references = [one for one in listed(_spec(policy).get("requiredAuthenticationRefs")) if isinstance(one, Map)]
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
                identities += [str(each) for each in listed(_spec(known).get("identities"))]
                for each in listed(_spec(known).get("identityRefs")):
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
