"""A scan reads what it needs and no more: the design's figures, counted."""

from __future__ import annotations

from bench.large_models import large_safetensors, large_torch_zip
from tests.support.views import SparseView

from assaymark.core.report import ScanOutcome
from assaymark.scanning.examine import examine

TENSORS = 300
SIZE = 2 << 30


def test_a_large_torch_zip_costs_headers_directory_and_4_kib_an_entry() -> None:
    size, pieces = large_torch_zip(SIZE, TENSORS)
    view = SparseView(size, pieces)
    assert examine(view, "large.pt").outcome() is ScanOutcome.PASS
    assert view.bytes_read <= sum(map(len, pieces.values())) + 4096 * TENSORS


def test_a_large_safetensors_costs_its_header() -> None:
    size, pieces = large_safetensors(SIZE, TENSORS)
    view = SparseView(size, pieces)
    assert examine(view, "large.safetensors").outcome() is ScanOutcome.PASS
    assert view.bytes_read <= 2 * len(pieces[0]) + (80 << 10)
