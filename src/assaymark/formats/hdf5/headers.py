"""Object headers, versions 1 and 2: the messages of an object, those of its continuation blocks too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import HDF5_MAX_MESSAGES
from assaymark.formats.hdf5.cursor import Cursor, malformed

if TYPE_CHECKING:
    from assaymark.formats.hdf5.cursor import Space

CONTINUATION: Final = 0x10
_SHARED: Final = 0x02
_TIMES: Final = 0x20
_PHASES: Final = 0x10
_ORDERED: Final = 0x04
_MAX_SHARING: Final = 4  # a shared message that is shared again


@dataclass(frozen=True, slots=True)
class Message:
    """A header message: its type, its body and where that begins."""

    kind: int
    shared: bool
    body: bytes
    start: int


def read_header(space: Space, address: int) -> list[Message]:
    """All messages of the object at ``address``.

    Raises:
        InputError: ``hdf5-structure``, ``hdf5-limit``.
    """
    head = space.cursor(address, 4)
    messages: list[Message] = []
    if head.data == b"OHDR":
        blocks, flags = _start_2(space, address)
    else:
        blocks, flags = _start_1(space, address), -1
    seen: set[int] = set()
    while blocks:
        block = blocks.pop()
        if block.start in seen:
            raise malformed("a continuation that leads back", block.start)
        seen.add(block.start)
        for message in _messages(block, flags):
            if len(messages) >= HDF5_MAX_MESSAGES:
                raise malformed(f"an object with more than {HDF5_MAX_MESSAGES} messages", message.start)
            if message.kind == CONTINUATION:
                blocks.append(_continuation(space, message, flags))
            else:
                messages.append(message)
    return messages


def _start_1(space: Space, address: int) -> list[Cursor]:
    head = space.cursor(address, 16)
    if head.number(1) != 1:
        raise malformed("no object header", head.start)
    head.take(7)
    return [space.cursor(address + 16, head.number(4))]


def _start_2(space: Space, address: int) -> tuple[list[Cursor], int]:
    head = space.cursor(address, 6)
    head.expect(b"OHDR")
    if head.number(1) != 2:  # noqa: PLR2004 - version
        raise malformed("an object header of an unknown version", head.start)
    flags = head.number(1)
    start = address + 6 + (16 if flags & _TIMES else 0) + (4 if flags & _PHASES else 0)
    width = 1 << (flags & 3)
    size = space.cursor(start, width).number(width)
    return [space.cursor(start + width, size)], flags


def _continuation(space: Space, message: Message, flags: int) -> Cursor:
    body = Cursor(space, message.body, message.start)
    address, length = body.offset(), body.length()
    if flags < 0:
        return space.cursor(address, length)
    block = space.cursor(address, length - 4)
    block.expect(b"OCHK")
    return block


def _messages(block: Cursor, flags: int) -> list[Message]:
    found: list[Message] = []
    least = 8 if flags < 0 else 4 + (2 if flags & _ORDERED else 0)
    while block.left >= least:
        if flags < 0:
            kind, size, marks = block.number(2), block.number(2), block.number(1)
            block.take(3)
        else:
            kind, size, marks = block.number(1), block.number(2), block.number(1)
            block.take(2 if flags & _ORDERED else 0)
        start = block.place
        block.space.spend(32)
        found.append(Message(kind, bool(marks & _SHARED), block.take(size), start))
    return found


def resolve(space: Space, message: Message, depth: int = 0) -> Message:
    """The message itself when it is kept elsewhere: in the header of a named datatype.

    Raises:
        InputError: ``hdf5-structure``; one in the heap of shared messages, which h5py never writes, is refused.
    """
    if not message.shared:
        return message
    body = Cursor(space, message.body, message.start)
    version, kind = body.number(1), body.number(1)
    if version == 1:
        body.take(6)
    if depth > _MAX_SHARING or (version == 3 and kind == 1):  # noqa: PLR2004 - the heap of shared messages
        raise malformed("a shared message that is not read", message.start)
    for other in read_header(space, body.offset()):
        if other.kind == message.kind:
            return resolve(space, other, depth + 1)
    raise malformed("a shared message that is not there", message.start)
