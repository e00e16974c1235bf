"""What is set on Terraform's resources of Azure, by the names that rules and linkers look at.

``shapes`` does the same for what the API and templates write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.terraform.identity_clouds import shut

if TYPE_CHECKING:
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.formats.located import Map

_RULES: Final = ("network_rules", "network_acls", "network_rule_set")


def settings_of(resource: TfResource) -> dict[str, object]:
    """What rules and linkers look at, by one name whatever the provider's version calls it."""
    get = resource.values.get
    blocks = [one for name in _RULES for one in resource.blocks(name)]
    public = get("public_network_access_enabled")
    found = firewall_of(blocks, off=public is False or public == "Disabled")
    match resource.kind:
        case "azurerm_storage_account":
            allow = next(
                (
                    get(key)
                    for key in ("allow_nested_items_to_be_public", "allow_blob_public_access")
                    if get(key) is not None
                ),
                True,
            )
            found |= {"blob_public": allow, "shared_key": get("shared_access_key_enabled") is not False}
        case "azurerm_key_vault":
            rbac = (
                get("rbac_authorization_enabled")
                if get("rbac_authorization_enabled") is not None
                else get("enable_rbac_authorization")
            )
            found |= {
                "rbac": rbac is True,
                "policies": [policy_of(block) for block in resource.blocks("access_policy")],
            }
        case "azurerm_container_registry":
            found |= {"admin": get("admin_enabled") is True, "anonymous": get("anonymous_pull_enabled") is True}
        case "azurerm_cognitive_account" | "azurerm_ai_services":
            found |= {
                "local": (
                    get("local_auth_enabled")
                    if get("local_auth_enabled") is not None
                    else get("local_authentication_enabled")
                )
                is not False
            }
        case "azurerm_search_service" | "azurerm_eventhub_namespace":
            found |= {"local": get("local_authentication_enabled") is not False}
        case "azurerm_app_configuration" | "azurerm_servicebus_namespace":
            found |= {"local": get("local_auth_enabled") is not False}
        case "azurerm_cosmosdb_account":
            on = get("local_authentication_disabled") is not True and get("local_authentication_enabled") is not False
            found |= {"local": on}
        case "azurerm_kubernetes_cluster":
            found |= {
                "issuer": shut(resource.get("oidc_issuer_url")).removeprefix("https://").rstrip("/"),
                "azure_rbac": any(
                    block.get("azure_rbac_enabled") is True
                    for block in resource.blocks("azure_active_directory_role_based_access_control")
                ),
                "local_accounts": get("local_account_disabled") is not True,
            }
    return found


def firewall_of(rules: list[Map], *, off: bool) -> dict[str, object]:
    """Whether all networks are let in, and whether some are though not all. ``off``: the public end is."""
    deny = bool(rules) and str(rules[0].get("default_action")).lower() == "deny"
    named = any(block.get("ip_rules") or block.get("ip_rule") for block in rules)
    return {"firewall": "deny" if deny or off else "allow", "networks": named and not off}


def policy_of(block: Map) -> dict[str, object]:
    """An access policy of a key vault: whom it lets do what."""

    def words(name: str) -> list[str]:
        value = block.get(name)
        return [str(one).lower() for one in value] if isinstance(value, list) else []

    return {
        "principal": shut(block.get("object_id")).lower(),
        "secrets": words("secret_permissions"),
        "keys": words("key_permissions"),
        "certificates": words("certificate_permissions"),
        "application": shut(block.get("application_id") or ""),
        "line": block.line,
    }
