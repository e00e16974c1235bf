"""Patches of an assessment's findings: the files as they would be, and the safe ones applied."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from assaymark.assess.patch import apply_patches
from assaymark.core.errors import UnavailableError
from assaymark.store.files import write_durable

if TYPE_CHECKING:
    from pathlib import Path

    from assaymark.assess.engine import Assessment
    from assaymark.assess.patch import Patch


def patched(found: Assessment, *, safe: bool) -> dict[str, tuple[bytes, bytes]]:
    """Path to content before and after all patches of findings, or the safe ones."""
    by_path: defaultdict[str, list[Patch]] = defaultdict(list)
    for finding in found.findings:
        for patch in found.patches[finding]:
            if patch.safe or not safe:
                by_path[patch.path].append(patch)
    changed = {}
    for path, patches in sorted(by_path.items()):
        file = found.inputs.file(path)
        if file is not None:
            changed[path] = (file.data, apply_patches(file.data, patches))
    return changed


def apply_safe(found: Assessment, folder: Path) -> list[str]:
    """Write the safe patches into the files of ``folder``; the paths that were changed.

    Raises:
        UnavailableError: ``assess-changed`` when a file is not what was assessed any more; nothing of it is written.
    """
    done = []
    for path, (old, new) in patched(found, safe=True).items():
        target = folder / path if folder.is_dir() else folder
        if target.read_bytes() != old:
            raise UnavailableError(
                "assess-changed", "the file changed while it was assessed", source=str(target), remedy="run it again"
            )
        mode = target.stat().st_mode
        write_durable(target, new)
        target.chmod(mode)
        done.append(path)
    return done
