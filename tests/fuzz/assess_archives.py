"""Fuzz target: archives and images of an assessed folder."""

from __future__ import annotations

import io
import zipfile

from tests.support.stored_image import layer, layout, saved

from assaymark.assess.archives import unpacked, unpacked_layout
from assaymark.core.view import BytesView

_CONFIG = {"config": {"Cmd": ["python"]}}
_FILES = layout("a:1", _CONFIG, [layer({"app/x.py": b"1"})], platforms=True)


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.py", b"print()" * 9)
        archive.writestr("x.dist-info/RECORD", b"a/b.py,sha256=x,1\n")
    return out.getvalue()


SEEDS = [
    saved(["a:1"], _CONFIG, [layer({"app/x.py": b"1", "b": b""}, links={"c": "b"}), layer({"app/.wh.x.py": b""})]),
    layer(_FILES),
    _zip(),
    layer({"../a": b"1", "b/.env": b"KEY=1"}),
]


def fuzz(data: bytes) -> None:
    """Nothing is raised, and no name leads out of the archive."""
    folder = {**_FILES, "index.json": data}
    view = BytesView(data)
    for found in (unpacked("x.tar", view), unpacked_layout("x", lambda path: _view(folder, path))):
        for file in found.files:
            assert file.path.startswith("x")
            assert ".." not in file.path.split("/")


def _view(folder: dict[str, bytes], path: str) -> BytesView | None:
    return BytesView(folder[path]) if path in folder else None
