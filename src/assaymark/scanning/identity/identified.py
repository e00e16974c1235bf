"""What a file was identified as, the formats by id, and a view that reads only so much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import IDENTIFY_MAX_BYTES
from assaymark.scanning.scanners import SCANNERS

if TYPE_CHECKING:
    from assaymark.core.view import View

MODEL: Final = "model"
DATA: Final = "data"
PART: Final = "part"

# id -> (name for people, the scanner that examines it). One whose scanner is not in this version is only recognised.
FORMATS: Final = {
    "pickle": ("pickle", "pickle"),
    "joblib": ("joblib", "pickle"),
    "torch-zip": ("PyTorch", "zip"),
    "torch-legacy": ("PyTorch, legacy", "pickle"),
    "torch-tar": ("PyTorch, tar", "tar"),
    "torchscript": ("TorchScript", "zip"),
    "pt2": ("PyTorch export (PT2)", "zip"),
    "npy-objects": ("NumPy objects", "npy"),
    "npz-objects": ("NumPy archive with objects", "npy"),
    "safetensors": ("safetensors", "safetensors"),
    "gguf": ("GGUF", "gguf"),
    "ggml": ("GGML", "ggml"),
    "onnx": ("ONNX", "onnx"),
    "hdf5": ("HDF5", "hdf5"),
    "keras-hdf5": ("Keras (HDF5)", "hdf5"),
    "keras-zip": ("Keras 3", "hdf5"),
    "savedmodel": ("TensorFlow SavedModel", "tensorflow"),
    "tensorflow-graph": ("TensorFlow graph", "tensorflow"),
    "tflite": ("TensorFlow Lite", "tflite"),
    "tfjs": ("TensorFlow.js", "tfjs"),
    "xgboost-json": ("XGBoost (JSON)", "xgboost"),
    "xgboost-ubj": ("XGBoost (UBJSON)", "xgboost"),
    "xgboost-binary": ("XGBoost (binary)", "xgboost"),
    "lightgbm": ("LightGBM", "lightgbm"),
    "catboost": ("CatBoost", "catboost"),
    "catboost-json": ("CatBoost (JSON)", "catboost"),
    "coreml": ("Core ML", "coreml"),
    "openvino": ("OpenVINO", "openvino"),
    "pmml": ("PMML", "pmml"),
    "r": ("R data", "r"),
    "paddle": ("PaddlePaddle", "paddle"),
    "paddle-params": ("PaddlePaddle weights", "paddle"),
    "nemo": ("NeMo", "tar"),
    "skops": ("skops", "zip"),
    "zip": ("zip archive", "zip"),
    "tar": ("tar archive", "tar"),
    "compressed": ("compressed file", "gzip"),
    "huggingface": ("Hugging Face folder", ""),
    "diffusers": ("Diffusers folder", ""),
    "mlflow": ("MLflow folder", ""),
    "coreml-package": ("Core ML package", ""),
}
_PRESENT: Final = frozenset(part.id for part in SCANNERS)


@dataclass(frozen=True, slots=True)
class Identified:
    """What a file is. ``kind``: ``model``; ``data`` for a container that holds no more than plain data.

    ``holds`` is the format in an archive or behind a compression; ``refers`` names files beside it that it needs, as
    the file itself says, hostile or not.
    """

    format: str
    kind: str = MODEL
    holds: str = ""
    refers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The format for people: ``Core ML``, ``zip archive with GGUF``."""
        own = FORMATS[self.format][0]
        return f"{own} with {FORMATS[self.holds][0]}" if self.holds else own

    @property
    def examined(self) -> bool:
        """Whether this version has a scanner of the format; what it skips, it says in its report."""
        return FORMATS[self.format][1] in _PRESENT


class BoundedView:
    """A view that hands out ``IDENTIFY_MAX_BYTES`` in all, so that no file costs more to identify."""

    __slots__ = ("_left", "_view")

    def __init__(self, view: View) -> None:
        self._view = view
        self._left = IDENTIFY_MAX_BYTES

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._view.size

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``.

        Raises:
            InputError: ``identify-limit``.
        """
        self._left -= length
        if self._left < 0:
            raise InputError(
                "identify-limit",
                f"what it is takes more than {IDENTIFY_MAX_BYTES} bytes to find out",
                remedy="`assaymark scan` reads it whole",
            )
        return self._view.read(offset, length)
