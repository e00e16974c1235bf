"""Servers of clouds that ask nobody who calls: a path from the internet, and a finding."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files, lines_of

from assaymark.core.graph import State

START = "#!/bin/bash\\npip install mlflow\\nmlflow server --host 0.0.0.0 --port 5000"
IMAGE = "vllm/vllm-openai@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
INSTANCE = f"""
resource "google_compute_instance" "m" {{
  name = "tracker"
  project = "p1"
  zone = "europe-west1-b"
  metadata_startup_script = "{START}"
  network_interface {{
    network = "n"
    access_config {{}}
  }}
}}
resource "google_compute_firewall" "f" {{
  name = "f"
  project = "p1"
  network = "n"
  source_ranges = ["0.0.0.0/0"]
  allow {{
    protocol = "tcp"
    ports = ["5000"]
  }}
}}
"""
RUN = f"""
resource "google_cloud_run_v2_service" "r" {{
  name = "vllm"
  project = "p1"
  location = "europe-west1"
  template {{
    containers {{
      image = "{IMAGE}"
      args = ["--model", "m"]
    }}
  }}
}}
resource "google_cloud_run_v2_service_iam_member" "a" {{
  project = "p1"
  location = "europe-west1"
  name = google_cloud_run_v2_service.r.name
  role = "roles/run.invoker"
  member = "allUsers"
}}
"""
SITE = """
resource "azurerm_linux_web_app" "m" {
  name = "tracker"
  resource_group_name = "rg"
  site_config {
    app_command_line = "pip install mlflow && mlflow server --host 0.0.0.0 --port 8000"
  }
}
"""
GROUP = f"""
resource "azurerm_container_group" "g" {{
  name = "answers"
  resource_group_name = "rg"
  ip_address_type = "Public"
  container {{
    name = "c"
    image = "{IMAGE}"
    commands = ["vllm", "serve", "m"]
    ports {{
      port = 8000
    }}
  }}
}}
"""
RAY = RUN.replace(IMAGE, "rayproject/ray:2").replace('["--model", "m"]', '["ray", "start", "--head"]')


@pytest.mark.parametrize(
    ("text", "fixed", "lines"),
    [
        (INSTANCE, ("0.0.0.0/0", "203.0.113.7/32"), [1, 11]),
        (INSTANCE, ("--host 0.0.0.0", "--host 127.0.0.1"), [1, 11]),
        (RUN, ("allUsers", "user:a@example.com"), [1, 12]),
        (RUN, ('"--model"', '"--api-key", "k", "--model"'), [1, 12]),
        (RAY, ("allUsers", "user:a@example.com"), [1, 12]),
        (SITE, ("mlflow server", "mlflow server --app-name basic-auth"), [1]),
        (GROUP, ("Public", "Private"), [1]),
    ],
)
def test_a_server_that_the_internet_reaches(text: str, fixed: tuple[str, str], lines: list[int]) -> None:
    assert fixed[0] in text
    found = assessed_files({"main.tf": text})
    assert [line for _, line in lines_of(found, "build-server-open")] == lines
    assert not lines_of(assessed_files({"main.tf": text.replace(*fixed)}), "build-server-open")


def test_what_a_service_that_is_called_runs_is_called_with_it() -> None:
    graph = assessed_files({"main.tf": RUN}).graph
    service = next(name for name in graph.nodes if name.endswith("services/vllm"))
    found = [(one.relation, one.state) for one in graph.edges if one.target == f"{service}#vLLM"]
    assert found == [("passes-calls", State.YES)]
