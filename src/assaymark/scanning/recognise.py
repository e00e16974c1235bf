"""What a file is, by content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.hdf5.reader import MAGIC as HDF5_MAGIC
from assaymark.formats.pictures import picture_format
from assaymark.formats.safetensors import has_safetensors_shape
from assaymark.formats.sentencepiece import has_sentencepiece_shape
from assaymark.formats.text import read_text
from assaymark.formats.zip import END_MAGIC, LOCAL_MAGIC
from assaymark.scanning.containers.polyglots import is_tar
from assaymark.scanning.pickle.streams import is_pickle
from assaymark.scanning.promises import CODE_SUFFIXES

if TYPE_CHECKING:
    from assaymark.core.view import View

_PROTO: Final = 0x80
_HIGHEST_PROTOCOL: Final = 5

# Formats that this version knows by their magic and does not examine.
_MAGICS: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"\x78\x01", "zlib"),
    (b"\x78\x5e", "zlib"),
    (b"\x78\x9c", "zlib"),
    (b"\x78\xda", "zlib"),
    (b"ZF0x", "joblib's zlib container"),
    (b"GGUF", "GGUF"),
    (b"\x93NUMPY", "NumPy array"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow"),
    (b"%PDF-", "PDF"),
)
_EXECUTABLES: Final = (
    (b"\x7fELF", "an ELF program"),
    (b"MZ", "a Windows program"),
    (b"\xfe\xed\xfa\xce", "a Mach-O program"),
    (b"\xfe\xed\xfa\xcf", "a Mach-O program"),
    (b"\xce\xfa\xed\xfe", "a Mach-O program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (b"\xca\xfe\xba\xbe", "a Mach-O program or Java class"),
    (b"\x00asm", "a WebAssembly module"),
    (b"#!", "a script"),
)


def runnable(view: View, suffix: str) -> str:
    """What makes this code that a loader or a person may run; empty when nothing does."""
    if suffix in CODE_SUFFIXES:
        return f"source or program ({suffix})"
    head = view.read(0, 8)
    return next((what for magic, what in _EXECUTABLES if head.startswith(magic)), "")


def named_format(view: View) -> str:
    """The name of a format that is known but not examined; empty when there is none."""
    head = view.read(0, 16)
    for magic, name in _MAGICS:
        if head.startswith(magic):
            return name
    if is_tar(view):
        return "tar"
    return "TensorFlow Lite" if head[4:8] == b"TFL3" else ""


def recognise(view: View) -> str:
    """The id of the scanner of what this is; empty for anything else.

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
    if head.startswith(HDF5_MAGIC):
        return "hdf5"
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
    return "json" if text[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "text"
