"""Conditions of AWS as questions: what a formula says of a request is what the evaluator says of it."""

from __future__ import annotations

import json
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.formulas import is_so

from assaymark.assess.aws.condition_formulas import Conditions, links
from assaymark.assess.aws.conditions import Key, evaluate_condition
from assaymark.assess.aws.containment import _shows, contained
from assaymark.assess.aws.document import policy_document
from assaymark.assess.files import source_file
from assaymark.core.graph import State
from assaymark.formats.located import read_json
from assaymark.solve.formula import And, Flag, atoms

ARNS = ["arn:aws:sns:us-east-1:111122223333:a", "arn:aws:sns:us-east-1:111122223333:a:b", "arn:aws:s3:::ab", "a"]
ARN_PATTERNS = [*ARNS, "arn:aws:sns:*:*:a*", "arn:aws:s3", "arn:*:*:*:1111????3333:*", "*", "arn:aws:sns*"]
TEXTS = ["a", "A", "ab", "red", "*", ""]
TEXT_PATTERNS = [*TEXTS, "a*", "?", "*b", "${*}", "${other}", "${other}*", "x${other}", "${$}{a}", "${other, 'a'}"]
ADDRESSES = ["10.0.0.1", "10.1.0.1", "192.0.2.1", "2001:db8::1"]
BLOCKS = ["10.0.0.0/8", "10.0.0.0/16", "2001:db8::/32", "192.0.2.1"]
NUMBERS = ["1", "1.5", "5", "-3"]
DATES = ["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "1767225600"]
FAMILIES = {
    "text": (
        [f"String{n}{k}" for n in ("", "Not") for k in ("Equals", "EqualsIgnoreCase", "Like")] + ["Bool", "BinaryEquals"],
        TEXT_PATTERNS,
    ),
    "arn": ([f"Arn{n}{k}" for n in ("", "Not") for k in ("Equals", "Like")] + ["StringLike"], ARN_PATTERNS),
    "address": (["IpAddress", "NotIpAddress"], BLOCKS),
    "number": ([f"Numeric{n}" for n in ("Equals", "NotEquals", "LessThan", "GreaterThanEquals")], NUMBERS),
    "date": ([f"Date{n}" for n in ("Equals", "NotEquals", "LessThanEquals", "GreaterThan")], DATES),
}  # fmt: skip


def asked_of(key):
    operators, values = FAMILIES[key]
    return st.tuples(
        st.builds(
            "{}{}{}".format,
            st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]),
            st.sampled_from(operators),
            st.sampled_from(["", "", "IfExists"]),
        ),
        st.just(key),
        st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple),
    )


NULLS = st.tuples(
    st.just("Null"), st.sampled_from([*FAMILIES]), st.sampled_from([("true",), ("false",), ("true", "false")])
)
CONDITIONS = st.lists(st.one_of(*map(asked_of, FAMILIES), NULLS), min_size=1, max_size=3).map(
    lambda some: {operator: {key: list(values)} for operator, key, values in some}
)


def values(some):
    return st.lists(st.sampled_from(some), max_size=3, unique=True).map(tuple)


REQUESTS = st.fixed_dictionaries(
    {
        "text": values(TEXTS),
        "arn": values(ARNS),
        "address": values(ADDRESSES),
        "number": values(NUMBERS),
        "date": values(DATES),
        "other": st.sampled_from([(), ("a",), ("red",), ("*",)]),
    }
)


def policy(condition, version="2012-10-17"):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}
    text = json.dumps({"Version": version, "Statement": [statement]})
    return policy_document(read_json(text), "p", source_file("p.json", text.encode()))


def scaled(text):
    from assaymark.assess.aws.condition_formulas import _scaled

    try:
        return _scaled("numeric", text) or _scaled("date", text) or 0
    except ValueError:
        return 0


def model_of(request):
    found = {}
    for key, some in request.items():
        found[f"has:{key}"] = bool(some)
        for slot, value in enumerate(some):
            name = f"{key}#{slot}" if slot else key
            found |= {f"has:{name}": True, f"key:{name}": value, f"lower:{name}": value.lower()}
            found[f"number:{name}"] = scaled(value) if key in ("number", "date") else 0
            if key == "address":
                address = ip_address(value)
                found[f"ip:{name}"] = int(address) + (2**64 if address.version == 6 else 0)
    return found


@settings(max_examples=600, deadline=None)
@given(CONDITIONS, REQUESTS, st.sampled_from(["2012-10-17", "2008-10-17"]))
def test_a_formula_says_of_a_request_what_the_evaluator_says(condition, request_, version):
    document = policy(condition, version)
    (statement,) = document.statements
    room = [policy({"ForAnyValue:StringEquals": {key: [str(index)] for key in FAMILIES}}) for index in range(3)]
    sets = any(name.startswith("For") for name in condition)
    asked = Conditions([document, *room] if sets else [document])
    single = {key: some if asked.slots.get(key, 1) > 1 else some[:1] for key, some in request_.items()}
    found, _ = evaluate_condition(statement.condition, version, lambda key: single.get(key) or Key.ABSENT)
    formula = asked.met(statement, version)
    if found is State.UNKNOWN or any(
        isinstance(one, Flag) and not one.name.startswith("has:") for one in atoms(formula)
    ):
        return
    model = model_of(single)
    assert is_so(formula, model) == (found is State.YES)
    assert is_so(links(And((formula,))), model)


@pytest.mark.parametrize(
    "condition",
    [
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-1/*"]}},
        {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}},
        {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
        {"StringLike": {"s3:prefix": "home/${aws:username}/*"}},
        {"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "Red"}},
        {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}},
        {"NumericNotEquals": {"s3:max-keys": "5"}},
    ],
)
def test_these_are_modelled(condition):
    document = policy(condition)
    formula = Conditions([document]).met(document.statements[0], document.version)
    assert all(one.name.startswith("has:") for one in atoms(formula) if isinstance(one, Flag))


def asked(narrow, wide):
    pytest.importorskip("z3")
    pytest.importorskip("cvc5")
    return contained([policy(narrow)], [policy(wide)])


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (
            {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}},
            {"ForAnyValue:StringLike": {"aws:TagKeys": ["a*"]}},
        ),
        (
            {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}},
            {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
        ),
        (
            {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}},
            {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["b"]}},
        ),
        ({"StringEquals": {"aws:SourceVpce": "a"}}, {"StringNotEquals": {"aws:SourceVpce": ["b", "c"]}}),
        (
            {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:a"}},
            {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}},
        ),
        (
            {"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:1*:a"}},
            {"StringLike": {"aws:SourceArn": "arn:aws:sns:*"}},
        ),
        (
            {"StringEquals": {"s3:prefix": "home/${aws:PrincipalTag/team}"}},
            {"StringLike": {"s3:prefix": "home/${aws:PrincipalTag/team}*"}},
        ),
        ({"StringEquals": {"aws:SourceVpce": "a"}}, {"StringEqualsIgnoreCase": {"aws:SourceVpce": "A"}}),
        ({"IpAddress": {"aws:SourceIp": "2001:db8:1::/48"}}, {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}),
        ({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        ({"StringEquals": {"s3:prefix": "a"}}, {"StringEqualsIfExists": {"s3:prefix": ["a", "b"]}}),
        ({"Bool": {"aws:SecureTransport": "TRUE"}}, {"Bool": {"aws:SecureTransport": "true"}, "Null": {"aws:SecureTransport": "false"}}),
    ],
)  # fmt: skip
def test_one_condition_within_another(narrow, wide):
    assert asked(narrow, wide).verdict == "contained"
    if "SecureTransport" in json.dumps(narrow):
        return  # these two are the same
    found = asked(wide, narrow)
    assert found.verdict == "not contained"
    assert _shows(found.example, [policy(wide)], [policy(narrow)])
