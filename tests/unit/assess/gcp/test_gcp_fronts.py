"""What load balancers and firewall policies of Google Cloud let the internet reach."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

RUN = "//run.googleapis.com/projects/acme/locations/europe-west4/services/llm"
VM = "//compute.googleapis.com/projects/acme/zones/europe-west4-a/instances/gpu"
TEMPLATE = "//compute.googleapis.com/projects/acme/global/instanceTemplates/pool"


def reached(text: str, relation: str = "reaches") -> dict[str, State]:
    edges = assessed_files({"main.tf": text}).graph.edges
    return {one.target: one.state for one in edges if (one.source, one.relation) == ("internet", relation)}


def service(ingress: str = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", more: str = "") -> str:
    return f"""
resource "google_cloud_run_v2_service" "llm" {{
  project  = "acme"
  name     = "llm"
  location = "europe-west4"
  ingress  = "{ingress}"
  {more}
  template {{
    containers {{
      image = "acme/llm:1"
    }}
  }}
}}
resource "google_cloud_run_v2_service_iam_member" "all" {{
  project  = "acme"
  name     = google_cloud_run_v2_service.llm.name
  location = "europe-west4"
  role     = "roles/run.invoker"
  member   = "allUsers"
}}
"""


GROUP = """
resource "google_compute_region_network_endpoint_group" "llm" {
  project               = "acme"
  name                  = "llm"
  region                = "europe-west4"
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloud_run_v2_service.llm.name
  }
}
"""


def front(backend: str = "", scheme: str = "EXTERNAL_MANAGED", proxy: str = "", group: str = "") -> str:
    group = group or "google_compute_region_network_endpoint_group.llm.id"
    return f"""
resource "google_compute_backend_service" "llm" {{
  project               = "acme"
  name                  = "llm"
  load_balancing_scheme = "{scheme}"
  {backend}
  backend {{
    group = {group}
  }}
}}
resource "google_compute_url_map" "llm" {{
  project         = "acme"
  name            = "llm"
  default_service = google_compute_backend_service.llm.id
}}
resource "google_compute_target_https_proxy" "llm" {{
  project = "acme"
  name    = "llm"
  url_map = google_compute_url_map.llm.id
  {proxy}
}}
resource "google_compute_global_forwarding_rule" "llm" {{
  project               = "acme"
  name                  = "llm"
  target                = google_compute_target_https_proxy.llm.id
  port_range            = "443"
  load_balancing_scheme = "{scheme}"
}}
"""


IAP = "iap {\n enabled = true\n }"
ARMOR = "security_policy = google_compute_security_policy.armor.id"


def armor(*rules: tuple[str, str, int]) -> str:
    made = "".join(
        f"""
  rule {{
    action   = "{action}"
    priority = {priority}
    match {{
      {match}
    }}
  }}"""
        for action, match, priority in rules
    )
    return f'\nresource "google_compute_security_policy" "armor" {{\n  name = "armor"\n{made}\n}}\n'


ALL = 'versioned_expr = "SRC_IPS_V1"\n config {\n src_ip_ranges = ["*"]\n }'
OFFICE = 'versioned_expr = "SRC_IPS_V1"\n config {\n src_ip_ranges = ["203.0.113.0/24"]\n }'
ATTACKS = "expr {\n expression = \"evaluatePreconfiguredWaf('sqli-v33-stable')\"\n }"
REGION = "expr {\n expression = \"origin.region_code == 'DE'\"\n }"
ELSEWHERE = "expr {\n expression = \"!inIpRange(origin.ip, '203.0.113.0/24')\"\n }"
LAST = 2147483647
TLS = """
resource "google_network_security_server_tls_policy" "mutual" {
  name = "mutual"
  mtls_policy {
    client_validation_mode = "MODE"
  }
}
"""
MUTUAL = "server_tls_policy = google_network_security_server_tls_policy.mutual.id"
OF_IAP = """
resource "google_iap_web_backend_service_iam_member" "all" {
  project             = "acme"
  web_backend_service = google_compute_backend_service.llm.name
  role                = "roles/iap.httpsResourceAccessor"
  member              = "allUsers"
}
"""


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (service(), State.UNKNOWN),  # a load balancer may be elsewhere
        (service() + GROUP + front(), State.YES),
        (service("INGRESS_TRAFFIC_INTERNAL_ONLY") + GROUP + front(), None),
        (service(more="iap_enabled = true") + GROUP + front(), None),
        (service("INGRESS_TRAFFIC_ALL"), State.YES),
        (service("INGRESS_TRAFFIC_ALL") + GROUP + front(IAP), State.YES),  # its own name asks for nothing
        (service("INGRESS_TRAFFIC_ALL", "default_uri_disabled = true") + GROUP + front(IAP), None),
        (service("INGRESS_TRAFFIC_ALL", "default_uri_disabled = true") + GROUP + front(), State.YES),
        (service() + GROUP + front(scheme="INTERNAL_MANAGED"), None),
        (service() + GROUP + front(IAP), None),
        (service() + GROUP + front("iap {\n enabled = false\n }"), State.YES),
        (service() + GROUP + front(IAP) + OF_IAP, State.YES),
        (service() + GROUP + front(ARMOR) + armor(("allow", OFFICE, 10), ("deny(403)", ALL, LAST)), None),
        (service() + GROUP + front(ARMOR) + armor(("deny(403)", ATTACKS, 10), ("allow", ALL, LAST)), State.YES),
        (service() + GROUP + front(ARMOR) + armor(("allow", REGION, 10), ("deny(403)", ALL, LAST)), State.UNKNOWN),
        (service() + GROUP + front(proxy=MUTUAL) + TLS.replace("MODE", "REJECT_INVALID"), None),
        (
            service() + GROUP + front(proxy=MUTUAL) + TLS.replace("MODE", "ALLOW_INVALID_OR_MISSING_CLIENT_CERT"),
            State.YES,
        ),
    ],
)
def test_a_service_behind_a_load_balancer(text: str, state: State | None) -> None:
    assert reached(text, "invokes").get(RUN) == state


def network(sources: str, port: str = "8888", more: str = "") -> str:
    return f"""
resource "google_compute_firewall" "in" {{
  project       = "acme"
  name          = "in"
  network       = "default"
  source_ranges = [{sources}]
  allow {{
    protocol = "tcp"
    ports    = ["{port}"]
  }}
  {more}
}}
"""


POOL = """
resource "google_compute_instance_template" "pool" {
  project      = "acme"
  name         = "pool"
  machine_type = "n1-standard-4"
  network_interface {
    network = "default"
  }
}
resource "google_compute_instance_group_manager" "pool" {
  project            = "acme"
  name               = "pool"
  zone               = "europe-west4-a"
  base_instance_name = "pool"
  version {
    instance_template = google_compute_instance_template.pool.self_link_unique
  }
  named_port {
    name = "http"
    port = 8888
  }
}
"""
OF_POOL = "google_compute_instance_group_manager.pool.instance_group"
PROXIES = '"130.211.0.0/22", "35.191.0.0/16"'
THROUGH = """
resource "google_compute_region_backend_service" "through" {
  project               = "acme"
  name                  = "through"
  region                = "europe-west4"
  load_balancing_scheme = "SCHEME"
  backend {
    group = google_compute_instance_group_manager.pool.instance_group
  }
}
resource "google_compute_forwarding_rule" "through" {
  project               = "acme"
  name                  = "through"
  region                = "europe-west4"
  load_balancing_scheme = "SCHEME"
  ports                 = ["8888"]
  backend_service       = google_compute_region_backend_service.through.id
}
"""


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (POOL + front(group=OF_POOL) + network(PROXIES), State.YES),
        (POOL + front(group=OF_POOL) + network('"0.0.0.0/0"'), State.YES),
        (POOL + front(group=OF_POOL) + network('"10.0.0.0/8"'), None),
        (POOL + front(group=OF_POOL) + network(PROXIES, "22"), None),
        (POOL + front(group=OF_POOL), State.UNKNOWN),  # no rule of any network is there
        (POOL + front(IAP, group=OF_POOL) + network(PROXIES), None),
        (POOL + front(group=OF_POOL, scheme="INTERNAL_SELF_MANAGED") + network(PROXIES), None),
        (
            POOL + front(ARMOR, group=OF_POOL) + network(PROXIES) + armor(("allow", OFFICE, 1), ("deny", ALL, LAST)),
            None,
        ),
        (POOL + front(ARMOR, group=OF_POOL) + network(PROXIES) + armor(("deny(403)", ELSEWHERE, 1)), None),
        (POOL + THROUGH.replace("SCHEME", "EXTERNAL") + network('"0.0.0.0/0"'), State.YES),
        (POOL + THROUGH.replace("SCHEME", "EXTERNAL") + network(PROXIES), None),  # the client's address stays
        (POOL + THROUGH.replace("SCHEME", "INTERNAL") + network('"0.0.0.0/0"'), None),
    ],
)
def test_instances_behind_a_load_balancer(text: str, state: State | None) -> None:
    assert reached(text).get(f"{TEMPLATE}#port:8888") == state


MACHINE = """
resource "google_compute_instance" "gpu" {
  project      = "acme"
  name         = "gpu"
  zone         = "europe-west4-a"
  machine_type = "n1-standard-4"
  network_interface {
    network = google_compute_network.vpc.id
    access_config {}
  }
  metadata_startup_script = "sudo jupyter lab --ip=0.0.0.0 --NotebookApp.token=''"
}
resource "google_compute_network" "vpc" {
  project = "acme"
  name    = "vpc"
  ORDER
}
"""


def policy(*rules: tuple[str, int, str], kind: str = "network_firewall_policy", target: str = "") -> str:
    made = "".join(
        f"""
resource "google_compute_{kind}_rule" "r{priority}" {{
  firewall_policy = google_compute_{kind}.p.name
  action          = "{action}"
  direction       = "INGRESS"
  priority        = {priority}
  match {{
    src_ip_ranges = ["{source}"]
    layer4_configs {{
      ip_protocol = "tcp"
      ports       = ["8888"]
    }}
  }}
}}"""
        for action, priority, source in rules
    )
    name = "name" if kind.startswith("network") else 'parent = "organizations/1"\n  short_name'
    made = made if kind.startswith("network") else made.replace("_policy.p.name", "_policy.p.id")
    return f"""
resource "google_compute_{kind}" "p" {{
  {name} = "p"
}}
resource "google_compute_{kind}_association" "p" {{
  name              = "p"
  firewall_policy   = google_compute_{kind}.p.id
  attachment_target = {target or "google_compute_network.vpc.id"}
}}
{made}
"""


def vpc_rule(kind: str = "allow", source: str = "0.0.0.0/0") -> str:
    return f"""
resource "google_compute_firewall" "in" {{
  project       = "acme"
  name          = "in"
  network       = google_compute_network.vpc.id
  source_ranges = ["{source}"]
  {kind} {{
    protocol = "tcp"
    ports    = ["8888"]
  }}
}}
"""


AFTER = MACHINE.replace("ORDER", "")
BEFORE = MACHINE.replace("ORDER", 'network_firewall_policy_enforcement_order = "BEFORE_CLASSIC_FIREWALL"')
FOLDER = """
resource "google_folder" "ml" {
  display_name = "ml"
  parent       = "organizations/1"
}
resource "google_project" "acme" {
  project_id = "acme"
  name       = "acme"
  folder_id  = google_folder.ml.name
}
"""
ABOVE = '"organizations/1"'
EVERYWHERE = "0.0.0.0/0"
INSIDE = "10.0.0.0/8"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (AFTER + policy(("allow", 1, EVERYWHERE)), State.YES),
        (AFTER + policy(("allow", 1, INSIDE)), None),
        (AFTER + policy(("deny", 1, EVERYWHERE), ("allow", 2, EVERYWHERE)), None),
        (AFTER + policy(("deny", 1, EVERYWHERE)) + vpc_rule(), State.YES),  # the network's rules count first
        (BEFORE + policy(("deny", 1, EVERYWHERE)) + vpc_rule(), None),
        (BEFORE + policy(("goto_next", 1, EVERYWHERE), ("deny", 2, EVERYWHERE)) + vpc_rule(), State.YES),
        (BEFORE + policy(("allow", 1, EVERYWHERE)) + vpc_rule("deny"), State.YES),
        (AFTER + policy(("allow", 1, EVERYWHERE)) + vpc_rule("deny"), None),
        (AFTER + FOLDER + vpc_rule() + policy(("deny", 1, EVERYWHERE), kind="firewall_policy", target=ABOVE), None),
        (
            AFTER
            + FOLDER
            + vpc_rule()
            + policy(("goto_next", 1, EVERYWHERE), ("deny", 2, EVERYWHERE), kind="firewall_policy", target=ABOVE),
            State.YES,
        ),
        (
            AFTER
            + FOLDER
            + vpc_rule()
            + policy(("deny", 1, EVERYWHERE), kind="firewall_policy", target="google_folder.ml.name"),
            None,
        ),
        (AFTER + FOLDER + policy(("allow", 1, EVERYWHERE), kind="firewall_policy", target=ABOVE), State.YES),
        (
            AFTER
            + FOLDER
            + vpc_rule()
            + policy(("deny", 1, EVERYWHERE), kind="firewall_policy", target='"organizations/2"'),
            State.YES,
        ),
        (
            AFTER + vpc_rule() + policy(("deny", 1, EVERYWHERE), kind="firewall_policy", target=ABOVE),
            State.UNKNOWN,  # where the project lies is not in the input
        ),
    ],
)
def test_firewall_policies_count_in_their_order(text: str, state: State | None) -> None:
    assert reached(text).get(f"{VM}#port:8888") == state


SUBNET = """
resource "google_compute_subnetwork" "ml" {
  project       = "acme"
  name          = "ml"
  region        = "europe-west4"
  ip_cidr_range = "10.1.0.0/16"
  network       = google_compute_network.vpc.id
}
"""
WITHIN = AFTER.replace("network = google_compute_network.vpc.id", "subnetwork = google_compute_subnetwork.ml.id")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (WITHIN + SUBNET + vpc_rule(), State.YES),
        (WITHIN + SUBNET + vpc_rule().replace("google_compute_network.vpc.id", '"other"'), None),
        (WITHIN + SUBNET + policy(("allow", 1, EVERYWHERE)), State.YES),
        (WITHIN + policy(("allow", 1, EVERYWHERE)), State.UNKNOWN),  # whose subnet it is is not in the input
    ],
)
def test_a_subnet_is_of_a_network(text: str, state: State | None) -> None:
    assert reached(text).get(f"{VM}#port:8888") == state


def test_what_gcloud_lists() -> None:
    base = "https://www.googleapis.com/compute/v1/projects/acme"
    region = f"{base}/regions/europe-west4"
    files = {
        "rules.json": [
            {
                "kind": "compute#forwardingRule",
                "name": "llm",
                "loadBalancingScheme": "EXTERNAL_MANAGED",
                "IPProtocol": "TCP",
                "portRange": "443-443",
                "target": f"{base}/global/targetHttpsProxies/llm",
            }
        ],
        "proxies.json": [
            {"kind": "compute#targetHttpsProxy", "name": "llm", "urlMap": f"{base}/global/urlMaps/llm"},
        ],
        "maps.json": [
            {"kind": "compute#urlMap", "name": "llm", "defaultService": f"{base}/global/backendServices/llm"},
        ],
        "groups.json": [
            {
                "kind": "compute#networkEndpointGroup",
                "name": "llm",
                "selfLink": f"{region}/networkEndpointGroups/llm",
                "networkEndpointType": "SERVERLESS",
                "cloudRun": {"service": "llm"},
            }
        ],
    }

    def invoked(iap: bool) -> dict[str, State]:
        backend = {
            "kind": "compute#backendService",
            "name": "llm",
            "iap": {"enabled": iap},
            "backends": [{"group": f"{region}/networkEndpointGroups/llm"}],
        }
        texts = {name: json.dumps(value) for name, value in {**files, "services.json": [backend]}.items()}
        edges = assessed_files({"main.tf": service(), **texts}).graph.edges
        return {one.target: one.state for one in edges if (one.source, one.relation) == ("internet", "invokes")}

    assert invoked(iap=False) == {RUN: State.YES}
    assert invoked(iap=True) == {}
