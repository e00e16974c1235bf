"""Scanner of compressed files: what is within is examined as if it lay there unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.view import SliceView
from assaymark.formats.compressed import Inflated, packed

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_SUFFIXES: Final = {
    ".tgz": ".tar",
    ".tbz2": ".tar",
    ".txz": ".tar",
    ".gz": "",
    ".bz2": "",
    ".xz": "",
    ".zst": "",
    ".lz4": "",
    ".lzma": "",
    ".z": "",
}


def scan(content: Content) -> None:
    """Unpack, examine, and say what follows the end of the stream."""
    kind, skipped = packed(content.view)
    view = SliceView(content.view, skipped, max(content.view.size - skipped, 0)) if skipped else content.view
    if not kind:
        content.notes.skip("a compressed file of a form that is not known", content.member)
        return
    try:
        inflated = Inflated(view, kind)
        if inflated.trailing is not None:
            message = f"bytes follow the end of the {kind} stream (byte {skipped + inflated.trailing})"
            content.notes.finding("trailing-data", message, member=content.member, offset=skipped + inflated.trailing)
        # What is within goes by the name without the compression's: a loader by content unpacks and reads on.
        content.examine(content.within(inflated, _inner_name(content.name)))
    except InputError as error:
        if error.code == "compressed-bomb":
            content.notes.finding("scan-resource", error.message, member=content.member, offset=0)
        content.notes.skip(f"a {kind} stream: {error.message}", content.member)
        return
    content.notes.saw(kind, content.member)


def _inner_name(name: str) -> str:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    for suffix, instead in _SUFFIXES.items():
        if base.lower().endswith(suffix) and len(base) > len(suffix):
            return base[: -len(suffix)] + instead
    return base
