from __future__ import annotations

import pickle
import struct

import pytest
from tests.support.judges import judge
from tests.support.views import CountingView, SparseView

from assaymark.core.view import BytesView
from assaymark.formats.pickle.literals import parse_integer
from assaymark.formats.pickle.names import loaded_name
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.trace import Trace
from assaymark.formats.pickle.values import SET, Blob, Unknown


def run(data: bytes) -> Trace:
    return run_pickle(BytesView(data), 0, judge())


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value", [None, True, False, 0, -1, 255, 65_536, -(2**31), 2**40, -(2**70), 1.5, "text", "ünï\n\\", "", (), (1,), (1, "a", None), ((1, 2), 3)]
)  # fmt: skip
def test_constants_of_every_protocol_are_read_as_python_reads_them(protocol: int, value: object) -> None:
    trace = run(pickle.dumps(value, protocol))
    assert trace.sound
    assert trace.result == value
    assert type(trace.result) is type(value)


@pytest.mark.parametrize("protocol", range(6))
def test_containers_and_raw_data(protocol: int) -> None:
    assert run(pickle.dumps({"a": 1}, protocol)).result.items == ["a", 1]
    assert run(pickle.dumps([1, 2, 3], protocol)).result == [1, 2, 3]
    if protocol >= 4:
        assert run(pickle.dumps({1}, protocol)).result is SET
    if protocol >= 3:
        blob = run(pickle.dumps(b"abc", protocol)).result
        assert isinstance(blob, Blob)
        assert (blob.kind, blob.length) == ("bytes", 3)


def test_a_reused_memo_and_a_recursive_list() -> None:
    loop: list[object] = []
    loop.append(loop)
    for protocol in range(6):
        assert run(pickle.dumps(loop, protocol)).sound
        assert run(pickle.dumps(["a" * 10] * 300, protocol)).sound


# How C reads them: strtol with base 0, then int(text, 0); checked against pickle.loads below.
INTEGERS = [
    b"010",
    b"0x1f",
    b" 7",
    b"-017",
    b"1_000",
    b"+5",
    b"0o17",
    b"0b11",
    b"00",
    b"01",
    b"08",
    b"abc",
    b"",
    b"1\x00x",
    b"12345678901234567890",
    b"0x",
    b"7 ",
]


@pytest.mark.parametrize("text", INTEGERS)
def test_integers_are_read_as_c_reads_them(text: bytes) -> None:
    stream = b"I" + text + b"\n."
    try:
        expected = pickle.loads(stream)
    except (ValueError, pickle.UnpicklingError):
        assert run(stream).breaks
        return
    trace = run(stream)
    assert not trace.breaks
    assert trace.result == expected


def test_a_number_of_too_many_digits_is_malformed() -> None:
    assert parse_integer(b"9" * 10_000) is None
    assert parse_integer(b"0" + b"7" * 10_000) is None


@pytest.mark.parametrize(
    "text", [rb"'a\x41\101\n\'\q\\'", b'"x"', b"'\\\n'", rb"'\x4'", rb"'\'", b"'a\"", b"''", b"'", b"'\\8'"]
)
def test_strings_are_unescaped_as_c_does(text: bytes) -> None:
    stream = b"S" + text.replace(b"\n", b"") + b"\n."
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = pickle.loads(stream, encoding="latin-1")
        except (ValueError, pickle.UnpicklingError):
            assert run(stream).breaks
            return
    assert run(stream).result == expected


def test_bytes_that_are_not_ascii_are_not_guessed() -> None:
    result = run(b"S'\\xff'\n.").result
    assert isinstance(result, Blob)


def test_long_values_are_known_by_length_only() -> None:
    assert isinstance(run(pickle.dumps("x" * 100_000, 4)).result, Blob)
    assert isinstance(run(pickle.dumps(1 << 100_000, 4)).result, Blob)
    assert isinstance(run(b"V" + b"x" * 100_000 + b"\n.").result, Blob)


def test_malformed_constants_leave_an_unknown() -> None:
    for stream in (b"Iabc\n.", b"Fabc\n.", b"Sabc\n.", b"V\\ud8\n.", b"X\1\0\0\0\xff."):
        trace = run(stream)
        assert trace.stopped
        assert isinstance(trace.result, Unknown)
        assert trace.breaks[0].offset == 0


def test_raw_data_is_not_read() -> None:
    size = 500 << 20
    head = b"\x80\x04\x8e" + struct.pack("<Q", size)
    view = SparseView(len(head) + size + 1, {0: head, len(head) + size: b"."})
    trace = run_pickle(view, 0, judge())
    assert trace.sound
    assert view.bytes_read < 8192


def test_a_small_pickle_is_read_once() -> None:
    view = CountingView(pickle.dumps(list(range(1000)), 4))
    assert run_pickle(view, 0, judge()).sound
    assert view.bytes_read == view.size
    assert view.reads <= 3


def test_the_trace_says_where_it_ended() -> None:
    trace = run_pickle(BytesView(b"xxN.yy"), 2, judge())
    assert (trace.start, trace.end, trace.opcodes, trace.stopped) == (2, 4, 2, True)
    trace = run(b"N\xff")
    assert (trace.stopped, trace.breaks[0].offset) == (False, 1)
    assert "0xff" in trace.breaks[0].why


def test_the_budget_ends_a_run() -> None:
    trace = run_pickle(BytesView(b"N" * 100), 0, judge(), budget=10)
    assert (trace.out_of_budget, trace.opcodes, trace.stopped) == (True, 10, False)


def test_the_end_of_a_long_line_is_found_however_far_it_is() -> None:
    end = 40 << 20
    trace = run_pickle(SparseView(end + 2, {0: b"V", end: b"\n."}), 0, judge())
    assert trace.sound
    assert trace.end == end + 2


def test_names_are_renamed_as_python_3_does() -> None:
    assert loaded_name("__builtin__", "eval", 2) == ("builtins", "eval")
    assert loaded_name("__builtin__", "xrange", 0) == ("builtins", "range")
    assert loaded_name("copy_reg", "_reconstructor", 1) == ("copyreg", "_reconstructor")
    assert loaded_name("__builtin__", "eval", 3) == ("__builtin__", "eval")
