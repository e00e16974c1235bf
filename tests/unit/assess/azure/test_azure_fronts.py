"""What load balancers, gateways, Front Door and API Management of Azure let the internet reach."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/ml/providers"
SITE = f"{GROUP}/microsoft.web/sites/score"
VM = f"{GROUP}/microsoft.compute/virtualmachines/gpu"
SET = f"{GROUP}/microsoft.compute/virtualmachinescalesets/pool"
PLACE = 'resource_group_name = "ml"\n location = "westeurope"'


def reached(text: str, path: str = "main.tf") -> dict[str, State]:
    edges = assessed_files({path: text}).graph.edges
    return {one.target: one.state for one in edges if (one.source, one.relation) == ("internet", "reaches")}


def lines(text: str, target: str) -> set[int]:
    edges = assessed_files({"main.tf": text}).graph.edges
    return {
        place.line for one in edges if one.target == target and one.relation == "reaches" for place in one.because
    }


def security(source: str, access: str = "Allow", port: str = "8000") -> str:
    return f"""
resource "azurerm_network_security_group" "gpu" {{
  name = "gpu"
  {PLACE}
  security_rule {{
    name = "in"
    priority = 100
    direction = "Inbound"
    access = "{access}"
    protocol = "Tcp"
    source_port_range = "*"
    destination_port_range = "{port}"
    source_address_prefix = "{source}"
    destination_address_prefix = "*"
  }}
}}
resource "azurerm_network_interface_security_group_association" "gpu" {{
  network_interface_id = azurerm_network_interface.gpu.id
  network_security_group_id = azurerm_network_security_group.gpu.id
}}
"""


MACHINE = f"""
resource "azurerm_network_interface" "gpu" {{
  name = "gpu"
  {PLACE}
  ip_configuration {{
    name = "a"
    subnet_id = "/subnet"
    private_ip_address_allocation = "Dynamic"
  }}
}}
resource "azurerm_linux_virtual_machine" "gpu" {{
  name = "gpu"
  {PLACE}
  network_interface_ids = [azurerm_network_interface.gpu.id]
}}
"""


def balancer(front: str = "public_ip_address_id = azurerm_public_ip.lb.id", protocol: str = "Tcp") -> str:
    return f"""
resource "azurerm_public_ip" "lb" {{
  name = "lb"
  {PLACE}
  allocation_method = "Static"
}}
resource "azurerm_lb" "lb" {{
  name = "lb"
  {PLACE}
  sku = "Standard"
  frontend_ip_configuration {{
    name = "front"
    {front}
  }}
}}
resource "azurerm_lb_backend_address_pool" "lb" {{
  name = "pool"
  loadbalancer_id = azurerm_lb.lb.id
}}
resource "azurerm_lb_rule" "lb" {{
  name = "rule"
  loadbalancer_id = azurerm_lb.lb.id
  protocol = "{protocol}"
  frontend_port = 80
  backend_port = 8000
  frontend_ip_configuration_name = "front"
  backend_address_pool_ids = [azurerm_lb_backend_address_pool.lb.id]
}}
"""


MEMBER = """
resource "azurerm_network_interface_backend_address_pool_association" "gpu" {
  network_interface_id = azurerm_network_interface.gpu.id
  ip_configuration_name = "a"
  backend_address_pool_id = azurerm_lb_backend_address_pool.lb.id
}
"""
INTERNAL = 'subnet_id = "/subnet"\n private_ip_address_allocation = "Dynamic"'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (MACHINE + balancer() + MEMBER + security("Internet"), {f"{VM}#port:8000": State.YES}),
        (MACHINE + balancer() + MEMBER + security("*"), {f"{VM}#port:8000": State.YES}),
        (MACHINE + balancer() + MEMBER, {f"{VM}#port:8000": State.UNKNOWN}),
        (MACHINE + balancer() + MEMBER + security("10.0.0.0/8"), {}),
        (MACHINE + balancer() + MEMBER + security("AzureLoadBalancer"), {}),  # its probes alone
        (MACHINE + balancer() + MEMBER + security("Internet", port="80"), {}),  # rules see the port behind it
        (MACHINE + balancer() + MEMBER + security("Internet", "Deny"), {}),
        (MACHINE + balancer(INTERNAL) + MEMBER + security("Internet"), {}),
        (MACHINE + balancer(protocol="Udp") + MEMBER + security("Internet"), {}),
        (MACHINE + balancer() + security("Internet"), {}),  # in no pool
    ],
)
def test_a_machine_behind_a_load_balancer(text: str, found: dict[str, State]) -> None:
    assert reached(text) == found


def test_the_rule_of_a_load_balancer_is_named_by_its_line() -> None:
    text = MACHINE + balancer() + MEMBER + security("Internet")
    number = next(at for at, line in enumerate(text.lstrip("\n").split("\n"), 1) if '"azurerm_lb_rule"' in line)
    assert number in lines(text, f"{VM}#port:8000")


def test_a_translated_port() -> None:
    nat = """
resource "azurerm_lb_nat_rule" "ssh" {
  name = "ssh"
  resource_group_name = "ml"
  loadbalancer_id = azurerm_lb.lb.id
  protocol = "Tcp"
  frontend_port = 2222
  backend_port = 22
  frontend_ip_configuration_name = "front"
}
resource "azurerm_network_interface_nat_rule_association" "ssh" {
  network_interface_id = azurerm_network_interface.gpu.id
  ip_configuration_name = "a"
  nat_rule_id = azurerm_lb_nat_rule.ssh.id
}
"""
    assert reached(MACHINE + balancer() + nat + security("*", port="22")) == {f"{VM}#port:22": State.YES}
    assert reached(MACHINE + balancer() + nat + security("10.0.0.0/8", port="22")) == {}


def scale_set(network: str, group: str = "") -> str:
    return f"""
resource "azurerm_linux_virtual_machine_scale_set" "pool" {{
  name = "pool"
  {PLACE}
  sku = "Standard_NC6"
  network_interface {{
    name = "a"
    primary = true
    {group}
    ip_configuration {{
      name = "a"
      subnet_id = "/subnet"
      {network}
    }}
  }}
}}
"""


OF_GROUP = "network_security_group_id = azurerm_network_security_group.gpu.id"
POOLED = "load_balancer_backend_address_pool_ids = [azurerm_lb_backend_address_pool.lb.id]"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            scale_set('public_ip_address {\n name = "a"\n }', OF_GROUP) + security("Internet"),
            {f"{SET}#port:8000": State.YES},
        ),
        (scale_set("", OF_GROUP) + security("Internet"), {}),
        (scale_set('public_ip_address {\n name = "a"\n }', OF_GROUP) + security("10.0.0.0/8"), {}),
        (scale_set(POOLED, OF_GROUP) + balancer() + security("Internet"), {f"{SET}#port:8000": State.YES}),
        (scale_set(POOLED, OF_GROUP) + balancer(INTERNAL) + security("Internet"), {}),
    ],
)
def test_a_scale_set(text: str, found: dict[str, State]) -> None:
    assert reached(text) == found


def site(config: str = "", more: str = "") -> str:
    return f"""
resource "azurerm_linux_web_app" "score" {{
  name = "score"
  {PLACE}
  service_plan_id = "/plan"
  site_config {{
    ip_restriction_default_action = "Deny"
    {config}
  }}
  {more}
}}
"""


def door(host: str = "azurerm_linux_web_app.score.default_hostname", origin: str = "", enabled: str = "true") -> str:
    return f"""
resource "azurerm_cdn_frontdoor_profile" "fd" {{
  name = "fd"
  resource_group_name = "ml"
  sku_name = "Premium_AzureFrontDoor"
}}
resource "azurerm_cdn_frontdoor_endpoint" "fd" {{
  name = "fd"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.fd.id
  enabled = {enabled}
}}
resource "azurerm_cdn_frontdoor_origin_group" "fd" {{
  name = "group"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.fd.id
}}
resource "azurerm_cdn_frontdoor_origin" "fd" {{
  name = "origin"
  cdn_frontdoor_origin_group_id = azurerm_cdn_frontdoor_origin_group.fd.id
  host_name = {host}
  certificate_name_check_enabled = true
  {origin}
}}
resource "azurerm_cdn_frontdoor_route" "fd" {{
  name = "route"
  cdn_frontdoor_endpoint_id = azurerm_cdn_frontdoor_endpoint.fd.id
  cdn_frontdoor_origin_group_id = azurerm_cdn_frontdoor_origin_group.fd.id
  cdn_frontdoor_origin_ids = [azurerm_cdn_frontdoor_origin.fd.id]
  patterns_to_match = ["/*"]
  supported_protocols = ["Https"]
}}
"""


TAG = 'ip_restriction {\n service_tag = "AzureFrontDoor.Backend"\n action = "Allow"\n HEADERS\n }'
TAGGED = TAG.replace("HEADERS", "")
OURS = TAG.replace("HEADERS", "headers {\n x_azure_fdid = [azurerm_cdn_frontdoor_profile.fd.resource_guid]\n }")
OTHERS = TAG.replace("HEADERS", 'headers {\n x_azure_fdid = ["11111111-2222-3333-4444-555555555555"]\n }')
LOGIN = "auth_settings_v2 {\n auth_enabled = true\n require_authentication = true\n login {}\n }"
LINK = 'private_link {\n location = "westeurope"\n private_link_target_id = azurerm_linux_web_app.score.id\n }'
CLOSED = "public_network_access_enabled = false"
WAF = """
resource "azurerm_cdn_frontdoor_firewall_policy" "waf" {
  name = "waf"
  resource_group_name = "ml"
  sku_name = "Premium_AzureFrontDoor"
  mode = "MODE"
  custom_rule {
    name = "office"
    enabled = true
    priority = 1
    type = "MatchRule"
    action = "Block"
    match_condition {
      match_variable = "RemoteAddr"
      operator = "IPMatch"
      negation_condition = NEGATED
      match_values = ["203.0.113.0/24"]
    }
  }
}
resource "azurerm_cdn_frontdoor_security_policy" "waf" {
  name = "waf"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.fd.id
  security_policies {
    firewall {
      cdn_frontdoor_firewall_policy_id = azurerm_cdn_frontdoor_firewall_policy.waf.id
      association {
        domain {
          cdn_frontdoor_domain_id = azurerm_cdn_frontdoor_endpoint.fd.id
        }
        patterns_to_match = ["/*"]
      }
    }
  }
}
"""
OFFICE = WAF.replace("MODE", "Prevention").replace("NEGATED", "true")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (site(TAGGED), None),
        (site(TAGGED) + door(), State.YES),
        (site(OURS) + door(), State.YES),
        (site(OTHERS) + door(), State.UNKNOWN),
        (site(TAGGED) + door('"score.azurewebsites.net"'), State.YES),
        (site(TAGGED) + door('"other.azurewebsites.net"'), None),
        (site(TAGGED) + door(enabled="false"), None),
        (site(TAGGED) + door(origin="enabled = false"), None),
        (site(TAGGED, LOGIN) + door(), None),
        (site() + door(), None),  # the default denies who no rule is about
        (site(TAGGED, CLOSED) + door(), None),
        (site(TAGGED, CLOSED) + door(origin=LINK), State.UNKNOWN),
        (site(TAGGED) + door() + OFFICE, None),
        (site(TAGGED) + door() + WAF.replace("MODE", "Detection").replace("NEGATED", "true"), State.YES),
        (site(TAGGED) + door() + WAF.replace("MODE", "Prevention").replace("NEGATED", "false"), State.YES),
    ],
)
def test_a_site_behind_a_front_door(text: str, state: State | None) -> None:
    assert reached(text).get(f"{SITE}#port") == state


OWN = (
    MACHINE.replace('"Dynamic"', '"Dynamic"\n    public_ip_address_id = azurerm_public_ip.vm.id')
    + f"""
resource "azurerm_public_ip" "vm" {{
  name = "vm"
  {PLACE}
  allocation_method = "Static"
}}
"""
)
BACKEND = "AzureFrontDoor.Backend"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (OWN + security(BACKEND, port="443"), {}),
        (OWN + security(BACKEND, port="443") + door("azurerm_public_ip.vm.fqdn"), {f"{VM}#port:443": State.YES}),
        (OWN + security("203.0.113.0/24", port="443") + door("azurerm_public_ip.vm.fqdn"), {}),
        (
            MACHINE + balancer() + MEMBER + security(BACKEND) + door("azurerm_public_ip.lb.ip_address"),
            {f"{VM}#port:8000": State.YES},
        ),
        (MACHINE + balancer() + MEMBER + security(BACKEND), {}),
    ],
)
def test_machines_that_let_in_front_door_alone(text: str, found: dict[str, State]) -> None:
    text = text.replace("  host_name = ", "  https_port = 443\n  host_name = ")
    assert {one: state for one, state in reached(text).items() if one != f"{VM}#port"} == found


def gateway(front: str = 'public_ip_address_id = "/address"', listener: str = "", fqdn: str = "") -> str:
    return f"""
resource "azurerm_application_gateway" "gw" {{
  name = "gw"
  {PLACE}
  gateway_ip_configuration {{
    name = "own"
    subnet_id = "/gateways"
  }}
  frontend_port {{
    name = "https"
    port = 443
  }}
  frontend_ip_configuration {{
    name = "front"
    {front}
  }}
  ssl_profile {{
    name = "mutual"
    trusted_client_certificate_names = ["ours"]
  }}
  backend_address_pool {{
    name = "pool"
    fqdns = [{fqdn}]
    ip_addresses = []
  }}
  backend_http_settings {{
    name = "http"
    port = 8000
    protocol = "Http"
    cookie_based_affinity = "Disabled"
  }}
  http_listener {{
    name = "in"
    frontend_ip_configuration_name = "front"
    frontend_port_name = "https"
    protocol = "Https"
    {listener}
  }}
  request_routing_rule {{
    name = "all"
    rule_type = "Basic"
    http_listener_name = "in"
    backend_address_pool_name = "pool"
    backend_http_settings_name = "http"
    priority = 1
  }}
}}
"""


HOST = "azurerm_linux_web_app.score.default_hostname"
OF_SUBNET = 'ip_restriction {\n virtual_network_subnet_id = "/gateways"\n action = "Allow"\n }'
JOINED = """
resource "azurerm_network_interface_application_gateway_backend_address_pool_association" "gpu" {
  network_interface_id = azurerm_network_interface.gpu.id
  ip_configuration_name = "a"
  backend_address_pool_id = tolist(azurerm_application_gateway.gw.backend_address_pool).0.id
}
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (site(OF_SUBNET) + gateway(fqdn=HOST), {f"{SITE}#port": State.YES}),
        (site(OF_SUBNET.replace("gateways", "others")) + gateway(fqdn=HOST), {}),
        (site(OF_SUBNET) + gateway(INTERNAL, fqdn=HOST), {}),
        (site(OF_SUBNET) + gateway(listener='ssl_profile_name = "mutual"', fqdn=HOST), {}),
        (site(OF_SUBNET, LOGIN) + gateway(fqdn=HOST), {}),
        (MACHINE + gateway() + JOINED + security("VirtualNetwork"), {f"{VM}#port:8000": State.YES}),
        (MACHINE + gateway() + JOINED + security("10.9.0.0/16"), {f"{VM}#port:8000": State.YES}),  # the default's
        (MACHINE + gateway() + JOINED + security("VirtualNetwork", "Deny"), {}),
        (MACHINE + gateway() + JOINED + security("*", "Deny", "*"), {}),
    ],
)
def test_what_a_gateway_passes_on(text: str, found: dict[str, State]) -> None:
    assert reached(text) == found


def test_a_site_with_a_private_endpoint_behind_a_gateway() -> None:
    endpoint = f"""
resource "azurerm_private_endpoint" "score" {{
  name = "score"
  {PLACE}
  subnet_id = "/network/subnets/endpoints"
  private_service_connection {{
    name = "score"
    private_connection_resource_id = azurerm_linux_web_app.score.id
    is_manual_connection = false
    subresource_names = ["sites"]
  }}
}}
"""
    front = gateway(fqdn=HOST).replace('"/gateways"', '"/network/subnets/gateways"')
    assert reached(site("", CLOSED) + endpoint + front) == {f"{SITE}#port": State.YES}
    assert reached(site("", CLOSED) + front) == {}
    away = endpoint.replace("/network/", "/elsewhere/")
    assert reached(site("", CLOSED) + away + front) == {f"{SITE}#port": State.UNKNOWN}


def api(required: str, policy: str = "") -> str:
    return f"""
resource "azurerm_api_management" "apim" {{
  name = "apim"
  {PLACE}
}}
resource "azurerm_api_management_api" "score" {{
  name = "score"
  resource_group_name = "ml"
  api_management_name = azurerm_api_management.apim.name
  revision = "1"
  service_url = "https://${{azurerm_linux_web_app.score.default_hostname}}"
  {required}
}}
resource "azurerm_api_management_api_policy" "score" {{
  api_name = azurerm_api_management_api.score.name
  api_management_name = azurerm_api_management.apim.name
  resource_group_name = "ml"
  xml_content = "<policies><inbound>{policy}<base/></inbound></policies>"
}}
"""


OF_APIM = 'ip_restriction {\n ip_address = "${azurerm_api_management.apim.public_ip_addresses[0]}/32"\n }'


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (api("subscription_required = false"), State.YES),
        (api("subscription_required = true"), None),
        (api(""), None),
        (api("subscription_required = false", "<validate-jwt header-name='Authorization'/>"), None),
    ],
)
def test_an_api_without_a_key(text: str, state: State | None) -> None:
    assert reached(site(OF_APIM) + text).get(f"{SITE}#port") == state


TRANSLATED = """
resource "azurerm_firewall_policy_rule_collection_group" "in" {
  name               = "in"
  firewall_policy_id = "/policy"
  priority           = 100
  nat_rule_collection {
    name     = "in"
    priority = 100
    action   = "Dnat"
    rule {
      name                = "web"
      protocols           = ["PROTOCOL"]
      source_addresses    = ["SOURCE"]
      destination_address = "203.0.113.1"
      destination_ports   = ["80"]
      translated_address  = azurerm_network_interface.gpu.private_ip_address
      translated_port     = "8000"
    }
  }
}
"""


@pytest.mark.parametrize(
    ("source", "protocol", "group", "state"),
    [
        ("*", "TCP", security("VirtualNetwork"), State.YES),
        ("*", "TCP", security("*", "Deny", "*"), None),
        ("203.0.113.0/24", "TCP", security("VirtualNetwork"), None),
        ("*", "UDP", security("VirtualNetwork"), None),
    ],
)
def test_what_a_firewall_translates(source: str, protocol: str, group: str, state: State | None) -> None:
    text = MACHINE + group + TRANSLATED.replace("SOURCE", source).replace("PROTOCOL", protocol)
    assert reached(text).get(f"{VM}#port:8000") == state


def test_a_template_with_a_load_balancer() -> None:
    network = "Microsoft.Network"
    pool = "[resourceId('Microsoft.Network/loadBalancers/backendAddressPools', 'lb', 'pool')]"
    front = "[resourceId('Microsoft.Network/loadBalancers/frontendIPConfigurations', 'lb', 'front')]"
    rule = {
        "name": "in",
        "properties": {
            "frontendIPConfiguration": {"id": front},
            "backendAddressPool": {"id": pool},
            "protocol": "Tcp",
            "frontendPort": 80,
            "backendPort": 8000,
        },
    }
    address = {"id": f"[resourceId('{network}/publicIPAddresses', 'ip')]"}
    group = {"id": f"[resourceId('{network}/networkSecurityGroups', 'nsg')]"}

    def made(source: str, public: dict[str, object]) -> str:
        allowed = {
            "name": "in",
            "properties": {
                "priority": 100,
                "direction": "Inbound",
                "access": "Allow",
                "protocol": "Tcp",
                "sourceAddressPrefix": source,
                "destinationPortRange": "8000",
            },
        }
        part = {"subnet": {"id": "/s"}, "loadBalancerBackendAddressPools": [{"id": pool}]}
        interface = {
            "name": "nic",
            "properties": {
                "networkSecurityGroup": group,
                "ipConfigurations": [{"name": "a", "properties": part}],
            },
        }
        profile = {"networkInterfaceConfigurations": [interface]}
        items = [
            {"type": f"{network}/networkSecurityGroups", "name": "nsg", "properties": {"securityRules": [allowed]}},
            {
                "type": f"{network}/loadBalancers",
                "name": "lb",
                "sku": {"name": "Standard"},
                "properties": {
                    "frontendIPConfigurations": [{"name": "front", "properties": public}],
                    "backendAddressPools": [{"name": "pool"}],
                    "loadBalancingRules": [rule],
                },
            },
            {
                "type": "Microsoft.Compute/virtualMachineScaleSets",
                "name": "pool",
                "properties": {"virtualMachineProfile": {"networkProfile": profile}},
            },
        ]
        schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
        return json.dumps({"$schema": schema, "resources": items})

    found = reached(made("Internet", {"publicIPAddress": address}), "main.json")
    assert list(found.values()) == [State.YES]
    assert next(iter(found)).endswith("microsoft.compute/virtualmachinescalesets/pool#port:8000")
    assert reached(made("Internet", {"subnet": {"id": "/s"}}), "main.json") == {}
    assert reached(made("10.0.0.0/8", {"publicIPAddress": address}), "main.json") == {}
