"""What Terraform's resources of Google Cloud and Azure get when they are made: names and ids that others refer to.

Source: the "Attributes Reference" of each resource in the documentation of the providers google, azurerm, azuread.
What a platform chooses by itself (object ids, client ids, project numbers) is ``<address.attribute>``, so that two
references to one resource stay equal.

This is one file because the tables of both platforms are read by the same few functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.azure import UNKNOWN_SUBSCRIPTION
from assaymark.assess.estate.gcp import UNKNOWN_PROJECT
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import Json
from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Callable

# Type: the attribute that holds its name, the form of its id.
GOOGLE: Final[dict[str, tuple[str, str]]] = {
    "google_artifact_registry_repository": (
        "repository_id",
        "projects/{project}/locations/{location}/repositories/{name}",
    ),
    "google_bigquery_dataset": ("dataset_id", "projects/{project}/datasets/{name}"),
    "google_bigquery_table": ("table_id", "projects/{project}/datasets/{dataset_id}/tables/{name}"),
    "google_bigtable_instance": ("name", "projects/{project}/instances/{name}"),
    "google_cloud_run_service": ("name", "locations/{location}/namespaces/{project}/services/{name}"),
    "google_cloud_run_v2_job": ("name", "projects/{project}/locations/{location}/jobs/{name}"),
    "google_cloud_run_v2_service": ("name", "projects/{project}/locations/{location}/services/{name}"),
    "google_cloudfunctions2_function": ("name", "projects/{project}/locations/{location}/functions/{name}"),
    "google_cloudfunctions_function": ("name", "projects/{project}/locations/{region}/functions/{name}"),
    "google_composer_environment": ("name", "projects/{project}/locations/{region}/environments/{name}"),
    "google_compute_instance": ("name", "projects/{project}/zones/{zone}/instances/{name}"),
    "google_compute_instance_template": ("name", "projects/{project}/global/instanceTemplates/{name}"),
    "google_compute_network": ("name", "projects/{project}/global/networks/{name}"),
    "google_container_cluster": ("name", "projects/{project}/locations/{location}/clusters/{name}"),
    "google_container_node_pool": ("name", "{cluster}/nodePools/{name}"),
    "google_dataproc_cluster": ("name", "projects/{project}/regions/{region}/clusters/{name}"),
    "google_dataproc_batch": ("batch_id", "projects/{project}/locations/{location}/batches/{name}"),
    "google_filestore_instance": ("name", "projects/{project}/locations/{location}/instances/{name}"),
    "google_iam_workload_identity_pool": (
        "workload_identity_pool_id",
        "projects/{project}/locations/global/workloadIdentityPools/{name}",
    ),
    "google_iam_workload_identity_pool_provider": (
        "workload_identity_pool_provider_id",
        "projects/{project}/locations/global/workloadIdentityPools/{workload_identity_pool_id}/providers/{name}",
    ),
    "google_kms_crypto_key": ("name", "{key_ring}/cryptoKeys/{name}"),
    "google_kms_key_ring": ("name", "projects/{project}/locations/{location}/keyRings/{name}"),
    "google_notebooks_instance": ("name", "projects/{project}/locations/{location}/instances/{name}"),
    "google_organization_iam_custom_role": ("role_id", "organizations/{org_id}/roles/{name}"),
    "google_project_iam_custom_role": ("role_id", "projects/{project}/roles/{name}"),
    "google_pubsub_subscription": ("name", "projects/{project}/subscriptions/{name}"),
    "google_pubsub_topic": ("name", "projects/{project}/topics/{name}"),
    "google_secret_manager_secret": ("secret_id", "projects/{project}/secrets/{name}"),
    "google_spanner_database": ("name", "projects/{project}/instances/{instance}/databases/{name}"),
    "google_spanner_instance": ("name", "projects/{project}/instances/{name}"),
    "google_sql_database_instance": ("name", "{name}"),
    "google_storage_bucket": ("name", "{name}"),
    "google_vertex_ai_endpoint": ("name", "projects/{project}/locations/{location}/endpoints/{name}"),
    "google_vertex_ai_featurestore": ("name", "projects/{project}/locations/{region}/featurestores/{name}"),
    "google_vertex_ai_index_endpoint": ("name", "projects/{project}/locations/{region}/indexEndpoints/{name}"),
    "google_workbench_instance": ("name", "projects/{project}/locations/{location}/instances/{name}"),
    "google_workflows_workflow": ("name", "projects/{project}/locations/{region}/workflows/{name}"),
}
PARTS: Final = (  # what full names of Google Cloud are made of, beside the project and the resource's own name
    *("location", "region", "zone", "key_ring", "cluster", "org_id", "instance", "dataset_id"),
    "workload_identity_pool_id",
)
_NAME_IS_ID: Final = (
    "google_iam_workload_identity_pool",
    "google_iam_workload_identity_pool_provider",
    "google_project_iam_custom_role",
    "google_organization_iam_custom_role",
    "google_secret_manager_secret",
)
# Type: the type of its resource id.
AZURE: Final[dict[str, str]] = {
    "azurerm_ai_services": "Microsoft.CognitiveServices/accounts",
    "azurerm_api_management": "Microsoft.ApiManagement/service",
    "azurerm_app_configuration": "Microsoft.AppConfiguration/configurationStores",
    "azurerm_app_service": "Microsoft.Web/sites",
    "azurerm_application_gateway": "Microsoft.Network/applicationGateways",
    "azurerm_automation_account": "Microsoft.Automation/automationAccounts",
    "azurerm_batch_account": "Microsoft.Batch/batchAccounts",
    "azurerm_cdn_frontdoor_firewall_policy": "Microsoft.Network/frontDoorWebApplicationFirewallPolicies",
    "azurerm_cdn_frontdoor_profile": "Microsoft.Cdn/profiles",
    "azurerm_cdn_profile": "Microsoft.Cdn/profiles",
    "azurerm_cognitive_account": "Microsoft.CognitiveServices/accounts",
    "azurerm_container_app": "Microsoft.App/containerApps",
    "azurerm_container_app_environment": "Microsoft.App/managedEnvironments",
    "azurerm_container_app_job": "Microsoft.App/jobs",
    "azurerm_container_group": "Microsoft.ContainerInstance/containerGroups",
    "azurerm_container_registry": "Microsoft.ContainerRegistry/registries",
    "azurerm_cosmosdb_account": "Microsoft.DocumentDB/databaseAccounts",
    "azurerm_data_factory": "Microsoft.DataFactory/factories",
    "azurerm_databricks_workspace": "Microsoft.Databricks/workspaces",
    "azurerm_eventhub_namespace": "Microsoft.EventHub/namespaces",
    "azurerm_frontdoor": "Microsoft.Network/frontDoors",
    "azurerm_function_app": "Microsoft.Web/sites",
    "azurerm_key_vault": "Microsoft.KeyVault/vaults",
    "azurerm_kubernetes_cluster": "Microsoft.ContainerService/managedClusters",
    "azurerm_lb": "Microsoft.Network/loadBalancers",
    "azurerm_linux_function_app": "Microsoft.Web/sites",
    "azurerm_linux_virtual_machine": "Microsoft.Compute/virtualMachines",
    "azurerm_linux_virtual_machine_scale_set": "Microsoft.Compute/virtualMachineScaleSets",
    "azurerm_linux_web_app": "Microsoft.Web/sites",
    "azurerm_logic_app_standard": "Microsoft.Web/sites",
    "azurerm_logic_app_workflow": "Microsoft.Logic/workflows",
    "azurerm_machine_learning_compute_cluster": "Microsoft.MachineLearningServices/workspaces/computes",
    "azurerm_machine_learning_compute_instance": "Microsoft.MachineLearningServices/workspaces/computes",
    "azurerm_machine_learning_workspace": "Microsoft.MachineLearningServices/workspaces",
    "azurerm_mssql_server": "Microsoft.Sql/servers",
    "azurerm_network_interface": "Microsoft.Network/networkInterfaces",
    "azurerm_network_security_group": "Microsoft.Network/networkSecurityGroups",
    "azurerm_orchestrated_virtual_machine_scale_set": "Microsoft.Compute/virtualMachineScaleSets",
    "azurerm_postgresql_flexible_server": "Microsoft.DBforPostgreSQL/flexibleServers",
    "azurerm_private_endpoint": "Microsoft.Network/privateEndpoints",
    "azurerm_public_ip": "Microsoft.Network/publicIPAddresses",
    "azurerm_redis_cache": "Microsoft.Cache/redis",
    "azurerm_search_service": "Microsoft.Search/searchServices",
    "azurerm_servicebus_namespace": "Microsoft.ServiceBus/namespaces",
    "azurerm_storage_account": "Microsoft.Storage/storageAccounts",
    "azurerm_synapse_workspace": "Microsoft.Synapse/workspaces",
    "azurerm_user_assigned_identity": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "azurerm_virtual_machine": "Microsoft.Compute/virtualMachines",
    "azurerm_virtual_network": "Microsoft.Network/virtualNetworks",
    "azurerm_web_app": "Microsoft.Web/sites",
    "azurerm_web_application_firewall_policy": "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies",
    "azurerm_windows_function_app": "Microsoft.Web/sites",
    "azurerm_windows_virtual_machine": "Microsoft.Compute/virtualMachines",
    "azurerm_windows_virtual_machine_scale_set": "Microsoft.Compute/virtualMachineScaleSets",
    "azurerm_windows_web_app": "Microsoft.Web/sites",
}
# Parts of what passes on what comes: the attribute that names its parent's id, the parent's type, the collection.
FRONTS: Final[dict[str, tuple[str, str, str]]] = {
    "azurerm_cdn_frontdoor_endpoint": ("cdn_frontdoor_profile_id", "Microsoft.Cdn/profiles", "afdEndpoints"),
    "azurerm_cdn_frontdoor_origin": (
        "cdn_frontdoor_origin_group_id",
        "Microsoft.Cdn/profiles/originGroups",
        "origins",
    ),
    "azurerm_cdn_frontdoor_origin_group": ("cdn_frontdoor_profile_id", "Microsoft.Cdn/profiles", "originGroups"),
    "azurerm_cdn_frontdoor_route": ("cdn_frontdoor_endpoint_id", "Microsoft.Cdn/profiles/afdEndpoints", "routes"),
    "azurerm_cdn_frontdoor_security_policy": (
        "cdn_frontdoor_profile_id",
        "Microsoft.Cdn/profiles",
        "securityPolicies",
    ),
    "azurerm_lb_backend_address_pool": ("loadbalancer_id", "Microsoft.Network/loadBalancers", "backendAddressPools"),
    "azurerm_lb_backend_address_pool_address": (
        "backend_address_pool_id",
        "Microsoft.Network/loadBalancers/backendAddressPools",
        "addresses",
    ),
    "azurerm_lb_nat_pool": ("loadbalancer_id", "Microsoft.Network/loadBalancers", "inboundNatPools"),
    "azurerm_lb_nat_rule": ("loadbalancer_id", "Microsoft.Network/loadBalancers", "inboundNatRules"),
    "azurerm_lb_rule": ("loadbalancer_id", "Microsoft.Network/loadBalancers", "loadBalancingRules"),
}
# The same of API Management, whose parts name it by its name: the attributes of the names behind it, the collections.
APIS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "azurerm_api_management_api": (("name", "apis"),),
    "azurerm_api_management_api_policy": (("api_name", "apis"), ("", "policies")),
    "azurerm_api_management_backend": (("name", "backends"),),
    "azurerm_api_management_policy": (("", "policies"),),
    "azurerm_api_management_product": (("product_id", "products"),),
    "azurerm_api_management_product_api": (("product_id", "products"), ("api_name", "apis")),
}
# Type: the attribute that names its parent's id, and the rest of its own.
_AZURE_INNER: Final[dict[str, tuple[str, str]]] = {
    "azurerm_cognitive_deployment": ("cognitive_account_id", "deployments"),
    "azurerm_federated_identity_credential": ("parent_id", "federatedIdentityCredentials"),
    "azurerm_key_vault_certificate": ("key_vault_id", "certificates"),
    "azurerm_key_vault_key": ("key_vault_id", "keys"),
    "azurerm_key_vault_secret": ("key_vault_id", "secrets"),
    "azurerm_machine_learning_compute_cluster": ("machine_learning_workspace_id", "computes"),
    "azurerm_machine_learning_compute_instance": ("machine_learning_workspace_id", "computes"),
    "azurerm_machine_learning_inference_cluster": ("machine_learning_workspace_id", "computes"),
    "azurerm_mssql_database": ("server_id", "databases"),
    "azurerm_storage_container": ("storage_account_id", "blobServices/default/containers"),
}
_OBJECTS: Final = (
    "object_id",
    "principal_id",
    "client_id",
    "application_id",
    "unique_id",
    "number",
    "tenant_id",
    "oidc_issuer_url",
)
IDENTITY: Final = ("identity", "kubelet_identity")


def is_cloud(kind: str) -> bool:
    """Whether a type is one of these platforms'."""
    return kind.startswith(("google_", "azurerm_", "azuread_"))


def unknown_place(kind: str) -> str:
    """What stands for the project or subscription that the input does not show."""
    return UNKNOWN_PROJECT if kind.startswith("google_") else UNKNOWN_SUBSCRIPTION


def shut(value: Any) -> str:
    """A text that may be open, so that it can be a part of a name: ``${var.x}`` as ``<var.x>``; empty for no text."""
    if isinstance(value, Unresolved):
        return value.replace("${", "<").replace("}", ">")
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def cloud_made(kind: str, address: str, name: str, get: Callable[[str], Any], place: str, region: str) -> Any:
    """An attribute that the resource gets when it is made; None when that is not known here.

    Args:
        kind: its type.
        address: its address.
        name: the attribute.
        get: what is written for an attribute; None for nothing.
        place: the project or subscription of the provider.
        region: the region of the provider.
    """
    if name in IDENTITY and kind.startswith("azurerm_"):
        return identity_block(address, name, get(name))
    if kind.startswith("google_"):
        return _google(kind, address, name, get, shut(get("project")) or place, region)
    if kind == "azurerm_role_definition" and name in ("id", "role_definition_resource_id", "role_definition_id"):
        return shut(get("role_definition_id")) or f"<{address}>"
    found = _azure_id(kind, address, get, place) if name in ("id", "scope", "resource_id") else None
    if found:
        return found
    if name in ("name", "location"):
        return f"<{address}>" if name == "name" else None
    if name in _OBJECTS:
        other = {"application_id": "client_id"}.get(name, name)
        if kind == "azuread_service_principal" and name in ("client_id", "application_id"):
            return get("client_id") or get("application_id")
        return f"<{address}.{other}>"
    if name == "id" and kind.startswith("azuread_"):
        return f"<{address}.object_id>"
    return None


def _google(kind: str, address: str, name: str, get: Callable[[str], Any], project: str, region: str) -> Any:
    if name == "project":
        return project
    if kind == "google_project":
        home = shut(get("project_id")) or f"<{address}>"
        return {"project_id": home, "id": f"projects/{home}", "number": f"<{address}.number>", "name": home}.get(name)
    if kind == "google_service_account":
        return _account(address, name, shut(get("account_id")) or f"<{address}>", project)
    if kind == "google_folder":
        return f"folders/<{address}>" if name in ("name", "id", "folder_id") else None
    if name in _OBJECTS:
        return f"<{address}.{name}>"
    if kind not in GOOGLE:
        return None
    key, form = GOOGLE[kind]
    own = shut(get(key)) or f"<{address}>"
    if name == key or (name == "name" and kind not in _NAME_IS_ID):
        return own
    linked = kind == "google_compute_network" and name == "self_link"
    if name == "email" or (name not in ("id", "name") and not linked):
        return None
    parts = {part: shut(get(part)) for part in PARTS}
    parts = {part: value or (region if part in ("location", "region") else "-") for part, value in parts.items()}
    return form.format(project=project, name=own, **parts)


def _account(address: str, name: str, identifier: str, project: str) -> str | None:
    email = f"{identifier}@{project}.iam.gserviceaccount.com"
    return {
        "email": email,
        "id": f"projects/{project}/serviceAccounts/{email}",
        "name": f"projects/{project}/serviceAccounts/{email}",
        "member": f"serviceAccount:{email}",
        "unique_id": f"<{address}.unique_id>",
    }.get(name)


def cloud_data(data: Any, name: str, place: str) -> Any:
    """An attribute of a data source of these platforms that asks no cloud; None for another one."""
    if data.kind == "google_iam_policy" and name == "policy_data":
        return Json(policy_data(data))
    if data.kind.startswith("google_"):
        known = google_data(data.kind, name, data.get, place)
        return known if known is not None else cloud_made(data.kind, data.address, name, data.get, place, "-")
    return azure_data(data.kind, data.address, name, data.get, place)


def google_data(kind: str, name: str, get: Callable[[str], Any], project: str) -> Any:
    """An attribute of a data source of Google Cloud that names what is declared elsewhere; None for others."""
    home = shut(get("project")) or shut(get("project_id")) or project
    match (kind, name):
        case ("google_project" | "google_client_config", "project_id" | "project"):
            return home
        case ("google_project", "number"):
            return f"<{home}.number>"
        case ("google_project", "id"):
            return f"projects/{home}"
        case ("google_compute_default_service_account", "email"):
            return f"<{home}.number>-compute@developer.gserviceaccount.com"
        case ("google_compute_default_service_account", "member"):
            return f"serviceAccount:<{home}.number>-compute@developer.gserviceaccount.com"
        case ("google_app_engine_default_service_account", "email"):
            return f"{home}@appspot.gserviceaccount.com"
        case ("google_service_account", _):
            identifier = shut(get("account_id"))
            email = identifier if "@" in identifier else f"{identifier}@{home}.iam.gserviceaccount.com"
            return {
                "email": email,
                "member": f"serviceAccount:{email}",
                "name": f"projects/{home}/serviceAccounts/{email}",
                "id": f"projects/{home}/serviceAccounts/{email}",
            }.get(name)
        case ("google_organization", "name" | "id"):
            return f"organizations/{shut(get('organization')) or shut(get('domain'))}"
        case ("google_organization", "org_id"):
            return shut(get("organization")) or shut(get("domain"))
    return None


def azure_data(kind: str, address: str, name: str, get: Callable[[str], Any], subscription: str) -> Any:
    """An attribute of a data source of Azure that names what is declared elsewhere; None for others."""
    match (kind, name):
        case ("azurerm_subscription", "id"):
            return f"/subscriptions/{shut(get('subscription_id')) or subscription}"
        case ("azurerm_subscription" | "azurerm_client_config", "subscription_id"):
            return shut(get("subscription_id")) or subscription
        case ("azurerm_role_definition", "id" | "role_definition_id"):
            return shut(get("role_definition_id")) or shut(get("name")) or None
    return cloud_made(kind, address, name, get, subscription, "")


def policy_data(data: Any) -> Map:
    """``google_iam_policy``: the policy that the data source writes."""
    found = Map(data.line, data.file.path)
    bindings = Seq(data.line, data.file.path)
    for block in listed(data.get("binding")):
        if isinstance(block, Map):
            binding = Map(block.line, data.file.path)
            for key, value in block.items():
                inner = value[0] if key == "condition" and isinstance(value, Seq) and value else value
                binding.put(key, inner, block.at(key))
            bindings.put(binding, block.line)
    found.put("bindings", bindings, data.line)
    return found


def identity_block(address: str, name: str, written: Any) -> Seq:
    """The identities of a resource of Azure with the ids that they get."""
    line = getattr(written, "line", 0)
    found = Seq(line)
    blocks = [one for one in written if isinstance(one, Map)] if isinstance(written, list) else []
    for block in blocks or [Map(line)]:
        whole = Map(block.line, block.path)
        for key, value in block.items():
            whole.put(key, value, block.at(key))
        for key in ("principal_id", "object_id", "client_id", "tenant_id", "user_assigned_identity_id"):
            if whole.get(key) is None:
                which = "principal_id" if key == "object_id" else key
                whole.put(key, f"<{address}.{name}.{which}>", block.line)
        found.put(whole, block.line)
    return found


def _azure_id(kind: str, address: str, get: Callable[[str], Any], subscription: str) -> str | None:
    name = shut(get("name")) or f"<{address}>"
    base = f"/subscriptions/{subscription}"
    if kind == "azurerm_resource_group":
        return f"{base}/resourceGroups/{name}"
    if kind == "azurerm_subscription":
        return f"/subscriptions/{shut(get('subscription_id')) or f'<{address}>'}"
    if kind == "azurerm_management_group":
        return f"/providers/Microsoft.Management/managementGroups/{name}"
    if kind in _AZURE_INNER:
        key, collection = _AZURE_INNER[kind]
        parent = shut(get(key))
        if not parent and kind == "azurerm_storage_container":
            account = shut(get("storage_account_name"))
            parent = f"{base}/resourceGroups/-/providers/Microsoft.Storage/storageAccounts/{account}"
        return f"{parent}/{collection}/{name}" if parent else None
    if kind in FRONTS:
        parent = shut(get(FRONTS[kind][0]))
        return f"{parent}/{FRONTS[kind][2]}/{name}" if parent else None
    if kind in APIS:
        return _of_apis(kind, name, get, base)
    if kind in AZURE:
        group = shut(get("resource_group_name")) or "-"
        return f"{base}/resourceGroups/{group}/providers/{AZURE[kind]}/{name}"
    return None


def _of_apis(kind: str, name: str, get: Callable[[str], Any], base: str) -> str:
    group, service = shut(get("resource_group_name")) or "-", shut(get("api_management_name"))
    whole = f"{base}/resourceGroups/{group}/providers/Microsoft.ApiManagement/service/{service}"
    whole = shut(get("api_management_id")) or whole
    for key, collection in APIS[kind]:
        own = name if key == "name" else shut(get(key)) if key else "policy"
        whole = f"{whole}/{collection}/{own}"
    return whole
