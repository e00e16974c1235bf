"""A file that lies elsewhere: the confined child asks for ranges, the parent fetches them.

The child has no network. What it writes is a line for each question, ``{"read": [offset, length]}``, and at the end
the line of its report; what it reads are the bytes, each answer behind its length. It can ask for ranges of the one
file that was named and for nothing else.
"""

from __future__ import annotations

import json
import os
import struct
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

from assaymark.core.errors import InputError, UnavailableError
from assaymark.core.limits import REMOTE_BLOCK_BYTES, REMOTE_KEPT_BLOCKS, REMOTE_MAX_BYTES
from assaymark.sandbox.wire import write_all

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH: Final = struct.Struct("<Q")
_GONE: Final = 2**64 - 1  # instead of a length: the bytes cannot be had
_QUESTION: Final = b'{"read": '


class RangeSource(Protocol):
    """A file that is read by ranges."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``offset``, all of them within the file.

        Raises:
            UnavailableError: when they cannot be had.
        """
        ...


class RemoteView:
    """In the child: the bytes of the file, asked for in blocks, of which the latest are kept."""

    def __init__(self, size: int, answers: int, questions: int) -> None:
        self._size = size
        self._answers = answers
        self._questions = questions
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes in all, as the source said."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``.

        Raises:
            InputError: ``remote-read`` when the parent cannot get them.
        """
        end = min(offset + length, self._size)
        parts = []
        while offset < end:
            number, within = divmod(offset, REMOTE_BLOCK_BYTES)
            part = self._block(number)[within : within + end - offset]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        block = self._blocks.get(number)
        if block is None:
            start = number * REMOTE_BLOCK_BYTES
            block = self._ask(start, min(REMOTE_BLOCK_BYTES, self._size - start))
            self._blocks[number] = block
            if len(self._blocks) > REMOTE_KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        return block

    def _ask(self, offset: int, length: int) -> bytes:
        write_all(self._questions, _QUESTION + b"[%d, %d]}\n" % (offset, length))
        (said,) = _LENGTH.unpack(self._take(_LENGTH.size))
        if said != length:
            raise InputError("remote-read", "the bytes cannot be had from where the file lies")
        return self._take(length)

    def _take(self, length: int) -> bytes:
        parts = []
        while length:
            part = os.read(self._answers, min(length, 1 << 16))
            if not part:
                raise InputError("remote-read", "the bytes cannot be had from where the file lies")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)


class Answers:
    """In the parent: answers what the child asks, within REMOTE_MAX_BYTES in all."""

    def __init__(self, source: RangeSource, sink: int) -> None:
        self._source = source
        self._sink = sink
        self.fetched = 0
        self.problem = ""

    def answer(self, line: bytes) -> bool:
        """Whether ``line`` was a question; it is answered then."""
        if not line.startswith(_QUESTION):
            return False
        data = b""
        if not self.problem:
            try:
                data = self._fetch(line)
            except UnavailableError as error:
                self.problem = error.message
            except (ValueError, TypeError):
                self.problem = "the reader asked for a range that does not exist"
        try:
            write_all(self._sink, (_LENGTH.pack(_GONE) if self.problem else _LENGTH.pack(len(data))) + data)
        except BrokenPipeError:
            self.problem = self.problem or "the reader ended while it was answered"
        return True

    def _fetch(self, line: bytes) -> bytes:
        offset, length = json.loads(line)["read"]
        if not (offset >= 0 and 0 < length <= REMOTE_BLOCK_BYTES and offset + length <= self._source.size):
            raise ValueError(line)
        if self.fetched + length > REMOTE_MAX_BYTES:
            raise UnavailableError(
                "remote-limit", f"more than {REMOTE_MAX_BYTES >> 20} MiB of it would have to be fetched"
            )
        data = self._source.read(offset, length)
        if len(data) != length:
            raise UnavailableError("remote-read", "another number of bytes came than was asked for")
        self.fetched += length
        return data


def read_lines(source: int, limit: int, ready: Callable[[], bool], answers: Answers) -> tuple[bytes, str]:
    """What the child writes but its questions, which are answered, and what went wrong.

    ``ready`` waits for more and says whether there is time left; at most ``limit`` bytes are kept.
    """
    kept: list[bytes] = []
    rest = b""
    length = 0
    while True:
        if not ready():
            return b"".join(kept), "took too long"
        part = os.read(source, 1 << 16)
        if not part:
            return b"".join([*kept, rest]), ""
        rest += part
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if not answers.answer(line):
                kept.append(line + b"\n")
                length += len(line) + 1
        if length + len(rest) > limit:
            return b"".join(kept), f"wrote more than {limit} bytes"
