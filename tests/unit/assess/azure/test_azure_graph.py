"""What an architecture on Azure comes to: who reaches what, from Terraform, templates and exports."""

from __future__ import annotations

import json

import pytest
from tests.support.clouds import assessed, edges

SUB = "11111111-1111-1111-1111-111111111111"
HEAD = (
    f'provider "azurerm" {{\n features {{}}\n subscription_id = "{SUB}"\n}}\n'
    'resource "azurerm_resource_group" "rg" {\n name = "rg"\n location = "westeurope"\n}\n'
    'resource "azurerm_user_assigned_identity" "id" {\n name = "id"\n resource_group_name = azurerm_resource_group.rg.name\n}\n'
    'resource "azurerm_linux_virtual_machine" "vm" {\n name = "vm"\n resource_group_name = azurerm_resource_group.rg.name\n'
    ' identity {\n type = "SystemAssigned"\n }\n}\n'
)
ID = "azure:principal:<azurerm_user_assigned_identity.id.principal_id>"
ROOT = f"azure:{SUB}:administrator"
GROUP = f"azure:{SUB}:rg:administrator"


def role(name, scope="azurerm_resource_group.rg.id", who='"eve"', extra=""):
    return (
        f'resource "azurerm_role_assignment" "r{abs(hash((name, scope, who, extra)))}" {{\n scope = {scope}\n'
        f' role_definition_name = "{name}"\n principal_id = {who}\n{extra}}}\n'
    )


EVE = "azure:principal:eve"


def found(*parts):
    return edges(assessed(main_tf=HEAD + "".join(parts)))


def test_a_contributor_runs_code_in_machines_and_has_their_identities():
    graph = found(role("Contributor"))
    assert (EVE, "takes-over", "vm", "yes") in graph
    assert (
        "vm",
        "runs-as",
        "azure:principal:<azurerm_linux_virtual_machine.vm.identity.principal_id>",
        "yes",
    ) in graph
    assert (EVE, "passes-role", ID, "yes") in graph
    assert not any(edge[1] in ("administers", "escalates") and edge[0] == EVE for edge in graph)


def test_owner_administers_and_who_assigns_roles_escalates():
    scope = f'"/subscriptions/{SUB}"'
    assert (EVE, "administers", ROOT, "yes") in found(role("Owner", scope))
    assert (EVE, "escalates", ROOT, "yes") in found(role("User Access Administrator", scope))
    assert (EVE, "escalates", GROUP, "yes") in found(role("Role Based Access Control Administrator"))
    assert (ROOT, "administers", GROUP, "yes") in found(role("Owner", scope))


def test_a_condition_on_which_roles_may_be_assigned_is_read():
    reader = (
        " condition = \"((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
        "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals "
        '{acdd72a7-3385-48ef-bd42-f606fba81ae7}))"\n'
    )
    graph = found(role("User Access Administrator", f'"/subscriptions/{SUB}"', extra=reader))
    assert not any(edge[0] == EVE and edge[1] == "escalates" for edge in graph)


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("Managed Identity Contributor", "resets"),
        ("Virtual Machine Contributor", ""),
        ("Managed Identity Operator", ""),
    ],
)
def test_identities_need_both_assign_and_something_to_assign_to(name, relation):
    graph = found(role(name))
    assert {edge[1] for edge in graph if edge[0] == EVE and edge[2] == ID} == ({relation} if relation else set())


def test_operator_and_machine_contributor_together_pass_the_identity():
    graph = found(role("Managed Identity Operator"), role("Virtual Machine Contributor"))
    assert (EVE, "passes-role", ID, "yes") in graph


STORAGE = (
    'resource "azurerm_storage_account" "st" {\n name = "acmest"\n resource_group_name = azurerm_resource_group.rg.name\n%s}\n'
    'resource "azurerm_storage_container" "c" {\n name = "weights"\n storage_account_id = azurerm_storage_account.st.id\n'
    ' container_access_type = "%s"\n}\n'
)


def test_keys_of_a_storage_account_are_its_data_unless_they_are_off():
    assert (EVE, "reads", "acmest", "yes") in found(STORAGE % ("", "private"), role("Contributor"))
    lists = custom("Microsoft.Storage/storageAccounts/listKeys/action")
    off = found(STORAGE % (" shared_access_key_enabled = false\n", "private"), lists)
    assert not any(edge[0] == EVE and edge[1] in ("reads", "writes") for edge in off)
    assert (EVE, "reads", "acmest", "yes") in found(STORAGE % ("", "private"), lists)
    data = found(STORAGE % (" shared_access_key_enabled = false\n", "private"), role("Storage Blob Data Reader"))
    assert (EVE, "reads", "acmest", "yes") in data
    assert (EVE, "writes", "acmest", "yes") not in data


def custom(*actions):
    """A role of one's own, given to eve."""
    return (
        'resource "azurerm_role_definition" "own" {\n name = "own"\n scope = azurerm_resource_group.rg.id\n'
        f" permissions {{\n actions = {json.dumps(actions)}\n }}\n}}\n"
        + role("own", extra=" depends_on = [azurerm_role_definition.own]\n")
    )


def without_keys(kind, name, setting):
    group = "azurerm_resource_group.rg.name"
    return f'resource "{kind}" "x" {{\n name = "{name}"\n {setting}\n resource_group_name = {group}\n}}\n'


OFF = [
    (STORAGE % (" shared_access_key_enabled = false\n", "private"), "acmest", "reads"),
    (without_keys("azurerm_container_registry", "acmecr", "admin_enabled = false"), "acmecr", "writes"),
    (without_keys("azurerm_cosmosdb_account", "acmedb", "local_authentication_disabled = true"), "acmedb", "writes"),
    (
        without_keys("azurerm_search_service", "acmesearch", "local_authentication_enabled = false"),
        "acmesearch",
        "reads",
    ),
    (without_keys("azurerm_app_configuration", "acmeconf", "local_auth_enabled = false"), "acmeconf", "reads"),
    (
        without_keys("azurerm_eventhub_namespace", "acmehub", "local_authentication_enabled = false"),
        "acmehub",
        "writes",
    ),
    (without_keys("azurerm_cognitive_account", "acmeai", "local_auth_enabled = false"), "acmeai", "invokes"),
]


@pytest.mark.parametrize(("text", "name", "relation"), OFF)
def test_who_may_write_an_account_turns_its_keys_on_again(text, name, relation):
    assert (EVE, relation, name, "yes") in found(text, role("Contributor"))
    assert not any(edge[:3] == (EVE, relation, name) for edge in found(text, role("Reader")))


def test_no_contributor_changes_by_what_a_vault_decides():
    vault = (
        'resource "azurerm_key_vault" "v" {\n name = "acmekv"\n resource_group_name = azurerm_resource_group.rg.name\n'
        " rbac_authorization_enabled = %s\n}\n"
    )
    ruled = found(vault % "true", role("Contributor"))
    assert not any(edge[0] == EVE and edge[2] == "acmekv" for edge in ruled)
    assert (EVE, "permissions", "acmekv", "yes") in found(vault % "false", role("Contributor"))


def test_local_accounts_of_a_cluster_that_are_off():
    cluster = (
        'resource "azurerm_kubernetes_cluster" "k" {\n name = "aks"\n resource_group_name = azurerm_resource_group.rg.name\n'
        " local_account_disabled = %s\n}\n"
    )
    lists = custom("Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action")
    assert (EVE, "takes-over", "aks", "yes") in found(cluster % "false", lists)
    assert not any(edge[0] == EVE and edge[2] == "aks" for edge in found(cluster % "true", lists))
    assert (EVE, "takes-over", "aks", "yes") in found(cluster % "true", role("Contributor"))


def test_a_public_container_needs_the_account_to_allow_it_and_to_answer():
    assert ("internet", "reads", "weights", "yes") in found(STORAGE % ("", "blob"))
    assert not any(
        e[0] == "internet" for e in found(STORAGE % (" allow_nested_items_to_be_public = false\n", "blob"))
    )
    deny = ' network_rules {\n default_action = "Deny"\n }\n'
    assert not any(edge[0] == "internet" for edge in found(STORAGE % (deny, "container")))


def test_a_firewall_that_lets_some_networks_in_leaves_open_whether_anyones():
    def states(*rules):
        return {edge[3] for edge in found(*rules) if edge[0] == "internet" and edge[2] == "weights"}

    inline = ' network_rules {\n default_action = "Deny"\n ip_rules = ["192.0.2.0/24"]\n }\n'
    assert states(STORAGE % (inline, "blob")) == {"unknown"}
    assert states(STORAGE % (inline + " public_network_access_enabled = false\n", "blob")) == set()
    apart = (
        'resource "azurerm_storage_account_network_rules" "n" {\n default_action = "Deny"\n%s'
        " storage_account_id = azurerm_storage_account.st.id\n}\n"
    )
    assert states(STORAGE % ("", "blob"), apart % "") == set()
    assert states(STORAGE % ("", "blob"), apart % ' ip_rules = ["192.0.2.0/24"]\n') == {"unknown"}


def test_a_registry_that_anyone_may_pull_from_answers_only_whom_its_firewall_lets_in():
    registry = (
        'resource "azurerm_container_registry" "r" {\n name = "acmecr"\n anonymous_pull_enabled = true\n'
        " resource_group_name = azurerm_resource_group.rg.name\n%s}\n"
    )
    assert ("internet", "reads", "acmecr", "yes") in found(registry % "")
    closed = found(registry % " public_network_access_enabled = false\n")
    assert not any(edge[0] == "internet" for edge in closed)


VAULT = (
    'resource "azurerm_key_vault" "kv" {\n name = "kv"\n resource_group_name = azurerm_resource_group.rg.name\n%s}\n'
)


def test_a_vault_decides_by_roles_or_by_access_policies_and_not_by_both():
    rbac = VAULT % " enable_rbac_authorization = true\n"
    policies = VAULT % ' access_policy {\n object_id = "ada"\n secret_permissions = ["Get"]\n }\n'
    user = role("Key Vault Secrets User", "azurerm_key_vault.kv.id")
    assert (EVE, "reads", "kv", "yes") in found(rbac, user)
    assert (EVE, "reads", "kv", "yes") not in found(policies, user)
    ada = role("Reader", who='"ada"')
    assert ("azure:principal:ada", "reads", "kv", "yes") in found(policies, ada)
    assert (EVE, "permissions", "kv", "yes") in found(policies, role("Contributor"))
    assert (EVE, "permissions", "kv", "yes") not in found(rbac, role("Contributor"))


def test_a_federated_credential_trusts_one_subject_and_the_cluster_account_has_it():
    credential = (
        'resource "azurerm_federated_identity_credential" "f" {\n name = "f"\n parent_id = azurerm_user_assigned_identity.id.id\n'
        ' issuer = "https://oidc.example/1/"\n subject = "system:serviceaccount:ml:trainer"\n'
        ' audience = ["api://AzureADTokenExchange"]\n}\n'
    )
    account = (
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {}\n  namespace: ml\n  annotations:\n"
        "    azure.workload.identity/client-id: <azurerm_user_assigned_identity.id.client_id>\n"
    )
    graph = edges(assessed(a_tf=HEAD + credential, b_yaml=account.format("trainer")))
    subject = "1:system:serviceaccount:ml:trainer"
    assert (subject, "federates", ID, "yes") in graph
    assert ("trainer", "federates", subject, "yes") in graph
    other = edges(assessed(a_tf=HEAD + credential, b_yaml=account.format("other")))
    assert ("other", "federates", subject, "yes") not in other
    assert ("other", "federates", ID, "unknown") not in other  # the identity's credentials are for another account
    alone = edges(assessed(a_tf=HEAD, b_yaml=account.format("other")))
    assert ("other", "federates", ID, "unknown") in alone


def test_a_template_says_the_same_as_terraform():
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "parameters": {"prefix": {"type": "string", "defaultValue": "acme"}},
        "variables": {"account": "[concat(parameters('prefix'), 'st')]"},
        "resources": [
            {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "name": "id"},
            {"type": "Microsoft.Storage/storageAccounts", "name": "[variables('account')]", "properties": {}},
            {
                "type": "Microsoft.Authorization/roleAssignments",
                "name": "[guid('x')]",
                "scope": "[resourceId('Microsoft.Storage/storageAccounts', variables('account'))]",
                "properties": {
                    "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', "
                    "'2a2b9908-6ea1-4ae2-8e65-a410df84e7d1')]",
                    "principalId": "[reference(resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id')).principalId]",
                },
            },
        ],
    }
    assessment = assessed(main_json=json.dumps(template))
    graph = {(edge[1], edge[2], edge[3]) for edge in edges(assessment) if "principalid" in edge[0]}
    assert graph == {("reads", "acmest", "yes")}
    assert "main.json" in assessment.reading.read


def test_exports_of_the_command_line():
    base = f"/subscriptions/{SUB}/resourceGroups/rg/providers"
    files = {
        "assignments_json": [
            {
                "principalId": "AAAA",
                "principalType": "User",
                "principalName": "eve@acme.example",
                "roleDefinitionId": f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/"
                "b24988ac-6180-42a0-ab88-20f7382dd24c",
                "scope": f"/subscriptions/{SUB}",
            }
        ],
        "identities_json": [
            {
                "id": f"{base}/Microsoft.ManagedIdentity/userAssignedIdentities/id",
                "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
                "name": "id",
                "principalId": "bbbb",
                "clientId": "cccc",
            }
        ],
        "resources_json": [
            {
                "id": f"{base}/Microsoft.Storage/storageAccounts/acmest",
                "type": "Microsoft.Storage/storageAccounts",
                "name": "acmest",
                "allowSharedKeyAccess": False,
            },
            {
                "id": f"{base}/Microsoft.Compute/virtualMachines/vm",
                "type": "Microsoft.Compute/virtualMachines",
                "name": "vm",
                "identity": {
                    "type": "UserAssigned",
                    "userAssignedIdentities": {f"{base}/Microsoft.ManagedIdentity/userAssignedIdentities/id": {}},
                },
            },
        ],
    }
    graph = edges(assessed(**{name: json.dumps(value) for name, value in files.items()}))
    assert ("azure:principal:aaaa", "takes-over", "vm", "yes") in graph
    assert ("vm", "runs-as", "azure:principal:bbbb", "yes") in graph
    reads = [one for one in graph if one[2] == "acmest" and one[1] == "reads"]
    assert reads == [("azure:principal:aaaa", "reads", "acmest", "yes")]  # it may turn shared keys on again


APP = (
    'resource "azuread_application" "app" {\n display_name = "app"\n owners = ["ada"]\n}\n'
    'resource "azuread_service_principal" "app" {\n client_id = azuread_application.app.client_id\n}\n'
)
SP = "azure:principal:<azuread_service_principal.app.object_id>"


def test_rights_in_the_directory_lead_to_the_tenant_and_to_applications():
    graph = found(APP, role("Owner", f'"/subscriptions/{SUB}"', "azuread_service_principal.app.object_id"))
    assert ("azure:principal:ada", "resets", SP, "yes") in graph
    assert (SP, "administers", ROOT, "yes") in graph
    graph_role = (
        'resource "azuread_app_role_assignment" "r" {\n'
        ' app_role_id = azuread_service_principal.msgraph.app_role_ids["RoleManagement.ReadWrite.Directory"]\n'
        " principal_object_id = azuread_service_principal.app.object_id\n}\n"
    )
    graph = found(APP, graph_role, role("Reader"))
    assert (SP, "escalates", "azure:tenant:administrator", "yes") in graph
    assert ("azure:tenant:administrator", "escalates", ROOT, "yes") in graph


@pytest.mark.parametrize("attribute", ["id", "role_definition_id", "role_definition_resource_id"])
def test_a_role_of_ones_own_is_found_by_whatever_names_it(attribute):
    own = (
        f'resource "azurerm_role_definition" "own" {{\n name = "own"\n scope = "/subscriptions/{SUB}"\n'
        ' permissions {\n actions = ["Microsoft.Compute/virtualMachines/*"]\n }\n}\n'
        'resource "azurerm_role_assignment" "own" {\n scope = azurerm_resource_group.rg.id\n principal_id = "eve"\n'
        f" role_definition_id = azurerm_role_definition.own.{attribute}\n}}\n"
    )
    assert (EVE, "takes-over", "vm", "yes") in found(own)


def test_a_plan_whose_ids_are_known_after_apply_only():
    def planned(address, values, unknown, expressions):
        kind, _, name = address.partition(".")
        return (
            {"address": address, "mode": "managed", "type": kind, "name": name, "values": values},
            {"address": address, "change": {"after_unknown": unknown}},
            {"address": address, "mode": "managed", "type": kind, "name": name, "expressions": expressions},
        )

    vm = "azurerm_linux_virtual_machine.vm"
    rows = [
        planned(
            "azurerm_user_assigned_identity.id",
            {"name": "id", "resource_group_name": "rg"},
            {"principal_id": True},
            {},
        ),
        planned(
            vm,
            {"name": "vm", "resource_group_name": "rg", "identity": [{"type": "SystemAssigned, UserAssigned"}]},
            {"identity": [{"identity_ids": True, "principal_id": True}]},
            {"identity": [{"identity_ids": {"references": ["azurerm_user_assigned_identity.id.id"]}}]},
        ),
        planned(
            "azurerm_role_assignment.r",
            {"scope": f"/subscriptions/{SUB}", "role_definition_name": "Owner"},
            {"principal_id": True},
            {"principal_id": {"references": [f"{vm}.identity[0].principal_id", f"{vm}.identity[0]", vm]}},
        ),
    ]
    plan = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [row[0] for row in rows]}},
        "resource_changes": [row[1] for row in rows],
        "configuration": {"root_module": {"resources": [row[2] for row in rows]}},
    }
    graph = edges(assessed(plan_json=json.dumps(plan)))
    own = f"azure:principal:<{vm}.identity.principal_id>"
    assert ("vm", "runs-as", own, "yes") in graph
    assert (own, "administers", ROOT, "yes") in graph
    assert {edge[2] for edge in graph if edge[0] == "vm" and edge[1] == "runs-as"} >= {own, ID}


BY_ROLES = (
    'resource "azurerm_key_vault" "kv" {\n name = "kv"\n resource_group_name = azurerm_resource_group.rg.name\n'
    " rbac_authorization_enabled = true\n}\n"
)


def test_a_role_that_may_assign_only_roles_of_vaults_opens_vaults_and_nothing_else():
    """Its condition is in the role's own definition, not in the assignment."""
    graph = found(BY_ROLES, STORAGE % ("", "private"), role("Key Vault Data Access Administrator"))
    assert {(edge[1], edge[2]) for edge in graph if edge[0] == EVE} == {("permissions", "kv")}


def test_an_operator_of_container_apps_runs_code_in_them_by_a_data_action():
    app = (
        'resource "azurerm_container_app" "app" {\n name = "app"\n'
        ' resource_group_name = azurerm_resource_group.rg.name\n identity {\n type = "SystemAssigned"\n }\n}\n'
    )
    assert (EVE, "takes-over", "app", "yes") in found(app, role("Container Apps Operator"))


WORKSPACE = (
    'resource "azurerm_machine_learning_workspace" "ws" {\n name = "ws"\n'
    " resource_group_name = azurerm_resource_group.rg.name\n storage_account_id = azurerm_storage_account.st.id\n}\n"
)


def test_the_keys_of_a_workspace_are_those_of_its_storage():
    scope = "azurerm_machine_learning_workspace.ws.id"
    given = role("Contributor", scope=scope)
    graph = found(STORAGE % ("", "private"), WORKSPACE, given)
    assert {(EVE, "reads", "acmest", "yes"), (EVE, "writes", "acmest", "yes")} <= graph
    off = found(STORAGE % (" shared_access_key_enabled = false\n", "private"), WORKSPACE, given)
    assert not any(edge[0] == EVE and edge[2] == "acmest" for edge in off)
    scientist = found(STORAGE % ("", "private"), WORKSPACE, role("AzureML Data Scientist", scope=scope))
    assert not any(edge[0] == EVE and edge[2] == "acmest" for edge in scientist)
