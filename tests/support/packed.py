"""Archives as ``helm package`` writes them."""

from __future__ import annotations

import io
import tarfile


def archive(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A tar archive by gzip."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return out.getvalue()
