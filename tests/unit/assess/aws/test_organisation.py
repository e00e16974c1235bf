"""Policies of an organisation: which account they are about, level by level, and what is not known of it."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files as assessed

from assaymark.assess.aws.organisation import controls_of
from assaymark.assess.estate.aws import STRANGER, Control, Estate, PolicyDocument, Statement
from assaymark.core.graph import Because, State

HERE = Because("scps.json", 1, "0" * 64)
ONE, TWO, OPEN = "111122223333", "444455556666", "000000000000"
TREE = {ONE: "ou-prod", "ou-prod": "ou-all", "ou-all": "r-abcd"}


def control(name: str, *targets: str, effect: str = "Deny", kind: str = "scp") -> Control:
    statement = Statement(effect, HERE, actions=("s3:*",), resources=("*",))
    return Control(kind, PolicyDocument(name, (statement,), HERE), targets)


def applied(account: str, *controls: Control, parents: dict[str, str] | None = None) -> tuple[list[str], list[str]]:
    found = controls_of(Estate(controls=list(controls), parents=parents or {}), "scp", account)
    return [one.name for level in found.levels for one in level], [one.name for one, _ in found.perhaps]


@pytest.mark.parametrize(
    ("target", "account", "parents", "applies"),
    [
        ("*", ONE, {}, "yes"),
        ("*", OPEN, {}, "yes"),
        (ONE, ONE, {}, "yes"),
        (TWO, ONE, {}, "no"),
        (ONE, OPEN, {}, "perhaps"),
        ("r-abcd", ONE, {}, "yes"),
        ("r-abcd", OPEN, {}, "yes"),
        ("ou-prod", ONE, TREE, "yes"),
        ("ou-all", ONE, TREE, "yes"),
        ("ou-test", ONE, TREE, "no"),
        ("ou-prod", TWO, TREE, "perhaps"),
        ("ou-prod", ONE, {ONE: "ou-x"}, "perhaps"),
        ("<aws_organizations_organizational_unit.x>", ONE, TREE, "no"),
        ("<aws_organizations_account.x>", ONE, TREE, "perhaps"),
        ("ou-prod", OPEN, TREE, "perhaps"),
    ],
)
def test_whom_a_policy_is_about(target: str, account: str, parents: dict[str, str], applies: str) -> None:
    sure, perhaps = applied(account, control("p", target), parents=parents)
    assert {"yes": (["p"], []), "no": ([], []), "perhaps": ([], ["p"])}[applies] == (sure, perhaps)


def test_a_policy_that_nothing_attaches_may_be_attached() -> None:
    found = controls_of(Estate(controls=[control("p")]), "scp", ONE)
    assert found.perhaps[0][1] == f"the service control policy p applies to account {ONE}"
    assert controls_of(Estate(controls=[control("p", kind="rcp")]), "scp", ONE).perhaps == ()


def test_units_in_a_circle_end() -> None:
    assert applied(ONE, control("p", "ou-a"), parents={ONE: "ou-a", "ou-a": "ou-a"}) == ([], ["p"])


def test_levels_are_told_apart_and_one_without_a_policy_that_allows_lets_through() -> None:
    listed = [control("a", "r-abcd", effect="Allow"), control("b", ONE, effect="Allow"), control("c", "ou-prod")]
    found = controls_of(Estate(controls=listed, parents=TREE), "scp", ONE)
    assert found.known
    assert [[one.name for one in level] for level in found.levels] == [["a", "c"], ["b"]]
    found = controls_of(Estate(controls=[*listed, control("d", "*")], parents=TREE), "scp", ONE)
    assert not found.known
    found = controls_of(Estate(controls=[control("c", "ou-prod")], parents=TREE), "scp", ONE)
    assert (found.known, len(found.levels)) == (False, 1)


TERRAFORM = """
provider "aws" {
  allowed_account_ids = ["111122223333"]
}
data "aws_organizations_organization" "org" {
}
resource "aws_organizations_organizational_unit" "prod" {
  name      = "prod"
  parent_id = data.aws_organizations_organization.org.roots[0].id
}
resource "aws_organizations_policy" "no_s3" {
  name    = "no-s3"
  content = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Action = "s3:*", Resource = "*" }] })
}
ATTACHED
resource "aws_iam_role" "t" {
  name = "t"
  assume_role_policy = jsonencode({ Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }
  ] })
}
resource "aws_iam_role_policy" "t" {
  role   = aws_iam_role.t.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] })
}
resource "aws_s3_bucket" "b" {
  bucket = "b"
}
"""
ATTACHMENT = """
resource "aws_organizations_policy_attachment" "a" {
  policy_id = aws_organizations_policy.no_s3.id
  target_id = %s
}
"""


@pytest.mark.parametrize(
    ("target", "state"),
    [
        (f'"{TWO}"', State.YES),
        (f'"{ONE}"', None),
        ("data.aws_organizations_organization.org.roots[0].id", None),
        ("aws_organizations_organizational_unit.prod.id", State.UNKNOWN),
        ("", State.UNKNOWN),
    ],
)
def test_what_terraform_attaches(target: str, state: State | None) -> None:
    attached = ATTACHMENT % target if target else ""
    found = assessed({"main.tf": TERRAFORM.replace("ATTACHED", attached)})
    reads = {(one.source, one.target): one for one in found.graph.edges if one.relation == "reads"}
    edge = reads.get((f"arn:aws:iam::{ONE}:role/t", "arn:aws:s3:::b"))
    assert (edge.state if edge else None) == state
    if state is State.UNKNOWN:
        assert edge is not None
        assert edge.decides == (f"denied if the service control policy no-s3 applies to account {ONE}",)


TEMPLATE = {
    "Resources": {
        "Org": {"Type": "AWS::Organizations::Organization", "Properties": {}},
        "Prod": {
            "Type": "AWS::Organizations::OrganizationalUnit",
            "Properties": {"Name": "prod", "ParentId": {"Fn::GetAtt": ["Org", "RootId"]}},
        },
        "NoS3": {
            "Type": "AWS::Organizations::Policy",
            "Properties": {
                "Name": "no-s3",
                "Type": "SERVICE_CONTROL_POLICY",
                "Content": {"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]},
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "t",
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
                    ]
                },
                "Policies": [
                    {
                        "PolicyName": "p",
                        "PolicyDocument": {
                            "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]
                        },
                    }
                ],
            },
        },
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}},
    }
}


@pytest.mark.parametrize(
    ("target", "state"), [({"Ref": "Prod"}, State.UNKNOWN), ({"Fn::GetAtt": ["Org", "RootId"]}, None)]
)
def test_what_a_template_attaches(target: dict[str, object], state: State | None) -> None:
    value = json.loads(json.dumps(TEMPLATE))
    value["Resources"]["NoS3"]["Properties"]["TargetIds"] = [target]
    found = assessed({"stack.json": json.dumps(value)})
    states = [one.state for one in found.graph.edges if one.relation == "reads" and one.source.endswith(":role/t")]
    assert states == ([state] if state else [])


def test_an_export_names_the_targets_and_the_management_account() -> None:
    details = {
        "UserDetailList": [
            {
                "Arn": f"arn:aws:iam::{account}:user/u",
                "UserName": "u",
                "UserPolicyList": [
                    {
                        "PolicyName": "p",
                        "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
                    }
                ],
            }
            for account in (ONE, TWO)
        ]
    }
    policy = {
        "Policy": {
            "PolicySummary": {"Name": "no-s3", "Type": "SERVICE_CONTROL_POLICY"},
            "Content": json.dumps({"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}),
        },
    }
    files = {
        "details.json": json.dumps(details),
        "scp.json": json.dumps(policy),
        "buckets.json": '{"Buckets": [{"Name": "b"}]}',
    }
    everywhere = [one for one in assessed(files).graph.edges if one.relation == "reads"]
    assert everywhere == []
    organisation = {"organization.json": json.dumps({"Organization": {"Id": "o-a", "MasterAccountId": TWO}})}
    states = {
        one.source: one.state for one in assessed({**files, **organisation}).graph.edges if one.relation == "reads"
    }
    assert f"arn:aws:iam::{ONE}:user/u" not in states
    assert f"arn:aws:iam::{TWO}:user/u" in states


def test_a_policy_that_is_attached_at_several_levels_allows_at_each() -> None:
    listed = [
        control("whole", "r-abcd", "ou-prod", ONE, effect="Allow"),
        control("some", "r-abcd", effect="Allow"),
        control("own", ONE, effect="Allow"),
    ]
    found = controls_of(Estate(controls=listed, parents=TREE), "scp", ONE)
    levels = [[one.name for one in level] for level in found.levels]
    assert (found.known, levels) == (True, [["whole", "some"], ["whole"], ["whole", "own"]])


def test_resource_control_policies_leave_the_management_account_alone() -> None:
    estate = Estate(controls=[control("p", "r-abcd", kind="rcp")], management=ONE)
    assert controls_of(estate, "rcp", ONE).levels == ()
    assert any(controls_of(estate, "rcp", TWO).levels)


def test_accounts_of_others_are_in_no_organisation_that_is_not_said_to_have_them() -> None:
    estate = Estate(controls=[control("p", "r-abcd")])
    assert not any(controls_of(estate, "scp", TWO, held=False).levels)
    assert [one.name for one, _ in controls_of(estate, "scp", TWO, held=False).perhaps] == ["p"]
    estate.parents[TWO] = "r-abcd"
    assert any(controls_of(estate, "scp", TWO, held=False).levels)
    assert controls_of(estate, "scp", STRANGER, held=False).perhaps == ()


@pytest.mark.parametrize(("principal", "state"), [("*", State.YES), (f"arn:aws:iam::{TWO}:root", State.UNKNOWN)])
def test_what_the_organisation_denies_its_own_strangers_may(principal: str, state: State) -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}]}
    role = {"Arn": f"arn:aws:iam::{ONE}:role/t", "RoleName": "t", "AssumeRolePolicyDocument": trust}
    denies = {"Statement": [{"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]}
    summary = {"Name": "no-sts", "Type": "SERVICE_CONTROL_POLICY"}
    policy = {"Policy": {"PolicySummary": summary, "Content": json.dumps(denies)}, "Targets": [{"TargetId": "r-a"}]}
    found = assessed({"details.json": json.dumps({"RoleDetailList": [role]}), "scp.json": json.dumps(policy)})
    assert [one.state for one in found.graph.edges if one.relation == "assumes"] == [state]


@pytest.mark.parametrize(
    ("whole", "some", "state"),
    [
        (("r-a", ONE), ("r-a",), State.YES),
        (("r-a", ONE), (ONE,), State.YES),
        ((ONE,), ("r-a",), None),
        ((ONE,), ("r-a", ONE), None),
    ],
)
def test_targets_beside_a_policy_tell_its_levels(
    whole: tuple[str, ...], some: tuple[str, ...], state: State | None
) -> None:
    def policy(name: str, actions: str, targets: tuple[str, ...]) -> str:
        content = json.dumps({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
        summary = {"Name": name, "Type": "SERVICE_CONTROL_POLICY"}
        listed = [{"TargetId": one} for one in targets]
        return json.dumps({"Policy": {"PolicySummary": summary, "Content": content}, "Targets": listed})

    reads = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    user = {
        "Arn": f"arn:aws:iam::{ONE}:user/u",
        "UserName": "u",
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": reads}],
    }
    files = {
        "details.json": json.dumps({"UserDetailList": [user]}),
        "buckets.json": '{"Buckets": [{"Name": "b"}]}',
        "whole.json": policy("whole", "*", whole),
        "some.json": policy("some", "ec2:*", some),
    }
    states = [one.state for one in assessed(files).graph.edges if one.relation == "reads"]
    assert states == ([state] if state else [])


ALLOWS = """
resource "aws_organizations_policy" "list" {
  name    = "list"
  content = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "ec2:*", Resource = "*" }] })
}
resource "aws_organizations_policy_attachment" "list" {
  policy_id = aws_organizations_policy.list.id
  target_id = "111122223333"
}
"""
FULL = """
resource "aws_organizations_policy_attachment" "full" {
  policy_id = "p-FullAWSAccess"
  target_id = %s
}
"""


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ("", State.UNKNOWN),
        (FULL % '"111122223333"', State.YES),
        (FULL % "data.aws_organizations_organization.org.roots[0].id", State.UNKNOWN),
        (FULL % '"444455556666"', State.UNKNOWN),
    ],
)
def test_a_list_of_what_is_allowed_counts_where_the_policy_that_allows_all_is_detached(
    more: str, state: State
) -> None:
    text = TERRAFORM.replace('"Deny", Action = "s3:*"', '"Deny", Action = "sqs:*"').replace("ATTACHED", ALLOWS + more)
    found = assessed({"main.tf": text})
    reads = next(one for one in found.graph.edges if one.relation == "reads" and one.source.endswith(":role/t"))
    assert reads.state is state
    if state is State.UNKNOWN:
        assert any("FullAWSAccess was not detached from 111122223333" in text for text in reads.decides)


ORGANISED = """
resource "aws_s3_bucket_policy" "b" {
  bucket = "b"
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::b/*"
      Condition = { StringEquals = { "aws:PrincipalOrgID" = ORGANISATION } }
    }]
  })
}
resource "aws_s3_bucket" "b" { bucket = "b" }
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
provider "aws" { allowed_account_ids = ["111122223333"] }
"""
LISTED = {
    "Accounts": [
        {"Id": ONE, "Arn": f"arn:aws:organizations::{TWO}:account/o-abc1234567/{ONE}", "Status": "ACTIVE"},
        {"Id": TWO, "Arn": f"arn:aws:organizations::{TWO}:account/o-abc1234567/{TWO}", "Status": "ACTIVE"},
    ]
}


@pytest.mark.parametrize(
    ("organisation", "files", "state"),
    [
        ('"o-abc1234567"', {}, State.UNKNOWN),
        ('"o-abc1234567"', {"accounts.json": json.dumps(LISTED)}, State.YES),
        ('"o-other12345"', {"accounts.json": json.dumps(LISTED)}, None),
        ('"o-abc1234567"', {"o.json": '{"Organization": {"Id": "o-abc1234567", "MasterAccountId": "111122223333"}}'}, State.YES),
        ('"o-abc1234567"', {"o.json": '{"Organization": {"Id": "o-abc1234567", "MasterAccountId": "444455556666"}}'}, State.UNKNOWN),
        ("data.aws_organizations_organization.o.id", {"o.tf": 'data "aws_organizations_organization" "o" {}'}, State.YES),
        ("aws_organizations_organization.o.id", {"o.tf": 'resource "aws_organizations_organization" "o" {}'}, State.YES),
    ],
)  # fmt: skip
def test_who_is_in_the_organisation_that_a_policy_asks_for(
    organisation: str, files: dict[str, str], state: State | None
) -> None:
    found = assessed({"main.tf": ORGANISED.replace("ORGANISATION", organisation), **files})
    states = [one.state for one in found.graph.edges if one.relation == "reads" and one.source.endswith(":role/r")]
    assert states == ([state] if state else [])
    assert not [one for one in found.graph.edges if one.source == "internet" and one.relation == "reads"]


@pytest.mark.parametrize("kind", ["resource", "data"])
def test_who_makes_an_organisation_is_not_bound_by_its_service_control_policies(kind: str) -> None:
    text = TERRAFORM.replace("ATTACHED", ATTACHMENT % f'"{ONE}"')
    if kind == "resource":
        text = text.replace('data "aws_org', 'resource "aws_org').replace("data.aws_org", "aws_org")
    found = assessed({"main.tf": text})
    reads = [one.state for one in found.graph.edges if one.relation == "reads" and one.source.endswith(":role/t")]
    assert reads == ([State.YES] if kind == "resource" else [])
