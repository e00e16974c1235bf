"""``Network``: machines and scale sets of Azure, their addresses, pools and security groups.

The same whether Terraform declares it, a template does, or the command line lists it. Source: Microsoft
documentation, "Network security groups" (where the interface and its subnet have a group, both decide), "Public IP
address per virtual machine" of scale sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.azure.fields import REFERENCE, id_of
from assaymark.assess.azure.security_groups import ANYONE, Group, Rule, Sender, all_let, by_priority, rule_of
from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import dicts_in
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assaymark.assess.answer import Answer
    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.core.graph import Because

_GROUP: Final = "microsoft.network/networksecuritygroups"
_INTERFACE: Final = "microsoft.network/networkinterfaces"
_NETWORK: Final = "microsoft.network/virtualnetworks"
_MACHINES: Final = ("microsoft.compute/virtualmachines", "microsoft.compute/virtualmachinescalesets")
_JOINED: Final = {  # resources of Terraform that put an interface into a pool or behind a rule, and the attribute
    "azurerm_network_interface_backend_address_pool_association": "backend_address_pool_id",
    "azurerm_network_interface_nat_rule_association": "nat_rule_id",
    "azurerm_network_interface_application_gateway_backend_address_pool_association": "backend_address_pool_id",
}
_POOLS: Final = (  # where an address's configuration names what passes on to it
    *("loadBalancerBackendAddressPools", "loadBalancerBackendAddressPoolIds"),
    *("loadBalancerInboundNatRules", "loadBalancerInboundNatRulesIds", "loadBalancerInboundNatPools"),
    *("applicationGatewayBackendAddressPools", "applicationGatewayBackendAddressPoolIds"),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine or scale set by one of its interfaces. ``groups``: None where the input attaches none.

    ``public``: what names its public addresses; ``private``: its own addresses and what names them; ``pools``: the
    pools and rules of load balancers and gateways that it is in, in lower case; ``subnets``: those it lies in.
    """

    resource: Resource
    script: str
    groups: tuple[Group, ...] | None
    because: Because
    public: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    pools: frozenset[str] = frozenset()
    subnets: frozenset[str] = frozenset()
    interface: Resource | None = None

    def internet(self, port: int) -> Answer:
        """Whether all its groups let the internet reach a port."""
        return self.lets(ANYONE, port)

    def lets(self, sender: Sender, port: int | None) -> Answer:
        """Whether all its groups let a sender reach a port; None: all ports."""
        return all_let(self.groups or (), sender, port)

    def singles(self) -> set[int]:
        """The ports at the ends of what rules of its groups are about."""
        ranges = [pair for group in self.groups or () for rule in group.rules for pair in rule.ranges or ()]
        return {first for first, last in ranges if first == last}


class Network:
    """What the input has of machines, their interfaces and groups."""

    def __init__(self, estates: Estates) -> None:
        self._estates = estates
        self._of: dict[str, list[Resource]] = {}
        for _, one in sorted(estates.azure.resources.items()):
            self._of.setdefault(one.kind, []).append(one)
        self._kinds = declared(estates).by_kind
        self._ids = estates.azure.resources
        self._addresses = {str(one.settings.get("terraform")): one for one in self._ids.values()}
        self._rules: dict[str, list[TfResource]] = {}  # by what names their group
        for declared_rule in self._kinds.get("azurerm_network_security_rule", ()):
            name = declared_rule.text("network_security_group_name")
            for key in (name.lower(), *REFERENCE.findall(name)):
                self._rules.setdefault(key, []).append(declared_rule)
        self._apart: dict[str, list[Resource]] = {}  # rules that are resources of their own, by their group
        for one in self._of.get(f"{_GROUP}/securityrules", ()):
            self._apart.setdefault(one.id.rpartition("/securityrules/")[0], []).append(one)
        self.groups = {one.id: self._group(one) for one in self._of.get(_GROUP, ())}
        for place, apart in self._apart.items():
            if place not in self.groups:  # a list of rules without their group
                rules = by_priority(self._single(place))
                self.groups[place] = Group(place, place.rpartition("/")[2], apart[0].because, rules)
        self._joined = self._associated()
        self._subnet_groups = self._of_all_subnets()
        self._machines: tuple[Machine, ...] | None = None
        self._pools: dict[str, list[Machine]] | None = None

    def _named(self, value: Any, kind: str) -> list[Resource]:
        """The resources of a type that a value, or one of a list, names: by id, or by address in Terraform."""
        found = []
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                known = [self._ids.get(text.lower()), *(self._addresses.get(one) for one in REFERENCE.findall(text))]
                found += [one for one in known if one is not None and one.kind == kind]
        return found

    def _associated(self) -> dict[str, tuple[list[Resource], set[str]]]:
        """The groups that interfaces are given apart from themselves, and the pools that they are put into."""
        found: dict[str, tuple[list[Resource], set[str]]] = {}
        for one in self._kinds.get("azurerm_network_interface_security_group_association", ()):
            for interface in self._named(one.get("network_interface_id"), _INTERFACE):
                groups = self._named(one.get("network_security_group_id"), _GROUP)
                found.setdefault(interface.id, ([], set()))[0].extend(groups)
        for group in self._of.get(_GROUP, ()):
            for one in listed(group.settings.get("networkInterfaces")):
                found.setdefault(id_of(one).lower(), ([], set()))[0].append(group)
        for kind, attribute in _JOINED.items():
            for each in self._kinds.get(kind, ()):
                for interface in self._named(each.get("network_interface_id"), _INTERFACE):
                    found.setdefault(interface.id, ([], set()))[1].add(str(each.get(attribute)).lower())
        return found

    def _of_all_subnets(self) -> dict[str, list[Resource]]:
        """The groups of subnets, by what names a subnet in lower case."""
        found: dict[str, list[Resource]] = {}
        for one in self._kinds.get("azurerm_subnet_network_security_group_association", ()):
            groups = self._named(one.get("network_security_group_id"), _GROUP)
            found.setdefault(str(one.get("subnet_id")).lower(), []).extend(groups)
        for subnet in self._subnets():
            groups = self._named(id_of(got(subnet, "networkSecurityGroup")), _GROUP)
            found.setdefault(id_of(subnet).lower(), []).extend(groups)
        for group in self._of.get(_GROUP, ()):
            for each in listed(group.settings.get("subnets")):
                found.setdefault(id_of(each).lower(), []).append(group)
        return found

    def _group(self, one: Resource) -> Group:
        rules = [
            rule
            for item in blocks(one.settings, "securityRule", "securityRules")
            if (rule := rule_of(item, one.because)) is not None
        ]
        address = str(one.settings.get("terraform") or "")
        declared_rules = [*self._rules.get(one.name.lower(), ()), *self._rules.get(address, ())]
        for declared_rule in {id(each): each for each in declared_rules}.values():
            made = rule_of(declared_rule.values, declared_rule.because())
            rules += [made] if made is not None else []
        known = {rule.name for rule in rules}
        rules += [rule for rule in self._single(one.id) if rule.name not in known]
        return Group(one.id, one.name, one.because, by_priority(rules))

    def _single(self, group: str) -> list[Rule]:
        """Rules that are resources of their own."""
        made = (rule_of({"name": one.name, **one.settings}, one.because) for one in self._apart.get(group, ()))
        return [one for one in made if one is not None]

    def machines(self) -> Iterator[Machine]:
        """Those with a public address."""
        yield from (one for one in self.attached() if one.public)

    def attached(self) -> tuple[Machine, ...]:
        """All of them, by interface."""
        if self._machines is None:
            self._machines = tuple(
                one for kind in _MACHINES for each in self._of.get(kind, ()) for one in self._by(each)
            )
        return self._machines

    def _by(self, machine: Resource) -> Iterator[Machine]:
        named = [machine.settings.get("network_interface_ids")]
        profile = machine.settings.get("networkProfile")
        named += [id_of(one) for one in blocks(profile, "networkInterfaces")]
        interfaces = [each for value in named for each in self._named(value, _INTERFACE)]
        for interface in {one.id: one for one in interfaces}.values():
            yield self._made(machine, interface, interface.settings, interface.because)
        inner = got(machine.settings.get("virtualMachineProfile"), "networkProfile") or machine.settings
        for part in blocks(inner, "networkInterfaceConfigurations", "networkInterface"):
            yield self._made(machine, None, part, machine.because)

    def _made(
        self, machine: Resource, interface: Resource | None, part: Mapping[str, Any], because: Because
    ) -> Machine:
        """A machine by an interface, or by the part of a scale set that stands for one."""
        parts = blocks(part, "ipConfiguration", "ipConfigurations")
        given = [got(one, "publicIpAddressId") or got(one, "publicIPAddress") for one in parts]
        public = [id_of(one) or str(one) for one in given if one]
        public += [
            machine.id for one in parts if got(one, "publicIPAddressConfiguration", "publicIpAddress") and not public
        ]
        private = [found for one in parts if (found := text_at(one, "privateIPAddress", "privateIpAddress"))]
        pools = {
            (id_of(each) or str(each)).lower() for one in parts for key in _POOLS for each in listed(got(one, key))
        }
        if interface is not None:
            pools |= self._joined.get(interface.id, ([], set()))[1]
            pools |= {f"{interface.id}/ipconfigurations/{text_at(one, 'name').lower()}" for one in parts}
        subnets = {str(value) for one in parts if (value := got(one, "subnetId") or id_of(got(one, "subnet")))}
        groups = self._groups_of(interface, part, subnets)
        return Machine(
            machine,
            _script(machine),
            groups,
            because,
            tuple(dict.fromkeys(public)),
            tuple(dict.fromkeys(private)),
            frozenset(pools),
            frozenset(one.lower() for one in subnets),
            interface,
        )

    def _groups_of(
        self, interface: Resource | None, part: Mapping[str, Any], subnets: Iterable[str]
    ) -> tuple[Group, ...] | None:
        """The groups of an interface and of its subnet."""
        found = self._named(id_of(got(part, "networkSecurityGroup")), _GROUP)
        found += self._named(got(part, "networkSecurityGroupId"), _GROUP)
        found += self._joined.get(interface.id, ([], set()))[0] if interface is not None else []
        own = {one.id for one in found} | {one.id for one in self.of_subnets(subnets)}
        return tuple(self.groups[one] for one in sorted(own)) or None

    def of_subnets(self, subnets: Iterable[str]) -> list[Group]:
        """The groups of subnets."""
        found = {group.id for one in subnets for group in self._subnet_groups.get(one.lower(), ())}
        return [self.groups[one] for one in sorted(found)]

    def pooled(self, places: Iterable[str]) -> list[Machine]:
        """The machines that are in pools, or behind rules, of these ids, by interface; scale sets by their own id."""
        if self._pools is None:
            self._pools = {}
            for one in self.attached():
                for place in (*one.pools, *((one.resource.id,) if one.interface is None else ())):
                    self._pools.setdefault(place, []).append(one)
        found = [machine for place in sorted(places) for machine in self._pools.get(place, ())]
        return list({id(one): one for one in found}.values())

    def prefixes(self, subnet: str) -> list[Any]:
        """The ranges of addresses of a subnet, as far as the input has them."""
        found: list[Any] = []
        for one in self._subnets():
            if id_of(one).lower() == subnet.lower():
                found += [got(one, "addressPrefix"), *listed(got(one, "addressPrefixes"))]
        for declared_one in self._kinds.get("azurerm_subnet", ()):
            if f"${{{declared_one.address}.".lower() in subnet.lower():
                found += listed(declared_one.get("address_prefixes")) or [declared_one.get("address_prefix")]
        return [one for one in found if one and not isinstance(one, Unresolved)]

    def _subnets(self) -> Iterator[Mapping[str, Any]]:
        for one in self._of.get(f"{_NETWORK}/subnets", ()):
            yield {"id": one.id, **one.settings}
        for one in self._of.get(_NETWORK, ()):
            for part in dicts_in(one.settings.get("subnets")):
                yield {"id": f"{one.id}/subnets/{part.get('name')}", **part}

    def unresolved(self) -> list[tuple[Machine, str]]:
        """The machines that are in a pool which is named by an expression, with that."""
        return [(one, place) for one in self.attached() for place in sorted(one.pools) if "${" in place]


def _script(machine: Resource) -> str:
    """What a machine starts with."""
    settings = machine.settings
    profile = settings.get("virtualMachineProfile")
    inner = dicts_in(got(profile, "osProfile"))
    profiles = [settings, *dicts_in(profile), *inner]
    profiles += [*dicts_in(settings.get("osProfile")), *dicts_in(settings.get("os_profile"))]
    found = [one.get(name) for one in profiles for name in ("custom_data", "customData", "user_data", "userData")]
    return next((one for one in found if isinstance(one, str) and one and not isinstance(one, Unresolved)), "")


def network_of(estates: Estates) -> Network:
    """The network, made once."""
    found = estates.indexes.get("azure-network")
    if not isinstance(found, Network):
        found = Network(estates)
        estates.indexes["azure-network"] = found
    return found
