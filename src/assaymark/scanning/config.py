"""What a team lets pass in scans of its own: names that it vouches for, and findings that it has looked at.

Never part of a signed scan: what is signed says what was found, and the policy says what of it may be.
Format: docs/spec/scan-config.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import POLICY_MAX_BYTES, POLICY_MAX_KEY_PARTS, POLICY_MAX_TEXT, POLICY_MAX_VALUES
from assaymark.scanning.rules import RULES

if TYPE_CHECKING:
    from assaymark.core.report import Finding, Report

FORMAT: Final = "assaymark:scan-config/v1"
_DAY: Final = 86_400
_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_BRACKET_LINE: Final = re.compile(rb"^[ \t]*\[+[^\]\n]*|^[^=\n]*=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Allow:
    """A class or function of the team's own: ``file``, which has ``digest``, defines it."""

    name: str
    file: str
    digest: str
    owner: str
    reason: str
    until: int


@dataclass(frozen=True, slots=True)
class Ignore:
    """Findings of ``rule`` in files that ``path`` matches (``*`` stands for anything, slashes too)."""

    rule: str
    path: str
    owner: str
    reason: str
    until: int


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """The entries of one file. ``until`` is the first second at which an entry no longer counts."""

    allow: tuple[Allow, ...] = ()
    ignore: tuple[Ignore, ...] = ()

    def standing(self, now: int) -> tuple[ScanConfig, tuple[Allow | Ignore, ...]]:
        """What counts at ``now``, and what has ended."""
        kept = ScanConfig(
            tuple(entry for entry in self.allow if now < entry.until),
            tuple(entry for entry in self.ignore if now < entry.until),
        )
        everything: tuple[Allow | Ignore, ...] = (*self.allow, *self.ignore)
        return kept, tuple(entry for entry in everything if now >= entry.until)


def parse_scan_config(text: bytes) -> ScanConfig:
    """The entries of a configuration file; every one has an owner, a reason and an end.

    Raises:
        InputError: ``scan-config`` with the entry as position.
    """
    import tomllib

    if len(text) > POLICY_MAX_BYTES:
        raise InputError("scan-config", f"more than {POLICY_MAX_BYTES} bytes")
    if any(match[0].count(b".") >= POLICY_MAX_KEY_PARTS for match in _BRACKET_LINE.finditer(text)):
        raise InputError("scan-config", "a key of too many parts")
    try:
        value = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise InputError("scan-config", f"not TOML: {error}") from None
    if value.get("format") != FORMAT:
        raise InputError("scan-config", f'the first line is format = "{FORMAT}"', position="format")
    unknown = sorted(value.keys() - {"format", "allow", "ignore"})
    if unknown:
        raise InputError("scan-config", f"unknown key {unknown[0][:40]!r}", position=unknown[0][:40])
    return ScanConfig(
        tuple(_allow(entry, f"allow[{i}]") for i, entry in enumerate(_entries(value, "allow"))),
        tuple(_ignore(entry, f"ignore[{i}]") for i, entry in enumerate(_entries(value, "ignore"))),
    )


def apply_ignores(report: Report, config: ScanConfig) -> tuple[Report, tuple[tuple[Finding, Ignore], ...]]:
    """The report without what is ignored, and each finding that was taken out with the entry that did it."""
    kept: list[Finding] = []
    ignored: list[tuple[Finding, Ignore]] = []
    for finding in report.findings:
        entry = next((entry for entry in config.ignore if _covers(entry, finding)), None)
        if entry is None:
            kept.append(finding)
        else:
            ignored.append((finding, entry))
    return replace(report, findings=tuple(kept)), tuple(ignored)


def _covers(entry: Ignore, finding: Finding) -> bool:
    return finding.rule == entry.rule and all(fnmatchcase(place.path, entry.path) for place in finding.locations)


def _entries(value: dict[str, Any], key: str) -> list[Any]:
    entries = value.get(key, [])
    if not isinstance(entries, list) or len(entries) > POLICY_MAX_VALUES:
        raise InputError("scan-config", f"[[{key}]] is a list of at most {POLICY_MAX_VALUES} entries", position=key)
    return entries


def _allow(entry: Any, at: str) -> Allow:
    fields = _fields(entry, at, ("name", "file", "digest", "owner", "reason", "until"))
    if not _NAME.fullmatch(fields["name"]):
        raise InputError("scan-config", "a name is package.module.Class", position=f"{at}.name")
    if not _DIGEST.fullmatch(fields["digest"]):
        raise InputError("scan-config", "a digest is sha256: and 64 hexadecimal digits", position=f"{at}.digest")
    return Allow(**fields)


def _ignore(entry: Any, at: str) -> Ignore:
    fields = _fields(entry, at, ("rule", "path", "owner", "reason", "until"))
    if fields["rule"] not in RULES:
        raise InputError("scan-config", f"there is no rule {fields['rule'][:64]!r}", position=f"{at}.rule")
    return Ignore(**fields)


def _fields(entry: Any, at: str, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise InputError("scan-config", "an entry is a table", position=at)
    unknown = sorted(entry.keys() - set(names))
    missing = [name for name in names if name not in entry]
    if unknown or missing:
        message = f"unknown key {unknown[0][:40]!r}" if unknown else f"{', '.join(missing)} is missing"
        raise InputError("scan-config", message, position=at)
    for name in names[:-1]:
        text = entry[name]
        if not isinstance(text, str) or not text.strip() or len(text) > POLICY_MAX_TEXT:
            raise InputError("scan-config", "expected a text that is not empty", position=f"{at}.{name}")
    return {**entry, "until": _end(entry["until"], f"{at}.until")}


def _end(value: Any, at: str) -> int:
    """A day counts to its end, UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return int(value.timestamp())
    if isinstance(value, date) and not isinstance(value, datetime):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()) + _DAY
    raise InputError("scan-config", "expected a day such as 2027-03-01", position=at)
