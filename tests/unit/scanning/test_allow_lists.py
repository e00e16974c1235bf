"""The lists are the boundary: their language means what its header says, and what is not listed is refused."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest
from tests.support.asm import (
    BUILD,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    MARK,
    NEWOBJ,
    NONE,
    STOP,
    TUPLE,
    TUPLE1,
    TUPLE2,
    call,
    glob,
    number,
    proto,
    text,
    torch_zip,
)

import assaymark
from assaymark.core.report import Report, ScanOutcome
from assaymark.core.view import BytesView
from assaymark.formats.pickle.values import SET, Blob, Dict, Global, Instance
from assaymark.scanning.examine import examine
from assaymark.scanning.pickle.permit import Permit
from assaymark.scanning.pickle.permits import PACKAGES, PERMITS, allowed_name, libraries
from assaymark.scanning.pickle.refusal import Refused
from assaymark.scanning.pickle.shapes import check_attributes, make_permit, parse_shape

TREE = "sklearn.tree._classes", "DecisionTreeClassifier"
TRUE, FALSE = b"\x88", b"\x89"


def scan(body: bytes, protocol: int = 2) -> Report:
    return examine(BytesView(proto(protocol) + body + STOP), "m.pkl")


def many(*items: bytes) -> bytes:
    return MARK + b"".join(items) + TUPLE


def table(*items: bytes) -> bytes:
    return EMPTY_DICT + MARK + b"".join(items) + b"u"


def new(module: str, name: str, *arguments: bytes) -> bytes:
    return glob(module, name) + many(*arguments) + NEWOBJ


def built(module: str, name: str, *items: bytes) -> bytes:
    return new(module, name) + table(*items) + BUILD


CLASS = Global("a", "B", "a.B", 0, "GLOBAL", permit=Permit("a.B", new=lambda _: None))
VALUE = Global("a", "f", "a.f", 0, "GLOBAL", permit=Permit("a.f", value=True))
ARRAY = Instance("numpy.ndarray", built=True)
SHAPES = [
    ("none", [None], [0, "", ()]),
    ("bool", [True, False], [1, None]),
    ("int", [3, Blob("int", 2000)], [True, 1.5, "1"]),
    ("float", [1.5], [1, "1"]),
    ("number", [1, 1.5, Instance("numpy scalar")], [True, "1", None]),
    ("text", ["a", Blob("str", 99)], [Blob("bytes", 9), 1]),
    ("bytes", [Blob("bytes", 9), Blob("bytearray", 9)], ["a", Blob("str", 9)]),
    ("array", [ARRAY], [Instance("numpy.ndarray"), Instance("torch.Tensor"), []]),
    ("dtype", [Instance("numpy.dtype")], ["f8"]),
    ("list", [[]], [(), Dict([])]),
    ("tuple", [(), (1,)], [[]]),
    ("dict", [Dict([])], [{}, []]),
    ("set", [SET], [[]]),
    ("class", [CLASS], [VALUE, Instance("a.B"), "a.B"]),
    ("function", [VALUE], [CLASS, None]),
    ("object", [Instance("a.B")], [CLASS, None]),
    ("data", [1, None, "a", Instance("a.B"), []], [CLASS, VALUE]),
    ("int|none", [1, None], ["a"]),
    ("()", [()], [(1,), []]),
    ("(int, text)", [(1, "a")], [(1,), (1, "a", 2), ("a", 1), [1, "a"]]),
    ("(int, text?)", [(1,), (1, "a")], [(), (1, 2), (1, "a", "b")]),
    ("(int, ...)", [(), (1,), (1, 2, 3)], [("a",), (1, "a")]),
    ("(text, int, ...)", [("a",), ("a", 1, 2)], [(), (1,), ("a", "b")]),
    ("(int, (text, none|array))", [(1, ("a", ARRAY)), (1, ("a", None))], [(1, "a"), (1, ("a",))]),
]


@pytest.mark.parametrize(("shape", "good", "bad"), SHAPES, ids=[shape for shape, _, _ in SHAPES])
def test_a_shape_takes_what_it_says(shape: str, good: list[object], bad: list[object]) -> None:
    check = parse_shape(shape)
    assert all(check(value) for value in good)
    assert not any(check(value) for value in bad)


@pytest.mark.parametrize("shape", ["", "word", "(int", "(int text)", "int)", "int;", "int|", "!"])
def test_what_is_no_shape_is_told(shape: str) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        parse_shape(shape)


@pytest.mark.parametrize("use", ["run ()", "import x", "call (int) -> 2", "call @nothing", "new (word)"])
def test_what_is_no_use_is_told(use: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        make_permit("a.B", [use], {}, "a.B")


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (Dict(["__setstate__", VALUE]), "Python itself uses"),
        (Dict(["__class__", 1]), "Python itself uses"),
        (Dict(["a", CLASS]), "as its attribute"),
        (Dict(["a", Global("os", "system", "os.system", 0, "GLOBAL")]), "as its attribute"),
        (Dict([1, 2]), "whose name is"),
        (Dict([Blob("str", 99999), 2]), "whose name is"),
        (Dict(["a", 1], more=True), "more attributes"),
        ((Dict([]), Dict([])), "attributes are due"),
        ([], "attributes are due"),
        (None, "attributes are due"),
    ],
)
def test_attributes_are_plain(state: object, why: str) -> None:
    with pytest.raises(Refused, match=why):
        check_attributes(state)


def test_attributes_that_are_plain() -> None:
    check_attributes(Dict(["a", 1, "_b", VALUE, "__doc__", "text"]))
    check_attributes((Dict(["a", 1]), None))
    check_attributes((None, Dict(["a", 1])), slots=True)


def test_every_use_of_every_list_is_of_the_language() -> None:
    assert len(PERMITS) > 3_000
    for name in PERMITS:
        assert PERMITS[name].kind
    listed = {library.name: library for library in libraries()}
    assert len(listed) == 12
    assert all(library.names and library.versions and library.left_out for library in listed.values())
    assert sum(library.names for library in listed.values()) == len(PERMITS)


def test_every_name_is_found_where_its_package_says() -> None:
    """A name in the file of another package would never be met."""
    assert all(allowed_name(*name) for name in PERMITS)
    assert not allowed_name("os", "system")
    assert {name[0].split(".")[0] for name in PERMITS} >= PACKAGES - {"_loss"}


REFUSED_NAMES = [
    "os.system", "builtins.eval", "builtins.exec", "builtins.open", "builtins.setattr", "functools.partial", "operator.attrgetter", "types.FunctionType",
    "numpy.load", "numpy.fromfile", "numpy._core._ufunc_reconstruct", "numpy.lib.npyio.NpzFile", "numpy.f2py.compile", "joblib.memory.MemorizedFunc", "joblib.load",
    "pandas.eval", "pandas.io.pickle.read_pickle", "pandas.core.computation.eval.eval", "sklearn.datasets.fetch_openml", "sklearn.utils._testing.raises",
    "sklearn.metrics._dist_metrics.PyFuncDistance", "scipy.LowLevelCallable", "scipy.io.loadmat", "torch.load", "torch.hub.load", "torch.jit.load",
    "torch.utils.data.DataLoader", "torch.fx.graph_module.GraphModule", "torch._utils._rebuild_wrapper_subclass",
    "xgboost.core.DMatrix", "lightgbm.basic.Dataset", "lightgbm.basic._InnerPredictor", "transformers.pipelines.base.Pipeline", "transformers.trainer.Trainer",
    "accelerate.accelerator.Accelerator", "transformers.models.albert.tokenization_albert.AlbertTokenizer",
]  # fmt: skip


@pytest.mark.parametrize("dotted", REFUSED_NAMES)
def test_what_must_not_be_listed_is_not(dotted: str) -> None:
    assert not allowed_name(*dotted.rsplit(".", 1))


TEMPLATE = """
def _parse_args(self, a, loc=0, scale=1):
    return (a,), loc, scale

def _parse_args_rvs(self, a, loc=0, scale=1, size=None):
    return self._argcheck_rvs(a, loc, scale, size=size)

def _parse_args_stats(self, a, loc=0, scale=1, moments='mv'):
    return (a,), loc, scale, moments
"""
NORM = "scipy.stats._continuous_distns", "norm_gen"
BAD = {
    "a metric as class": call(*TREE),
    "a class that is called with arguments": call(*TREE, text("x")),
    "an instance with arguments": new(*TREE, number(1)),
    "an attribute that BUILD would call": built(*TREE, text("__setstate__"), glob("numpy", "mean")),
    "an attribute that runs code": built(*TREE, text("a"), glob("torch.storage", "_load_from_bytes")),
    "attributes by setattr": new(*TREE) + EMPTY_DICT + table(text("a"), number(1)) + TUPLE2 + BUILD,
    "a second BUILD": built(*TREE, text("a"), number(1)) + table(text("b"), number(1)) + BUILD,
    "items of an estimator": new(*TREE) + MARK + text("a") + number(1) + b"u",
    "appending to an estimator": new(*TREE) + number(1) + b"a",
    "keywords": glob(*TREE) + EMPTY_TUPLE + EMPTY_DICT + b"\x92",
    "an attribute that IsotonicRegression calls": built("sklearn.isotonic", "IsotonicRegression", text("_build_f"), glob("numpy", "mean")),
    "a distribution with code": built(*NORM, text("_parse_arg_template"), text("import os\n" + TEMPLATE)),
    "a distribution with code in a default": built(*NORM, text("_parse_arg_template"), text(TEMPLATE.replace("loc=0", "loc=print(1)"))),
    "a distribution with code behind": built(*NORM, text("_parse_arg_template"), text(TEMPLATE + "\nprint(1)")),
    "a distribution with two templates": built(*NORM, text("_parse_arg_template"), text(TEMPLATE), text("_parse_arg_template"), text(TEMPLATE)),
    "a distribution whose method is hidden": built(*NORM, text("_attach_methods"), glob("numpy", "mean")),
    "a booster at an address": built("xgboost.core", "Booster", text("handle"), number(4096)),
    "a LightGBM model at an address": built("lightgbm.basic", "Booster", text("handle"), NONE, text("_handle"), number(4096)),
    "a factory that is called later": call("collections", "defaultdict", glob("torch.storage", "_load_from_bytes")),
    "a generator made by what is given": call("numpy.random._pickle", "__generator_ctor", text("MT19937"), glob("builtins", "type")),
    "a class that is no bit generator": call("numpy.random._pickle", "__bit_generator_ctor", glob(*TREE)),
    "a position outside of the block": call("numpy.random._pickle", "__bit_generator_ctor") + table(text("state"), table(text("pos"), number(100_000))) + BUILD,
    "getattr of anything": call("builtins", "getattr", glob(*TREE), text("fit")),
    "getattr of a dunder": call("builtins", "getattr", new(*NORM), text("__init__")),
    "a base that is not the class's": call("copyreg", "_reconstructor", glob(*TREE), glob("builtins", "dict"), NONE),
    "an index of another class": call("pandas.core.indexes.base", "_new_Index", glob(*TREE), EMPTY_DICT),
    "a tokenizer's vocabulary at a path": new("tokenizers.models", "BPE", text("/etc/passwd")),
    "storages out of no bytes": call("torch.storage", "_load_from_bytes", text("x")),
    "a tensor rebuilt by what is given": call("torch._tensor", "_rebuild_from_type_v2", glob("torch.storage", "_load_from_bytes"), glob("torch", "Tensor"), many(b"C\x01."), EMPTY_DICT),
    "a tensor rebuilt as what is given": call("torch._tensor", "_rebuild_from_type_v2", glob("torch._utils", "_rebuild_tensor"), glob(*TREE), EMPTY_TUPLE, EMPTY_DICT),
    "a masked array of any class": call("numpy.ma.core", "_mareconstruct", glob("numpy", "ndarray"), glob("numpy", "ndarray"), many(number(0)), b"C\x01b"),
    "an array by memmap": call("numpy", "memmap", text("file")),
    "a compiled pattern of no text": call("re", "_compile", EMPTY_LIST, number(0)),
    "a path of no text": call("pathlib", "PosixPath", EMPTY_LIST),
    "a typed array of another type": call("array", "_array_reconstructor", glob(*TREE), text("d"), number(16), b"C\x01b"),
    "a type of a value": call("builtins", "type", text("x"), EMPTY_TUPLE, EMPTY_DICT),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_use_that_is_not_listed_is_refused(name: str) -> None:
    report = scan(BAD[name])
    assert report.outcome() is ScanOutcome.FAIL, report
    assert {finding.rule for finding in report.findings} == {"pickle-unsafe-use"}


GOOD = {
    "an estimator": built(*TREE, text("max_depth"), number(3), text("_sklearn_version"), text("1.5")),
    "a transformer of a function": built("sklearn.preprocessing._function_transformer", "FunctionTransformer", text("func"), glob("numpy", "log1p")),
    "a distribution": built(*NORM, text("_parse_arg_template"), text(TEMPLATE), text("name"), text("norm")),
    "a booster": built("xgboost.core", "Booster", text("handle"), call("builtins", "bytearray", b"C\x01b")),
    "a LightGBM model": built("lightgbm.basic", "Booster", text("_handle"), text("tree")),
    "a layer": built("torch.nn.modules.linear", "Linear", text("training"), TRUE, text("in_features"), number(2)),
    "a layer of protocol 0": b"ccopy_reg\n_reconstructor\n" + many(glob("torch.nn.modules.linear", "Linear"), glob("builtins", "object"), NONE) + b"R",
    "a default dict": call("collections", "defaultdict", glob("builtins", "list")) + text("a") + EMPTY_LIST + b"s",
    "a deque": call("collections", "deque", EMPTY_TUPLE) + number(1) + b"a",
    "an index": call("pandas.core.indexes.base", "_new_Index", glob("pandas.core.indexes.base", "Index"), table(text("data"), EMPTY_LIST)),
    "training arguments": built("transformers.training_args", "TrainingArguments", text("seed"), number(1)),
    "a tokenizer's parts": new("tokenizers.pre_tokenizers", "Whitespace") + b"C\x02{}" + BUILD,
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_libraries_write_passes(name: str) -> None:
    report = scan(GOOD[name])
    assert report.outcome() is ScanOutcome.PASS, report


def dtype(code: str, *fields: tuple[str, bytes, int], size: int = -1, align: int = 1, flags: int = 16) -> bytes:
    names = many(*[text(name) for name, _, _ in fields])
    places = table(*[text(name) + many(kind, number(offset)) for name, kind, offset in fields])
    state = many(number(3), text("|"), NONE, names, places, number(size), number(align), number(flags))
    return call("numpy", "dtype", text(code), FALSE, TRUE) + state + BUILD


I4 = call("numpy", "dtype", text("i4"), FALSE, TRUE)
OBJECT = call("numpy", "dtype", text("O8"), FALSE, TRUE)
STRUCTURED = {
    "fields side by side": (dtype("V8", ("a", I4, 0), ("b", I4, 4), size=8), True),
    "fields over each other": (dtype("V8", ("a", I4, 0), ("b", I4, 2), size=8), True),
    "objects beside numbers": (dtype("V12", ("a", OBJECT, 0), ("b", I4, 8), size=12, flags=27), True),
    "a field beyond the element": (dtype("V8", ("a", I4, 6), size=8), False),
    "a number over objects": (dtype("V8", ("a", OBJECT, 0), ("b", I4, 4), size=8, flags=27), False),
    "objects that the flags deny": (dtype("V8", ("a", OBJECT, 0), size=8), False),
    "objects that are none": (dtype("V8", ("a", I4, 0), size=8, flags=27), False),
    "a field twice": (dtype("V8", ("a", I4, 0), ("a", I4, 4), size=8), False),
    "another size": (dtype("V8", ("a", I4, 0), size=16), False),
    "a field of a type without state": (dtype("V8", ("a", call("numpy", "dtype", text("V4"), FALSE, TRUE), 0), size=8), False),
    "fields of a number": (dtype("i8", ("a", I4, 0), size=-1, align=-1), False),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURED)
def test_structured_types_stay_within_their_elements(name: str) -> None:
    body, good = STRUCTURED[name]
    assert scan(body).outcome() is (ScanOutcome.PASS if good else ScanOutcome.FAIL)


def test_a_type_cannot_change_below_an_array() -> None:
    """Raw bytes would become pointers to objects when the type of an array got its fields afterwards."""
    void = call("numpy", "dtype", text("V8"), FALSE, TRUE) + b"q\x00"
    empty = call("numpy._core.multiarray", "_reconstruct", glob("numpy", "ndarray"), number(0) + TUPLE1, b"C\x01b")
    array = empty + many(number(1), many(number(1)), void, FALSE, b"C\x08" + b"A" * 8) + BUILD
    report = scan(array)
    assert report.outcome() is ScanOutcome.FAIL
    assert "no state yet" in report.findings[0].message


def test_a_legacy_torch_file_names_the_class_of_a_module() -> None:
    body = (
        many(text("module"), glob("torch.nn.modules.linear", "Linear"), text("file.py"), text("class Linear")) + b"Q"
    )
    good = examine(BytesView(torch_zip(proto(2) + body + EMPTY_TUPLE + NEWOBJ + STOP)), "m.pt")
    assert good.outcome() is ScanOutcome.PASS, good
    bad = examine(BytesView(torch_zip(proto(2) + body.replace(b"Linear\n", b"Linxar\n") + STOP)), "m.pt")
    assert bad.outcome() is ScanOutcome.FAIL


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_of_every_protocol(protocol: int) -> None:
    import collections
    import datetime as dt
    import decimal
    import uuid

    value = {
        "when": dt.datetime(2024, 1, 2, tzinfo=dt.UTC),
        "path": Path("a/b"),
        "id": uuid.UUID(int=1),
        "price": decimal.Decimal("1.5"),
        "counts": collections.Counter("abc"),
        "lists": collections.defaultdict(list, a=[1]),
        "queue": collections.deque([1, 2], 3),
        "raw": b"\xff" * 300,
    }
    report = examine(BytesView(pickle.dumps(value, protocol)), "m.pkl")
    assert report.outcome() is ScanOutcome.PASS, report


def test_the_lists_are_read_from_a_zip_archive(tmp_path: Path) -> None:
    """As from a wheel on the path: through the loader of the module, not from a folder."""
    import subprocess
    import sys

    root = Path(assaymark.__file__).parents[1]
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in root.glob("assaymark/**/*"):
            if path.suffix in (".py", ".json") and "_spec" not in path.parts:
                packed.write(path, path.relative_to(root))
    code = "from assaymark.scanning.pickle.permits import PERMITS; print(('torch', 'Size') in PERMITS)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(archive)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
