"""Permits are per use: the arguments that libraries write pass, all others are refused."""

from __future__ import annotations

import pytest
from tests.support.asm import (
    BUILD,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_SET,
    EMPTY_TUPLE,
    MARK,
    NONE,
    STOP,
    TUPLE,
    TUPLE1,
    call,
    glob,
    number,
    proto,
    tensor,
    text,
    torch_zip,
)

from assaymark.core.limits import SCAN_MAX_LIST_ITEMS
from assaymark.core.report import ScanOutcome
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine
from assaymark.scanning.pickle.dangerous import is_dangerous
from assaymark.scanning.pickle.permits import PERMITS

TRUE, FALSE = b"\x88", b"\x89"
RAW = b"C\x02ab"
HOOKS = call("collections", "OrderedDict")
PID = MARK + text("storage") + glob("torch", "FloatStorage") + text("0") + text("cpu") + number(4) + TUPLE + b"Q"
DTYPE = call("numpy", "dtype", text("i2"), FALSE, TRUE)
OBJECTS = call("numpy", "dtype", text("O8"), FALSE, TRUE)
ARRAY = call("numpy._core.multiarray", "_reconstruct", glob("numpy", "ndarray"), number(0) + TUPLE1, b"C\x01b")
FLOAT32 = glob("torch", "float32")


def many(*items: bytes) -> bytes:
    return MARK + b"".join(items) + TUPLE


def torch_call(name: str, *arguments: bytes) -> bytes:
    return call("torch._utils", name, *arguments)


def state(
    *, size: int = -1, align: int = -1, flags: int = 0, order: str = "<", rest: bytes = NONE, version: int = 3
) -> bytes:
    return many(number(version), text(order), rest, NONE, NONE, number(size), number(align), number(flags))


def flexible(code: str) -> bytes:
    return call("numpy", "dtype", text(code), FALSE, TRUE)


ONE_OBJECT = EMPTY_LIST + NONE + b"a"
FILLED = ARRAY + many(number(1), many(number(1)), DTYPE, FALSE, RAW) + BUILD


GOOD = {
    "OrderedDict of pairs": call("collections", "OrderedDict", EMPTY_LIST),
    "OrderedDict by NEWOBJ": glob("collections", "OrderedDict") + EMPTY_TUPLE + b"\x81",
    "OrderedDict by INST": MARK + b"icollections\nOrderedDict\n",
    "OrderedDict with attributes": HOOKS + EMPTY_DICT + BUILD,
    "set": call("builtins", "set", EMPTY_LIST),
    "empty frozenset": call("builtins", "frozenset"),
    "bytes": call("builtins", "bytes"),
    "bytearray": call("builtins", "bytearray", RAW),
    "bytearray of text": call("builtins", "bytearray", text("a"), text("latin-1")),
    "complex": call("builtins", "complex", number(1), number(2)),
    "range": call("builtins", "range", number(1), number(2), number(1)),
    "slice": call("builtins", "slice", NONE, number(2), NONE),
    "Size": call("torch", "Size", many(number(2), number(3))),
    "device": call("torch", "device", text("cuda"), number(0)),
    "layout": call("torch.serialization", "_get_layout", text("torch.sparse_coo")),
    "dtype": FLOAT32,
    "tensor": torch_call("_rebuild_tensor", PID, number(0), many(number(4)), many(number(1))),
    "empty tensor beyond its storage": torch_call("_rebuild_tensor", PID, number(9), many(number(0)), many(number(1))),
    "tensor v3": torch_call("_rebuild_tensor_v3", PID, number(0), many(number(4)), many(number(1)), FALSE, HOOKS, FLOAT32),
    "tensor with metadata": torch_call("_rebuild_tensor_v2", PID, number(0), many(number(4)), many(number(1)), FALSE, HOOKS, EMPTY_DICT),
    "parameter": torch_call("_rebuild_parameter", tensor(), TRUE, HOOKS),
    "from numpy": torch_call("_rebuild_device_tensor_from_numpy", FILLED, FLOAT32, text("cpu"), FALSE),
    "meta tensor": torch_call("_rebuild_meta_tensor_no_storage", FLOAT32, many(number(2)), many(number(1)), FALSE),
    "array": ARRAY + many(number(1), many(number(1)), DTYPE, FALSE, RAW) + BUILD,
    "array of NumPy 1": ARRAY.replace(b"numpy._core", b"numpy.core") + many(number(1), many(number(1)), DTYPE, FALSE, RAW) + BUILD,
    "array of objects": ARRAY + many(number(1), many(number(1)), OBJECTS, FALSE, ONE_OBJECT) + BUILD,
    "array of no objects": ARRAY + many(number(1), many(number(0)), OBJECTS, FALSE, EMPTY_LIST) + BUILD,
    "dtype with state": DTYPE + state() + BUILD,
    "dtype of objects with state": OBJECTS + state(order="|", flags=63) + BUILD,
    "dtype of text with state": flexible("U5") + state(size=20, align=4, flags=8) + BUILD,
    "dtype of bytes with state": flexible("S5") + state(size=5, align=1, order="|") + BUILD,
    "scalar": call("numpy._core.multiarray", "scalar", DTYPE, RAW),
    "frombuffer": call("numpy._core.numeric", "_frombuffer", RAW, DTYPE, many(number(1)), text("C")),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_libraries_write_passes(name: str) -> None:
    # The archive holds the storage that some of them refer to; the others leave it unreferenced, as text.
    report = examine(BytesView(torch_zip(proto(2) + GOOD[name] + STOP, {"0": b"text" * 4})), "m.pt")
    assert report.findings == ()
    assert report.outcome() is ScanOutcome.PASS, report


BAD = {
    "OrderedDict of a number": call("collections", "OrderedDict", number(1)),
    "set of a number": call("builtins", "set", number(1)),
    "bytes with arguments": call("builtins", "bytes", number(1 << 30)),
    "bytearray in another encoding": call("builtins", "bytearray", text("a"), text("idna")),
    "complex of text": call("builtins", "complex", text("1")),
    "range of text": call("builtins", "range", text("1")),
    "slice of text": call("builtins", "slice", text("1")),
    "set by NEWOBJ": glob("builtins", "set") + EMPTY_TUPLE + b"\x81",
    "Size of a negative": call("torch", "Size", many(number(-2))),
    "Size of text": call("torch", "Size", text("x")),
    "device of a number": call("torch", "device", number(1)),
    "layout that is none": call("torch.serialization", "_get_layout", text("os.system")),
    "too few arguments": torch_call("_rebuild_tensor", PID),
    "v2 with too few": torch_call("_rebuild_tensor_v2", PID),
    "v2 without a flag": torch_call("_rebuild_tensor_v2", PID, number(0), many(number(4)), many(number(1)), NONE, HOOKS),
    "v2 with hooks": torch_call("_rebuild_tensor_v2", PID, number(0), many(number(4)), many(number(1)), FALSE, EMPTY_LIST),
    "v2 with strange metadata": torch_call("_rebuild_tensor_v2", PID, number(0), many(number(4)), many(number(1)), FALSE, HOOKS, text("x")),
    "v3 with a dtype that is none": torch_call("_rebuild_tensor_v3", PID, number(0), many(number(4)), many(number(1)), FALSE, HOOKS, NONE),
    "a negative stride": torch_call("_rebuild_tensor", PID, number(0), many(number(4)), many(number(-1))),
    "a negative offset": torch_call("_rebuild_tensor", PID, number(-1), many(number(1)), many(number(1))),
    "a shape of another rank": torch_call("_rebuild_tensor", PID, number(0), many(number(1), number(1)), many(number(1))),
    "a shape that is a number": torch_call("_rebuild_tensor", PID, number(0), number(1), many(number(1))),
    "a parameter of nothing": torch_call("_rebuild_parameter", NONE, TRUE, HOOKS),
    "a sparse tensor of nothing": torch_call("_rebuild_sparse_tensor", NONE, EMPTY_TUPLE),
    "a sparse tensor of text": torch_call("_rebuild_sparse_tensor", call("torch.serialization", "_get_layout", text("torch.sparse_coo")), many(text("x"))),
    "a tensor of no array": torch_call("_rebuild_device_tensor_from_numpy", NONE, FLOAT32, text("cpu"), FALSE),
    "a meta tensor without a shape": torch_call("_rebuild_meta_tensor_no_storage", FLOAT32, NONE, NONE, FALSE),
    "a quantised tensor by channel": torch_call("_rebuild_qtensor", PID, number(0), many(number(4)), many(number(1)), NONE, FALSE, HOOKS),
    "a quantised tensor with too few": torch_call("_rebuild_qtensor", PID),
    "a type string that is none": call("numpy", "dtype", text("i2,i4"), FALSE, TRUE),
    "a type of no text": call("numpy", "dtype", EMPTY_LIST, FALSE, TRUE),
    "a type of a size that does not exist": call("numpy", "dtype", text("f7"), FALSE, TRUE),
    "a type without arguments": call("numpy", "dtype"),
    "an array over a tuple": call("numpy._core.multiarray", "_reconstruct", EMPTY_TUPLE, number(0) + TUPLE1, RAW),
    "array state that is no tuple": ARRAY + EMPTY_LIST + BUILD,
    "array state without a type": ARRAY + many(number(1), many(number(1)), NONE, FALSE, RAW) + BUILD,
    "array state with a negative shape": ARRAY + many(number(1), many(number(-1)), DTYPE, FALSE, RAW) + BUILD,
    "array state with too little data": ARRAY + many(number(1), many(number(9)), DTYPE, FALSE, RAW) + BUILD,
    "array state with a list for numbers": ARRAY + many(number(1), many(number(1)), DTYPE, FALSE, EMPTY_LIST) + BUILD,
    "objects out of raw bytes": ARRAY + many(number(1), many(number(1)), OBJECTS, FALSE, RAW) + BUILD,
    "fewer objects than the shape has": ARRAY + many(number(1), many(number(2)), OBJECTS, FALSE, ONE_OBJECT) + BUILD,
    "more dimensions than there are": ARRAY + many(number(1), many(*[number(1)] * 65), DTYPE, FALSE, RAW) + BUILD,
    "an array's state twice": FILLED + many(number(1), many(number(1)), DTYPE, FALSE, RAW) + BUILD,
    "a tensor of an array without state": torch_call("_rebuild_device_tensor_from_numpy", ARRAY, FLOAT32, text("cpu"), FALSE),
    "type state with a size that bytes cannot have": flexible("S5") + state(align=1, order="|") + BUILD,
    "type state with an alignment to divide by": flexible("V4") + state(size=4, align=0, order="|") + BUILD,
    "type state that is short": DTYPE + EMPTY_TUPLE + BUILD,
    "type state of another version": DTYPE + state(version=1) + BUILD,
    "type state with an order that is none": DTYPE + state(order="!") + BUILD,
    "a scalar of too few bytes": call("numpy._core.multiarray", "scalar", call("numpy", "dtype", text("f8"), FALSE, TRUE), RAW),
    "a buffer of objects": call("numpy._core.numeric", "_frombuffer", RAW, OBJECTS, many(number(1)), text("C")),
    "a buffer of text": call("numpy._core.numeric", "_frombuffer", text("x"), DTYPE, many(number(1)), text("C")),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_refused(name: str) -> None:
    report = examine(BytesView(torch_zip(proto(2) + BAD[name] + STOP, {"0": b"text" * 4})), "m.pt")
    assert report.outcome() is ScanOutcome.FAIL
    assert {finding.rule for finding in report.findings} == {"pickle-unsafe-use"}


PERSISTENT = {
    "no tuple": text("x"),
    "another word": many(text("module"), glob("torch", "FloatStorage"), text("0"), text("cpu"), number(4)),
    "a class that is no storage": many(text("storage"), glob("torch", "float32"), text("0"), text("cpu"), number(4)),
    "a size that is none": many(text("storage"), glob("torch", "FloatStorage"), text("0"), text("cpu"), number(-4)),
    "a view": many(text("storage"), glob("torch", "FloatStorage"), text("0"), text("cpu"), number(4), EMPTY_TUPLE),
}


@pytest.mark.parametrize("name", PERSISTENT)
def test_a_persistent_id_that_is_not_torchs(name: str) -> None:
    report = examine(BytesView(torch_zip(proto(2) + PERSISTENT[name] + b"Q" + STOP)), "m.pt")
    assert report.outcome() is not ScanOutcome.PASS
    assert [finding.rule for finding in report.findings] == ["pickle-persistent-id"]


def test_what_cannot_be_checked_is_no_answer() -> None:
    layout = call("torch.serialization", "_get_layout", text("torch.sparse_bsr"))
    data = proto(2) + torch_call("_rebuild_sparse_tensor", layout, EMPTY_TUPLE) + STOP
    report = examine(BytesView(data), "m.pkl")
    assert report.outcome() is ScanOutcome.INCOMPLETE
    assert report.findings == ()


def test_more_objects_than_are_remembered_is_no_answer() -> None:
    items = EMPTY_LIST + (MARK + NONE * SCAN_MAX_LIST_ITEMS + b"e") * 2
    data = proto(2) + ARRAY + many(number(1), many(number(2 * SCAN_MAX_LIST_ITEMS)), OBJECTS, FALSE, items) + BUILD
    assert examine(BytesView(data + STOP), "m.pkl").outcome() is ScanOutcome.INCOMPLETE


def test_nothing_of_the_table_is_known_to_be_dangerous_but_by_its_module() -> None:
    assert {".".join(name) for name in PERMITS if is_dangerous(*name)} == {
        "torch.serialization._get_layout",
        "torch.storage._load_from_bytes",  # what it loads is examined
        "torch._tensor._rebuild_from_type_v2",  # with a rebuild function of torch
        "builtins.getattr",  # of a class, for a method that is listed itself
        "numpy.memmap",  # as the class of an array only, which opens nothing
        "joblib.numpy_pickle.NumpyArrayWrapper",
        # They return what they are given.
        *(f"torch.jit._pickle.build_{kind}" for kind in ("boollist", "doublelist", "intlist", "tensorlist")),
        "torch.jit._pickle.build_tensor_from_id",
        "torch.jit._pickle.restore_type_tag",
    }


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("os", "system", True),
        ("os.path", "join", True),
        ("builtins", "eval", True),
        ("builtins", "dict", False),
        ("builtins", "ValueError", False),
        ("builtins", "getattr", True),
        ("torch.serialization", "os.system", True),
        ("acme", "f.__globals__", True),
        ("numpy", "trace", False),
        ("acme.code", "Model", False),
        ("functools", "partial", True),
        ("functools", "wraps", False),
        ("pathlib", "PosixPath", False),
        ("argparse", "Namespace", False),
        ("sklearn.tree", "DecisionTreeClassifier", False),
    ],
)
def test_danger_is_told_from_the_unknown(module: str, name: str, expected: bool) -> None:
    assert is_dangerous(module, name) is expected


def attributes(*pairs: bytes) -> bytes:
    return EMPTY_DICT + MARK + b"".join(pairs) + b"u"


def made(module: str, name: str) -> bytes:
    return glob(module, name) + EMPTY_TUPLE + b"\x81"


SEQUENTIAL = made("torch.nn.modules.container", "Sequential")
LOADER = glob("torch.storage", "_load_from_bytes")
RESULT = ("scipy.optimize._optimize", "OptimizeResult")
ADAM = made("torch.optim.adam", "Adam")
CALLED_ON_LOAD = {
    # Each runs code in pickle.load: a permitted function within a dict, and a class that calls what it finds there.
    "a loader among a module's modules": SEQUENTIAL
    + attributes(text("_modules"), attributes(text("0"), LOADER))
    + BUILD,
    "a loader in a list": EMPTY_LIST + LOADER + b"a",
    "a loader in many items": EMPTY_LIST + MARK + NONE + LOADER + b"e",
    "a loader in a set": EMPTY_SET + MARK + LOADER + b"\x90",
    "a loader in a frozen set": MARK + LOADER + b"\x91",
    "a loader in a list of protocol 0": MARK + LOADER + b"l",
    "a loader in a dict of protocol 0": MARK + text("get") + LOADER + b"d",
    "a loader in a tuple in a dict": attributes(text("hook"), LOADER + TUPLE1 + TUPLE1),
    "a loader in a tuple as an attribute": SEQUENTIAL + attributes(text("_modules"), LOADER + TUPLE1) + BUILD,
    "__setstate__ as an item that is an attribute": made(*RESULT) + text("__setstate__") + SEQUENTIAL + b"s",
    "__setstate__ in the state of a base": call(
        "copyreg",
        "_reconstructor",
        glob(*RESULT),
        glob("builtins", "dict"),
        attributes(text("__setstate__"), SEQUENTIAL),
    ),
    "an optimizer whose state is a module": ADAM + attributes(text("state"), SEQUENTIAL) + BUILD,
    "an optimizer whose group is a module": ADAM
    + attributes(text("param_groups"), EMPTY_LIST + SEQUENTIAL + b"a")
    + BUILD,
    "a dict whose data is a frame": made("collections", "UserDict")
    + attributes(text("data"), made("pandas", "DataFrame"))
    + BUILD,
    "a release of scikit-learn that is an object": made("sklearn.linear_model._base", "LinearRegression")
    + attributes(text("_sklearn_version"), SEQUENTIAL)
    + BUILD,
}


@pytest.mark.parametrize("name", CALLED_ON_LOAD)
def test_what_a_library_would_call_while_it_loads_is_refused(name: str) -> None:
    report = examine(BytesView(proto(4) + CALLED_ON_LOAD[name] + STOP), "model.pkl")
    assert report.outcome() is ScanOutcome.FAIL
    assert {finding.rule for finding in report.findings} == {"pickle-unsafe-use"}


def test_classes_of_arrays_and_types_may_stand_in_containers() -> None:
    held = glob("numpy", "float64") + glob("numpy", "ndarray") + glob("torch", "float32")
    report = examine(BytesView(proto(4) + EMPTY_LIST + MARK + held + b"e" + STOP), "model.pkl")
    assert report.outcome() is ScanOutcome.PASS
