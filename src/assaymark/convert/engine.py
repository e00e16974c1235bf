"""The engine that the confined process runs: one file's bytes in, its plan or an error out, as JSON.

What does not lie in the file as it is comes out as bytes before the answer: the content of a compressed file, which
is then a file of its own, or what the plan's pieces derive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.hdf5_file import plan_hdf5
from assaymark.convert.keras.plan import plan_keras
from assaymark.convert.plan import Plan, output_bound, plan_to_json
from assaymark.convert.safetensors_file import plan_safetensors
from assaymark.convert.torch_file import plan_archive, plan_pickles
from assaymark.core.errors import InputError, InternalError
from assaymark.core.limits import CONVERT_MAX_DERIVED_BYTES
from assaymark.core.view import SliceView
from assaymark.formats.compressed import packed, unpack
from assaymark.formats.hdf5.reader import MAGIC as HDF5_MAGIC
from assaymark.formats.safetensors import has_safetensors_shape
from assaymark.formats.zip import LOCAL_MAGIC

_KNOWN: Final = "torch (both forms), pickle, joblib, safetensors and HDF5 (Keras 2) are"
_KERAS: Final = "name the result .safetensors"
# The first opcodes of what Python's own pickler writes: PROTO, or in protocol 0 and 1 a container, a global, a text.
_PICKLE_STARTS: Final = frozenset(bytes((byte,)) for byte in b"\x80(]})cIJKMLFGVXSUTN")

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from assaymark.convert.plan import Piece
    from assaymark.core.view import View


def answer(view: View, _path: str) -> Generator[bytes, None, dict[str, Any]]:
    """``{"plan": ...}``, ``{"unpacked": bytes}`` or ``{"error": {"code", "message", "position"}}``.

    Yields what is derived from the file: of a compressed one its content, of any other what the plan's pieces make.
    """
    return (yield from _answer(make, view))


def answer_keras(view: View, _path: str) -> Generator[bytes, None, dict[str, Any]]:
    """The same for a ``.keras`` archive."""
    return (yield from _answer(make_keras, view))


def _answer(maker: Callable[[View], Plan], view: View) -> Generator[bytes, None, dict[str, Any]]:
    try:
        kind, start = packed(view)
        if kind:
            size = 0
            for data in unpack(SliceView(view, start, view.size - start), kind):
                size += len(data)
                yield data
            return {"unpacked": size}
        plan = maker(view)
        for piece in plan.pieces:
            yield from _made(piece)
        return {"plan": plan_to_json(plan)}
    except InputError as error:
        said = {"code": error.code, "message": error.message, "position": error.position, "remedy": error.remedy}
        return {"error": said}


def _made(piece: Piece) -> Generator[bytes, None, None]:
    left = piece.length
    for data in piece.chunks():
        left -= len(data)
        yield data
    if left:
        raise InternalError("convert-reader", "it derives other bytes than it planned")


def make(view: View) -> Plan:
    """The plan for the file, by its content.

    Raises:
        InputError: a ``convert-*`` code, or one of the format's reader.
    """
    if view.read(0, 4) == LOCAL_MAGIC:
        plan = plan_archive(view)
    elif has_safetensors_shape(view):
        plan = plan_safetensors(view)
    elif view.read(0, len(HDF5_MAGIC)) == HDF5_MAGIC:
        plan = plan_hdf5(view)
    elif view.read(0, 1) in _PICKLE_STARTS:
        plan = plan_pickles(view)
    else:
        raise InputError("convert-unknown", "no format that is converted", remedy=_KNOWN)
    total = sum(tensor.size for tensor in plan.tensors)
    if total > output_bound(view.size + plan.derived):
        raise InputError(
            "convert-limit", f"tensors that share bytes would take {total} bytes, from a file of {view.size}"
        )
    if plan.derived > CONVERT_MAX_DERIVED_BYTES:
        raise InputError(
            "convert-limit", f"tensors that are encoded take more than {CONVERT_MAX_DERIVED_BYTES} bytes"
        )
    return plan


def make_keras(view: View) -> Plan:
    """The plan for a ``.keras`` archive of a Keras model in HDF5.

    Raises:
        InputError: as ``plan_keras``; ``convert-keras`` for a file of another format.
    """
    if view.read(0, len(HDF5_MAGIC)) != HDF5_MAGIC:
        raise InputError("convert-keras", "no HDF5 file, of which alone a .keras archive is made", remedy=_KERAS)
    return plan_keras(view)
