"""``identify``: which model format a file is, by its content and never by its name.

Nearly every file is answered from its first page. Nothing here judges what a model would do: that is the scan's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.limits import IDENTIFY_HEAD_BYTES
from assaymark.scanning.identified import BoundedView, Identified
from assaymark.scanning.identify_archive import identify_compressed, identify_numpy, identify_tar, identify_zip
from assaymark.scanning.identify_pickle import identify_pickle
from assaymark.scanning.identify_plain import identify_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View

_SMALLEST: Final = 4  # bytes: the shortest pickle that loads anything
_TAR_CHECKSUM: Final = slice(148, 156)
_OCTAL: Final = frozenset(b"01234567 \0")
_COMPRESSED: Final = (b"\x1f\x8b", b"\x78", b"BZh", b"\xfd7zXZ\x00", b"\x5d\x00\x00")


def identify(view: View) -> Identified | None:
    """What model, or container of models or of pickled data, ``view`` is; None when it is none.

    Pure: the same bytes give the same answer. Reads at most ``IDENTIFY_MAX_BYTES``, of most files
    ``IDENTIFY_HEAD_BYTES``.

    Raises:
        InputError: ``identify-limit`` when more would have to be read to know.
    """
    if view.size < _SMALLEST:
        return None
    bounded = BoundedView(view)
    head = bounded.read(0, IDENTIFY_HEAD_BYTES)
    if len(head) < _SMALLEST:
        return None  # cut short since its size was asked for
    for probe in _probes(head):
        found = probe(bounded, head)
        if found is not None:
            return found
    return None


def _probes(head: bytes) -> tuple[Callable[[View, bytes], Identified | None], ...]:
    if head.startswith(b"PK"):
        return (identify_zip,)
    if head.startswith(b"\x93NUMPY"):
        return (identify_numpy,)
    if head.startswith(_COMPRESSED):
        return (identify_compressed, identify_plain, identify_pickle)
    if _OCTAL.issuperset(head[_TAR_CHECKSUM]) and len(head) >= _TAR_CHECKSUM.stop:
        return (identify_tar, identify_plain, identify_pickle)
    return (identify_plain, identify_pickle)
