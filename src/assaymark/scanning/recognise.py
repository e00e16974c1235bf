"""What a file is, by content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.compressed import OLD_JOBLIB, compression
from assaymark.formats.hdf5.reader import MAGIC as HDF5_MAGIC
from assaymark.formats.media import media_format
from assaymark.formats.numpy_file import MAGIC as NUMPY_MAGIC
from assaymark.formats.pictures import picture_format
from assaymark.formats.safetensors import has_safetensors_shape
from assaymark.formats.sentencepiece import has_sentencepiece_shape
from assaymark.formats.sevenzip import MAGIC as SEVENZIP_MAGIC
from assaymark.formats.tar import is_tar
from assaymark.formats.text import read_text
from assaymark.formats.zip import END_MAGIC, LOCAL_MAGIC
from assaymark.scanning.containers.native import native_code
from assaymark.scanning.graph_kinds import graph_kind, graph_text_kind
from assaymark.scanning.pickle.streams import is_pickle
from assaymark.scanning.promises import CODE_SUFFIXES

if TYPE_CHECKING:
    from assaymark.core.view import View

_PROTO: Final = 0x80
_HIGHEST_PROTOCOL: Final = 5

# Formats that this version knows by their magic and does not examine.
_MAGICS: Final = (
    (b"Rar!\x1a\x07", "RAR"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow"),
    (b"%PDF-", "PDF"),
)


def runnable(view: View, suffix: str) -> str:
    """What makes this code that a loader or a person may run; empty when nothing does."""
    if suffix in CODE_SUFFIXES:
        return f"source or program ({suffix})"
    return "a script" if view.read(0, 2) == b"#!" else ""


def named_format(view: View) -> str:
    """The name of a format that is known but not examined; empty when there is none."""
    head = view.read(0, 16)
    for magic, name in _MAGICS:
        if head.startswith(magic):
            return name
    return ""


def _container(view: View, head: bytes) -> str:
    if is_tar(view):
        return "tar"
    if head.startswith(OLD_JOBLIB) or compression(head):
        return "compressed"
    for magic, kind in ((SEVENZIP_MAGIC, "7z"), (NUMPY_MAGIC, "numpy"), (HDF5_MAGIC, "hdf5")):
        if head.startswith(magic):
            return kind
    if media_format(head):
        return "media"
    return "native" if native_code(view) else ""


def recognise(view: View) -> str:
    """The id of the scanner that understands ``view``, ``empty`` for no bytes, or nothing for anything else.

    A text that a pickle loader would take (protocol 0 is ASCII) is a ``pickle``.
    """
    if view.size == 0:
        return "empty"
    head = view.read(0, 16)
    if head.startswith((LOCAL_MAGIC, END_MAGIC)):
        return "zip"
    if picture_format(head):
        return "picture"
    if has_safetensors_shape(view):
        return "safetensors"
    if head[0] == _PROTO and len(head) > 1 and head[1] <= _HIGHEST_PROTOCOL:
        return "pickle"
    kind = _container(view, head) or graph_kind(view)
    if kind:
        return kind
    if named_format(view):
        return ""
    if has_sentencepiece_shape(view):
        return "sentencepiece"
    if is_pickle(view):
        return "pickle"
    try:
        text = read_text(view)
    except InputError:
        return ""
    kind = graph_text_kind(text)
    if kind:
        return kind
    return "json" if text[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "text"
