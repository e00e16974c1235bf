"""Written fixes of firewalls of Azure and Google Cloud."""

from __future__ import annotations

import pytest
from tests.support.patched_infra import NOW, all_patches, fixed, rules_of, text_of, tf

from assaymark.assess.engine import assess

GROUP = """resource "azurerm_network_security_group" "ray" {
  name                = "ray"
  resource_group_name = "ml"
  location            = "westeurope"
%s}
"""
SETTINGS = """  name                       = "in"
  priority                   = 100
  direction                  = "Inbound"
  access                     = "Allow"
  protocol                   = "Tcp"
  source_port_range          = "*"
  source_address_prefix      = %s
  %s
  destination_address_prefix = "*"
"""
ALONE = """resource "azurerm_network_security_rule" "in" {
  network_security_group_name = azurerm_network_security_group.ray.name
  resource_group_name         = "ml"
%s}
"""
JOBS = 'destination_port_range     = "8265"'


@pytest.mark.parametrize(
    "text",
    [
        GROUP % ("  security_rule {\n" + SETTINGS % ('"*"', JOBS) + "  }\n"),
        GROUP % "" + ALONE % (SETTINGS % ('"Internet"', JOBS)),
    ],
)
def test_a_security_group_lets_its_own_network_in(text: str) -> None:
    after = fixed(tf(text), "azure-network-open")
    assert "azure-network-open" not in rules_of(after)
    assert 'source_address_prefix      = "VirtualNetwork"' in text_of(after)


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS % ('"*"', 'destination_port_ranges    = ["22", "443"]'),
        (SETTINGS % ('["0.0.0.0/0"]', JOBS)).replace("address_prefix ", "address_prefixes ", 1),
        SETTINGS % ("local.everywhere", JOBS),
    ],
)
def test_a_security_group_that_others_need_or_decide_is_left(settings: str) -> None:
    text = 'locals {\n  everywhere = "*"\n}\n' + GROUP % f"  security_rule {{\n{settings}  }}\n"
    report = assess(tf(text), NOW)
    assert "azure-network-open" in rules_of(tf(text))
    assert not all_patches(report, "azure-network-open")


FIREWALL = """resource "google_compute_network" "ml" {
  name = "ml"
}
resource "google_compute_subnetwork" "gpu" {
  name          = "gpu"
  network       = google_compute_network.ml.id
  ip_cidr_range = "10.20.0.0/16"
}
resource "google_compute_firewall" "in" {
  name          = "in"
  network       = google_compute_network.ml.id
  source_ranges = ["0.0.0.0/0"]
  allow {
    protocol = "tcp"
    ports    = [%s]
  }
}
"""


@pytest.mark.parametrize(
    ("ports", "sources"),
    [
        ('"8265"', "[google_compute_subnetwork.gpu.ip_cidr_range]"),
        ('"22"', '["35.235.240.0/20"]'),
        ('"22", "8265"', "[google_compute_subnetwork.gpu.ip_cidr_range]"),
    ],
)
def test_a_firewall_lets_its_subnet_or_the_proxy_in(ports: str, sources: str) -> None:
    after = fixed(tf(FIREWALL % ports), "gcp-firewall-open")
    assert "gcp-firewall-open" not in rules_of(after)
    assert f"source_ranges = {sources}" in text_of(after)


SECOND = """resource "google_compute_subnetwork" "other" {
  network       = google_compute_network.ml.id
  ip_cidr_range = "10.30.0.0/16"
}
"""


@pytest.mark.parametrize(("ports", "more"), [('"22", "443"', ""), ('"8265"', SECOND)])
def test_a_firewall_whose_sources_are_not_plain_is_left(ports: str, more: str) -> None:
    report = assess(tf(FIREWALL % ports + more), NOW)
    assert any(one.rule == "gcp-firewall-open" for one in report.findings)
    assert not all_patches(report, "gcp-firewall-open")
