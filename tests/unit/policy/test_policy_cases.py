import re
from pathlib import Path

import pytest

from assaymark.core.errors import InputError
from assaymark.policy.cases import parse_cases, run_case
from assaymark.policy.parse import parse_policy
from assaymark.policy.starter import starter_policy

DOCS = Path(__file__).parents[3] / "docs"
STARTER = parse_policy(starter_policy())
HEAD = 'format = "assaymark:policy-cases/v1"\n'
CASE = HEAD + '[[cases]]\nname = "one"\nenvironment = "dev"\nnow = "2026-05-01T12:00:00Z"\nexpect = "DENY"\n'
SAID = CASE + '[[cases.statements]]\ntype = "scan"\n'


def examples(page: str) -> list[bytes]:
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    return [block.encode() for block in blocks if "assaymark:policy-cases/v1" in block]


@pytest.mark.parametrize("page", ["spec/policy-cases.md", "guide/policy.md"])
def test_the_cases_that_the_documentation_shows_pass_on_the_starter_policy(page):
    (example,) = examples(page)
    cases = parse_cases(example)
    assert cases.policy == "policy.toml"
    for case in cases.cases:
        assert run_case(STARTER, "sha256:" + "0" * 64, case).problems == (), case.name


def run(toml: str, policy=STARTER):
    (case,) = parse_cases(toml.encode()).cases
    return run_case(policy, "sha256:" + "0" * 64, case)


def test_a_case_that_fails_says_what_differs():
    result = run(CASE.replace('"DENY"', '"PERMIT"') + 'unmet = ["approvals"]')
    assert not result.passed
    assert result.problems == (
        "expected PERMIT, and it is DENY",
        "approvals is met, and was expected not to be",
        "scan is not met, and was expected to be",
    )
    assert run(CASE + "unmet = []").problems == ("scan is not met, and was expected to be",)
    assert run(CASE).passed


def test_a_case_may_have_a_lineage_ages_and_statements_on_other_subjects():
    policy = parse_policy(
        b"""
format = "assaymark:policy/v1"
[environments.dev]
lineage = "verified"
[[environments.dev.require]]
id = "own"
predicate = "https://example.com/review/v1"
roles = ["reviewer"]
max-age = "1h"
[[environments.dev.require]]
id = "data"
about = "data"
predicate = "https://example.com/review/v1"
roles = ["reviewer"]
[[environments.dev.require]]
id = "bound"
about = "configuration"
predicate = "assaymark:configuration/v1"
roles = ["reviewer"]
"""
    )
    who = 'signers = [{ principal = "judge", roles = ["reviewer"], registered-by = "alice" }]'

    def case(logged: str, about: str) -> str:
        return (
            CASE
            + f"""
statements = [
  {{ type = "https://example.com/review/v1", {who}, logged = "{logged}" }},
  {{ type = "provenance", {who}, parents = ["data:customers", "base:big"] }},
  {{ type = "configuration", {who}, about = ["model", "configuration:pre"] }},
  {{ type = "https://example.com/review/v1", {who}, about = "{about}" }},
  {{ type = "release", {who}, about = "base:big" }},
]
"""
        )

    met = run(case("2026-05-01T11:00:00Z", "data:customers"), policy)
    assert met.outcome == "PERMIT", met.reasons
    assert run(case("2026-05-01T10:59:59Z", "data:customers"), policy).unmet == ("own",)
    assert run(case("2026-05-01T11:00:00Z", "data:others"), policy).unmet == ("lineage", "data")


def test_provenance_that_says_more_keeps_it():
    toml = (
        SAID.replace('"scan"', '"provenance"')
        + 'parents = ["data:a"]\npredicate = { buildDefinition = { buildType = "x:y" }, runDetails = { builder = { id = "b" } } }'
    )
    (case,) = parse_cases(toml.encode()).cases
    predicate = case.attestations[0].statement.predicate
    assert predicate["buildDefinition"]["buildType"] == "x:y"
    assert predicate["buildDefinition"]["resolvedDependencies"][0]["name"] == "a"
    odd = SAID.replace('"scan"', '"provenance"') + "predicate = { buildDefinition = 1 }"
    assert parse_cases(odd.encode()).cases[0].attestations[0].statement.predicate == {"buildDefinition": 1}


@pytest.mark.parametrize(
    ("toml", "code", "position"),
    [
        ("", "policy-format", "format"),
        (HEAD, "policy-missing", "cases"),
        (HEAD + "cases = []", "policy-missing", "cases"),
        (HEAD + "cases = [1]", "policy-type", "cases[0]"),
        (HEAD + "case = []\ncases = []", "policy-key", "case"),
        (HEAD + '[[cases]]\nname = "x"', "policy-missing", "cases[0].environment"),
        (CASE + CASE.removeprefix(HEAD), "policy-id", "cases[1].name"),
        (CASE.replace('"dev"', '"Dev"'), "policy-value", "cases[0].environment"),
        (CASE.replace("2026-05-01T12:00:00Z", "now"), "policy-value", "cases[0].now"),
        (CASE.replace('"DENY"', '"deny"'), "policy-value", "cases[0].expect"),
        (CASE.replace('expect = "DENY"', ""), "policy-missing", "cases[0].expect"),
        (CASE + "unmet = [1]", "policy-value", "cases[0].unmet"),
        (CASE + 'unmet = "scan"', "policy-type", "cases[0].unmet"),
        (CASE + 'subject = "thing"', "policy-value", "cases[0].subject"),
        (CASE + "wants = 1", "policy-key", "cases[0].wants"),
        (CASE + "statements = 1", "policy-type", "cases[0].statements"),
        (CASE + "statements = [1]", "policy-type", "cases[0].statements[0]"),
        (SAID.replace('"scan"', '"scann"'), "policy-value", "cases[0].statements[0].type"),
        (SAID + "by = 1", "policy-key", "cases[0].statements[0].by"),
        (SAID + 'about = "data"', "policy-value", "cases[0].statements[0].about"),
        (SAID + "about = 5", "policy-value", "cases[0].statements[0].about"),
        (SAID + "about = []", "policy-value", "cases[0].statements[0].about"),
        (SAID + 'about = ["model", "dataset:x"]', "policy-value", "cases[0].statements[0].about"),
        (SAID + 'parents = ["data:x"]', "policy-value", "cases[0].statements[0].parents"),
        (SAID + "predicate = { share = 0.5 }", "json-float", "cases[0].statements[0].predicate"),
        (SAID + "signers = [{}]", "policy-missing", "cases[0].statements[0].signers[0].principal"),
        (SAID + 'signers = [{ principal = "A" }]', "policy-value", "cases[0].statements[0].signers[0].principal"),
        (
            SAID + 'signers = [{ principal = "a", role = "b" }]',
            "policy-key",
            "cases[0].statements[0].signers[0].role",
        ),
        (
            SAID + 'signers = [{ principal = "a" }, { principal = "a" }]',
            "policy-value",
            "cases[0].statements[0].signers",
        ),
        (SAID + "logged = 1", "policy-type", "cases[0].statements[0].logged"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(toml, code, position):
    with pytest.raises(InputError) as caught:
        parse_cases(toml.encode())
    assert (caught.value.code, caught.value.position) == (code, position)


def test_dates_and_too_many_cases_are_refused():
    with pytest.raises(InputError) as caught:
        parse_cases((SAID + "predicate = { on = 2026-05-01 }").encode())
    assert caught.value.position == "cases[0].statements[0].predicate"
    many = HEAD + "cases = [" + "{}," * 10_001 + "]"
    with pytest.raises(InputError) as caught:
        parse_cases(many.encode())
    assert caught.value.code in ("policy-missing", "policy-limit")
