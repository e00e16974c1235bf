"""``texts_by_answers``: which answers a text can give to several patterns at once, each with a text that gives them.

The patterns are run side by side over any text, a letter at a time: what each may have matched so far is a set of
places in it, and texts that lead to the same sets are the same to all patterns. Letters that no pattern spells out
are one. So all that texts can be is found in finitely many steps, and no solver has to search among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.solve.formula import SEGMENTS, Like, LikeArn, plainly

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST: Final = 3_000  # sets of places; with as many letters it takes a second
_COLON: Final = ":"
_LETTERS: Final = "xabcdefghijklmnopqrstuvwyzXABCDEFGHIJKLMNOPQRSTUVWYZ0123456789"


class _Pattern:
    """One pattern. A token is a letter, or one that any letter fits, but a colon where ``within``."""

    def __init__(self, atom: Like | LikeArn) -> None:
        self._tokens: list[tuple[str, bool, bool]] = []  # letter (empty for any), as often as wanted, within
        if isinstance(atom, Like) and atom.plain:
            self._tokens = [(letter, False, False) for letter in atom.pattern]
        elif isinstance(atom, Like):
            self._add(atom.pattern, within=False)
        else:
            segments = atom.pattern.split(_COLON, SEGMENTS - 1)
            for index, segment in enumerate(segments):
                self._tokens += [(_COLON, False, False)] if index else []
                self._add(segment, within=index < SEGMENTS - 1)
        self.end = 1 << len(self._tokens)
        self.start = self._closed(1)
        self._known: dict[tuple[int, str], int] = {}

    def _add(self, pattern: str, *, within: bool) -> None:
        for letter in pattern:
            if letter in "*?":
                self._tokens.append(("", letter == "*", within))
            else:
                self._tokens.append((plainly(letter), False, False))

    def letters(self) -> set[str]:
        """Those that it tells from others."""
        spelled = {letter for letter, _, _ in self._tokens if letter}
        return spelled | ({_COLON} if any(within for _, _, within in self._tokens) else set())

    def _closed(self, places: int) -> int:
        """With what is reached without a letter: the place behind what may stand no time."""
        for at, (_, repeated, _) in enumerate(self._tokens):
            if repeated and places >> at & 1:
                places |= 1 << at + 1
        return places

    def step(self, places: int, letter: str) -> int:
        """Where it may be after a letter more."""
        key = (places, letter)
        if key not in self._known:
            found = 0
            for at, (wanted, repeated, within) in enumerate(self._tokens):
                if places >> at & 1 and (letter == wanted if wanted else not (within and letter == _COLON)):
                    found |= 1 << at + (not repeated)
            self._known[key] = self._closed(found)
        return self._known[key]


def texts_by_answers(atoms: Sequence[Like | LikeArn]) -> dict[tuple[bool, ...], str] | None:
    """A shortest text for each combination of answers that any text gives; None where these are too many to tell.

    Args:
        atoms: patterns that are asked about one text.
    """
    patterns = [_Pattern(one) for one in atoms]
    spelled = sorted(set[str]().union(*(one.letters() for one in patterns)))
    other = next((letter for letter in _LETTERS if letter not in spelled), "\N{GREEK SMALL LETTER ALPHA}")
    letters = [other, *spelled]
    start = tuple(one.start for one in patterns)
    found = {_answers(patterns, start): ""}
    seen = {start}
    pending = [(start, "")]
    for places, text in pending:
        for letter in letters:
            after = tuple(one.step(place, letter) for place, one in zip(places, patterns, strict=True))
            answers = _answers(patterns, after)
            if not found.get(answers):  # a text is shown that has letters, where there is one
                found[answers] = text + letter
            if after not in seen:
                if len(seen) >= _MOST:
                    return None
                seen.add(after)
                pending.append((after, text + letter))
    return found


def _answers(patterns: Sequence[_Pattern], places: Sequence[int]) -> tuple[bool, ...]:
    return tuple(bool(place & one.end) for place, one in zip(places, patterns, strict=True))
