"""``overlaps``: whether two patterns have a text in common."""

from __future__ import annotations


def overlaps(one: str, other: str) -> bool:
    """Whether some text matches both of two patterns with ``*`` and ``?``."""
    if "*" not in one + other and "?" not in one + other:
        return one == other
    states = {(0, 0)}
    pending = [(0, 0)]
    while pending:
        left, right = pending.pop()
        if left == len(one) and right == len(other):
            return True
        for step in _steps(one, other, left, right):
            if step not in states:
                states.add(step)
                pending.append(step)
    return False


def _steps(one: str, other: str, left: int, right: int) -> list[tuple[int, int]]:
    first = one[left] if left < len(one) else ""
    second = other[right] if right < len(other) else ""
    found = []
    if first == "*":
        found.append((left + 1, right))
        if second and second != "*":
            found.append((left, right + 1))
    if second == "*":
        found.append((left, right + 1))
        if first and first != "*":
            found.append((left + 1, right))
    if first and second and first != "*" and second != "*" and (first == second or "?" in (first, second)):
        found.append((left + 1, right + 1))
    return found
