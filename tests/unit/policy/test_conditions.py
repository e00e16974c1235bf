import pytest
from tests.support.evidence import reason_of
from tests.support.rules import HEAD, asking, requirement, review

from assaymark.core.decision import Outcome
from assaymark.core.errors import InputError
from assaymark.policy.conditions import number
from assaymark.policy.parse import parse_policy

PERMIT, DENY, INDETERMINATE = Outcome.PERMIT, Outcome.DENY, Outcome.INDETERMINATE


def outcome(condition: str, **predicate):
    return asking(requirement("review", f"where = [{{ {condition} }}]")).decide([review(1, **predicate)]).outcome


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ('at-least = "0.95"', "0.95", PERMIT),
        ('at-least = "0.95"', "0.950", PERMIT),
        ('at-least = "0.95"', "0.9499999999999999999999999999", DENY),
        ('at-least = "0.95"', 1, PERMIT),
        ("at-least = 1", "0.9999999999999999999999999999999999999999", DENY),
        ("at-least = -3", "-3.0", PERMIT),
        ("at-least = -3", "-3.01", DENY),
        ("above = 0", "0", DENY),
        ("above = 0", "0.0000000000000000000000000000000000000001", PERMIT),
        ("above = 0", "-0", DENY),
        ('at-most = "0.1"', "0.1", PERMIT),
        ('at-most = "0.1"', "0.10000000000000001", DENY),
        ("below = 5", 4, PERMIT),
        ("below = 5", 5, DENY),
        ("below = 10", "9", PERMIT),  # as numbers, not as texts
        ("above = 9007199254740990", 9007199254740991, PERMIT),
        ("below = 5", "", INDETERMINATE),
        ("below = 5", "four", INDETERMINATE),
        ("below = 5", "4e0", INDETERMINATE),
        ("below = 5", "+4", INDETERMINATE),
        ("below = 5", "04", INDETERMINATE),
        ("below = 5", "4.", INDETERMINATE),
        ("below = 5", ".4", INDETERMINATE),
        ("below = 5", " 4", INDETERMINATE),
        ("below = 5", "4\n", INDETERMINATE),
        ("below = 5", "٤", INDETERMINATE),
        ("below = 5", "0." + "0" * 41, INDETERMINATE),
        ("below = 5", "NaN", INDETERMINATE),
        ("below = 5", "-Infinity", INDETERMINATE),
        ("below = 5", True, INDETERMINATE),
        ("below = 5", None, INDETERMINATE),
        ("below = 5", [4], INDETERMINATE),
        ("below = 5", {"value": 4}, INDETERMINATE),
        ("below = 5, indeterminate-when = [-1]", -1, INDETERMINATE),
        ('not-in = ["gpl", "agpl"]', "mit", PERMIT),
        ('not-in = ["gpl", "agpl"]', "agpl", DENY),
        ('not-in = ["gpl"]', 5, INDETERMINATE),
        ('not-in = ["gpl"]', ["gpl"], INDETERMINATE),
        ('not-in = ["gpl"]', None, INDETERMINATE),
        ("not-in = [1]", True, INDETERMINATE),
        ('not-in = ["gpl"], indeterminate-when = ["unknown"]', "unknown", INDETERMINATE),
        ('contains = "licence"', ["card", "licence"], PERMIT),
        ('contains = "licence"', ["card"], DENY),
        ('contains = "licence"', [], DENY),
        ('contains = "licence"', "licence", INDETERMINATE),
        ('contains = "licence"', {"licence": True}, INDETERMINATE),
        ("contains = 1", [True, "1"], DENY),
        ('in = ["a", "b"]', "b", PERMIT),
        ('in = ["a", "b"]', ["b"], DENY),
    ],
)
def test_each_operator_says_yes_no_or_nothing(condition, value, expected):
    assert outcome(f'field = "x", {condition}', x=value) is expected


@pytest.mark.parametrize(
    "condition",
    ["equals = 1", "not-in = [1]", "at-least = 1", "contains = 1", "below = 1", "above = 1", "at-most = 1"],
)
def test_a_field_that_is_not_there_is_no_answer(condition):
    assert outcome(f'field = "a.b", {condition}', a={}) is INDETERMINATE
    assert outcome(f'field = "a.b", {condition}', a=[]) is INDETERMINATE


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([{"accuracy": "0.99"}, {"accuracy": "0.91"}], PERMIT),
        ([{"accuracy": "0.99"}, {"accuracy": "0.89"}], DENY),
        ([{"accuracy": "0.99"}, {}], INDETERMINATE),
        ([{"accuracy": "0.89"}, {}], DENY),
        ([{"accuracy": "0.99"}, "0.99"], INDETERMINATE),
        ([], INDETERMINATE),
        ({"0": {"accuracy": "0.99"}}, INDETERMINATE),
        ("0.99", INDETERMINATE),
    ],
)
def test_every_item_of_a_list_must_meet_a_condition(items, expected):
    assert outcome('field = "slices.*.accuracy", above = "0.9"', slices=items) is expected


def test_items_within_items_and_items_by_themselves():
    assert outcome('field = "a.*.b.*", below = 3', a=[{"b": [1, 2]}, {"b": [2]}]) is PERMIT
    assert outcome('field = "a.*.b.*", below = 3', a=[{"b": [1, 2]}, {"b": []}]) is INDETERMINATE
    assert outcome('field = "a.*.b.*", below = 3', a=[{"b": [1, 2]}, {"b": [3]}]) is DENY


def test_messages_name_the_item_the_value_and_what_is_needed():
    ask = asking(
        requirement("review", 'where = [{ field = "s.*.a", at-least = "0.9" }, { field = "l", contains = 1 }]')
    )

    def message(**predicate):
        return reason_of(ask.decide([review(1, **predicate)]), "review").message

    assert 's.1.a is "0.8", and must be such that it is at least "0.9"' in message(s=[{"a": 1}, {"a": "0.8"}], l=[1])
    assert "s.1.a is missing" in message(s=[{"a": 1}, {}], l=[1])
    assert "s.*.a is missing" in message(s=[], l=[1])
    assert "l does not contain 1" in message(s=[{"a": 1}], l=[2])
    assert "s.0.a is an object, to which" in message(s=[{"a": {}}], l=[1])


def test_numbers_are_exact_and_bounded():
    assert number("1" * 40) == int("1" * 40) * 10**40
    assert number("1" * 41) is None
    assert number("0." + "1" * 40) == int("1" * 40)
    assert number(False) is None
    assert number(0.5) is None


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("at-least = 0.95", "policy-type"),
        ('at-least = "95%"', "policy-value"),
        ('at-least = "1e3"', "policy-value"),
        ("at-least = true", "policy-value"),
        ("at-least = [1]", "policy-type"),
        ("not-in = []", "policy-value"),
        ("not-in = 1", "policy-type"),
        ("contains = []", "policy-type"),
        ("at-least = 1, at-most = 2", "policy-value"),
        ("equals = 1, contains = 1", "policy-value"),
        ("contains = 1, indeterminate-when = [2]", "policy-value"),
        ("not-in = [1], indeterminate-when = [1]", "policy-value"),
        ("at_least = 1", "policy-key"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(condition, code):
    with pytest.raises(InputError) as caught:
        parse_policy((HEAD + requirement("review", f'where = [{{ field = "x", {condition} }}]')).encode())
    assert caught.value.code == code
    assert "where[0]" in caught.value.position


def test_a_float_is_told_how_to_write_it():
    with pytest.raises(InputError) as caught:
        parse_policy((HEAD + requirement("review", 'where = [{ field = "x", above = 0.9 }]')).encode())
    assert caught.value.remedy == 'write a number with a fraction as text: "0.95"'


@pytest.mark.parametrize("field", ["*", "*.a", "a..b", "a.**", "a*", ".a", "a."])
def test_a_field_that_is_no_path_is_refused(field):
    with pytest.raises(InputError) as caught:
        parse_policy((HEAD + requirement("review", f'where = [{{ field = "{field}", equals = 1 }}]')).encode())
    assert caught.value.position.endswith(".field")
