"""Rewritten policies: what solvers say is what the evaluator says, and the least policy is least."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.assess.aws.containment import _shows, contained
from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.least import least_policy
from assaymark.assess.aws.used import uses
from assaymark.assess.files import source_file
from assaymark.formats.located import read_json

pytest.importorskip("z3")
pytest.importorskip("cvc5")
WEIGHTS = "arn:aws:s3:::weights/*"
KEY = "arn:aws:kms:us-east-1:111122223333:key"


def policy(*statements):
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return policy_document(read_json(text), "p", source_file("p.json", text.encode()))


def allow(actions, resources, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions, resources, **more):
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **more}


def address(block):
    return {"Condition": {"IpAddress": {"aws:SourceIp": block}}}


CONTAINED = [
    (allow("s3:GetObject", "arn:aws:s3:::models-prod/*"), allow("s3:*", "arn:aws:s3:::models-*")),
    (allow("s3:GetObject", "*", **address("10.1.0.0/16")), allow("s3:Get*", "*", **address("10.0.0.0/8"))),
    (allow("s3:GetObject", "arn:aws:s3:::a/*"), allow("s3:GetObject", ["arn:aws:s3:::b/*", "arn:aws:s3:::a*"])),
    (
        allow("s3:GetObject", "*", Condition={"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}),
        allow("s3:GetObject", "*", Condition={"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}),
    ),
    (
        allow("s3:GetObject", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        allow("s3:GetObject", "*", Condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
    ),
    (
        {"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"},
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
    ),
]
NOT_CONTAINED = [
    (allow("s3:*", "arn:aws:s3:::models-*"), allow("s3:Get*", "arn:aws:s3:::models-prod/*")),
    (allow("s3:GetObject", "*", **address("10.0.0.0/8")), allow("s3:GetObject", "*", **address("10.1.0.0/16"))),
    (allow("s3:GetObject", "*"), allow("s3:GetObject", "*", Condition={"Bool": {"aws:SecureTransport": "true"}})),
    (allow("kms:Decrypt", f"{KEY}/*"), allow("kms:Decrypt", f"{KEY}/abc")),
    (allow("sqs:*", "*"), allow(["sqs:Get*", "sqs:List*", "sqs:Send*"], "*")),
]


@pytest.mark.parametrize(("new", "old"), CONTAINED)
def test_what_is_contained(new, old):
    found = contained([policy(new)], [policy(old)])
    assert found.verdict == "contained"
    assert found.example is None
    assert len(found.solvers) == 2


@pytest.mark.parametrize(("new", "old"), NOT_CONTAINED)
def test_what_is_not_comes_with_a_request_that_the_evaluator_tells_apart(new, old):
    found = contained([policy(new)], [policy(old)])
    assert found.verdict == "not contained"
    assert found.example is not None
    assert found.example.resource == "*" or found.example.resource.startswith("arn:aws:")
    assert _shows(found.example, [policy(new)], [policy(old)])


def test_a_denial_of_the_old_is_seen():
    old = [policy(allow("s3:*", "*")), policy(deny("s3:Delete*", "*"))]
    assert contained([policy(allow("s3:GetObject", "*"))], old).verdict == "contained"
    found = contained([policy(allow("s3:DeleteObject", "*"))], old)
    assert (found.verdict, found.example.action) == ("not contained", "s3:DeleteObject")


statements = st.builds(
    lambda effect, actions, resource, more: {"Effect": effect, "Action": actions, "Resource": resource, **more},
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["sqs:SendMessage", "sqs:*", ["sqs:Get*", "sqs:SendMessage"]]),
    st.sampled_from(["*", "arn:aws:sqs:us-east-1:111122223333:a*", "arn:aws:sqs:us-east-1:111122223333:ab"]),
    st.sampled_from([{}, {}, address("10.0.0.0/8"), address("10.1.0.0/16")]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(statements, min_size=1, max_size=3), st.lists(statements, min_size=1, max_size=3))
def test_no_verdict_is_wrong_on_requests_that_are_tried(new, old):
    from datetime import UTC, datetime

    from assaymark.assess.aws.evaluate import Applies, evaluate
    from assaymark.assess.aws.request import Principal, Request
    from assaymark.core.graph import State

    found = contained([policy(*new)], [policy(*old)])
    principal = Principal("role", "arn:aws:iam::111122223333:role/x", tags={})
    for name in ("a", "ab", "b"):
        for action in ("sqs:SendMessage", "sqs:GetQueueUrl", "sqs:DeleteQueue"):
            for ip in ("10.0.0.1", "10.1.0.1", "192.0.2.1"):
                resource = f"arn:aws:sqs:us-east-1:111122223333:{name}"
                request = Request(
                    principal, action, resource, datetime(2026, 1, 1, tzinfo=UTC), {"aws:SourceIp": (ip,)}
                )
                states = [evaluate(request, Applies(identity=(policy(*some),))).state for some in (new, old)]
                if found.verdict == "contained":
                    assert not (states[0] is State.YES and states[1] is State.NO), (action, resource, ip)


def test_the_least_policy_is_attested_and_minimal():
    old = policy(
        allow("s3:*", "*"),
        allow(["kms:Decrypt", "kms:Encrypt"], f"{KEY}/*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        deny("s3:*", "arn:aws:s3:::other/*"),
    )
    needs = [
        ("s3:GetObject", "arn:aws:s3:::weights/*"),
        ("s3:ListBucket", "arn:aws:s3:::weights"),
        ("kms:Decrypt", f"{KEY}/abc"),
    ]
    least = least_policy("r", [old], needs, old.because)
    assert least.proved
    said = least.policy
    assert [one["Action"] for one in said["Statement"]] == ["kms:Decrypt", "s3:GetObject", "s3:ListBucket", "s3:*"]
    assert said["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "true"}}
    assert said["Statement"][3]["Effect"] == "Deny"


def test_a_need_that_was_never_allowed_is_named_and_not_granted():
    old = policy(allow("s3:GetObject", "arn:aws:s3:::weights/*"))
    least = least_policy("r", [old], [("iam:PassRole", "*"), ("s3:GetObject", "arn:aws:s3:::weights/*")], old.because)
    assert least.uncovered == (("iam:PassRole", "*"),)
    assert not least.proved
    assert "iam:PassRole" not in json.dumps(least.policy)


def test_what_a_wider_resource_covers_is_not_written_twice():
    old = policy(allow("s3:*", "*"))
    needs = [("s3:GetObject", "arn:aws:s3:::weights/*"), ("s3:GetObject", "arn:aws:s3:::weights/a/*")]
    least = least_policy("r", [old], needs, old.because)
    assert least.proved
    assert [one["Resource"] for one in least.policy["Statement"]] == ["arn:aws:s3:::weights/*"]


def test_a_bucket_is_no_object():
    old = policy(allow("s3:*", "*"))
    bucket = "arn:aws:s3:::weights"
    needs = [("s3:GetObject", f"{bucket}/*"), ("s3:ListBucket", bucket), ("s3:ListBucket", f"{bucket}/*")]
    least = least_policy("r", [old], needs, old.because)
    assert least.proved
    granted = {one["Action"]: one["Resource"] for one in least.policy["Statement"]}
    assert granted == {"s3:GetObject": f"{bucket}/*", "s3:ListBucket": bucket}


def allowed(least):
    return [one for one in least.policy["Statement"] if one["Effect"] == "Allow"]


def test_an_action_that_another_pattern_means_is_dropped():
    old = policy(allow("s3:*", "*"))
    least = least_policy("r", [old], [("s3:Get*", "*"), ("s3:GetObject", "*")], old.because)
    assert least.proved
    assert [one["Action"] for one in allowed(least)] == ["s3:Get*"]


def test_of_conditions_that_allow_a_need_those_within_others_go():
    old = policy(allow("s3:Get*", WEIGHTS, **address("10.1.0.0/16")), allow("s3:*", WEIGHTS, **address("10.0.0.0/8")))
    least = least_policy("r", [old], [("s3:GetObject", WEIGHTS), ("s3:PutObject", WEIGHTS)], old.because)
    assert least.proved
    assert [(one["Action"], one["Condition"]) for one in allowed(least)] == [
        (["s3:GetObject", "s3:PutObject"], address("10.0.0.0/8")["Condition"])
    ]


def test_conditions_that_keep_nobody_out_go_and_others_stay():
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    team = {"StringEquals": {"aws:PrincipalTag/team": "red"}, "StringLike": {"aws:PrincipalTag/team": "r*"}}
    old = policy(
        allow("s3:*", WEIGHTS, Condition={**tls, **team}),
        deny("*", "*", Condition={"BoolIfExists": {"aws:SecureTransport": "false"}}),
    )
    least = least_policy("r", [old], [("s3:GetObject", WEIGHTS)], old.because, (), {"aws:principaltag/team": "red"})
    assert least.proved
    kept = {"Bool": tls["Bool"], "StringEquals": team["StringEquals"]}
    assert [one["Condition"] for one in allowed(least)] == [kept]


def test_two_halves_of_a_condition_are_a_whole():
    old = policy(
        allow("s3:*", WEIGHTS, Condition={"StringEquals": {"aws:SourceVpce": "a"}}),
        allow("s3:*", WEIGHTS, Condition={"StringNotEquals": {"aws:SourceVpce": "a"}}),
    )
    least = least_policy("r", [old], [("s3:GetObject", WEIGHTS)], old.because)
    assert least.proved
    assert ["Condition" in one for one in allowed(least)] == [False]


@pytest.mark.parametrize(
    "condition",
    [
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-1/r/*", "o-2/*"]}},
        {"StringNotEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}},
        {"ArnLike": {"aws:SourceArn": ["arn:aws:sns:*:111122223333:a*", "arn:aws:sns:*:444455556666:*"]}},
        {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
        {"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": ["Red", "blue"]}},
        {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"Null": {"aws:TokenIssueTime": "false"}, "DateGreaterThan": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}},
        {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}},
    ],
)
def test_least_policies_under_conditions_of_all_kinds_are_shown(condition):
    old = policy(allow("s3:*", "*", Condition=condition))
    least = least_policy("r", [old], [("s3:GetObject", WEIGHTS)], old.because)
    assert least.proved, (least.droppable, least.within.verdict, least.covers.verdict)
    if "Null" not in condition:  # that a key is there follows from what is asked of it
        assert set(allowed(least)[0]["Condition"]) == set(condition)


def test_a_need_that_no_request_meets_the_condition_of_is_not_allowed():
    never = {"StringEquals": {"aws:SourceVpce": "a"}, "StringLike": {"aws:SourceVpce": "b*"}}
    old = policy(allow("s3:GetObject", WEIGHTS, Condition=never), allow("s3:PutObject", WEIGHTS))
    least = least_policy("r", [old], [("s3:GetObject", WEIGHTS), ("s3:PutObject", WEIGHTS)], old.because)
    assert least.uncovered == (("s3:GetObject", WEIGHTS),)
    assert [one["Action"] for one in allowed(least)] == ["s3:PutObject"]


def test_uses_of_a_log():
    text = json.dumps(
        {
            "Records": [
                {
                    "eventSource": "s3.amazonaws.com",
                    "eventName": "HeadObject",
                    "userIdentity": {
                        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/app"}}
                    },
                    "requestParameters": {"bucketName": "weights", "key": "a.bin"},
                },
                {
                    "eventSource": "lambda.amazonaws.com",
                    "eventName": "UpdateFunctionCode20150331v2",
                    "userIdentity": {"arn": "arn:aws:iam::111122223333:user/ci"},
                    "resources": [{"ARN": "arn:aws:lambda:us-east-1:111122223333:function:f"}],
                },
                {
                    "eventSource": "sts.amazonaws.com",
                    "eventName": "GetCallerIdentity",
                    "userIdentity": {"arn": "arn:aws:iam::111122223333:user/ci"},
                },
                {
                    "eventSource": "bedrock.amazonaws.com",
                    "eventName": "Converse",
                    "userIdentity": {"arn": "arn:aws:iam::111122223333:user/ci"},
                },
                {
                    "eventSource": "s3.amazonaws.com",
                    "eventName": "GetObject",
                    "errorCode": "AccessDenied",
                    "userIdentity": {"arn": "arn:aws:iam::111122223333:user/ci"},
                },
            ]
        },
        indent=1,
    )
    found = list(uses(source_file("log.json", text.encode()), read_json(text)))
    assert [(use.principal.rpartition("/")[2], use.action, use.resource) for use in found] == [
        ("app", "s3:GetObject", "arn:aws:s3:::weights/a.bin"),
        ("ci", "lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:111122223333:function:f"),
        ("ci", "bedrock:InvokeModel", "*"),
    ]


def test_a_need_that_is_denied_is_named_and_not_granted():
    old = policy(allow("s3:*", "*"), deny("s3:DeleteObject", WEIGHTS))
    least = least_policy("r", [old], [("s3:DeleteObject", WEIGHTS), ("s3:GetObject", WEIGHTS)], old.because)
    assert least.uncovered == (("s3:DeleteObject", WEIGHTS),)
    assert [one["Action"] for one in least.policy["Statement"] if one["Effect"] == "Allow"] == ["s3:GetObject"]


def test_each_condition_that_allows_a_need_stays():
    endpoint = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    old = policy(
        allow("s3:Get*", WEIGHTS, Condition=endpoint), allow("s3:GetObject", WEIGHTS, **address("10.0.0.0/8"))
    )
    least = least_policy("r", [old], [("s3:GetObject", WEIGHTS)], old.because)
    assert least.proved
    assert [one["Condition"] for one in least.policy["Statement"]] == [
        address("10.0.0.0/8")["Condition"],
        endpoint,
    ]


def test_what_is_excluded_is_no_part_of_a_need_that_is_granted():
    old = policy({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::weights/secret*"})
    needs = [("s3:GetObject", WEIGHTS), ("s3:GetObject", "*"), ("s3:GetObject", "arn:aws:s3:::weights/a")]
    least = least_policy("r", [old], needs, old.because)
    assert set(least.uncovered) == {("s3:GetObject", WEIGHTS), ("s3:GetObject", "*")}
    assert [one["Resource"] for one in least.policy["Statement"]] == ["arn:aws:s3:::weights/a"]


def test_one_letter_is_not_all_letters():
    old = policy(allow("s3:GetObject", "arn:aws:s3:::weights/?"))
    least = least_policy("r", [old], [("s3:GetObject", WEIGHTS)], old.because)
    assert least.uncovered == (("s3:GetObject", WEIGHTS),)


def test_a_policy_that_is_not_shown_leaves_a_need_undecided():
    old = policy(allow("s3:GetObject", WEIGHTS))
    needs = [("s3:GetObject", WEIGHTS), ("sqs:SendMessage", "*")]
    least = least_policy("r", [old], needs, old.because, ["arn:aws:iam::111122223333:policy/own"])
    assert (least.uncovered, least.undecided) == ((), (("sqs:SendMessage", "*"),))
    assert not least.proved


def test_policy_variables_are_asked_about_as_the_principal_has_them():
    old = policy(allow("s3:PutObject", "arn:aws:s3:::home/${aws:username}/*"))
    own = [("s3:PutObject", "arn:aws:s3:::home/bob/a")]
    assert least_policy("r", [old], own, old.because, (), {"aws:username": "bob"}).proved
    assert least_policy("r", [old], own, old.because, (), {"aws:username": "eve"}).uncovered == tuple(own)
    assert least_policy("r", [old], [("s3:PutObject", "arn:aws:s3:::home/${aws:username}/*")], old.because).proved


def test_what_a_boundary_does_not_let_through_is_not_granted():
    old, boundary = policy(allow("*", "*")), policy(allow("s3:*", "arn:aws:s3:::weights*"))
    needs = [("s3:GetObject", WEIGHTS), ("s3:GetObject", "arn:aws:s3:::other/*"), ("iam:PassRole", "*")]
    least = least_policy("r", [old], needs, old.because, boundary=boundary)
    assert set(least.uncovered) == {needs[1], needs[2]}
