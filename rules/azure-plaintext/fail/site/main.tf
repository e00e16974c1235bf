resource "azurerm_linux_web_app" "scoring" {
  name                = "acme-scoring"
  resource_group_name = "ml"
  location            = "westeurope"
  service_plan_id     = azurerm_service_plan.ml.id
  site_config {}
}
