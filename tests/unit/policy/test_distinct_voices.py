"""How many must agree: values of a field are counted, and one that says no outvotes nobody."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
from tests.support.evidence import ALICE, SCANNER, START, attestation, contain, person, reason_of
from tests.support.rules import HEAD, asking, requirement, review

from assaymark.core.decision import Outcome
from assaymark.core.errors import InputError
from assaymark.core.statement import OPINION
from assaymark.policy.explain import explain_environment
from assaymark.policy.parse import parse_policy

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "spec" / "schemas" / "policy-document.v1.schema.json").read_text()
)
WHERE = 'where = [{ field = "outcome", equals = "pass", indeterminate-when = ["incomplete"] }]'
TWO = ('distinct = "scanner"', "at-least-distinct = 2", WHERE)
OTHER_SCANNER = person("other", "scanner")


def votes(*more: str) -> str:
    return requirement("votes", *(more or TWO), predicate=OPINION).replace('"reviewer"', '"scanner"')


ASK = asking(votes())


def opinion(position: int, scanner: object, outcome: str = "pass", *, by=SCANNER, after: int = 0, at=None):
    predicate = {"scanner": scanner, "outcome": outcome, "afterEntry": after, "n": position}
    return attestation(position, OPINION, predicate, by, at=at)


def stands(entries, ask=ASK):
    return reason_of(ask.decide(entries), "votes")


def test_two_scanners_signed_by_one_service_agree() -> None:
    assert stands([opinion(1, "picklescan")]).outcome is Outcome.DENY
    reason = stands([opinion(1, "picklescan"), opinion(2, "modelscan")])
    assert reason.outcome is Outcome.PERMIT
    assert "picklescan" in reason.message
    assert "modelscan" in reason.message
    assert stands([opinion(1, "picklescan"), opinion(2, "picklescan")]).outcome is Outcome.DENY


def test_a_threshold_would_see_the_newest_alone() -> None:
    ask = asking(votes("threshold = 1", WHERE))
    assert stands([opinion(1, "picklescan"), opinion(2, "fickling", "fail")], ask).outcome is Outcome.DENY


def test_who_disagrees_is_named_and_does_not_outvote() -> None:
    agreed = [opinion(1, "picklescan"), opinion(2, "modelscan"), opinion(3, "fickling", "fail")]
    reason = stands(agreed)
    assert reason.outcome is Outcome.PERMIT
    assert 'opinion by "fickling" by scanner (entry 3): outcome is "fail"' in reason.message
    reason = stands(agreed[1:])
    assert reason.outcome is Outcome.DENY
    assert "1 of 2 values of scanner say yes" in reason.message
    assert "fickling" in reason.message
    assert "--with" in reason.remedy


def test_the_newest_of_each_scanner_counts() -> None:
    entries = [opinion(1, "picklescan"), opinion(2, "modelscan"), opinion(3, "modelscan", "fail")]
    assert stands(entries).outcome is Outcome.DENY
    assert stands([*entries, opinion(4, "modelscan")]).outcome is Outcome.PERMIT


def test_a_no_of_another_signer_takes_the_voice_away() -> None:
    entries = [opinion(1, "picklescan"), opinion(2, "modelscan"), opinion(3, "modelscan", "fail", by=OTHER_SCANNER)]
    assert stands(entries).outcome is Outcome.DENY
    assert stands([*entries, opinion(4, "modelscan")]).outcome is Outcome.DENY


def test_without_an_answer_it_is_indeterminate_only_where_that_could_be_enough() -> None:
    assert stands([opinion(1, "picklescan"), opinion(2, "modelscan", "incomplete")]).outcome is Outcome.INDETERMINATE
    assert stands([opinion(2, "modelscan", "incomplete")]).outcome is Outcome.DENY
    assert (
        stands([opinion(1, "a"), opinion(2, "b", "fail"), opinion(3, "b", "incomplete", by=OTHER_SCANNER)]).outcome
        is Outcome.DENY
    )


@pytest.mark.parametrize("value", [None, [], {}, ["modelscan"], {"name": "modelscan"}])
def test_a_statement_without_the_field_has_no_voice(value: object) -> None:
    reason = stands([opinion(1, "picklescan"), opinion(2, value)])
    assert reason.outcome is Outcome.DENY
    assert "entry 2 has no scanner" in reason.message


def test_values_are_told_apart_by_type_and_to_the_last_character() -> None:
    assert stands([opinion(1, "1"), opinion(2, 1)]).outcome is Outcome.PERMIT
    assert stands([opinion(1, True), opinion(2, 1)]).outcome is Outcome.PERMIT
    assert stands([opinion(1, "a\x01"), opinion(2, "a?")]).outcome is Outcome.PERMIT


def test_only_a_signer_in_the_role_has_a_voice() -> None:
    assert stands([opinion(1, "picklescan"), opinion(2, "modelscan", by=ALICE)]).outcome is Outcome.DENY


def test_one_scanner_may_be_given_a_veto_of_its_own() -> None:
    one = 'where = [{ field = "scanner", equals = "picklescan" }, { field = "outcome", equals = "pass" }]'
    ask = asking(votes('distinct = "scanner"', "at-least-distinct = 1", one))
    assert stands([opinion(1, "modelscan")], ask).outcome is Outcome.DENY
    assert stands([opinion(1, "modelscan", "fail"), opinion(2, "picklescan")], ask).outcome is Outcome.PERMIT
    assert stands([opinion(1, "modelscan"), opinion(2, "picklescan", "fail")], ask).outcome is Outcome.DENY


def test_opinions_grow_too_old_and_a_no_does_not() -> None:
    ask = asking(votes(*TWO, 'max-age = "1d"'), now=START + 86_500)
    young = [opinion(1, "picklescan", at=START + 86_000), opinion(2, "modelscan", at=START + 86_100)]
    decision = ask.decide(young)
    assert reason_of(decision, "votes").met
    assert stands([opinion(1, "picklescan", at=START), young[1]], ask).outcome is Outcome.DENY
    old_no = [opinion(0, "modelscan", "fail", by=OTHER_SCANNER, at=START), *young]
    assert stands(old_no, ask).outcome is Outcome.DENY


def test_a_lift_needs_opinions_that_knew_of_the_containment() -> None:
    lift = contain(9, action="lift", after=8)
    before = [opinion(1, "picklescan"), opinion(2, "modelscan"), contain(5)]
    assert ASK.decide([*before, lift]).outcome is Outcome.DENY
    silent = [opinion(7, "picklescan"), opinion(8, "modelscan")]
    assert ASK.decide([*before, *silent, lift]).outcome is Outcome.DENY
    knew = [opinion(7, "picklescan", after=6), opinion(8, "modelscan", after=6)]
    assert ASK.decide([*before, *knew, lift]).outcome is Outcome.PERMIT


def test_it_is_explained() -> None:
    lines = "\n".join(explain_environment(ASK.policy, "production"))
    assert "at least 2 distinct values of scanner" in lines
    assert "does not outvote" in lines


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        (('distinct = "scanner"', "at-least-distinct = 2"), True),
        (('distinct = "tool.name"', "at-least-distinct = 64"), True),
        (('distinct = "scanner"',), False),
        (("at-least-distinct = 2",), False),
        (('distinct = "scanner"', "at-least-distinct = 2", "threshold = 1"), False),
        (('distinct = "scanner"', "at-least-distinct = 0"), False),
        (('distinct = "scanner"', "at-least-distinct = 65"), False),
        (('distinct = "findings.*.rule"', "at-least-distinct = 2"), False),
        (('distinct = ""', "at-least-distinct = 2"), False),
        (("distinct = 2", "at-least-distinct = 2"), False),
    ],
)
def test_the_two_keys_stand_together_in_the_place_of_a_threshold(lines: tuple[str, ...], good: bool) -> None:
    toml = HEAD + requirement("votes", *lines)
    assert jsonschema_rs.Draft202012Validator(SCHEMA).is_valid(tomllib.loads(toml)) is good
    if good:
        parse_policy(toml.encode())
        return
    with pytest.raises(InputError) as caught:
        parse_policy(toml.encode())
    assert caught.value.code in ("policy-value", "policy-type")


def test_a_requirement_without_the_keys_counts_signers_as_before() -> None:
    ask = asking(requirement("review", "threshold = 2"))
    entries = [review(1), review(2)]
    assert reason_of(ask.decide(entries), "review").outcome is Outcome.DENY
