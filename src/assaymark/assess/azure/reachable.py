"""What of Azure the internet reaches: sites, container apps and groups, machines with public addresses.

Sources: Microsoft documentation, "Set up Azure App Service access restrictions", "Authentication and authorization in
Azure App Service and Azure Functions", "Ingress in Azure Container Apps", "Network security groups" (rules by
priority, the first that matches decides; without one a public address of the standard kind lets nobody in).
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answering import LAST_PORT, Way, draw_reached, drawn_ports
from assaymark.assess.served import Served
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder

_SITES: Final = ("microsoft.web/sites", "microsoft.web/sites/slots")
_APP: Final = "microsoft.app/containerapps"
_GROUP: Final = "microsoft.containerinstance/containergroups"
_MACHINES: Final = ("azurerm_linux_virtual_machine", "azurerm_virtual_machine", "azurerm_windows_virtual_machine")
_ANYWHERE: Final = ("*", "0.0.0.0/0", "::/0", "internet", "any")
_IMAGES: Final = ("docker_image_name", "docker_image")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws it. ``reading`` and ``now`` are not needed."""
    del reading, now
    ways = [way for one in estates.azure.resources.values() for way in _ways(one)]
    draw_reached(builder, [*ways, *_machines(estates)], served(estates))


def served(estates: Estates) -> Iterator[Served]:
    """The containers of sites, container apps and groups, and what machines start with."""
    for identifier, one in sorted(estates.azure.resources.items()):
        if one.kind in _SITES:
            config = _block(one.settings, "site_config", "siteConfig")
            stack = _block(config, "application_stack")
            image = next((stack[name] for name in _IMAGES if isinstance(stack.get(name), str)), "")
            fx = _text(config, "linux_fx_version", "linuxFxVersion")
            image = image or (fx.partition("|")[2] if fx.upper().startswith("DOCKER|") else "")
            if image:
                yield Served(identifier, image, _text(config, "app_command_line", "appCommandLine"), one.because)
        elif one.kind == _APP:
            template = _block(one.settings, "template")
            for part in _maps(template.get("container") or template.get("containers")):
                yield _container(identifier, one, part, _app_port(one))
        elif one.kind == _GROUP:
            for part in _maps(one.settings.get("container") or one.settings.get("containers")):
                inner = {**part, **_block(part, "properties")}
                yield _container(identifier, one, inner, frozenset(_group_ports(one)))
    for machine in (one for kind in _MACHINES for one in declared(estates).by_kind.get(kind, ())):
        script = machine.text("custom_data") or machine.text("user_data")
        if script:
            yield Served(machine.text("id").lower(), "", _decoded(script), machine.because(), script=True)


def _container(identifier: str, one: Resource, part: Mapping[str, Any], ports: frozenset[int]) -> Served:
    words = [str(word) for name in ("command", "commands", "args") for word in listed(part.get(name))]
    variables = {str(item.get("name")): str(item.get("value") or "<set>") for item in _maps(part.get("env"))} | {
        str(key): str(value) for key, value in _block(part, "environment_variables").items()
    }
    return Served(identifier, str(part.get("image") or ""), " ".join(words), one.because, ports, variables)


def _ways(one: Resource) -> Iterator[Way]:
    """The ways to a resource that has a name of its own on the internet."""
    closed = str(one.settings.get("public_network_access_enabled", one.settings.get("publicNetworkAccess"))).lower()
    if closed in ("false", "disabled"):
        return
    because = (one.because,)
    if one.kind in _SITES and not _asks_first(one.settings):
        limits = _restricted(_block(one.settings, "site_config", "siteConfig"))
        if limits is not None:
            yield Way(one.id, None, "the site has a public name", because, limits)
    elif one.kind == _APP:
        ingress = _ingress(one)
        if ingress.get("external_enabled") is True or ingress.get("external") is True:
            rules = _maps(ingress.get("ip_security_restriction") or ingress.get("ipSecurityRestrictions"))
            decides = (f"the restrictions of {one.name} let the caller in",) if rules else ()
            ports: list[int | None] = [*sorted(_app_port(one))]
            for port in ports or [None]:
                yield Way(one.id, port, "its ingress takes what comes from the internet", because, decides)
    elif one.kind == _GROUP:
        kind = _text(one.settings, "ip_address_type") or _text(_block(one.settings, "ipAddress"), "type")
        public = kind.lower() == "public" or (not kind and "terraform" in one.settings)
        for number in sorted(_group_ports(one)) if public else ():
            yield Way(one.id, number, "the group has a public address", because)


def _group_ports(one: Resource) -> set[int]:
    """The ports of a container group's containers."""
    found = set()
    for part in _maps(one.settings.get("container") or one.settings.get("containers")):
        for item in _maps({**part, **_block(part, "properties")}.get("ports")):
            number = _number(item.get("port"))
            found |= {number} if number is not None else set()
    return found


def _ingress(one: Resource) -> Mapping[str, Any]:
    return _block(one.settings, "ingress") or _block(_block(one.settings, "configuration"), "ingress")


def _app_port(one: Resource) -> frozenset[int]:
    ingress = _ingress(one)
    number = _number(ingress.get("target_port", ingress.get("targetPort")))
    return frozenset((number,)) if number is not None else frozenset()


def _asks_first(settings: Mapping[str, object]) -> bool:
    """Whether the platform asks who calls before the site does."""
    newer = _block(settings, "auth_settings_v2")
    if newer.get("auth_enabled") is True:
        action = str(newer.get("unauthenticated_action") or "RedirectToLoginPage")
        return newer.get("require_authentication") is True or action != "AllowAnonymous"
    older = _block(settings, "auth_settings")
    return older.get("enabled") is True and older.get("unauthenticated_client_action") == "RedirectToLoginPage"


def _restricted(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What access restrictions leave open; None where they let nobody in but those that are named."""
    default = _text(config, "ip_restriction_default_action", "ipSecurityRestrictionsDefaultAction").lower()
    rules = _maps(config.get("ip_restriction") or config.get("ipSecurityRestrictions"))
    allowed = [one for one in rules if str(one.get("action") or "Allow").lower() == "allow"]
    if any(str(one.get("ip_address") or one.get("ipAddress")).lower() in _ANYWHERE for one in allowed):
        return ()
    return None if allowed or default == "deny" else ()


def _machines(estates: Estates) -> Iterator[Way]:
    """Machines whose network interface has a public address and whose security groups let the internet in."""
    run = _Groups(estates)
    for kind in _MACHINES:
        for machine in declared(estates).by_kind.get(kind, ()):
            for interface in run.named(machine.get("network_interface_ids"), "azurerm_network_interface"):
                if not any(block.get("public_ip_address_id") for block in interface.blocks("ip_configuration")):
                    continue
                script = machine.text("custom_data") or machine.text("user_data")
                started = Served("", "", _decoded(script), machine.because(), script=True)
                listening = {port for server in started.servers() for port in server.ports}
                groups = run.of(interface)
                node = machine.text("id").lower()
                if groups is None:
                    decides = (f"the security groups of {machine.address} let the internet in",)
                    yield Way(node, None, "it has a public address", (interface.because(),), decides)
                    continue
                places = (machine.because(), *(one.because() for one in groups))
                for port in drawn_ports(run.open(groups, listening), listening):
                    how = "its security groups let the internet in"
                    yield Way(node, port, how, places)


class _Groups:
    """Network security groups, and what they are attached to."""

    def __init__(self, estates: Estates) -> None:
        self._kinds = declared(estates).by_kind

    def named(self, value: Any, kind: str) -> list[TfResource]:
        """The resources of a kind that references name."""
        texts = [str(one) for one in (value if isinstance(value, list) else [value])]
        return [
            one
            for one in self._kinds.get(kind, ())
            if any(text and (text == one.text("id") or f"${{{one.address}." in text) for text in texts)
        ]

    def of(self, interface: TfResource) -> list[TfResource] | None:
        """The groups of an interface and its subnet; None when the input attaches none."""
        found: list[TfResource] = []
        for one in self._kinds.get("azurerm_network_interface_security_group_association", ()):
            if interface in self.named(one.get("network_interface_id"), interface.kind):
                found += self.named(one.get("network_security_group_id"), "azurerm_network_security_group")
        subnets = [block.get("subnet_id") for block in interface.blocks("ip_configuration")]
        for one in self._kinds.get("azurerm_subnet_network_security_group_association", ()):
            if str(one.get("subnet_id")) in {str(subnet) for subnet in subnets}:
                found += self.named(one.get("network_security_group_id"), "azurerm_network_security_group")
        return found or None

    def open(self, groups: list[TfResource], listening: set[int]) -> list[tuple[int, int]]:
        """The ports that all groups let the internet reach."""
        candidates = sorted(listening | {port for one in groups for rule in self.rules(one) for port in _edges(rule)})
        if all(any(_wide(rule) for rule in self._first(one, None)) for one in groups):
            return [(0, LAST_PORT)]
        return [
            (port, port)
            for port in candidates
            if all(any(_allows(rule) for rule in self._first(one, port)) for one in groups)
        ]

    def rules(self, group: TfResource) -> list[Mapping[str, Any]]:
        """The inbound rules for strangers, by priority."""
        inner: list[Mapping[str, Any]] = list(group.blocks("security_rule"))
        for one in self._kinds.get("azurerm_network_security_rule", ()):
            name = one.get("network_security_group_name")
            if name in (group.text("name"), f"${{{group.address}.name}}"):
                inner.append(one.values)
        inbound = [one for one in inner if str(one.get("direction")).lower() == "inbound" and _from_anywhere(one)]
        return sorted(inbound, key=lambda one: _number(one.get("priority")) or LAST_PORT)

    def _first(self, group: TfResource, port: int | None) -> list[Mapping[str, Any]]:
        """The first rule about a port, or about all of them."""
        about = [one for one in self.rules(group) if port is None or any(a <= port <= b for a, b in _ranges(one))]
        return about[:1]


def _from_anywhere(rule: Mapping[str, Any]) -> bool:
    given = [rule.get("source_address_prefix"), *listed(rule.get("source_address_prefixes"))]
    return any(str(one).lower() in _ANYWHERE for one in given)


def _allows(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("access")).lower() == "allow" and str(rule.get("protocol") or "*").lower() in ("*", "tcp")


def _wide(rule: Mapping[str, Any]) -> bool:
    return _allows(rule) and (0, LAST_PORT) in _ranges(rule)


def _ranges(rule: Mapping[str, Any]) -> list[tuple[int, int]]:
    found = []
    for one in (rule.get("destination_port_range"), *listed(rule.get("destination_port_ranges"))):
        text = str(one)
        if text == "*":
            found.append((0, LAST_PORT))
            continue
        first, _, last = text.partition("-")
        start, end = _number(first), _number(last or first)
        if start is not None and end is not None:
            found.append((start, end))
    return found


def _edges(rule: Mapping[str, Any]) -> Iterator[int]:
    for first, last in _ranges(rule):
        if first == last:
            yield first


def _block(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        inner = value.get(name)
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, dict):
            return inner
    return {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in ([value] if isinstance(value, dict) else listed(value)) if isinstance(one, dict)]


def _text(value: Mapping[str, Any], *names: str) -> str:
    return next((value[name] for name in names if isinstance(value.get(name), str)), "")


def _number(value: Any) -> int | None:
    if isinstance(value, (bool, Unresolved)):
        return None
    if isinstance(value, (int, float)):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _decoded(script: str) -> str:
    try:
        return b64decode(script, validate=True).decode("utf-8")
    except ValueError:
        return script
