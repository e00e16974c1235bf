"""Users and roles that only a list shows: lists leave tags and permission boundaries out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.engine import Assessment
from assaymark.core.graph import State

ACCOUNT = "111122223333"
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
BOUNDARY = {"PermissionsBoundary": {"PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/small"}}
TAGS = {"Tags": [{"Key": "team", "Value": "red"}]}
GAP = "leave tags and permission boundaries out"


def role(name: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return {"Path": "/", "RoleName": name, "Arn": arn, "AssumeRolePolicyDocument": TRUST, **more}


def who_may(condition: dict[str, Any], *actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*", "Condition": condition}
    inline = [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}]
    trusted = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}]}
    return {"RoleDetailList": [{**role("ops"), "AssumeRolePolicyDocument": trust, "RolePolicyList": inline}]}


def found(asker: dict[str, Any], **answers: dict[str, Any]) -> Assessment:
    named = {f"{name}.json": json.dumps(answer, indent=1) for name, answer in answers.items()}
    return assessed_files({"details.json": json.dumps(asker, indent=1), **named})


def states(one: Assessment, relation: str = "escalates") -> set[State]:
    target = f"arn:aws:iam::{ACCOUNT}:role/job"
    return {
        edge.state
        for edge in one.graph.edges
        if edge.relation == relation and edge.source.endswith("/ops") and edge.target == target
    }


BY_TAG = who_may({"StringEquals": {"aws:ResourceTag/team": "blue"}}, "iam:UpdateAssumeRolePolicy")
NOT_BY_TAG = who_may({"Null": {"aws:ResourceTag/team": "true"}}, "iam:UpdateAssumeRolePolicy")


@pytest.mark.parametrize("asker", [BY_TAG, NOT_BY_TAG])
def test_tags_of_a_role_of_a_list_are_unknown(asker: dict[str, Any]) -> None:
    one = found(asker, roles={"Roles": [role("job")]})
    assert states(one) == {State.UNKNOWN}
    assert any(GAP in text and "job" in text for text in one.reading.gaps)


@pytest.mark.parametrize("listed", ["a", "z"])
def test_an_answer_about_the_role_itself_shows_them_whichever_is_read_first(listed: str) -> None:
    answers = {listed: {"Roles": [role("job")]}, "m": {"Role": role("job", **TAGS)}}
    one = found(BY_TAG, **answers)
    assert states(one) == set()
    assert not any(GAP in text for text in one.reading.gaps)
    answers["m"] = {"Role": role("job")}
    assert states(found(NOT_BY_TAG, **answers)) == {State.YES}


def test_terraform_shows_them() -> None:
    main = """
    provider "aws" {
      allowed_account_ids = ["111122223333"]
    }
    resource "aws_iam_role" "job" {
      name               = "job"
      assume_role_policy = "{}"
    }
    """
    files = {"details.json": json.dumps(BY_TAG), "roles.json": json.dumps({"Roles": [role("job")]}), "main.tf": main}
    one = assessed_files(files)
    assert states(one) == set()
    assert not any(GAP in text for text in one.reading.gaps)


def test_tags_of_who_asks_are_unknown() -> None:
    bucket = {"Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/job"},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::weights/*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
        }
    ]}  # fmt: skip
    policy = {"Policy": json.dumps(bucket)}
    one = assessed_files({"policy.json": json.dumps(policy), "roles.json": json.dumps({"Roles": [role("job")]})})
    reads = [(edge.state, edge.decides) for edge in one.graph.edges if edge.relation == "reads"]
    assert [state for state, _ in reads] == [State.UNKNOWN]
    assert any("aws:PrincipalTag/team" in text for text in reads[0][1])


def test_a_boundary_that_a_condition_asks_for() -> None:
    small = f"arn:aws:iam::{ACCOUNT}:policy/small"
    asker = who_may({"StringEquals": {"iam:PermissionsBoundary": small}}, "iam:PutRolePolicy")
    asker["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    )
    open_to_all = {"AssumeRolePolicyDocument": asker["RoleDetailList"][0]["AssumeRolePolicyDocument"]}

    def given(**answers: dict[str, Any]) -> set[State]:
        edges = [one for one in found(asker, **answers).graph.edges if one.source.endswith("/ops")]
        return {one.state for one in edges if one.relation == "escalates" and one.target.endswith("administrator")}

    assert given(roles={"Roles": [role("job", **open_to_all)]}) == {State.UNKNOWN}
    assert given(one={"Role": role("job", **open_to_all)}) == set()
    assert given(one={"Role": role("job", **open_to_all, **BOUNDARY)}) == {State.UNKNOWN}
