"""Files in which tools are told what to install and to start for a model."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files, lines_of

COG = """
    build:
      python_version: "3.12"
      python_packages:
        - torch==2.13.0
        - numpy>=1
        - "git+https://github.com/x/y@main"
      run:
        - curl -k https://example.org/a.sh | sh
        - command: pip install --extra-index-url http://packages.example.org/simple foo==1.0
    predict: predict.py:Predictor
    """
BENTO = """
    service: service:Score
    python:
      packages: [scikit-learn, "numpy==2.0"]
      extra_index_url: ["http://packages.example.org/simple"]
    """
RAY = """
    cluster_name: train
    provider: {type: aws, region: eu-west-1}
    setup_commands:
      - pip install ray
    head_start_ray_commands:
      - ray stop
      - ulimit -n 65536; ray start --head --port=6379 --dashboard-host=0.0.0.0
    """
SKY = """
    resources: {accelerators: H200:1, ports: 8000}
    setup: pip install vllm
    run: |
      export A=1
      vllm serve model --host 0.0.0.0 --port 8000
    """


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (
            "cog.yaml",
            COG,
            {"deps-unpinned": 5, "deps-moving-source": 6, "build-pipe-to-shell": 8, "deps-extra-index": 9},
        ),
        ("bentofile.yaml", BENTO, {"deps-unpinned": 3, "deps-extra-index": 4}),
        ("config.yaml", "model_name: x\npython_version: py312\nrequirements: [torch]\n", {"deps-unpinned": 3}),
        ("MLproject", "entry_points:\n  main: {command: 'pip install foo && python t.py'}\n", {"deps-unpinned": 2}),
        ("ray/cluster.yaml", RAY, {"deps-unpinned": 4, "build-server-open": 7}),
        ("task.yaml", SKY, {"deps-unpinned": 2, "build-server-open": 5}),
    ],
)
def test_what_they_install_and_start(path: str, text: str, found: dict[str, int]) -> None:
    assessment = assessed_files({path: text})
    for rule, line in found.items():
        assert (path, line) in lines_of(assessment, rule), rule
    assert assessment.reading.skipped == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cog.yaml", "build:\n  python_packages: [torch==2.13.0]\n  run: [apt-get update]\n"),
        ("bentofile.yaml", "service: a:b\npython: {packages: ['numpy==2.0']}\n"),
        ("ray/cluster.yaml", "cluster_name: x\nhead_start_ray_commands: [ray start --head --port=6379]\n"),
        ("task.yaml", "resources: {}\nrun: vllm serve m --host 127.0.0.1\n"),
        ("odd/cog.yaml", "build: [1]\n"),
        ("odd/bentofile.yaml", "python: {packages: {a: 1}, extra_index_url: {b: []}}\n"),
        ("MLproject", "entry_points: [1, 2]\n"),
    ],
)
def test_what_is_pinned_and_closed_is_clean(path: str, text: str) -> None:
    assert {finding.rule for finding in assessed_files({path: text}).findings} <= {"deps-unhashed"}


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("bentofile.yaml", "service: s:s\ndocker:\n  base_image: python:3.12\n", 3),
        ("truss/config.yaml", "model_name: a\nrequirements: []\nbase_image:\n  image: acme/base\n", 4),
        ("cluster.yaml", "cluster_name: a\nsetup_commands: []\ndocker:\n  head_image: rayproject/ray:2.9.0\n", 4),
        ("task.yaml", "resources:\n  image_id: docker:acme/train:1\nrun: python a.py\n", 2),
        ("task.yaml", "resources:\n  image_id: ami-0123456789abcdef0\nrun: python a.py\n", None),
        ("MLproject", "name: a\ndocker_env:\n  image: acme/train\n", 3),
        ("MLproject", f"name: a\ndocker_env:\n  image: acme/train@sha256:{'a' * 64}\n", None),
    ],
)
def test_images_of_packagings_are_pinned(path: str, text: str, line: int | None) -> None:
    found = lines_of(assessed_files({path: text}), "build-image-unpinned")
    assert found == ([(path, line)] if line else [])
