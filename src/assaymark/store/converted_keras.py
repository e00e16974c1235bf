"""A ``.keras`` archive: written member by member, and read back by the readers that scan one.

Members are stored, in the order and with the names of ``keras/src/saving/saving_lib.py``; the date is that of the
format's first day, so that a source has one result.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from assaymark.convert.hdf5_file import planned
from assaymark.convert.keras.hdf5_writer import layout_hdf5
from assaymark.convert.plan import CONFIGURATION, METADATA, WEIGHTS
from assaymark.core.errors import InputError
from assaymark.core.view import SliceView
from assaymark.formats.hdf5.reader import read_hdf5
from assaymark.formats.zip import read_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.convert.plan import Plan, PlannedTensor
    from assaymark.core.view import View

_DATE: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644


def write_keras(
    descriptor: int,
    plan: Plan,
    chunks: Callable[[PlannedTensor], Iterable[bytes]],
    on_written: Callable[[int], None],
) -> None:
    """Write the archive that ``plan`` says to the open, empty file. ``chunks`` gives the bytes of an array in order.

    Raises:
        OSError: of the file system.
        InputError: as ``chunks`` raises.
    """
    from zipfile import ZIP_STORED, ZipFile, ZipInfo

    structure, starts, size = layout_hdf5(plan.tensors)
    with os.fdopen(os.dup(descriptor), "r+b") as file, ZipFile(file, "w", ZIP_STORED) as archive:

        def member(name: str, length: int) -> ZipInfo:
            info = ZipInfo(name, _DATE)
            info.external_attr = _MODE << 16
            info.file_size = length  # by which zipfile chooses the wide form
            return info

        for name in (METADATA, CONFIGURATION):
            data = plan.metadata[name].encode()
            archive.writestr(member(name, len(data)), data)
        with archive.open(member(WEIGHTS, size), "w") as out:
            at = out.write(structure)
            for tensor, start in zip(plan.tensors, starts, strict=True):
                at += out.write(bytes(start - at))
                for chunk in chunks(tensor):
                    at += out.write(chunk)
                    on_written(len(chunk))


def read_keras(view: View, plan: Plan) -> dict[str, tuple[int, int, str, tuple[int, ...]]]:
    """(start, end, type, shape) of each array in the archive, whose texts must be those of ``plan``.

    Raises:
        InputError: ``convert-plan`` for another archive, or a code of the readers.
    """
    archive = read_zip(view)
    members = {member.name: member for member in archive.members}
    stored = not any(member.deflated for member in archive.members)
    if archive.ambiguities or archive.unreadable or not stored or set(members) != {METADATA, CONFIGURATION, WEIGHTS}:
        raise InputError("convert-plan", "an archive of other members than were written")
    for name in (METADATA, CONFIGURATION):
        text = view.read(members[name].start, members[name].size)
        if text != plan.metadata[name].encode():
            raise InputError("convert-plan", f"another {name} than was written")
    weights = members[WEIGHTS]
    places = {}
    for array in read_hdf5(SliceView(view, weights.start, weights.size), arrays=True).datasets:
        tensor = planned(array)
        start = weights.start + tensor.start
        places[tensor.name] = (start, start + tensor.size, tensor.dtype, tensor.shape)
    return places
