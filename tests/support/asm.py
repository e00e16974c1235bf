"""A tiny pickle assembler and builders of hostile containers, all by hand from the formats' texts."""

from __future__ import annotations

import json
import struct
import zlib

MARK, STOP, POP, DUP, TUPLE, REDUCE, BUILD, NEWOBJ, OBJ = b"(", b".", b"0", b"2", b"t", b"R", b"b", b"\x81", b"o"
EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET, NONE = b")", b"]", b"}", b"\x8f", b"N"
TUPLE1, TUPLE2, TUPLE3, NEWOBJ_EX, STACK_GLOBAL, MEMOIZE = b"\x85", b"\x86", b"\x87", b"\x92", b"\x93", b"\x94"


def proto(version: int) -> bytes:
    return b"\x80" + bytes((version,))


def glob(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"\x8c" + bytes((len(raw),)) + raw if len(raw) < 256 else b"X" + struct.pack("<I", len(raw)) + raw


def old_text(value: str) -> bytes:
    return b"U" + bytes((len(value),)) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def put(index: int) -> bytes:
    return b"q" + bytes((index,))


def get(index: int) -> bytes:
    return b"h" + bytes((index,))


def call(module: str, name: str, *arguments: bytes) -> bytes:
    return glob(module, name) + MARK + b"".join(arguments) + TUPLE + REDUCE


def frame(body: bytes, length: int | None = None) -> bytes:
    return b"\x95" + struct.pack("<Q", len(body) if length is None else length) + body


def zip_entry(name: bytes, data: bytes, **changes: int | bytes) -> dict[str, int | bytes]:
    """One member; ``local_name``, ``local_size``, ``method``, ``flags``, ``external`` and the like may be changed."""
    entry: dict[str, int | bytes] = {
        "name": name, "local_name": name, "data": data, "size": len(data), "local_size": len(data), "packed": len(data),
        "crc": zlib.crc32(data), "method": 0, "flags": 0, "external": 0, "system": 0, "extra": b"", "local_extra": b"",
        "descriptor": b"", "local_crc": zlib.crc32(data),
    }  # fmt: skip
    entry.update(changes)
    return entry


def make_zip(
    entries: list[dict[str, int | bytes]],
    *,
    prefix: bytes = b"",
    gap: bytes = b"",
    tail: bytes = b"",
    comment: bytes = b"",
) -> bytes:
    """A zip archive from entries, with ``prefix`` before it, ``gap`` before the directory and ``tail`` behind it."""
    body, directory = prefix, b""
    for e in entries:
        at = e.get("header", len(body))
        if "header" not in e:
            body += struct.pack(
                "<4s5H3L2H",
                b"PK\x03\x04",
                20,
                e["flags"],
                e["method"],
                0,
                0,
                e["local_crc"],
                e["local_size"] if not e["method"] else e["packed"],
                e["local_size"],
                len(e["local_name"]),
                len(e["local_extra"]),
            )
            body += e["local_name"] + e["local_extra"] + e["data"] + e["descriptor"]
        directory += struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            20 | e["system"] << 8,
            20,
            e["flags"],
            e["method"],
            0,
            0,
            e["crc"],
            e["packed"],
            e["size"],
            len(e["name"]),
            len(e["extra"]),
            0,
            0,
            0,
            e["external"],
            at,
        )
        directory += e["name"] + e["extra"]
    body += gap
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(body), len(comment)
    )
    return body + directory + end + comment + tail


def torch_zip(
    pickle: bytes, storages: dict[str, bytes] | None = None, extra: dict[str, bytes] | None = None
) -> bytes:
    members = {"archive/data.pkl": pickle, "archive/version": b"3\n", "archive/byteorder": b"little"}
    members |= {f"archive/data/{key}": data for key, data in (storages or {}).items()}
    members |= extra or {}
    return make_zip([zip_entry(name.encode(), data) for name, data in members.items()])


def tensor(
    key: str = "0",
    elements: int = 4,
    *,
    offset: int = 0,
    size: tuple[int, ...] = (4,),
    stride: tuple[int, ...] = (1,),
    storage: str = "FloatStorage",
) -> bytes:
    """The opcodes of one tensor as torch writes it, on the stack when done."""
    pid = MARK + text("storage") + glob("torch", storage) + text(key) + text("cpu") + number(elements) + TUPLE + b"Q"
    shape = MARK + b"".join(map(number, size)) + TUPLE + MARK + b"".join(map(number, stride)) + TUPLE
    hooks = glob("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE
    return (
        glob("torch._utils", "_rebuild_tensor_v2")
        + MARK
        + pid
        + number(offset)
        + shape
        + b"\x89"
        + hooks
        + TUPLE
        + REDUCE
    )


def safetensors(header: object, data: bytes = b"", *, raw: bytes | None = None) -> bytes:
    body = json.dumps(header).encode() if raw is None else raw
    return struct.pack("<Q", len(body)) + body + data
