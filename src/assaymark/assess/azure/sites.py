"""Sites of App Service: whom their access restrictions let in, and whether they ask who calls.

Sources: Microsoft documentation, "Set up Azure App Service access restrictions" (rules by priority, by address, by
service tag with the id of a Front Door, by subnet; what comes by a private endpoint is not restricted),
"Authentication and authorization in Azure App Service and Azure Functions".
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.spelled import got
from assaymark.assess.values import dicts_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assaymark.assess.estate.azure import Resource

SITES: Final = ("microsoft.web/sites", "microsoft.web/sites/slots")
_ANYWHERE: Final = ("0.0.0.0/0", "::/0", "any")
_FRONT_DOOR: Final = "azurefrontdoor.backend"
_LAST: Final = 65000
_PRINTED: Final = ("resourceGroup", "defaultHostName", "hostNames", "enabledHostNames")
_AUTH: Final = ("config/authsettingsv2", "config/authsettings", "authconfigs/current")
UNLISTED: Final = "who is in no access restriction of the site is let in"


@dataclass(frozen=True, slots=True)
class Caller:
    """What passes requests on to a site. ``tags``: service tags that it is of; ``subnets`` in lower case.

    ``ids``: what the header ``X-Azure-FDID`` says, as far as it is known; ``addresses``: texts that name its
    addresses.
    """

    tags: frozenset[str] = frozenset()
    subnets: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    addresses: tuple[str, ...] = ()


ANYONE: Final = Caller()


def config_of(one: Resource, resources: Mapping[str, Resource]) -> Mapping[str, Any]:
    """The configuration of a site, of a resource of its own too."""
    own = next(iter(dicts_in(got(one.settings, "siteConfig"))), {})
    apart = resources.get(f"{one.id}/config/web")
    return own if apart is None else {**own, **apart.settings}


def is_printed(one: Resource) -> bool:
    """Whether the command line printed a site: what it leaves out may be there."""
    return "terraform" not in one.settings and any(key in one.settings for key in _PRINTED)


def is_off(one: Resource) -> bool:
    """Whether a resource takes nothing from public networks."""
    given = one.settings.get("public_network_access_enabled", one.settings.get("publicNetworkAccess"))
    given = one.settings.get("public_network_access") if given is None else given
    return str(given).lower() in ("false", "disabled", "securedbyperimeter")


def is_wide(text: str) -> bool:
    """Whether a range is everywhere."""
    return text.lower() in _ANYWHERE or text.endswith(("/0", "/1"))


def allows(rule: Mapping[str, Any]) -> bool:
    """Whether a rule lets in."""
    return str(rule.get("action") or "Allow").lower() == "allow"


def restricted(one: Resource, resources: Mapping[str, Resource], caller: Caller = ANYONE) -> tuple[str, ...] | None:
    """What would decide that access restrictions let a caller in; None where they let in those named alone.

    Terraform's provider sets what happens to others, which is that they are let in.
    """
    config = config_of(one, resources)
    default = str(got(config, "ipRestrictionDefaultAction", "ipSecurityRestrictionsDefaultAction") or "").lower()
    rules = dicts_in(got(config, "ipRestriction", "ipSecurityRestrictions"))
    unsure: list[str] = []
    for rule in sorted(rules, key=lambda each: _priority(each.get("priority"))):
        about = _about(rule, caller)
        if about is None:
            words = f"the access restriction {rule.get('name') or ''} of {one.name} is about what passes on to it"
            if allows(rule):
                unsure.append(words)
            continue
        if about:
            return () if allows(rule) else tuple(unsure) or None
    if default:
        return () if default != "deny" else tuple(unsure) or None
    if not rules and is_printed(one) and got(config, "ipSecurityRestrictions") is None:
        return (f"no access restriction of {one.name} keeps it out (az webapp config access-restriction show)",)
    if not any(allows(rule) for rule in rules):
        return ()
    return (*unsure, UNLISTED) if "terraform" in one.settings else tuple(unsure) or None


def _priority(value: Any) -> int:
    """The lower, the earlier; the provider takes 65000 where none is written."""
    return value if isinstance(value, int) else _LAST


def _about(rule: Mapping[str, Any], caller: Caller) -> bool | None:
    """Whether a rule is about a caller; None where the input does not show."""
    address = str(got(rule, "ipAddress") or "")
    tag = str(got(rule, "serviceTag") or (address if str(got(rule, "tag")).lower() == "servicetag" else "")).lower()
    if is_wide(address):
        return True
    if tag:
        return _identified(rule, caller) if tag in caller.tags else False
    subnet = str(got(rule, "virtualNetworkSubnetId", "vnetSubnetResourceId", "subnet") or "").lower()
    if subnet:
        return subnet in caller.subnets
    return _addressed(address, caller)


def _addressed(address: str, caller: Caller) -> bool | None:
    host = address.partition("/")[0]
    if address and any(host in (one, one.partition("/")[0]) or (one and one in address) for one in caller.addresses):
        return True
    for one in caller.addresses:
        try:
            if ip_network(one, strict=False).subnet_of(ip_network(address, strict=False)):  # type: ignore[arg-type]
                return True
        except (ValueError, TypeError):
            continue
    return None if caller is not ANYONE and ("${" in address or "<" in address) else False


def _identified(rule: Mapping[str, Any], caller: Caller) -> bool | None:
    """Whether a rule that asks for the id of a Front Door asks for this one's."""
    asked = [
        str(value).lower()
        for part in dicts_in(got(rule, "headers"))
        for key, values in part.items()
        if str(key).lower().replace("_", "-") == "x-azure-fdid"
        for value in (values if isinstance(values, list) else [values])
    ]
    if not asked:
        return True
    if any(one in caller.ids for one in asked):
        return True
    return False if caller.ids and not any("${" in one or "<" in one for one in (*asked, *caller.ids)) else None


def asks_first(one: Resource, resources: Mapping[str, Resource]) -> bool | None:
    """Whether the platform asks who calls before the site does; None where paths are left out of that."""
    newer = _first(got(one.settings, "authSettingsV2"))
    if got(newer, "authEnabled") is True:
        action = str(got(newer, "unauthenticatedAction") or "RedirectToLoginPage")
        asks = got(newer, "requireAuthentication") is True or action != "AllowAnonymous"
        return None if asks and got(newer, "excludedPaths") else asks
    older = _first(got(one.settings, "authSettings"))
    if got(older, "enabled") is True:
        return bool(got(older, "unauthenticatedClientAction") == "RedirectToLoginPage")
    return authenticates(one, resources)


def _first(value: Any) -> Mapping[str, Any]:
    return next(iter(dicts_in(value)), {})


def authenticates(one: Resource, resources: Mapping[str, Resource]) -> bool | None:
    """The same by a configuration that is a resource of its own."""
    for name in _AUTH:
        found = resources.get(f"{one.id}/{name}")
        if found is None:
            continue
        settings = found.settings
        if name == "config/authsettings":
            return settings.get("enabled") is True and settings.get("unauthenticatedClientAction") not in (
                "AllowAnonymous",
                None,
            )
        rules = _first(settings.get("globalValidation"))
        action = rules.get("unauthenticatedClientAction")
        asks = rules.get("requireAuthentication") is True or action not in ("AllowAnonymous", None)
        if _first(settings.get("platform")).get("enabled") is not True or not asks:
            return False
        return None if rules.get("excludedPaths") else True
    return False


def limits(
    one: Resource, resources: Mapping[str, Resource], caller: Caller = ANYONE, *, private: bool = False
) -> Sequence[str] | None:
    """What would decide that a caller's requests reach a site's own code; None where they do not.

    ``private``: they come by a private endpoint, which restrictions are not about.
    """
    asks = asks_first(one, resources)
    if asks is True or (is_off(one) and not private):
        return None
    let = () if private else restricted(one, resources, caller)
    if let is None:
        return None
    if asks is False and is_printed(one) and not any(f"{one.id}/{name}" in resources for name in _AUTH):
        return (*let, f"nothing of App Service asks who calls {one.name} (az webapp auth show)")
    return (*let, *((f"{one.name} asks who calls",) if asks is None else ()))
