provider "azurerm" {
  features {}
  subscription_id = "11111111-2222-3333-4444-555555555555"
}

resource "azurerm_resource_group" "ml" {
  name     = "ml"
  location = "westeurope"
}

resource "azurerm_key_vault" "keys" {
  name                      = "acme-keys"
  resource_group_name       = azurerm_resource_group.ml.name
  location                  = "westeurope"
  sku_name                  = "standard"
  tenant_id                 = "99999999-2222-3333-4444-555555555555"
  enable_rbac_authorization = true
  public_network_access_enabled = false
}
