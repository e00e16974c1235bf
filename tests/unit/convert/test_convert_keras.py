"""Keras HDF5 to Keras 3, against what Keras 3 itself saves of the same model; and what is refused, by its name."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from tests.support.cli import cli
from tests.support.hdf5_files import hdf5, text_attribute

from assaymark.convert.engine import make_keras
from assaymark.convert.plan import plan_from_json, plan_to_json
from assaymark.core.errors import InputError, InternalError
from assaymark.core.view import BytesView
from assaymark.formats.hdf5.reader import read_hdf5
from assaymark.store.converted import write_converted

VECTORS = Path(__file__).parents[2] / "vectors" / "keras"
FILES = sorted(path.name for path in VECTORS.glob("*.h5"))


def arrays(archive: Path) -> dict[str, tuple[tuple[int, ...], str, bytes]]:
    """Shape, kind and elements of each array of ``model.weights.h5``, by its path."""
    data = zipfile.ZipFile(archive).read("model.weights.h5")
    found = read_hdf5(BytesView(data), arrays=True).datasets
    return {
        item.path: (item.shape, f"{item.kind}{item.width}", data[item.start : item.start + item.size])
        for item in found
    }


def layers(config: dict) -> list[dict]:
    """Every layer of a configuration, those within others too."""
    found = []
    for item in config["config"]["layers"]:
        found.append(item)
        inner = item["config"]
        for part in (inner.get("layer"), inner.get("cell"), *(inner.get("cells") or ())):
            found += [part] if part else []
        found += layers(item) if "layers" in inner else []
    return found


def histories(value: object) -> list[list]:
    """Which tensors a call takes."""
    if isinstance(value, dict):
        if "keras_history" in value:
            return [value["keras_history"]]
        return [found for key in sorted(value) for found in histories(value[key])]
    return [found for item in value for found in histories(item)] if isinstance(value, list) else []


def converted(tmp_path: Path, source: Path) -> Path:
    target = tmp_path / "model.keras"
    plan = make_keras(BytesView(source.read_bytes()))
    descriptor = os.open(source, os.O_RDONLY)
    try:
        compared = write_converted(descriptor, plan, target)
    finally:
        os.close(descriptor)
    assert compared.tensors == len(plan.tensors)
    return target


@pytest.mark.parametrize("name", FILES)
def test_arrays_lie_where_keras_3_saves_them(tmp_path, name):
    target = converted(tmp_path, VECTORS / name)
    expected = arrays(VECTORS / f"{name.split('-')[0]}.keras")
    # of a model that was compiled, Keras saves the state of its optimizer too
    assert arrays(target) == {path: value for path, value in expected.items() if path.startswith("/layers/")}


@pytest.mark.parametrize("name", FILES)
def test_layers_are_those_of_keras_3(tmp_path, name):
    target = converted(tmp_path, VECTORS / name)
    ours = json.loads(zipfile.ZipFile(target).read("config.json"))
    theirs = json.loads(zipfile.ZipFile(VECTORS / f"{name.split('-')[0]}.keras").read("config.json"))
    for field in ("module", "class_name", "registered_name"):
        assert ours[field] == theirs[field]
    for key in ("input_layers", "output_layers"):
        assert ours["config"].get(key) == theirs["config"].get(key)
    made = {layer["config"]["name"]: layer for layer in layers(ours)}
    kept = {layer["config"]["name"].removeprefix("forward_"): layer for layer in layers(theirs)}
    made = {name.removeprefix("forward_"): layer for name, layer in made.items()}
    if "2018" in name:  # which had no layer for the input
        assert made.pop("input_layer")["config"]["batch_shape"] == kept.pop("image")["config"]["batch_shape"]
    assert set(made) == set(kept)
    for key, layer in made.items():
        assert (layer["module"], layer["class_name"]) == (kept[key]["module"], kept[key]["class_name"])
        assert histories(layer.get("inbound_nodes")) == histories(kept[key].get("inbound_nodes"))
        for option, value in layer["config"].items():
            if (
                isinstance(value, (int, float, str))
                and option not in ("axis", "name")
                and option in kept[key]["config"]
            ):
                assert value == kept[key]["config"][option], (key, option)


def test_the_archive_is_stored_and_always_the_same(tmp_path):
    target = converted(tmp_path, VECTORS / "graph-2.h5")
    archive = zipfile.ZipFile(target)
    assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    assert archive.testzip() is None
    (tmp_path / "again").mkdir()
    assert converted(tmp_path / "again", VECTORS / "graph-2.h5").read_bytes() == target.read_bytes()


def test_arrays_in_chunks_behind_gzip_give_the_same_archive(tmp_path):
    plain, packed = tmp_path / "plain.keras", tmp_path / "packed.keras"
    assert cli("convert", VECTORS / "graph-2.h5", plain).code == 0
    done = cli("convert", VECTORS / "packed" / "graph-2.h5", packed)
    assert done.code == 0, done
    assert "unpacked" in done.out
    assert packed.read_bytes() == plain.read_bytes()


def test_command(tmp_path):
    target = tmp_path / "model.keras"
    done = cli("convert", VECTORS / "convolutions-2.h5", target)
    assert done.code == 0, done
    assert "tensors compared byte by byte, all equal" in done.out
    assert "the training configuration" in done.out
    assert "the state of the optimizer" in done.out
    assert cli("scan", target).code == 0


def test_a_name_with_a_slash_gets_another(tmp_path):
    plan = make_keras(BytesView(model([dense("a/b"), dense("c")], weights=False)))
    names = [layer["config"]["name"] for layer in json.loads(plan.metadata["config.json"])["config"]["layers"]]
    assert names == ["input_layer", "a_b", "c"]
    assert any("a/b" in said for said in plan.dropped)


def test_a_result_that_differs_is_not_kept(tmp_path, monkeypatch):
    from assaymark.store import converted as store

    source, target = VECTORS / "graph-2.h5", tmp_path / "model.keras"
    real = store._expected
    calls = []

    def lying(descriptor, tensor):
        for chunk in real(descriptor, tensor):
            calls.append(tensor)
            yield chunk if len(calls) != 5 else bytes(len(chunk))

    monkeypatch.setattr(store, "_expected", lying)
    plan = make_keras(BytesView(source.read_bytes()))
    descriptor = os.open(source, os.O_RDONLY)
    with pytest.raises(InternalError) as caught:
        write_converted(descriptor, plan, target)
    os.close(descriptor)
    assert caught.value.code == "convert-differs"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_the_plan_crosses_the_border(name):
    data = (VECTORS / name).read_bytes()
    plan = make_keras(BytesView(data))
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan))), len(data)) == plan


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["tensors"][0].__setitem__(0, "../x"),
        lambda said: said["tensors"][0].__setitem__(0, said["tensors"][1][0] + "/x"),
        lambda said: said["tensors"][0].__setitem__(1, "C64"),
        lambda said: said["metadata"].__setitem__("assets/x", "y"),
        lambda said: said["metadata"].pop("config.json"),
    ],
    ids=["path", "within an array", "type", "member", "no configuration"],
)
def test_a_plan_of_another_archive_is_refused(change):
    data = (VECTORS / "graph-2.h5").read_bytes()
    said = plan_to_json(make_keras(BytesView(data)))
    change(said)
    with pytest.raises(InputError) as caught:
        plan_from_json(said, len(data))
    assert caught.value.code == "convert-plan"


# -- what is refused


def dense(name: str = "d", **more: object) -> dict:
    return {"class_name": "Dense", "config": {"name": name, "units": 2, "activation": "relu", **more}}


def model(layers: list[dict], *, weights: bool = True, version: str = "2.15.0", **more: object) -> bytes:
    """An HDF5 file of a sequential model without one array; ``weights`` says to leave it as it is."""
    if not weights:
        layers = [{**layer, "class_name": "Flatten", "config": {"name": layer["config"]["name"]}} for layer in layers]
    shape = {"build_input_shape": [None, 3]}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers, **shape}, **more}
    return file(config, version)


def file(config: object, version: str = "2.15.0") -> bytes:
    return hdf5([text_attribute("model_config", json.dumps(config)), text_attribute("keras_version", version)])


def functional(layers: list[dict], outputs: object = (("b", 0, 0),)) -> bytes:
    config = {"name": "m", "layers": layers, "input_layers": [["a", 0, 0]], "output_layers": outputs}
    return file({"class_name": "Functional", "config": config})


INPUT = {"class_name": "InputLayer", "config": {"name": "a", "batch_input_shape": [None, 3]}, "inbound_nodes": []}


def flat(name: str, *nodes: object, cls: str = "Flatten") -> dict:
    return {"class_name": cls, "config": {"name": name}, "inbound_nodes": list(nodes)}


LSTM = {"class_name": "LSTM", "config": {"name": "l", "units": 3}}
BOTH = {"class_name": "Bidirectional", "config": {"name": "b", "layer": LSTM}}
REFUSED = {
    "Lambda": (model([{"class_name": "Lambda", "config": {"name": "evil", "function": ["4wEAAAA=", None, None]}}]), "s/evil"),
    "a class of a user": (model([{"class_name": "Mine", "config": {"name": "m"}}]), "Mine"),
    "a registered class": (model([{**dense(), "registered_name": "pkg>Dense"}]), "pkg>Dense"),
    "another module": (model([{**dense(), "module": "os"}]), "os"),
    "an operation of TensorFlow": (
        model([{"class_name": "TFOpLambda", "config": {"name": "tf.add", "function": "math.add"}}]),
        "TFOpLambda",
    ),
    "a vocabulary": (model([{"class_name": "StringLookup", "config": {"name": "v"}}]), "StringLookup"),
    "an activation of a user": (model([dense(activation="mine")]), "mine"),
    "a function object of another module": (
        model([dense(activation={"class_name": "function", "config": "system", "module": "os"})]),
        "os",
    ),
    "hard_sigmoid of Keras 2": (model([dense(activation="hard_sigmoid")]), "hard_sigmoid"),
    "an initialiser of a user": (
        model([dense(kernel_initializer={"class_name": "Mine", "config": {}})]),
        "Mine",
    ),
    "an object where there is none": (model([dense(units={"class_name": "Mine", "config": {}})]), "Mine"),
    "an option that Keras 3 has not": (model([dense(magic=1)]), "magic"),
    "RandomCrop of Keras 2": (model([{"class_name": "RandomCrop", "config": {"name": "r"}}]), "RandomCrop"),
    "a type of whole numbers": (model([dense(dtype="int64")]), "int64"),
    "a type that is none": (model([dense(dtype={"class_name": [], "config": {}})]), "the type"),
    "a model whose class is a list": (file({"class_name": ["Sequential"], "config": {}}), "Sequential"),
    "several axes": (
        model([{"class_name": "BatchNormalization", "config": {"name": "b", "axis": [1, 2]}}]),
        "several axes",
    ),
    "a model of a user": (file({"class_name": "MyModel", "config": {"name": "m", "layers": []}}), "MyModel"),
    "a subclass without layers": (file({"class_name": "Functional", "config": {"name": "m"}}), "without layers"),
    "no shape": (
        file({"class_name": "Sequential", "config": {"name": "s", "layers": [flat("f")]}}),
        "before it was built",
    ),
    "two of one name": (model([dense("d"), dense("d")]), "two layers"),
    "weights that are not there": (model([dense()]), "2 weights"),
    "Keras 1": (model([dense()], version="1.2.2"), "Keras 1.2.2"),
    "no version": (hdf5([text_attribute("model_config", "{}")]), "before 2"),
    "no model": (hdf5([text_attribute("x", "y")]), "model_config"),
    "no HDF5": (b"PK\x03\x04" + bytes(60), "no HDF5"),
    "text that is no JSON": (file("x")[:0] + hdf5([text_attribute("model_config", "{"), text_attribute("keras_version", "2.1")]), ""),
    "a loop": (functional([INPUT, flat("b", [["c", 0, 0, {}]]), flat("c", [["b", 0, 0, {}]])]), "leads back"),
    "a call of nothing": (functional([INPUT, flat("b", [["x", 0, 0, {}]])]), "no layer of the model"),
    "a call that is not there": (functional([INPUT, flat("b", [["a", 7, 0, {}]])]), "back or nowhere"),
    "a layer that is never called": (functional([INPUT, flat("b", [["a", 0, 0, {}]]), flat("c")]), "never called"),
    "a layer that nothing needs": (
        functional([INPUT, flat("b", [["a", 0, 0, {}]]), flat("c", [["a", 0, 0, {}]])]),
        "no output needs",
    ),
    "a constant": (functional([INPUT, flat("b", [["_CONSTANT_VALUE", -1, 3, {}]])]), "constant"),
    "states for two directions": (
        functional([INPUT, {**flat("b", [["a", 0, 0, {}], ["a", 0, 0, {}]]), **BOTH}]),
        "Bidirectional called with a list",
    ),
    "an unknown argument": (functional([INPUT, flat("b", [["a", 0, 0, {"magic": 1}]])]), "magic"),
    "an operation of Keras 3": (
        functional(
            [
                INPUT,
                flat(
                    "b",
                    {
                        "args": [
                            {"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "dtype": "float32", "keras_history": ["a", 0, 0]}},
                        ]
                        * 2,
                        "kwargs": {},
                    },
                    cls="Add",
                ),
            ]
        ),
        "as an operation",
    ),
    "layers in layers without end": (
        model([__import__("functools").reduce(lambda inner, _: {"class_name": "TimeDistributed", "config": {"name": "t", "layer": inner}}, range(18), dense())]),
        "nested more than",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    data, said = REFUSED[name]
    with pytest.raises(InputError) as caught:
        make_keras(BytesView(data))
    error = caught.value
    assert error.code == "convert-keras" or error.code.startswith("json-")
    assert said in f"{error.position} {error.message}"


def test_states_and_masks_of_keras_2_are_refused():
    """Keras 2 loses the mask there; Keras 3.15.1 and tf_keras 2.21.0 compute other outputs of the same weights."""
    embedding = {
        "class_name": "Embedding",
        "config": {"name": "e", "input_dim": 3, "output_dim": 3, "mask_zero": True},
    }
    embedding["inbound_nodes"] = [[["a", 0, 0, {}]]]
    gru = {
        "class_name": "GRU",
        "config": {"name": "b", "units": 3},
        "inbound_nodes": [[["e", 0, 0, {}], ["a", 0, 0, {}]]],
    }
    with pytest.raises(InputError) as caught:
        make_keras(BytesView(functional([INPUT, embedding, gru])))
    assert "masks steps" in caught.value.message


def test_scan_fix_makes_a_keras_archive_where_it_can(tmp_path):
    """A training configuration that names code fails the scan; the model itself is sound."""
    unsafe = {"class_name": "Lambda", "config": {"name": "l", "function": ["4wEAAAA=", None, None]}}
    good = tmp_path / "good.h5"
    config = {
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [flat("f")], "build_input_shape": [None, 3]},
    }
    good.write_bytes(
        hdf5(
            [
                text_attribute("model_config", json.dumps(config)),
                text_attribute("keras_version", "2.15.0"),
                text_attribute("training_config", json.dumps({"loss": unsafe})),
            ]
        )
    )
    (tmp_path / "bad.h5").write_bytes(model([unsafe]))
    done = cli("scan", tmp_path, "--fix")
    assert done.code == 1, done
    assert (tmp_path / "good.keras").is_file()
    assert not (tmp_path / "bad.keras").exists()
    assert "the model itself: a Lambda layer carries code" in done.out


def test_another_suffix_is_a_usage_error(tmp_path):
    done = cli("convert", VECTORS / "graph-2.h5", tmp_path / "model.h5")
    assert done.code == 2
    assert "a .safetensors or a .keras file" in done.err
