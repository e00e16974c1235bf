"""Where very many identities are alike in who comes to them, they are drawn by way of one node; who reaches what stays."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.aws import linking
from assaymark.assess.aws.answers import renamed
from assaymark.assess.aws.grants import Access

ACCOUNT = "111122223333"
LAMBDA = {"Service": "lambda.amazonaws.com"}


def role(name: str, principal: object, *statements: dict[str, object]) -> dict[str, object]:
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    policies = [{"PolicyName": "p", "PolicyDocument": {"Statement": list(statements)}}] if statements else []
    return {
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "RoleName": name,
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": policies,
    }


def allow(actions: object, resource: str = "*") -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def estate() -> dict[str, str]:
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    roles = [role(f"team-{at}", root, allow("s3:GetObject", f"arn:aws:s3:::b{at}/*")) for at in range(4)]
    roles += [role(f"job-{at}", LAMBDA, allow("s3:PutObject", f"arn:aws:s3:::b{at}/*")) for at in range(4)]
    roles += [
        role("all", LAMBDA, allow("sts:AssumeRole")),
        role("some", LAMBDA, allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/team-1")),
        role("starts", LAMBDA, allow(["iam:PassRole", "lambda:*"])),
        role("trusts", LAMBDA, allow("iam:UpdateAssumeRolePolicy")),
        role("data", LAMBDA, allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])),
        role("owner", LAMBDA, allow("s3:PutBucketPolicy")),
        role("resets", LAMBDA, allow("iam:CreateAccessKey")),
    ]
    users = [{"Arn": f"arn:aws:iam::{ACCOUNT}:user/u{at}", "UserName": f"u{at}"} for at in range(3)]
    return {
        "details.json": json.dumps({"RoleDetailList": roles, "UserDetailList": users}),
        "buckets.json": json.dumps({"Buckets": [{"Name": f"b{at}"} for at in range(4)]}),
    }


def test_who_reaches_what_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = assessed_files(estate())
    monkeypatch.setattr(linking, "ASSESS_MAX_DRAWN_PAIRS", 0)
    monkeypatch.setattr(linking, "_FAN", 2)
    grouped = assessed_files(estate())
    assert sorted(plain.reach.triples()) == sorted(grouped.reach.triples())
    assert {(one.source.id, one.target.id) for one in plain.ranked.paths} == {
        (one.source.id, one.target.id) for one in grouped.ranked.paths
    }
    together = {one.id: one.name for one in grouped.graph.nodes.values() if one.kind == "group"}
    assert "team-0 and 3 others, alike in who comes to them" in together.values()
    assert not any(one.kind == "group" for one in plain.graph.nodes.values())
    edges = {(one.source, one.target): one for one in grouped.graph.edges}
    through = [target for source, target in edges if source.endswith(":role/all") and target in together]
    assert through
    assert f"arn:aws:iam::{ACCOUNT}:role/team-1" in {target for source, target in edges if source in through}
    assert (f"arn:aws:iam::{ACCOUNT}:role/some", f"arn:aws:iam::{ACCOUNT}:role/team-1") in edges


def test_tenants_are_told_apart_among_things_that_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = role("reader", LAMBDA, allow(["s3:GetObject", "s3:PutObject"]))
    details = {"RoleDetailList": [{**reader, "Tags": [{"Key": "tenant", "Value": "birch"}]}]}
    buckets = "".join(
        f'resource "aws_s3_bucket" "b{at}" {{\n  bucket = "b{at}"\n  tags   = {{ tenant = "{name}" }}\n}}\n'
        for at, name in enumerate(["birch", "cedar", "cedar", "birch"])
    )
    files = {"details.json": json.dumps(details), "main.tf": buckets}
    plain = [one for one in assessed_files(files).findings if one.rule == "aws-tenant-reads-other"]
    assert len({one.name for one in plain}) == 2
    monkeypatch.setattr(linking, "ASSESS_MAX_DRAWN_PAIRS", 0)
    monkeypatch.setattr(linking, "_FAN", 2)
    assert [one for one in assessed_files(files).findings if one.rule == "aws-tenant-reads-other"] == plain


def test_what_would_decide_names_who_asks_and_what_is_asked_for() -> None:
    boundary = {"PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/b", "PermissionsBoundaryType": "Policy"}
    bounded = [
        {**role(name, "*", allow("s3:GetObject")), "PermissionsBoundary": boundary} for name in ("r", "r-1", "r1")
    ]
    document = {"Statement": [allow("s3:*")]}
    version = {"IsDefaultVersion": True, "Document": document}
    policy = {"Arn": f"arn:aws:iam::{ACCOUNT}:policy/b", "PolicyName": "b", "PolicyVersionList": [version]}
    found = assessed_files({"details.json": json.dumps({"RoleDetailList": bounded, "Policies": [policy]})})
    decides = {
        one.decides for one in found.graph.edges if one.relation == "assumes" and one.source.endswith(":role/r")
    }
    words = f"a policy that allows everyone is not limited by the boundary of arn:aws:iam::{ACCOUNT}:role/r"
    assert decides == {(words,)}


def test_a_name_that_another_begins_with_is_not_that_one() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    assert renamed(f"{role}-1 may, {role} may", role, "one") == f"{role}-1 may, one may"
    assert renamed(f"{role}/x", role, "one") == f"{role}/x"


CONTROLS = [
    [],
    [{"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-own"}}}],
    [{"Action": "s3:GetObject*", "Resource": "arn:aws:s3:::b1/*"}],
    [{"Action": "s3:PutObject", "Resource": "arn:aws:s3:::b*/*"}],
    [{"Action": "s3:*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/wide"}}}],
]


@pytest.mark.parametrize("controls", CONTROLS)
@pytest.mark.parametrize("kind", ["RESOURCE", "SERVICE"])
def test_what_is_alike_is_answered_together_as_one_by_one(
    monkeypatch: pytest.MonkeyPatch, controls: list[dict[str, object]], kind: str
) -> None:
    mixed = [
        role("wide", LAMBDA, allow("s3:*"), {**allow("s3:GetObject", "arn:aws:s3:::b1*"), "Effect": "Deny"}),
        role("some", LAMBDA, allow(["s3:*", "sqs:*"], "arn:aws:s3:::b*/*"), allow("s3:PutBucketPolicy")),
        role("own", LAMBDA, {**allow("s3:*"), "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}}),
    ]
    policy = {"Statement": [{**allow("s3:GetObject", "arn:aws:s3:::b2/*"), "Principal": "*"}]}
    files = {**estate(), "more.json": json.dumps({"RoleDetailList": mixed}), "policy.json": json.dumps(policy)}

    denied = [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", **one} for one in controls]
    if denied:
        whole = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
        summary = {"Type": f"{kind}_CONTROL_POLICY", "Name": "limits"}
        content = json.dumps({"Version": "2012-10-17", "Statement": [whole, *denied]})
        files["control.json"] = json.dumps({"PolicySummary": summary, "Content": content, "Targets": [ACCOUNT]})

    def edges() -> set[tuple[object, ...]]:
        found = assessed_files(files).graph.edges
        return {(one.source, one.relation, one.target, one.state, one.decides, one.effort) for one in found}

    together = edges()
    monkeypatch.setattr(Access, "grouped", lambda *_: None)
    assert edges() == together
