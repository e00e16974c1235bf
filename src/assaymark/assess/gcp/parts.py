"""``Parts``: what load balancing and firewall policies of Compute Engine are made of, and what names what.

Terraform's resources and what ``gcloud`` and the asset inventory write are one kind of thing here; fields are asked
for as ``spelled`` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.spelled import text_at
from assaymark.assess.terraform.declared import declared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.estates import Estates
    from assaymark.core.graph import Because

# What the API calls it; Terraform's types, less ``google_compute_`` and what says that it is global or of a region.
_TYPES: Final[dict[str, str]] = {
    "backend_bucket": "backendBucket",
    "backend_service": "backendService",
    "firewall_policy": "firewallPolicy",
    "firewall_policy_association": "firewallPolicyAssociation",
    "firewall_policy_rule": "firewallPolicyRule",
    "firewall_policy_with_rules": "firewallPolicy",
    "forwarding_rule": "forwardingRule",
    "instance_group": "instanceGroup",
    "instance_group_manager": "instanceGroupManager",
    "instance_template": "instanceTemplate",
    "network": "network",
    "network_endpoint": "networkEndpoint",
    "network_endpoint_group": "networkEndpointGroup",
    "network_endpoints": "networkEndpoints",
    "network_firewall_policy": "networkFirewallPolicy",
    "network_firewall_policy_association": "networkFirewallPolicyAssociation",
    "network_firewall_policy_rule": "networkFirewallPolicyRule",
    "network_firewall_policy_with_rules": "networkFirewallPolicy",
    "security_policy": "securityPolicy",
    "security_policy_rule": "securityPolicyRule",
    "subnetwork": "subnetwork",
    "target_grpc_proxy": "targetGrpcProxy",
    "target_http_proxy": "targetHttpProxy",
    "target_https_proxy": "targetHttpsProxy",
    "target_instance": "targetInstance",
    "target_pool": "targetPool",
    "target_ssl_proxy": "targetSslProxy",
    "target_tcp_proxy": "targetTcpProxy",
    "url_map": "urlMap",
}
KINDS: Final = frozenset(_TYPES.values())
_TLS: Final = "google_network_security_server_tls_policy"
_AREA: Final = re.compile(r"google_compute_(?:global_|region_)?")
_REFERENCE: Final = re.compile(
    r"\$\{((?:module\.[\w-]+(?:\[[^\]]*\])?\.)*google_\w+\.[\w-]+(?:\[[^\]]*\])?)(?:[.}\[])"
)
_INDEX: Final = re.compile(r"\[[^\]]*\]")
_LOCATION: Final = re.compile(r"/(?:regions|zones)/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Part:
    """One of them. ``kind`` as the API calls it; ``address``: Terraform's; ``region``: of one that is of a region."""

    kind: str
    name: str
    values: Mapping[str, Any]
    because: Because
    address: str = ""
    region: str = ""


class Parts:
    """All of the input."""

    def __init__(self, estates: Estates) -> None:
        self.of: dict[str, list[Part]] = {}
        self._addresses: dict[str, list[Part]] = {}
        self._names: dict[tuple[str, str], list[Part]] = {}
        for kind, resources in declared(estates).by_kind.items():
            known = _TYPES.get(_AREA.sub("", kind)) if kind.startswith("google_compute_") else None
            known = "serverTlsPolicy" if kind == _TLS else known
            for one in resources if known is not None else ():
                region = one.text("region") or one.text("zone")
                name = one.text("name") or one.text("short_name")
                part = Part(str(known), name, one.values, one.because(), one.address, region)
                self._add(part)
        for kind, value, because in estates.gcp.parts:
            place = _LOCATION.search(f"{text_at(value, 'selfLink')}/")
            region = place[1] if place else text_at(value, "region").rpartition("/")[2]
            name = text_at(value, "name", "shortName")
            if kind == "firewallPolicy" and not text_at(value, "shortName", "parent"):
                kind = "networkFirewallPolicy"  # noqa: PLW2901 - the API calls both the same
            self._add(Part(kind, name, value, because, region=region))

    def _add(self, part: Part) -> None:
        self.of.setdefault(part.kind, []).append(part)
        for name in _names(part):
            self._names.setdefault((part.kind, name), []).append(part)
        if part.address:
            self._addresses.setdefault(part.address, []).append(part)
            bare = _INDEX.sub("", part.address)
            for address in {bare, bare.rpartition("module.")[2].partition(".")[2] if "module." in bare else bare}:
                if address != part.address:
                    self._addresses.setdefault(address, []).append(part)

    def named(self, value: Any, *kinds: str) -> list[Part]:
        """The things of some kinds that a reference names: by Terraform's address, a link, an id or a name."""
        text = str(value or "")
        match = _REFERENCE.search(text)
        if match is not None:
            found = self._addresses.get(match[1]) or self._addresses.get(_INDEX.sub("", match[1]), [])
            return [one for one in found if one.kind in kinds]
        name = text.rstrip("/").rpartition("/")[2]
        place = _LOCATION.search(text)
        found = [one for kind in kinds for one in self._names.get((kind, name), ())]
        exact = [one for one in found if place is not None and one.region == place[1]]
        return exact or found


def _names(one: Part) -> set[str]:
    """What a thing is called: policies of organisations by their number too."""
    number = one.values.get("id")
    return {one.name, str(number).rpartition("/")[2] if number is not None else one.name} - {""}
