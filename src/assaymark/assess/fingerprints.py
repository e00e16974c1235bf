"""Fingerprints: what a finding or a path is about, in 32 hexadecimal digits that stay while that stays."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assaymark.assess.paths.ranked import Path
    from assaymark.core.report import Finding


def finding_fingerprint(finding: Finding) -> str:
    """Of a finding: rule, what it is about, and its file, whatever the line."""
    return _digest(finding.rule, finding.name, finding.locations[0].path)


def path_fingerprint(path: Path) -> str:
    """Of a path: its two ends, whatever the steps."""
    return _digest("attack-path", path.source.id, path.target.id)


def _digest(*parts: str) -> str:
    return sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
