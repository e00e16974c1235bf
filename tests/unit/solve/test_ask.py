"""Solvers are asked, agree, and their models make the formula true."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.formulas import is_so

from assaymark.core.errors import UsageError
from assaymark.solve import ask
from assaymark.solve.ask import satisfiable
from assaymark.solve.fewer import fewer_texts
from assaymark.solve.formula import (
    FALSE,
    TRUE,
    And,
    Flag,
    Joined,
    Like,
    LikeArn,
    Not,
    Or,
    Text,
    Within,
    atoms,
    digest,
    literal,
)

pytest.importorskip("z3")
pytest.importorskip("cvc5")


leaves = st.one_of(
    st.builds(Flag, st.sampled_from("pq")),
    st.builds(Like, st.just("t"), st.sampled_from(["a*", "*b", "ab", "a?", "*"]), st.just(False)),
    st.builds(Like, st.just("t"), st.sampled_from(["ab", "b"]), st.just(True)),
    st.builds(Like, st.just("t"), st.sampled_from([literal("a*"), literal("?") + "*"]), st.just(False)),
    st.builds(LikeArn, st.just("u"), st.sampled_from(["arn:aws:*:*:1?:a*", "arn:*:s3:::*", "arn:aws:s3:::a:b"])),
    st.builds(
        Joined, st.just("t"), st.sampled_from([(Text("s"),), ("a", Text("s")), (Text("s"), "b")]), st.booleans()
    ),
    st.builds(Like, st.just("s"), st.sampled_from(["a", "b"]), st.just(True)),
    st.builds(Within, st.just("n"), st.sampled_from([None, 1, 5]), st.sampled_from([None, 3, 9])),
)
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(formulas)
def test_both_agree_and_a_model_is_one(formula):
    answer = satisfiable(formula)
    assert {one.solver for one in answer.said} == {"z3", "cvc5"}
    assert answer.verdict in ("sat", "unsat")
    for one in answer.said:
        if one.answer == "sat":
            assert is_so(formula, one.model)


def test_true_and_false():
    assert satisfiable(TRUE).verdict == "sat"
    assert satisfiable(FALSE).verdict == "unsat"
    assert satisfiable(And((Like("a", "x*"), Not(Like("a", "*"))))).verdict == "unsat"


def test_a_star_in_an_arn_stays_in_its_part():
    inside = And((LikeArn("a", "arn:aws:sns:*:*:x"), Not(LikeArn("a", "arn:*:*:*:*:x"))))
    assert satisfiable(inside).verdict == "unsat"
    other = And((Like("a", "arn:*:x", plain=False), Not(LikeArn("a", "arn:*:*:*:*:*"))))
    assert satisfiable(other).verdict == "sat"


def test_a_text_that_is_another_one():
    both = (Joined("a", ("team-", Text("b"))), Like("b", "red", plain=True))
    assert satisfiable(And((*both, Not(Like("a", "team-red", plain=True))))).verdict == "unsat"
    assert satisfiable(And((*both, Joined("a", ("team-r",), more=True)))).verdict == "sat"


def test_a_question_has_a_digest_of_its_own():
    assert digest(Flag("a")) == digest(Flag("a"))
    assert digest(Flag("a")) != digest(Not(Flag("a")))
    assert satisfiable(Flag("a")).question == digest(Flag("a"))


def test_solvers_that_differ_are_no_answer():
    said = (ask.Said("z3", "1", "sat", {}), ask.Said("cvc5", "1", "unsat", {}))
    assert ask.Answer("q", said).verdict == "unknown"
    assert ask.Answer("q", ()).verdict == "unknown"


def test_without_a_solver_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(ask, "installed", lambda: ())
    with pytest.raises(UsageError) as error:
        satisfiable(TRUE)
    assert error.value.code == "solver-missing"


STARTS = ["", "a", "ab", "abc", "b", "a/", "a/b", "example", "example/", "other", "~"]
OF_TEXTS = st.recursive(
    st.one_of(
        st.builds(Like, st.sampled_from("tu"), st.sampled_from(STARTS), st.just(True)),
        st.builds(Like, st.sampled_from("tu"), st.sampled_from(STARTS).map("{}*".format), st.just(False)),
        st.builds(Like, st.sampled_from("tu"), st.sampled_from(STARTS).map("{}?*".format), st.just(False)),
        st.builds(
            Like, st.sampled_from("tu"), st.sampled_from([literal("*") + "a*", "a", literal("*")]), st.just(False)
        ),
    ),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, max_size=4).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=4).map(tuple)),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    OF_TEXTS,
    st.tuples(*[st.sampled_from([*STARTS, "abx", "*a", "*", "examples", "z", "a/x", "z/"])] * 2),
    st.booleans(),
)
def test_numbers_in_place_of_texts_say_the_same(formula, texts, pair):
    if pair:
        formula = And((formula, And((Like("t", "?*/?*"), Like("t", "a*")))))
    fewer = fewer_texts(formula)
    assert not any(isinstance(one, Like) for one in atoms(fewer.formula))
    numbers = {}
    for name, text in zip("tu", texts, strict=True):
        alike = [Like(name, one.pattern, one.plain) for one in atoms(formula) if one.name == name]
        kinds = [*fewer.kinds.get(name, ()), fewer.others.get(name, "")]
        fitting = [
            index
            for index, kind in enumerate(kinds)
            if all(is_so(a, {name: kind}) == is_so(a, {name: text}) for a in alike)
        ]
        if not fitting:  # of what is no pair only that is there which is compared whole: the others are not so either
            assert pair
            assert name == "t"
            assert not is_so(formula, dict(zip("tu", texts, strict=True)))
            return
        numbers[name] = fitting[0]
    assert is_so(fewer.formula, numbers) == is_so(formula, dict(zip("tu", texts, strict=True)))
    assert is_so(formula, fewer.worded(numbers)) == is_so(fewer.formula, numbers)
