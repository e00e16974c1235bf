"""Examples of the rules on graphs and tables, written by hand from the formats' schemas. None does anything: no loader
runs them by itself, and what they would read is the model card beside them.
"""

from __future__ import annotations

import struct

from tests.support.asm import make_zip, zip_entry
from tests.support.model_files import number, part


def onnx_model(*nodes: bytes, tensors: tuple[bytes, ...] = (), tail: bytes = b"", domain: str = "") -> bytes:
    """ModelProto: IR version, producer, a graph, an operator set; ``tail`` are more fields."""
    graph = b"".join(part(1, node) for node in nodes) + part(2, "g") + b"".join(part(5, tensor) for tensor in tensors)
    opsets = part(8, part(1, "") + number(2, 20)) + (part(8, part(1, domain) + number(2, 1)) if domain else b"")
    return number(1, 9) + part(2, "example") + part(7, graph) + opsets + tail


def onnx_node(operator: str, domain: str = "", *attributes: bytes) -> bytes:
    """NodeProto: x to y."""
    own = part(7, domain) if domain else b""
    return (
        part(1, "x")
        + part(2, "y")
        + part(3, "n")
        + part(4, operator)
        + b"".join(part(5, a) for a in attributes)
        + own
    )


def onnx_external(**entries: str) -> bytes:
    """TensorProto of two floats whose data is elsewhere."""
    kept = b"".join(part(13, part(1, key) + part(2, value)) for key, value in entries.items())
    return number(1, 2) + number(2, 1) + part(8, "w") + kept + number(14, 1)


def tf_node(name: str, operator: str, *inputs: str, **attributes: bytes) -> bytes:
    """NodeDef."""
    found = part(1, name) + part(2, operator) + b"".join(part(3, item) for item in inputs)
    return found + b"".join(part(5, part(1, key) + part(2, value)) for key, value in attributes.items())


def tf_text(text: str) -> bytes:
    """AttrValue with a tensor of one text."""
    return part(8, number(1, 7) + part(2, b"") + part(8, text))


def tf_graph(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    """GraphDef."""
    library = part(2, b"".join(part(1, function) for function in functions)) if functions else b""
    return b"".join(part(1, node) for node in nodes) + library + part(4, number(1, 1882))


def tf_function(name: str, arguments: tuple[str, ...], *nodes: bytes) -> bytes:
    """FunctionDef."""
    signature = part(1, name) + b"".join(part(2, part(1, argument)) for argument in arguments)
    return part(1, signature) + b"".join(part(3, node) for node in nodes)


def tf_saved(graph: bytes, *, saver: str = "", assets: dict[str, str] | None = None, objects: bytes = b"") -> bytes:
    """SavedModel of one meta graph; ``assets``: tensor to file."""
    meta = part(1, part(4, "serve") + part(5, "2.21.0")) + part(2, graph)
    meta += part(3, part(1, f"{saver}:0")) if saver else b""
    for tensor, name in (assets or {}).items():
        meta += part(6, part(1, part(1, f"{tensor}:0")) + part(2, name))
    return number(1, 1) + part(2, meta + (part(7, objects) if objects else b""))


def gguf(*keys: bytes, tensors: bytes = b"", count: int = 0) -> bytes:
    """GGUF version 3; ``keys`` are whole pairs, ``tensors`` the descriptions of ``count`` of them."""
    return b"GGUF" + struct.pack("<IQQ", 3, count, len(keys)) + b"".join(keys) + tensors


def gguf_text(key: str, value: str) -> bytes:
    """A key and its text."""
    raw = value.encode()
    return struct.pack("<Q", len(key)) + key.encode() + struct.pack("<IQ", 8, len(raw)) + raw


def rds(*items: bytes) -> bytes:
    """XDR of version 2 with one object."""
    return b"X\n" + struct.pack(">III", 2, 0x040301, 0x020300) + b"".join(items)


def r_word(*values: int) -> bytes:
    """Integers of four bytes."""
    return struct.pack(f">{len(values)}i", *values)


def r_chars(text: str) -> bytes:
    """A CHARSXP in UTF-8."""
    return r_word(0x00040009, len(text)) + text.encode()


def torchscript(body: str) -> bytes:
    """An archive of one module whose ``forward`` is ``body``."""
    source = "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
    source += f"  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return {body}\n"
    names = {
        "data.pkl": b"\x80\x02}.",
        "code/__torch__.py": source.encode(),
        "constants.pkl": b"\x80\x02).",
        "version": b"3\n",
    }
    return make_zip([zip_entry(f"m/{name}".encode(), data) for name, data in names.items()])


def coreml(kind: int, content: bytes) -> bytes:
    """Model of one type."""
    return number(1, 4) + part(2, part(1, b"")) + part(kind, content)


def paddle(*operators: str) -> bytes:
    """ProgramDesc of one block."""
    ops = b"".join(part(4, part(3, operator)) for operator in operators)
    return part(1, number(1, 0) + number(2, 2**64 - 1) + ops) + part(4, number(1, 0))


PMML_HEAD = b'<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4">'
CODE_IN_R = (
    r_word(5)
    + r_word(254)
    + r_word(6)
    + r_word(1)
    + r_chars("print")
    + r_word(2)
    + r_word(16, 1)
    + r_chars("ran")
    + r_word(254)
)
RELU = onnx_node("Relu")
PLACEHOLDER = tf_node("x", "Placeholder")
SAVING = tf_graph(
    tf_node("prefix", "Placeholder"),
    tf_node("save", "SaveV2", "prefix", "names", "slices", "x"),
    tf_node("restore", "RestoreV2", "prefix", "names", "slices"),
    PLACEHOLDER,
)
READING = tf_graph(tf_node("name", "Const", value=tf_text("README.md")), tf_node("read", "ReadFile", "name"))

EXAMPLES: dict[str, dict[str, bytes]] = {
    "model-malformed": {
        "fail/two-graphs.onnx": onnx_model(RELU, tail=part(7, part(2, "second"))),
        "fail/cut-off.onnx": onnx_model(RELU)[:-3],
        "fail/keys-beyond-the-file.gguf": b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60),
        "fail/key-twice.gguf": gguf(gguf_text("a", "b"), gguf_text("a", "c")),
        "pass/plain.gguf": gguf(gguf_text("general.name", "example")),
        "fail/two-nodes-of-one-name.pb": tf_graph(PLACEHOLDER, PLACEHOLDER),
        "pass/plain.onnx": onnx_model(RELU),
    },
    "graph-runs-code": {
        "fail/py-function.pb": tf_graph(PLACEHOLDER, tf_node("call", "PyFunc", "x")),
        "fail/in-a-function.pb": tf_saved(
            tf_graph(PLACEHOLDER, functions=(tf_function("f", ("a",), tf_node("call", "EagerPyFunc", "a")),))
        ),
        "fail/py-op.onnx": onnx_model(onnx_node("PyOp", "ai.onnx.contrib"), domain="ai.onnx.contrib"),
        "fail/lambda.pb": tf_saved(
            tf_graph(PLACEHOLDER),
            objects=part(1, part(4, part(1, "_tf_keras_layer") + part(3, '{"class_name": "Lambda", "config": {}}'))),
        ),
        "fail/function.pdmodel": paddle("feed", "py_func"),
        "pass/relu.pb": tf_graph(PLACEHOLDER, tf_node("y", "Relu", "x")),
    },
    "graph-file-access": {
        "fail/from-file.pt": torchscript('torch.from_file("README.md", False, 1)'),
        "pass/relu.pt": torchscript("torch.relu(x)"),
        "fail/load.pdmodel": paddle("feed", "load"),
        "pass/feed.pdmodel": paddle("feed", "relu"),
        "fail/reads.pb": READING,
        "fail/reads.pbtxt": b'node { name: "name" op: "Const" attr { key: "value" value { tensor { string_val: "README.md" } } } }\n'
        b'node { name: "read" op: "ReadFile" input: "name" }\n',
        "fail/saves-to-a-fixed-place.pb": tf_saved(SAVING.replace(b"prefix", b"prefiX", 1)),
        "fail/prints-to-a-file.pb": tf_graph(PLACEHOLDER, tf_node("p", "PrintV2", "x", output_stream=part(2, "file://log"))),
        "pass/saver.pb": tf_saved(SAVING, saver="prefix"),
        "pass/asset.pb": tf_saved(READING, assets={"name": "vocabulary.txt"}),
    },
    "graph-unknown-operator": {
        "fail/send-mail.pb": tf_graph(PLACEHOLDER, tf_node("y", "SendMail", "x")),
        "pass/relu.pb": tf_graph(PLACEHOLDER, tf_node("y", "Relu", "x")),
    },
    "graph-custom-operator": {
        "fail/domain.onnx": onnx_model(onnx_node("Decode", "com.acme"), domain="com.acme"),
        "fail/namespace.pt": torchscript("ops.acme.decode(x)"),
        "fail/layer.mlmodel": coreml(500, part(1, part(1, "l") + part(500, part(10, "AcmeLayer")))),
        "fail/extension.xml": b'<?xml version="1.0"?>\n<net name="m" version="11">\n<layers><layer id="0" name="a" type="Decode"'
        b' version="extension"/></layers></net>\n',
        "pass/layer.mlmodel": coreml(500, part(1, part(1, "l") + part(130, b""))),
        "fail/no-operator-of-onnx.onnx": onnx_model(onnx_node("Decode")),
        "pass/relu.onnx": onnx_model(RELU),
    },
    "graph-external-path": {
        "fail/upwards.onnx": onnx_model(RELU, tensors=(onnx_external(location="../../README.md"),)),
        "fail/absolute.onnx": onnx_model(RELU, tensors=(onnx_external(location="/README.md"),)),
        "fail/backslash.onnx": onnx_model(RELU, tensors=(onnx_external(location="..\\README.md"),)),
        "fail/negative.onnx": onnx_model(RELU, tensors=(onnx_external(location="w.data", offset="-8", length="8"),)),
        "fail/asset.pb": tf_saved(READING, assets={"name": "../README.md"}),
        "pass/beside.onnx": onnx_model(RELU, tensors=(onnx_external(location="w.data", offset="0", length="8"),)),
    },
    "graph-native-code": {
        "fail/compiled-context.onnx": onnx_model(
            onnx_node("EPContext", "com.microsoft", part(1, "ep_cache_context") + part(4, "a.bin")), domain="com.microsoft"
        ),
        "pass/relu.onnx": onnx_model(RELU),
    },
    "r-code": {
        "fail/promise.rds": rds(CODE_IN_R),
        "fail/pointer.rds": rds(r_word(22), r_word(254), r_word(254)),
        "pass/numbers.rds": rds(r_word(13, 2, 1, 2)),
        "pass/names.rds": rds(r_word(0x210, 1), r_chars("a"), r_word(0x402), r_word(1), r_chars("names"), r_word(16, 1), r_chars("n"), r_word(254)),
    },
    "xml-doctype": {
        "fail/entity.pmml": b'<?xml version="1.0"?>\n<!DOCTYPE PMML [<!ENTITY card SYSTEM "README.md">]>\n' + PMML_HEAD + b"&card;</PMML>\n",
        "fail/stylesheet.pmml": b'<?xml version="1.0"?>\n<?xml-stylesheet href="a.xsl"?>\n' + PMML_HEAD + b"</PMML>\n",
        "pass/plain.pmml": b'<?xml version="1.0"?>\n' + PMML_HEAD + b"</PMML>\n",
    },
}  # fmt: skip
