resource "azurerm_resource_group" "rg" {
  name     = "ml-prod"
  location = "westeurope"
}

resource "azurerm_cdn_frontdoor_profile" "fd" {
  name                = "fd-ml"
  resource_group_name = azurerm_resource_group.rg.name
  sku_name            = "Premium_AzureFrontDoor"
}
resource "azurerm_cdn_frontdoor_endpoint" "ep" {
  name                     = "ml"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.fd.id
}
resource "azurerm_cdn_frontdoor_custom_domain" "dom" {
  name                     = "ml-example"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.fd.id
  host_name                = "ml.example.com"
  tls { certificate_type = "ManagedCertificate" }
}
resource "azurerm_cdn_frontdoor_origin_group" "og" {
  name                     = "og"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.fd.id
  load_balancing {}
}
resource "azurerm_cdn_frontdoor_origin" "o" {
  name                           = "app"
  cdn_frontdoor_origin_group_id  = azurerm_cdn_frontdoor_origin_group.og.id
  enabled                        = true
  certificate_name_check_enabled = true
  host_name                      = azurerm_linux_web_app.app.default_hostname
}
resource "azurerm_cdn_frontdoor_route" "r" {
  name                            = "all"
  cdn_frontdoor_endpoint_id       = azurerm_cdn_frontdoor_endpoint.ep.id
  cdn_frontdoor_origin_group_id   = azurerm_cdn_frontdoor_origin_group.og.id
  cdn_frontdoor_origin_ids        = [azurerm_cdn_frontdoor_origin.o.id]
  cdn_frontdoor_custom_domain_ids = [azurerm_cdn_frontdoor_custom_domain.dom.id]
  link_to_default_domain          = false
  patterns_to_match               = ["/*"]
  supported_protocols             = ["Https"]
}
resource "azurerm_cdn_frontdoor_firewall_policy" "waf" {
  name                = "waf"
  resource_group_name = azurerm_resource_group.rg.name
  sku_name            = "Premium_AzureFrontDoor"
  enabled             = true
  mode                = "Prevention"
  custom_rule {
    name     = "office"
    action   = "Block"
    type     = "MatchRule"
    priority = 10
    enabled  = true
    match_condition {
      match_variable     = "SocketAddr"
      operator           = "IPMatch"
      negation_condition = true
      match_values       = ["203.0.113.0/24"]
    }
  }
}
resource "azurerm_cdn_frontdoor_security_policy" "sp" {
  name                     = "sp"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.fd.id
  security_policies {
    firewall {
      cdn_frontdoor_firewall_policy_id = azurerm_cdn_frontdoor_firewall_policy.waf.id
      association {
        domain { cdn_frontdoor_domain_id = azurerm_cdn_frontdoor_custom_domain.dom.id }
        patterns_to_match = ["/*"]
      }
    }
  }
}
resource "azurerm_service_plan" "p" {
  name                = "p"
  resource_group_name = azurerm_resource_group.rg.name
  location            = "westeurope"
  os_type             = "Linux"
  sku_name            = "P1v3"
}
resource "azurerm_linux_web_app" "app" {
  name                = "ml-predict"
  resource_group_name = azurerm_resource_group.rg.name
  location            = "westeurope"
  service_plan_id     = azurerm_service_plan.p.id
  https_only          = true
  identity { type = "SystemAssigned" }
  site_config {
    app_command_line = "mlflow server --host 0.0.0.0 --port 8000"
    application_stack {
      docker_image_name = "ghcr.io/mlflow/mlflow:v3.1.0"
      docker_registry_url = "https://ghcr.io"
    }
    ip_restriction_default_action = "Deny"
    ip_restriction {
      service_tag = "AzureFrontDoor.Backend"
      action      = "Allow"
      priority    = 100
      headers {
        x_azure_fdid = [azurerm_cdn_frontdoor_profile.fd.resource_guid]
      }
    }
  }
}
resource "azurerm_storage_account" "models" {
  name                     = "mlmodels"
  resource_group_name      = azurerm_resource_group.rg.name
  location                 = "westeurope"
  account_tier             = "Standard"
  account_replication_type = "LRS"
  allow_nested_items_to_be_public = false
  shared_access_key_enabled = false
  tags = { data-class = "confidential" }
}
resource "azurerm_role_assignment" "ra" {
  scope                = azurerm_storage_account.models.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_linux_web_app.app.identity[0].principal_id
}
