resource "azurerm_storage_account" "weights" {
  name                       = "acmeweights"
  resource_group_name        = "ml"
  location                   = "westeurope"
  account_tier               = "Standard"
  account_replication_type   = "LRS"
  https_traffic_only_enabled = true
  min_tls_version            = "TLS1_2"
}

resource "azurerm_redis_cache" "features" {
  name                = "acme-features"
  resource_group_name = "ml"
  location            = "westeurope"
  capacity            = 1
  family              = "C"
  sku_name            = "Standard"
  minimum_tls_version = "1.2"
}

resource "azurerm_linux_web_app" "scoring" {
  name                = "acme-scoring"
  resource_group_name = "ml"
  location            = "westeurope"
  service_plan_id     = azurerm_service_plan.ml.id
  https_only          = true
  site_config {}
}
