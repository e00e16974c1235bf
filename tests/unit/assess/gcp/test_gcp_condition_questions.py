"""Conditions of Google Cloud as questions: what a formula says of a request is what the evaluator says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.formulas import is_so

from assaymark.assess.conjuncts import alternatives, conjuncts, joined, without_alternative, without_each
from assaymark.assess.gcp.cel import GONE
from assaymark.assess.gcp.cel_formulas import links, met
from assaymark.assess.gcp.conditions import CLOCK, Moment, called, clock_value, holds
from assaymark.core.graph import State
from assaymark.solve.ask import satisfiable
from assaymark.solve.formula import And, Flag, Not, atoms

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMES = ["projects/_/buckets/a/objects/x", "projects/_/buckets/ab", "a*", "", "projects/p/secrets/ab/versions/1"]
PARTS = ["projects/_/buckets/a", "a", "ab", "*", "/x", ""]
TEMPLATES = ["projects/_/buckets/{b}/objects/", "buckets/{b}", "secrets/{s}/versions", "{a}/"]
ROLES = ["roles/viewer", "roles/editor", "roles/owner"]


def quoted(values):
    return st.sampled_from(values).map(lambda one: f"'{one}'")


LEAVES = st.one_of(
    st.builds("resource.name.{}({})".format, st.sampled_from(["startsWith", "endsWith", "contains"]), quoted(PARTS)),
    st.builds("resource.{} {} {}".format, st.sampled_from(["name", "type"]), st.sampled_from(["==", "!="]), quoted(NAMES)),
    st.builds("resource.name.extract({}) == {}".format, quoted(TEMPLATES), quoted(["a", "ab", "projects"])),
    st.builds("resource.name.extract({}).startsWith({})".format, quoted(TEMPLATES), quoted(["a", ""])),
    st.builds("resource.type in [{}, {}]".format, quoted(NAMES), quoted(NAMES)),
    st.builds(
        "request.time {} timestamp('2026-{}-01T00:00:00Z')".format,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from(["06", "07", "09"]),
    ),
    st.builds("timestamp('2026-07-01T00:00:00Z') {} request.time".format, st.sampled_from(["<", ">="])),
    st.builds(
        "request.time.{} {} {}".format,
        st.sampled_from(["getHours('Europe/Berlin')", "getDayOfWeek('UTC')", "getDayOfWeek()", "getMonth('+02:00')"]),
        st.sampled_from(["<", ">=", "==", "!="]),
        st.sampled_from([1, 5, 8]),
    ),
    st.builds("destination.port {} {}".format, st.sampled_from(["==", "<", ">="]), st.sampled_from([22, 443])),
    st.builds("resource.{}({}, {})".format, st.just("matchTag"), quoted(["1/env"]), quoted(["prod", "test"])),
    st.builds("resource.hasTagKey({})".format, quoted(["1/env"])),
    st.builds(
        "api.getAttribute('granted', []).hasOnly([{}])".format,
        st.lists(quoted(ROLES), max_size=2).map(", ".join),
    ),
    st.builds("{} in request.auth.access_levels".format, quoted(["corp", "home"])),
    st.sampled_from(["true", "false"]),
)  # fmt: skip
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("!({})".format, inner),
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
        st.builds("(({}) ? ({}) : ({}))".format, inner, inner, inner),
    ),
    max_leaves=4,
)
REQUESTS = st.fixed_dictionaries(
    {
        "resource.name": st.sampled_from([*NAMES, GONE]),
        "resource.type": st.sampled_from([*NAMES[:2], GONE]),
        "request.time": st.integers(0, 24 * 300).map(lambda hours: Moment.of(NOW + timedelta(hours=hours))),
        "destination.port": st.sampled_from([22, 80, 443, GONE]),
        "matchTag(1/env)": st.sampled_from(["", "prod", "other"]),
        "api.getAttribute(granted)": st.lists(st.sampled_from([*ROLES, "another"]), unique=True, max_size=3),
        "request.auth.access_levels": st.lists(st.sampled_from(["corp", "home"]), unique=True),
    }
)


def model_of(names, formula):
    """The values of a formula's variables for a request, each as the variable's name says what it is."""
    found = {"request.time": (names["request.time"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)}
    for key, value in names.items():
        found[f"has:{key}"] = "yes" if value is not GONE else "no"
        found[f"text:{key}"] = found[f"number:{key}"] = value if isinstance(value, (str, int)) else 0
    for level in ("corp", "home"):
        key = f"has:{level!r} in request.auth.access_levels"
        found[key] = "yes" if level in names["request.auth.access_levels"] else "no"
    granted = names["api.getAttribute(granted)"]
    variables = {one.name for one in atoms(formula)}
    spoken = {role for name in variables if name.startswith("granted:") for role in name.split("\n")[1:]}
    for name in variables:
        if name.startswith("text:resource.name.extract("):
            template = name.removeprefix("text:resource.name.extract('").removesuffix("')")
            text = names["resource.name"]
            found[name] = called("extract", text, [template], {}) if isinstance(text, str) else ""
        elif name.startswith("number:get"):
            method, _, zone = name.removeprefix("number:").removesuffix(")").partition("(")
            found[name] = clock_value(names["request.time"], method, zone)
        elif name.startswith("granted:"):
            found[name] = "yes" if set(granted) <= {*name.split("\n")[1:]} else "no"
        elif name.startswith("member:"):
            one = name.removeprefix("member:").partition(" of ")[0]
            found[name] = "yes" if (set(granted) - spoken if one == "another" else one in granted) else "no"
    return found


@settings(max_examples=400, deadline=None)
@given(CONDITIONS, REQUESTS)
def test_a_formula_says_of_a_request_what_the_evaluator_says(text, names):
    for condition in (text, f"!({text})"):
        sides = met(condition)
        formula = And((sides.yes, sides.no))
        assert not any(isinstance(one, Flag) for one in atoms(formula)), "all of these are modelled"
        model = model_of(names, And((formula, links(formula, NOW))))
        assert is_so(sides.yes, model) == (holds(condition, names).state is State.YES)
        assert is_so(links(formula, NOW), model)


@settings(max_examples=60, deadline=None)
@given(CONDITIONS, CONDITIONS, REQUESTS)
def test_what_solvers_find_impossible_no_request_does(first, second, names):
    pytest.importorskip("z3")
    pytest.importorskip("cvc5")
    formula = And((met(first).yes, Not(met(second).yes)))
    if satisfiable(And((formula, links(formula, NOW)))).verdict == "unsat":
        assert not (holds(first, names).state is State.YES and holds(second, names).state is not State.YES)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("resource.name.startsWith('a/b/')", "resource.name.startsWith('a/')"),
        ("resource.name == 'a/b'", "resource.name.endsWith('b') && !resource.name.contains('c')"),
        ("request.time < timestamp('2026-07-01T00:00:00Z')", "request.time < timestamp('2027-01-01T00:00:00Z')"),
        ("request.time.getHours('Europe/Berlin') >= 9", "request.time.getHours('Europe/Berlin') > 7"),
        ("request.time.getDayOfWeek() == 6", "request.time.getDayOfWeek() > 5 || request.time.getDayOfWeek() == 0"),
        ("resource.type == 'b' && resource.name == 'a'", "resource.name in ['a', 'c']"),
        ("resource.matchTag('1/env', 'prod')", "resource.hasTagKey('1/env') && !resource.matchTag('1/env', 'dev')"),
        (
            "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/a'])",
            "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/b', 'roles/a'])",
        ),
        ("resource.name.extract('projects/{p}/') == 'x'", "resource.name.contains('projects/x/')"),
        ("resource.name.matches('a+') && resource.type == 'x'", "resource.name.matches('a+')"),
        ("request.time < timestamp('2020-01-01T00:00:00Z')", "false"),
    ],
)
def test_one_condition_within_another(narrow, wide):
    pytest.importorskip("z3")
    pytest.importorskip("cvc5")
    for one, other, verdict in ((narrow, wide, "unsat"), (wide, narrow, "sat")):
        if "false" in (one, other) and verdict == "sat":
            continue
        formula = And((met(one).yes, Not(met(other).yes)))
        assert satisfiable(And((formula, links(formula, NOW)))).verdict == verdict


def test_what_a_request_lacks_makes_neither_a_condition_true_nor_its_opposite():
    names = {"resource.name": GONE}
    for text in ("resource.name == 'a'", "resource.name != 'a'", "!(resource.name == 'a')"):
        assert holds(text, names).state is State.NO
    assert holds("resource.name == 'a' || true", names).state is State.YES


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("request.time.getHours('Europe/Berlin') == 2", True),
        ("request.time.getHours() == 0 && request.time.getDayOfWeek() == 1", True),
        ("request.time.getMonth() == 5 && request.time.getDate() == 1 && request.time.getDayOfMonth() == 0", True),
        ("request.time.getHours('-01:30') == 22 && request.time.getMinutes('-01:30') == 30", True),
        ("request.time.getHours('Nowhere/Atall') == 0", None),
        ("request.time.getDayOfYear() == 151 && request.time.getFullYear() == 2026", True),
    ],
)
def test_clocks_of_zones(text, value):
    found = holds(text, {"request.time": Moment.of(NOW)}).state
    assert found is (State.UNKNOWN if value is None else State.YES)
    assert (
        holds(text, {"request.time": NOW}).state is State.UNKNOWN
    )  # the time of the assessment is not the request's


def test_all_clocks_have_ranges_that_hold():
    for name, hand in CLOCK.items():
        for days in range(0, 800, 7):
            value = clock_value(NOW + timedelta(days=days, hours=days, minutes=days, milliseconds=days), name)
            assert hand.range[0] <= value <= hand.range[1]


@settings(max_examples=200, deadline=None)
@given(CONDITIONS, REQUESTS)
def test_a_condition_is_its_parts(text, names):
    parts = conjuncts(text)
    assert holds(joined(parts), names).state is holds(text, names).state
    assert conjuncts(joined(parts)) == parts
    for _, rest in without_each(text) if holds(text, names).state is State.YES else ():
        assert holds(rest, names).state is State.YES  # with less to ask


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a && (b || c) && (d && e)", ("a", "b || c", "d", "e")),
        ("a && b || c", ("a && b || c",)),
        ("x == 'a && b'", ("x == 'a && b'",)),
        ("(a) || (b)", ("(a) || (b)",)),
        ("((a && b))", ("a", "b")),
        ("a ? b : c && d", ("a ? b : c && d",)),
        ("a && b // why", ("a && b // why",)),
        ("a && 'it\\'s' == b", ("a && 'it\\'s' == b",)),
        ("a) && (b", ("a) && (b",)),
        ("", ("",)),
    ],
)
def test_parts_of_conditions(text, parts):
    assert conjuncts(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a || (b && c) || (d || e)", ("a", "b && c", "d", "e")),
        ("((a || b))", ("a", "b")),
        ("a || b ? c : d", ("a || b ? c : d",)),
        ("x == 'a || b'", ("x == 'a || b'",)),
        ("(a) && (b)", ("(a) && (b)",)),
        ("(a || b", ("(a || b",)),
    ],
)
def test_alternatives(text, parts):
    assert alternatives(text) == parts


def test_without_one_alternative_of_a_part():
    assert without_alternative("a && (b || c || d)") == [
        ("b", "(a) && ((c) || (d))"),
        ("c", "(a) && ((b) || (d))"),
        ("d", "(a) && ((b) || (c))"),
    ]
    assert without_alternative("a || b") == [("a", "b"), ("b", "a")]
    assert without_alternative("a && b") == []


def test_words_join_conditions_of_azure_alone():
    assert conjuncts("a AND (b and c)", words=True) == ("a", "b", "c")
    assert conjuncts("a AND b OR c", words=True) == ("a AND b OR c",)
    assert conjuncts("a AND b") == ("a AND b",)
