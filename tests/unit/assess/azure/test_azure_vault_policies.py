"""Access policies of key vaults beside roles: what is old of them, what is least, and what patches make of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clouds import NOW, assessed

from assaymark.assess.azure.called import needed
from assaymark.assess.azure.formulas import DATA, Grant, Request, language
from assaymark.assess.azure.least import least_assignments
from assaymark.assess.azure.patched import patched_assignments
from assaymark.assess.azure.vaults import Vaults, actions_of, policy_role, with_policies
from assaymark.assess.estate.azure import Assignment, Azure, Resource
from assaymark.assess.proofs import contained
from assaymark.core.graph import Because, State

pytest.importorskip("z3")
pytest.importorskip("cvc5")
P = "11111111-1111-1111-1111-111111111111"
GROUP = "22222222-2222-2222-2222-222222222222"
RG = "/subscriptions/33333333-3333-3333-3333-333333333333/resourcegroups/ml"
VAULT = f"{RG}/providers/microsoft.keyvault/vaults/v"
OTHER = f"{RG}/providers/microsoft.keyvault/vaults/w"
KV = "Microsoft.KeyVault/vaults"
GET, SET, DECRYPT = (
    f"{KV}/{one}" for one in ("secrets/getSecret/action", "secrets/setSecret/action", "keys/decrypt/action")
)
WHERE = Because("a.json", 1, "0")


def vault(rbac, *policies, name=VAULT):
    return Resource(
        name, "microsoft.keyvault/vaults", "v", WHERE, settings={"rbac": rbac, "policies": list(policies)}
    )


def policy(who=P, **permissions):
    return {"principal": who, "secrets": [], "keys": [], **permissions}


def estate(*vaults, assignments=(), **more):
    found = Azure(assignments=list(assignments), **more)
    found.resources = {one.id: one for one in vaults}
    return found


def reader(scope=RG):
    return Assignment(P, "key vault administrator", scope, WHERE)


def test_the_least_of_an_access_policy_is_an_access_policy():
    some = estate(vault(False, policy(secrets=["get", "list", "set"], keys=["decrypt", "sign"])))
    found = least_assignments(some, P, [(GET, f"{VAULT}/secrets/db"), (DECRYPT, VAULT)], NOW)
    assert found.proved
    permissions = {"keys": ["decrypt"], "secrets": ["get"]}
    assert found.policy == [{"vault": VAULT, "accessPolicy": {"objectId": P, "permissions": permissions}}]
    assert found.replaces[0].name == "the access policy of v"
    assert set(found.replaces[0].policy["accessPolicy"]["permissions"]["secrets"]) == {"get", "list", "set"}


def test_a_vault_decides_by_one_of_both():
    by_policies = estate(vault(False, policy(secrets=["get"])), assignments=[reader()])
    found = least_assignments(by_policies, P, [(GET, VAULT), (SET, VAULT)], NOW)
    assert found.uncovered == ((SET, VAULT),)
    assert [list(one) for one in found.policy] == [["vault", "accessPolicy"]]
    by_roles = estate(vault(True, policy(secrets=["all"])), assignments=[reader()])
    found = least_assignments(by_roles, P, [(GET, VAULT)], NOW)
    assert found.proved
    assert [one.get("DataActions") for one in found.policy[::2]] == [[GET]]
    assert least_assignments(estate(vault(True, policy(secrets=["all"]))), P, [(GET, VAULT)], NOW).uncovered
    unknown = estate(vault(None, policy(secrets=["get"])), assignments=[reader()])
    assert least_assignments(unknown, P, [(GET, VAULT)], NOW).undecided


def test_groups_all_and_words_that_roles_do_not_tell_apart():
    some = estate(vault(False, policy(GROUP, secrets=["all"], keys=["get", "list"])), groups={GROUP: {P: WHERE}})
    found = least_assignments(some, P, [(GET, VAULT), (f"{KV}/keys/read", VAULT)], NOW)
    assert found.proved
    assert found.policy[0]["accessPolicy"] == {
        "objectId": P,
        "permissions": {"keys": ["get", "list"], "secrets": ["get"]},
    }


def test_a_policy_through_an_application_allows_nothing_for_certain():
    some = estate(vault(False, policy(secrets=["get"], application="x")))
    assert least_assignments(some, P, [(GET, VAULT)], NOW).undecided


def test_words_that_nobody_knows_and_shapes_that_are_odd_are_no_policies():
    odd = [policy(secrets=["fly"]), policy(secrets="get"), {"principal": None, "secrets": ["get"]}, "x", None]
    assert [one.principal for one in with_policies(estate(vault(False, *odd))).assignments] == ["None"]
    assert not with_policies(estate(replace(vault(False), settings={"rbac": False, "policies": 7}))).assignments


TERRAFORM = """
resource "azurerm_key_vault" "v" {
  name                       = "v"
  enable_rbac_authorization  = false
  access_policy {
    object_id          = "%s"
    secret_permissions = %s
  }
}
resource "azurerm_key_vault_access_policy" "k" {
  key_vault_id            = azurerm_key_vault.v.id
  object_id               = "%s"
  key_permissions         = ["Get", "Decrypt"]
  certificate_permissions = ["Get"]
}
"""


def template(permissions):
    properties = {
        "enableRbacAuthorization": False,
        "accessPolicies": [{"objectId": P, "tenantId": "t", "permissions": {"secrets": permissions}}],
    }
    resource = {"type": KV, "apiVersion": "2023-07-01", "name": "v", "properties": properties}
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return json.dumps({"$schema": schema, "resources": [resource]})


@pytest.mark.parametrize("form", ["terraform", "template"])
def test_access_policies_of_files_and_what_patches_take_of_them(form):
    def read(permissions):
        if form == "terraform":
            return assessed(a_tf=TERRAFORM % (P, json.dumps(permissions), P)).estates.azure
        return assessed(a_json=template(permissions)).estates.azure

    before, after = read(["Get", "Set"]), read(["Get"])
    scope = next(one for one in before.resources if "/vaults/" in one)
    found = least_assignments(before, P, [(GET, scope)], NOW)
    assert found.proved
    assert found.policy[0]["accessPolicy"]["permissions"] == {"secrets": ["get"]}
    (patched,) = patched_assignments(before, after, {f"azure:principal:{P}": [(GET, scope)]}, NOW)
    assert patched.proved
    assert patched.takes.action.startswith("data:microsoft.keyvault/vaults/secrets/")
    (wider,) = patched_assignments(after, before, {}, NOW)
    assert wider.within.verdict == "not contained"


ACTIONS = [DATA + one for one in (GET, SET, DECRYPT)] + [f"{KV}/read"]
WORDS = ["secrets get", "secrets set", "keys decrypt"]
ROLES = {VAULT: policy_role(VAULT, "a", WORDS[:1], WHERE), OTHER: policy_role(OTHER, "b", WORDS, WHERE)}
GRANTS = st.lists(
    st.sampled_from([*(Grant(Assignment(P, role.id, place, WHERE), role) for place, role in ROLES.items()),
                     Grant(reader()), Grant(reader(VAULT)), Grant(reader(f"{VAULT}/secrets/a"))]),
    max_size=3,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(GRANTS, GRANTS, st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))
def test_what_is_contained_is_never_contradicted_by_the_evaluator(new, old, first, second):
    some = estate(vault(first), vault(second, name=OTHER))
    how = language(some, P, ACTIONS, [RG, VAULT, OTHER, f"{VAULT}/secrets/a"])
    verdict = contained(new, old, how).verdict
    tried = [
        Request(action.lower(), scope)
        for action in ACTIONS
        for scope in (RG, VAULT, f"{VAULT}/secrets/a", f"{OTHER}/keys/x")
    ]
    broken = [one for one in tried if how.state(new, one) is State.YES and how.state(old, one) is State.NO]
    if verdict == "contained":
        assert not broken
    if broken:
        assert verdict == "not contained"


CODE = (
    "from azure.keyvault.secrets import SecretClient\n"
    "SecretClient(vault_url='https://v.vault.azure.net', credential=c).get_secret('db')\n"
    "SecretClient(vault_url=url, credential=c).set_secret('x', 'y')\n"
)


def test_what_code_calls_of_a_vault_is_needed_of_its_access_policy():
    some = with_policies(estate(vault(False, policy(secrets=["get", "set"])), assignments=[reader()]))
    found = {
        pair
        for call in assessed(main_py=CODE).estates.source.cloud_calls
        for pair in needed(call, Vaults(some, NOW), P)
    }
    assert (f"data:{GET}", f"{VAULT}/secrets/db") in found
    assert (f"data:{SET}", VAULT) in found
    whole = "from azure.keyvault.secrets import SecretClient\nhandle(SecretClient(vault_url=url, credential=c))\n"
    found = {
        pair
        for call in assessed(main_py=whole).estates.source.cloud_calls
        for pair in needed(call, Vaults(some, NOW), P)
    }
    assert (f"data:{SET}", VAULT) in found


def test_every_permission_has_actions():
    for word in ("secrets set", "keys getrotationpolicy", "certificates managecontacts"):
        assert all(one.startswith(f"{KV}/") for one in actions_of(word))
