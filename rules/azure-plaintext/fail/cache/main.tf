resource "azurerm_redis_cache" "features" {
  name                 = "acme-features"
  resource_group_name  = "ml"
  location             = "westeurope"
  capacity             = 1
  family               = "C"
  sku_name             = "Standard"
  non_ssl_port_enabled = true
  minimum_tls_version  = "1.2"
}
