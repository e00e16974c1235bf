"""External load balancers of Google Cloud: what of the internet they pass on to services, functions and instances.

Sources: Google Cloud documentation, "Backend services overview", "URL maps overview", "Firewall rules" of Cloud Load
Balancing (proxies and probes come from 130.211.0.0/22 and 35.191.0.0/16, those of a region from its proxy-only
subnet; what is passed through keeps the client's address), "Serverless network endpoint groups overview", "Enabling
IAP for Cloud Run", "Mutual TLS overview". Cloud Armor asks nobody who it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.answering import Way
from assaymark.assess.gcp.admission import Admission, let_in
from assaymark.assess.gcp.armor import lets_anyone
from assaymark.assess.gcp.parts import Part, Parts
from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.terraform.declared import declared
from assaymark.assess.values import texts_in, whole_number
from assaymark.core.graph import State
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.gcp import Resource
    from assaymark.core.graph import Because

_PROXIES: Final = ("130.211.0.0/22", "35.191.0.0/16")
_EXTERNAL: Final = ("", "external", "external_managed")
_TARGETS: Final = (
    *("targetHttpProxy", "targetHttpsProxy", "targetTcpProxy", "targetSslProxy", "targetGrpcProxy"),
    *("targetPool", "targetInstance"),
)
_BACKENDS: Final = ("backendService", "backendBucket")
_GROUPS: Final = ("instanceGroup", "instanceGroupManager", "networkEndpointGroup")
_IAP: Final = "google_iap_web_"
_EVERYONE: Final = ("allUsers", "allAuthenticatedUsers")


@dataclass(frozen=True, slots=True)
class Entry:
    """What comes by a forwarding rule to a backend: in words, where that is written, what would decide that it does.

    ``senders``: the ranges that firewalls see; None for the client's. ``ports``: those of the rule, where they are
    kept; empty for others. ``shut``: nobody of the internet comes by it without saying who it is.
    """

    how: str
    because: tuple[Because, ...]
    decides: tuple[str, ...] = ()
    senders: tuple[str, ...] | None = None
    ports: tuple[int, ...] = ()
    shut: bool = False

    def also(self, *because: Because, decides: tuple[str, ...] = ()) -> Entry:
        """The same with more lines, and more that decides."""
        return replace(self, because=(*self.because, *because), decides=(*self.decides, *decides))


class Fronts:
    """All of the input."""

    def __init__(self, estates: Estates) -> None:
        self.parts = Parts(estates)
        self._estate = estates.gcp
        self._admission = Admission(estates, self.parts)
        self._kinds = declared(estates).by_kind
        self._entries = [pair for rule in self.parts.of.get("forwardingRule", ()) for pair in self._entered(rule)]

    # what comes in

    def _entered(self, rule: Part) -> Iterator[tuple[Part, Entry]]:
        """The backends that a forwarding rule leads to."""
        scheme = text_at(rule.values, "loadBalancingScheme").lower()
        protocol = text_at(rule.values, "IPProtocol", "ipProtocol").lower() or "tcp"
        if protocol not in ("tcp", "l3_default"):
            return
        how = f"the load balancer {rule.name or rule.address} passes on what comes"
        ports = tuple(_ports(rule.values))
        whole = Entry(how, (rule.because,), ports=ports, shut=scheme not in _EXTERNAL)
        for backend in self.parts.named(got(rule.values, "backendService"), "backendService"):
            yield from self._guarded(backend, whole)
        for target in self.parts.named(got(rule.values, "target"), *_TARGETS):
            if target.kind in ("targetPool", "targetInstance"):
                yield target, whole
                continue
            sender = (
                (*_PROXIES, *self._regional(rule)) if not rule.region else tuple(self._regional(rule)) or _PROXIES
            )
            certified = self._certified(target)
            entry = whole.also(target.because, decides=certified or ())
            entry = replace(entry, senders=sender, ports=(), shut=whole.shut or certified is None)
            for backend in self._behind(target):
                yield from self._guarded(backend, entry)

    def _regional(self, rule: Part) -> Iterator[str]:
        """The ranges of the subnets of proxies in the region of a rule."""
        for one in self.parts.of.get("subnetwork", ()) if rule.region else ():
            purpose = text_at(one.values, "purpose")
            if purpose in ("REGIONAL_MANAGED_PROXY", "INTERNAL_HTTPS_LOAD_BALANCER") and one.region == rule.region:
                yield text_at(one.values, "ipCidrRange")

    def _certified(self, target: Part) -> tuple[str, ...] | None:
        """What would decide that a proxy asks nobody for a certificate; None where it does."""
        given = got(target.values, "serverTlsPolicy")
        if not given:
            return ()
        policies = self.parts.named(given, "serverTlsPolicy")
        modes = [
            text_at(part, "clientValidationMode") for one in policies for part in blocks(one.values, "mtlsPolicy")
        ]
        if "REJECT_INVALID" in modes:
            return None
        return () if policies else (f"{target.name} takes who shows no certificate",)

    def _behind(self, target: Part) -> Iterator[Part]:
        """The backends of a proxy, by its map of paths where it has one."""
        direct = self.parts.named(got(target.values, "backendService", "service"), *_BACKENDS)
        yield from direct
        for one in self.parts.named(got(target.values, "urlMap"), "urlMap"):
            used = {
                text
                for part in blocks(one.values, "hostRules", "hostRule")
                for text in [text_at(part, "pathMatcher")]
            }
            matchers = blocks(one.values, "pathMatchers", "pathMatcher")
            places = [got(one.values, "defaultService"), got(one.values, "defaultRouteAction")]
            places += [part for part in matchers if text_at(part, "name") in used]
            found = {
                id(part): part
                for text in texts_in(*places)
                for part in self.parts.named(text, *_BACKENDS)
                if "/" in text or "${" in text
            }
            yield from found.values()

    def _guarded(self, backend: Part, entry: Entry) -> Iterator[tuple[Part, Entry]]:
        """A backend, shut where its policy keeps everyone out or it asks who calls."""
        decides: tuple[str, ...] = ()
        shut = entry.shut or self._asks(backend)
        for key in ("securityPolicy", "edgeSecurityPolicy"):
            for policy in self.parts.named(got(backend.values, key), "securityPolicy"):
                found = lets_anyone(policy, self.parts)
                shut |= found is None
                decides = (*decides, *(found or ()))
        yield backend, replace(entry.also(backend.because, decides=decides), shut=shut)

    def _asks(self, backend: Part) -> bool:
        """Whether Identity-Aware Proxy asks who calls, and does not let everyone pass."""
        parts = blocks(backend.values, "iap")
        if not any(got(one, "enabled") is not False for one in parts):
            return False
        for kind, resources in self._kinds.items():
            for one in resources if kind.startswith(_IAP) and "backend_service_iam" in kind else ():
                members = texts_in(one.get("member"), one.get("members"))
                named = self.parts.named(one.get("web_backend_service"), "backendService")
                if backend in named and any(member in _EVERYONE for member in members):
                    return False
        return True

    # what it leads to

    def service(self, name: str) -> Answer | None:
        """Whether the internet comes to a service or function by a load balancer; None where none leads there."""
        found: Answer | None = None
        for backend, entry in self._entries:
            for group, part in self._groups(backend):
                if group.kind != "networkEndpointGroup" or not self._serverless(group, name):
                    continue
                answer = NO
                if not entry.shut:
                    answer = Answer(State.YES, (*entry.because, part, group.because))
                    answer = answer.unless(entry.decides[0]) if entry.decides else answer
                found = answer if found is None else found.either(answer)
        return found

    def _groups(self, backend: Part) -> Iterator[tuple[Part, Because]]:
        for part in blocks(backend.values, "backends", "backend"):
            line = getattr(part, "line", 0)
            because = replace(backend.because, line=line) if line else backend.because
            yield from ((group, because) for group in self.parts.named(got(part, "group"), *_GROUPS))

    def _serverless(self, group: Part, name: str) -> bool:
        """Whether a group leads to a service or function; one with a mask of names leads to all that it fits."""
        own = name.rpartition("/")[2]
        place = name.partition("/locations/")[2].partition("/")[0]
        if group.region and place not in ("", "-", group.region):
            return False
        for key, inner in (("cloudRun", "service"), ("cloudFunction", "function")):
            for part in blocks(group.values, key):
                said = text_at(part, inner)
                if said:
                    return _last(said) == own or self._is(said, name)
                if got(part, "urlMask") is not None:
                    return True
        return False

    def _is(self, text: str, name: str) -> bool:
        """Whether a reference of Terraform names a thing."""
        one = self._estate.resources.get(name)
        address = one.settings.get("terraform") if one is not None else None
        return isinstance(address, str) and f"${{{address}." in text

    def ways(self) -> Iterator[Way]:
        """The instances that they lead to."""
        machines = [one for _, one in sorted(self._estate.resources.items()) if one.kind == "compute:instance"]
        for backend, entry in self._entries:
            if entry.shut:
                continue
            for machine, ports, because in self._machines(backend, machines, entry):
                yield from self._reached(machine, ports, entry.also(because))

    def _machines(
        self, backend: Part, machines: Sequence[Resource], entry: Entry
    ) -> Iterator[tuple[Resource, tuple[int, ...], Because]]:
        """The instances of a backend, with the ports that it sends to."""
        if backend.kind in ("targetPool", "targetInstance"):
            named = texts_in(got(backend.values, "instances"), got(backend.values, "instance"))
            pools = self._managed(backend)
            for one in machines:
                if any(_refers(text, one) for text in named) or one in pools(machines):
                    yield one, entry.ports, backend.because
            return
        for group, because in self._groups(backend):
            if group.kind == "networkEndpointGroup":
                for text, kept in self._endpoints(group):
                    yield from ((one, kept, because) for one in machines if _refers(text, one))
                continue
            name = text_at(backend.values, "portName") or "http"
            named_ports = [
                number
                for part in blocks(group.values, "namedPorts", "namedPort")
                if text_at(part, "name") == name and (number := whole_number(got(part, "port"))) is not None
            ]
            ports = entry.ports if entry.senders is None else tuple(named_ports)
            for one in self._members(group, machines):
                yield one, ports, because

    def _managed(self, pool: Part) -> Any:
        """The instances that groups put into a pool."""
        groups = [
            one
            for one in self.parts.of.get("instanceGroupManager", ())
            if any(pool in self.parts.named(text, "targetPool") for text in texts_in(got(one.values, "targetPools")))
        ]
        return lambda machines: [each for group in groups for each in self._members(group, machines)]

    def _members(self, group: Part, machines: Sequence[Resource]) -> list[Resource]:
        """The instances of a group, and the templates that a managed one makes them from."""
        managers = [group] if group.kind == "instanceGroupManager" else []
        if group.kind == "instanceGroup":
            managers = [
                one
                for one in self.parts.of.get("instanceGroupManager", ())
                if group in self.parts.named(got(one.values, "instanceGroup"), "instanceGroup")
            ]
        named = texts_in(got(group.values, "instances"))
        for one in managers:
            named += [text_at(one.values, "instanceTemplate")]
            named += [text_at(part, "instanceTemplate") for part in blocks(one.values, "versions", "version")]
        made = {f"/instancegroupmanagers/{one.name}".lower() for one in managers}
        return [
            one
            for one in machines
            if any(_refers(text, one) for text in named if text) or any(_creator(one).endswith(text) for text in made)
        ]

    def _endpoints(self, group: Part) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The instances of a group of endpoints, with their ports."""
        default = whole_number(got(group.values, "defaultPort"))
        for kind in ("networkEndpoint", "networkEndpoints"):
            for one in self.parts.of.get(kind, ()):
                if group in self.parts.named(got(one.values, "networkEndpointGroup"), group.kind):
                    parts = (
                        [dict(one.values)] if kind == "networkEndpoint" else blocks(one.values, "networkEndpoints")
                    )
                    for part in parts:
                        number = whole_number(got(part, "port"))
                        number = default if number is None else number
                        yield text_at(part, "instance"), () if number is None else (number,)

    def _reached(self, machine: Resource, ports: tuple[int, ...], entry: Entry) -> Iterator[Way]:
        layers = self._admission.layers(machine, interfaces_of(machine))
        singles = {first for rules in layers for rule in rules for first, last in rule.ranges if first == last}
        tried: list[int | None] = [*ports] if ports else [None, *sorted(singles)]
        for port in tried:
            answer = let_in(layers, entry.senders, port)
            if not self._admission.shown:
                answer = Answer(State.YES).unless("firewall rules let the load balancer in")
            if answer.state is not State.NO:
                found = entry.also(machine.because, *answer.because, decides=answer.decides)
                yield Way(machine.name, port, found.how, found.because, found.decides)
            if port is None and answer.state is State.YES:
                return


def interfaces_of(one: Resource) -> list[Mapping[str, Any]]:
    """The network interfaces of an instance."""
    given = one.settings.get("network_interface", one.settings.get("networkInterfaces"))
    return [part for part in ([given] if isinstance(given, dict) else listed(given)) if isinstance(part, dict)]


def _ports(values: Mapping[str, Any]) -> Iterator[int]:
    """The single ports of a forwarding rule."""
    for text in (*listed(got(values, "ports")), got(values, "portRange")):
        first, _, last = str(text or "").partition("-")
        number = whole_number(first)
        if number is not None and last in ("", first):
            yield number


def _last(text: str) -> str:
    return text.rstrip("/").rpartition("/")[2]


def _refers(text: str, one: Resource) -> bool:
    """Whether a text names an instance or template: by link, id, Terraform's address, or zone and name."""
    address = one.settings.get("terraform")
    if "${" in text:
        return isinstance(address, str) and f"${{{address}." in text
    path = text.partition("/compute/v1/")[2] or text
    own = one.name.partition(".com/")[2]
    return bool(text) and (own == path or own.endswith(f"/{path}"))


def _creator(one: Resource) -> str:
    """The group that made an instance, as its metadata says."""
    metadata = one.settings.get("metadata")
    items = listed(metadata.get("items")) if isinstance(metadata, dict) else []
    return next(
        (
            str(item.get("value")).lower()
            for item in items
            if isinstance(item, dict) and item.get("key") == "created-by"
        ),
        "",
    )
