"""``unpacked``: the texts of a chart that is packed as ``helm package`` does, a tar archive by gzip.

Nothing is written anywhere: names are keys alone, and those that would lead out of the chart's folder are left out.
"""

from __future__ import annotations

import posixpath
from typing import Final

from assaymark.core.errors import InputError
from assaymark.core.limits import HELM_MAX_DEPTH, HELM_MAX_PACKED_BYTES, HELM_MAX_PACKED_FILES
from assaymark.core.view import BytesView
from assaymark.formats.compressed import unpack
from assaymark.formats.tar import read_tar

_ENDS: Final = (".tgz", ".tar.gz")


def is_packed(path: str) -> bool:
    """Whether a file below a chart's ``charts`` is a packed chart, by its name."""
    return path.endswith(_ENDS) and posixpath.basename(posixpath.dirname(path)) == "charts"


def unpacked(data: bytes, depth: int = 0) -> dict[str, str]:
    """The texts by path, which begins with the chart's name; packed charts within it lie in ``charts`` unpacked.

    Raises:
        InputError: ``template-go``: too large, too many, too deep; ``compressed-data``, ``tar-header`` and the like.
    """
    whole = bytearray()
    for piece in unpack(BytesView(data), "gzip"):
        whole += piece
        if len(whole) > HELM_MAX_PACKED_BYTES:
            raise InputError("template-go", f"a packed chart has more than {HELM_MAX_PACKED_BYTES >> 20} MiB")
    content = bytes(whole)
    found: dict[str, str] = {}
    for member in read_tar(BytesView(content)).members:
        path = posixpath.normpath(member.name)
        if member.kind != "file" or path.startswith(("/", "../")) or "/" not in path:
            continue
        if len(found) >= HELM_MAX_PACKED_FILES:
            raise InputError("template-go", f"a packed chart has more than {HELM_MAX_PACKED_FILES} files")
        inner = content[member.start : member.start + member.size]
        if is_packed(path):
            if depth >= HELM_MAX_DEPTH:
                raise InputError("template-go", "packed charts lie too deep in each other")
            folder = posixpath.dirname(path)
            found |= {f"{folder}/{name}": text for name, text in unpacked(inner, depth + 1).items()}
            continue
        try:
            found[path] = inner.decode("utf-8-sig")
        except UnicodeDecodeError:
            continue  # no template is binary
    return found
