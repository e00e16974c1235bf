"""Strict reader of NumPy array files (numpy/lib/format.py, NEP 1): the header, and what of the file is data."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import NUMPY_MAX_HEADER_BYTES

if TYPE_CHECKING:
    from assaymark.core.view import View

MAGIC: Final = b"\x93NUMPY"
_CODE: Final = re.compile(r"[<>|=]?([?bBhHiIlLqQefdgFDGSaUVOMmuc])(\d{0,9})(?:\[\d*[A-Za-zμ]{1,8}(?:/\d+)?\])?")
_GROUPS: Final = ((1, "?bB"), (2, "ehH"), (8, "qQdFMmO"), (16, "D"))
_WIDTHS: Final = {code: width for width, codes in _GROUPS for code in codes}
_HEADER_WIDTH: Final = {1: 2, 2: 4, 3: 4}  # bytes of the header's length, by version
_MAX_DEPTH: Final = 16
_MAX_DIMENSIONS: Final = 64


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """One array of a file: its data is from ``start``; ``size`` bytes, or a pickle when it has objects."""

    start: int
    size: int
    objects: bool


def read_array(view: View, at: int = 0) -> ArrayFile:
    """The array whose magic is at byte ``at``. Data is not read.

    Raises:
        InputError: ``numpy-header`` for anything that ``numpy.load`` would not write.
    """
    head = view.read(at, 12)
    if not head.startswith(MAGIC) or len(head) < 10 or head[6] not in _HEADER_WIDTH or head[7]:  # noqa: PLR2004
        raise InputError("numpy-header", "no NumPy file of version 1 to 3", position=f"byte {at}")
    width = _HEADER_WIDTH[head[6]]
    length = int.from_bytes(head[8 : 8 + width], "little")
    if length > NUMPY_MAX_HEADER_BYTES:
        raise InputError("numpy-header", f"a header of {length} bytes", position=f"byte {at}")
    start = at + 8 + width
    text = view.read(start, length)
    if len(text) < length:
        raise InputError("numpy-header", "the header is cut short", position=f"byte {start}")
    header = _literal(text, "utf-8" if head[6] == 3 else "latin-1", start)  # noqa: PLR2004 - version
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise InputError("numpy-header", "not descr, fortran_order and shape", position=f"byte {start}")
    shape, order = header["shape"], header["fortran_order"]
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 2**63 for n in shape):
        raise InputError("numpy-header", "a malformed shape", position=f"byte {start}")
    if not isinstance(order, bool) or len(shape) > _MAX_DIMENSIONS:
        raise InputError("numpy-header", "a malformed shape or order", position=f"byte {start}")
    item, objects = _item(header["descr"], 0)
    return ArrayFile(start + length, item * math.prod(shape), objects)


def _literal(text: bytes, encoding: str, start: int) -> Any:
    """The value of a Python literal. ``ast.literal_eval`` builds constants and containers only."""
    try:
        return ast.literal_eval(text.decode(encoding).strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, UnicodeDecodeError):
        raise InputError("numpy-header", "the header is no literal", position=f"byte {start}") from None


def _item(description: Any, depth: int) -> tuple[int, bool]:
    """(bytes of one element, whether it holds objects)."""
    if depth > _MAX_DEPTH:
        raise InputError("numpy-header", "a type that is nested too deeply")
    if isinstance(description, str):
        match = _CODE.fullmatch(description)
        if match is None:
            raise InputError("numpy-header", "a type that is not known")
        return _width(match[1], match[2]), match[1] == "O"
    if isinstance(description, tuple) and len(description) == 2:  # noqa: PLR2004 - a sub-array: (type, shape)
        size, objects = _item(description[0], depth + 1)
        return size * math.prod(_counts(description[1])), objects
    if isinstance(description, list):
        total, any_objects = 0, False
        for entry in description:
            if not isinstance(entry, tuple) or not 2 <= len(entry) <= 3:  # noqa: PLR2004 - name, type[, shape]
                raise InputError("numpy-header", "a malformed field")
            size, objects = _item(entry[1], depth + 1)
            total += size * math.prod(_counts(entry[2]) if len(entry) == 3 else ())  # noqa: PLR2004
            any_objects |= objects
        return total, any_objects
    raise InputError("numpy-header", "a type that is not known")


def _counts(shape: Any) -> tuple[int, ...]:
    counts = (shape,) if type(shape) is int else shape
    if not isinstance(counts, tuple) or not all(type(n) is int and 0 <= n < 2**31 for n in counts):
        raise InputError("numpy-header", "a malformed shape of a field")
    return counts


def _width(code: str, digits: str) -> int:
    if code == "U":
        return 4 * int(digits or 0)
    if code in "SaV":
        return int(digits or 0)
    if code in "Mm" and not digits:
        return 8
    if digits:  # a letter and bytes: i4, f8, b1
        return int(digits)
    if code in _WIDTHS:
        return _WIDTHS[code]
    raise InputError("numpy-header", "a type whose size depends on the machine")
