provider "azurerm" {
  features {}
  subscription_id = "11111111-1111-1111-1111-111111111111"
}
resource "azurerm_resource_group" "ml" {
  name     = "ml"
  location = "westeurope"
}
resource "azurerm_storage_account" "weights" {
  name                      = "weights"
  resource_group_name       = azurerm_resource_group.ml.name
  shared_access_key_enabled = false
}
resource "azurerm_role_assignment" "dev" {
  scope                = azurerm_resource_group.ml.id
  role_definition_name = "Contributor"
  principal_id         = "dev"
}
resource "azurerm_role_assignment" "viewer" {
  scope                = azurerm_resource_group.ml.id
  role_definition_name = "Reader and Data Access"
  principal_id         = "viewer"
}
