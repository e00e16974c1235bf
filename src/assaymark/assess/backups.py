"""``older_states``: states of Terraform as they were before a change, which do not count where a newer one is there.

Terraform keeps the state before the last change as ``terraform.tfstate.backup``, and others by the time of a change
of the backend (``terraform.tfstate.1700000000.backup``). The ``serial`` of a state grows with each change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.values import natural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.files import Reading, SourceFile

BACKUP: Final = re.compile(r"(\.tfstate)(?:\.\d+)?\.backup$", re.IGNORECASE)
_SERIAL: Final = re.compile(rb'"serial"\s*:\s*(\d{1,18})')


def older_states(files: Iterable[SourceFile], reading: Reading) -> frozenset[str]:
    """The paths of backups that do not count; what counts in their place is noted, and where a backup does."""
    every = {file.path: file for file in files}
    found: dict[str, list[SourceFile]] = {}
    for path, file in every.items():
        if BACKUP.search(path):
            found.setdefault(BACKUP.sub(r"\1", path), []).append(file)
    older = set()
    for current, backups in sorted(found.items()):
        newest = max(backups, key=lambda file: (_serial(file), file.path))
        for file in backups:
            if file is newest and current not in every:
                reading.gap(f"{file.path} is an older state: it counts, since {current} is not in the input")
                continue
            counts = current if current in every else newest.path
            reading.gap(f"{file.path} is an older state: only keys are looked for in it, {counts} counts")
            older.add(file.path)
    return frozenset(older)


def _serial(file: SourceFile) -> int:
    match = _SERIAL.search(file.data)
    return natural(match[1].decode()) or 0 if match else 0
