"""``closure``: what some packages of a lock need in the end, and under which markers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.formats.requirements_file import normal_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.source.locks import Lock

# Markers that all must hold; of several such sets one is enough.
_All: TypeAlias = frozenset[str]
_ALTERNATIVES: Final = 6
_STEPS: Final = 20_000


def closure(lock: Lock, wanted: Mapping[str, tuple[frozenset[str], str]]) -> dict[str, str] | None:
    """What ``wanted`` (name to extras and marker) needs beside itself: name to marker, empty for always.

    None where that is not known: the lock does not say what needs what and has more than is wanted, a package is in
    it in several versions, or under markers that cannot be written down in one line.
    """
    if not lock.graph:
        return {} if set(wanted) >= set(lock.packages) | lock.others else None
    found: dict[tuple[str, str], list[_All]] = {}
    pending = deque(
        (name, extra, frozenset((marker,)) if marker else frozenset())
        for name, (extras, marker) in wanted.items()
        for extra in ("", *sorted(normal_name(one) for one in extras))
    )
    needed: set[str] = set()
    for _ in range(_STEPS):
        if not pending:
            return _texts(found, wanted, needed)
        name, extra, when = pending.popleft()
        package = lock.packages.get(name)
        if package is None or any("extra" in one for one in when):
            return None
        known = found.setdefault((name, extra), [])
        if any(one <= when for one in known):
            continue
        known[:] = [*(one for one in known if not when <= one), when]
        if len(known) > _ALTERNATIVES:
            return None
        for need in package.needs.get(extra, ()):
            needed.add(need.name)
            all_of = when | {need.marker} if need.marker else when
            pending.extend((need.name, one, all_of) for one in ("", *sorted(need.extras)))
    return None


def _texts(
    found: Mapping[tuple[str, str], list[_All]], wanted: Mapping[str, tuple[frozenset[str], str]], needed: set[str]
) -> dict[str, str] | None:
    """Name to the marker that is written for it."""
    if any(marker and name in needed for name, (_, marker) in wanted.items()):
        return None  # where its line's marker does not hold, another package may still need it
    written: dict[str, str] = {}
    for (name, extra), some in found.items():
        if not extra and name not in wanted:
            written[name] = "" if frozenset() in some else " or ".join(sorted(_text(one) for one in some))
    return written


def _text(markers: _All) -> str:
    parts = sorted(f"({one})" if " or " in one and len(markers) > 1 else one for one in markers)
    return " and ".join(parts)
