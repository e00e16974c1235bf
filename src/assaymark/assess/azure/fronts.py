"""Load balancers, application gateways, Front Door and API Management: what of the internet they pass on to what.

Sources: Microsoft documentation, "Azure Load Balancer components" and "Outbound and inbound default access" (the
client's address stays, so that security groups decide about it), "Application Gateway components", "Mutual
authentication with Application Gateway", "Routing architecture of Azure Front Door". A web application firewall asks
nobody who it is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import YES
from assaymark.assess.azure.apis import SERVICE, open_apis
from assaymark.assess.azure.fields import id_of
from assaymark.assess.azure.hosts import hosts_in
from assaymark.assess.azure.passing import Passed, Passing, last_of
from assaymark.assess.azure.security_groups import ANYONE, FRONT_DOOR, all_let, within
from assaymark.assess.azure.sites import Caller, is_off
from assaymark.assess.azure.translations import translations
from assaymark.assess.azure.waf import lets_anyone, lets_by_route, widest
from assaymark.assess.spelled import blocks, got, off, text_at
from assaymark.assess.terraform.declared import declared
from assaymark.assess.values import texts_in, whole_number
from assaymark.core.graph import State
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.answering import Way
    from assaymark.assess.azure.network import Network
    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.estates import Estates
    from assaymark.core.graph import Because

_BALANCER: Final = "microsoft.network/loadbalancers"
_GATEWAY: Final = "microsoft.network/applicationgateways"
_PROFILE: Final = "microsoft.cdn/profiles"
_CLASSIC: Final = "microsoft.network/frontdoors"
_MADE: Final = re.compile(r"(.+/virtualmachinescalesets/[^/]+)/virtualmachines/")
_DEPTH: Final = 4  # fronts before fronts


class Fronts:
    """All of the input."""

    def __init__(self, estates: Estates, network: Network) -> None:
        self._network = network
        self._resources = estates.azure.resources
        self._passing = Passing(estates, network)
        self._kinds = declared(estates).by_kind
        self._of: dict[str, list[Resource]] = {}
        self.stores: list[tuple[Resource, Passed]] = []  # storage accounts that ways lead to by a private link
        self._within: dict[tuple[str, str], list[Resource]] = {}  # by type and what it is a part of
        for _, one in sorted(self._resources.items()):
            self._of.setdefault(one.kind, []).append(one)
            parent = one.id.rpartition("/")[0].rpartition("/")[0]
            self._within.setdefault((one.kind, parent), []).append(one)

    def ways(self) -> Iterator[Way]:
        """What the internet reaches by them."""
        anyone = Passed("", (), (), ANYONE)
        for one in self._of.get(_BALANCER, ()):
            yield from self._balanced(one, anyone, None)
        for one in self._of.get(_GATEWAY, ()):
            yield from self._gated(one, anyone, None, 0)
        for one in self._of.get(_PROFILE, ()):
            yield from self._doors(one)
        for one in self._of.get(_CLASSIC, ()):
            yield from self._classic(one)
        for one in self._of.get(SERVICE, ()):
            if text_at(one.settings, "virtualNetworkType").lower() != "internal" and not is_off(one):
                yield from self._apis(one, anyone, 1)
        for how, rule, because in translations(self._of, self._kinds):
            found = Passed(how, (because,), (), within("the firewall"))
            for text in texts_in(got(rule, "translatedAddress"), got(rule, "translatedFqdn")):
                yield from self._host(text, found, whole_number(got(rule, "translatedPort")), 0)

    def _parts(self, parent: Resource, *names: str) -> list[tuple[dict[str, Any], Because]]:
        """The parts of a thing, written in it or as resources of their own, with their lines."""
        found = []
        for item in blocks(parent.settings, *names):
            line = getattr(item, "line", 0)
            found.append((item, replace(parent.because, line=line) if line else parent.because))
        apart = self._within.get((f"{parent.kind}/{names[0].lower()}", parent.id), ())
        return [*found, *(({"id": one.id, "name": one.name, **one.settings}, one.because) for one in apart)]

    def _named(self, parent: Resource, *names: str) -> dict[str, dict[str, Any]]:
        return {text_at(one, "name").lower(): one for one, _ in self._parts(parent, *names)}

    def _public(self, parent: Resource, asked: Resource | None) -> set[str]:
        """The frontends with a public address, or with one that is asked for."""
        found = set()
        for name, one in self._named(parent, "frontendIPConfigurations", "frontendIpConfiguration").items():
            address = got(one, "publicIPAddress", "publicIpAddressId")
            text = id_of(address) or (address if isinstance(address, str) else "")
            prefix = got(one, "publicIPPrefix", "publicIpPrefixId")
            if (text or prefix) and (asked is None or self._passing.hosts.address(text) is asked):
                found.add(name)
        return found

    # load balancers

    def _balanced(self, one: Resource, passed: Passed, asked: Resource | None) -> Iterator[Way]:
        public = self._public(one, asked)
        rules = self._parts(one, "loadBalancingRules")
        rules += self._parts(one, "inboundNatRules")
        rules += self._parts(one, "inboundNatPools")
        for rule, because in rules:
            front = last_of(rule, "frontendIPConfiguration") or last_of(rule, "frontendIpConfiguration")
            if front not in public or text_at(rule, "protocol").lower() == "udp":
                continue
            how = f"the load balancer {one.name} passes on what comes"
            found = replace(passed.also(because), how=how)
            port = whole_number(got(rule, "backendPort")) or None
            named = [got(rule, "backendAddressPool"), *listed(got(rule, "backendAddressPools"))]
            pools = [id_of(value) for value in named]
            pools += [
                str(value)
                for value in (*listed(got(rule, "backendAddressPoolIds")), got(rule, "backendAddressPoolId"))
            ]
            own = text_at(rule, "id") or f"{one.id}/inboundnatrules/{text_at(rule, 'name')}"
            own = own if "/providers/" in own else f"{one.id}/inboundnatrules/{own}"
            direct = id_of(got(rule, "backendIPConfiguration"))
            pool = f"{one.id}/inboundnatpools/{text_at(rule, 'name')}"
            places = {text.lower() for text in (*pools, own, direct, pool) if text}
            yield from self._pooled(one, places, found, port)

    def _pooled(self, one: Resource, places: set[str], passed: Passed, port: int | None) -> Iterator[Way]:
        """The machines of pools: they say so themselves, or the pool lists them."""
        listed_: set[str] = set()
        addresses: set[str] = set()
        for pool, _ in self._parts(one, "backendAddressPools", "backendAddressPool"):
            identifier = (
                text_at(pool, "id").lower() or f"{one.id}/backendaddresspools/{text_at(pool, 'name').lower()}"
            )
            if identifier in places:
                parts = [*blocks(pool, "backendIPConfigurations", "backendAddresses", "loadBalancerBackendAddresses")]
                listed_ |= {text.lower() for part in parts for text in texts_in(part) if "/providers/" in text}
                addresses |= {text for part in parts for text in [text_at(part, "ipAddress")] if text}
        for address in self._of.get(f"{_BALANCER}/backendaddresspools/addresses", ()):
            if address.id.rpartition("/addresses/")[0] in places:
                addresses |= {text_at(address.settings, "ipAddress")} - {""}
        made = {match[1] for text in listed_ if (match := _MADE.match(text))}  # those of sets, by what made them
        for machine in self._network.pooled({*places, *listed_, *made}):
            yield from self._passing.to_machine(machine, passed, port)
        for text in sorted(addresses):
            yield from self._passing.to_host(text, passed, port)

    # application gateways

    def _gated(self, one: Resource, passed: Passed, asked: Resource | None, depth: int) -> Iterator[Way]:
        public = self._public(one, asked)
        ports = {
            name: whole_number(got(part, "port"))
            for name, part in self._named(one, "frontendPorts", "frontendPort").items()
        }
        listeners = self._named(one, "httpListeners", "httpListener", "listeners", "listener")
        subnets = frozenset(
            text.lower()
            for part, _ in self._parts(one, "gatewayIPConfigurations", "gatewayIpConfiguration")
            if (text := text_at(part, "subnetId") or id_of(got(part, "subnet")))
        )
        groups = self._network.of_subnets(subnets)
        sender = within(
            f"the gateway {one.name}", [each for text in subnets for each in self._network.prefixes(text)]
        )
        caller = Caller(subnets=subnets, addresses=tuple(self._addresses(one)))
        for rule, because in self._parts(
            one, "requestRoutingRules", "requestRoutingRule", "routingRules", "routingRule"
        ):
            listener = listeners.get(last_of(rule, "httpListener") or last_of(rule, "listener"), {})
            front = last_of(listener, "frontendIPConfiguration") or last_of(listener, "frontendIpConfiguration")
            if front not in public or self._certified(one, listener):
                continue
            port = ports.get(last_of(listener, "frontendPort"))
            answer = all_let(groups, passed.sender, port) if groups else YES
            filtered = self._filtered(one, listener)
            if answer.state is State.NO or filtered is None:
                continue
            more = (*answer.decides, *filtered)
            if got(rule, "entraJWTValidationConfig") is not None:
                more = (*more, f"the rule {text_at(rule, 'name')} of {one.name} lets pass who has no token")
            found = passed.also(because, *answer.because, decides=more)
            found = replace(
                found,
                how=f"the gateway {one.name} passes on what comes",
                sender=sender,
                caller=caller,
                subnets=subnets,
                approved=None,
            )
            yield from self._routed(one, rule, found, depth)

    def _addresses(self, one: Resource) -> Iterator[str]:
        """What names the public addresses of a gateway."""
        for part in self._named(one, "frontendIPConfigurations", "frontendIpConfiguration").values():
            address = got(part, "publicIPAddress", "publicIpAddressId")
            known = self._passing.hosts.address(id_of(address) or str(address or ""))
            if known is not None:
                terraform = known.settings.get("terraform")
                yield from (text for text in texts_in(got(known.settings, "ipAddress")) if text)
                yield f"<{known.id}.ipaddress>"
                if isinstance(terraform, str):
                    yield f"${{{terraform}.ip_address}}"

    def _certified(self, one: Resource, listener: dict[str, Any]) -> bool:
        """Whether a listener asks who calls for a certificate."""
        profile = self._named(one, "sslProfiles", "sslProfile").get(last_of(listener, "sslProfile"), {})
        mode = text_at(got(profile, "clientAuthConfiguration"), "verifyClientAuthMode").lower()
        trusted = listed(got(profile, "trustedClientCertificates", "trustedClientCertificateNames"))
        return bool(trusted) and mode != "passthrough"

    def _filtered(self, one: Resource, listener: dict[str, Any]) -> tuple[str, ...] | None:
        """What would decide that the firewall's policy lets everyone pass; that of a listener counts first."""
        for place in (listener, one.settings):
            given = got(place, "firewallPolicy", "firewallPolicyId", "webApplicationFirewallPolicyLink")
            given = given or got(place, "webApplicationFirewallPolicyLinkId")
            policy = self._resources.get((id_of(given) or str(given or "")).lower())
            if policy is not None:
                return lets_anyone(policy)
        return ()

    def _routed(self, one: Resource, rule: dict[str, Any], passed: Passed, depth: int) -> Iterator[Way]:
        settings = self._named(
            one, "backendHttpSettingsCollection", "backendHttpSettings", "backendSettingsCollection", "backend"
        )
        pools = self._named(one, "backendAddressPools", "backendAddressPool")
        targets = [rule]
        path_map = self._named(one, "urlPathMaps", "urlPathMap").get(last_of(rule, "urlPathMap"))
        if path_map is not None:
            targets += blocks(path_map, "pathRules", "pathRule")
            default = {
                "backendAddressPoolName": last_of(path_map, "defaultBackendAddressPool"),
                "backendHttpSettingsName": last_of(path_map, "defaultBackendHttpSettings"),
            }
            targets.append(default)
        for target in targets:
            pool = pools.get(last_of(target, "backendAddressPool"))
            if pool is None:
                continue
            used = settings.get(last_of(target, "backendHttpSettings") or last_of(target, "backendSettings"), {})
            port = whole_number(got(used, "port"))
            texts = [*texts_in(got(pool, "fqdns"), got(pool, "ipAddresses")), *hosts_in(pool, "backendAddresses")]
            for text in texts:
                yield from self._host(text, passed, port, depth)
            place = f"{one.id}/backendaddresspools/{text_at(pool, 'name').lower()}"
            written = f"{one.settings.get('terraform')}.backend_address_pool".lower()
            nics = {text.lower() for text in texts_in(got(pool, "backendIPConfigurations"))}
            for machine in self._network.pooled({place, *nics}):
                yield from self._passing.to_machine(machine, passed, port)
            for machine, place in self._network.unresolved():
                if written in place:
                    yield from self._passing.to_machine(machine, passed, port)
                elif "azurerm_" not in place:
                    more = (f"{machine.resource.name} is in the pool {text_at(pool, 'name')} of {one.name}",)
                    yield from self._passing.to_machine(machine, passed.also(decides=more), port)

    def _host(self, text: str, passed: Passed, port: int | None, depth: int) -> Iterator[Way]:
        """What a name leads to, fronts among it."""
        yield from self._passing.to_host(text, passed, port)
        one = self._passing.hosts.of(text)
        if one is None or depth >= _DEPTH:
            return
        if one.kind == "microsoft.storage/storageaccounts" and passed.approved is not None:
            self.stores.append((one, passed.also(decides=passed.approved)))
        if one.kind == SERVICE:
            yield from self._apis(one, passed, depth + 1)
        elif one.kind == "microsoft.network/publicipaddresses":
            for each in self._of.get(_BALANCER, ()):
                yield from self._balanced(each, passed, one)
            for each in self._of.get(_GATEWAY, ()):
                yield from self._gated(each, passed, one, depth + 1)

    # Front Door

    def _doors(self, profile: Resource) -> Iterator[Way]:
        """What routes of a profile lead to; endpoints of the content delivery network, too."""
        for endpoint, because in self._parts(profile, "endpoints"):
            for text in hosts_in(endpoint, "origins", "origin"):
                found = Passed(
                    f"the endpoint {text_at(endpoint, 'name')} passes on what comes", (because,), (), ANYONE
                )
                yield from self._host(text, found, None, 0)
        routes = [
            one for one in self._of.get(f"{_PROFILE}/afdendpoints/routes", ()) if one.id.startswith(f"{profile.id}/")
        ]
        for group in self._of.get(f"{_PROFILE}/origingroups", ()):
            if not group.id.startswith(f"{profile.id}/"):
                continue
            used = [one for one in routes if self._leads(one, group)]
            entries: list[tuple[tuple[Because, ...], tuple[str, ...]]] = []
            for route in used:
                let = self._guarded(profile, route)
                if let is not None:
                    entries.append(((route.because,), let))
            if not routes:
                entries.append(((profile.because,), (f"a route of {profile.name} leads to {group.name}",)))
            for because_, decides in entries:
                yield from self._origins(profile, group, because_, decides)

    def _leads(self, route: Resource, group: Resource) -> bool:
        given = got(route.settings, "originGroup", "cdnFrontdoorOriginGroupId")
        endpoint = self._resources.get(route.id.rpartition("/routes/")[0])
        shut = [
            one for one in (route, endpoint) if one is not None and off(got(one.settings, "enabledState", "enabled"))
        ]
        return (id_of(given) or str(given or "")).lower() == group.id and not shut

    def _guarded(self, profile: Resource, route: Resource) -> tuple[str, ...] | None:
        """What would decide that firewalls let everyone pass to one of a route's domains."""
        own = [one for one in self._of.get(f"{_PROFILE}/securitypolicies", ()) if one.id.startswith(f"{profile.id}/")]
        return lets_by_route(route, own, self._resources)

    def _origins(
        self, profile: Resource, group: Resource, because: tuple[Because, ...], decides: tuple[str, ...]
    ) -> Iterator[Way]:
        terraform = profile.settings.get("terraform")
        ids = {text_at(profile.settings, "frontDoorId", "resourceGuid").lower(), f"<{profile.id}.frontdoorid>"}
        ids |= {f"${{{terraform}.resource_guid}}".lower()} if isinstance(terraform, str) else set()
        caller = Caller(frozenset(("azurefrontdoor.backend",)), ids=frozenset(ids - {""}))
        if caller.ids and text_at(profile.settings, "frontDoorId"):
            caller = replace(caller, ids=frozenset((text_at(profile.settings, "frontDoorId").lower(),)))
        for origin, line in self._parts(group, "origins"):
            if off(got(origin, "enabledState", "enabled")):
                continue
            link = blocks(origin, "sharedPrivateLinkResource", "privateLink")
            host = text_at(origin, "hostName")
            words = f"the origin {text_at(origin, 'name') or host} takes the private endpoint of {profile.name}"
            found = Passed(
                f"the front door {profile.name} passes on what comes",
                (*because, line),
                decides,
                FRONT_DOOR,
                caller,
                approved=(words,) if link else None,
            )
            port = whole_number(got(origin, "httpsPort"))
            yield from self._host(host, found, None if port is None else port, 0)

    def _classic(self, one: Resource) -> Iterator[Way]:
        """A front door of before the profiles."""
        pools = self._named(one, "backendPools", "backendPool")
        caller = Caller(
            frozenset(("azurefrontdoor.backend",)),
            ids=frozenset({text_at(one.settings, "frontDoorId", "headerFrontdoorId").lower()} - {""}),
        )
        for rule, because in self._parts(one, "routingRules", "routingRule"):
            parts = [rule, *blocks(rule, "routeConfiguration", "forwardingConfiguration")]
            pool = next((pools[name] for part in parts if (name := last_of(part, "backendPool")) in pools), None)
            filtered = self._at_endpoints(one, rule)
            if pool is None or filtered is None or off(got(rule, "enabledState", "enabled")):
                continue
            for backend in blocks(pool, "backends", "backend"):
                if not off(got(backend, "enabledState", "enabled")):
                    how = f"the front door {one.name} passes on what comes"
                    found = Passed(how, (because,), filtered, FRONT_DOOR, caller)
                    yield from self._host(text_at(backend, "address"), found, None, 0)

    def _at_endpoints(self, one: Resource, rule: dict[str, Any]) -> tuple[str, ...] | None:
        """What would decide that firewalls let everyone pass to one of the endpoints of a rule."""
        endpoints = self._named(one, "frontendEndpoints", "frontendEndpoint")
        named = listed(got(rule, "frontendEndpoints"))
        texts = [id_of(each) or (each if isinstance(each, str) else "") for each in named]
        used = [endpoints[name] for text in texts if (name := text.rpartition("/")[2].lower()) in endpoints]
        return widest(self._filtered(one, each) for each in used) if used else ()

    def _apis(self, one: Resource, passed: Passed, depth: int) -> Iterator[Way]:
        for text, found in open_apis(one, passed, self._resources, self._of):
            yield from self._host(text, found, None, depth)
