"""Sparse tensors: their indices are read, and must lie within the tensor."""

from __future__ import annotations

import struct

import pytest
from tests.support.asm import EMPTY_TUPLE, MARK, STOP, TUPLE, call, number, proto, tensor, text, torch_zip

from assaymark.core.report import Report, ScanOutcome
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

PASS, FAIL, INCOMPLETE = ScanOutcome.PASS, ScanOutcome.FAIL, ScanOutcome.INCOMPLETE


def longs(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def indices(key: str, count: int, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    return tensor(key, count, size=size, stride=stride, offset=offset, storage="LongStorage")


def values(count: int) -> bytes:
    return tensor("v", count, size=(count,), stride=(1,))


def shape(*sizes: int) -> bytes:
    return MARK + b"".join(map(number, sizes)) + TUPLE


def scan(
    layout: str, parts: list[bytes], storages: dict[str, bytes], extra: dict[str, bytes] | None = None
) -> Report:
    made = call(
        "torch._utils",
        "_rebuild_sparse_tensor",
        call("torch.serialization", "_get_layout", text(layout)),
        MARK + b"".join(parts) + TUPLE,
    )
    return examine(BytesView(torch_zip(proto(2) + made + STOP, storages, extra)), "m.pt")


def coo(*numbers: int, stride: tuple[int, int] = (2, 1), size: tuple[int, int] = (4, 4)) -> Report:
    parts = [indices("i", 4, (2, 2), stride), values(2), shape(*size)]
    return scan("torch.sparse_coo", parts, {"i": longs(*numbers), "v": bytes(8)})


def csr(starts: tuple[int, ...], columns: tuple[int, ...], rows: int = 2, width: int = 3) -> Report:
    count = len(columns)
    parts = [
        indices("s", len(starts), (len(starts),), (1,)),
        indices("c", count, (count,), (1,)),
        values(count),
        shape(rows, width),
    ]
    return scan("torch.sparse_csr", parts, {"s": longs(*starts), "c": longs(*columns), "v": bytes(4 * count)})


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        (coo(0, 3, 3, 0), PASS),
        (coo(0, 4, 3, 0), FAIL),
        (coo(0, -1, 3, 0), FAIL),
        (coo(0, 3, 3, 9), FAIL),
        (coo(0, 1, 2, 3, stride=(1, 2), size=(3, 4)), PASS),
        (coo(0, 1, 2, 3, stride=(1, 2), size=(3, 3)), FAIL),
        (coo(0, 1, 2, 3, stride=(0, 1), size=(2, 2)), PASS),
        (csr((0, 1, 2), (0, 2)), PASS),
        (csr((0, 1, 2), (0, 3)), FAIL),
        (csr((0, 2, 1), (0, 2)), FAIL),
        (csr((0, 1, 9), (0, 2)), FAIL),
        (csr((1, 1, 2), (0, 2)), FAIL),
        (csr((0, 1), (0,)), FAIL),
        (csr((0, 0, 0), ()), PASS),
    ],
)
def test_indices_lie_within_the_tensor(report: Report, outcome: ScanOutcome) -> None:
    assert report.outcome() is outcome, report


def test_what_is_not_looked_at_is_no_answer() -> None:
    parts = [indices("i", 4, (2, 2), (2, 1)), values(2), shape(4, 4)]
    storages = {"i": longs(0, 1, 2, 3), "v": bytes(8)}
    assert scan("torch.sparse_bsr", parts, storages).outcome() is INCOMPLETE
    big = scan("torch.sparse_coo", parts, storages, {"archive/byteorder": b"big"})
    assert big.outcome() is INCOMPLETE
    batch = [indices("i", 4, (2, 2), (2, 1)), indices("i", 4, (2, 2), (2, 1)), values(2), shape(4, 4)]
    assert scan("torch.sparse_csr", batch, storages).outcome() is INCOMPLETE


@pytest.mark.parametrize(
    "parts",
    [
        [values(2), values(2), shape(4, 4)],
        [indices("i", 4, (2, 2), (2, 1)), values(1), shape(4, 4)],
        [indices("i", 4, (2, 2), (2, 1)), values(2), text("x")],
        [indices("i", 4, (2, 2), (2, 1)), values(2)],
        [indices("i", 4, (2, 2), (2, 1)), EMPTY_TUPLE, shape(4, 4)],
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(parts: list[bytes]) -> None:
    assert scan("torch.sparse_coo", parts, {"i": longs(0, 1, 2, 3), "v": bytes(8)}).outcome() is FAIL
