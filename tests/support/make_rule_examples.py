"""Writes the example files of ``rules/<id>/pass`` and ``fail``: ``python -m tests.support.make_rule_examples``.

No payload does anything worse than print: the examples are shipped with the product.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.support.asm import (
    BUILD,
    EMPTY_DICT,
    MARK,
    NEWOBJ,
    NONE,
    STACK_GLOBAL,
    STOP,
    call,
    glob,
    make_zip,
    number,
    proto,
    safetensors,
    tensor,
    text,
    torch_zip,
    zip_entry,
)
from tests.support.examples_containers import EXAMPLES as CONTAINERS
from tests.support.examples_documents import EXAMPLES as DOCUMENTS
from tests.support.examples_graphs import EXAMPLES as GRAPHS

RULES = Path(__file__).resolve().parents[2] / "rules"
HARMLESS = proto(2) + EMPTY_DICT + text("epoch") + number(3) + b"s" + STOP
PRINT = call("builtins", "exec", text("print('this ran while the file was loaded')"))
ORDERED = proto(2) + call("collections", "OrderedDict") + MARK + text("epoch") + number(3) + b"u" + STOP
TENSOR = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def _polyglot(front: bytes) -> bytes:
    buffer = io.BytesIO(front)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(zipfile.ZipInfo("inner.txt"), b"another reader sees this")
    return buffer.getvalue()


def _bomb() -> bytes:
    entry = zip_entry(b"big.txt", b"\x4b\x04\x00", method=8, size=1 << 30, local_size=1 << 30, packed=3)
    return make_zip([entry])


EXAMPLES: dict[str, dict[str, bytes]] = {
    "pickle-dangerous-global": {
        "fail/exec.pkl": proto(2) + PRINT + STOP,
        "fail/text-pickle.txt": b"c__builtin__\nexec\n(S\"print('this ran')\"\ntR.",
        "fail/before-a-break.pkl": proto(2) + PRINT + b"\xff",
        "fail/torch.pt": torch_zip(proto(2) + PRINT + STOP),
        "pass/plain.pkl": HARMLESS,
        "pass/state-dict.pt": torch_zip(proto(2) + tensor() + STOP, {"0": b"\0" * 16}),
    },
    "pickle-unknown-global": {
        "fail/own-class.pkl": proto(2) + glob("acme.models", "Net") + b")" + NEWOBJ + EMPTY_DICT + BUILD + STOP,
        "fail/computed-name.pkl": proto(4) + call("_codecs", "encode", text("os"), text("latin1")) + text("getcwd") + STACK_GLOBAL + STOP,
        "pass/ordered-dict.pkl": ORDERED,
    },
    "pickle-unsafe-use": {
        "fail/build-with-slots.pkl": proto(2) + call("collections", "OrderedDict") + NONE + EMPTY_DICT + b"\x86" + BUILD + STOP,
        "fail/another-codec.pkl": proto(2) + call("_codecs", "encode", text("x"), text("rot13")) + STOP,
        "pass/latin1.pkl": proto(2) + call("_codecs", "encode", text("x"), text("latin1")) + STOP,
    },
    "pickle-extension": {
        "fail/extension.pkl": proto(2) + b"\x82\x07" + STOP,
        "pass/plain.pkl": HARMLESS,
    },
    "pickle-persistent-id": {
        "fail/persistent.pkl": proto(2) + text("object 7") + b"Q" + STOP,
        "pass/storage.pt": torch_zip(proto(2) + tensor() + STOP, {"0": b"\0" * 16}),
    },
    "torch-storage-size": {
        "fail/short-storage.pt": torch_zip(proto(2) + tensor() + STOP, {"0": b"\0" * 15}),
        "fail/beyond-storage.pt": torch_zip(proto(2) + tensor(size=(5,)) + STOP, {"0": b"\0" * 16}),
        "pass/fits.pt": torch_zip(proto(2) + tensor() + STOP, {"0": b"\0" * 16}),
    },
    "zip-ambiguous": {
        "fail/two-names.zip": make_zip([zip_entry(b"a.txt", b"text", local_name=b"b.txt")]),
        "fail/twice.zip": make_zip([zip_entry(b"a.txt", b"one"), zip_entry(b"a.txt", b"two")]),
        "fail/gap.zip": make_zip([zip_entry(b"a.txt", b"text")], gap=b"nobody lists this"),
        "pass/plain.zip": make_zip([zip_entry(b"a.txt", b"text"), zip_entry(b"b.txt", b"text")]),
    },
    "safetensors-malformed": {
        "fail/trailing.safetensors": safetensors(TENSOR, b"\0" * 8 + b"behind"),
        "fail/overlap.safetensors": safetensors(TENSOR | {"x": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, b"\0" * 12),
        "pass/plain.safetensors": safetensors(TENSOR, b"\0" * 8),
    },
    "file-polyglot": {
        "fail/card-and-zip.md": _polyglot(b"# A model card\n"),
        "fail/tensors-and-zip.safetensors": _polyglot(safetensors(TENSOR, b"\0" * 8)),
        "pass/card.md": b"# A model card\n",
    },
    "scan-resource": {
        "fail/bomb.zip": _bomb(),
        "pass/plain.zip": make_zip([zip_entry(b"a.txt", b"text")]),
    },
}  # fmt: skip
EXAMPLES |= GRAPHS


EXAMPLES |= CONTAINERS
EXAMPLES |= DOCUMENTS


def main() -> None:
    """Write every example."""
    for rule, files in EXAMPLES.items():
        for name, data in files.items():
            path = RULES / rule / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


if __name__ == "__main__":
    main()
