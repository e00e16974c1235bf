"""Models with a magic or a text of their own at the beginning: one line each, and what else must hold."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import IDENTIFY_HEAD_BYTES, IDENTIFY_INFLATED_BYTES
from assaymark.formats.safetensors import has_safetensors_shape
from assaymark.scanning.identity.identified import DATA, MODEL, PART, Identified
from assaymark.scanning.identity.protobuf import identify_protobuf

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View

_GGUF_VERSIONS: Final = (1, 2, 3)
_GGUF_COUNT_MOST: Final = 10_000_000  # of tensors and of keys
_GGML: Final = (b"lmgg", b"fmgg", b"tjgg", b"algg", b"tggg")  # ggml, ggmf, ggjt, ggla, all little-endian
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_HDF5_PLACES: Final = (0, 512, 1024, 2048)
_KERAS: Final = (b"keras_version", b"model_config", b"layer_names", b"_layer_checkpoint_dependencies")
_JSON_STARTS: Final[tuple[tuple[str, re.Pattern[bytes]], ...]] = (
    ("xgboost-json", re.compile(rb'\{\s*"(?:learner"\s*:\s*\{\s*"(?:attributes|feature_names|gradient_booster)|version"\s*:\s*\[[\d, ]+\]\s*,\s*"learner)"')),  # noqa: E501
    ("tfjs", re.compile(rb'\{[^{]*"(?:format"\s*:\s*"(?:layers|graph)-model"|modelTopology"\s*:)')),
    ("catboost-json", re.compile(rb'\{\s*"(?:features_info|ctr_data|model_info|oblivious_trees)"')),
)  # fmt: skip
_CATBOOST_KEYS: Final = (
    b'"float_features"',
    b'"categorical_features"',
    b'"oblivious_trees"',
    b'"catboost_version_info"',
)
_UBJ: Final = re.compile(rb"\{(?:L\x00{7}|l\x00{3}|i|U)\x07learner[{]")
_UBJ_VERSION: Final = re.compile(rb"\{(?:L\x00{7}|l\x00{3}|i|U)\x07(?:learner|version)[{\[]")
_XML_PMML: Final = re.compile(rb"<(?:\w+:)?PMML[\s>]")
_XML_OPENVINO: Final = re.compile(rb"<net\s[^>]*\bversion=[\"']\d+[\"'][^>]*>\s*<layers>")
# dmlc LearnerModelParam is 136 bytes; then the objective's name with its length in 8 bytes.
_XGBOOST_NAME_AT: Final = 136
_XGBOOST_NAME: Final = re.compile(rb"(?:reg|binary|multi|rank|count|survival):[a-z:]+")
# Classes of R's models, as their names are serialised: the header of a CHARSXP, the length, the name.
_R_CLASSES: Final = (
    "lm glm nls loess gam randomForest ranger gbm rpart train.formula nnet ksvm lda qda glmnet cv.glmnet naiveBayes"
    " xgb.Booster lgb.Booster catboost.Model model_fit constparty kmeans prcomp coxph lmerMod merMod"
)
_R_MODELS: Final = re.compile(
    b"|".join(
        b"\\x00\\x04\\x00\\x09" + re.escape(len(name).to_bytes(4, "big") + name.encode())
        for name in _R_CLASSES.split()
    )
)
# TensorDesc in a Paddle LoDTensor: version, level of detail, version again, all 0; then a small message.
_PADDLE_ZEROS: Final = b"\0" * 16


def identify_plain(view: View, head: bytes) -> Identified | None:
    """The first format whose beginning and structure fit; None for anything else."""
    probe = _BY_BYTE.get(head[0]) if head else None
    found = probe(view, head) if probe is not None else None
    if found is not None:
        return found
    for other in _ANYWHERE:
        found = other(view, head)
        if found is not None:
            return found
    return None


def _gguf(view: View, head: bytes) -> Identified | None:
    if head[:4] != b"GGUF" or len(head) < 24:  # noqa: PLR2004 - magic, version, two counts
        return None
    for order in "<>":
        version, tensors, keys = struct.unpack_from(f"{order}IQQ", head, 4)
        if version in _GGUF_VERSIONS and max(tensors, keys) <= min(_GGUF_COUNT_MOST, view.size):
            return Identified("gguf")
        version, tensors, keys = struct.unpack_from(f"{order}III", head, 4)
        if version == 1 and max(tensors, keys) <= min(_GGUF_COUNT_MOST, view.size):
            return Identified("gguf")
    return None


def _ggml(_view: View, head: bytes) -> Identified | None:
    # The unversioned one has the size of its vocabulary next, the others a version below 100.
    most = 1_000_000 if head[:4] == b"lmgg" else 100
    number = int.from_bytes(head[4:8], "little")
    return Identified("ggml") if head[:4] in _GGML and len(head) > 32 and 0 < number <= most else None  # noqa: PLR2004


def _hdf5(view: View, head: bytes) -> Identified | None:
    if not any(head[place : place + 8] == _HDF5 for place in _HDF5_PLACES):
        return None
    begin = view.read(0, IDENTIFY_INFLATED_BYTES)
    end = view.read(max(0, view.size - IDENTIFY_INFLATED_BYTES), IDENTIFY_INFLATED_BYTES)
    keras = any(word in part for word in _KERAS for part in (begin, end))
    return Identified("keras-hdf5") if keras else Identified("hdf5", DATA)


def _catboost(view: View, head: bytes) -> Identified | None:
    size = int.from_bytes(head[4:8], "little")
    return Identified("catboost") if head[:4] == b"CBM1" and 0 < size <= view.size - 8 else None


def _tree_text(_view: View, head: bytes) -> Identified | None:
    fits = head.startswith((b"tree\nversion=v", b"tree\r\nversion=v")) and b"num_class=" in head[:512]
    return Identified("lightgbm") if fits else None


def _binf(_view: View, head: bytes) -> Identified | None:
    at = 4 + _XGBOOST_NAME_AT
    return Identified("xgboost-binary") if head[:4] == b"binf" and _is_objective(head, at) else None


def _is_objective(head: bytes, at: int) -> bool:
    length = int.from_bytes(head[at : at + 8], "little")
    return 4 < length < 64 and _XGBOOST_NAME.fullmatch(head[at + 8 : at + 8 + length]) is not None  # noqa: PLR2004


def _json(view: View, head: bytes) -> Identified | None:
    if _UBJ.match(head) or (_UBJ_VERSION.match(head) and b"\x07learner{" in head):
        return Identified("xgboost-ubj")
    for name, pattern in _JSON_STARTS:
        if pattern.match(head):
            if name != "catboost-json":
                return Identified(name)
            end = view.read(max(0, view.size - len(head)), len(head))
            if sum(key in head or key in end for key in _CATBOOST_KEYS) > 1:
                return Identified(name)
    if b'"pir"' in head[:200] and b'"base_code"' in head[:200]:
        return Identified("paddle")
    return None


def _xml(_view: View, head: bytes) -> Identified | None:
    if _XML_PMML.search(head) and b"dmg.org/PMML" in head:
        return Identified("pmml")
    return Identified("openvino") if _XML_OPENVINO.search(head) else None


def _r(view: View, head: bytes) -> Identified | None:
    """R Internals, "Serialization Formats": X is XDR, A is text, B is binary; RDX and RDA open a workspace."""
    rest = head[5:] if head[:5] in (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n") else head
    fits = (
        (rest[:2] == b"X\n" and rest[2:5] == b"\0\0\0" and rest[5:6] in (b"\2", b"\3"))
        or (rest[:2] == b"A\n" and rest[2:4] in (b"2\n", b"3\n") and rest[4:10].strip().isdigit())
        or (rest[:2] == b"B\n" and rest[2:6] in (b"\2\0\0\0", b"\3\0\0\0"))
    )
    if not fits:
        return None
    begin = view.read(0, IDENTIFY_INFLATED_BYTES)
    end = view.read(max(0, view.size - IDENTIFY_INFLATED_BYTES), IDENTIFY_INFLATED_BYTES)
    return Identified("r", MODEL if any(_R_MODELS.search(part) for part in (begin, end)) else DATA)


def _zeros(_view: View, head: bytes) -> Identified | None:
    size = int.from_bytes(head[16:20], "little")
    fits = head[:16] == _PADDLE_ZEROS and 2 <= size <= 64 and head[20:21] == b"\x08" and head[22:23] == b"\x10"  # noqa: PLR2004
    return Identified("paddle-params", PART) if fits else None


def _tflite(view: View, head: bytes) -> Identified | None:
    fits = head[4:8] == b"TFL3" and 8 <= int.from_bytes(head[:4], "little") < view.size  # noqa: PLR2004
    return Identified("tflite") if fits else None


def _safetensors(view: View, head: bytes) -> Identified | None:
    if head[8:9] != b"{" or head[5:8] != b"\0\0\0":
        return None
    if not has_safetensors_shape(view):
        return None
    if b'"data_offsets"' in head or b"__metadata__" in head:
        return Identified("safetensors")
    # A header may be padded, begin with a long name, or spell its keys with escapes: loaders take it all the same.
    end = 8 + int.from_bytes(head[:8], "little")
    if end <= len(head) and b"\\" not in head[:end]:
        return None
    start = max(8, end - IDENTIFY_HEAD_BYTES)
    closed = view.read(start, end - start).rstrip(b" \t\r\n")
    return Identified("safetensors") if not closed or closed.endswith(b"}") else None


def _xgboost_binary(_view: View, head: bytes) -> Identified | None:
    return Identified("xgboost-binary") if _is_objective(head, _XGBOOST_NAME_AT) else None


def _protobuf(view: View, head: bytes) -> Identified | None:
    try:
        return identify_protobuf(view, head)
    except InputError as error:
        if error.code == "identify-limit":
            raise
        return None


_BY_BYTE: Final[dict[int, Callable[[View, bytes], Identified | None]]] = {
    ord("G"): _gguf,
    **{magic[0]: _ggml for magic in _GGML},
    ord("C"): _catboost,
    ord("b"): _binf,
    ord("{"): _json,
    ord("<"): _xml,
    0xEF: _xml,
    **dict.fromkeys(b"RXAB", _r),
    0: _zeros,
}


def _letters(view: View, head: bytes) -> Identified | None:
    """Formats that share their first byte with another."""
    return _tree_text(view, head) if head[:4] == b"tree" else None


_ANYWHERE: Final[tuple[Callable[[View, bytes], Identified | None], ...]] = (
    _letters,
    _hdf5,
    _tflite,
    _safetensors,
    _xgboost_binary,
    _protobuf,
)
