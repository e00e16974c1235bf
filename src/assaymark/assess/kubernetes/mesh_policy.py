"""``admitted``: whom the policies of a mesh let call a pod: anyone, those that the mesh knows, or nobody.

Sources: Istio documentation, "Authorization Policy" (a matching denial decides, then any matching allowance; where
there is an allowance at all, what none matches is denied; one without rules matches nothing) and "Conditions";
what Linkerd says is read beside it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.mesh import applies, in_mesh
from assaymark.assess.kubernetes.mesh_callers import Admitted, getting_there, spec_of
from assaymark.assess.kubernetes.mesh_linkerd import by_linkerd
from assaymark.assess.kubernetes.mesh_requests import ADDRESSES, addresses, fits, operations
from assaymark.assess.kubernetes.mesh_targets import about
from assaymark.assess.kubernetes.mesh_ztunnel import at_layer_4, held_by_node, is_held
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.mesh_callers import Callers
    from assaymark.assess.kubernetes.mesh_requests import Asked
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod

_GATEWAY: Final = re.compile(r"gateway|ingress", re.IGNORECASE)
_IDENTITIES: Final = ("principals", "namespaces", "serviceAccounts")
_TOKENS: Final = ("requestPrincipals",)
_EXCLUDED: Final = "traffic.sidecar.istio.io/excludeInboundPorts"


def judged(found: Admitted) -> str:
    """What decides, as messages say it: a policy, or the service that it leaves the decision to."""
    if found.by is None:
        return ""
    provider = spec_of(found.by).get("provider")
    name = provider.get("name") if isinstance(provider, Map) else None
    shown = f"{found.by.kind} {found.by.name}"
    asked = isinstance(name, str) and spec_of(found.by).get("action") == "CUSTOM"
    return f"the provider {name} of {shown}" if asked else shown


def admitted(network: Network, pod: Pod, asked: Asked | None = None) -> Admitted:
    """Whom policies let call a pod, or ask one thing of it; anyone where there are none."""
    if not in_mesh(network, pod):
        return Admitted(State.YES)
    policies = [one for one in network.cluster.of("AuthorizationPolicy") if "linkerd" not in one.api]
    ours = [one for one in policies if applies(network, one, pod) and about(network, one, pod) is not State.NO]
    held = frozenset(id(one) for one in ours if held_by_node(network, pod, one))
    ours = [one for one in ours if id(one) not in held or is_held(one)]
    if ours:
        return _istio(network, pod, ours, asked, held)
    return by_linkerd(network, pod, asked)


def without_identity(policies: list[Object], asked: Asked) -> tuple[State, Object | None]:
    """What policies of Istio decide of a request of somebody who has no identity; and one that decides it."""
    return _decided(policies, None, asked, frozenset())


# Istio


def _istio(network: Network, pod: Pod, policies: list[Object], asked: Asked | None, held: frozenset[int]) -> Admitted:
    """Whom policies let in. ``held``: those that a node's proxy holds to, by ``id``."""
    loose = next((one for one in policies if about(network, one, pod) is State.UNKNOWN), None)
    if _EXCLUDED in pod.annotations or loose is not None:
        return Admitted(State.UNKNOWN, by=loose or policies[0])
    anyone, by = _decided(policies, None, asked, held)
    known: tuple[tuple[str, tuple[str, ...]], ...] = ()
    if anyone is State.NO:
        known = getting_there(network, pod, _callers(network, policies, asked, held), by or policies[0])
    return Admitted(anyone, known, by or policies[0])


def _callers(network: Network, policies: list[Object], asked: Asked | None, held: frozenset[int]) -> Callers:
    """What policies decide of the pods, by their identities; once for all pods that the same policies are about."""
    key = (asked, held, *(id(one) for one in policies))
    if key not in network.mesh_callers:
        states: dict[tuple[str, str], State] = {}
        found = []
        for index, one in enumerate(network.pods):
            identity = (one.owner.namespace, one.account)
            if identity not in states:
                states[identity], _ = _decided(policies, one, asked, held)
            if states[identity] is not State.NO:
                found.append((index, one, states[identity]))
        network.mesh_callers[key] = found
    return network.mesh_callers[key]


def _decided(
    policies: list[Object], caller: Pod | None, asked: Asked | None, held: frozenset[int]
) -> tuple[State, Object | None]:
    """What policies decide of a caller, None for one that has no identity; and a policy that decides it.

    What another service decides (``CUSTOM``) can only refuse what the others let in.
    """
    unsure: Object | None = None
    allows: list[Object] = []
    for one in policies:
        action = str(spec_of(one).get("action") or "ALLOW")
        if action == "ALLOW":
            allows.append(one)
        elif action == "DENY":
            met = _matches(one, caller, asked, denies=True, node=id(one) in held)
            if met is State.YES:
                return State.NO, one
            unsure = one if met is State.UNKNOWN else unsure
        elif action != "AUDIT" and _matches(one, caller, asked, denies=False, node=id(one) in held) is not State.NO:
            unsure = one
    best, by = (State.NO if allows else State.YES), allows[0] if allows else None
    for one in allows:
        met = _matches(one, caller, asked, denies=False, node=id(one) in held)
        if met is State.YES:
            best, by = met, one
            break
        best, by = (met, one) if met is State.UNKNOWN else (best, by)
    return (State.UNKNOWN, unsure) if best is State.YES and unsure is not None else (best, by)


def _matches(policy: Object, caller: Pod | None, asked: Asked | None, *, denies: bool, node: bool) -> State:
    """Whether some request is matched, of a denial whether all are. ``node``: as a node's proxy holds to it."""
    found = State.NO
    rules = [one for one in listed(spec_of(policy).get("rules")) if isinstance(one, Map)]
    for rule in (at_layer_4(one, denies=denies) for one in rules) if node else rules:
        if rule is None:
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
