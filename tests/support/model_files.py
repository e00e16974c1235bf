"""The least of each model format, written by hand from its specification; nothing here comes from our readers."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib

from tests.support.cli import safetensors_bytes


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    """A varint field of a protocol buffer."""
    return varint(field << 3) + varint(value)


def part(field: int, data: bytes | str) -> bytes:
    """A length-delimited field of a protocol buffer."""
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def onnx(location: str = "") -> bytes:
    node = part(1, "x") + part(2, "y") + part(4, "Relu")
    entry = part(1, "location") + part(2, location)
    tensor = part(8, "w") + (part(13, entry) if location else b"")
    graph = part(1, node) + part(2, "g") + part(5, tensor)
    return number(1, 9) + part(2, "test") + part(7, graph) + part(8, part(1, "") + number(2, 20))


def savedmodel() -> bytes:
    graph = part(1, part(1, "x") + part(2, "Placeholder"))
    return number(1, 1) + part(2, part(1, part(4, "serve")) + part(2, graph))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def npy(descr: str, data: bytes) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def r_string(text: str) -> bytes:
    return b"\x00\x04\x00\x09" + struct.pack(">i", len(text)) + text.encode()


HDF5 = b"\x89HDF\r\n\x1a\n\x00\x00\x00\x00\x00\x08\x08\x00" + b"\0" * 200
CLASS = b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x07sklearn\x8c\x05Thing\x93)\x81."
JOBLIB = b"\x80\x04\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81."
PLAIN = pickle.dumps({"a": [1, 2.5, "x"], "b": {"c": None}}, 4)
TORCH = {"m/data.pkl": b"\x80\x02}q\x00.", "m/version": b"3\n", "m/data/0": b"\0" * 16}
RDS = b"X\n\x00\x00\x00\x03\x00\x04\x03\x00\x00\x03\x05\x00\x00\x00\x00\x05UTF-8\x00\x00\x03\x13"

MODELS: dict[str, bytes] = {
    "safetensors": safetensors_bytes(),
    "pickle": CLASS,
    "joblib": JOBLIB,
    "torch-zip": zipped(TORCH),
    "torchscript": zipped(TORCH | {"m/constants.pkl": b"\x80\x02).", "m/code/__torch__.py": b"x"}),
    "pt2": zipped({"m/archive_format": b"pt2", "m/models/model.json": b"{}"}),
    "torch-legacy": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2),
    "torch-tar": tarred({"sys_info": b"\x80\x02}.", "pickle": b"\x80\x02}.", "storages": b"\x80\x02K\x00."}),
    "npy-objects": npy("|O", pickle.dumps([{}], 2)),
    "npz-objects": zipped({"a.npy": npy("|O", pickle.dumps([{}], 2))}, zipfile.ZIP_DEFLATED),
    "gguf": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 4) + b"name" + b"\0" * 16,
    "ggml": b"tjgg" + struct.pack("<8I", 3, 32000, 512, 256, 8, 8, 64, 2) + b"\0" * 32,
    "onnx": onnx(),
    "keras-hdf5": HDF5 + b"keras_version\0model_config\0",
    "keras-zip": zipped({"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": HDF5}),
    "savedmodel": savedmodel(),
    "tensorflow-graph": part(1, part(1, "x") + part(2, "Placeholder")) + part(4, number(1, 1087)),
    "tflite": struct.pack("<I", 28) + b"TFL3" + b"\0" * 64,
    "tfjs": b'{"format": "layers-model", "generatedBy": "keras v2", "modelTopology": {}}',
    "xgboost-json": b'{"learner":{"attributes":{},"feature_names":[],"gradient_booster":{}},"version":[3,0,0]}',
    "xgboost-ubj": b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x0aattributes{}}}",
    "xgboost-binary": b"binf" + b"\0" * 136 + struct.pack("<Q", 15) + b"binary:logistic" + b"\0" * 20,
    "lightgbm": b"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=3\n",
    "catboost": b"CBM1" + struct.pack("<I", 40) + b"\0" * 60,
    "catboost-json": b'{"features_info":{"float_features":[]},"oblivious_trees":[]}',
    "coreml": number(1, 4) + part(2, part(1, "x")) + part(302, part(1, b"")),
    "openvino": b'<?xml version="1.0"?>\n<net name="m" version="11">\n\t<layers>\n\t</layers></net>',
    "pmml": b'<?xml version="1.0"?>\n<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"></PMML>',
    "r": gzip.compress(RDS + r_string("class") + r_string("randomForest"), mtime=0),
    "paddle": part(1, number(1, 0) + number(2, 2**64 - 1) + part(3, part(1, "x"))) + part(4, number(1, 0)),
    "nemo": tarred({"./model_config.yaml": b"target: x\n", "./model_weights.ckpt": zipped(TORCH)}),
    "skops": zipped({"schema.json": b'{"__class__": "X", "__module__": "m", "__loader__": "ObjectNode"}'}),
    "zip": zipped({"docs/a.txt": b"words " * 9, "inner.bin": b"GGUF" + struct.pack("<IQQ", 3, 0, 0)}),
    "tar": tarred({"a.txt": b"words " * 9, "inner.bin": safetensors_bytes()}),
    "compressed": gzip.compress(CLASS, mtime=0),
}
VARIANTS: dict[str, tuple[str, bytes]] = {
    "pickle of protocol 0": ("pickle", b"cposix\nsystem\n(S'id'\ntR."),
    "joblib in zlib": ("joblib", zlib.compress(JOBLIB)),
    "joblib in bzip2": ("joblib", bz2.compress(JOBLIB)),
    "joblib in xz": ("joblib", lzma.compress(JOBLIB)),
    "NeMo in gzip": ("nemo", tarred({"model_config.yaml": b"a: 1", "m.ckpt": b"x"}, "w:gz")),
    "big-endian GGUF": ("gguf", b"GGUF" + struct.pack(">IQQ", 3, 0, 0)),
    "torch zip cut short": ("torch-zip", zipped(TORCH)[:120]),
    "HDF5 behind a user block": ("keras-hdf5", b"\0" * 512 + MODELS["keras-hdf5"]),
    "XGBoost without magic": ("xgboost-binary", MODELS["xgboost-binary"][4:]),
}
NO_MODELS: dict[str, bytes] = {
    "nothing": b"",
    "text": b"Some words.\n" * 50,
    "Python": b"import os\nclass A:\n    pass\n" * 20,
    "names that read as imports": b"cryptography/a.py,sha256=x,1\n" * 40,
    "JSON": b'{"model": {"layers": [1, 2]}, "learner": "me", "version": [1]}',
    "a list of words": b"".join(b"cat\ndog\ncow\n" for _ in range(20)),
    "XML": b"<?xml version='1.0'?><project><net/><layers/></project>",
    "a plain zip": zipped({"a.txt": b"words " * 20, "b.json": b'{"a": 1, "b": 22}'}),
    "arrays": zipped({"a.npy": npy("<f8", b"\0" * 8)}),
    "array": npy("<f8", b"\0" * 8),
    "tar": tarred({"a.txt": b"words " * 20}),
    "gzip": gzip.compress(b"words " * 200, mtime=0),
    "PNG": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "ELF": b"\x7fELF" + bytes(range(256)),
    "zeros": b"\0" * 5000,
    "a message of another schema": part(1, "name") + number(2, 4) + part(3, "x"),
    "a word that is a magic": b"GGUF is a format of models, and this is a text about it.",
    "CBM1": b"CBM1 and more words than a model has",
}
