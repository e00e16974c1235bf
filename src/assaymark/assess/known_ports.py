"""``met``: which ports that a network lets the internet reach are those of administration or of model servers.

Source: default ports by the documentation of each server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ADMINISTRATION: Final = {
    22: "SSH",
    2375: "Docker",
    2376: "Docker",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    6379: "Redis",
    6443: "Kubernetes",
    8265: "Ray",
    8786: "Dask",
    8787: "Dask",
    8888: "Jupyter",
    9200: "OpenSearch",
    10001: "Ray",
    10250: "kubelet",
    27017: "MongoDB",
}
SERVERS: Final = {
    5000: "MLflow",
    6006: "TensorBoard",
    7860: "Gradio",
    8000: "a model server",
    8001: "a model server",
    8080: "a model server",
    8081: "TorchServe's management",
    8500: "TensorFlow Serving",
    8501: "TensorFlow Serving",
    9000: "MinIO",
    11434: "Ollama",
    19530: "Milvus",
}


class Met(NamedTuple):
    """What a rule of a network opens. ``strong``: ports of administration, and not of model servers alone."""

    shown: str
    strong: bool


def met(ranges: Iterable[tuple[int, int]]) -> Met | None:
    """The first known port in ranges, those of administration before others; None for none."""
    parts = list(ranges)
    strong = [port for port in ADMINISTRATION if any(start <= port <= end for start, end in parts)]
    weak = [port for port in SERVERS if any(start <= port <= end for start, end in parts)]
    hit = strong or weak
    if not hit:
        return None
    every = len(strong) == len(ADMINISTRATION)
    named = {**SERVERS, **ADMINISTRATION}[hit[0]]
    return Met("every port" if every else f"port {hit[0]} ({named})", bool(strong))
