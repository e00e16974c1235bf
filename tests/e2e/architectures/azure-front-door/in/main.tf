resource "azurerm_linux_web_app" "mlflow" {
  name                = "mlflow-x"
  resource_group_name = "ml-prod"
  location            = "westeurope"
  service_plan_id     = azurerm_service_plan.p.id

  site_config {
    app_command_line = "mlflow server --host 0.0.0.0 --port 8000"
    application_stack {
      docker_image_name   = "ghcr.io/mlflow/mlflow:v3.1.0"
      docker_registry_url = "https://ghcr.io"
    }
    ip_restriction_default_action = "Deny"
    ip_restriction {
      service_tag = "AzureFrontDoor.Backend"
      action      = "Allow"
      priority    = 100
      name        = "door"
      headers {
        x_azure_fdid = [azurerm_cdn_frontdoor_profile.door.resource_guid]
      }
    }
  }
}
resource "azurerm_service_plan" "p" {
  name                = "p"
  os_type             = "Linux"
  sku_name            = "P1v3"
  resource_group_name = "ml-prod"
  location            = "westeurope"
}
resource "azurerm_cdn_frontdoor_profile" "door" {
  name                = "door"
  resource_group_name = "ml-prod"
  sku_name            = "Standard_AzureFrontDoor"
}
resource "azurerm_cdn_frontdoor_endpoint" "door" {
  name                     = "ml"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.door.id
}
resource "azurerm_cdn_frontdoor_origin_group" "door" {
  name                     = "sites"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.door.id
  load_balancing {}
}
resource "azurerm_cdn_frontdoor_origin" "door" {
  name                           = "mlflow"
  cdn_frontdoor_origin_group_id  = azurerm_cdn_frontdoor_origin_group.door.id
  host_name                      = azurerm_linux_web_app.mlflow.default_hostname
  origin_host_header             = azurerm_linux_web_app.mlflow.default_hostname
  certificate_name_check_enabled = true
}
resource "azurerm_cdn_frontdoor_route" "door" {
  name                          = "all"
  cdn_frontdoor_endpoint_id     = azurerm_cdn_frontdoor_endpoint.door.id
  cdn_frontdoor_origin_group_id = azurerm_cdn_frontdoor_origin_group.door.id
  cdn_frontdoor_origin_ids      = [azurerm_cdn_frontdoor_origin.door.id]
  patterns_to_match             = ["/*"]
  supported_protocols           = ["Https"]
}
