"""Plans of torch's files: real ones, strided ones, hostile ones. Expected bytes are laid out by hand."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest
from tests.support.asm import (
    BUILD,
    EMPTY_DICT,
    EMPTY_TUPLE,
    MARK,
    NONE,
    POP,
    REDUCE,
    STOP,
    TUPLE,
    call,
    frame,
    get,
    glob,
    number,
    proto,
    put,
    tensor,
    text,
    torch_zip,
)

from assaymark.convert.engine import make
from assaymark.convert.plan import Plan
from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.safetensors import read_safetensors
from assaymark.store.converted import write_converted

MODELS = Path(__file__).parents[2] / "vectors" / "models"
FLOATS = struct.pack("<12f", *range(12))


def state(*items: tuple[str, bytes]) -> bytes:
    """The pickle of a dict."""
    body = b"".join(text(key) + value for key, value in items)
    return proto(2) + EMPTY_DICT + MARK + body + b"u" + STOP


def converted(tmp_path: Path, data: bytes) -> tuple[Plan, dict[str, tuple[str, tuple[int, ...], bytes]]]:
    """The plan, and what the written file holds."""
    plan = make(BytesView(data))
    source, target = tmp_path / "source", tmp_path / "target.safetensors"
    source.write_bytes(data)
    descriptor = os.open(source, os.O_RDONLY)
    try:
        compared = write_converted(descriptor, plan, target)
    finally:
        os.close(descriptor)
    written = target.read_bytes()
    target.unlink()
    read = read_safetensors(BytesView(written))
    assert compared.tensors == len(read.tensors) == len(plan.tensors)
    return plan, {t.name: (t.dtype, t.shape, written[t.start : t.end]) for t in read.tensors}


def test_real_dtypes_and_a_transposed_view(tmp_path):
    """Every tensor of the file is of ones, but a view that is transposed, an empty one and a scalar."""
    plan, tensors = converted(tmp_path, (MODELS / "dtypes.pt").read_bytes())
    assert tensors["float32"] == ("F32", (2, 3), struct.pack("<6f", *[1] * 6))
    assert tensors["bfloat16"] == ("BF16", (2, 3), b"\x80\x3f" * 6)
    assert tensors["bool"] == ("BOOL", (2, 3), b"\1" * 6)
    assert tensors["complex64"] == ("C64", (2, 3), struct.pack("<2f", 1, 0) * 6)
    assert tensors["int64"] == ("I64", (2, 3), struct.pack("<6q", *[1] * 6))
    assert tensors["view"][:2] == ("F32", (3, 2))
    assert tensors["empty"] == ("F32", (0, 4), b"")
    assert tensors["scalar"] == ("F32", (), struct.pack("<f", 3.5))
    assert plan.aliases == (("view", "float32"),)
    assert plan.metadata == {"format": "pt"}


@pytest.mark.parametrize("name", ["state-dict", "state-dict-legacy", "state-dict-protocol4", "whole-module", "whole-module-legacy", "torchscript"])  # fmt: skip
def test_every_form_of_a_module_gets_the_names_of_its_state_dict(tmp_path, name):
    plan, tensors = converted(tmp_path, (MODELS / f"{name}.pt").read_bytes())
    assert {key: value[:2] for key, value in tensors.items()} == {
        "linear.weight": ("F32", (2, 2)),
        "linear.bias": ("F32", (2,)),
    }
    assert plan.left == 0


def test_a_checkpoint_keeps_its_plain_values_as_data():
    plan = make(BytesView((MODELS / "checkpoint.pt").read_bytes()))
    tree = json.loads(plan.metadata["assaymark.object"])
    top = dict(tree["nodes"][tree["root"]["node"]]["items"])
    assert top["epoch"] == 3
    assert top["loss"] == 0.5
    assert tree["nodes"][top["classes"]["node"]] == {"type": "list", "items": ["a", "b"]}
    assert "optimizer.state.0.exp_avg" in {tensor.name for tensor in plan.tensors}


@pytest.mark.parametrize("name", ["quantised", "quantised-per-channel", "sparse"])
def test_what_safetensors_has_no_place_for_is_refused(name):
    with pytest.raises(InputError) as caught:
        make(BytesView((MODELS / f"{name}.pt").read_bytes()))
    assert caught.value.code == "convert-unsupported"


@pytest.mark.parametrize(
    ("size", "stride", "offset", "expected"),
    [
        ((3, 4), (4, 1), 0, range(12)),
        ((4, 3), (1, 4), 0, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
        ((3,), (4,), 1, [1, 5, 9]),
        ((2, 2), (4, 2), 5, [5, 7, 9, 11]),
        ((2, 3), (0, 1), 2, [2, 3, 4, 2, 3, 4]),
        ((2, 2), (1, 0), 7, [7, 7, 8, 8]),
        ((2, 2), (0, 0), 3, [3, 3, 3, 3]),
        ((1, 3), (99, 2), 0, [0, 2, 4]),
        ((2, 2, 2), (1, 6, 3), 0, [0, 3, 6, 9, 1, 4, 7, 10]),
        ((), (), 11, [11]),
    ],
)
def test_strides_are_applied(tmp_path, size, stride, offset, expected):
    data = torch_zip(state(("w", tensor(elements=12, size=size, stride=stride, offset=offset))), {"0": FLOATS})
    _, tensors = converted(tmp_path, data)
    assert tensors["w"] == ("F32", size, struct.pack(f"<{len(expected)}f", *expected))


@pytest.mark.parametrize(("size", "stride"), [((3, 4), (4, 1)), ((4, 3), (1, 4))])
def test_a_big_endian_archive_is_turned(tmp_path, size, stride):
    data = torch_zip(
        state(("w", tensor(elements=12, size=size, stride=stride))),
        {"0": struct.pack(">12f", *range(12))},
        {"archive/byteorder": b"big"},
    )
    _, tensors = converted(tmp_path, data)
    order = [i + j * 4 for i in range(4) for j in range(3)] if size == (4, 3) else range(12)
    assert tensors["w"][2] == struct.pack("<12f", *order)


def test_the_two_halves_of_a_complex_number_keep_their_places_when_turned(tmp_path):
    data = torch_zip(
        state(("w", tensor(elements=1, size=(1,), storage="ComplexFloatStorage"))),
        {"0": struct.pack(">2f", 1, 2)},
        {"archive/byteorder": b"big"},
    )
    _, tensors = converted(tmp_path, data)
    assert tensors["w"][2] == struct.pack("<2f", 1, 2)


def test_a_payload_is_named_and_left_behind_and_the_tensors_stay(tmp_path):
    payload = call("os", "system", text("echo")) + POP
    data = torch_zip(proto(2) + payload + state(("w", tensor()))[2:], {"0": FLOATS[:16]})
    plan, tensors = converted(tmp_path, data)
    assert tensors["w"][2] == FLOATS[:16]
    assert any("the call of os.system" in what for what in plan.dropped)


def test_an_import_without_a_call_is_named_too():
    data = torch_zip(proto(2) + glob("os", "system") + POP + state(("w", tensor()))[2:], {"0": FLOATS[:16]})
    assert any("the import of os.system" in what for what in make(BytesView(data)).dropped)


def test_tensors_that_no_name_leads_to_are_counted():
    data = torch_zip(proto(2) + tensor() + POP + state(("w", tensor()))[2:], {"0": FLOATS[:16]})
    plan = make(BytesView(data))
    assert plan.left == 1
    assert any("no name" in what for what in plan.dropped)


def conjugate() -> bytes:
    body = tensor(storage="ComplexFloatStorage", elements=4)
    return body[: -len(TUPLE + REDUCE)] + EMPTY_DICT + MARK + text("conj") + b"\x88u" + TUPLE + REDUCE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (torch_zip(state(("w", tensor(elements=4, size=(5,)))), {"0": FLOATS[:16]}), "convert-torch"),
        (torch_zip(state(("w", tensor(offset=1))), {"0": FLOATS[:16]}), "convert-torch"),
        (torch_zip(state(("w", tensor()))), "convert-torch"),
        (torch_zip(state(("w", tensor())), {"0": FLOATS[:15]}), "convert-torch"),
        (torch_zip(state(("w", tensor(storage="Tensor"))), {"0": FLOATS[:16]}), "convert-torch"),
        (torch_zip(state(("w", tensor(size=(4, 1)))), {"0": FLOATS[:16]}), "convert-torch"),
        (torch_zip(state(("w", conjugate())), {"0": FLOATS[:32]}), "convert-unsupported"),
        (torch_zip(state(("w", tensor(elements=1, size=(1,), storage="ComplexDoubleStorage"))), {"0": b"\0" * 16}), "convert-unsupported"),
        (torch_zip(state(("__metadata__", tensor())), {"0": FLOATS[:16]}), "convert-name"),
        (torch_zip(state(("a.b", tensor()), ("a", EMPTY_DICT + text("b") + tensor() + b"s")), {"0": FLOATS[:16]}), "convert-name"),
        (torch_zip(state(("w", tensor(size=(1 << 20, 1 << 10), stride=(0, 0)))), {"0": FLOATS[:16]}), "convert-limit"),
        (torch_zip(proto(4) + frame(text("ab"), 2) + STOP), "convert-pickle"),
        (torch_zip(proto(2) + b"("), "convert-pickle"),
        (torch_zip(proto(2) + get(3) + STOP), "convert-pickle"),
        (torch_zip(state(("w", tensor())), {"0": FLOATS[:16]}) + b"tail", "convert-torch"),
        (torch_zip(proto(2) + number(1) + b"Q" + STOP), "convert-torch"),
        (b"\x89PNG\r\n\x1a\n", "convert-unknown"),
        (b"", "convert-unknown"),
    ],
)  # fmt: skip
def test_what_torch_does_not_write_is_refused(data, code):
    with pytest.raises(InputError) as caught:
        make(BytesView(data))
    assert caught.value.code == code


def test_a_value_that_holds_itself_is_written_once():
    body = EMPTY_DICT + put(0) + MARK + text("self") + get(0) + text("w") + tensor() + b"u"
    plan = make(BytesView(torch_zip(proto(2) + body + STOP, {"0": FLOATS[:16]})))
    tree = json.loads(plan.metadata["assaymark.object"])
    assert dict(tree["nodes"][0]["items"])["self"] == {"node": 0}


def test_tuples_within_tuples_take_linear_time():
    body = EMPTY_TUPLE + b"".join(b"2\x86" for _ in range(2_000))
    plan = make(BytesView(torch_zip(proto(2) + body + STOP)))
    assert len(json.loads(plan.metadata["assaymark.object"])["nodes"]) == 2_001


def test_the_attributes_of_an_instance_of_an_unknown_class_are_data():
    body = glob("acme", "Net") + EMPTY_TUPLE + b"\x81" + EMPTY_DICT + text("weight") + tensor() + b"s" + BUILD
    plan = make(BytesView(torch_zip(proto(2) + body + STOP, {"0": FLOATS[:16]})))
    assert [item.name for item in plan.tensors] == ["weight"]
    assert "the class acme.Net" in plan.dropped


def test_a_path_without_end_is_refused_at_once():
    body = b"".join(EMPTY_DICT + text("a" * 200) for _ in range(50_000)) + NONE + b"s" * 50_000
    with pytest.raises(InputError) as caught:
        make(BytesView(torch_zip(proto(2) + body + STOP)))
    assert caught.value.code == "convert-limit"
