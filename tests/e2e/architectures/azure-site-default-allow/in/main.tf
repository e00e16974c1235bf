
resource "azurerm_service_plan" "p" {
  name                = "p"
  os_type             = "Linux"
  sku_name            = "P1v3"
  resource_group_name = "ml-prod"
  location            = "westeurope"
}
resource "azurerm_linux_web_app" "mlflow" {
  name                = "mlflow-x"
  resource_group_name = "ml-prod"
  location            = "westeurope"
  service_plan_id     = azurerm_service_plan.p.id
  https_only          = true

  site_config {
    app_command_line = "mlflow server --host 0.0.0.0 --port 8000"
    application_stack {
      docker_image_name   = "ghcr.io/mlflow/mlflow:v3.1.0"
      docker_registry_url = "https://ghcr.io"
    }
    ip_restriction_default_action = "Allow"
    ip_restriction {
      ip_address = "203.0.113.0/24"
      action     = "Allow"
      priority   = 100
      name       = "office"
    }
  }
}
