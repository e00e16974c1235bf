"""Reader of PaddlePaddle: programs (ProgramDesc) and files of weights.

Schema: paddle/fluid/framework/framework.proto; weights: paddle/fluid/framework/lod_tensor.cc, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.view import SliceView
from assaymark.formats.protobuf import LENGTH, VARINT, Field, Messages

if TYPE_CHECKING:
    from assaymark.core.view import View

_FILE_ATTRIBUTES: Final = frozenset(("file_path", "filename", "file_name", "path", "dirname", "save_file_path"))
# VarType.Type -> bytes of an element.
_WIDTHS: Final = {0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 20: 1, 21: 1, 22: 2, 23: 8, 24: 16, 32: 1, 33: 1}
_MAX_TENSORS: Final = 100_000
_DESCRIPTION_MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class PaddleOp:
    """An operator, its attributes that name files, and its byte."""

    kind: str
    files: tuple[str, ...]
    offset: int


def read_paddle(view: View) -> list[PaddleOp]:
    """The operators of all blocks.

    Raises:
        InputError: ``paddle-malformed``, or a ``protobuf-*`` code.
    """
    messages = Messages(view)
    found: list[PaddleOp] = []
    blocks = [item for item in messages.top() if (item.number, item.wire) == (1, LENGTH)]
    if not blocks:
        raise InputError("paddle-malformed", "a program without blocks", position="byte 0")
    for block in blocks:
        operators = [item for item in messages.fields(block) if (item.number, item.wire) == (4, LENGTH)]
        found.extend(_operator(messages, item) for item in operators)
    return found


def _operator(messages: Messages, outer: Field) -> PaddleOp:
    kinds: list[str] = []
    files: list[str] = []
    for item in messages.fields(outer):
        if (item.number, item.wire) == (3, LENGTH):
            kinds.append(messages.text(item))
        elif (item.number, item.wire) == (4, LENGTH):
            texts = {inner.number: inner for inner in messages.fields(item) if inner.wire == LENGTH}
            if 1 in texts and 5 in texts and messages.text(texts[1]) in _FILE_ATTRIBUTES:  # noqa: PLR2004 - s
                files.append(messages.text(texts[5]))
    if len(kinds) != 1:
        raise InputError("paddle-malformed", "an operator of no type or two", position=f"byte {outer.start}")
    return PaddleOp(kinds[0], tuple(files), outer.start)


def read_parameters(view: View) -> int:
    """The number of tensors, which fill the file exactly.

    Raises:
        InputError: ``paddle-weights``, ``graph-size``, or a ``protobuf-*`` code.
    """
    place = count = 0
    while place < view.size:
        count += 1
        if count > _MAX_TENSORS:
            raise InputError("graph-size", f"more than {_MAX_TENSORS} tensors", position=f"byte {place}")
        place = _tensor(view, place)
    return count


def _tensor(view: View, start: int) -> int:
    head = view.read(start, 12)
    levels = int.from_bytes(head[4:12], "little")
    if len(head) < 12 or head[:4] != bytes(4) or levels > 64:  # noqa: PLR2004
        raise InputError("paddle-weights", "no tensor", position=f"byte {start}")
    place = start + 12
    for _ in range(levels):
        place += 8 + int.from_bytes(view.read(place, 8), "little")
    head = view.read(place, 8)
    size = int.from_bytes(head[4:8], "little")
    if len(head) < 8 or head[:4] != bytes(4) or not 0 < size <= _DESCRIPTION_MOST:  # noqa: PLR2004
        raise InputError("paddle-weights", "no description of a tensor", position=f"byte {place}")
    place += 8
    total = _bytes(SliceView(view, place, size), place)
    if place + size + total > view.size:
        raise InputError("paddle-weights", "a tensor leads out of the file", position=f"byte {place}")
    return place + size + total


def _bytes(description: View, place: int) -> int:
    total = 0
    dimensions: list[int] = []
    messages = Messages(description, 1000)
    for item in messages.top():
        if (item.number, item.wire) == (1, VARINT):
            total = _WIDTHS.get(item.value, 0)
        elif item.number == 2:  # noqa: PLR2004 - dims
            dimensions += [item.value] if item.wire == VARINT else messages.numbers(item)
    for size in dimensions:
        total *= size
        if total >= 1 << 62:
            break
    if not total and 0 not in dimensions:
        raise InputError("paddle-weights", "a tensor of a type that is not known", position=f"byte {place}")
    return total
