"""What is to be written: for each tensor where its elements lie in the source, and what is left behind.

Elements that do not lie in the source as they are, such as those of compressed chunks, are derived from it: their
bytes are handed out beside the plan, and are addressed as if they followed the source.

A plan comes from a process that met hostile bytes, so ``plan_from_json`` checks every field against the size of the
source: no plan leads out of the file and what was derived from it, writes two tensors under one name or grows the
output beyond its bound.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from assaymark.core.errors import InputError
from assaymark.core.limits import (
    CONVERT_MAX_DIMENSIONS,
    CONVERT_MAX_DROPPED,
    CONVERT_MAX_EXPANSION,
    CONVERT_MAX_HDF5_DIMENSIONS,
    CONVERT_MAX_TENSORS,
    CONVERT_SPARE_BYTES,
)
from assaymark.core.report_json import printable
from assaymark.formats.safetensors import DTYPE_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KEYS: Final = frozenset(("source", "tensors", "aliases", "dropped", "metadata", "left", "pickled", "derived", "raw"))
KERAS_HDF5: Final = "keras-hdf5"
SOURCES: Final = ("torch-zip", "torch-legacy", "pickle", "safetensors", "hdf5", KERAS_HDF5)
# A ``.keras`` archive: its members, and the names of arrays in the last of them.
CONFIGURATION: Final = "config.json"
METADATA: Final = "metadata.json"
WEIGHTS: Final = "model.weights.h5"
_PLACE: Final = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+){0,63}")
_KERAS_DTYPES: Final = frozenset(
    ("F16", "F32", "F64", *(f"{sign}{bits}" for sign in "IU" for bits in (8, 16, 32, 64)))
)


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """``shape`` elements of safetensors' ``dtype`` from byte ``start`` of the source, ``strides`` in bytes apart.

    ``swap`` is the width of the numbers whose bytes are in the other order, 0 when none are.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int
    swap: int = 0

    @property
    def width(self) -> int:
        """Bytes of one element as the source holds it."""
        return element_bytes(self.dtype)

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return math.prod(self.shape) * self.width

    @property
    def reach(self) -> int:
        """Where in the source its last byte ends; ``start`` for one without elements."""
        if 0 in self.shape:
            return self.start
        return self.start + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True)) + self.width

    @property
    def contiguous(self) -> bool:
        """Whether its elements lie one behind the other, in the order in which they are written."""
        due = self.width
        for length, step in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if length > 1 and step != due:
                return 0 in self.shape
            due *= length
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """``length`` bytes that are derived from the source; ``chunks`` makes them, as often as it is called."""

    length: int
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Plan:
    """One source file's conversion.

    ``aliases`` are pairs of names whose elements lie in the same bytes of the source; each is written in full.
    ``dropped`` says what is not carried over. ``metadata`` goes into the result's header, or is the result's
    members besides the arrays. ``left`` counts tensors
    that the source makes and that no name leads to. ``pickled`` says that the source is a pickle of objects, whose
    form only a clean scan vouches for. ``derived`` counts the bytes that follow those of the source, and ``pieces``
    makes them, where the plan is made. ``raw`` names those tensors that are no tensors of the source but its bytes.
    """

    source: str
    tensors: tuple[PlannedTensor, ...]
    aliases: tuple[tuple[str, str], ...]
    dropped: tuple[str, ...]
    metadata: dict[str, str]
    left: int = 0
    pickled: bool = False
    derived: int = 0
    pieces: tuple[Piece, ...] = ()
    raw: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """What is written: ``safetensors`` or ``keras``."""
        return "keras" if self.source == KERAS_HDF5 else "safetensors"


def element_bytes(dtype: str) -> int:
    """Bytes of one element as torch counts them: two numbers of four bits share one."""
    return max(1, DTYPE_BITS[dtype] // 8)


def stored_shape(tensor: PlannedTensor) -> tuple[int, ...]:
    """The shape in safetensors, which counts the numbers of four bits one by one."""
    if DTYPE_BITS[tensor.dtype] != 4:  # noqa: PLR2004 - bits
        return tensor.shape
    return (*tensor.shape[:-1], 2 * tensor.shape[-1]) if tensor.shape else (2,)


def find_aliases(tensors: tuple[PlannedTensor, ...]) -> tuple[tuple[str, str], ...]:
    """Each tensor whose bytes overlap those of one before it, with that one."""
    pairs = []
    owner: PlannedTensor | None = None
    for tensor in sorted(tensors, key=lambda tensor: tensor.start):
        if 0 in tensor.shape:
            continue
        if owner is not None and tensor.start < owner.reach:
            pairs.append((tensor.name, owner.name))
        if owner is None or tensor.reach > owner.reach:
            owner = tensor
    return tuple(pairs)


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as it crosses the border of the confined process."""
    return {
        "source": plan.source,
        "tensors": [
            [item.name, item.dtype, list(item.shape), list(item.strides), item.start, item.swap]
            for item in plan.tensors
        ],
        "aliases": [list(pair) for pair in plan.aliases],
        "dropped": list(plan.dropped),
        "metadata": plan.metadata,
        "left": plan.left,
        "pickled": plan.pickled,
        "derived": plan.derived,
        "raw": list(plan.raw),
    }


def plan_from_json(value: Any, source_size: int, derived: int = 0) -> Plan:
    """The plan that ``value`` says, for a source of ``source_size`` bytes and ``derived`` bytes that were handed out.

    Raises:
        InputError: ``convert-plan``.
    """
    if not isinstance(value, dict) or set(value) != _KEYS or value["source"] not in SOURCES:
        _refuse("an object with other members", "$")
    if type(value["derived"]) is not int or value["derived"] != derived:
        _refuse("other bytes than were handed out", "$.derived")
    size = source_size + derived
    tensors, names, total = [], set(), 0
    for i, item in enumerate(_list(value["tensors"], CONVERT_MAX_TENSORS, "$.tensors")):
        tensor = _tensor(item, f"$.tensors[{i}]")
        if tensor.reach > size or tensor.start < source_size < tensor.reach or tensor.name in names:
            _refuse("outside the source, or twice of one name", f"$.tensors[{i}]")
        names.add(tensor.name)
        total += tensor.size
        tensors.append(tensor)
    if total > output_bound(size):
        _refuse("tensors of more bytes than the source can hold", "$.tensors")
    aliases = []
    for i, pair in enumerate(_list(value["aliases"], CONVERT_MAX_TENSORS, "$.aliases")):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(n, str) and n in names for n in pair):  # noqa: PLR2004
            _refuse("no pair of names", f"$.aliases[{i}]")
        aliases.append((pair[0], pair[1]))
    dropped = _list(value["dropped"], CONVERT_MAX_DROPPED + 1, "$.dropped")
    if not all(isinstance(text, str) and printable(text) == text for text in dropped):
        _refuse("not printable", "$.dropped")
    raw = _list(value["raw"], CONVERT_MAX_TENSORS, "$.raw")
    if not all(isinstance(name, str) and name in names for name in raw):
        _refuse("no name of a tensor", "$.raw")
    metadata, left, pickled = value["metadata"], value["left"], value["pickled"]
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        _refuse("no object of texts", "$.metadata")
    if not _count(left) or not isinstance(pickled, bool):
        _refuse("malformed", "$.left")
    texts = tuple(dropped)
    plan = Plan(
        value["source"], tuple(tensors), tuple(aliases), texts, metadata, left, pickled, derived, raw=tuple(raw)
    )
    _check_keras(plan)
    return plan


def _check_keras(plan: Plan) -> None:
    """Of a Keras model: names are paths of groups, none within an array; types are written; two texts, no other."""
    if plan.target != "keras":
        return
    names = {tensor.name for tensor in plan.tensors}
    for i, tensor in enumerate(plan.tensors):
        inside = any(tensor.name[:at] in names for at in range(len(tensor.name)) if tensor.name[at] == "/")
        if inside or not _PLACE.fullmatch(tensor.name) or tensor.dtype not in _KERAS_DTYPES or not tensor.contiguous:
            _refuse("no array of a Keras model", f"$.tensors[{i}]")
        if len(tensor.shape) > CONVERT_MAX_HDF5_DIMENSIONS:
            _refuse("more dimensions than HDF5 has", f"$.tensors[{i}]")
    if set(plan.metadata) != {CONFIGURATION, METADATA}:
        _refuse("other members than Keras has", "$.metadata")


def output_bound(source_size: int) -> int:
    """The most bytes of tensors that a source of that size may become."""
    return CONVERT_MAX_EXPANSION * source_size + CONVERT_SPARE_BYTES


def _tensor(item: Any, where: str) -> PlannedTensor:
    if not isinstance(item, list) or len(item) != 6:  # noqa: PLR2004 - fields
        _refuse("no tensor", where)
    name, dtype, shape, strides, start, swap = item
    if not isinstance(name, str) or not name or name == "__metadata__" or not _encodes(name):
        _refuse("a name that no tensor may have", where)
    if not isinstance(dtype, str) or dtype not in DTYPE_BITS:
        _refuse("no type of safetensors", where)
    if not isinstance(shape, list) or not isinstance(strides, list) or len(shape) != len(strides):
        _refuse("malformed shape", where)
    if len(shape) > CONVERT_MAX_DIMENSIONS or not all(map(_count, (*shape, *strides, start))):
        _refuse("malformed shape", where)
    width = element_bytes(dtype)
    if any(step % width for step in strides):
        _refuse("strides that split an element", where)
    if type(swap) is not int or swap not in (0, 2, 4, 8) or (swap and width % swap):
        _refuse("a byte order that the type has not", where)
    return PlannedTensor(name, dtype, tuple(shape), tuple(strides), start, swap)


def _encodes(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _list(value: Any, most: int, where: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        _refuse(f"no list of at most {most}", where)
    return value


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError("convert-plan", f"the plan of the conversion is malformed: {what}", position=where)
