"""Fuzz target: compressed streams of every kind."""

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.compressed import Inflated


def fuzz(data: bytes) -> None:
    """Only InputError is raised."""
    for kind in ("gzip", "zlib", "bzip2", "xz", "lzma", "zstd", "lz4"):
        try:
            inflated = Inflated(BytesView(data), kind)
            if len(inflated.read(0, inflated.size)) != inflated.size:
                raise AssertionError("content of another length")
        except InputError:
            continue
