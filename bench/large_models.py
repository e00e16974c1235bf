"""Large model files with almost no bytes: the parts that matter, and zeros between them.

The layout is torch's: padding that aligns data to 64 bytes in field ``FB``, data descriptors, a zip64 end
record. ``bench/scan.py --verify FILE`` was run once beside torch, which loads what this writes.
"""

from __future__ import annotations

import json
import struct
import zlib


def _zero_crc(size: int) -> int:
    """CRC-32 of ``size`` zeros, a mebibyte at a time."""
    crc = 0
    block = bytes(1 << 20)
    for start in range(0, size, len(block)):
        crc = zlib.crc32(block[: size - start], crc)
    return crc


def _state_dict(tensors: int, elements: int) -> bytes:
    """The pickle that torch writes for a state dict of one-dimensional float32 tensors, with its memo."""
    out = [b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01("]
    memo = 2

    def put() -> bytes:
        nonlocal memo
        memo += 1
        index = memo - 1
        return b"q" + bytes((index,)) if index < 256 else b"r" + struct.pack("<I", index)  # noqa: PLR2004

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode() + put()

    shape = b"J" + struct.pack("<i", elements)
    for number in range(tensors):
        out.append(text(f"model.layers.{number}.weight"))
        first = number == 0
        out.append(b"ctorch._utils\n_rebuild_tensor_v2\n" + put() if first else b"h\x03")
        out.append(b"((" + (text("storage") + b"ctorch\nFloatStorage\n" + put() if first else b"h\x04h\x05"))
        out.append(text(str(number)) + (text("cpu") if first else b"h\x07") + shape + b"t" + put() + b"QK\x00")
        out.append(
            shape + b"\x85" + put() + b"K\x01\x85" + put() + b"\x89h\x00)R" + put() + b"t" + put() + b"R" + put()
        )
    return b"".join([*out, b"u."])


def large_torch_zip(size: int, tensors: int) -> tuple[int, dict[int, bytes]]:
    """(size of the file, offset to bytes): a torch archive whose ``tensors`` take about ``size`` bytes in all."""
    elements = size // tensors // 4
    pieces: dict[int, bytes] = {}
    directory = []
    position = 0
    crc = _zero_crc(4 * elements)
    members: list[tuple[str, bytes | None]] = [
        ("data.pkl", _state_dict(tensors, elements)),
        (".format_version", b"1"),
        (".storage_alignment", b"64"),
        ("byteorder", b"little"),
        *((f"data/{number}", None) for number in range(tensors)),
        ("version", b"3\n"),
        (".data/serialization_id", b"1" * 40),
    ]
    for short, data in members:
        name = f"large/{short}".encode()
        length = 4 * elements if data is None else len(data)
        check = crc if data is None else zlib.crc32(data)
        padding = -(position + 30 + len(name) + 4) % 64
        extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
        head = (
            struct.pack("<4s5H3L2H", b"PK\x03\x04", 0, 0x0808, 0, 0, 0, 0, 0, 0, len(name), len(extra)) + name + extra
        )
        entry = struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            0,
            0,
            0x0808,
            0,
            0,
            0,
            check,
            length,
            length,
            len(name),
            0,
            0,
            0,
            0,
            0,
            position,
        )
        directory.append(entry + name)
        descriptor = b"PK\x07\x08" + struct.pack("<3L", check, length, length)
        if data is None:
            pieces[position] = head
            pieces[position + len(head) + length] = descriptor
        else:
            pieces[position] = head + data + descriptor
        position += len(head) + length + len(descriptor)
    body = b"".join(directory)
    count = len(members)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 0x031E, 45, 0, 0, count, count, len(body), position)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, position + len(body), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(body), position, 0)
    pieces[position] = body + end64 + locator + end
    return position + len(pieces[position]), pieces


def large_safetensors(size: int, tensors: int) -> tuple[int, dict[int, bytes]]:
    """(size of the file, offset to bytes): ``tensors`` of float32 that take about ``size`` bytes in all."""
    length = size // tensors // 4 * 4
    header = json.dumps(
        {
            f"model.layers.{number}.weight": {
                "dtype": "F32",
                "shape": [length // 4],
                "data_offsets": [number * length, (number + 1) * length],
            }
            for number in range(tensors)
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    return 8 + len(header) + tensors * length, {0: struct.pack("<Q", len(header)) + header}
