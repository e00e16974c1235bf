"""What patches do to policies: nothing more is allowed, needs stay, and what goes is shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.patched import patched_policies
from assaymark.assess.estate.aws import Estate, Identity, Resource
from assaymark.assess.files import source_file
from assaymark.formats.located import read_json

pytest.importorskip("z3")
pytest.importorskip("cvc5")
ROLE = "arn:aws:iam::111122223333:role/trainer-a"
BUCKET = "arn:aws:s3:::weights-a"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [BUCKET, f"{BUCKET}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def policy(*statements, version="2012-10-17"):
    text = json.dumps({"Version": version, "Statement": list(statements)})
    return policy_document(read_json(text), "p", source_file("p.json", text.encode()))


def role(*policies, trust=None, tags=None):
    return Identity(ROLE, "role", policies[0].because, policies, trust=trust, tags=tags or {})


def rewritten(old, new, needs=(), resources=()):
    before, after = (Estate(identities={ROLE: one}, resources={r.arn: r for r in resources}) for one in (old, new))
    return list(patched_policies(before, after, {ROLE: set(needs)}))


def conditioned(tag):
    condition = {"StringEquals": {f"aws:ResourceTag/{tag}": f"${{aws:PrincipalTag/{tag}}}"}}
    return {**READ, "Condition": condition}


def test_what_is_as_it_was_is_not_asked_about():
    assert rewritten(role(policy(READ)), role(policy(READ))) == []


def test_a_condition_takes_away_and_adds_nothing():
    (one,) = rewritten(role(policy(READ)), role(policy(conditioned("tenant"))))
    assert (one.kind, one.about, one.proved, one.covers) == ("patched", ROLE, True, None)
    assert one.within.verdict == "contained"
    assert len(one.within.solvers) == 2
    assert one.takes is not None
    assert one.takes.action.startswith("s3:")
    assert one.policy["Statement"][0]["Condition"]
    assert [old.name for old in one.replaces] == ["p"]


def test_a_patch_that_allows_more_is_shown_with_a_request():
    narrow = {**READ, "Resource": f"{BUCKET}/*"}
    (one,) = rewritten(role(policy(narrow)), role(policy({**narrow, "Action": "s3:*Object"})))
    assert not one.proved
    assert one.within.verdict == "not contained"
    assert one.within.example.resource.startswith(f"{BUCKET}/")
    assert one.within.example.action != "s3:GetObject"


TAGGED = "arn:aws:secretsmanager:us-east-1:111122223333:secret:key-abcdef"
SECRET = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}


@pytest.mark.parametrize(("owner", "verdict"), [("a", "contained"), ("b", "not contained")])
def test_a_need_stays_where_the_tags_are_the_same(owner, verdict):
    own = {**SECRET, "Condition": conditioned("tenant")["Condition"]}
    old, new = (role(policy(one), tags={"tenant": "a"}) for one in (SECRET, own))
    secret = Resource(TAGGED, "secretsmanager:secret", old.because, tags={"tenant": owner})
    (one,) = rewritten(old, new, [("secretsmanager:GetSecretValue", TAGGED)], [secret])
    assert one.covers.verdict == verdict
    assert one.proved is (owner == "a")
    if owner == "b":
        assert one.covers.example.resource == TAGGED


def test_a_need_that_a_denial_takes_was_none():
    denial = {"Effect": "Deny", "Action": "s3:*", "Resource": f"{BUCKET}/secret/*"}
    old = policy(READ, denial)
    new = policy({**READ, "Resource": f"{BUCKET}/*"}, denial)
    (one,) = rewritten(role(old), role(new), [("s3:GetObject", f"{BUCKET}/*")])
    assert one.covers.verdict == "contained"


def test_needs_that_nothing_allowed_are_named():
    (one,) = rewritten(role(policy(READ)), role(policy(conditioned("t"))), [("iam:PassRole", "*")])
    assert one.uncovered == (("iam:PassRole", "*"),)
    assert not one.proved


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("repo:acme/*", "repo:acme/train:*", "contained"),
        ("repo:acme/train:*", "repo:acme/*", "not contained"),
    ],
)
def test_who_may_assume_a_role_is_asked_for_each_kind_of_principal(old, new, verdict):
    provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"

    def trust(subject):
        return policy(
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": subject}},
            }
        )

    held = policy(READ)
    (one,) = rewritten(role(held, trust=trust(old)), role(held, trust=trust(new)))
    assert one.about == f"who may assume {ROLE}"
    assert one.within.verdict == verdict
    example = one.within.example or one.takes
    assert example.principal == provider
    assert example.action == "sts:AssumeRoleWithWebIdentity"
    (subject,) = example.context["token.actions.githubusercontent.com:sub"]
    assert subject.startswith("repo:acme/")
    assert not subject.startswith("repo:acme/train:")


def buckets(old, new):
    first = Resource(BUCKET, "s3:bucket", policy(READ).because, policy=old)
    before, after = (Estate(resources={BUCKET: replace(first, policy=one)}) for one in (old, new))
    return list(patched_policies(before, after, {}))


def test_a_first_policy_that_only_denies_allows_nothing_more():
    (one,) = buckets(None, policy(TLS))
    assert one.proved
    (one,) = buckets(None, policy({**READ, "Principal": "*"}))
    assert not one.proved
    assert one.within.example.principal == "*"


def test_principals_that_a_resource_policy_lets_in():
    wide = policy({**READ, "Resource": f"{BUCKET}/*", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}})
    narrow = policy({**READ, "Resource": f"{BUCKET}/*", "Principal": {"AWS": "arn:aws:iam::444455556666:role/x"}})
    (one,) = buckets(wide, narrow)
    assert one.proved
    assert one.takes.principal.startswith("arn:aws:iam::444455556666:")
    (one,) = buckets(narrow, wide)
    assert not one.proved
    assert one.within.example.principal != "arn:aws:iam::444455556666:role/x"


def test_policies_of_other_partitions_are_asked_about_too():
    old, new = (policy({**READ, "Resource": f"arn:aws-cn:s3:::{name}/*"}) for name in ("weights", "*"))
    (one,) = rewritten(role(old), role(new))
    assert one.within.verdict == "not contained"
    assert one.within.example.resource.startswith("arn:aws-cn:s3:::")
