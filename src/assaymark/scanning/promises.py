"""What a file's name promises. A name never makes a file inert; a broken promise is not a good result."""

from __future__ import annotations

from typing import Final

# Loaders, interpreters and linkers run these whatever is in them.
CODE_SUFFIXES: Final = frozenset(
    f".{name}"
    for names in (
        "py pyc pyo pyw pyi pyx pyd ipynb jinja jinja2 j2 tmpl",
        "sh bash zsh fish bat cmd ps1 exe so dll dylib",
        "js mjs cjs ts wasm jar class lua rb pl php r jl c cc cpp cu h hpp go rs java",
    )
    for name in names.split()
)

# What a name promises: suffix -> (format's name, kinds of content that keep the promise).
_PICKLES: Final = ("pickle", frozenset(("pickle", "compressed")))
_TORCH: Final = ("PyTorch", frozenset(("zip", "pickle", "tar", "compressed")))
_BOOSTERS: Final = ("ubjson", "xgboost", "lightgbm")
PROMISES: Final[dict[str, tuple[str, frozenset[str]]]] = {
    **dict.fromkeys((".pkl", ".pickle", ".pk", ".p", ".joblib", ".dill", ".cloudpickle", ".sav"), _PICKLES),
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".ptl", ".pt2", ".ot", ".t7", ".mar"), _TORCH),
    ".bin": (
        "PyTorch",
        frozenset(
            ("zip", "pickle", "tar", "compressed", "coreml-weights", "paddle-params", "gguf", "ggml", "xgboost")
        ),
    ),
    ".model": (
        "PyTorch, a vocabulary or a booster",
        frozenset(("zip", "pickle", "tar", "compressed", *_BOOSTERS, "json", "sentencepiece", "tiktoken")),
    ),
    ".safetensors": ("safetensors", frozenset(("safetensors",))),
    ".npz": ("NumPy archive", frozenset(("zip",))),
    ".keras": ("Keras", frozenset(("zip", "hdf5"))),
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".he5", ".h5ad", ".loom"), ("HDF5", frozenset(("hdf5",)))),
    ".skops": ("skops", frozenset(("zip",))),
    ".zip": ("zip", frozenset(("zip",))),
    ".npy": ("NumPy array", frozenset(("numpy",))),
    ".nemo": ("NeMo", frozenset(("tar", "compressed"))),
    ".tar": ("tar", frozenset(("tar",))),
    ".7z": ("7z", frozenset(("7z",))),
    **dict.fromkeys(
        (".tgz", ".gz", ".bz2", ".xz", ".zst", ".lz4", ".lzma", ".z"), ("compressed file", frozenset(("compressed",)))
    ),
    **{
        suffix: (name, frozenset(kinds.split()))
        for name, suffixes, kinds in (
            ("ONNX", ".onnx .ort", "onnx"),
            ("protocol buffers", ".pb", "tensorflow onnx"),
            ("protocol buffers as text", ".pbtxt .prototxt", "tensorflow-text text"),
            ("GGUF", ".gguf", "gguf"),
            ("GGML", ".ggml", "gguf ggml"),
            ("TensorFlow Lite", ".tflite .lite", "tflite"),
            ("Core ML", ".mlmodel .mlpackage", "coreml"),
            ("XGBoost", ".xgb .ubj .bst", "ubjson xgboost json"),
            ("LightGBM", ".lgb .lgbm", "lightgbm"),
            ("CatBoost", ".cbm", "catboost"),
            ("Paddle program", ".pdmodel", "paddle"),
            ("Paddle weights", ".pdiparams", "paddle-params"),
            ("Paddle weights", ".pdparams .pdopt", "pickle paddle-params compressed"),
            ("MessagePack", ".msgpack", "msgpack"),
            ("PMML", ".pmml", "pmml"),
            ("R data", ".rds .rda .rdata", "r compressed"),
            ("TensorRT", ".engine .plan .trt", "tensorrt"),
            ("ExecuTorch", ".pte", "executorch"),
            ("TensorFlow meta graph", ".meta", "tensorflow tensorflow-text text json"),
            ("TensorFlow checkpoint", ".index", "tensorflow-table"),
            ("TensorFlow records", ".tfrecord .tfrecords .tfevents", "tensorflow-records"),
        )
        for suffix in suffixes.split()
    },
    **{
        suffix: (name, frozenset[str]())
        for name, suffixes in (
            ("Caffe", ".caffemodel"),
            ("MXNet", ".params"),
            ("archive", ".rar"),
        )
        for suffix in suffixes.split()
    },
}
