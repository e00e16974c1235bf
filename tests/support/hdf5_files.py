"""Small HDF5 files by hand, from the File Format Specification: superblock 0, object headers 1, compact links.

``h5py`` opens what comes out of here; nothing of our reader is used.
"""

from __future__ import annotations

import struct

UNDEFINED = b"\xff" * 8


def message(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 8)
    return struct.pack("<HHB3x", kind, len(body), 0) + body


def text_attribute(name: str, value: str) -> bytes:
    """A fixed-length UTF-8 string, scalar."""
    raw = value.encode()
    label = name.encode() + b"\0"
    datatype = struct.pack("<B3BI", 0x13, 0x10, 0, 0, len(raw))
    space = struct.pack("<BBB5x", 1, 0, 0)
    padded = label + bytes(-len(label) % 8)
    body = struct.pack("<BxHHH", 1, len(label), len(datatype), len(space)) + padded + datatype + space + raw
    return message(0x0C, body)


def link(name: str, kind: int, info: bytes) -> bytes:
    raw = name.encode()
    return message(0x06, struct.pack("<BBBB", 1, 8, kind, len(raw)) + raw + info)


def external_link(name: str, file: str, path: str) -> bytes:
    info = b"\0" + file.encode() + b"\0" + path.encode() + b"\0"
    return link(name, 64, struct.pack("<H", len(info)) + info)


def soft_link(name: str, path: str) -> bytes:
    return link(name, 1, struct.pack("<H", len(path)) + path.encode())


def object_header(messages: list[bytes]) -> bytes:
    body = b"".join(messages)
    return struct.pack("<BxHII4x", 1, len(messages), 1, len(body)) + body


def hdf5(messages: list[bytes], tail: bytes = b"") -> bytes:
    """A file whose root group has these messages besides those that make it a group."""
    group = [message(0x02, struct.pack("<BB", 0, 0) + UNDEFINED * 2), message(0x0A, b"\0\0")]
    root = object_header(group + messages)
    end = 96 + len(root) + len(tail)
    head = b"\x89HDF\r\n\x1a\n" + bytes((0, 0, 0, 0, 0, 8, 8, 0)) + struct.pack("<HHI", 4, 16, 0)
    head += struct.pack("<Q", 0) + UNDEFINED + struct.pack("<Q", end) + UNDEFINED
    return head + struct.pack("<QQII16x", 0, 96, 0, 0) + root + tail
