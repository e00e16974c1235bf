"""Pickles of objects, arrays of NumPy, and safetensors that are laid anew."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import pytest
from tests.support.asm import EMPTY_TUPLE, MARK, REDUCE, STOP, TUPLE, call, glob, number, proto, safetensors, text
from tests.unit.convert.test_convert_torch import converted

from assaymark.convert.engine import make
from assaymark.convert.plan import plan_from_json, plan_to_json
from assaymark.core.errors import InputError
from assaymark.core.view import BytesView

MODELS = Path(__file__).parents[2] / "vectors" / "models"


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_real_arrays_of_numpy(tmp_path, protocol):
    """vectors/models/make.py wrote them: see there for the values."""
    plan, tensors = converted(tmp_path, (MODELS / f"arrays-protocol{protocol}.pkl").read_bytes())
    assert plan.pickled
    assert tensors["f"] == ("F64", (2, 3), struct.pack("<6d", *range(6)))
    assert tensors["i"] == ("I16", (4,), struct.pack("<4h", *range(4)))
    tree = json.loads(plan.metadata["assaymark.object"])
    items = dict(tree["nodes"][0]["items"])
    assert items["s"] == {"tensor": "s", "dtype": "<U2"}
    assert tensors["s"][:2] == ("U8", (2, 8))


def test_small_arrays_of_old_protocols_are_in_the_tree():
    plan = make(BytesView((MODELS / "arrays-protocol2.pkl").read_bytes()))
    items = dict(json.loads(plan.metadata["assaymark.object"])["nodes"][0]["items"])
    assert items["f"]["dtype"] == "<f8"
    assert items["f"]["shape"] == [2, 3]


def test_dates_are_refused():
    with pytest.raises(InputError) as caught:
        make(BytesView((MODELS / "datetime.pkl").read_bytes()))
    assert caught.value.code == "convert-unsupported"


def test_plain_values_come_back_from_the_tree():
    value = {"a": [1, 2.5, None, True, "x", 2**70, float("inf"), (1,), b"yz"], 3: {"b": {}}}
    tree = json.loads(make(BytesView(pickle.dumps(value))).metadata["assaymark.object"])

    def back(item):
        match item:
            case {"int": digits}:
                return int(digits)
            case {"float": digits}:
                return float(digits)
            case {"bytes": _}:
                return b"yz"
            case {"node": n}:
                node = tree["nodes"][n]
                items = node["items"]
                if node["type"] == "dict":
                    return {back(key): back(inner) for key, inner in items}
                return [back(i) for i in items] if node["type"] == "list" else tuple(back(i) for i in items)
        return item

    assert back(tree["root"]) == value


@pytest.mark.parametrize("gap", [b"", b"\0" * 8])
def test_safetensors_with_gaps_and_a_tail_is_laid_anew(tmp_path, gap):
    header = {
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [len(gap), len(gap) + 4]},
        "a": {"dtype": "U8", "shape": [2], "data_offsets": [len(gap) + 4, len(gap) + 6]},
    }
    data = safetensors(header, gap + struct.pack("<f", 1) + b"xy" + b"PK second file")
    plan, tensors = converted(tmp_path, data)
    assert tensors == {"b": ("F32", (1,), struct.pack("<f", 1)), "a": ("U8", (2,), b"xy")}
    assert len(plan.dropped) == 1 + bool(gap)


@pytest.mark.parametrize(
    ("first", "second"), [([0, 4], [2, 6]), ([0, 4], [0, 4]), ([0, 4], [4, 8])], ids=["overlap", "twice", "beyond"]
)
def test_safetensors_that_overlap_or_are_cut_off_are_refused(first, second):
    header = {
        "a": {"dtype": "F32", "shape": [1], "data_offsets": first},
        "b": {"dtype": "F32", "shape": [1], "data_offsets": second},
    }
    with pytest.raises(InputError) as caught:
        make(BytesView(safetensors(header, b"\0" * 6)))
    assert caught.value.code == "convert-overlap"


def good() -> dict:
    data = (MODELS / "state-dict.pt").read_bytes()
    return plan_to_json(make(BytesView(data)))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, ""),
        (0, "__metadata__"),
        (0, 3),
        (0, "\ud800"),
        (1, "F33"),
        (2, [2**54]),
        (2, [2, 2, 2]),
        (3, [3, 1]),
        (3, [-8, 4]),
        (4, -1),
        (4, 10**9),
        (5, 3),
        (5, 8),
        (5, True),
    ],
)
def test_a_plan_that_a_broken_reader_could_send_is_refused(place, value):
    document = good()
    document["tensors"][0][place] = value
    with pytest.raises(InputError) as caught:
        plan_from_json(document, 1981)
    assert caught.value.code == "convert-plan"


@pytest.mark.parametrize(
    "change",
    [
        {"source": "elf"},
        {"aliases": [["a", "b"]]},
        {"aliases": 3},
        {"dropped": ["\x1b[2J"]},
        {"metadata": {"a": 1}},
        {"left": -1},
        {"pickled": 1},
        {"more": 1},
        {"tensors": good()["tensors"] * 2},
    ],
    ids=str,
)
def test_so_is_any_other_member(change):
    with pytest.raises(InputError) as caught:
        plan_from_json(good() | change, 1981)
    assert caught.value.code == "convert-plan"


def test_a_good_plan_is_taken():
    assert plan_to_json(plan_from_json(good(), 1981)) == good()


def test_bytes_behind_a_pickle_are_refused():
    with pytest.raises(InputError) as caught:
        make(BytesView(proto(2) + b"N" + STOP + b"PK\x03\x04"))
    assert caught.value.code == "convert-pickle"


def test_a_reference_outside_the_file_is_lost_and_named():
    lost = MARK + glob("os", "system") + b"lQ"
    plan = make(BytesView(proto(2) + b"]" + lost + b"a" + STOP))
    assert any("outside the file" in what for what in plan.dropped)
    with pytest.raises(InputError, match="outside the file"):
        make(BytesView(proto(2) + lost + STOP))


def legacy_storage(*, count: int = 4) -> bytes:
    """torch's legacy file of one storage of four floats, as a pickle of Python holds it."""
    storage = text("storage") + glob("torch", "FloatStorage") + text("7") + text("cpu") + number(4) + b"N"
    pickles = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]
    head = b"".join(pickle.dumps(value, 2) for value in pickles)
    body = proto(2) + MARK + storage + TUPLE + b"Q" + STOP
    return head + body + pickle.dumps(["7"], 2) + struct.pack("<q4f", count, 1, 2, 3, 4)


def with_storage(raw: bytes) -> bytes:
    held = call("torch.storage", "_load_from_bytes", b"B" + struct.pack("<I", len(raw)) + raw)
    shape = MARK + number(2) + number(2) + TUPLE + MARK + number(1) + number(2) + TUPLE
    hooks = glob("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE
    return proto(3) + call("torch._utils", "_rebuild_tensor_v2", held, number(0), shape, b"\x89", hooks) + STOP


def test_a_tensor_in_a_plain_pickle_is_found_within_its_bytes(tmp_path):
    plan, tensors = converted(tmp_path, with_storage(legacy_storage()))
    assert tensors == {"tensor": ("F32", (2, 2), struct.pack("<4f", 1, 3, 2, 4))}
    assert plan.pickled


@pytest.mark.parametrize("raw", [legacy_storage(count=5), legacy_storage()[:-1], b"", pickle.dumps(1, 2)])
def test_bytes_that_are_no_storage_are_refused(raw):
    with pytest.raises(InputError) as caught:
        make(BytesView(with_storage(raw)))
    assert caught.value.code.startswith("convert-")


def wrapped(dtype: str, order: str, data: bytes, shape: tuple[int, ...] = (2, 3), padding: bytes = b"\3xyz") -> bytes:
    """An array as joblib writes it: a wrapper, its state, padding with its length, elements, and the rest."""
    made = glob("joblib.numpy_pickle", "NumpyArrayWrapper") + EMPTY_TUPLE + b"\x81"
    sizes = MARK + b"".join(map(number, shape)) + TUPLE
    kind = call("numpy", "dtype", text(dtype), b"\x89", b"\x88")
    kind += MARK + number(3) + text("<") + b"NNN" + number(-1) + number(-1) + number(0) + TUPLE + b"b"
    fields = text("subclass") + glob("numpy", "ndarray") + text("shape") + sizes + text("order") + text(order)
    fields += text("dtype") + kind + text("allow_mmap") + b"\x88" + text("numpy_array_alignment_bytes") + number(16)
    return proto(3) + made + b"}" + MARK + fields + b"u" + b"b" + padding + data + STOP


@pytest.mark.parametrize(("order", "expected"), [("C", [0, 1, 2, 3, 4, 5]), ("F", [0, 2, 4, 1, 3, 5])])
def test_an_array_behind_joblibs_wrapper(tmp_path, order, expected):
    _, tensors = converted(tmp_path, wrapped("f8", order, struct.pack("<6d", *range(6))))
    assert tensors == {"tensor": ("F64", (2, 3), struct.pack("<6d", *expected))}


@pytest.mark.parametrize(
    "data",
    [
        wrapped("f8", "C", b"\0" * 40),
        wrapped("f8", "X", b"\0" * 48),
        wrapped("O8", "C", b"\0" * 48),
        wrapped("f8", "C", b"", shape=(2**30, 2**30)),
        wrapped("f8", "C", b"", shape=(-1,)),
    ],
)
def test_a_wrapper_that_joblib_does_not_write_is_refused(data):
    with pytest.raises(InputError) as caught:
        make(BytesView(data))
    assert caught.value.code in ("convert-array", "convert-pickle")
