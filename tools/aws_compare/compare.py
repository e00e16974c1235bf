"""Asks our evaluator and moto's (Apache-2.0) the same questions about random identity policies, and counts.

Usage: PYTHONPATH=src python tools/aws_compare/compare.py [PROGRAMS]   (in an environment that has moto)

moto evaluates a part of the language, so each disagreement is put down to the documented rule that moto leaves out, by
the policy's own text; the exit code is 1 when one is not. Of what moto does evaluate, no disagreement is expected.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from datetime import UTC, datetime

from moto.iam.access_control import IAMPolicy, PermissionResult

from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.evaluate import Applies, evaluate
from assaymark.assess.aws.request import Principal, Request
from assaymark.assess.files import source_file
from assaymark.core.graph import State
from assaymark.formats.located import read_json

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USER = "arn:aws:iam::111111111111:user/alice"
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:GetObjectAcl", "sqs:SendMessage", "iam:PassRole", "S3:getobject"]
PATTERNS = ["*", "s3:*", "s3:Get*", "s3:GetObject", "sqs:*", "iam:Pass*", "s3:*Object", "s3:get*", "s3:?etObject"]
RESOURCES = [
    "arn:aws:s3:::data/a/x", "arn:aws:s3:::data/b", "arn:aws:s3:::other/a", "arn:aws:sqs:eu-west-1:111111111111:q",
    "arn:aws:iam::111111111111:role/r",
]  # fmt: skip
NAMES = [
    "*", "arn:aws:s3:::data/*", "arn:aws:s3:::data/a/*", "arn:aws:s3:::*", "arn:aws:s3:::data/b", "arn:aws:sqs:*:*:q",
    "arn:aws:sqs:eu*q", "arn:aws:s3:::data/?", "arn:aws:iam::111111111111:role/*", "arn:aws:s3:::data/${aws:username}",
]  # fmt: skip


def statement(chance: random.Random) -> dict:
    """A statement of an identity policy."""
    found = {"Effect": chance.choice(["Allow", "Allow", "Deny"])}
    found[chance.choice(["Action"] * 4 + ["NotAction"])] = some(chance, PATTERNS)
    found[chance.choice(["Resource"] * 9 + ["NotResource"])] = some(chance, NAMES)
    if chance.random() < 0.2:
        operator = chance.choice(["StringEquals", "StringEquals", "StringNotEquals"])
        found["Condition"] = {operator: {"aws:UserAgent": chance.choice(["a", "b", ["a", "b"]])}}
    return found


def some(chance: random.Random, values: list[str]) -> str | list[str]:
    """A text, or a list of texts."""
    return chance.choice(values) if chance.random() < 0.5 else chance.sample(values, 2)


def theirs(policies: list[str], action: str, resource: str) -> bool:
    """As moto combines policies: a denial wins, then any permission."""
    found = [
        IAMPolicy({"policy_document": text}).is_action_permitted(action, resource, None, {"aws:UserAgent": "a"})
        for text in policies
    ]
    return PermissionResult.DENIED not in found and PermissionResult.PERMITTED in found


def ours(policies: list[str], action: str, resource: str) -> State:
    """Our answer."""
    documents = [policy_document(read_json(text), "p", source_file("p.json", text.encode())) for text in policies]
    owner = "111111111111"
    request = Request(Principal("user", USER, tags={}), action, resource, NOW, {"aws:UserAgent": ("a",)}, owner)
    return evaluate(request, Applies(tuple(documents), scps=())).state


REASONS = {
    "a condition that is not met makes moto deny, rather than not apply": '"Condition"',
    "NotResource is not read by moto": '"NotResource"',
    "? is a wildcard": r"\?",
    "names of actions are not case-sensitive": r"s3:get|S3:getobject",
    "wildcards stay within a segment of an ARN": r"arn:aws:sqs:eu\*q",
    "policy variables are replaced": r"\$\{",
}


def main() -> int:
    """Exit 1 when a disagreement is not explained."""
    programs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    chance = random.Random(7)
    counts: Counter[str] = Counter()
    asked = plain = unexplained = 0
    for _ in range(programs):
        policies = [
            json.dumps(
                {"Version": "2012-10-17", "Statement": [statement(chance) for _ in range(chance.randint(1, 3))]}
            )
            for _ in range(chance.randint(1, 2))
        ]
        for _ in range(3):
            action, resource = chance.choice(ACTIONS), chance.choice(RESOURCES)
            asked += 1
            mine, other = ours(policies, action, resource), theirs(policies, action, resource)
            text = " ".join([action, *policies])
            plain += not any(re.search(pattern, text) for pattern in REASONS.values())
            if (mine is State.YES) == other and mine is not State.UNKNOWN:
                counts["agreed"] += 1
                continue
            reason = next((words for words, pattern in REASONS.items() if re.search(pattern, text)), "")
            counts[reason or "UNEXPLAINED"] += 1
            if not reason:
                unexplained += 1
                print(policies, action, resource, mine, other)
    print(f"{programs:,} programs, {asked:,} questions, {plain:,} of them of what moto reads wholly")
    for words, count in counts.most_common():
        print(f"{count:8,}  {words}")
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
