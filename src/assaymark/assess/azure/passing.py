"""``Passing``: what becomes of a request that something of Azure passes on to a host or to machines.

Sources: Microsoft documentation, "Set up Azure App Service access restrictions", "Using private endpoints for App
Service apps", "Secure your origin with Private Link in Azure Front Door", "Network security groups".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answering import Way
from assaymark.assess.azure.fields import id_of, refers
from assaymark.assess.azure.hosts import Hosts
from assaymark.assess.azure.sites import SITES, Caller, authenticates, limits
from assaymark.assess.kubernetes.ports import port_number
from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.values import dicts_in, texts_in, whole_number
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.azure.network import Machine, Network
    from assaymark.assess.azure.security_groups import Sender
    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.estates import Estates
    from assaymark.core.graph import Because

_APP: Final = "microsoft.app/containerapps"
_GROUP: Final = "microsoft.containerinstance/containergroups"
_ENDPOINT: Final = "microsoft.network/privateendpoints"


@dataclass(frozen=True, slots=True)
class Passed:
    """What passes requests of the internet on: in words, where that is written, and what would decide that it does.

    ``sender`` is what security groups see, ``caller`` what access restrictions see. ``subnets``: where it lies, from
    which private endpoints are reached; ``approved``: None for no private link of its own, else what would decide
    that the other side takes it.
    """

    how: str
    because: tuple[Because, ...]
    decides: tuple[str, ...]
    sender: Sender
    caller: Caller = field(default_factory=Caller)
    subnets: frozenset[str] = frozenset()
    approved: tuple[str, ...] | None = None

    def also(self, *because: Because, decides: tuple[str, ...] = ()) -> Passed:
        """The same with more lines, and more that decides."""
        return replace(self, because=(*self.because, *because), decides=(*self.decides, *decides))


class Passing:
    """Where requests end up."""

    def __init__(self, estates: Estates, network: Network) -> None:
        self.resources = estates.azure.resources
        self.network = network
        self.hosts = Hosts(estates, network)
        self._private = [one for one in self.resources.values() if one.kind == _ENDPOINT]

    def to_machine(self, machine: Machine, passed: Passed, port: int | None) -> Iterator[Way]:
        """The way to a port of a machine, as far as its security groups let the sender in."""
        passed = passed.also(machine.because)
        if machine.groups is None:
            decides = (f"the security groups of {machine.resource.name} let {passed.sender.words} in",)
            more = () if passed.sender.within else decides
            yield Way(machine.resource.id, port, passed.how, passed.because, (*passed.decides, *more))
            return
        ports = [port] if port is not None else [None, *sorted(machine.singles())]
        for one in ports:
            answer = machine.lets(passed.sender, one)
            if answer.state is not State.NO:
                found = passed.also(*answer.because, decides=answer.decides)
                yield Way(machine.resource.id, one, found.how, found.because, found.decides)

    def to_host(self, text: str, passed: Passed, port: int | None) -> Iterator[Way]:
        """The ways to what a host's name or an address is of, if that takes what is passed on to it."""
        one = self.hosts.of(text)
        for machine in self.hosts.machines(text):
            yield from self.to_machine(machine, passed, port)
        if one is None:
            return
        if one.kind in SITES:
            yield from self.to_site(one, passed)
        elif one.kind == _APP:
            yield from self._to_app(one, passed)
        elif one.kind == _GROUP:
            found = passed.also(one.because)
            yield from (Way(one.id, number, found.how, found.because, found.decides) for number in _ports(one))

    def to_site(self, one: Resource, passed: Passed) -> Iterator[Way]:
        """The way to a site: by its public name, or by a private endpoint that the sender reaches."""
        found = passed.also(one.because)
        decides = limits(one, self.resources, passed.caller) if passed.approved is None else None
        if decides is not None:
            yield Way(one.id, None, found.how, found.because, (*found.decides, *decides))
        link = self._linked(one, passed)
        decides = limits(one, self.resources, passed.caller, private=True) if link is not None else None
        if link is not None and decides is not None:
            found = found.also(*link.because, decides=link.decides)
            yield Way(one.id, None, found.how, found.because, (*found.decides, *decides))

    def _linked(self, one: Resource, passed: Passed) -> Passed | None:
        """How a private endpoint leads there; None for none."""
        empty = replace(passed, because=(), decides=())
        if passed.approved is not None:
            agreed = any(word == "Approved" for word in texts_in(got(one.settings, "privateEndpointConnections")))
            return empty.also(decides=() if agreed else passed.approved)
        for endpoint in self._private if passed.subnets else ():
            connections = blocks(
                endpoint.settings,
                *("privateServiceConnection", "privateLinkServiceConnections", "manualPrivateLinkServiceConnections"),
            )
            if any(refers(text, one) for part in connections for text in texts_in(part)):
                place = (text_at(endpoint.settings, "subnetId") or id_of(got(endpoint.settings, "subnet"))).lower()
                near = _network(place) in {_network(subnet) for subnet in passed.subnets}
                more = (
                    ()
                    if near and place
                    else (f"the network of {endpoint.name} is one with that of {passed.sender.words}",)
                )
                return empty.also(endpoint.because, decides=more)
        return None

    def _to_app(self, one: Resource, passed: Passed) -> Iterator[Way]:
        """The way to a container app; whether it has rules about addresses is not compared with the sender's."""
        places = (one.settings, got(one.settings, "configuration"))
        ingress = next((part for place in places for part in blocks(place, "ingress")), {})
        asks = authenticates(one, self.resources)
        if asks is True or not ingress or got(ingress, "externalEnabled", "external") is not True:
            return
        decides = () if asks is False else (f"{one.name} asks who calls on all paths",)
        if got(ingress, "ipSecurityRestriction", "ipSecurityRestrictions"):
            decides = (*decides, f"the restrictions of {one.name} let {passed.sender.words} in")
        found = passed.also(one.because, decides=decides)
        if passed.approved is not None:
            found = found.also(decides=passed.approved)
        port = port_number(whole_number(got(ingress, "targetPort")))
        yield Way(one.id, port, found.how, found.because, found.decides)


def _network(subnet: str) -> str:
    """The virtual network of a subnet; of a reference itself, where subnets of one network are not told apart."""
    return subnet.partition("/subnets/")[0]


def _ports(one: Resource) -> list[int]:
    """The ports of a container group."""
    found = set()
    for part in dicts_in(one.settings.get("container") or one.settings.get("containers")):
        for item in blocks(part, "ports"):
            number = port_number(whole_number(got(item, "port")))
            found |= {number} if number is not None else set()
    return sorted(found)


def last_of(value: Any, name: str) -> str:
    """The last word of a reference to a part, by id or by name, in lower case; empty for none."""
    given: Mapping[str, Any] | Any = got(value, name)
    text = id_of(given) or (given if isinstance(given, str) else "") or text_at(value, f"{name}Name", f"{name}Id")
    return text.rpartition("/")[2].lower()
