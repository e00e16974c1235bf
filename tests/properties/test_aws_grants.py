"""What ``Access`` says of all actions and resources at once is what ``evaluate`` says of each."""

# lists over several lines

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.assess.aws import actions
from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.grants import Access
from assaymark.assess.estate.aws import Control, Estate, Grant, Identity, Resource
from assaymark.assess.files import source_file
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import Because, State
from assaymark.formats.located import read_json

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE = Because("estate.json", 1, "0" * 64)
ONE, TWO, OPEN = "111111111111", "222222222222", "000000000000"
USER, ROLE, ADMIN = f"arn:aws:iam::{ONE}:user/u", f"arn:aws:iam::{ONE}:role/r", f"arn:aws:iam::{TWO}:role/path/admin"
LINKED = f"arn:aws:iam::{ONE}:role/aws-service-role/x.amazonaws.com/linked"
HERE_ROLE = f"arn:aws:iam::{OPEN}:role/r"
BUCKET, OTHER = "arn:aws:s3:::models", "arn:aws:s3:::models-raw"
KEY, QUEUE = f"arn:aws:kms:eu-west-1:{ONE}:key/k", f"arn:aws:sqs:us-east-1:{TWO}:q"
SECRET = f"arn:aws:secretsmanager:eu-west-1:{ONE}:secret:s-abcdef"
ENDPOINT, TABLE = f"arn:aws:sagemaker:*:{OPEN}:endpoint/e", f"arn:aws:dynamodb:eu-west-1:{ONE}:table/t"
PRINCIPALS = [USER, ROLE, ADMIN, LINKED, HERE_ROLE, f"arn:aws:iam::{ONE}:root", "lambda.amazonaws.com", "*"]
PRINCIPALS += [f"arn:aws:sts::{ONE}:assumed-role/r/s", "arn:aws:iam::999999999999:role/x"]
MODEL = "arn:aws:bedrock:eu-west-1::foundation-model/m"
RESOURCES = [USER, ROLE, ADMIN, BUCKET, OTHER, KEY, QUEUE, SECRET, ENDPOINT, TABLE, MODEL]

ACTIONS = st.sampled_from(
    ["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:ListBucket", "kms:*", "kms:Decrypt", "sts:*", "sts:AssumeRole", "iam:*", "iam:PassRole", "sqs:SendMessage", "secretsmanager:Get*", "sagemaker:Invoke*", "dynamodb:*Item", "*:Get*", "bedrock:Invoke*"]
)  # fmt: skip
PATTERNS = st.sampled_from(
    ["*", "*", f"{BUCKET}", f"{BUCKET}/*", "arn:aws:s3:::*", f"{BUCKET}/a/*", "arn:aws:s3:::models*/b", KEY, QUEUE, SECRET, f"arn:aws:iam::{ONE}:role/*", ROLE, "arn:aws:iam::*:role/path/*", f"arn:aws:sqs:*:{TWO}:*", "arn:aws:kms", f"{BUCKET}/${{aws:username}}/*", f"{BUCKET}/${{aws:PrincipalTag/team, 'x'}}/*", "arn:aws:s3:::${aws:ResourceAccount}", f"arn:aws:sagemaker:eu-west-1:{ONE}:endpoint/*", "arn:aws:sagemaker:*:*:endpoint/*", f"{BUCKET}/a/secret"]
)  # fmt: skip
CONDITIONS = st.sampled_from(
    [{}, {}, {}, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"StringLike": {"s3:prefix": "a/*"}}, {"StringEquals": {"aws:ResourceTag/team": "blue"}}, {"StringEquals": {"aws:PrincipalTag/team": "blue"}}, {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, {"StringEquals": {"aws:ResourceAccount": ONE}}, {"Bool": {"aws:SecureTransport": "false"}}, {"Null": {"kms:ViaService": "true"}}, {"StringNotEquals": {"aws:PrincipalAccount": ONE}}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}, {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}, {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}]
)  # fmt: skip
WHO = st.sampled_from(
    ["*", {"AWS": "*"}, {"AWS": ONE}, {"AWS": [USER, TWO]}, {"AWS": ROLE}, {"AWS": OPEN}, {"Service": "lambda.amazonaws.com"}, {"AWS": f"arn:aws:sts::{ONE}:assumed-role/r/s"}, {"AWS": HERE_ROLE}, {"CanonicalUser": "abc"}, {"AWS": ADMIN}]
)  # fmt: skip


@st.composite
def statement(draw, *, principal=False, effects=("Allow", "Allow", "Deny")):
    found = {"Effect": draw(st.sampled_from(effects))}
    found[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(
        st.lists(ACTIONS, min_size=1, max_size=2)
    )
    if not principal or draw(st.booleans()):
        found[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(
            st.lists(PATTERNS, min_size=1, max_size=2)
        )
    if principal:
        found[draw(st.sampled_from(["Principal", "Principal", "Principal", "NotPrincipal"]))] = draw(WHO)
    if condition := draw(CONDITIONS):
        found["Condition"] = condition
    return found


@st.composite
def policy(draw, **kind):
    value = {"Version": "2012-10-17", "Statement": draw(st.lists(statement(**kind), min_size=1, max_size=3))}
    text = json.dumps(value, indent=1)
    return policy_document(read_json(text), "p", source_file("p.json", text.encode()))


MAYBE = st.one_of(st.none(), policy())
OWN = st.one_of(st.none(), policy(principal=True))


@st.composite
def estates(draw):
    found = Estate()
    for arn in (USER, ROLE, ADMIN, LINKED, HERE_ROLE):
        kind = "user" if ":user/" in arn else "role"
        policies = tuple(draw(st.lists(policy(), max_size=2)))
        opaque = draw(st.sampled_from([(), (), ("arn:aws:iam::aws:policy/X",)]))
        tags = draw(st.sampled_from([{}, {"Team": "blue"}]))
        trust = draw(OWN) if kind == "role" else None
        found.identities[arn] = Identity(arn, kind, HERE, policies, draw(MAYBE), trust, opaque=opaque, tags=tags)
    for arn in (BUCKET, OTHER, KEY, QUEUE, SECRET, ENDPOINT, TABLE, MODEL):
        tags = draw(st.sampled_from([{}, {"team": "blue"}, {"team": Unresolved("${var.team}")}]))
        settings_ = {"account": ONE} if arn == BUCKET and draw(st.booleans()) else {}
        settings_ |= draw(st.sampled_from([{}, {"Tags": []}]))  # without it nobody knows that there are none
        found.resources[arn] = Resource(arn, "x", HERE, "", draw(OWN), tags, settings_)
    if draw(st.booleans()):
        kinds = st.sampled_from(["scp", "rcp"])
        places = ("*", ONE, TWO, "r-root", "ou-a", "ou-b", "<aws_organizations_account.x>")
        targets = st.lists(st.sampled_from(places), max_size=2, unique=True)
        found.controls = [
            Control(draw(kinds), draw(policy()), tuple(draw(targets))) for _ in range(draw(st.integers(0, 4)))
        ]
        for child in (ONE, TWO, "ou-a"):
            if draw(st.booleans()):
                found.parents[child] = draw(st.sampled_from(["r-root", "ou-a", "ou-b"]))
        found.management = draw(st.sampled_from(["", "", TWO]))
    if draw(st.booleans()):
        found.grants.append(Grant(KEY, draw(st.sampled_from([USER, ADMIN])), ("Decrypt",), HERE, draw(st.booleans())))
    return found


@settings(max_examples=60, deadline=None)
@given(estates(), st.sampled_from(PRINCIPALS), st.data())
def test_all_at_once_is_what_each_is(estate, principal, data):
    access = Access(estate, NOW)
    rows = {(row.resource, row.action_class): row for row in access.reach(principal)}
    for arn in data.draw(st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3, unique=True)):
        yes, maybe = access.actions_on(principal, arn)
        assert not yes & maybe
        for name in actions.names_of(actions.actions_for(arn.replace("*", "x"))):
            state = access.can(principal, name, arn).state
            bit = actions.bit(name)
            assert (state is State.YES, state is State.UNKNOWN) == (bool(yes & bit), bool(maybe & bit)), (
                name,
                arn,
                state,
            )
        holder = estate.identities.get(ROLE if "assumed-role" in principal else principal)
        unread = holder is not None and bool(holder.opaque)  # what it may allow is one row on *, not one everywhere
        for action_class, mask in actions.class_bits().items():
            row = rows.get((arn, action_class))
            expected = State.YES if yes & mask else State.UNKNOWN if maybe & mask else State.NO
            if expected is State.YES or not unread:
                assert (row.state if row else State.NO) is expected, (arn, action_class, row)


@settings(max_examples=60, deadline=None)
@given(
    estates(), st.sampled_from(PRINCIPALS), st.sampled_from(["a/x", "a/secret", "b", "u/1", "blue/2", "x/3", "zz"])
)
def test_objects_are_found_by_the_keys_that_policies_spell_out(estate, principal, key):
    access = Access(estate, NOW)
    rows = {(row.resource, row.action_class): row for row in access.reach(principal)}
    for bucket in (BUCKET, OTHER):
        yes, maybe = access.actions_on(principal, f"{bucket}/*")
        if access.can(principal, "s3:GetObject", f"{bucket}/{key}").state is State.YES:
            assert (yes | maybe) & actions.bit("s3:GetObject")
            assert rows[f"{bucket}/*", "read"].state is not State.NO
            assert access.can(principal, "s3:GetObject", f"{bucket}/*").state is State.YES
    assert all(
        row.because or row.state is not State.YES or ":root" in principal or "999" in principal
        for row in rows.values()
    )
    assert all(row.decides for row in rows.values() if row.state is State.UNKNOWN)


@settings(max_examples=60, deadline=None)
@given(estates(), st.sampled_from(PRINCIPALS), st.sampled_from(["s3:GetObject", "s3:PutObject", "kms:Decrypt"]))
def test_identities_can_be_left_out_and_an_action_looked_up(estate, principal, action):
    access = Access(estate, NOW)
    reached = access.reached(principal, identities=False)
    assert reached.rows == [row for row in access.reach(principal) if row.resource not in estate.identities]
    if not reached.unread:
        for arn in (BUCKET, OTHER, KEY):
            shown = f"{arn}/*" if action.endswith("Object") else arn
            if arn in estate.resources and (arn == KEY) == action.startswith("kms:"):
                assert reached.state(action, shown) is access.can(principal, action, shown).state


@settings(max_examples=60, deadline=None)
@given(
    estates(),
    st.sampled_from(PRINCIPALS),
    st.sampled_from(["sts:AssumeRole", "iam:PassRole", "iam:UpdateAssumeRolePolicy", "iam:CreateAccessKey"]),
    st.sampled_from([{}, {"iam:PassedToService": ("lambda.amazonaws.com",)}]),
)
def test_identities_that_are_alike_are_asked_once(estate, principal, action, context):
    access = Access(estate, NOW)
    found = {arn: alike.of(arn) for alike in access.each(principal, action, context) for arn in alike.arns}
    for arn in estate.identities:
        if not actions.actions_for(arn) & actions.bit(action):
            continue
        one = access.can(principal, action, arn, context)
        if one.state is State.NO:
            assert arn not in found
        else:
            assert (found[arn].state, set(found[arn].because)) == (one.state, set(one.because))
            assert set(found[arn].decides) == set(one.decides)
