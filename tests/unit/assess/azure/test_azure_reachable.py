"""What of Azure the internet reaches."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/ml/providers"
SITE = f"{GROUP}/microsoft.web/sites/score"
APP = f"{GROUP}/microsoft.app/containerapps/score"
VM = f"{GROUP}/microsoft.compute/virtualmachines/gpu"


def reached(text: str) -> dict[str, State]:
    edges = assessed_files({"main.tf": text}).graph.edges
    return {one.target: one.state for one in edges if (one.source, one.relation) == ("internet", "reaches")}


def site(config: str = "", more: str = "") -> str:
    return f"""
resource "azurerm_linux_web_app" "score" {{
  name                = "score"
  resource_group_name = "ml"
  location            = "westeurope"
  service_plan_id     = "/plan"
  site_config {{
    {config}
  }}
  {more}
}}
"""


LOGIN = "auth_settings_v2 {\n auth_enabled = true\n require_authentication = true\n login {}\n }"
RULE = 'ip_restriction {\n ip_address = "RANGE"\n action = "Allow"\n }'


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (site(), State.YES),
        (site(more="public_network_access_enabled = false"), None),
        (site(more=LOGIN), None),
        (site('ip_restriction_default_action = "Deny"'), None),
        (site(RULE.replace("RANGE", "10.0.0.0/8")), State.UNKNOWN),  # the provider lets others in by default
        (site(RULE.replace("RANGE", "10.0.0.0/8") + '\n ip_restriction_default_action = "Deny"'), None),
        (site(RULE.replace("RANGE", "10.0.0.0/8") + '\n ip_restriction_default_action = "Allow"'), State.YES),
        (site(RULE.replace("RANGE", "0.0.0.0/0").replace('"Allow"', '"Deny"')), None),
        (site(RULE.replace("RANGE", "0.0.0.0/0")), State.YES),
    ],
)
def test_a_site_has_a_public_name(text: str, state: State | None) -> None:
    assert reached(text).get(f"{SITE}#port") == state


def app(ingress: str, image: str = "acme/score:1", args: str = "[]") -> str:
    return f"""
resource "azurerm_container_app" "score" {{
  name                         = "score"
  resource_group_name          = "ml"
  container_app_environment_id = "/env"
  revision_mode                = "Single"
  ingress {{
    {ingress}
    target_port = 8000
  }}
  template {{
    container {{
      name  = "a"
      image = "{image}"
      args  = {args}
    }}
  }}
}}
"""


@pytest.mark.parametrize(
    ("ingress", "state"),
    [
        ("external_enabled = true", State.YES),
        ("external_enabled = false", None),
        (
            'external_enabled = true\n ip_security_restriction {\n action = "Allow"\n ip_address_range = "10.0.0.0/8"\n}',
            None,  # rules that let some in let nobody else in
        ),
    ],
)
def test_an_app_whose_ingress_is_external(ingress: str, state: State | None) -> None:
    assert reached(app(ingress)).get(f"{APP}#port:8000") == state


def test_a_server_in_an_app_that_asks_for_nothing() -> None:
    text = app("external_enabled = true", "vllm/vllm-openai:v1", '["--model", "a/b"]')
    edges = {(one.source, one.relation, one.target) for one in assessed_files({"main.tf": text}).graph.edges}
    assert (f"{APP}#port:8000", "open-invoke", f"{APP}#vLLM") in edges


MACHINE = """
resource "azurerm_network_interface" "gpu" {
  name                = "gpu"
  resource_group_name = "ml"
  location            = "westeurope"
  ip_configuration {
    name      = "a"
    subnet_id = "/subnet"
    ADDRESS
  }
}
resource "azurerm_linux_virtual_machine" "gpu" {
  name                  = "gpu"
  resource_group_name   = "ml"
  location              = "westeurope"
  network_interface_ids = [azurerm_network_interface.gpu.id]
  custom_data           = base64encode("#!/bin/sh\\njupyter lab --ip=0.0.0.0 --NotebookApp.token=''\\n")
}
resource "azurerm_network_security_group" "gpu" {
  name                = "gpu"
  resource_group_name = "ml"
  location            = "westeurope"
  RULES
}
"""
ATTACHED = """
resource "azurerm_network_interface_security_group_association" "gpu" {
  network_interface_id      = azurerm_network_interface.gpu.id
  network_security_group_id = azurerm_network_security_group.gpu.id
}
"""
PUBLIC = 'public_ip_address_id = "/address"'


def rule(access: str, priority: int, source: str = "*", port: str = "8888") -> str:
    return f"""
  security_rule {{
    name                       = "r{priority}"
    priority                   = {priority}
    direction                  = "Inbound"
    access                     = "{access}"
    protocol                   = "Tcp"
    source_address_prefix      = "{source}"
    destination_port_range     = "{port}"
    source_port_range          = "*"
    destination_address_prefix = "*"
  }}
"""


@pytest.mark.parametrize(
    ("address", "rules", "attached", "found"),
    [
        (PUBLIC, rule("Allow", 100), ATTACHED, {f"{VM}#port:8888": State.YES}),
        (PUBLIC, rule("Allow", 100, "Internet", "8000-9000"), ATTACHED, {f"{VM}#port:8888": State.YES}),
        (PUBLIC, rule("Allow", 100, "*", "*"), ATTACHED, {f"{VM}#port": State.YES}),
        ("", rule("Allow", 100), ATTACHED, {}),
        (PUBLIC, rule("Allow", 100, "10.0.0.0/8"), ATTACHED, {}),
        (PUBLIC, rule("Deny", 100) + rule("Allow", 200), ATTACHED, {}),
        (PUBLIC, rule("Allow", 100) + rule("Deny", 200), ATTACHED, {f"{VM}#port:8888": State.YES}),
        (PUBLIC, rule("Allow", 100), "", {f"{VM}#port": State.UNKNOWN}),
    ],
)
def test_a_machine_with_an_address(address: str, rules: str, attached: str, found: dict[str, State]) -> None:
    text = MACHINE.replace("ADDRESS", address).replace("RULES", rules) + attached
    assert reached(text) == found
