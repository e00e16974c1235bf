"""Texts of policies that match others: wildcards, ARNs and policy variables.

Sources: IAM User Guide, "IAM JSON policy elements: Resource" (an ARN has six segments; a wildcard does not reach
beyond its segment; missing segments are ``*``), "Action" (without regard to case), "Policy elements: variables and
tags" (``${key}``, ``${key, 'default'}``, ``${*}``, ``${?}``, ``${$}``, in version 2012-10-17 alone).

All are three-valued: what a template left open (``HOLE``) could be any text, and the account that templates are
deployed to (``UNKNOWN_ACCOUNT``) could be the one that a policy names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable

_SEGMENTS: Final = 6
_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_DEFAULT: Final = re.compile(r"([^,]*),\s*'(.*)'\s*", re.DOTALL)
# Characters of private use stand for literal ``*`` and ``?``, which patterns cannot write otherwise.
_STAR: Final = "\ue000"
_MARK: Final = "\ue001"
_LITERAL: Final = str.maketrans({"*": _STAR, "?": _MARK})
_PLAIN: Final = str.maketrans({_STAR: "*", _MARK: "?"})
LETTER: Final = "\ue003"  # stands in an ARN for one character that is not known
FRESH: Final = "\ue002"  # stands in an ARN for some text that no policy spells out: wildcards alone match it
SUFFIX: Final = "-" + 6 * FRESH  # what Secrets Manager puts behind the name of a secret that it makes


def literal(text: str) -> str:
    """A text whose ``*`` and ``?`` are no wildcards in a pattern."""
    return text.translate(_LITERAL)


def readable(arn: str) -> str:
    """An ARN that is asked about for people: what stands in it for some text as a wildcard."""
    return arn.replace(FRESH, "*").replace(LETTER, "?").replace(HOLE, "*").translate(_PLAIN)


@lru_cache(maxsize=100_000)
def glob(pattern: str, text: str) -> bool:
    """Whether a pattern with ``*`` (any text) and ``?`` (any one character) matches the whole text.

    The parts between stars are looked for from the left, which finds a match if there is one, in time linear in
    both for ordinary patterns and never more than their product.
    """
    if "*" not in pattern and "?" not in pattern:
        return _plain(pattern) == text
    parts = pattern.split("*")
    if len(parts) == 1:
        return len(text) == len(pattern) and _fits(pattern, text, 0)
    head, *middle, tail = parts
    stop = len(text) - len(tail)
    if stop < len(head) or not _fits(head, text, 0) or not _fits(tail, text, stop):
        return False
    at = len(head)
    for part in middle:
        at = _find(part, text, at, stop)
        if at < 0:
            return False
    return True


def _plain(part: str) -> str:
    return part if part.isascii() else part.translate(_PLAIN)


def _fits(part: str, text: str, at: int) -> bool:
    if "?" not in part:
        return text.startswith(_plain(part), at)
    return len(text) - at >= len(part) and all(
        one == "?" or one.translate(_PLAIN) == text[at + index] for index, one in enumerate(part)
    )


def _find(part: str, text: str, at: int, stop: int) -> int:
    """The end of the leftmost place from ``at`` where the part fits before ``stop``; -1 for none."""
    if "?" not in part:
        found = text.find(_plain(part), at, stop)
        return found + len(part) if found >= 0 else -1
    for start in range(at, stop - len(part) + 1):
        if _fits(part, text, start):
            return start + len(part)
    return -1


def text_matches(pattern: str, text: str) -> State:
    """``glob`` where the pattern, or the text, may have holes."""
    return _open(pattern, text, glob)


def _open(pattern: str, text: str, match: Callable[[str, str], bool]) -> State:
    pattern = pattern_of(pattern)
    text = pattern_of(text)
    if LETTER in text and not match(pattern, text):
        meets = overlap(pattern.replace(HOLE, "*"), text.replace(LETTER, "?").replace(HOLE, "*"))
        return State.UNKNOWN if meets else State.NO
    if HOLE in text:
        if HOLE not in pattern and all(match(pattern, text.replace(HOLE, one)) for one in ("", HOLE, HOLE + HOLE)):
            return State.YES  # a wildcard covers whatever stands there
        meets = overlap(pattern.replace(HOLE, "*"), text.replace(HOLE, "*"))
        return State.UNKNOWN if meets else State.NO
    if HOLE not in pattern:
        return State.YES if match(pattern, text) else State.NO
    return State.UNKNOWN if match(pattern.replace(HOLE, "*"), text) else State.NO


def action_matches(pattern: str, action: str) -> State:
    """Whether an Action pattern names the action, without regard to case."""
    return _open(pattern_of(pattern).lower(), action.lower(), glob)


@lru_cache(maxsize=100_000)
def segments(pattern: str) -> tuple[str, ...]:
    """The six segments of an ARN pattern, missing ones as ``*``; a single one for what is no ARN."""
    if pattern.startswith("execute-api:/"):  # API Gateway's short form names the API that has the policy
        pattern = "arn:*:execute-api:*:*:*/" + pattern.removeprefix("execute-api:/")
    if not pattern.startswith("arn:"):
        return (pattern,)
    parts = pattern.split(":", _SEGMENTS - 1)
    return (*parts, *("*" for _ in range(_SEGMENTS - len(parts))))


@lru_cache(maxsize=200_000)
def _arn(pattern: str, arn: str) -> bool:
    parts = segments(pattern)
    if len(parts) == 1:
        return glob(pattern, arn)
    own = arn.split(":", _SEGMENTS - 1)
    if len(own) != _SEGMENTS:
        return False
    return all(one == two or glob(one, two) for one, two in zip(reversed(parts), reversed(own), strict=True))


def arn_matches(pattern: str, arn: str) -> State:
    """Whether a Resource pattern matches an ARN, or ``*`` as a request without resource has it.

    Unknown too where they differ in the account alone and one of them is that which a template is deployed to.
    """
    found = _open(pattern, arn, _arn)
    if found is State.NO and arn.endswith(SUFFIX):  # a reference of the template that makes the secret
        found = _open(pattern, arn.removesuffix(SUFFIX), _literal)
    if found is not State.NO or UNKNOWN_ACCOUNT not in arn + pattern_of(pattern):
        return found
    one, two = segments(pattern_of(pattern)), arn.split(":", _SEGMENTS - 1)
    if len(one) != _SEGMENTS or len(two) != _SEGMENTS or one[4] == two[4] or UNKNOWN_ACCOUNT not in (one[4], two[4]):
        return State.NO
    if not (one[4].isdigit() and two[4].isdigit()):
        return State.NO
    two[4] = one[4]
    return State.NO if _open(":".join(one), ":".join(two), _arn) is State.NO else State.UNKNOWN


def _literal(pattern: str, text: str) -> bool:
    """Whether a pattern is the text, wildcards and all."""
    return pattern == text


def overlap(one: str, two: str) -> bool:
    """Whether some text matches both patterns, of which each may have ``*`` and ``?``."""
    reached = {0}
    for at in range(len(one) + 1):
        pending, seen = list(reached), set(reached)
        while pending:  # stars of the second match nothing
            place = pending.pop()
            if place < len(two) and two[place] == "*" and place + 1 not in seen:
                seen.add(place + 1)
                pending.append(place + 1)
        if at == len(one):
            return len(two) in seen
        reached = _step(one[at], two, seen)
    raise AssertionError  # the loop returns at its end


def _step(letter: str, two: str, places: set[int]) -> set[int]:
    """Where in the second pattern one can be after the first has gone on by a letter."""
    if letter == "*":
        return set(range(min(places), len(two) + 1)) if places else set()
    found = set()
    for place in places:
        if place == len(two):
            continue
        if two[place] == "*":
            found.add(place)
        elif two[place] in ("?", letter) or letter == "?":
            found.add(place + 1)
    return found


def meet(one: str, two: str) -> str | None:
    """A text that both patterns match, with ``FRESH`` where it could be any; None when there is none."""
    start = (0, 0)
    before: dict[tuple[int, int], tuple[tuple[int, int], str]] = {start: (start, "")}
    pending = [start]
    for place in pending:
        if place == (len(one), len(two)):
            letters = []
            while place != start:
                place, letter = before[place]  # noqa: PLW2901  # the way back
                letters.append(letter)
            return "".join(reversed(letters))
        for step, letter in _moves(one, two, *place):
            if step not in before:
                before[step] = (place, letter)
                pending.append(step)
    return None


def meet_arns(one: str, two: str) -> str | None:
    """An ARN that both patterns of ARNs match, segment by segment, no ``*`` of the first for nothing; or None.

    None of the second either, where there is such an ARN: ``weights/*/*`` is better met by a key than ``weights//``.
    """
    return _met(one, two.replace("*", "?*")) or _met(one, two)


def _met(one: str, two: str) -> str | None:
    pairs = list(zip(segments(one), segments(two), strict=False))
    if len(pairs) != _SEGMENTS:
        return meet(one.replace("*", "?*"), two)
    found = [meet(mine.replace("*", "?*"), theirs) for mine, theirs in pairs]
    return None if None in found else ":".join(part for part in found if part is not None)


def _moves(one: str, two: str, i: int, j: int) -> list[tuple[tuple[int, int], str]]:
    a, b = one[i : i + 1], two[j : j + 1]
    found = []
    if a == "*":
        found.append(((i + 1, j), ""))
        if b and b != "*":
            found.append(((i, j + 1), FRESH if b == "?" else b.translate(_PLAIN)))
    if b == "*":
        found.append(((i, j + 1), ""))
        if a and a != "*":
            found.append(((i + 1, j), FRESH if a == "?" else a.translate(_PLAIN)))
    if a and b and "*" not in (a, b) and (a == b or "?" in (a, b)):
        letter = b if a == "?" else a
        found.append(((i + 1, j + 1), FRESH if letter == "?" else letter.translate(_PLAIN)))
    return found


def substitute(pattern: str, version: str, lookup: Callable[[str], str | None]) -> str | None:
    """The pattern with its policy variables replaced; None when one has no value, so that nothing matches.

    ``lookup`` gives a key's value as a pattern, ``HOLE`` when it is not known, None when the request has none.
    """
    text = pattern_of(pattern)
    if "${" not in text or version != "2012-10-17":
        return text
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name = match.group(1)
        if name in ("*", "?", "$"):
            return literal(name)
        default = None
        if found := _DEFAULT.fullmatch(name):
            name, default = found.group(1), literal(found.group(2))
        known = lookup(name.strip().lower())
        if known is None:
            known = default
        if known is None:
            missing = True
            return ""
        return known

    done = _VARIABLE.sub(value, text)
    return None if missing else done
