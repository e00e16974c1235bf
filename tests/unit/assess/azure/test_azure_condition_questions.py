"""Conditions of Azure as questions: what a formula says of a request is what the evaluator says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.formulas import is_so

from assaymark.assess.azure.abac import condition_holds, scaled
from assaymark.assess.azure.abac_formulas import Conditions, links
from assaymark.core.graph import State
from assaymark.solve.ask import satisfiable
from assaymark.solve.formula import And, Flag, Not, atoms

ACTIONS = ["Microsoft.A/x/read", "Microsoft.A/x/write"]
NAME, TAGS, TEAM, AGE, TIME = (
    "@Resource[a:name]",
    "@Request[a:tags]",
    "@Principal[b:team]",
    "@Resource[a:age]",
    "@Environment[UtcNow]",
)
TEXTS = ["a", "A", "ab", "aB*", "", "1-2"]
TIMES = ["2026-01-01T00:00:00Z", "2026-06-01T00:00:00.5Z", "2027-01-01"]


def several(values):
    return st.lists(st.sampled_from(values).map(repr), min_size=1, max_size=2).map(
        lambda some: "{" + ", ".join(some) + "}"
    )


TEXT_OPERATORS = [
    f"String{negated}{kind}"
    for negated in ("", "Not")
    for kind in ("Equals", "EqualsIgnoreCase", "Like", "LikeIgnoreCase", "StartsWith", "StartsWithIgnoreCase")
] + ["GuidEquals", "GuidNotEquals", "BoolEquals", "BoolNotEquals"]
ACROSS = ["ForAnyOfAnyValues", "ForAllOfAnyValues", "ForAnyOfAllValues", "ForAllOfAllValues"]
ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
LEAVES = st.one_of(
    st.builds("{} {} '{}'".format, st.just(NAME), st.sampled_from(TEXT_OPERATORS), st.sampled_from(TEXTS)),
    st.builds("{} {}:{} {}".format, st.just(TAGS), st.sampled_from(ACROSS), st.sampled_from(TEXT_OPERATORS), several(TEXTS)),
    st.builds("{} Numeric{} {}".format, st.just(AGE), st.sampled_from(ORDERS), st.sampled_from(["1", "1.5", "-2"])),
    st.builds("{} DateTime{} '{}'".format, st.just(TIME), st.sampled_from(ORDERS), st.sampled_from(TIMES)),
    st.builds("{} {} {}".format, st.just(NAME), st.sampled_from(["StringEquals", "StringNotEquals"]), st.just(TEAM)),
    st.builds("{} {}".format, st.sampled_from(["Exists", "NotExists"]), st.sampled_from([NAME, TAGS, TEAM, AGE])),
    st.builds("SubOperationMatches{{'{}'}}".format, st.sampled_from(["Blob.List", "blob.write"])),
    st.builds("ActionMatches{{'{}'}}".format, st.sampled_from(["Microsoft.A/*/read", "microsoft.a/x/write"])),
)  # fmt: skip
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("!({})".format, inner),
        st.builds("({}) AND ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
    ),
    max_leaves=4,
)


def one(values):
    return st.one_of(st.just(()), st.sampled_from(values).map(lambda value: (value,)))


REQUESTS = st.fixed_dictionaries(
    {
        NAME: one(TEXTS),
        TAGS: st.lists(st.sampled_from(TEXTS), max_size=3, unique=True).map(tuple),
        TEAM: one(TEXTS),
        AGE: one(["1", "1.2", "-2"]),
        TIME: one(TIMES),
        "suboperation": st.sampled_from(["Blob.List", "Blob.Write", ""]).map(lambda value: (value,)),
    }
)


def carried(request):
    return {key.lower(): values for key, values in request.items()}


def model_of(request, *, differs):
    found = {"what is not there does not equal anything": differs}
    for key, values in carried(request).items():
        found[f"has:{key}"] = "yes" if values else "no"
        for slot, value in enumerate(values):
            name = f"{key}#{slot}" if slot else key
            number, moment = scaled("numeric", value), scaled("datetime", value)
            found |= {
                f"has:{name}": "yes",
                f"text:{name}": value,
                f"lower:{name}": value.lower(),
                f"guid:{name}": value.lower().replace("-", ""),
                f"number:numeric:{name}": number or 0,
                f"number:datetime:{name}": moment or 0,
            }
    return found


@settings(max_examples=500, deadline=None)
@given(CONDITIONS, REQUESTS, st.sampled_from(ACTIONS))
def test_a_formula_says_of_a_request_what_the_evaluator_says(text, request_, action):
    found = condition_holds(text, action, carried(request_)).state
    more = [f"{TAGS} ForAnyOfAnyValues:StringEquals {{'{index}'}}" for index in range(3)]  # for three values
    formula = Conditions([text, *more]).met(text, action)
    said = {is_so(formula, model_of(request_, differs=differs)) for differs in (True, False)}
    if found is State.UNKNOWN:
        return
    assert said == {found is State.YES}
    assert is_so(links(formula), model_of(request_, differs=True))


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, REQUESTS, st.sampled_from(ACTIONS))
def test_of_a_request_that_has_all_nothing_is_left_open(text, request_, action):
    whole = {key: values or ("a",) for key, values in request_.items()}
    whole[AGE], whole[TIME] = request_[AGE] or ("1",), request_[TIME] or (TIMES[0],)
    assert condition_holds(text, action, carried(whole)).state is not State.UNKNOWN


@settings(max_examples=60, deadline=None)
@given(CONDITIONS, CONDITIONS, REQUESTS)
def test_what_solvers_find_impossible_no_request_does(first, second, request_):
    pytest.importorskip("z3")
    pytest.importorskip("cvc5")
    asked = Conditions([first, second])
    formula = And((asked.met(first, ACTIONS[0]), Not(asked.met(second, ACTIONS[0]))))
    if satisfiable(And((formula, links(formula)))).verdict == "unsat":
        states = [condition_holds(text, ACTIONS[0], carried(request_)).state for text in (first, second)]
        assert states != [State.YES, State.NO]


def test_long_chains_are_asked_about_and_longer_ones_left_open():
    pytest.importorskip("z3")
    pytest.importorskip("cvc5")
    for count in (238, 700):
        text = " || ".join(f"@Resource[a:n] StringEquals '{index}'" for index in range(count))
        formula = And((And((Not(Conditions([text]).met(text, "x")),)),))
        assert satisfiable(formula).verdict == "sat"


def test_all_of_these_are_modelled():
    asked = Conditions([])
    for text in ("@Resource[a:n] StringNotLike 'a*'", "@Environment[UtcNow] DateTimeLessThan '2026-01-01'"):
        assert all(one.name.startswith("what is not") for one in atoms(asked.met(text, "x")) if isinstance(one, Flag))
    assert any(isinstance(one, Flag) for one in atoms(asked.met("@Resource[a:n] TimeOfDayEquals '1'", "x")))


def test_the_case_of_a_key_counts_where_the_condition_says_so():
    key = "@Resource[x/blobs/tags:Project<$key_case_sensitive$>]"
    text = f"{key} StringEquals 'a'"
    assert (
        condition_holds(text, "x", {"@resource[x/blobs/tags:project<$key_case_sensitive$>]": "a"}).state
        is State.UNKNOWN
    )
    assert (
        condition_holds(text, "x", {key.replace("@Resource[x/blobs/tags", "@resource[x/blobs/tags"): "a"}).state
        is State.YES
    )


def test_times_are_of_a_year_that_can_be_written():
    moment = datetime(2026, 6, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert scaled("datetime", "2026-06-01T02:00:00+02:00") == moment // timedelta(microseconds=1)
    assert scaled("datetime", "yesterday") is None
    assert scaled("numeric", "Infinity") is None
    assert scaled("numeric", "0.0001") is None
