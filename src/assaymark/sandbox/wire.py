"""What parent, zygote and worker say to each other: small frames of JSON, and descriptors beside them."""

from __future__ import annotations

import json
import os
import socket
import struct
from dataclasses import asdict, dataclass
from typing import Any, Final

from assaymark.sandbox.limits import SandboxLimits

_LENGTH: Final = struct.Struct("<I")
_STATUS: Final = struct.Struct("<Bi")
_MAX_REQUEST: Final = 8 << 20  # a batch of names of the greatest length, every byte escaped
# An engine's derived bytes: frames of a length and so many bytes, the last of length 0, before its answer.
FRAME_HEAD: Final = 4
FRAME_BYTES: Final = 1 << 20
READY: Final = b"R"
EXITED: Final = 0
SIGNALLED: Final = 1
TIMED_OUT: Final = 2


@dataclass(frozen=True, slots=True)
class Item:
    """One file to examine: the name to show, and which bytes of the descriptor it is; ``size`` -1 for all of them.

    A ``remote`` one has ``size`` bytes, which the descriptor brings when they are asked for.
    """

    path: str
    start: int = 0
    size: int = -1
    remote: bool = False


def send_request(
    channel: socket.socket, items: list[Item], limits: SandboxLimits, allow: frozenset[str], descriptors: list[int]
) -> None:
    """Ask for ``items`` under ``limits``; the descriptors are those of the file and of the result pipe."""
    fields = {
        "items": [(item.path, item.start, item.size, item.remote) for item in items],
        "limits": asdict(limits),
        "allow": sorted(allow),
    }
    _send(channel, json.dumps(fields).encode(), descriptors)


def _send(channel: socket.socket, body: bytes, descriptors: list[int]) -> None:
    socket.send_fds(channel, [_LENGTH.pack(len(body))], descriptors)
    channel.sendall(body)


def receive_request(
    channel: socket.socket,
) -> tuple[list[Item], SandboxLimits, frozenset[str], list[int]] | None:
    """The next request; ``None`` when the parent is gone."""
    head, descriptors, _, _ = socket.recv_fds(channel, _LENGTH.size, 2)
    if len(head) < _LENGTH.size or len(descriptors) != 2:  # noqa: PLR2004
        return None
    body = _receive(channel, min(_LENGTH.unpack(head)[0], _MAX_REQUEST))
    if body is None:
        return None
    fields: dict[str, Any] = json.loads(body)
    items = [Item(*item) for item in fields["items"]]
    return items, SandboxLimits(**fields["limits"]), frozenset(fields["allow"]), list(descriptors)


def send_status(channel: socket.socket, kind: int, value: int) -> None:
    """How the worker ended."""
    channel.sendall(_STATUS.pack(kind, value))


def receive_status(channel: socket.socket) -> tuple[int, int] | None:
    """(EXITED, code), (SIGNALLED, signal) or (TIMED_OUT, 0); ``None`` when the zygote is gone."""
    data = _receive(channel, _STATUS.size)
    return None if data is None else _STATUS.unpack(data)


def _receive(channel: socket.socket, length: int) -> bytes | None:
    parts = []
    while length:
        part = channel.recv(length)
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def write_frame(descriptor: int, data: bytes) -> None:
    """One frame of at most FRAME_BYTES; an empty one says that no other follows."""
    write_all(descriptor, len(data).to_bytes(FRAME_HEAD, "little") + data)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data`` to a pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
