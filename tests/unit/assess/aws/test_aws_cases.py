"""What AWS's documentation says of evaluation, case by case (cases/*.toml), asked of ``evaluate``.

A case has an ``id``, ``why`` (the source and what it says), the policies that apply (a list of statements, or a whole
document), the request and the ``expect``-ed state. In ``rows`` of conditions.toml a case is one line: what a statement
that allows everything under that condition gives.
"""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assaymark.assess.aws.conditions import Key
from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.evaluate import Applies, evaluate
from assaymark.assess.aws.organisation import UNSPOKEN, Controls
from assaymark.assess.aws.request import Principal, Request
from assaymark.assess.estate.aws import Grant
from assaymark.assess.files import source_file
from assaymark.core.graph import Because, State
from assaymark.formats.located import read_json

FOLDER = Path(__file__).parent / "cases"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ALICE = "arn:aws:iam::111111111111:user/alice"
FIELDS = {
    "id", "why", "principal", "session_name", "principal_tags", "action", "resource", "context", "identity", "boundary",
    "session", "resource_policy", "resource_seen", "scps", "rcps", "management", "resource_account", "resource_tags",
    "opaque", "grants", "expect", "decides", "assumes", "levels_known", "session_tags",
}  # fmt: skip


def document(value, name="policy"):
    if isinstance(value, list):
        value = {"Version": "2012-10-17", "Statement": value}
    text = json.dumps(value, indent=1)
    return policy_document(read_json(text), name, source_file(f"{name}.json", text.encode()))


def kind_of(arn):
    if arn == "*":
        return "anonymous"
    if not arn.startswith("arn:"):
        return "service"
    if "-provider/" in arn:
        return "federated"
    return "root" if arn.endswith(":root") else "user" if ":user/" in arn else "role"


def known(value):
    return Key[value.upper()] if isinstance(value, str) else tuple(value)


def controls(case, kind):
    if kind not in case:
        return UNSPOKEN
    levels = tuple(tuple(document(one) for one in level) for level in case[kind])
    return Controls(levels, case.get("levels_known", True))


def cases():
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text())
        for group in data.get("group", []):
            for index, (operator, values, actual, expect) in enumerate(group["rows"]):
                key = group.get("key", "aws:UserAgent")
                condition = {operator: {key: values}}
                yield {
                    "id": f"{path.stem}-{group['id']}-{index}",
                    "why": group["why"],
                    "identity": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}],
                    "context": {key: actual},
                    "expect": expect,
                }
        yield from data.get("case", [])


ALL = list(cases())


def test_there_are_enough_and_each_has_its_name():
    assert len(ALL) >= 300
    assert len({case["id"] for case in ALL}) == len(ALL)
    for case in ALL:
        assert set(case) <= FIELDS, case["id"]
        assert case["why"], case["id"]


@pytest.mark.parametrize("case", ALL, ids=[case["id"] for case in ALL])
def test_case(case):
    arn = case.get("principal", ALICE)
    tags = case.get("principal_tags", {})
    principal = Principal(
        kind_of(arn),
        arn,
        case.get("session_name", ""),
        None if tags == "unknown" else tags,
        case.get("session_tags", False),
    )
    request = Request(
        principal,
        case.get("action", "s3:GetObject"),
        case.get("resource", "arn:aws:s3:::bucket/key"),
        NOW,
        {key: known(value) for key, value in case.get("context", {}).items()},
        case.get("resource_account", "111111111111" if "resource" not in case or ":::" in case["resource"] else ""),
        case.get("resource_tags"),
    )
    because = Because("grants.json", 1, "0" * 64)
    applies = Applies(
        identity=(document(case["identity"], "identity"),) if "identity" in case else (),
        boundary=document(case["boundary"], "boundary") if "boundary" in case else None,
        session=(document(case["session"], "session"),) if "session" in case else None,
        resource=document(case["resource_policy"], "resource") if "resource_policy" in case else None,
        resource_seen=case.get("resource_seen", True),
        scps=controls(case, "scps"),
        rcps=controls(case, "rcps"),
        management=case.get("management", False),
        opaque=tuple(case.get("opaque", ())),
        grants=tuple(
            Grant(one["key"], one["grantee"], tuple(one["operations"]), because, one.get("constrained", False))
            for one in case.get("grants", ())
        ),
    )
    answer = evaluate(request, applies)
    assert answer.state is State(case["expect"]), (case["why"], answer)
    assert bool(answer.decides) == (answer.state is State.UNKNOWN), answer
    for text in case.get("decides", ()):
        assert any(text in one for one in answer.decides), answer.decides
    for text in case.get("assumes", ()):
        assert any(text in one for one in answer.assumes), answer.assumes
    if answer.state is State.YES:
        assert answer.because or principal.kind == "root", answer
