"""Files, the patches that are written for what is found in them, and what is found after those are applied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.patch import apply_patches
from assaymark.assess.patches.writers import patches_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.patch import Patch
    from assaymark.core.report import Finding

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Patched:
    """``files`` after all patches of the rules that were asked for; findings ``before`` and ``after``."""

    patches: tuple[Patch, ...]
    files: dict[str, str]
    before: tuple[Finding, ...]
    after: tuple[Finding, ...]

    def check(self, *rules: str) -> None:
        """Findings of these rules were there and none is left, nor any new one of whatever rule."""
        assert set(rules) <= {finding.rule for finding in self.before}
        left = [finding.message for finding in self.after if finding.rule in rules]
        assert not left, (left, self.files)
        known = {(finding.rule, finding.name) for finding in self.before}
        assert not [one for one in self.after if (one.rule, one.name) not in known], self.files


def patched(files: Mapping[str, str | bytes], *rules: str) -> Patched:
    """What the patches of the findings of ``rules`` make of files; of all rules without any."""
    given = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    found = assess([source_file(path, data) for path, data in given.items()], NOW)
    asked = [finding for finding in found.findings if not rules or finding.rule in rules]
    patches = tuple(patch for finding in asked for patch in patches_for(finding, found.inputs, found.estates))
    assert not any(patch.safe for patch in patches)
    changed = {
        path: apply_patches(data, [one for one in patches if one.path == path]) for path, data in given.items()
    }
    for path, data in changed.items():
        if path.endswith(".py"):
            compile(data, path, "exec")
    again = assess([source_file(path, data) for path, data in changed.items()], NOW)
    assert {one.path for one in again.reading.skipped} <= {one.path for one in found.reading.skipped}
    texts = {path: data.decode("utf-8", "surrogateescape") for path, data in changed.items()}
    return Patched(patches, texts, tuple(found.findings), tuple(again.findings))
