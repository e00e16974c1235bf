"""torch's files, both forms, as plans: the pickle is followed and not executed, storages are places in the file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.builder import Builder
from assaymark.convert.flatten import Flattener, is_flat
from assaymark.convert.pieces import text_of
from assaymark.convert.plan import Piece, Plan, PlannedTensor, element_bytes, find_aliases
from assaymark.convert.torch_values import SAFETENSORS_DTYPES
from assaymark.convert.tree import Storage
from assaymark.core.errors import InputError
from assaymark.core.limits import CONVERT_MAX_NESTED_BYTES, SCAN_MAX_OPCODES
from assaymark.core.view import BytesView, SliceView
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.values import Dict
from assaymark.formats.torch_layout import (
    LEGACY_COUNT_BYTES,
    LEGACY_MAGIC,
    LEGACY_PROTOCOL,
    archive_root,
    is_legacy,
)
from assaymark.formats.zip import read_zip
from assaymark.formats.zip_member import member_view

if TYPE_CHECKING:
    from assaymark.convert.tree import Array, Node
    from assaymark.core.view import View
    from assaymark.formats.pickle.trace import Trace
    from assaymark.formats.pickle.values import Blob
    from assaymark.formats.zip import ZipMember

TREE_KEY: Final = "assaymark.object"
_LEGACY_PICKLES: Final = 5
_NOTE_MAX_BYTES: Final = 64
# What the archive holds beside the pickle and its storages, and means nothing to a reader of tensors.
_QUIET: Final = frozenset(
    ("version", ".format_version", ".storage_alignment", ".data/serialization_id", ".data/version", "byteorder")
)


def plan_archive(view: View) -> Plan:
    """The plan of torch's zip archive.

    Raises:
        InputError: ``convert-torch``, ``convert-pickle``, a ``convert-*`` or a ``zip-*`` code.
    """
    archive = read_zip(view)
    if archive.ambiguities:
        doubt = archive.ambiguities[0]
        what = f"two readers may see different files in the archive: {doubt.message}"
        raise InputError("convert-torch", what, position=f"byte {doubt.offset}")
    members = {member.name: member for member in archive.members}
    root = archive_root(members)
    if root is None:
        raise InputError("convert-unknown", "a zip archive that is not torch's")
    member = members[f"{root}data.pkl"]
    builder = Builder(member_view(view, member), torch=True, end=view.size)
    trace = _sound(run_pickle(builder.view, 0, builder), member.name)
    for name in members:
        if name.startswith(f"{root}code/"):
            builder.drop("the code of a TorchScript archive")
        elif not name.startswith(f"{root}data/") and name != member.name and name.removeprefix(root) not in _QUIET:
            builder.drop(f"the member {name[:200]!r}")
    big = _note(view, members.get(f"{root}byteorder")) == b"big"
    places = {key: _place(members, f"{root}data/{key}", storage.elements * storage.width)
              for key, storage in builder.storages.items()}  # fmt: skip
    base = None if member.deflated else member.start
    return make_plan("torch-zip", builder, trace.result, places, big=big, base=base)


def plan_pickles(view: View) -> Plan:
    """The plan of torch's file of five pickles, or of one pickle, as Python or joblib writes it.

    Raises:
        InputError: as ``plan_archive``, ``convert-array``.
    """
    builder = Builder(view, torch=False, nested=_nested)
    trace = _sound(run_pickle(view, 0, builder), "")
    if trace.result != LEGACY_MAGIC or type(trace.result) is not int:
        if trace.end != view.size:
            what = f"{view.size - trace.end} bytes follow the pickle"
            raise InputError("convert-pickle", what, position=f"byte {trace.end}")
        return make_plan("pickle", builder, trace.result, {}, big=False, pickled=True)
    results, position = _five(view, builder, trace)
    places = _legacy_places(view, builder, results[4], position)
    return make_plan("torch-legacy", builder, results[3], places, big=_says_big(results[2]))


def _five(view: View, builder: Builder, first: Trace) -> tuple[list[Any], int]:
    """The values of the five pickles, of which the first was read, and where they end."""
    results: list[Any] = [first.result]
    position, left = first.end, SCAN_MAX_OPCODES - first.opcodes
    while len(results) < _LEGACY_PICKLES:
        builder.torch = results[:2] == [LEGACY_MAGIC, LEGACY_PROTOCOL]
        trace = _sound(run_pickle(view, position, builder, budget=left), "")
        results.append(trace.result)
        position, left = trace.end, left - trace.opcodes
    if not is_legacy(results):
        raise InputError("convert-torch", "it begins as torch's legacy format and is not whole")
    return results, position


def _nested(outer: Builder, blob: Blob) -> Storage:
    """The storage that a pickle of Python holds as bytes: torch's legacy file of nothing but it."""
    view, start = _bytes_of(outer, blob)
    builder = Builder(view, torch=False)
    results, position = _five(view, builder, _sound(run_pickle(view, 0, builder), ""))
    storage = results[3]
    if not isinstance(storage, Storage) or _says_big(results[2]):
        raise InputError("convert-torch", "bytes that are no storage of torch", position=f"byte {blob.offset or 0}")
    builder.conclude(())
    for what in builder.dropped:
        outer.drop(what)
    places = _legacy_places(view, builder, results[4], position)
    return replace(storage, place=start + places[storage.key])


def _bytes_of(outer: Builder, blob: Blob) -> tuple[View, int]:
    """The bytes of a value, and where the plan finds them: in the file, or derived where they are not as they are."""
    if blob.data is not None:
        data = blob.data
    elif blob.offset is None or blob.length is None or blob.kind == "str":
        raise InputError("convert-torch", "a storage in bytes that the stream computes")
    elif not blob.encoded:
        return SliceView(outer.view, blob.offset, blob.length), blob.offset
    elif blob.length > CONVERT_MAX_NESTED_BYTES:
        what = f"a tensor that is written as text of {blob.length} bytes"
        raise InputError("convert-limit", what, remedy="save it with pickle protocol 3 or above")
    else:
        data = b"".join(text_of(outer.view, blob))
    return BytesView(data), outer.pieces.add(Piece(len(data), lambda: iter((data,))))


def _legacy_places(view: View, builder: Builder, keys: list[Any], position: int) -> dict[str, int]:
    places: dict[str, int] = {}
    for key in keys:
        storage = builder.storages.get(key) if isinstance(key, str) else None
        if storage is None:
            raise InputError("convert-torch", "a storage that nothing refers to", position=f"byte {position}")
        elements = int.from_bytes(view.read(position, LEGACY_COUNT_BYTES), "little", signed=True)
        end = position + LEGACY_COUNT_BYTES + storage.elements * storage.width
        if elements != storage.elements or end > view.size:
            what = f"a storage of {elements} elements where {storage.elements} are due"
            raise InputError("convert-torch", what, position=f"byte {position}")
        places[key] = position + LEGACY_COUNT_BYTES
        position = end
    return places


def make_plan(
    source: str,
    builder: Builder,
    root: Node,
    places: dict[str, int],
    *,
    big: bool,
    base: int | None = 0,
    pickled: bool = False,
) -> Plan:
    """The plan of the values that ``builder`` has built, whose storages begin at ``places``.

    Raises:
        InputError: a ``convert-*`` code.
    """
    flat = Flattener(builder, base, calls=pickled)
    document = flat.run(root)
    root_node = document["root"]
    if not flat.named and isinstance(root_node, dict) and root_node.keys() == {"lost"}:
        raise InputError(
            "convert-empty",
            f"nothing in it can be kept: it is {root_node['lost']}",
            remedy="do not load it; ask its maker for the weights",
        )
    tensors = tuple(_planned(name, array, places, big=big) for name, array in flat.named.items())
    builder.conclude(flat.kept() if pickled else ())
    reached = {id(array) for array in flat.named.values()}
    left = len({id(array) for array in builder.arrays} - reached)
    if left:
        builder.drop(f"{left} tensors that no name leads to")
    metadata = {} if pickled else {"format": "pt"}
    if not is_flat(document):
        metadata[TREE_KEY] = json.dumps(document, separators=(",", ":"))
    dropped = list(builder.dropped)
    if builder.more:
        dropped.append(f"{builder.more} more that are not listed")
    return Plan(
        source,
        tensors,
        find_aliases(tensors),
        tuple(dropped),
        metadata,
        left,
        pickled,
        builder.pieces.size,
        tuple(builder.pieces.items),
        tuple(flat.raw),
    )


def _planned(name: str, array: Array, places: dict[str, int], *, big: bool) -> PlannedTensor:
    dtype = SAFETENSORS_DTYPES[array.dtype]
    width = element_bytes(dtype)
    if array.storage is None:
        start, swapped = array.first, array.swap
    else:
        place = places.get(array.storage.key) if array.storage.place is None else array.storage.place
        if place is None:
            raise InputError("convert-torch", f"the storage {array.storage.key[:200]!r} is not in the file")
        start, swapped = place + array.first * width, big
    if 0 in array.size:
        start = 0
    number = 4 if dtype == "C64" else width
    strides = tuple(step * width for step in array.stride)
    return PlannedTensor(name, dtype, array.size, strides, start, number if swapped and number > 1 else 0)


def _sound(trace: Trace, where: str) -> Trace:
    if trace.sound:
        return trace
    what = trace.breaks[0].why if trace.breaks else "no STOP"
    at = trace.breaks[0].offset if trace.breaks else trace.end
    raise InputError("convert-pickle", f"the pickle breaks: {what}", source=where, position=f"byte {at}")


def _place(members: dict[str, ZipMember], name: str, due: int) -> int:
    member = members.get(name)
    if member is None or member.unreadable or member.deflated:
        what = "is not in the archive" if member is None else member.unreadable or "is compressed"
        raise InputError("convert-torch", f"the storage {name[:200]!r} {what}")
    if member.size != due:
        what = f"the storage {name[:200]!r} has {member.size} bytes where {due} are due"
        raise InputError("convert-torch", what, position=f"byte {member.start}")
    return member.start


def _note(view: View, member: ZipMember | None) -> bytes:
    if member is None or member.unreadable or member.deflated or member.size > _NOTE_MAX_BYTES:
        return b""
    return view.read(member.start, member.size).strip()


def _says_big(machine: Any) -> bool:
    """What the third pickle says: ``{"protocol_version", "little_endian", "type_sizes"}``."""
    if not isinstance(machine, Dict):
        raise InputError("convert-torch", "what the machine was is not said")
    pairs = zip(machine.items[::2], machine.items[1::2], strict=False)
    return any(isinstance(key, str) and key == "little_endian" and value is False for key, value in pairs)
