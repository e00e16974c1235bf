"""``Hosts``: which resource a name of a host or an address is of, as origins and members of pools name them.

Source: Microsoft documentation, the default host names of App Service, Storage, API Management, Container Apps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.azure.fields import REFERENCE
from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.values import texts_in

if TYPE_CHECKING:
    from assaymark.assess.azure.network import Machine, Network
    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.estates import Estates

_ARM: Final = re.compile(r"<(/subscriptions/[^<>]*(?:<[^<>]*>[^<>]*)*)>")
_UNIQUE: Final = re.compile(r"([a-z0-9-]+?)-[a-z0-9]{16}\.[a-z0-9-]+\.azurewebsites\.net")
_SUFFIXES: Final = {  # of names that a resource's own name begins
    "azurewebsites.net": "microsoft.web/sites",
    "azure-api.net": "microsoft.apimanagement/service",
    "core.windows.net": "microsoft.storage/storageaccounts",
}
_SAID: Final = ("defaultHostName", "hostNames", "enabledHostNames", "fqdn", "dnsSettings", "ipAddress", "ingress")
_NAMED: Final = (
    *("microsoft.web/sites", "microsoft.web/sites/slots", "microsoft.network/publicipaddresses"),
    *(
        "microsoft.containerinstance/containergroups",
        "microsoft.app/containerapps",
        "microsoft.compute/virtualmachines",
    ),
)


class Hosts:
    """All names that the input has."""

    def __init__(self, estates: Estates, network: Network) -> None:
        resources = estates.azure.resources
        self._resources = resources
        self._network = network
        self._machines: dict[str, list[Machine]] | None = None
        self._declared = {
            address: one for one in resources.values() if isinstance(address := one.settings.get("terraform"), str)
        }
        self._said: dict[str, Resource] = {}
        self._named: dict[tuple[str, str], Resource] = {}
        for _, one in sorted(resources.items()):
            self._named.setdefault((one.kind, one.name.lower()), one)
            if one.kind in _NAMED:
                configured = got(one.settings, "configuration")
                values = [got(place, key) for place in (one.settings, configured) for key in _SAID]
                for text in texts_in(*values):
                    if "." in text and "${" not in text and "<" not in text:
                        self._said.setdefault(text.lower(), one)

    def of(self, text: str) -> Resource | None:
        """The resource that a host's name or address is of; None for none that is known."""
        host = text.partition("://")[2] or text
        match = REFERENCE.search(host)
        if match is not None:
            return self._declared.get(match[1])
        match = _ARM.search(host)
        if match is not None:
            return self._read(match[1].lower())
        host = host.partition("/")[0].partition(":")[0].lower().rstrip(".")
        known = self._said.get(host)
        if known is not None:
            return known
        match = _UNIQUE.fullmatch(host)
        if match is not None:
            return self._named.get(("microsoft.web/sites", match[1]))
        name = host.partition(".")[0]
        kind = next((kind for suffix, kind in _SUFFIXES.items() if host.endswith(f".{suffix}")), "")
        return self._named.get((kind, name)) or self._slot(name)

    def _slot(self, name: str) -> Resource | None:
        for (kind, slot), one in self._named.items():
            if kind == "microsoft.web/sites/slots" and name == f"{one.id.split('/')[-3]}-{slot}":
                return one
        return None

    def _read(self, text: str) -> Resource | None:
        """What ``reference`` is about: the id, and the attributes behind it."""
        while text:
            if text in self._resources:
                return self._resources[text]
            text = text.rpartition(".")[0]
        return None

    def machines(self, text: str) -> list[Machine]:
        """The machines that an address of a network is of."""
        if self._machines is None:
            self._machines = {}
            for one in self._network.attached():
                known = [self.address(place) for place in one.public]
                keys = {one.resource.id, *one.private, *(each.id for each in known if each is not None)}
                for key in keys | ({one.interface.id} if one.interface is not None else set()):
                    self._machines.setdefault(key, []).append(one)
        named = self.of(text)
        found = [*self._machines.get(text, ()), *(self._machines.get(named.id, ()) if named is not None else ())]
        return list({id(one): one for one in found}.values())

    def address(self, text: str) -> Resource | None:
        """The public address that a reference names."""
        known = self._resources.get(text.lower())
        match = REFERENCE.search(text)
        return known or (self._declared.get(match[1]) if match else None)


def hosts_in(value: object, *keys: str) -> list[str]:
    """The names of hosts and addresses in blocks of these keys."""
    found = []
    for one in blocks(value, *keys):
        text = text_at(one, "hostName", "fqdn", "ipAddress", "address")
        found += [text] if text else []
    return found
