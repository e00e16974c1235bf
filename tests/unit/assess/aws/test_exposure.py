"""What everyone may do with buckets: by policies, by access control lists, and what blocks both."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files, rules_of

from assaymark.assess.kinds import INTERNET
from assaymark.core.graph import State

BUCKET = 'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n}\n'
POLICY = """
resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({ Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "arn:aws:s3:::b/*" }] })
}
"""
ACL = 'resource "aws_s3_bucket_acl" "b" {\n  bucket = aws_s3_bucket.b.id\n  acl    = "%s"\n}\n'
OWNED = """
resource "aws_s3_bucket_ownership_controls" "b" {
  bucket = aws_s3_bucket.b.id
  rule {
    object_ownership = "%s"
  }
}
"""
BLOCK = """
resource "aws_s3_bucket_public_access_block" "b" {
  bucket                  = aws_s3_bucket.b.id
  ignore_public_acls      = %s
  restrict_public_buckets = %s
}
"""
ACCOUNT = """
resource "aws_s3_account_public_access_block" "all" {
  ignore_public_acls      = true
  restrict_public_buckets = true
}
"""
OPEN = BLOCK % ("false", "false")
OTHERS = "aws:outside:*"


def drawn(*parts: str) -> dict[tuple[str, str], State]:
    found = assessed_files({"main.tf": BUCKET + "".join(parts)})
    return {(one.source, one.relation): one.state for one in found.graph.edges if one.target == "arn:aws:s3:::b"}


@pytest.mark.parametrize(
    ("blocks", "state"),
    [
        ((), State.UNKNOWN),
        ((OPEN,), State.YES),
        ((BLOCK % ("true", "false"),), State.YES),
        ((BLOCK % ("false", "true"),), None),
        ((BLOCK % ("false", "var.x"),), State.UNKNOWN),
        ((OPEN, ACCOUNT), None),
        ((ACCOUNT,), None),
    ],
)
def test_a_policy_for_everyone(blocks: tuple[str, ...], state: State | None) -> None:
    assert drawn(POLICY, *blocks) == ({(INTERNET, "reads"): state} if state else {})


@pytest.mark.parametrize(
    ("acl", "who", "relations"),
    [
        ("public-read", INTERNET, {"reads": State.UNKNOWN}),
        ("public-read-write", INTERNET, {"reads": State.UNKNOWN, "writes": State.YES, "deletes": State.YES}),
        ("authenticated-read", OTHERS, {"reads": State.UNKNOWN}),
        ("private", "", {}),
        ("log-delivery-write", "", {}),
    ],
)
def test_canned_lists(acl: str, who: str, relations: dict[str, State]) -> None:
    owned = OWNED % "ObjectWriter"
    assert drawn(ACL % acl, owned, OPEN) == {(who, relation): state for relation, state in relations.items()}
    assert drawn(ACL % acl, owned, BLOCK % ("true", "false")) == {}
    assert drawn(ACL % acl, owned, OPEN, ACCOUNT) == {}
    assert drawn(ACL % acl, OPEN, OWNED % "BucketOwnerEnforced") == {}
    assert set(drawn(ACL % acl).values()) <= {State.UNKNOWN}


@pytest.mark.parametrize(
    ("group", "permission", "relations"),
    [
        ("AllUsers", "READ", {"reads"}),
        ("AllUsers", "WRITE", {"writes", "deletes"}),
        ("AuthenticatedUsers", "WRITE_ACP", {"permissions"}),
        ("AllUsers", "FULL_CONTROL", {"reads", "writes", "deletes", "permissions"}),
        ("AllUsers", "READ_ACP", set()),
    ],
)
def test_lists_with_grants(group: str, permission: str, relations: set[str]) -> None:
    acl = f"""
        resource "aws_s3_bucket_acl" "b" {{
          bucket = aws_s3_bucket.b.id
          access_control_policy {{
            grant {{
              grantee {{
                type = "Group"
                uri  = "http://acs.amazonaws.com/groups/global/{group}"
              }}
              permission = "{permission}"
            }}
          }}
        }}
        """
    who = INTERNET if group == "AllUsers" else OTHERS
    assert set(drawn(acl, OPEN, OWNED % "BucketOwnerPreferred")) == {(who, one) for one in relations}


def test_a_list_that_the_bucket_itself_has_says_what_it_hangs_on() -> None:
    found = assessed_files({"main.tf": 'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n  acl = "public-read"\n}\n'})
    [edge] = [one for one in found.graph.edges if one.source == INTERNET]
    assert edge.how == "the bucket has the ACL public-read"
    assert edge.decides == (
        "objects have an access control list that lets everyone read them",
        "the account and the bucket do not block public access",
        "the bucket takes access control lists",
    )


@pytest.mark.parametrize(("blocking", "state"), [("one", None), ("two", State.UNKNOWN)])
def test_an_account_blocks_for_its_own_buckets_alone(blocking: str, state: State | None) -> None:
    providers = """
        provider "aws" {
          alias               = "one"
          allowed_account_ids = ["111122223333"]
        }
        provider "aws" {
          alias               = "two"
          allowed_account_ids = ["444455556666"]
        }
        """
    found = assessed_files(
        {
            "main.tf": providers
            + BUCKET.replace("{\n", "{\n  provider = aws.one\n", 1)
            + POLICY.replace("{\n", "{\n  provider = aws.one\n", 1)
            + ACCOUNT.replace("{\n", f"{{\n  provider = aws.{blocking}\n", 1)
        }
    )
    assert [one.state for one in found.graph.edges if one.source == INTERNET] == ([state] if state else [])
    assert ("aws-bucket-public" in rules_of(found)) == bool(state)


@pytest.mark.parametrize(
    ("principal", "block", "state"),
    [
        ('"*"', "true", None),
        ('{ AWS = ["*", "111122223333"] }', "true", None),
        ('"*"', "false", State.YES),
        ('{ AWS = "111122223333" }', "true", State.YES),  # no public policy: whom it names may come
    ],
)
def test_a_public_policy_that_is_restricted_lets_no_other_account_in(
    principal: str, block: str, state: State | None
) -> None:
    owner = 'provider "aws" {\n  allowed_account_ids = ["444455556666"]\n}\n'
    policy = POLICY.replace('"*"', principal)
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    user = {
        "Arn": "arn:aws:iam::111122223333:user/u",
        "UserName": "u",
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}],
    }
    for details in ({"UserDetailList": [user]}, {"UserDetailList": []}):
        main = owner + BUCKET + policy + BLOCK % ("true", block)
        found = assessed_files({"main.tf": main, "details.json": json.dumps(details)})
        sources = {one.source: one.state for one in found.graph.edges if one.relation == "reads"}
        sources.pop(INTERNET, None)
        named = details["UserDetailList"] or "111122223333" in principal
        assert sources == (dict.fromkeys(sources, state) if state and named else {})
        assert bool(sources) == bool(state and named)
