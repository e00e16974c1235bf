"""5,000 AWS policies, parsed and evaluated for 1,000 resources: what each identity reaches, in CPU seconds.

The estate is made here, the same each time: 2,500 roles and users with two policies each (an ordinary one, and one
that denies or demands conditions), trust policies, buckets, keys and secrets with policies of their own. The same
policies are assessed whole, as an export with its graph, paths and reach, and so are accounts in which every role may
become every other, and one in which 5,000 roles may do all of S3 with 200 buckets.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from time import process_time
from typing import Any

from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.grants import Access
from assaymark.assess.engine import assess
from assaymark.assess.estate.aws import Estate, Identity, PolicyDocument, Resource
from assaymark.assess.files import source_file
from assaymark.formats.located import read_json

IDENTITIES = 2_500
RESOURCES = 1_000
LIMIT = 20.0  # CPU seconds
ACCOUNT = "111111111111"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def statement(effect: str, actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    """A statement of a policy."""
    return {"Effect": effect, "Action": actions, "Resource": resources, **more}


def texts(number: int) -> tuple[str, str]:
    """The two policies of an identity."""
    team = number % 50
    allow = [
        statement("Allow", ["s3:GetObject", "s3:PutObject", "s3:List*"], f"arn:aws:s3:::data-{team}*"),
        statement(
            "Allow", ["sqs:*", "dynamodb:Get*", "dynamodb:Query"], f"arn:aws:*:eu-west-1:{ACCOUNT}:*team-{team}*"
        ),
        statement("Allow", "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/job-{number % 97}"),
        statement(
            "Allow", "kms:Decrypt", "*", Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
        ),
    ]
    if number % 100 == 0:
        allow.append(statement("Allow", "*", "*"))
    other = [
        statement("Deny", ["iam:*", "organizations:*"], "*"),
        statement("Deny", "s3:Delete*", "*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
        statement("Allow", "secretsmanager:Get*", "*", Condition={"StringLike": {"aws:ResourceTag/team": f"{team}"}}),
        statement("Allow", ["logs:*", "cloudwatch:PutMetricData", "sagemaker:InvokeEndpoint"], "*"),
    ]  # fmt: skip
    documents = ({"Version": "2012-10-17", "Statement": found} for found in (allow, other))
    one, two = (json.dumps(document, indent=2) for document in documents)
    return one, two


def read(text: str, name: str) -> PolicyDocument:
    """A policy from its text."""
    return policy_document(read_json(text), name, source_file(f"{name}.json", text.encode()))


def trust(number: int) -> str:
    """The trust policy of a role."""
    who = {"Service": "lambda.amazonaws.com"} if number % 3 else {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    body = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [body]}, indent=2)


def resources(estate: Estate) -> None:
    """Adds the resources."""
    for number in range(RESOURCES):
        team = number % 50
        arn = (
            f"arn:aws:s3:::data-{team}-{number}",
            f"arn:aws:sqs:eu-west-1:{ACCOUNT}:team-{team}-{number}",
            f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/team-{team}-{number}",
            f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:team-{team}-{number}-abcdef",
            f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{number:012d}",
        )[number % 5]
        policy = None
        if number % 5 == 0:
            deny = statement("Deny", "s3:*", "*", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
            policy = read(json.dumps({"Version": "2012-10-17", "Statement": [deny]}), arn)
        if number % 5 == 4:  # noqa: PLR2004  # the last of them
            allow = statement("Allow", "kms:*", "*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
            policy = read(json.dumps({"Version": "2012-10-17", "Statement": [allow]}), arn)
        because = source_file("resources.json", b"").because(1)
        estate.resources[arn] = Resource(arn, "x", because, "", policy, {"team": f"{team}"})


def export() -> dict[str, Any]:
    """The identities as the AWS CLI writes them."""
    found: dict[str, list[dict[str, Any]]] = {"UserDetailList": [], "RoleDetailList": []}
    for number in range(IDENTITIES):
        kind = "User" if number % 5 == 0 else "Role"
        policies = [
            {"PolicyName": f"p{at}", "PolicyDocument": json.loads(text)} for at, text in enumerate(texts(number))
        ]
        one = {"Arn": f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/job-{number}", f"{kind}Name": f"job-{number}"}
        more = {"AssumeRolePolicyDocument": json.loads(trust(number))} if kind == "Role" else {}
        found[f"{kind}DetailList"].append({**one, **more, f"{kind}PolicyList": policies})
    return found


def powerful(who: dict[str, str], actions: list[str], count: int) -> dict[str, Any]:
    """An account whose roles all trust somebody and may all do some actions on everything."""
    trusted = {"Statement": [{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}]}
    policies = [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement("Allow", actions, "*")]}}]
    roles = [
        {
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/r{at}",
            "RoleName": f"r{at}",
            "AssumeRolePolicyDocument": trusted,
            "RolePolicyList": policies,
        }
        for at in range(count)
    ]
    return {"RoleDetailList": roles}


def whole(name: str, details: dict[str, Any]) -> float:
    """Assesses an export; CPU seconds."""
    buckets = {"Buckets": [{"Name": f"data-{number % 50}-{number}"} for number in range(0, RESOURCES, 5)]}
    files = [source_file("a.json", json.dumps(details).encode()), source_file("b.json", json.dumps(buckets).encode())]
    begin = process_time()
    found = assess(files, NOW)
    paths, triples = len(found.ranked.paths), sum(1 for _ in found.reach.triples())
    spent = process_time() - begin
    counts = f"{len(found.graph.nodes):,} | {len(found.graph.edges):,} | {paths:,} | {triples:,}"
    print(f"| {name} | {counts} | {spent:.1f} s |")
    return spent


def main() -> int:
    """Exit 1 above the limit."""
    written = [texts(number) for number in range(IDENTITIES)]
    begin = process_time()
    estate = Estate()
    for number, pair in enumerate(written):
        kind = "user" if number % 5 == 0 else "role"
        arn = f"arn:aws:iam::{ACCOUNT}:{kind}/job-{number}"
        policies = tuple(read(text, f"{number}-{index}") for index, text in enumerate(pair))
        trusted = read(trust(number), f"trust-{number}") if kind == "role" else None
        estate.identities[arn] = Identity(arn, kind, policies[0].because, policies, trust=trusted)
    parsed = process_time()
    resources(estate)
    access = Access(estate, NOW)
    rows = sum(1 for arn in estate.identities for _ in access.reach(arn))
    done = process_time()
    print(f"| policies | parsed | evaluated | triples of principal, class and resource | limit |\n|{'---|' * 5}")
    print(f"| {2 * IDENTITIES:,} | {parsed - begin:.1f} s | {done - parsed:.1f} s | {rows:,} | {LIMIT:.0f} s |")
    print(f"\n| assessed whole | nodes | edges | paths | triples | CPU |\n|{'---|' * 6}")
    everyone, function = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"Service": "lambda.amazonaws.com"}
    escalates = ["iam:PassRole", "lambda:*", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy"]
    spent = [
        whole(f"{2 * IDENTITIES:,} policies", export()),
        whole(
            "1,000 roles that may assume each other", powerful(everyone, ["sts:AssumeRole", "s3:GetObject"], 1_000)
        ),
        whole("1,000 roles that may pass and rewrite each other", powerful(function, escalates, 1_000)),
        whole("5,000 roles that may do all of S3", powerful(function, ["s3:*"], 5_000)),
    ]
    return int(done - begin > LIMIT or spent[0] > LIMIT or spent[-1] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
