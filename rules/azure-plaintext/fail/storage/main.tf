resource "azurerm_storage_account" "weights" {
  name                       = "acmeweights"
  resource_group_name        = "ml"
  location                   = "westeurope"
  account_tier               = "Standard"
  account_replication_type   = "LRS"
  https_traffic_only_enabled = false
}
