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
_PICKLES: Final = ("pickle", frozenset(("pickle",)))
_TORCH: Final = ("PyTorch", frozenset(("zip", "pickle")))
PROMISES: Final[dict[str, tuple[str, frozenset[str]]]] = {
    **dict.fromkeys((".pkl", ".pickle", ".pk", ".p", ".joblib", ".dill", ".cloudpickle", ".sav"), _PICKLES),
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin", ".ptl", ".pt2", ".ot", ".t7", ".mar"), _TORCH),
    ".model": ("PyTorch or a vocabulary", frozenset(("zip", "pickle", "sentencepiece", "tiktoken"))),
    ".safetensors": ("safetensors", frozenset(("safetensors",))),
    ".npz": ("NumPy archive", frozenset(("zip",))),
    ".keras": ("Keras", frozenset(("zip", "hdf5"))),
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".he5", ".h5ad", ".loom"), ("HDF5", frozenset(("hdf5",)))),
    ".skops": ("skops", frozenset(("zip",))),
    ".zip": ("zip", frozenset(("zip",))),
    **{
        suffix: (name, frozenset[str]())
        for name, suffixes in (
            ("NumPy array", ".npy"),
            ("ONNX", ".onnx"),
            ("GGUF", ".gguf .ggml"),
            ("protocol buffers", ".pb .pbtxt .prototxt .caffemodel"),
            ("TensorFlow Lite", ".tflite .lite"),
            ("TensorFlow records", ".tfrecord .tfevents .index .data-00000-of-00001"),
            ("Core ML", ".mlmodel .mlpackage"),
            ("NeMo", ".nemo"),
            ("XGBoost", ".xgb .ubj .bst"),
            ("LightGBM", ".lgb .lgbm"),
            ("CatBoost", ".cbm"),
            ("Paddle", ".pdparams .pdmodel .pdopt .pdiparams"),
            ("MessagePack", ".msgpack"),
            ("PMML", ".pmml"),
            ("R data", ".rds .rda .rdata"),
            ("TensorRT", ".engine .plan .trt"),
            ("MXNet", ".params"),
            ("archive", ".tar .tgz .gz .bz2 .xz .7z .rar .zst .lz4"),
        )
        for suffix in suffixes.split()
    },
}
