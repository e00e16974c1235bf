"""Times as whole seconds since 1970-01-01T00:00:00Z; text as RFC 3339 in UTC. No clock is read here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from assaymark.core.errors import InputError

_RFC3339: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z")
_DURATION: Final = re.compile(r"([1-9]\d{0,6})(s|m|h|d)")
_UNIT: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_TIME: Final = 253_402_300_799  # 9999-12-31T23:59:59Z


def format_time(seconds: int) -> str:
    """RFC 3339, such as ``2026-05-01T12:00:00Z``.

    Raises:
        InputError: ``time-range`` outside the years 1970 to 9999.
    """
    if not 0 <= seconds <= MAX_TIME:
        raise InputError("time-range", f"{seconds} is outside the years 1970 to 9999")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> int:
    """Seconds since 1970 of an RFC 3339 time in UTC with whole seconds.

    Raises:
        InputError: ``time-form``.
    """
    match = _RFC3339.fullmatch(text)
    if match is not None and text.isascii():
        year, month, day, hour, minute, second = (int(part) for part in match.groups())
        try:
            seconds = int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
        except ValueError:
            seconds = -1
        if seconds >= 0:
            return seconds
    raise InputError("time-form", f"{text[:40]!r} is not a time", remedy="write it as 2026-05-01T12:00:00Z")


def parse_duration(text: str) -> int:
    """Seconds of a duration such as ``30s``, ``45m``, ``1h`` or ``90d``.

    Raises:
        InputError: ``duration-form``.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not text.isascii():
        raise InputError(
            "duration-form", f"{text[:40]!r} is not a duration", remedy="write it as 30s, 45m, 1h or 90d"
        )
    return int(match[1]) * _UNIT[match[2]]


def format_duration(seconds: int) -> str:
    """The shortest exact form that ``parse_duration`` reads."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNIT[unit] == 0:
            return f"{seconds // _UNIT[unit]}{unit}"
    return f"{seconds}s"
