"""What of Google Cloud the internet reaches."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

VM = "//compute.googleapis.com/projects/acme/zones/europe-west1-b/instances/gpu"
MACHINE = """
resource "google_compute_instance" "gpu" {
  project      = "acme"
  name         = "gpu"
  zone         = "europe-west1-b"
  machine_type = "n1-standard-4"
  tags         = ["jupyter"]
  network_interface {
    network = "default"
    ADDRESS
  }
  metadata_startup_script = "sudo jupyter lab --ip=0.0.0.0 --NotebookApp.token=''"
}
"""


def firewall(name: str, inner: str, more: str = "") -> str:
    return f"""
resource "google_compute_firewall" "{name}" {{
  project = "acme"
  name    = "{name}"
  network = "default"
  {inner}
  {more}
}}
"""


def ports(*listed: str, kind: str = "allow") -> str:
    names = ", ".join(f'"{one}"' for one in listed)
    return f'{kind} {{\n protocol = "tcp"\n ports = [{names}]\n }}'


OPEN = 'source_ranges = ["0.0.0.0/0"]'
PUBLIC = "access_config {}"


@pytest.mark.parametrize(
    ("address", "rules", "found"),
    [
        (PUBLIC, firewall("a", ports("8888"), OPEN), {f"{VM}#port:8888"}),
        (PUBLIC, firewall("a", ports("8888")), {f"{VM}#port:8888"}),
        (PUBLIC, firewall("a", ports("8000-9000"), OPEN), {f"{VM}#port:8888"}),
        (PUBLIC, firewall("a", 'allow {\n protocol = "all"\n }', OPEN), {f"{VM}#port"}),
        (PUBLIC, firewall("a", ports("8888"), OPEN + '\ntarget_tags = ["jupyter"]'), {f"{VM}#port:8888"}),
        ("", firewall("a", ports("8888"), OPEN), set()),
        (PUBLIC, firewall("a", ports("8888"), OPEN + '\ntarget_tags = ["web"]'), set()),
        (PUBLIC, firewall("a", ports("8888"), 'source_ranges = ["10.0.0.0/8"]'), set()),
        (PUBLIC, firewall("a", ports("8888"), 'source_tags = ["web"]'), set()),
        (PUBLIC, firewall("a", ports("8888"), OPEN + '\ndirection = "EGRESS"'), set()),
        (PUBLIC, firewall("a", ports("8888"), OPEN + "\ndisabled = true"), set()),
        (
            PUBLIC,
            firewall("a", ports("8888"), OPEN) + firewall("b", ports("8888", kind="deny"), OPEN + "\npriority = 10"),
            set(),
        ),
        (PUBLIC, firewall("a", ports("8888"), OPEN).replace('"default"', '"other"'), set()),
    ],
)
def test_a_machine_by_its_networks_rules(address: str, rules: str, found: set[str]) -> None:
    edges = assessed_files({"main.tf": MACHINE.replace("ADDRESS", address) + rules}).graph.edges
    assert {one.target for one in edges if one.source == "internet"} == found
    assert all(one.state is State.YES for one in edges if one.source == "internet")
    opened = {one.source for one in edges if one.relation == "open-service"}
    assert (f"{VM}#port:8888" in opened) is (f"{VM}#port:8888" in found)


RUN = """
resource "google_cloud_run_v2_service" "api" {
  project  = "acme"
  name     = "api"
  location = "europe-west1"
  template {
    containers {
      image = "acme/api"
    }
  }
}
resource "google_cloud_run_v2_service_iam_member" "all" {
  project  = "acme"
  location = "europe-west1"
  name     = google_cloud_run_v2_service.api.name
  role     = "roles/run.invoker"
  member   = "allUsers"
}
"""
CODE = "from flask import Flask, request\nimport pickle\napp = Flask(__name__)\n\n@app.post('/x')\ndef x():\n    return pickle.loads(request.data)\n"


def test_a_service_of_cloud_run_passes_calls_to_its_application() -> None:
    files = {"main.tf": RUN, "api/Dockerfile": 'FROM a\nCMD ["gunicorn", "app:app"]\n', "api/app.py": CODE}
    edges = {(one.source, one.target): one.relation for one in assessed_files(files).graph.edges}
    service = "//run.googleapis.com/projects/acme/locations/europe-west1/services/api"
    assert edges["internet", service] == "invokes"
    assert edges[service, f"app:api/app.py@{service}"] == "passes-calls"
    assert edges[f"app:api/app.py@{service}", service] == "runs-input"


TWO_PROJECTS = """
resource "google_compute_instance" "m" {
  name         = "m"
  project      = "acme-one"
  zone         = "europe-west4-a"
  machine_type = "e2-small"
  boot_disk {}
  network_interface {
    network = "NETWORK"
    access_config {}
  }
}
resource "google_compute_firewall" "open" {
  name          = "open"
  project       = "acme-two"
  network       = "RULED"
  source_ranges = ["0.0.0.0/0"]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}
"""


@pytest.mark.parametrize(
    ("network", "ruled", "opened"),
    [
        ("default", "default", False),
        ("projects/acme-two/global/networks/shared", "shared", True),
        ("shared", "projects/acme-one/global/networks/shared", True),
        ("shared", "projects/123456789012/global/networks/shared", True),  # a number may be that of the project
        ("one", "two", False),
    ],
)
def test_a_rule_of_a_network_of_another_project_is_about_that_one(network: str, ruled: str, opened: bool) -> None:
    found = assessed_files({"main.tf": TWO_PROJECTS.replace("NETWORK", network).replace("RULED", ruled)})
    assert any(edge.source == "internet" for edge in found.graph.edges) is opened
