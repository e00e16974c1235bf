"""Real loaders, by name: what each imports first, and how it loads the file at ``path``.

Run by ``show.py`` in the confined child; ``path`` is the file, or the first file of a folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


def _pickle(path: Path) -> object:
    """``pickle.load`` of a file, of bytes and by the Python reader: a file that fools one of them counts."""
    import contextlib
    import io
    import pickle

    result: list[object] = []
    for load in (
        lambda: pickle.load(path.open("rb")),
        lambda: pickle.load(io.BytesIO(path.read_bytes())),
        lambda: pickle._load(path.open("rb")),  # type: ignore[attr-defined]
        lambda: pickle.load(path.open("rb"), encoding="bytes"),
    ):
        with contextlib.suppress(BaseException):
            result.append(load())
    return result


def _pickles(path: Path) -> object:
    """All pickles of a file, one after the other."""
    import pickle

    with path.open("rb") as file:
        while file.peek(1):
            pickle.load(file)
    return None


def _shelf(path: Path) -> object:
    import joblib

    return joblib.load(path)


def _numpy(path: Path) -> object:
    import numpy as np

    found = np.load(path, allow_pickle=True)
    return {name: found[name] for name in found.files} if hasattr(found, "files") else found


def _torch(path: Path) -> object:
    import torch

    return torch.load(path, weights_only=False, map_location="cpu")


def _torch_script(path: Path) -> object:
    import torch

    return torch.jit.load(str(path))()


def _torch_export(path: Path) -> object:
    import torch

    return torch.export.load(str(path))


def _torch_package(path: Path) -> object:
    import torch.package

    return torch.package.PackageImporter(str(path)).load_pickle("model", "model.pkl")


def _pandas(path: Path) -> object:
    import pandas as pd

    return pd.read_pickle(path)


def _keras(path: Path) -> object:
    import keras

    model = keras.models.load_model(path, safe_mode=False, compile=False)
    return model(__import__("numpy").ones((1, *model.input_shape[1:]))) if model.inputs else model


def _keras_safe(path: Path) -> object:
    import keras

    return keras.models.load_model(path, compile=False)


def _keras_json(path: Path) -> object:
    import keras

    keras.config.enable_unsafe_deserialization()
    return keras.models.model_from_json(path.read_text())


def _saved_model(path: Path) -> object:
    import tensorflow as tf

    model = tf.saved_model.load(str(path.parent))
    return [f() for f in model.signatures.values()] if model.signatures else model.f()


def _frozen_graph(path: Path) -> object:
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        tf.import_graph_def(graph, name="")
        return [session.run(o) for o in session.graph.get_operations() if o.name.startswith("run")]


def _onnx(path: Path) -> object:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    return [numpy_helper.to_array(t).tobytes() for t in model.graph.initializer]


def _onnxruntime(path: Path) -> object:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [value.tobytes() for value in session.run(None, {})]


def _transformers(path: Path) -> object:
    import transformers

    return transformers.AutoModel.from_pretrained(path.parent, trust_remote_code=True)


def _tokenizer(path: Path) -> object:
    import transformers

    return transformers.AutoTokenizer.from_pretrained(path.parent, trust_remote_code=True)


def _config(path: Path) -> object:
    import transformers

    return transformers.AutoConfig.from_pretrained(path.parent, trust_remote_code=True)


def _jinja(path: Path) -> object:
    """Renders a chat template as servers did before they used the sandbox."""
    import json

    import jinja2

    text = path.read_text()
    if path.suffix == ".json":
        document = json.loads(text)
        template = document["chat_template"]
        text = template if isinstance(template, str) else template[-1]["template"]
    elif path.suffix == ".gguf":
        raise ValueError
    environment = jinja2.Environment(extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"])
    environment.globals["raise_exception"] = print
    return environment.from_string(text).render(messages=[{"role": "user", "content": "hi"}], bos_token="")


def _gguf(path: Path) -> object:
    import gguf
    import jinja2

    reader = gguf.GGUFReader(path)
    for key, item in reader.fields.items():
        if "chat_template" in key and item.types[:1] == [gguf.GGUFValueType.STRING]:
            jinja2.Template(item.contents()).render(messages=[])
    return None


def _yaml(path: Path) -> object:
    import yaml

    return yaml.unsafe_load(path.read_text())


def _instantiate(path: Path) -> object:
    """What Hydra's ``instantiate`` does, in ten lines."""
    import importlib
    import json

    import yaml

    def made(node: object) -> object:
        if isinstance(node, list):
            return [made(item) for item in node]
        if not isinstance(node, dict):
            return node
        values = {key: made(value) for key, value in node.items() if key not in ("_target_", "_args_", "_partial_")}
        if "_target_" not in node:
            return values
        module, _, name = node["_target_"].rpartition(".")
        return getattr(importlib.import_module(module), name)(*made(node.get("_args_", [])), **values)  # type: ignore[misc]

    text = path.read_text()
    return made(json.loads(text) if path.suffix == ".json" else yaml.safe_load(text))


def _skops(path: Path) -> object:
    """With the release before unknown functions and methods were checked (0.9)."""
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    return skops.io.load(path, trusted=unknown)


def _mlflow(path: Path) -> object:
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(str(path.parent))


def _dill(path: Path) -> object:
    import dill

    return dill.load(path.open("rb"))


def _python(path: Path) -> object:
    import runpy

    return runpy.run_path(str(path))


def _path_file(path: Path) -> object:
    import site

    return site.addpackage(str(path.parent), path.name, None)


def _notebook(path: Path) -> object:
    import json

    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), {})
    return None


def _shell(path: Path) -> object:
    import subprocess

    return subprocess.run(["sh", str(path)], check=False)


def _unpack(path: Path) -> object:
    """Unpacks archives within archives as a careless pipeline does, and unpickles what they hold."""
    import contextlib
    import io
    import pickle

    def walk(data: bytes) -> None:
        import bz2
        import gzip
        import lzma
        import tarfile
        import zipfile
        import zlib

        for unpack in (gzip.decompress, bz2.decompress, lzma.decompress, zlib.decompress):
            with contextlib.suppress(Exception):
                walk(unpack(data))
                return
        with contextlib.suppress(Exception):
            import py7zr

            with py7zr.SevenZipFile(io.BytesIO(data)) as seven:
                factory = py7zr.io.BytesIOFactory(1 << 20)
                seven.extractall(factory=factory)
                for item in factory.products.values():
                    item.seek(0)
                    walk(item.read())
            return
        with contextlib.suppress(Exception), zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                walk(archive.read(name))
            return
        with contextlib.suppress(Exception), tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                file = tar.extractfile(member)
                walk(file.read() if file else b"")
            return
        pickle.loads(data)

    walk(path.read_bytes())
    return None


def _untar(path: Path) -> object:
    """Unpacks below ``deep/er``; what lands elsewhere got out."""
    import tarfile

    target = Path("deep/er")
    target.mkdir(parents=True)
    with tarfile.open(path) as tar:
        for member in tar:
            tar.extract(member, target, filter="fully_trusted")
    return None


def _h5(path: Path) -> object:
    import h5py

    with h5py.File(path) as file:
        found: list[bytes] = []
        file.visititems(lambda _, item: found.append(bytes(item[()].tobytes())) if hasattr(item, "dtype") else None)
        found.extend(bytes(file[key][()].tobytes()) for key in file if hasattr(file[key], "dtype"))
        return found


def _logging(path: Path) -> object:
    import json
    import logging.config

    return logging.config.dictConfig(json.loads(path.read_text()))


def _sbert(path: Path) -> object:
    """What sentence-transformers does with ``modules.json``: import the type, and call its ``load``."""
    import importlib
    import json
    import sys

    sys.path.insert(0, str(path.parent))
    for module in json.loads(path.read_text()):
        package, _, name = module["type"].rpartition(".")
        getattr(importlib.import_module(package), name).load(str(path.parent))
    return None


LOADERS: Final[dict[str, tuple[tuple[str, ...], Callable[[Any], object]]]] = {
    "pickle": ((), _pickle),
    "pickles": ((), _pickles),
    "joblib": (("joblib", "numpy"), _shelf),
    "numpy": (("numpy",), _numpy),
    "torch": (("torch", "numpy"), _torch),
    "torch-script": (("torch",), _torch_script),
    "torch-export": (("torch", "torch.export"), _torch_export),
    "torch-package": (("torch", "torch.package"), _torch_package),
    "pandas": (("pandas",), _pandas),
    "keras": (("keras",), _keras),
    "keras-safe": (("keras",), _keras_safe),
    "keras-json": (("keras",), _keras_json),
    "saved-model": (("tensorflow",), _saved_model),
    "frozen-graph": (("tensorflow",), _frozen_graph),
    "onnx": (("onnx",), _onnx),
    "onnxruntime": (("onnxruntime",), _onnxruntime),
    "transformers": (("torch", "transformers"), _transformers),
    "tokenizer": (("torch", "transformers"), _tokenizer),
    "config": (("torch", "transformers"), _config),
    "jinja": (("jinja2", "jinja2.ext"), _jinja),
    "gguf": (("gguf", "jinja2"), _gguf),
    "yaml": (("yaml",), _yaml),
    "instantiate": (("yaml",), _instantiate),
    "skops": (("skops.io",), _skops),
    "mlflow": (("mlflow.pyfunc",), _mlflow),
    "dill": (("dill",), _dill),
    "python": ((), _python),
    "path-file": ((), _path_file),
    "notebook": ((), _notebook),
    "shell": ((), _shell),
    "unpack": ((), _unpack),
    "untar": ((), _untar),
    "hdf5": (("h5py",), _h5),
    "logging": ((), _logging),
    "sentence-transformers": ((), _sbert),
}
