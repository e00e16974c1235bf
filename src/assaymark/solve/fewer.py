"""``fewer_texts``: a question with numbers in place of texts of which the whole or the beginning alone is asked.

Texts that are the same to all such questions are one: of each kind there is one that stands for it, and in their
order those with one beginning lie together, so that each question is one about a range of numbers. What is so of the
numbers is so of the texts. Solvers need milliseconds for them where texts may take seconds. That a text is two with a
slash between may be asked too, where it is asked of all: there is a text of that form in every kind but single ones.
Of other patterns the kinds are found by running them side by side (``automata``), as long as these are few.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.solve.automata import texts_by_answers
from assaymark.solve.formula import FALSE, TRUE, And, Joined, Like, LikeArn, Not, Or, Text, Within, atoms, plainly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.solve.formula import Formula, Value

_ENDS: Final = ("example", "other", "~")
_PAIR: Final = "?*/?*"  # of objects: a name, and a name in it
_PAIR_END: Final = "/example"
_LETTERS: Final = range(0x3B1, 0xD7FF)


@dataclass(frozen=True, slots=True)
class Fewer:
    """``formula`` says the same as another one; ``kinds``: texts that numbers stand for, by variable, in order."""

    formula: Formula
    kinds: Mapping[str, tuple[str, ...]]
    others: Mapping[str, str]

    def worded(self, model: Mapping[str, Value]) -> dict[str, Value]:
        """A model with texts in place of numbers."""
        return {name: self._word(name, value) for name, value in model.items()}

    def _word(self, name: str, value: Value) -> Value:
        texts = self.kinds.get(name)
        if texts is None:
            return value
        return texts[int(value)] if 0 <= int(value) < len(texts) else self.others[name]


def fewer_texts(formula: Formula) -> Fewer:
    """The same question with fewer texts."""
    shaped = {
        one.name for one in _always(formula) if isinstance(one, Like) and one.pattern == _PAIR and not one.plain
    }
    wholes: defaultdict[str, set[str]] = defaultdict(set)
    beginnings: defaultdict[str, set[str]] = defaultdict(set)
    left: set[str] = set()
    for one in atoms(formula):
        part = _part(one) if isinstance(one, Like) else None
        if isinstance(one, Like) and part is not None:
            beginnings[one.name] |= {part.text} if part.more else set()
            wholes[one.name] |= {part.text} if not part.more or part.longer else set()
        elif not (isinstance(one, Like) and one.name in shaped and one.pattern == _PAIR):
            left.add(one.name)
            left |= {each.name for each in one.parts if isinstance(each, Text)} if isinstance(one, Joined) else set()
    kinds, others = {}, {}
    chosen: dict[Like | LikeArn, Formula] = {}
    bounds: list[Formula] = []
    for name, some in sorted(_patterns(formula, left).items()):
        texts = texts_by_answers(some)
        if texts is not None:
            nothing = (False,) * len(some)
            kinds[name] = tuple(text for answers, text in sorted(texts.items()) if answers != nothing)
            others[name] = texts.get(nothing, "")
            answers = sorted(one for one in texts if one != nothing)
            bounds += [] if nothing in texts else [Within(name, 0, len(answers) - 1)]
            chosen |= {one: _numbers(name, [each[at] for each in answers]) for at, one in enumerate(some)}
    for name in sorted((wholes.keys() | beginnings.keys()) - left):
        started, tail = beginnings[name] - {""}, _PAIR_END if name in shaped else ""
        kinds[name] = tuple(sorted({*wholes[name], *(_behind(one, wholes[name], started, tail) for one in started)}))
        others[name] = _behind("", wholes[name], started, tail)
    return Fewer(_numbered(And((formula, *bounds)) if bounds else formula, kinds, chosen, {}), kinds, others)


def _patterns(formula: Formula, left: set[str]) -> dict[str, list[Like | LikeArn]]:
    """The patterns that are asked of texts that stand in no other text, where some ask more than how these begin."""
    found: defaultdict[str, dict[Like | LikeArn, None]] = defaultdict(dict)
    parts: set[str] = set()
    for one in atoms(formula):
        if isinstance(one, (Like, LikeArn)):
            found[one.name][one] = None
        elif isinstance(one, Joined):
            parts |= {one.name, *(each.name for each in one.parts if isinstance(each, Text))}
    return {name: list(some) for name, some in found.items() if name in left and name not in parts}


def _numbers(name: str, holds: list[bool]) -> Formula:
    """The numbers at which something holds, as ranges."""
    found: list[Formula] = []
    low = None
    for at, one in enumerate([*holds, False]):
        if one and low is None:
            low = at
        elif not one and low is not None:
            found.append(Within(name, low, at - 1))
            low = None
    return found[0] if len(found) == 1 else Or(tuple(found))


def _always(formula: Formula) -> Iterator[Formula]:
    """What is so whenever a formula is: the parts that it joins."""
    if isinstance(formula, And):
        for one in formula.parts:
            yield from _always(one)
    else:
        yield formula


class _Part(NamedTuple):
    """The text that a pattern is about: the whole, or with ``more`` its beginning; ``longer``: and not all of it."""

    text: str
    more: bool
    longer: bool = False


def _part(one: Like) -> _Part | None:
    """What a pattern asks; None for one that asks more than that."""
    if one.plain:
        return _Part(one.pattern, more=False)
    text = one.pattern.rstrip("*")
    more = text != one.pattern
    longer = more and text.endswith("?")
    text = text.removesuffix("?") if longer else text
    return _Part(plainly(text), more, longer) if not {"*", "?"} & set(text) else None


def _behind(start: str, wholes: set[str], beginnings: set[str], tail: str) -> str:
    """A text that begins so, and is neither one of some nor begins in a way that its beginning does not.

    ``tail``: what it ends with.
    """
    longer = {one for one in beginnings if one.startswith(start) and one != start}
    return next(
        text
        for end in _any_ends()
        if (text := start + end + tail) not in wholes and not any(text.startswith(one) for one in longer)
    )


def _any_ends() -> Iterator[str]:
    yield from _ENDS
    yield from (chr(letter) for letter in _LETTERS)


def _numbered(
    formula: Formula,
    kinds: Mapping[str, tuple[str, ...]],
    chosen: Mapping[Like | LikeArn, Formula],
    known: dict[int, Formula],
) -> Formula:
    """The formula with ranges in place of texts, and without parts that say nothing. ``known``: by identity."""
    found = known.get(id(formula))
    if found is None:
        match formula:
            case Like() | LikeArn() if formula in chosen:
                found = chosen[formula]
            case Like(name) if name in kinds:
                found = _range(formula, kinds[name])
            case Not(of):
                inner = _numbered(of, kinds, chosen, known)
                found = FALSE if inner == TRUE else TRUE if inner == FALSE else Not(inner)
            case And(parts):
                found = _joined(And, [_numbered(one, kinds, chosen, known) for one in parts], TRUE, FALSE)
            case Or(parts):
                found = _joined(Or, [_numbered(one, kinds, chosen, known) for one in parts], FALSE, TRUE)
            case _:
                found = formula
        known[id(formula)] = found
    return found


def _joined(kind: type[And | Or], formulas: list[Formula], nothing: Formula, settles: Formula) -> Formula:
    parts: list[Formula] = []
    for one in formulas:
        if one == settles:
            return settles
        if isinstance(one, kind):
            parts += one.parts
        else:
            parts.append(one)
    return kind(tuple(parts)) if len(parts) > 1 else parts[0] if parts else nothing


def _range(one: Like, texts: tuple[str, ...]) -> Formula:
    if one.pattern == _PAIR and not one.plain:  # as all of these are, but for some that are compared whole
        return And(tuple(Not(Within(one.name, at, at)) for at, text in enumerate(texts) if not _is_pair(text)))
    part = _part(one) or _Part("", more=True)
    low = bisect_left(texts, part.text)
    if not part.more:
        return Within(one.name, low, low)
    if not part.text:
        return Not(Within(one.name, low, low)) if part.longer else TRUE
    high = low
    while high < len(texts) and texts[high].startswith(part.text):
        high += 1
    low += part.longer
    return Within(one.name, low, high - 1) if high > low else FALSE


def _is_pair(text: str) -> bool:
    return "/" in text[1:-1]
