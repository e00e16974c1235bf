"""``plain_text``: on which ports Istio lets plain text in to a pod, which is all that callers outside the mesh speak.

Sources: Istio documentation, "PeerAuthentication" (``STRICT``: a connection must be TLS with a client certificate;
``portLevelMtls`` of a policy with a selector, by the workload's port), "Resource Annotations"
(``includeInboundPorts``, ``excludeInboundPorts``) and "Gateway" (whose servers say themselves what they take).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.mesh import is_gateway, mode_of, of_istio, port_modes, width
from assaymark.assess.kubernetes.ports import declared_ports, port_number
from assaymark.assess.paths.closure import bits
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod

_EXCLUDED: Final = "traffic.sidecar.istio.io/excludeInboundPorts"
_INCLUDED: Final = "traffic.sidecar.istio.io/includeInboundPorts"
_GATEWAYS: Final = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")
_OWN: Final = 2  # the width of a policy of the workload itself


@dataclass(frozen=True, slots=True)
class Plain:
    """``state``: whether plain text gets in; ``ports``: those of which something else is said.

    ``declared``: the ports that the pod is known to have.
    """

    state: State = State.YES
    ports: tuple[tuple[int, State], ...] = ()
    declared: frozenset[int] = frozenset()

    @property
    def everywhere(self) -> bool:
        """Whether it gets in on all ports."""
        return self.state is State.YES and all(state is State.YES for _, state in self.ports)

    def of(self, number: int | None) -> Iterator[tuple[int | None, State]]:
        """Of a port, or of all (None), whether it gets in: all together first, then what is better off."""
        known = dict(self.ports)
        if number is not None:
            yield number, known.get(number, self.state)
            return
        whole = self.state if self.everywhere or self.state is not State.YES else State.UNKNOWN
        yield None, whole
        for one in sorted(known.keys() | self.declared):
            state = known.get(one, self.state)
            if state is not whole and state is not State.NO and whole is not State.YES:
                yield one, state


ANYWHERE: Final = Plain()


def plain_text(network: Network, pod: Pod) -> Plain:
    """Where plain text gets in to a pod."""
    member = of_istio(network, pod)
    if member is State.NO or is_gateway(pod) or any(one in pod.labels for one in _GATEWAYS):
        return ANYWHERE
    strict, single = _modes(network, pod)
    state = strict.inverse()
    ports = dict(single)
    included = pod.annotations.get(_INCLUDED)
    if included is not None and included.strip() != "*":
        state = State.YES if not included.strip() else State.UNKNOWN
        ports = {} if state is State.YES else ports
    for text in pod.annotations.get(_EXCLUDED, "").split(","):
        number = port_number(text.strip())
        if number is not None:
            ports[number] = State.YES
    if member is State.UNKNOWN:
        state = State.UNKNOWN if state is State.NO else state
        ports = {one: State.UNKNOWN if known is State.NO else known for one, known in ports.items()}
    if state is State.YES and State.NO not in ports.values() and State.UNKNOWN not in ports.values():
        return ANYWHERE
    declared = frozenset[int]().union(*(declared_ports(one) for one in pod.containers()))
    return Plain(state, tuple(sorted((one, known) for one, known in ports.items() if known is not state)), declared)


def _modes(network: Network, pod: Pod) -> tuple[State, dict[int, State]]:
    """Whether mutual TLS is demanded, and the ports of which its own policies say whether they take plain text.

    Where two policies of one width differ, the older counts, which manifests do not show.
    """
    found: dict[int, set[bool]] = {}
    single: dict[int, set[bool]] = {}
    for policy in network.cluster.of("PeerAuthentication"):
        near = width(network, policy, pod)
        own = mode_of(policy)
        if near >= 0 and own not in ("", "UNSET"):
            found.setdefault(near, set()).add(own == "STRICT")
        for port, one in port_modes(policy) if near == _OWN else ():
            number = port_number(port)
            if number is not None and one not in ("", "UNSET"):
                single.setdefault(number, set()).add(one != "STRICT")
    answers = found[max(found)] if found else {False}
    return _state(answers), {number: _state(one) for number, one in single.items()}


def _state(answers: set[bool]) -> State:
    return State.UNKNOWN if len(answers) > 1 else State.YES if True in answers else State.NO


@dataclass(frozen=True, slots=True)
class Rows:
    """For each port (None: all) and pod, as bits, the pods that it reaches: certainly, and if a mesh has it so."""

    sure: dict[int | None, list[int]]
    perhaps: dict[int | None, list[int]]


class Doors:
    """The pods of a cluster that refuse plain text, some ports at least, and those that can speak otherwise."""

    def __init__(self, network: Network) -> None:
        self.plain = [plain_text(network, pod) for pod in network.pods]
        self.guarded = sum(1 << index for index, one in enumerate(self.plain) if not one.everywhere)
        self.members = [of_istio(network, pod) if self.guarded else State.NO for pod in network.pods]

    def through(self, reached: dict[int | None, list[int]]) -> Rows:
        """What is left of who reaches what by network policies."""
        if not self.guarded:
            return Rows(reached, {})
        found = Rows({}, {})
        for number, rows in reached.items():
            taken: dict[int | None, tuple[int, int, int]] = {}  # of the guarded pods, by state
            for target in bits(self.guarded):
                for at, state in self.plain[target].of(number):
                    known = list(taken.get(at, (0, 0, 0)))
                    known[_STATES.index(state)] |= 1 << target
                    taken[at] = (known[0], known[1], known[2])
            for index, row in enumerate(rows):
                member = self.members[index]
                kept = row if member is State.YES else row & ~self.guarded
                _put(found.sure, number, index, kept, len(rows))
                for at, (yes, unknown, no) in taken.items() if row & ~kept else ():
                    may = unknown | no if member is State.UNKNOWN else unknown
                    _put(found.sure, at, index, row & ~kept & yes, len(rows))
                    _put(found.perhaps, at, index, row & ~kept & may, len(rows))
        return found


_STATES: Final = (State.YES, State.UNKNOWN, State.NO)


def _put(found: dict[int | None, list[int]], number: int | None, index: int, targets: int, size: int) -> None:
    if targets:
        found.setdefault(number, [0] * size)[index] |= targets
