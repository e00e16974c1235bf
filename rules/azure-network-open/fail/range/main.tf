resource "azurerm_network_security_group" "range" {
  name                = "range"
  resource_group_name = "ml"
  location            = "westeurope"

  security_rule {
    name                       = "in"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    source_address_prefix      = "Internet"
    destination_port_range     = "8000-9000"
    destination_address_prefix = "*"
  }
}
