"""Versions and constraints on them, as ``semverCompare`` and ``semver`` of Helm's templates take them.

Source: Masterminds' semver, "Basic Comparisons", "Working With Prerelease Versions", "Hyphen Range Comparisons",
"Wildcards In Comparisons", "Tilde Range Comparisons", "Caret Range Comparisons".
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

from assaymark.core.errors import InputError

_PART: Final = r"(\d{1,18}|[xX*])"
_VERSION: Final = re.compile(rf"v?{_PART}(?:\.{_PART})?(?:\.{_PART})?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?")
_COMPARED: Final = re.compile(r"(>=|=>|<=|=<|!=|=|>|<|~>|~|\^)?\s*(v?[\dxX*][\w.*+-]*)")
_RANGE: Final = re.compile(r"(\S+)\s+-\s+(\S+)")
_NEXT: Final = 10**18

_Key: TypeAlias = "tuple[tuple[int, int, int], int, tuple[tuple[int, int, str], ...]]"


def version_of(text: Any) -> tuple[int, int, int]:
    """Major, minor and patch.

    Raises:
        InputError: ``template-go``: no version.
    """
    return _read(text)[0]


def satisfies(constraint: Any, version: Any) -> bool:
    """Whether a version is within constraints: those of each alternative, which ``||`` parts, count together."""
    numbers, _, before = _read(version)
    found = _key(numbers, before)
    for alternative in str(constraint).split("||"):
        written = _RANGE.sub(r">=\1 <=\2", alternative.strip())
        parts = _COMPARED.findall(written)
        if not parts:
            raise InputError("template-go", f"no constraint: {str(constraint)[:40]}")
        if all(_holds(sign, text, found) for sign, text in parts):
            return True
    return False


def _read(text: Any) -> tuple[tuple[int, int, int], int, str]:
    """The numbers, how many of them are written, and what stands before the release."""
    match = _VERSION.fullmatch(str(text).strip())
    if match is None:
        raise InputError("template-go", f"no version: {str(text)[:40]}")
    written = [part for part in match.groups()[:3] if part and part.isdigit()]
    first = next((at for at, part in enumerate(match.groups()[:3]) if not (part and part.isdigit())), 3)
    major, minor, patch = (*(int(part) for part in written[:first]), 0, 0, 0)[:3]
    return (major, minor, patch), first, match[4] or ""


def _key(numbers: tuple[int, int, int], before: str) -> _Key:
    """What versions are ordered by: a release comes after what stands before it, numbers before words."""
    parts = before.split(".") if before else []
    return numbers, not before, tuple((0, int(one), "") if one.isdecimal() else (1, 0, one) for one in parts)


def _holds(sign: str, text: str, found: _Key) -> bool:
    numbers, given, before = _read(text)
    least, above = _key(numbers, before), _key(_above(numbers, given), "")
    if not found[1] and not before:
        return False  # what is not released is meant by constraints alone that name such a version
    if sign in ("~", "~>"):
        return _between(found, least, _key(_above(numbers, min(given, 2)), ""))
    if sign == "^":
        fixed = next((at for at, part in enumerate(numbers[:given], 1) if part), given)
        return _between(found, least, _key(_above(numbers, fixed), ""))
    within = _between(found, least, above) if given < 3 else found == least  # noqa: PLR2004
    match sign:
        case ">":
            return found >= above if given < 3 else found > least  # noqa: PLR2004
        case ">=" | "=>":
            return found >= least
        case "<":
            return found < least
        case "<=" | "=<":
            return found < above if given < 3 else found <= least  # noqa: PLR2004
        case "!=":
            return not within
    return within


def _between(found: _Key, least: _Key, above: _Key) -> bool:
    return least <= found and found[0] < above[0]


def _above(numbers: tuple[int, int, int], fixed: int) -> tuple[int, int, int]:
    """The first version above all that have these first numbers."""
    if not fixed:
        return _NEXT, 0, 0
    major, minor, patch = (*numbers[: fixed - 1], numbers[fixed - 1] + 1, 0, 0)[:3]
    return major, minor, patch
