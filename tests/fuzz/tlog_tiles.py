"""Fuzz target: tile paths, entry bundles and hash tiles; the first byte is the width."""

from assaymark.core.errors import InputError
from assaymark.tlog.tiles import format_bundle, parse_bundle, parse_hash_tile, parse_tile_path


def fuzz(data: bytes) -> None:
    """What parses is the only spelling; anything else is an InputError."""
    width, rest = (data[0] or 256 if data else 1), data[1:]
    try:
        if format_bundle(parse_bundle(rest, width)) != rest:
            raise AssertionError("a bundle with two spellings")
    except InputError:
        pass
    try:
        if b"".join(parse_hash_tile(rest, width)) != rest:
            raise AssertionError("a hash tile with two spellings")
    except InputError:
        pass
    try:
        path = data.decode("utf-8", "surrogateescape")
        if parse_tile_path(path).path != path:
            raise AssertionError("a tile path with two spellings")
    except InputError:
        pass
