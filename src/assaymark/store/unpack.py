"""The first bytes behind a compression, within bounds: what the pure floors cannot import."""

from __future__ import annotations

import bz2
import lzma
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LZMA_MEMORY: Final = 128 * MIB  # xz -9 takes 65 MiB to unpack


def unpack_bzip2(data: bytes, most: int) -> bytes:
    """Up to ``most`` bytes behind the beginning of a bzip2 file; none when it is broken."""
    try:
        return bz2.BZ2Decompressor().decompress(data, most)
    except (OSError, ValueError, EOFError):
        return b""


def unpack_xz(data: bytes, most: int) -> bytes:
    """Up to ``most`` bytes behind the beginning of an xz or LZMA file; none when it is broken or wants too much."""
    try:
        return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY).decompress(data, most)
    except (lzma.LZMAError, ValueError, EOFError, MemoryError):
        return b""


UNPACKERS: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {"bzip2": unpack_bzip2, "xz": unpack_xz}
