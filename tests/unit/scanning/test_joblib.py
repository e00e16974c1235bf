"""Files of joblib: arrays lie between the opcodes, and two readers must not see two files."""

from __future__ import annotations

import io
import pickle

import joblib
import numpy as np
import pytest
from tests.support.asm import STOP, call, glob, proto, text

from assaymark.core.report import Report, ScanOutcome
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

EXEC = proto(2) + call("builtins", "exec", text("print()")) + STOP


def dumped(value: object, protocol: int | None = None) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, protocol=protocol)
    return buffer.getvalue()


def scan(data: bytes) -> Report:
    return examine(BytesView(data), "model.joblib")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "value",
    [
        np.arange(1000.0).reshape(10, 100),
        {"a": np.arange(5, dtype="u1"), "b": [np.zeros((3, 4), order="F"), np.array(["a", "b"])], "c": 1.5},
        [np.array([{"a": 1}, None, [1]], dtype=object), np.arange(7)],
        np.zeros((0, 3)),
        np.array(3.0),
    ],
    ids=["matrix", "several", "objects", "empty", "no dimension"],
)
def test_arrays_are_passed_over(value: object, protocol: int) -> None:
    data = dumped(value, protocol)
    report = scan(data)
    assert report.outcome() is ScanOutcome.PASS, report
    assert not report.skipped


def test_raw_data_is_not_read() -> None:
    class Counting(BytesView):
        read_bytes = 0

        def read(self, offset: int, length: int) -> bytes:
            data = super().read(offset, length)
            Counting.read_bytes += len(data)
            return data

    assert examine(Counting(dumped(np.zeros(10_000_000))), "m.joblib").outcome() is ScanOutcome.PASS
    assert Counting.read_bytes < 200_000


def test_a_pickle_within_an_array_of_objects_is_judged() -> None:
    data = dumped(np.array([1, "two"], dtype=object))
    inner = data.index(b"\x80", 2)
    assert pickle.loads(data[inner:-1])[1] == "two"
    report = scan(data[:inner] + EXEC + data[-1:])
    assert report.outcome() is ScanOutcome.FAIL
    assert report.findings[0].rule == "pickle-dangerous-global"


def test_data_that_pickle_load_would_run_is_two_formats_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    payload = call("builtins", "print", text("this ran")) + STOP
    data = dumped(np.arange(4.0), 4)
    start = data.index(b"ub\x03\xff\xff\xff") + 2
    # The first byte says how much padding follows; pickle.load takes it for the opcode NONE.
    hybrid = data[:start] + b"N" + payload.ljust(ord("N"), b"\xff") + data[start + 4 :]
    assert joblib.load(io.BytesIO(hybrid)).tolist() == [0, 1, 2, 3]
    assert capfd.readouterr().out == ""
    pickle.loads(hybrid)
    assert capfd.readouterr().out == "this ran\n"
    report = scan(hybrid)
    assert report.outcome() is ScanOutcome.FAIL
    assert report.findings[0].rule == "file-polyglot"


def test_missing_data_is_a_finding() -> None:
    data = dumped(np.arange(100.0))
    report = scan(data[:-50])
    assert report.outcome() is ScanOutcome.FAIL


def test_a_frame_that_goes_on_behind_the_array_is_refused() -> None:
    data = bytearray(dumped(np.arange(4.0), 4))
    frame = data.index(b"\x95")
    length = int.from_bytes(data[frame + 1 : frame + 9], "little")
    data[frame + 1 : frame + 9] = (length + 4).to_bytes(8, "little")
    assert scan(bytes(data)).outcome() is ScanOutcome.FAIL


def test_only_joblibs_own_attributes_are_taken() -> None:
    data = dumped(np.arange(4.0), 4).replace(b"allow_mmap", b"allow_nmap")
    assert scan(data).outcome() is ScanOutcome.FAIL


def test_the_wrapper_needs_a_class_of_arrays() -> None:
    data = proto(2) + glob("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}" + text("subclass")
    assert scan(data + glob("builtins", "eval") + b"sb" + STOP).outcome() is ScanOutcome.FAIL
