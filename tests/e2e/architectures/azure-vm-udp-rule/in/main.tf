
resource "azurerm_public_ip" "ip" {
  name                = "ip"
  allocation_method   = "Static"
  sku                 = "Standard"
  resource_group_name = "ml-prod"
  location            = "westeurope"
}
resource "azurerm_network_interface" "nic" {
  name                = "nic"
  resource_group_name = "ml-prod"
  location            = "westeurope"
  ip_configuration {
    name                          = "a"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.ip.id
  }
}
resource "azurerm_subnet" "s" {
  name                 = "s"
  virtual_network_name = "v"
  resource_group_name  = "ml-prod"
  address_prefixes     = ["10.0.0.0/24"]
}
resource "azurerm_network_security_group" "nsg" {
  name                = "nsg"
  resource_group_name = "ml-prod"
  location            = "westeurope"
  security_rule {
    name                       = "u"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Udp"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
  }
  security_rule {
    name                       = "j"
    priority                   = 110
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "8888"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
  }

}
resource "azurerm_network_interface_security_group_association" "a" {
  network_interface_id      = azurerm_network_interface.nic.id
  network_security_group_id = azurerm_network_security_group.nsg.id
}
resource "azurerm_linux_virtual_machine" "gpu" {
  name                  = "gpu"
  resource_group_name   = "ml-prod"
  location              = "westeurope"
  size                  = "Standard_NC4as_T4_v3"
  admin_username        = "a"
  network_interface_ids = [azurerm_network_interface.nic.id]
  custom_data           = base64encode("#!/bin/bash\npip install jupyterlab==4.4.0\njupyter lab --ip=0.0.0.0 --port=8888 --NotebookApp.token='' --allow-root\n")
  os_disk {
    caching              = "None"
    storage_account_type = "Standard_LRS"
  }

}
