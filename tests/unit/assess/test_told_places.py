"""Addresses of stores that workloads are told: what is loaded from there, what is written there, and what is open."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.told_places import told_places
from assaymark.core.graph import Because, State

HERE = Because("a.yaml", 1, "0" * 64)
BUCKETS = """
resource "aws_s3_bucket" "b" { bucket = "b" }
resource "google_storage_bucket" "g" {
  name     = "g"
  location = "EU"
}
"""
POD = """
    apiVersion: v1
    kind: Pod
    metadata: {name: p, namespace: ml}
    spec:
      containers:
      - name: c
        image: registry.example.org/x:1
        SAID
    """


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"storageUri": "s3://b/m"}, [("s3://b/m", State.YES)]),
        ({"env": [{"name": "MODEL_PATH", "value": "gs://g/m"}]}, [("gs://g/m", State.YES)]),
        ({"env": [{"name": "TRAIN_DATA", "value": "s3://b/d.csv"}]}, [("s3://b/d.csv", State.UNKNOWN)]),
        ({"env": [{"name": "OUTPUT_DIR", "value": "s3://b/o"}]}, [("s3://b/o", State.NO)]),
        ({"env": [{"name": "MODEL_OUTPUT_PATH", "value": "s3://b/o"}]}, [("s3://b/o", State.NO)]),
        ({"args": ["--model", "s3://b/m", "--data=s3://b/d"]}, [("s3://b/m", State.YES), ("s3://b/d", State.UNKNOWN)]),
        ({"args": ["serve", "--log-dir", "s3://b/l"]}, [("s3://b/l", State.NO)]),
        ({"args": ["vllm serve s3://b/m --port 80"]}, [("s3://b/m", State.YES)]),
        ({"args": ["aws s3 cp s3://b/in /x && aws s3 cp /y s3://b/out"]}, [("s3://b/in", State.UNKNOWN), ("s3://b/out", State.NO)]),
        ({"runtime_env": {"working_dir": "s3://b/code.zip"}}, [("s3://b/code.zip", State.YES)]),
        ({"modelUri": "https://acme.blob.core.windows.net/m/x"}, [("https://acme.blob.core.windows.net/m/x", State.YES)]),
        ({"a": "https://example.org/x", "b": 1, "c": None}, []),
    ],
)  # fmt: skip
def test_what_an_address_is_called_tells(value: dict[str, object], found: list[tuple[str, State]]) -> None:
    assert [(one.address, one.state) for one in told_places(value, HERE)] == found


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("env: [{name: MODEL_URI, value: 's3://b/m'}]", State.YES),
        ("env: [{name: DATASET, value: 's3://b/d'}]", State.UNKNOWN),
        ("env: [{name: RESULTS, value: 's3://b/r'}]", None),
        ("args: ['--weights=gs://g/w']", State.YES),
    ],
)
def test_who_writes_a_store_runs_in_what_loads_from_it(said: str, state: State | None) -> None:
    found = assessed_files({"main.tf": BUCKETS, "pod.yaml": POD.replace("SAID", said)})
    edges = [edge for edge in found.graph.edges if edge.relation == "loaded-by" and edge.target == "k8s:ml/pod/p"]
    assert [edge.state for edge in edges] == ([state] if state else [])
    assert all(edge.because[0].path == "pod.yaml" and edge.because[0].line == 8 for edge in edges)


def test_what_cloud_run_is_told_to_write_is_not_what_it_runs() -> None:
    service = """
    resource "google_cloud_run_v2_service" "s" {
      name     = "s"
      location = "europe-west4"
      template {
        containers {
          image = "europe-west4-docker.pkg.dev/p/r/i:1"
          env {
            name  = "NAME"
            value = "gs://g/x"
          }
        }
      }
    }
    """
    states = {}
    for name in ("MODEL_URI", "EXPORTS", "INPUT"):
        found = assessed_files({"main.tf": BUCKETS + service.replace("NAME", name)})
        edges = [edge for edge in found.graph.edges if edge.relation == "loaded-by" and "storage" in edge.source]
        states[name] = [edge.state for edge in edges]
    assert states == {"MODEL_URI": [State.YES], "EXPORTS": [], "INPUT": [State.UNKNOWN]}
