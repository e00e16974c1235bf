"""``Network``: machines of Azure with public addresses, and what security groups let the internet reach.

The same whether Terraform declares it, a template does, or the command line lists it. Source: Microsoft
documentation, "Network security groups" (rules by priority, the first one about a packet decides, what none is about
is denied from the internet; where the interface and its subnet have a group, both decide).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import NO, YES, Answer
from assaymark.assess.answering import LAST_PORT
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import dicts_in, whole_number
from assaymark.core.graph import State
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.estates import Estates
    from assaymark.core.graph import Because

_GROUP: Final = "microsoft.network/networksecuritygroups"
_INTERFACE: Final = "microsoft.network/networkinterfaces"
_NETWORK: Final = "microsoft.network/virtualnetworks"
_MACHINE: Final = "microsoft.compute/virtualmachines"
_ANYWHERE: Final = ("*", "internet", "any")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LAST: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Rule:
    """An inbound rule for TCP. ``anywhere``, ``ranges``: None where the input does not show the value."""

    name: str
    priority: int
    allows: bool
    anywhere: bool | None
    ranges: tuple[tuple[int, int], ...] | None
    because: Because

    def about(self, port: int) -> bool:
        """Whether it is about a port, or may be."""
        return self.ranges is None or any(first <= port <= last for first, last in self.ranges)

    @property
    def whole(self) -> bool:
        """Whether it is about all ports."""
        return self.ranges is not None and any(first <= 1 and last >= LAST_PORT for first, last in self.ranges)


@dataclass(frozen=True, slots=True)
class Group:
    """A network security group, its rules by priority."""

    id: str
    name: str
    because: Because
    rules: tuple[Rule, ...]

    def internet(self, port: int) -> Answer:
        """Whether it lets the internet reach a port."""
        return self._first([one for one in self.rules if one.about(port)])

    def everything(self) -> Answer:
        """Whether it lets the internet reach all ports, but for those that other rules are about."""
        return self._first([one for one in self.rules if one.whole])

    def _first(self, rules: Iterable[Rule]) -> Answer:
        perhaps: list[Rule] = []
        for one in rules:
            if one.anywhere is False:
                continue
            if one.anywhere is None or one.ranges is None:
                perhaps.append(one)
                continue
            decided = Answer(State.YES, (one.because,)) if one.allows else NO
            return self._unsure(decided, perhaps)
        return self._unsure(NO, perhaps)

    def _unsure(self, decided: Answer, perhaps: list[Rule]) -> Answer:
        """What is left where rules before are about the internet, or not."""
        for one in perhaps:
            words = f"the rule {one.name} of {self.name} is about the internet and this port"
            if one.allows and decided.state is State.NO:
                decided = Answer(State.YES, (one.because,)).unless(words)
            elif not one.allows and decided.state is not State.NO:
                decided = decided.unless(f"{words}, or not")
        return decided


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine with a public address. ``groups``: None where the input attaches none."""

    resource: Resource
    script: str
    groups: tuple[Group, ...] | None
    because: Because

    def internet(self, port: int) -> Answer:
        """Whether all its groups let the internet reach a port."""
        return _all(group.internet(port) for group in self.groups or ())

    def everything(self) -> Answer:
        """Whether all its groups let the internet reach all ports."""
        return _all(group.everything() for group in self.groups or ())


def _all(answers: Iterable[Answer]) -> Answer:
    whole = YES
    for one in answers:
        whole = whole.both(one) if whole.state is not State.NO else whole
    return whole


class Network:
    """What the input has of machines, their interfaces and groups."""

    def __init__(self, estates: Estates) -> None:
        self._estates = estates
        self._of: dict[str, list[Resource]] = {}
        for _, one in sorted(estates.azure.resources.items()):
            self._of.setdefault(one.kind, []).append(one)
        self._kinds = declared(estates).by_kind
        self.groups = {one.id: self._group(one) for one in self._of.get(_GROUP, ())}
        for one in self._of.get(f"{_GROUP}/securityrules", ()):  # a list of rules without their group
            place = one.id.rpartition("/securityrules/")[0]
            if place not in self.groups:
                name = place.rpartition("/")[2]
                rules = _sorted(self._single(place))
                self.groups[place] = Group(place, name, one.because, rules)

    def _group(self, one: Resource) -> Group:
        rules = [
            rule
            for name in ("security_rule", "securityRules")
            for item in dicts_in(one.settings.get(name))
            if (rule := _rule(item, one.because)) is not None
        ]
        for declared_rule in self._kinds.get("azurerm_network_security_rule", ()):
            name = declared_rule.text("network_security_group_name")
            if name.lower() == one.name.lower() or _names(name, one):
                made = _rule(declared_rule.values, declared_rule.because())
                rules += [made] if made is not None else []
        known = {rule.name for rule in rules}
        rules += [rule for rule in self._single(one.id) if rule.name not in known]
        return Group(one.id, one.name, one.because, _sorted(rules))

    def _single(self, group: str) -> list[Rule]:
        """Rules that are resources of their own."""
        found = []
        for one in self._of.get(f"{_GROUP}/securityrules", ()):
            rule = _rule({"name": one.name, **one.settings}, one.because)
            if one.id.startswith(f"{group}/") and rule is not None:
                found.append(rule)
        return found

    def machines(self) -> Iterator[Machine]:
        """Those with a public address."""
        for machine in self._of.get(_MACHINE, ()):
            named = [machine.settings.get("network_interface_ids")]
            profile = machine.settings.get("networkProfile")
            named += [one.get("id") for one in dicts_in(_get(profile, "networkInterfaces"))]
            for interface in self._of.get(_INTERFACE, ()):
                if not any(_refers(value, interface) for value in named):
                    continue
                parts = [
                    part
                    for name in ("ip_configuration", "ipConfigurations")
                    for part in dicts_in(interface.settings.get(name))
                ]
                if any(part.get("public_ip_address_id") or _get(part, "publicIPAddress") for part in parts):
                    yield Machine(machine, _script(machine), self._groups_of(interface, parts), interface.because)

    def _groups_of(self, interface: Resource, parts: list[dict[str, Any]]) -> tuple[Group, ...] | None:
        """The groups of an interface and of its subnet."""
        named = [_id(interface.settings.get("networkSecurityGroup"))]
        subnets = {str(value) for part in parts if (value := part.get("subnet_id") or _id(_get(part, "subnet")))}
        named += [
            one.get("network_security_group_id")
            for one in self._kinds.get("azurerm_network_interface_security_group_association", ())
            if _refers(one.get("network_interface_id"), interface)
        ]
        named += [
            one.get("network_security_group_id")
            for one in self._kinds.get("azurerm_subnet_network_security_group_association", ())
            if str(one.get("subnet_id")) in subnets
        ]
        lower = {one.lower() for one in subnets}
        named += [_id(_get(one, "networkSecurityGroup")) for one in self._subnets() if _id(one).lower() in lower]
        found = []
        for resource in self._of.get(_GROUP, ()):
            attached = {_id(one).lower() for one in listed(resource.settings.get("networkInterfaces"))}
            within = {_id(one).lower() for one in listed(resource.settings.get("subnets"))}
            if any(_refers(value, resource) for value in named) or interface.id in attached or lower & within:
                found.append(self.groups[resource.id])
        return tuple(found) or None

    def _subnets(self) -> Iterator[Mapping[str, Any]]:
        for one in self._of.get(f"{_NETWORK}/subnets", ()):
            yield {"id": one.id, **one.settings}
        for one in self._of.get(_NETWORK, ()):
            for part in dicts_in(one.settings.get("subnets")):
                yield {"id": f"{one.id}/subnets/{part.get('name')}", **part}


def _script(machine: Resource) -> str:
    """What a machine starts with."""
    settings = machine.settings
    profiles = [settings, *dicts_in(settings.get("osProfile")), *dicts_in(settings.get("os_profile"))]
    found = [one.get(name) for one in profiles for name in ("custom_data", "customData", "user_data", "userData")]
    return next((one for one in found if isinstance(one, str) and one and not isinstance(one, Unresolved)), "")


def _rule(item: Mapping[str, Any], because: Because) -> Rule | None:
    """An inbound rule that is about TCP; None for another one."""
    direction, protocol = str(_get(item, "direction")).lower(), str(_get(item, "protocol") or "*").lower()
    if direction != "inbound" or protocol not in ("*", "tcp"):
        return None
    priority = whole_number(_get(item, "priority"))
    line = getattr(item, "line", 0)
    return Rule(
        str(_get(item, "name")),
        _LAST if priority is None else priority,
        str(_get(item, "access")).lower() == "allow",
        _anywhere([_get(item, "sourceAddressPrefix"), *listed(_get(item, "sourceAddressPrefixes"))]),
        _ranges([_get(item, "destinationPortRange"), *listed(_get(item, "destinationPortRanges"))]),
        replace(because, line=line) if line else because,
    )


def _anywhere(sources: list[Any]) -> bool | None:
    given = [one for one in sources if one not in (None, "")]
    texts = [str(one).lower() for one in given if not isinstance(one, Unresolved)]
    if any(one in _ANYWHERE or one.endswith(("/0", "/1")) for one in texts):
        return True
    return None if len(texts) < len(given) or any("${" in one or "<" in one for one in texts) else False


def _ranges(values: list[Any]) -> tuple[tuple[int, int], ...] | None:
    found = []
    for one in values:
        if one in (None, ""):
            continue
        text = str(one)
        if text in ("*", "Any"):
            found.append((0, LAST_PORT))
            continue
        for part in text.split(","):
            first, _, last = part.strip().partition("-")
            start, end = whole_number(first), whole_number(last or first)
            if start is None or end is None:
                return None
            found.append((start, end))
    return tuple(found)


def _sorted(rules: list[Rule]) -> tuple[Rule, ...]:
    return tuple(sorted(rules, key=lambda one: one.priority))


def _refers(value: Any, resource: Resource) -> bool:
    """Whether a value, or one of a list, names a resource by its id or by its address in Terraform."""
    texts = [str(one) for one in (value if isinstance(value, list) else [value]) if one]
    return any(text.lower() == resource.id or _names(text, resource) for text in texts)


def _names(text: str, resource: Resource) -> bool:
    address = resource.settings.get("terraform")
    return isinstance(address, str) and f"${{{address}." in text


def _get(value: Any, name: str) -> Any:
    """A field as the API, the command line or Terraform's provider spells it; None for none."""
    if not isinstance(value, dict):
        return None
    names = {name.lower(), _HUMP.sub("_", name).lower()}
    inner = value.get("properties")
    for place in (value, inner if isinstance(inner, dict) else {}):
        for key, item in place.items():
            if item is not None and str(key).lower() in names:
                return item
    return None


def _id(value: Any) -> str:
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
