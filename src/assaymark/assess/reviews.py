"""What a team decided about findings, and which access it needs: a file that is reviewed like code.

Format: docs/spec/assess-config.md. An accepted risk has an owner, a reason and an end, and counts again after it;
what is said to be fixed is looked for, and counts when it is still there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import POLICY_MAX_BYTES, POLICY_MAX_TEXT, POLICY_MAX_VALUES

FORMAT: Final = "assaymark:assess-config/v1"
STATES: Final = ("open", "accepted", "fixed")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{32}")
# How the platforms write actions of their own.
_ACTIONS: Final = {
    "aws": re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+"),
    "kubernetes": re.compile(r"[a-z]+ (?:[a-z0-9-]+(?:\.[a-z0-9.-]+)?(?:/[a-z0-9-]+)?|/\S*)"),
    "azure": re.compile(r"(?:data:)?[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)+(?:/[A-Za-z0-9_.-]+)+"),
    "gcp": re.compile(r"[a-z][A-Za-z0-9]*\.[A-Za-z0-9]+\.[A-Za-z0-9]+"),
}
_DAY: Final = 86_400
_CLASSES: Final = ("read", "write", "permissions", "invoke", "decrypt")


@dataclass(frozen=True, slots=True)
class Review:
    """What was decided of one finding or path. ``until``: seconds since 1970, 0 for no end."""

    fingerprint: str
    state: str
    owner: str
    reason: str
    until: int

    def accepts(self, now: int) -> bool:
        """Whether the risk is accepted at ``now``."""
        return self.state == "accepted" and now < self.until


@dataclass(frozen=True, slots=True)
class Need:
    """Access that must stay, each principal with each action and resource.

    Actions are action classes, with resources by id or unique name, or a platform's own (``platform_of``): AWS's with
    ARNs that may have wildcards, others' with their ids. With ``code``, files and folders, it needs what the code
    there calls.
    """

    principals: tuple[str, ...]
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssessConfig:
    """The entries of one file."""

    reviews: tuple[Review, ...] = ()
    needs: tuple[Need, ...] = ()


def parse_assess_config(text: bytes) -> AssessConfig:
    """The entries of a configuration file.

    Raises:
        InputError: ``assess-config`` with the entry as position.
    """
    import tomllib

    if len(text) > POLICY_MAX_BYTES:
        raise InputError("assess-config", f"more than {POLICY_MAX_BYTES} bytes")
    try:
        value = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise InputError("assess-config", f"not TOML: {error}") from None
    if value.get("format") != FORMAT:
        raise InputError("assess-config", f'the first line is format = "{FORMAT}"', position="format")
    unknown = sorted(value.keys() - {"format", "finding", "need"})
    if unknown:
        raise InputError("assess-config", f"unknown key {unknown[0][:40]!r}", position=unknown[0][:40])
    reviews = tuple(_review(entry, f"finding[{i}]") for i, entry in enumerate(_entries(value, "finding")))
    if len({review.fingerprint for review in reviews}) != len(reviews):
        raise InputError("assess-config", "a fingerprint stands twice", position="finding")
    return AssessConfig(reviews, tuple(_need(entry, f"need[{i}]") for i, entry in enumerate(_entries(value, "need"))))


def platform_of(action: str) -> str:
    """The platform whose own action it is: ``aws``, ``azure``, ``gcp``, ``kubernetes``; empty for an action class."""
    if action in _CLASSES:
        return ""
    return next((name for name, form in _ACTIONS.items() if form.fullmatch(action)), "")


def _entries(value: dict[str, Any], key: str) -> list[Any]:
    entries = value.get(key, [])
    if not isinstance(entries, list) or len(entries) > POLICY_MAX_VALUES:
        raise InputError("assess-config", f"[[{key}]] is a list of at most {POLICY_MAX_VALUES} entries", position=key)
    return entries


def _review(entry: Any, at: str) -> Review:
    fields = _table(entry, at, ("fingerprint", "state", "owner", "reason"), ("until",))
    for name in ("fingerprint", "state", "owner", "reason"):
        _text(fields[name], f"{at}.{name}")
    if not _FINGERPRINT.fullmatch(fields["fingerprint"]):
        raise InputError("assess-config", "a fingerprint is 32 hexadecimal digits", position=f"{at}.fingerprint")
    if fields["state"] not in STATES:
        raise InputError("assess-config", f"a state is one of {', '.join(STATES)}", position=f"{at}.state")
    if fields["state"] == "accepted" and "until" not in fields:
        raise InputError("assess-config", "an accepted risk has an end: until is missing", position=at)
    until = _end(fields["until"], f"{at}.until") if "until" in fields else 0
    return Review(fields["fingerprint"], fields["state"], fields["owner"], fields["reason"], until)


def _need(entry: Any, at: str) -> Need:
    by_code = isinstance(entry, dict) and "code" in entry
    names = ("principals", "code") if by_code else ("principals", "actions", "resources")
    fields = _table(entry, at, names, ())
    lists = []
    for name in names:
        items = fields[name] if isinstance(fields[name], list) else [fields[name]]
        for item in items:
            _text(item, f"{at}.{name}")
        lists.append(tuple(items))
    if by_code:
        return Need(lists[0], code=lists[1])
    wrong = sorted(one for one in lists[1] if one not in _CLASSES and not platform_of(one))
    if wrong:
        message = (
            f"{wrong[0][:40]!r} is neither one of {', '.join(_CLASSES)} nor an action of AWS (service:Action), "
            "Azure (Microsoft.Service/type/verb), Google Cloud (service.type.verb) "
            "or Kubernetes (verb resource.group)"
        )
        raise InputError("assess-config", message, position=f"{at}.actions")
    return Need(lists[0], lists[1], lists[2])


def _table(entry: Any, at: str, names: tuple[str, ...], more: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise InputError("assess-config", "an entry is a table", position=at)
    unknown = sorted(entry.keys() - {*names, *more})
    missing = [name for name in names if name not in entry]
    if unknown or missing:
        message = f"unknown key {unknown[0][:40]!r}" if unknown else f"{', '.join(missing)} is missing"
        raise InputError("assess-config", message, position=at)
    return entry


def _text(value: Any, at: str) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > POLICY_MAX_TEXT:
        raise InputError("assess-config", "expected a text that is not empty", position=at)


def _end(value: Any, at: str) -> int:
    """A day counts to its end, UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return int(value.timestamp())
    if isinstance(value, date) and not isinstance(value, datetime):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()) + _DAY
    raise InputError("assess-config", "expected a day such as 2027-03-01", position=at)
