"""What texts can answer to several patterns at once, held against each pattern by itself."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.solve.automata import texts_by_answers
from assaymark.solve.formula import MARK, STAR, Like, LikeArn

PIECES = st.text(st.sampled_from(["a", "b", "*", "?", ":", STAR, MARK]), max_size=5)
LIKES = st.builds(Like, st.just("x"), PIECES, st.booleans())
ARNS = st.builds(LikeArn, st.just("x"), st.lists(PIECES, min_size=1, max_size=7).map(":".join))
TEXTS = st.text(st.sampled_from(["a", "b", "c", "*", "?", ":"]), max_size=8)


def expression(pattern: str, *, within: bool) -> str:
    wild = {"*": "[^:]*" if within else ".*", "?": "[^:]" if within else "."}
    plain = {STAR: re.escape("*"), MARK: re.escape("?")}
    return "".join(wild.get(letter) or plain.get(letter) or re.escape(letter) for letter in pattern)


def fits(atom: Like | LikeArn, text: str) -> bool:
    """As regular expressions have it."""
    if isinstance(atom, Like):
        return (
            atom.pattern == text
            if atom.plain
            else bool(re.fullmatch(expression(atom.pattern, within=False), text, re.DOTALL))
        )
    parts = atom.pattern.split(":", 5)
    whole = ":".join(expression(part, within=index < 5) for index, part in enumerate(parts))
    return bool(re.fullmatch(whole, text, re.DOTALL))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(LIKES, ARNS), min_size=1, max_size=4), st.lists(TEXTS, max_size=8))
def test_every_text_answers_in_a_way_that_is_known_and_each_way_has_a_text(atoms, texts):
    found = texts_by_answers(atoms)
    assert found is not None
    for text in texts:
        assert tuple(fits(one, text) for one in atoms) in found
    for answers, text in found.items():
        assert tuple(fits(one, text) for one in atoms) == answers


def test_a_text_with_letters_is_shown_where_there_is_one() -> None:
    assert texts_by_answers([Like("x", "*")]) == {(True,): "x"}
    assert texts_by_answers([Like("x", "", plain=True)]) == {(True,): "", (False,): "x"}


def test_what_is_too_much_to_tell_is_left_to_solvers() -> None:
    patterns = [Like("x", f"*{letter}*{letter}????????????") for letter in "abcdef"]
    assert texts_by_answers(patterns) is None
