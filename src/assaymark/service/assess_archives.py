"""Archives and images of an assessed folder, opened where they are: the engine says what of them is read."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from assaymark.assess.archives import Unpacked, unpacked, unpacked_layout
from assaymark.core.errors import InputError
from assaymark.core.limits import ARCHIVE_MAX_BYTES
from assaymark.core.report import Skipped
from assaymark.formats.image_archive import INDEX, LAYOUT
from assaymark.store.survey import LeftOut, Opened, look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.store.walk import FoundFile


def inside_archive(file: FoundFile) -> Unpacked:
    """What a team may have written of an archive or of the image in it."""
    if file.size > ARCHIVE_MAX_BYTES:
        return Unpacked(skipped=[Skipped(file.path, f"an archive of more than {ARCHIVE_MAX_BYTES >> 30} GiB")])
    with ExitStack() as stack:
        try:
            return unpacked(file.path, _opened(stack, file))
        except InputError as error:
            return Unpacked(skipped=[Skipped(file.path, error.message)])
        except OSError as error:
            return Unpacked(skipped=[Skipped(file.path, f"cannot be read: {error.strerror}")])


def layouts(found: Iterable[FoundFile]) -> dict[str, dict[str, FoundFile]]:
    """The folders that are OCI image layouts, each with its files by their path in it."""
    by_path = {file.path: file for file in found}
    roots = [path.removesuffix(LAYOUT) for path in by_path if path.rpartition("/")[2] == LAYOUT]
    return {
        root: {path.removeprefix(root): file for path, file in by_path.items() if path.startswith(root)}
        for root in sorted(roots)
        if f"{root}{INDEX}" in by_path
    }


def inside_layout(root: str, files: dict[str, FoundFile]) -> Unpacked:
    """What a team may have written of the images of a layout. ``root`` ends with a slash, or is empty."""
    with ExitStack() as stack:
        known: dict[str, Opened] = {}

        def opened(path: str) -> Opened | None:
            if path in files and path not in known:
                known[path] = _opened(stack, files[path])
            return known.get(path)

        try:
            return unpacked_layout(root.removesuffix("/"), opened)
        except OSError as error:
            return Unpacked(skipped=[Skipped(f"{root}{INDEX}", f"cannot be read: {error.strerror}")])


def _opened(stack: ExitStack, file: FoundFile) -> Opened:
    view = look(str(file.real))
    if isinstance(view, LeftOut):
        raise InputError("image-archive", view.why, source=file.path)
    stack.callback(view.close)
    return view
