provider "azurerm" {
  features {}
  subscription_id = "11111111-2222-3333-4444-555555555555"
}

resource "azurerm_resource_group" "ml" {
  name     = "ml"
  location = "westeurope"
}

resource "azurerm_role_definition" "ops" {
  name  = "ml-operators"
  scope = "/subscriptions/11111111-2222-3333-4444-555555555555"
  permissions {
    actions = ["Microsoft.MachineLearningServices/workspaces/read", "Microsoft.MachineLearningServices/workspaces/jobs/*"]
  }
}
