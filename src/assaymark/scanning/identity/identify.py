"""``identify``: which model format a file is, by its content and never by its name.

Nearly every file is answered from its first page. Nothing here judges what a model would do: that is the scan's.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import IDENTIFY_HEAD_BYTES
from assaymark.scanning.identity.archive import (
    Unpackers,
    identify_compressed,
    identify_numpy,
    identify_tar,
    identify_zip,
)
from assaymark.scanning.identity.identified import BoundedView, Identified
from assaymark.scanning.identity.pickle import identify_pickle
from assaymark.scanning.identity.plain import identify_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View


NONE: Final[Unpackers] = MappingProxyType({})
_SMALLEST: Final = 4  # bytes: the shortest pickle that loads anything
_TAR_CHECKSUM: Final = slice(148, 156)
_OCTAL: Final = frozenset(b"01234567 \0")
_COMPRESSED: Final = (b"\x1f\x8b", b"\x78", b"BZh", b"\xfd7zXZ\x00", b"\x5d\x00\x00")


def identify(view: View, unpackers: Unpackers = NONE) -> Identified | None:
    """What model, or container of models or of pickled data, ``view`` is; None when it is none.

    Pure: the same bytes give the same answer. Reads at most ``IDENTIFY_MAX_BYTES``, of most files
    ``IDENTIFY_HEAD_BYTES``. ``unpackers`` look behind ``bzip2`` and ``xz`` (and LZMA); without them what is behind is
    not found.

    Raises:
        InputError: ``identify-limit`` when more would have to be read to know.
    """
    if view.size < _SMALLEST:
        return None
    bounded = BoundedView(view)
    head = bounded.read(0, IDENTIFY_HEAD_BYTES)
    if len(head) < _SMALLEST:
        return None  # cut short since its size was asked for
    for probe in _probes(head, unpackers):
        found = probe(bounded, head)
        if found is not None:
            return found
    return None


def _probes(head: bytes, unpackers: Unpackers) -> tuple[Callable[[View, bytes], Identified | None], ...]:
    if head.startswith(b"PK"):
        return (identify_zip,)
    if head.startswith(b"\x93NUMPY"):
        return (identify_numpy,)
    if head.startswith(_COMPRESSED):
        return (partial(identify_compressed, unpackers=unpackers), identify_plain, identify_pickle)
    if _OCTAL.issuperset(head[_TAR_CHECKSUM]) and len(head) >= _TAR_CHECKSUM.stop:
        return (identify_tar, identify_plain, identify_pickle)
    return (identify_plain, identify_pickle)
