"""The structure of an HDF5 file of groups and arrays, and where the data then lie (Format Specification 3.0).

Superblock 0, object headers 1, groups with compact links, contiguous arrays: what every HDF5 since 1.8 reads. All of
the structure comes first, so that the data follow as they are copied.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.convert.plan import PlannedTensor

_UNDEFINED: Final = b"\xff" * 8
_SUPERBLOCK: Final = 96
_ALIGNMENT: Final = 8
# Message types (IV.A.2).
_SPACE, _LINK_INFO, _TYPE, _FILL, _LINK, _LAYOUT, _GROUP_INFO = 0x01, 0x02, 0x03, 0x05, 0x06, 0x08, 0x0A
_FLOATS: Final = {
    "F16": (2, 15, 10, 5, 0, 10, 15),
    "F32": (4, 31, 23, 8, 0, 23, 127),
    "F64": (8, 63, 52, 11, 0, 52, 1023),
}
_INTEGERS: Final = {f"{sign}{bits}": (bits // 8, sign == "I") for sign in "IU" for bits in (8, 16, 32, 64)}
DTYPES: Final = frozenset((*_FLOATS, *_INTEGERS))


@dataclass(slots=True)
class _Group:
    groups: dict[str, _Group] = field(default_factory=dict)
    arrays: dict[str, PlannedTensor] = field(default_factory=dict)
    address: int = 0


def layout_hdf5(tensors: Sequence[PlannedTensor]) -> tuple[bytes, tuple[int, ...], int]:
    """(the first bytes of the file, where each of ``tensors`` begins in it, bytes in all).

    Names are paths; none may be a prefix of another. Data lie in the order given, each from a multiple of 8 bytes.
    """
    root = _Group()
    for tensor in tensors:
        *path, name = tensor.name.split("/")
        group = root
        for part in path:
            group = group.groups.setdefault(part, _Group())
        group.arrays[name] = tensor
    groups: list[_Group] = []
    stack = [root]
    while stack:
        group = stack.pop()
        groups.append(group)
        stack.extend(reversed(group.groups.values()))
    addresses: dict[str, int] = {}
    at = _SUPERBLOCK
    for group in groups:
        group.address = at
        at += len(_group(group, addresses))
        for tensor in group.arrays.values():
            addresses[tensor.name] = at
            at += len(_array(tensor, 0))
    starts: dict[str, int] = {}
    for tensor in tensors:
        at += -at % _ALIGNMENT
        starts[tensor.name] = at
        at += tensor.size
    pieces = [_superblock(at)]
    for group in groups:
        pieces.append(_group(group, addresses))
        pieces += [_array(tensor, starts[tensor.name]) for tensor in group.arrays.values()]
    return b"".join(pieces), tuple(starts[tensor.name] for tensor in tensors), at


def _superblock(end: int) -> bytes:
    """II.A, version 0: the root group's symbol table entry names its object header alone."""
    head = b"\x89HDF\r\n\x1a\n" + bytes((0, 0, 0, 0, 0, 8, 8, 0)) + struct.pack("<HHI", 4, 16, 0)
    head += struct.pack("<Q", 0) + _UNDEFINED + struct.pack("<Q", end) + _UNDEFINED
    return head + struct.pack("<QQII16x", 0, _SUPERBLOCK, 0, 0)


def _message(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % _ALIGNMENT)
    return struct.pack("<HHB3x", kind, len(body), 0) + body


def _header(messages: list[bytes]) -> bytes:
    body = b"".join(messages)
    return struct.pack("<BxHII4x", 1, len(messages), 1, len(body)) + body


def _group(group: _Group, addresses: dict[str, int]) -> bytes:
    """An object header with a link for each member; its length does not depend on the addresses."""
    links = {name: inner.address for name, inner in group.groups.items()}
    links |= {name: addresses.get(tensor.name, 0) for name, tensor in group.arrays.items()}
    messages = [_message(_LINK_INFO, bytes(2) + _UNDEFINED * 2), _message(_GROUP_INFO, bytes(2))]
    for name, address in sorted(links.items()):
        raw = name.encode()
        body = struct.pack("<BBH", 1, 1, len(raw)) + raw + struct.pack("<Q", address)
        messages.append(_message(_LINK, body))
    return _header(messages)


def _array(tensor: PlannedTensor, start: int) -> bytes:
    space = struct.pack("<BBB5x", 1, len(tensor.shape), 0) + b"".join(struct.pack("<Q", n) for n in tensor.shape)
    place = struct.pack("<Q", start) if tensor.size else _UNDEFINED
    layout = struct.pack("<BB", 3, 1) + place + struct.pack("<Q", tensor.size)
    fill = struct.pack("<BBBB", 2, 2, 2, 0)  # none is written, none is defined
    messages = [(_SPACE, space), (_TYPE, _datatype(tensor.dtype)), (_FILL, fill), (_LAYOUT, layout)]
    return _header([_message(kind, body) for kind, body in messages])


def _datatype(dtype: str) -> bytes:
    """IV.A.2.d: little-endian, IEEE 754 for numbers with a point."""
    if dtype in _FLOATS:
        width, sign, exponent, exponent_bits, mantissa, mantissa_bits, bias = _FLOATS[dtype]
        head = struct.pack("<BBBBI", 0x11, 0x20, sign, 0, width)
        return head + struct.pack("<HHBBBBI", 0, 8 * width, exponent, exponent_bits, mantissa, mantissa_bits, bias)
    width, signed = _INTEGERS[dtype]
    return struct.pack("<BBBBIHH", 0x10, 8 if signed else 0, 0, 0, width, 0, 8 * width)
