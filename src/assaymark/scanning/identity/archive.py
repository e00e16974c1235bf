"""Archives and compressed files: what they hold decides, by their directory and their members' first bytes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import (
    IDENTIFY_HEAD_BYTES,
    IDENTIFY_INFLATED_BYTES,
    IDENTIFY_MAX_MEMBERS,
)
from assaymark.core.view import BytesView, SliceView
from assaymark.formats.tar import is_tar
from assaymark.formats.zip import DEFLATED, LOCAL_MAGIC, read_zip
from assaymark.scanning.identity.identified import DATA, Identified
from assaymark.scanning.identity.pickle import identify_pickle
from assaymark.scanning.identity.plain import identify_plain

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.zip import ZipMember

# name -> (beginning of a compressed file, most bytes wanted) -> the first bytes behind it, none when it is broken
Unpackers = Mapping[str, Callable[[bytes, int], bytes]]
_BLOCK: Final = 512
_NAME_AT: Final = 26  # of the length of the first member's name in its local header
_LOCAL_SIZE: Final = 30
_LEAST_MEMBER: Final = 16  # bytes; nothing smaller is a model
_OBJECTS: Final = re.compile(rb"'descr': *(?:'\|?O'|\[[^\]]*'\|?O\d*')")
_NUMPY: Final = b"\x93NUMPY"
# Compressions whose unpackers the caller brings: how a file begins, and how much of it gives its first bytes (bzip2
# unpacks whole blocks of 900,000 bytes).
_UNPACKED_OUTSIDE: Final = (
    (b"BZh", "bzip2", 900_000),
    (b"\xfd7zXZ\x00", "xz", 65_536),
    (b"\x5d\x00\x00", "xz", 65_536),
)


def identify_zip(view: View, head: bytes) -> Identified | None:
    """torch, TorchScript, PT2, Keras 3, skops, NumPy with objects, or an archive that holds a model; else None."""
    if not head.startswith(LOCAL_MAGIC):
        return None
    try:
        members = read_zip(view).members
    except InputError as error:
        if error.code == "identify-limit":
            raise
        members = ()
    if not members:  # cut short, or ambiguous: the first name is still there
        length = int.from_bytes(head[_NAME_AT : _NAME_AT + 2], "little")
        return Identified("torch-zip") if _is_data_pickle(head[_LOCAL_SIZE : _LOCAL_SIZE + length]) else None
    by_name = {member.name: member for member in members}
    return _torch(by_name) or _known(view, by_name) or _holds(view, members)


def _is_data_pickle(name: bytes) -> bool:
    return name == b"data.pkl" or name.endswith(b"/data.pkl")


def _torch(by_name: dict[str, ZipMember]) -> Identified | None:
    names = by_name.keys()
    if any(name.endswith(("/models/model.json", "serialized_exported_program.json")) for name in names) or (
        any(name.endswith("/archive_format") for name in names)
    ):
        return Identified("pt2")
    roots = [name.removesuffix("data.pkl") for name in names if _is_data_pickle(name.encode())]
    if not roots:
        return None
    root = roots[0]
    script = f"{root}constants.pkl" in names or any(name.startswith(f"{root}code/") for name in names)
    return Identified("torchscript" if script else "torch-zip")


def _known(view: View, by_name: dict[str, ZipMember]) -> Identified | None:
    if {"config.json", "metadata.json", "model.weights.h5"} <= by_name.keys():
        return Identified("keras-zip")
    schema = by_name.get("schema.json")
    if schema is not None:
        text = member_head(view, schema, IDENTIFY_HEAD_BYTES)
        if b'"__class__"' in text and b'"__loader__"' in text:
            return Identified("skops")
    return None


def member_head(view: View, member: ZipMember, length: int) -> bytes:
    """The first bytes of a member; empty when it cannot be read."""
    if member.unreadable:
        return b""
    if not member.deflated:
        return view.read(member.start, min(length, member.size))
    if member.method != DEFLATED:
        return b""  # no writer of models uses another; a scan reads it
    return _inflated(view.read(member.start, min(member.packed, length)), -zlib.MAX_WBITS, length)


def _holds(view: View, members: tuple[ZipMember, ...]) -> Identified | None:
    best: Identified | None = None
    for member in [member for member in members if member.size >= _LEAST_MEMBER][:IDENTIFY_MAX_MEMBERS]:
        head = member_head(view, member, IDENTIFY_HEAD_BYTES)
        if not head:
            continue
        if head.startswith(_NUMPY):
            if _OBJECTS.search(head[:_BLOCK]):
                return Identified("npz-objects")
            continue
        window = BytesView(head) if member.deflated else SliceView(view, member.start, member.size)
        found = identify_plain(window, head) or (identify_pickle(window, head) if head[0] >= 0x80 else None)  # noqa: PLR2004
        if found is not None and (best is None or best.kind == DATA):
            best = Identified("zip", found.kind, holds=found.format)
    return best


def identify_numpy(_view: View, head: bytes) -> Identified | None:
    """An array of objects, which is a pickle behind a header; arrays of numbers are no model by themselves."""
    if head.startswith(_NUMPY) and _OBJECTS.search(head[:_BLOCK]):
        return Identified("npy-objects")
    return None


def identify_tar(view: View, head: bytes) -> Identified | None:
    """NeMo, torch's oldest form, or an archive that holds a model; None for any other."""
    if len(head) < _BLOCK or not is_tar(BytesView(head[:_BLOCK])):
        return None
    names: list[str] = []
    best: Identified | None = None
    place = 0
    while place < view.size and len(names) < IDENTIFY_MAX_MEMBERS:
        header = view.read(place, _BLOCK)
        if not is_tar(BytesView(header)):
            break
        names.append(header[:100].split(b"\0", 1)[0].decode("utf-8", "replace").removeprefix("./"))
        size = _octal(header[124:136])
        place += _BLOCK
        window = SliceView(view, place, max(0, min(size, view.size - place)))
        first = window.read(0, IDENTIFY_HEAD_BYTES)
        if best is None and len(first) >= _LEAST_MEMBER:
            found = identify_plain(window, first) or (identify_pickle(window, first) if first[0] >= 0x80 else None)  # noqa: PLR2004
            if found is not None:
                best = Identified("tar", found.kind, holds=found.format)
        place += -(-size // _BLOCK) * _BLOCK
    if "model_config.yaml" in names and (len(names) == 1 or any(name.endswith((".ckpt", ".pt")) for name in names)):
        return Identified("nemo")
    if {"sys_info", "pickle", "storages"} <= set(names):
        return Identified("torch-tar")
    return best


def _octal(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.split(b"\0", 1)[0].strip() or b"0", 8)
    except ValueError:
        return 0


def identify_compressed(view: View, head: bytes, unpackers: Unpackers) -> Identified | None:
    """What is behind gzip, zlib, bzip2, xz or LZMA: pickles as joblib writes them, R data, NeMo, PMML."""
    data = _unpacked(view, head, unpackers)
    if not data:
        return None
    inner, first = BytesView(data), data[:IDENTIFY_HEAD_BYTES]
    found = identify_tar(inner, first) or identify_plain(inner, first) or identify_pickle(inner, first)
    if found is None:
        return None
    if found.format in ("nemo", "r"):
        return found
    # Only the beginning was unpacked: what was not seen to the end is not plain.
    kind = DATA if found.kind == DATA and len(data) < IDENTIFY_INFLATED_BYTES else "model"
    return Identified(found.format if found.format == "joblib" else "compressed", kind, _holding(found))


def _holding(found: Identified) -> str:
    return "" if found.format == "joblib" else found.holds or found.format


def _unpacked(view: View, head: bytes, unpackers: Unpackers) -> bytes:
    if head.startswith(b"\x1f\x8b"):
        return _inflated(view.read(0, IDENTIFY_INFLATED_BYTES), 16 + zlib.MAX_WBITS, IDENTIFY_INFLATED_BYTES)
    if head[:1] == b"\x78" and head[1:2] in (b"\x01", b"\x5e", b"\x9c", b"\xda"):
        return _inflated(view.read(0, IDENTIFY_INFLATED_BYTES), zlib.MAX_WBITS, IDENTIFY_INFLATED_BYTES)
    for magic, name, length in _UNPACKED_OUTSIDE:
        if head.startswith(magic) and name in unpackers:
            return unpackers[name](view.read(0, length), IDENTIFY_INFLATED_BYTES)
    return b""


def _inflated(data: bytes, window: int, length: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(data, length)
    except zlib.error:
        return b""
