"""The pages of docs/spec say what the code does: their examples are read by it, and meet their schemas."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
from tests.support.evidence import ASK, admitted, contain, scan, scan_predicate
from tests.support.roots import edited_payload, root_payload

from assaymark.core.canonical import canonical_json
from assaymark.core.decision import Scope
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError
from assaymark.core.opinion import Opinion, OpinionFinding, OpinionOutcome
from assaymark.core.report import ScanOutcome, Severity
from assaymark.core.statement import parse_statement
from assaymark.core.subject import FileEntry, make_manifest
from assaymark.policy.parse import parse_policy
from assaymark.policy.predicates import (
    approval_predicate,
    configuration_predicate,
    containment_predicate,
    opinion_predicate,
    policy_predicate,
    release_predicate,
)
from assaymark.policy.schema import POLICY_SCHEMA
from assaymark.policy.starter import STARTER, starter_policy
from assaymark.policy.statement import decision_payload, parse_decision
from assaymark.trust.root import parse_root

SPEC = Path(__file__).parents[3] / "docs" / "spec"
NAMES = sorted(path.name.removesuffix(".v1.schema.json") for path in (SPEC / "schemas").iterdir())
# Pages whose name is not that of their schema, and schemas of documents that no page of their own has.
PAGES = {"policy": "policy-statement"}
PREDICATES = [name for name in NAMES if name not in ("decision", "policy", "policy-document", "root")]
SCOPE = Scope("default", "production")
OPINION = Opinion(
    "fickling", "0.1.12", OpinionOutcome.ERROR, (OpinionFinding("r\x1b", "?" * 900, "", "m"),) * 200, "x" * 900
)
MANIFEST = make_manifest(
    "folder", [FileEntry("a.json", 1, sha256_digest(b"a")), FileEntry("b", 2, sha256_digest(b"b"))]
)


def example(page: str, language: str = "json") -> str:
    match = re.search(rf"```{language}\n(.*?)```", (SPEC / f"{page}.md").read_text(), re.DOTALL)
    assert match is not None, page
    return match[1]


def schema(name: str):
    return json.loads((SPEC / "schemas" / f"{name}.v1.schema.json").read_text())


def check(name: str, value) -> None:
    jsonschema_rs.Draft202012Validator(schema(name), validate_formats=True).validate(value)


def valid(name: str, value) -> bool:
    return jsonschema_rs.Draft202012Validator(schema(name)).is_valid(value)


def test_every_predicate_of_ours_has_a_schema():
    from assaymark.core import statement

    ours = {value for value in vars(statement).values() if isinstance(value, str) and value.startswith("assaymark:")}
    named = {value.removeprefix("assaymark:").removesuffix("/v1") for value in ours if value.endswith("/v1")}
    assert named <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_schemas_with_an_id(name):
    document = schema(name)
    assert jsonschema_rs.meta.is_valid(document)
    assert document["$id"] == f"assaymark:schema/{name}/v1"


@pytest.mark.parametrize("name", PREDICATES)
def test_the_example_of_a_predicates_page_meets_its_schema_and_may_be_signed(name):
    value = json.loads(example(name))
    check(name, value)
    canonical_json(value)


@pytest.mark.parametrize("name", [*PREDICATES, "root", "policy"])
def test_pages_link_their_schema_and_explain_every_field(name):
    page = PAGES.get(name, name)
    text = (SPEC / f"{page}.md").read_text()
    assert f"schemas/{name}.v1.schema.json" in text
    for field in schema(name)["properties"]:
        assert re.search(rf"`[^`\n]*{field}[^`\n]*`", text.split("```", 2)[2]), field


def test_the_statement_of_the_statement_page_is_read():
    statement = parse_statement(example("statement").encode())
    check("approval", statement.predicate)
    assert statement.subjects[0].kind == "model"


def test_the_root_of_the_root_page_is_read_and_has_the_digest_that_the_page_says():
    document = json.loads(example("root"))
    check("root", document)
    root = parse_root(canonical_json(document))
    assert root.digest in (SPEC / "root.md").read_text()


def test_the_decision_of_the_decision_page_is_read():
    document = json.loads(example("decision"))
    check("decision", document["predicate"])
    decision = parse_decision(parse_statement(canonical_json(document)))
    assert decision.root_digest in (SPEC / "root.md").read_text()
    assert decision.policy_digest == sha256_digest(starter_policy())


def test_the_policy_page_shows_the_starter_policy():
    assert example("policy", "toml") == STARTER
    check("policy-document", tomllib.loads(STARTER))


def test_the_policy_statement_of_its_page():
    value = json.loads(example("policy-statement"))
    check("policy", value)
    assert parse_policy(value["toml"].encode()).environments == ()


@pytest.mark.parametrize("entries", [[], admitted(), [*admitted(), contain(7)], [scan(2, complete=False)]])
@pytest.mark.parametrize("environment", ["dev", "production", "staging"])
def test_decisions_that_are_made_meet_the_schema(entries, environment):
    payload = decision_payload(ASK.about(environment).decide(entries))
    check("decision", json.loads(payload)["predicate"])


def test_predicates_that_are_made_meet_their_schemas():
    check("root", json.loads(root_payload()))
    check("scan", scan_predicate())
    check("approval", approval_predicate(SCOPE, after_entry=0))
    check("approval", approval_predicate(SCOPE, after_entry=8, comment="looked at it"))
    check("release", release_predicate(SCOPE, MANIFEST))
    check("containment", containment_predicate(SCOPE, "contain", after_entry=0, reason="drift"))
    check("containment", containment_predicate(SCOPE, "lift", after_entry=8, reason="fixed"))
    check("configuration", configuration_predicate(MANIFEST.digest, MANIFEST.files))
    check("policy", policy_predicate("default", STARTER, after_entry=0))
    check("opinion", opinion_predicate(OPINION, 1_777_636_800, after_entry=0))
    assert release_predicate(SCOPE, MANIFEST)["manifest"] == MANIFEST.digest[7:]


def test_the_words_of_a_scan_are_those_of_the_report():
    properties = schema("scan")["properties"]
    assert properties["outcome"]["enum"] == [str(outcome) for outcome in ScanOutcome]
    assert properties["highest"]["enum"] == ["none", *(severity.name.lower() for severity in Severity)]


def test_a_scan_that_skipped_something_is_not_complete():
    skipped = [{"path": "a.h5", "reason": "HDF5 is not examined"}]
    assert valid("scan", scan_predicate(skipped=skipped, complete=False, outcome="incomplete"))
    assert not valid("scan", scan_predicate(skipped=skipped))
    assert not valid("scan", scan_predicate(highest="high"))


def test_a_decision_that_passes_without_a_permit_does_not_meet_the_schema():
    predicate = json.loads(decision_payload(ASK.decide([])))["predicate"]
    assert not valid("decision", predicate | {"verificationResult": "PASSED"})


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"extra": 1},
        {"tenant": "Default"},
        {"log__keys": []},
        {"roles__root": ...},
        {"roles__policy__threshold": ...},
        {"principals__scanner__registeredBy": ...},
        {"principals__alice__registeredBy": "bob"},
    ],
)
def test_what_the_root_schema_refuses_the_reader_refuses(changes):
    payload = edited_payload(**changes)
    assert not valid("root", json.loads(payload))
    with pytest.raises(InputError):
        parse_root(payload)


def test_the_published_policy_schema_is_the_one_in_the_code():
    assert schema("policy-document") == POLICY_SCHEMA


HEAD = 'format = "assaymark:policy/v1"\n'
RULE = '[[environments.dev.require]]\nid = "scan"\npredicate = "assaymark:scan/v1"\nroles = ["scanner"]\n'


@pytest.mark.parametrize(
    ("toml", "good"),
    [
        (HEAD, True),
        (HEAD + RULE, True),
        (HEAD + "[environments.dev.lift]", True),
        ("", False),
        (HEAD + "extra = 1", False),
        (HEAD + "[environments.Dev]", False),
        (HEAD + RULE + "threshold = 0", False),
        (HEAD + RULE + "threshold = 1.5", False),
        (HEAD + RULE + "unknown = 0", False),
        (HEAD + RULE + 'distinct-from = ["approver"]', False),
        (HEAD + RULE.replace('"scan"', '"clock"'), False),
        (HEAD + RULE.replace('["scanner"]', "[]"), False),
        (HEAD + RULE + '[[environments.dev.require.where]]\nfield = "a"', False),
        (HEAD + RULE + '[[environments.dev.require.where]]\nfield = "a"\nequals = 1\nin = [1]', False),
        (HEAD + RULE + '[[environments.dev.require.where]]\nfield = "a"\nequals = 1.5', False),
        (HEAD + RULE + '[[environments.dev.require.where]]\nfield = "a"\nin = [1, true, "x"]', True),
        (HEAD + '[environments.dev]\nvalidity = "soon"', False),
        (HEAD + "[environments.dev.contain]", False),
    ],
)
def test_the_policy_schema_and_the_reader_agree(toml, good):
    assert valid("policy-document", tomllib.loads(toml)) is good
    try:
        parse_policy(toml.encode())
    except InputError:
        assert not good
    else:
        assert good
