"""Wildcards, ARNs and what a template leaves open."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.assess.aws.patterns import LETTER, arn_matches, glob, literal, meet, overlap, substitute, text_matches
from assaymark.assess.unresolved import HOLE, Unresolved
from assaymark.core.graph import State

LETTERS = st.text("ab*?", max_size=8)
WORDS = st.text("ab", max_size=8)


def as_regex(pattern):
    return "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)


@settings(max_examples=300, deadline=None)
@given(LETTERS, WORDS)
def test_glob_is_the_regular_expression(pattern, text):
    assert glob(pattern, text) == bool(re.fullmatch(as_regex(pattern), text))


@settings(max_examples=300, deadline=None)
@given(LETTERS, LETTERS, WORDS)
def test_what_matches_both_is_an_overlap(one, two, text):
    if glob(one, text) and glob(two, text):
        assert overlap(one, two)


@settings(max_examples=300, deadline=None)
@given(LETTERS, LETTERS)
def test_meet_gives_a_text_that_both_match(one, two):
    found = meet(one, two)
    assert (found is not None) == overlap(one, two)
    if found is not None:
        assert glob(one, found)
        assert glob(two, found)


def test_many_stars_take_no_time():
    assert not glob("a*" * 2_000 + "b", "a" * 20_000)
    assert not glob("*?a" * 200 + "b", "a" * 2_000)


@pytest.mark.parametrize(
    ("pattern", "arn", "state"),
    [
        (Unresolved("${var.b}", HOLE), "arn:aws:s3:::b", State.UNKNOWN),
        (Unresolved("arn:aws:s3:::${var.b}/*", f"arn:aws:s3:::{HOLE}/*"), "arn:aws:s3:::b/x", State.UNKNOWN),
        (Unresolved("arn:aws:s3:::${var.b}/*", f"arn:aws:s3:::{HOLE}/*"), "arn:aws:sqs:::b/x", State.NO),
        (Unresolved("${aws_s3_bucket.b.arn}/*", f"{HOLE}/*"), "arn:aws:s3:::b/x", State.UNKNOWN),
        ("arn:aws:s3:::*", f"arn:aws:s3:::{HOLE}", State.YES),
        ("arn:aws:s3:::b?", f"arn:aws:s3:::b{HOLE}", State.UNKNOWN),
        ("arn:aws:s3:::x*", f"arn:aws:s3:::b{HOLE}", State.NO),
        ("arn:aws:s3:::b-??", f"arn:aws:s3:::b-{LETTER}{LETTER}", State.YES),
        ("arn:aws:s3:::b-*", f"arn:aws:s3:::b-{LETTER}{LETTER}", State.YES),
        ("arn:aws:s3:::b-xy", f"arn:aws:s3:::b-{LETTER}{LETTER}", State.UNKNOWN),
        ("arn:aws:s3:::b-x", f"arn:aws:s3:::b-{LETTER}{LETTER}", State.NO),
        ("*", f"arn:aws:s3:::{HOLE}", State.YES),
        ("arn:aws:sqs:eu-west-1:*:q", f"arn:aws:sqs:{HOLE}:111111111111:q", State.UNKNOWN),
        ("arn:aws:sqs:eu-west-1:111111111111:q", "arn:aws:sqs:eu-west-1:000000000000:q", State.UNKNOWN),
        ("arn:aws:sqs:eu-west-1:000000000000:*", "arn:aws:sqs:eu-west-1:111111111111:q", State.UNKNOWN),
        ("arn:aws:sqs:eu-west-1:000000000000:q", "arn:aws:sqs:eu-west-1:000000000000:q", State.YES),
        ("execute-api:/prod/GET/x", "arn:aws:execute-api:eu-west-1:111111111111:abc/prod/GET/x", State.YES),
        ("arn:aws:iam::*:role/a", "arn:aws:iam::111111111111:role/a", State.YES),
    ],
)
def test_arns_with_open_parts(pattern, arn, state):
    assert arn_matches(pattern, arn) is state


def test_text_with_open_parts():
    assert text_matches(Unresolved("x-${var.y}", f"x-{HOLE}"), "x-1") is State.UNKNOWN
    assert text_matches(Unresolved("x-${var.y}", f"x-{HOLE}"), "z-1") is State.NO


def test_a_literal_is_no_pattern():
    assert glob(literal("a*?"), "a*?")
    assert not glob(literal("a*?"), "abc")


def test_variables_in_parts_of_a_template():
    pattern = Unresolved("${var.b}/${aws:username}", HOLE + "/${aws:username}")
    assert substitute(pattern, "2012-10-17", {"aws:username": "u"}.get) == f"{HOLE}/u"
    assert substitute("${aws:username}", "2008-10-17", {}.get) == "${aws:username}"
    assert substitute("${aws:username}", "2012-10-17", {}.get) is None
