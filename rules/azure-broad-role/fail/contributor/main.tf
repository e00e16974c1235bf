provider "azurerm" {
  features {}
  subscription_id = "11111111-2222-3333-4444-555555555555"
}

resource "azurerm_resource_group" "ml" {
  name     = "ml"
  location = "westeurope"
}

resource "azurerm_user_assigned_identity" "trainer" {
  name                = "trainer"
  resource_group_name = azurerm_resource_group.ml.name
  location            = "westeurope"
}

data "azurerm_subscription" "current" {}

resource "azurerm_role_assignment" "trainer" {
  scope                = data.azurerm_subscription.current.id
  role_definition_name = "Contributor"
  principal_id         = azurerm_user_assigned_identity.trainer.principal_id
}
