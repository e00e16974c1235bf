"""Graphs and tables: what libraries write passes, and what reaches code, files or the network fails."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from tests.support.asm import make_zip, zip_entry
from tests.support.examples_graphs import (
    PLACEHOLDER,
    RELU,
    coreml,
    gguf,
    gguf_text,
    onnx_external,
    onnx_model,
    onnx_node,
    paddle,
    r_chars,
    r_word,
    rds,
    tf_function,
    tf_graph,
    tf_node,
    tf_saved,
    tf_text,
    torchscript,
)
from tests.support.model_files import number, part

from assaymark.core.report import Report, ScanOutcome, Severity
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

VECTORS = Path(__file__).parents[2] / "vectors" / "graphs"
MEDIUM = {"flex.tflite"}  # it needs a delegate, and says so


def scan(data: bytes, name: str) -> Report:
    return examine(BytesView(data), name)


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings if finding.severity >= Severity.HIGH}


@pytest.mark.parametrize("path", sorted(VECTORS.iterdir()), ids=lambda path: path.name)
def test_what_a_library_wrote_passes(path: Path) -> None:
    report = scan(path.read_bytes(), path.name)
    assert report.outcome() is ScanOutcome.PASS, report
    assert bool(report.findings) is (path.name in MEDIUM)


@pytest.mark.parametrize("name", ["m.ubj", "m.cbm", "quantised.gguf", "df.rds", "keras.tflite"])
def test_a_model_cut_off_never_passes(name: str) -> None:
    """Padding at the very end may be missing: nothing reads it."""
    data = (VECTORS / name).read_bytes()
    for length in range(8, len(data) * 9 // 10, max(1, len(data) // 60)):
        assert scan(data[:length], name).outcome() is not ScanOutcome.PASS, length


@pytest.mark.parametrize("name", ["m.ubj", "quantised.gguf", "big-endian.gguf", "pd.pdiparams", "df.rds", "m.cbm"])
def test_a_byte_behind_a_model_never_passes(name: str) -> None:
    assert scan((VECTORS / name).read_bytes() + b"\0" * 40, name).outcome() is not ScanOutcome.PASS


def test_onnx_as_the_reference_library_writes_it_passes() -> None:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    inner = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["z"])], "i", [], [helper.make_tensor_value_info("z", kind, [2])]
    )
    nodes = [
        helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner),
        helper.make_node("Gelu", ["y"], ["w"], domain="com.microsoft"),
        helper.make_node("Mine", ["w"], ["v"], domain="acme"),
    ]
    weight = helper.make_tensor("t", onnx.TensorProto.INT4, [3], b"\0\0", raw=True)
    graph = helper.make_graph(
        nodes, "g", [], [], [weight, helper.make_tensor("s", onnx.TensorProto.STRING, [1], [b"a"])]
    )
    function = helper.make_function(
        "acme", "Mine", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 20)]
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("acme", 1)]
    model = helper.make_model(graph, functions=[function], opset_imports=opsets)
    report = scan(model.SerializeToString(), "m.onnx")
    assert report.outcome() is ScanOutcome.PASS, report
    assert {item.format for item in report.examined} == {"onnx"}


@pytest.mark.parametrize(
    "location",
    ["/etc/passwd", "../w", "a/../../w", "..\\w", "C:\\w", "C:w", "\\\\host\\w", "~/w", "file:///etc/passwd", "http://h/w", "a\0b", "", "*/_ORT_MEM_ADDR_/*"],
)  # fmt: skip
def test_data_outside_the_folder_is_a_finding(location: str) -> None:
    report = scan(onnx_model(RELU, tensors=(onnx_external(location=location),)), "m.onnx")
    assert report.outcome() is ScanOutcome.FAIL
    assert rules(report) == {"graph-external-path"}


@pytest.mark.parametrize("location", ["w.data", "sub/w.data", "a..b", "model.onnx_data"])
def test_data_beside_the_model_is_ordinary(location: str) -> None:
    model = onnx_model(RELU, tensors=(onnx_external(location=location, offset="0", length="8", checksum="x"),))
    assert scan(model, "m.onnx").outcome() is ScanOutcome.PASS


def nested(depth: int) -> bytes:
    graph = part(1, RELU)
    for _ in range(depth):
        graph = part(1, onnx_node("If", "", part(1, "then_branch") + part(6, graph)))
    return number(1, 9) + part(7, graph)


def test_operators_are_found_in_subgraphs_functions_and_training() -> None:
    evil = onnx_node("PyOp", "ai.onnx.contrib")
    branch = onnx_node("If", "", part(1, "then_branch") + part(6, part(1, evil)))
    function = part(25, part(1, "F") + part(10, "own") + part(7, evil))
    training = part(20, part(2, part(1, evil)))
    for model in (onnx_model(branch), onnx_model(RELU, tail=function), onnx_model(RELU, tail=training)):
        assert rules(scan(model, "m.onnx")) == {"graph-runs-code"}


def test_graphs_that_nest_without_end_are_malformed() -> None:
    assert scan(nested(8), "m.onnx").outcome() is ScanOutcome.PASS
    assert rules(scan(nested(200), "m.onnx")) == {"model-malformed"}


def saving(saver: str, *nodes: bytes) -> bytes:
    """A SavedModel whose saver is the function that it calls with ``saver``."""
    save = tf_function(
        "save",
        ("prefix", "value"),
        tf_node("end", "Const", value=tf_text("_temp/part")),
        tf_node("join", "StringJoin", "prefix", "end:output:0"),
        tf_node("shard", "ShardedFilename", "join:output:0", "zero", "one"),
        tf_node("save", "SaveV2", "shard:filename:0", "names", "slices", "value"),
    )
    call = tf_node("call", "StatefulPartitionedCall", saver, "x", f=part(10, part(1, "save")))
    return tf_saved(
        tf_graph(PLACEHOLDER, tf_node("saver", "Placeholder"), call, *nodes, functions=(save,)), saver="saver"
    )


def test_the_ordinary_saver_passes() -> None:
    assert scan(saving("saver"), "saved_model.pb").outcome() is ScanOutcome.PASS


PATH = tf_node("path", "Const", value=tf_text("/etc/cron.d/x"))
SUFFIX = tf_node("up", "Const", value=tf_text("/../../../x"))
TENSORFLOW = {
    "the saver's function with another path": saving("path", PATH),
    "the saver's function with a request's path": saving("x"),
    "the saver's function with a path that leads upwards": saving(
        "joined", SUFFIX, tf_node("joined", "StringJoin", "saver", "up")
    ),
    "the saver's function called a second time": saving(
        "saver", PATH, tf_node("again", "PartitionedCall", "path", "x", f=part(10, part(1, "save")))
    ),
    "the saver's function called by a loop": saving(
        "saver", tf_node("again", "While", "path", "x", cond=part(10, part(1, "c")), body=part(10, part(1, "save")))
    ),
    "a file of a request": tf_saved(tf_graph(PLACEHOLDER, tf_node("r", "ReadFile", "x"))),
    "a vocabulary elsewhere": tf_saved(tf_graph(PATH, tf_node("t", "InitializeTableFromTextFileV2", "h", "path"))),
    "a function's file": tf_saved(
        tf_graph(PLACEHOLDER, functions=(tf_function("f", (), PATH, tf_node("r", "ReadFile", "path:output:0")),))
    ),
    "debugging to an address": tf_graph(
        PLACEHOLDER, tf_node("d", "DebugIdentityV2", "x", debug_urls=part(1, part(2, "grpc://h:1")))
    ),
    "a remote call": tf_graph(PLACEHOLDER, tf_node("d", "DataServiceDatasetV4", "x")),
    "a graph in a string": tf_graph(PLACEHOLDER, tf_node("d", "DatasetFromGraph", "x")),
    "a fixed default of a placeholder": tf_graph(
        PATH, tf_node("p", "PlaceholderWithDefault", "path"), tf_node("r", "RestoreV2", "p", "n", "s")
    ),
}


@pytest.mark.parametrize("name", TENSORFLOW)
def test_tensorflow_graphs_that_reach_out_fail(name: str) -> None:
    report = scan(TENSORFLOW[name], "saved_model.pb")
    assert rules(report) & {"graph-file-access", "graph-runs-code"}, report


def test_a_checkpoint_by_its_default_name_passes() -> None:
    graph = tf_graph(
        tf_node("name", "Const", value=tf_text("model")),
        tf_node("file", "PlaceholderWithDefault", "name"),
        tf_node("save", "SaveV2", "file", "names", "slices"),
    )
    assert scan(graph, "graph.pb").outcome() is ScanOutcome.PASS


def test_an_asset_of_a_captured_argument_passes_and_a_constant_does_not() -> None:
    """SavedObjectGraph: an asset (5) or a constant (9), and a function that is bound to it."""
    read = tf_function("f", ("name",), tf_node("r", "ReadFile", "name"))
    bound = part(2, part(1, "f") + part(2, part(2, b"\0")))
    graph = tf_graph(PATH, functions=(read,))
    asset = tf_saved(graph, objects=part(1, part(5, number(1, 0))) + bound)
    constant = tf_saved(graph, objects=part(1, part(9, part(1, "path"))) + bound)
    assert scan(asset, "saved_model.pb").outcome() is ScanOutcome.PASS
    assert rules(scan(constant, "saved_model.pb")) == {"graph-file-access"}


@pytest.mark.parametrize(
    "text",
    [
        '{"class_name": "Lambda", "config": {}}',
        '{"layers": [{"class_name": "Dense", "module": "os", "config": {}}]}',
        '{"config": {"function": ["4wEAAAAAAAAAAAAAAAEAAAABAAAAQwAAAHMEAAAAfABTAA==", null, null]}}',
    ],
)
def test_keras_metadata_that_runs_code_fails(text: str) -> None:
    node = part(1, number(2, 0) + part(3, "root") + part(4, "_tf_keras_model") + part(5, text))
    assert rules(scan(node, "keras_metadata.pb")) == {"graph-runs-code"}
    objects = part(1, part(4, part(1, "_tf_keras_model") + part(3, text)))
    assert rules(scan(tf_saved(tf_graph(PLACEHOLDER), objects=objects), "saved_model.pb")) == {"graph-runs-code"}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('torch.from_file("/etc/passwd", False, 10)', "graph-file-access"),
        ('torch.save(x, "/tmp/x")', "graph-file-access"),
        ("ops.aten.from_file(x)", "graph-file-access"),
        ("ops.prim.rpc_sync(x)", "graph-file-access"),
        ("ops.c10d.broadcast_(x)", "graph-file-access"),
        ("ops.acme.run(x)", "graph-custom-operator"),
        ("torch.classes.acme.Runner(x)", "graph-custom-operator"),
        ("annotate(__torch__.torch.classes.acme.Runner, x)", "graph-custom-operator"),
        ("torch.hub.load(x)", "graph-unknown-operator"),
        ("ops.prim.PythonOp(x)", "graph-runs-code"),
        ("(((", "model-malformed"),
    ],
)
def test_torchscript_that_reaches_out_fails(body: str, rule: str) -> None:
    assert rules(scan(torchscript(body), "m.pt")) == {rule}


@pytest.mark.parametrize(
    "body",
    ["torch.relu(x)", "ops.quantized.linear_unpack(x)", "(self.l).forward(x, )", "annotate(List[Tensor], [x])",
     "__torch__.torch.nn.functional.relu(x)", "torch.mul(x, inf)", "ops.torchvision.nms(x, x, 0.5)"],
)  # fmt: skip
def test_ordinary_torchscript_passes(body: str) -> None:
    assert scan(torchscript(body), "m.pt").outcome() is ScanOutcome.PASS


def exported(target: str, *more: bytes) -> bytes:
    program = f'{{"graph_module": {{"graph": {{"nodes": [{{"target": "{target}", "inputs": []}}]}}}}}}'
    return make_zip(
        [zip_entry(b"m/models/model.json", program.encode()), zip_entry(b"m/archive_format", b"pt2"), *more]
    )


@pytest.mark.parametrize(
    "target",
    ["torch.ops.aten.relu.default", "_operator.add", "torch.sym_max", "math.ceil", "torch.ops.higher_order.cond"],
)
def test_an_exported_program_of_operators_passes(target: str) -> None:
    assert scan(exported(target), "m.pt2").outcome() is ScanOutcome.PASS


@pytest.mark.parametrize(
    "target",
    ["torch.hub.load", "torch.serialization.os.system", "_operator.attrgetter", "torch.ops.aten.from_file.default"],
)
def test_an_exported_program_of_functions_fails(target: str) -> None:
    assert scan(exported(target), "m.pt2").outcome() is ScanOutcome.FAIL


def test_a_compiled_package_fails() -> None:
    library = zip_entry(b"m/data/aotinductor/model/a.wrapper.so", b"\x7fELF")
    assert "graph-native-code" in rules(scan(exported("torch.ops.aten.relu.default", library), "m.pt2"))


def info(name: str, offset: int, kind: int = 0, *shape: int) -> bytes:
    sizes = struct.pack(f"<{len(shape)}Q", *shape)
    return (
        struct.pack("<Q", len(name))
        + name.encode()
        + struct.pack("<I", len(shape))
        + sizes
        + struct.pack("<IQ", kind, offset)
    )


def with_data(head: bytes, size: int) -> bytes:
    return head + b"\0" * (-len(head) % 32) + b"\0" * size


def test_gguf_tensors_tile_the_file() -> None:
    two = info("a", 0, 0, 4) + info("b", 32, 0, 4)
    assert scan(with_data(gguf(tensors=two, count=2), 48), "m.gguf").outcome() is ScanOutcome.PASS


GGUF = {
    "a hole": with_data(gguf(tensors=info("a", 0, 0, 4) + info("b", 64, 0, 4), count=2), 80),
    "an overlap": with_data(gguf(tensors=info("a", 0, 0, 16) + info("b", 32, 0, 4), count=2), 64),
    "beyond the end": with_data(gguf(tensors=info("a", 0, 0, 1000), count=1), 64),
    "no alignment": with_data(gguf(tensors=info("a", 1, 0, 4), count=1), 64),
    "a shape that overflows": with_data(gguf(tensors=info("a", 0, 0, 1 << 40, 1 << 40), count=1), 64),
    "five dimensions": with_data(gguf(tensors=info("a", 0, 0, 1, 1, 1, 1, 1), count=1), 64),
    "two of one name": with_data(gguf(tensors=info("a", 0, 0, 4) + info("a", 32, 0, 4), count=2), 48),
    "a text beyond the end": gguf(struct.pack("<Q", 1) + b"k" + struct.pack("<IQ", 8, 1 << 62)),
    "an array beyond the end": gguf(struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, 4, 1 << 62)),
    "a value of no type": gguf(struct.pack("<Q", 1) + b"k" + struct.pack("<I", 99)),
    "bytes behind": with_data(gguf(tensors=info("a", 0, 0, 4), count=1), 16) + b"x" * 64,
}


@pytest.mark.parametrize("name", GGUF)
def test_gguf_that_breaks_the_rules_fails(name: str) -> None:
    assert rules(scan(GGUF[name], "m.gguf")) == {"model-malformed"}


def test_a_chat_template_is_examined_as_a_file_of_its_own() -> None:
    report = scan(gguf(gguf_text("tokenizer.chat_template", "{{ messages }}")), "m.gguf")
    assert "chat_template.jinja" in {item.member for item in (*report.skipped, *report.examined)}


def test_r_data_with_code_fails_and_a_call_is_named() -> None:
    kinds = {5: "promise", 3: "function"}
    for kind in kinds:
        report = scan(rds(r_word(kind), r_word(254), r_word(254)), "m.rds")
        assert rules(report) == {"r-code"}, kind
    call = scan(rds(r_word(6), r_word(1), r_chars("lm"), r_word(254)), "m.rds")
    assert call.outcome() is ScanOutcome.PASS
    assert [finding.rule for finding in call.findings] == ["r-code"]


def test_r_data_that_map_a_file_fail() -> None:
    """ALTREP (238): a class by its name, its state, attributes."""
    klass = r_word(2) + r_word(1) + r_chars("mmap_real") + r_word(254)
    assert rules(scan(rds(r_word(238), klass, r_word(254), r_word(254)), "m.rds")) == {"graph-file-access"}


@pytest.mark.parametrize("name", ["m.pmml", "model"])
def test_entities_fail_however_long_what_comes_before(name: str) -> None:
    data = (
        b'<?xml version="1.0"?>\n<!-- '
        + b"x" * 9000
        + b' -->\n<!DOCTYPE PMML [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n<PMML>&b;</PMML>'
    )
    assert rules(scan(data, name)) == {"xml-doctype"}


def test_a_function_of_pmml_that_is_a_class_fails() -> None:
    data = b'<?xml version="1.0"?>\n<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Apply function="java.lang.Runtime.exec"/></PMML>'
    assert rules(scan(data, "m.pmml")) == {"graph-custom-operator"}


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (coreml(555, part(10, "Acme")), "graph-custom-operator"),
        (coreml(202, part(1, coreml(555, part(10, "Acme")))), "graph-custom-operator"),
        (coreml(556, part(1, part(1, part(1, "../../x")))), "graph-external-path"),
        (coreml(500, b"") + part(555, part(10, "Acme")), "model-malformed"),
    ],
)
def test_core_ml_that_needs_more_than_itself_fails(data: bytes, rule: str) -> None:
    assert rules(scan(data, "m.mlmodel")) == {rule}


@pytest.mark.parametrize(
    ("operator", "rule"),
    [("py_func", "graph-runs-code"), ("save_combine", "graph-file-access"), ("acme_op", "graph-unknown-operator")],
)
def test_paddle_programs_that_reach_out_fail(operator: str, rule: str) -> None:
    assert rules(scan(paddle("feed", operator), "m.pdmodel")) == {rule}
    assert scan(paddle("feed", "relu", "relu_grad"), "m.pdmodel").outcome() is ScanOutcome.PASS


@pytest.mark.parametrize("name", ["m.onnx", "m.pb", "m.gguf", "m.tflite", "m.mlmodel", "m.pdmodel"])
def test_garbage_under_a_models_name_never_passes(name: str) -> None:
    for data in (b"\xff" * 100, b"\x00" * 100, b"\x08\x01" * 40):
        assert scan(data, name).outcome() is not ScanOutcome.PASS


@pytest.mark.parametrize("name", ["model.data-00000-of-00001", "w.onnx_data", "w.onnx.data"])
def test_raw_tensors_are_taken_by_name_only_when_they_are_nothing_else(name: str) -> None:
    assert scan(b"\x01\x02\x03\xfe" * 20, name).outcome() is ScanOutcome.PASS
    assert scan(b"\x80\x04cos\nsystem\n(S'id'\ntR.", name).outcome() is ScanOutcome.FAIL
    assert scan(b"\x7fELF" + b"\1" * 60, name).outcome() is not ScanOutcome.PASS


def with_archive(data: bytes, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def test_files_that_metadata_append_to_tensorflow_lite_are_examined() -> None:
    model = (VECTORS / "keras.tflite").read_bytes()
    assert scan(with_archive(model, {"labels.txt": b"cat\ndog\n"}), "m.tflite").outcome() is ScanOutcome.PASS
    report = scan(with_archive(model, {"x.pkl": b"cos\nsystem\n(S'id'\ntR."}), "m.tflite")
    assert "pickle-dangerous-global" in rules(report)


def test_names_of_files_are_followed_only_so_far() -> None:
    chain = [tf_node(f"i{n}", "Identity", f"i{n - 1}") for n in range(1, 3000)]
    graph = tf_graph(tf_node("i0", "Const", value=tf_text("/x")), *chain, tf_node("r", "ReadFile", "i2999"))
    assert rules(scan(graph, "graph.pb")) == {"graph-file-access"}
