"""Sites as the command line prints them, and what it prints of their sign-in and restrictions apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

BASE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/ml/providers/Microsoft.Web/sites"
ANY = {"action": "Allow", "ip_address": "Any", "name": "Allow all", "priority": 2147483647}
OFFICE = {"action": "Allow", "ip_address": "203.0.113.0/24", "name": "office", "priority": 100}
DENY = {"action": "Deny", "ip_address": "Any", "name": "Deny all", "priority": 2147483647}


def site(name: str = "score", config: Any = None) -> dict[str, Any]:
    return {
        "id": f"{BASE}/{name}",
        "name": name,
        "type": "Microsoft.Web/sites",
        "resourceGroup": "ml",
        "defaultHostName": f"{name}.azurewebsites.net",
        "siteConfig": config,
    }


def restrictions(*rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "ipSecurityRestrictions": list(rules),
        "scmIpSecurityRestrictions": [ANY],
        "scmIpSecurityRestrictionsUseMain": False,
    }


OPEN = restrictions(ANY)
OFF = {"enabled": False, "unauthenticatedClientAction": None, "tokenStoreEnabled": None}
ON = {"enabled": True, "unauthenticatedClientAction": "RedirectToLoginPage", "tokenStoreEnabled": True}
ANONYMOUS = {"enabled": True, "unauthenticatedClientAction": "AllowAnonymous", "tokenStoreEnabled": True}
NEWER = {
    "id": f"{BASE}/score/config/authsettingsV2",
    "name": "authsettingsV2",
    "type": "Microsoft.Web/sites/config",
    "properties": {
        "platform": {"enabled": True},
        "globalValidation": {"requireAuthentication": True, "unauthenticatedClientAction": "Return401"},
    },
}


def state(*sites: dict[str, Any], name: str = "score", **prints: Any) -> State | None:
    files = {"sites.json": json.dumps(list(sites) or [site()])}
    files |= {f"{key.replace('__', '/')}.json": json.dumps(value) for key, value in prints.items()}
    edges = assessed_files(files).graph.edges
    target = f"{BASE}/{name}".lower() + "#port"
    return next((one.state for one in edges if (one.source, one.target) == ("internet", target)), None)


@pytest.mark.parametrize(
    ("expect", "prints"),
    [
        (State.UNKNOWN, {}),
        (State.UNKNOWN, {"auth": OFF}),
        (State.UNKNOWN, {"access": OPEN}),
        (State.YES, {"auth": OFF, "access": OPEN}),
        (State.YES, {"auth": ANONYMOUS, "access": OPEN}),
        (None, {"auth": ON, "access": OPEN}),
        (None, {"auth": NEWER, "access": OPEN}),
        (None, {"auth": OFF, "access": restrictions(OFFICE, DENY)}),
        (None, {"access": restrictions(OFFICE, DENY)}),
    ],
)
def test_what_is_printed_apart_decides(expect: State | None, prints: dict[str, Any]) -> None:
    assert state(**prints) is expect


def test_a_configuration_in_the_site_itself_counts() -> None:
    assert state(site(config={"ipSecurityRestrictions": [ANY]}), auth=OFF) is State.YES
    assert state(site(config={"ipSecurityRestrictions": [OFFICE, DENY]}), auth=OFF) is None
    assert state(site(config={"ipSecurityRestrictions": None}), auth=OFF) is State.UNKNOWN


def test_of_several_sites_the_name_of_the_file_tells() -> None:
    both = (site("score"), site("score-api"))
    prints = {"auth-score": ON, "auth-score-api": OFF, "access-score": OPEN, "access-score-api": OPEN}
    assert state(*both, **prints) is None
    assert state(*both, name="score-api", **prints) is State.YES


def test_settings_of_a_site_that_nothing_names_are_skipped() -> None:
    files = {"sites.json": json.dumps([site("score"), site("rank")]), "auth.json": json.dumps(ON)}
    found = assessed_files(files)
    assert [one.path for one in found.reading.skipped] == ["auth.json"]
    assert state(site("score"), site("rank"), auth=ON) is State.UNKNOWN


def test_odd_values_do_no_harm() -> None:
    odd = {"ipSecurityRestrictions": None, "scmIpSecurityRestrictionsUseMain": []}
    assert state(auth={"enabled": [], "unauthenticatedClientAction": {}, "tokenStoreEnabled": 1}, access=odd)
