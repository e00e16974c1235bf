"""What of Google Cloud the internet reaches: machines with external addresses, by their network's firewall rules.

Sources: Google Cloud documentation, "Configure static external IP addresses", "Deploying containers on VMs"; what
firewall rules mean is in ``firewalls``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answering import LAST_PORT, Way, draw_reached
from assaymark.assess.gcp.firewalls import firewalls, last_part
from assaymark.assess.served import Served
from assaymark.assess.terraform.declared import declared
from assaymark.core.errors import InputError
from assaymark.formats.located import listed
from assaymark.formats.located_yaml import read_located_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.gcp import Resource
    from assaymark.assess.files import Reading
    from assaymark.assess.gcp.firewalls import Firewall
    from assaymark.assess.graph import Builder

_BALANCERS: Final = ("google_compute_forwarding_rule", "google_compute_global_forwarding_rule")
_POLICIES: Final = (
    *("google_compute_firewall_policy_rule", "google_compute_network_firewall_policy_rule"),
    *("google_compute_region_network_firewall_policy_rule", "google_compute_network_firewall_policy_with_rules"),
)
_OUTSIDE: Final = ("access_config", "ipv6_access_config", "accessConfigs", "ipv6AccessConfigs")
_RUNS: Final = ("run:service", "cloudfunctions:function")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws it. ``now`` is not needed."""
    del now
    kinds = declared(estates).by_kind
    if any(kinds.get(one) for one in _BALANCERS):
        reading.gap("what load balancers of Google Cloud let the internet reach is not followed")
    if any(kinds.get(one) for one in _POLICIES):
        reading.gap("firewall policies of Google Cloud are not evaluated; the rules of networks alone decide")
    draw_reached(builder, _ways(estates), served(estates))


def served(estates: Estates) -> Iterator[Served]:
    """The containers of services, and what machines start with."""
    for name, one in sorted(estates.gcp.resources.items()):
        if one.kind in _RUNS:
            for part in _containers(one.settings):
                yield _container(name, one, part, called=True)
        elif one.kind == "compute:instance":
            yield from _machine(name, one)


def _containers(value: object) -> Iterator[Mapping[str, Any]]:
    """What has an image below ``containers``, at any depth."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            for key, inner in item.items():
                if key == "containers":
                    yield from (one for one in listed(inner) if isinstance(one, dict) and one.get("image"))
                else:
                    pending.append(inner)
        elif isinstance(item, list):
            pending += item


def _metadata(one: Resource, name: str) -> str:
    """A value of an instance's metadata, as Terraform's map or the API's list has it."""
    metadata = one.settings.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    items = [item for item in listed(metadata.get("items")) if isinstance(item, dict)]
    found = metadata.get(name) or next((item.get("value") for item in items if item.get("key") == name), None)
    return found if isinstance(found, str) else ""


def _script(one: Resource) -> str:
    script = one.settings.get("metadata_startup_script")
    return script if isinstance(script, str) else _metadata(one, "startup-script")


def _machine(name: str, one: Resource) -> Iterator[Served]:
    """What an instance runs: what it starts with, and the containers that it declares."""
    script = _script(one)
    if script:
        yield Served(name, "", script, one.because, script=True)
    try:
        values = read_located_yaml(_metadata(one, "gce-container-declaration"))
    except InputError:
        values = []
    for value in values:
        for part in _containers(value):
            yield _container(name, one, part)


def _container(name: str, one: Resource, part: Mapping[str, Any], *, called: bool = False) -> Served:
    words = [str(word) for key in ("command", "args") for word in listed(part.get(key))]
    variables = {
        str(item.get("name")): str(item.get("value") or "<set>")
        for item in listed(part.get("env"))
        if isinstance(item, dict)
    }
    image = str(part.get("image") or "")
    return Served(name, image, " ".join(words), one.because, frozenset(), variables, called=called)


def _ways(estates: Estates) -> Iterator[Way]:
    rules = firewalls(estates)
    for name, one in sorted(estates.gcp.resources.items()):
        if one.kind != "compute:instance":
            continue
        outside = [part for part in _interfaces(one) if any(part.get(key) is not None for key in _OUTSIDE)]
        if outside:
            applies = [rule for rule in rules if _is_about(rule, one, outside)]
            listening = {port for server in _machine(name, one) for port in server.listening()}
            yield from _opened(name, one, applies, listening)


def _interfaces(one: Resource) -> list[Mapping[str, Any]]:
    given = one.settings.get("network_interface", one.settings.get("networkInterfaces"))
    return [part for part in ([given] if isinstance(given, dict) else listed(given)) if isinstance(part, dict)]


def _is_about(rule: Firewall, one: Resource, interfaces: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a rule is one for strangers who come to an instance."""
    if rule.anywhere is False:
        return False
    networks = {last_part(part.get("network") or "default") for part in interfaces}
    if any(part.get("subnetwork") and not part.get("network") for part in interfaces):
        networks.add(rule.network)  # a subnet's network is what it is: taken as the rule's
    tags = one.settings.get("tags")
    tags = tags.get("items") if isinstance(tags, dict) else tags
    return rule.network in networks and rule.targets([str(tag) for tag in listed(tags)], one.account)


def _opened(name: str, one: Resource, rules: list[Firewall], listening: set[int]) -> Iterator[Way]:
    """The ports that the first rule about each lets in."""
    how = "it has an external address, and firewall rules let the internet in"
    first = next((rule for rule in rules if (0, LAST_PORT) in rule.ranges), None)
    if first is not None and first.allows and first.anywhere and first is rules[0]:
        yield Way(name, None, how, (one.because, first.because))
        return
    singles = {start for rule in rules for start, end in rule.ranges if start == end}
    for port in sorted(listening | singles):
        unsure: list[str] = []
        for rule in (rule for rule in rules if rule.about(port)):
            if rule.anywhere is None:
                unsure += [f"the firewall rule {rule.name} is about the internet"]
                if not rule.allows:
                    continue
            if rule.allows:
                yield Way(name, port, how, (one.because, rule.because), tuple(unsure))
            break
