"""API Management: which APIs anyone may call, and what they lead to.

Source: Microsoft documentation, "Subscriptions in Azure API Management" (an API or product that needs none is called
without a key), "API Management policy reference" (those that ask for a token, a certificate, a header, an address).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import Answer
from assaymark.assess.azure.security_groups import ANYONE, within
from assaymark.assess.azure.sites import Caller
from assaymark.assess.spelled import got, text_at
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import texts_in
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.azure.passing import Passed
    from assaymark.assess.estate.azure import Resource

SERVICE: Final = "microsoft.apimanagement/service"
_ASKS: Final = re.compile(
    r"<(?:validate-jwt|validate-azure-ad-token|validate-client-certificate|check-header"
    r"|ip-filter\s+action\s*=\s*\"allow\")",
    re.IGNORECASE,
)
_BACKEND: Final = re.compile(r"<set-backend-service[^>]*\b(base-url|backend-id)\s*=\s*\"([^\"]+)\"", re.IGNORECASE)


def open_apis(
    one: Resource, passed: Passed, resources: Mapping[str, Resource], kinds: Mapping[str, list[Resource]]
) -> Iterator[tuple[str, Passed]]:
    """The hosts that APIs lead to which ask for no key and whose policies ask nobody who calls.

    Args:
        one: the service.
        passed: what comes in.
        resources: all, by id.
        kinds: all, by type.
    """
    everywhere = [each for each in kinds.get(f"{SERVICE}/policies", ()) if lies_in(each, one)]
    products = [each for each in kinds.get(f"{SERVICE}/products", ()) if lies_in(each, one)]
    free = [each for each in products if got(each.settings, "subscriptionRequired") is False]
    for api in (each for each in kinds.get(f"{SERVICE}/apis", ()) if lies_in(each, one)):
        offered = any(f"{each.id}/apis/{api.name.lower()}" in resources for each in free)
        if got(api.settings, "subscriptionRequired") is not False and not offered:
            continue
        own = [each for each in kinds.get(f"{SERVICE}/apis/policies", ()) if lies_in(each, api)]
        answer = _asked(api, [*everywhere, *own])
        if answer.state is State.NO:
            continue
        found = _sent_on(one, passed.also(api.because, decides=answer.decides))
        how = f"the API {api.name} of {one.name} asks for no key and passes on what comes"
        for text in _served(one, api, own, resources):
            yield text, replace(found, how=how)


def lies_in(one: Resource, parent: Resource) -> bool:
    """Whether a resource is a part of another."""
    return one.id.startswith(f"{parent.id}/")


def _sent_on(one: Resource, passed: Passed) -> Passed:
    """The requests as a service sends them on."""
    configured = texts_in(got(one.settings, "virtualNetworkConfiguration"))
    subnets = frozenset(text.lower() for text in configured if "/subnets/" in text or "${" in text)
    terraform = one.settings.get("terraform")
    addresses = [f"${{{terraform}.public_ip_addresses"] if isinstance(terraform, str) else []
    addresses += texts_in(got(one.settings, "publicIPAddresses", "publicIpAddresses"))
    caller = Caller(subnets=subnets, addresses=tuple(addresses))
    sender = within(f"API Management {one.name}") if subnets else ANYONE
    return replace(passed, sender=sender, caller=caller, subnets=subnets, approved=None)


def _served(one: Resource, api: Resource, own: list[Resource], resources: Mapping[str, Resource]) -> Iterator[str]:
    """The hosts that an API leads to."""
    direct = text_at(api.settings, "serviceUrl")
    if direct:
        yield direct
    for policy in own:
        for kind, name in _BACKEND.findall(text_at(policy.settings, "value", "xmlContent")):
            known = resources.get(f"{one.id}/backends/{name.lower()}")
            yield name if kind.lower() == "base-url" else text_at(known.settings, "url") if known else ""


def _asked(api: Resource, policies: list[Resource]) -> Answer:
    """Whether policies let pass who says nothing of itself; those that a list by itself lacks are unknown."""
    unread = "resourceGroup" in api.settings and not any(lies_in(one, api) for one in policies)
    for one in policies:
        text = text_at(one.settings, "value", "xmlContent")
        if _ASKS.search(text):
            return Answer(State.NO)
        unread |= not text or isinstance(text, Unresolved)
    found = Answer(State.YES, (api.because,))
    return found.unless(f"no policy of the API {api.name} asks who calls") if unread else found
