"""Patches of firewalls of Azure and Google Cloud: a network of one's own in place of every address.

What answers on the ports of the web by the same rule would be cut off as well, so such rules are left to people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.azure.network import network_of
from assaymark.assess.gcp.firewalls import firewalls, last_part
from assaymark.assess.patches.terraform import found_at
from assaymark.assess.terraform.declared import block_of, declared, referable
from assaymark.assess.terraform.written import written
from assaymark.formats.hcl.tree import Literal, Tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.azure.security_groups import Rule
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.gcp.firewalls import Firewall
    from assaymark.assess.patch import Patch, Place

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]

_WEB: Final = (80, 443)
_CONSOLES: Final = ((22, 22), (3389, 3389))
_PROXY: Final = '["35.235.240.0/20"]'  # Google Cloud documentation, "Using IAP for TCP forwarding"


def _azure(place: Place) -> Iterator[Patch]:
    """A rule of a network security group that lets in the virtual network, its peers and what is connected to it."""
    file = written(place.file)
    block = file.blocks.get(place.line) if file is not None else None
    if file is None or block is None or block.kind not in ("security_rule", "resource"):
        return
    source = block.body.attributes.get("source_address_prefix")
    if isinstance(source, Literal) and not _web(_rule_of(place)):
        yield from file.text.replaced([(*file.spans[id(source)], '"VirtualNetwork"')], "let only the network in")


def _rule_of(place: Place) -> Rule | None:
    group, _, name = place.finding.name.partition("#")
    found = network_of(place.estates).groups.get(group)
    return next((one for one in found.rules if one.name == name), None) if found is not None else None


def _google(place: Place) -> Iterator[Patch]:
    """A firewall rule that lets in the only subnet of its network; for consoles, the proxy that asks who it is."""
    name = place.finding.name.partition("#")[2]
    rule = next(
        (one for one in firewalls(place.estates) if one.name == name and one.because.line == place.line), None
    )
    if rule is None or _web(rule):
        return
    for resource in found_at(place, "google_compute_firewall"):
        if set(rule.ranges) <= set(_CONSOLES):
            yield from _from(resource, _PROXY, "let consoles in by Identity-Aware Proxy alone")
        elif (subnet := _subnet(place, rule, resource)) is not None:
            yield from _from(
                resource, f"[{subnet.address}.ip_cidr_range]", f"let only the subnet {subnet.address} in"
            )


def _from(resource: TfResource, sources: str, title: str) -> Iterator[Patch]:
    shown = block_of(resource)
    if shown is None:
        return
    file, block = shown
    given = block.body.attributes.get("source_ranges")
    plain = given is None or (isinstance(given, Tuple) and all(isinstance(one, Literal) for one in given.items))
    change = file.set(block, "source_ranges", sources) if plain else None
    if change is not None:
        yield from file.text.replaced([change], title)


def _subnet(place: Place, rule: Firewall, resource: TfResource) -> TfResource | None:
    named = [
        one
        for one in declared(place.estates).by_kind["google_compute_subnetwork"]
        if last_part(one.get("network")) == rule.network and isinstance(one.get("ip_cidr_range"), str)
    ]
    return named[0] if len(named) == 1 and referable(named[0], resource.file.path) else None


def _web(rule: Rule | Firewall | None) -> bool:
    return rule is None or any(rule.about(port) for port in _WEB)


NETWORK_WRITERS: Final[dict[str, Writer]] = {"azure-network-open": _azure, "gcp-firewall-open": _google}
