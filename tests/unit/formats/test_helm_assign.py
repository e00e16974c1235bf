"""Values as ``helm --set`` takes them; the answers are those of Helm 3.17."""

from __future__ import annotations

from typing import Any

import pytest

from assaymark.core.errors import InputError
from assaymark.formats.helm.assign import assigned, parameter


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1", {"a": 1}),
        ("a=1,b=true,c=null,d=x", {"a": 1, "b": True, "c": None, "d": "x"}),
        ("a.b.c=x", {"a": {"b": {"c": "x"}}}),
        ("a=", {"a": ""}),
        ("a=007", {"a": "007"}),
        ("a=0x1", {"a": "0x1"}),
        ("a=1e3", {"a": "1e3"}),
        ("a=9223372036854775808", {"a": "9223372036854775808"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=x\\,y", {"a": "x,y"}),
        (r"a\.b/c=x", {"a.b/c": "x"}),
        ("a={x,1}", {"a": ["x", 1]}),
        ("a={}", {"a": [""]}),
        ("a={x},b=2", {"a": ["x"], "b": 2}),
        ("a[1]=x", {"a": [None, "x"]}),
        ("a[0].b=x,a[0].c=y", {"a": [{"b": "x", "c": "y"}]}),
        ("a[0][1]=x", {"a": [[None, "x"]]}),
    ],
)
def test_assignments(text: str, values: dict[str, Any]) -> None:
    assert assigned({}, text) == values


def test_texts_stay_texts_where_that_is_asked() -> None:
    assert assigned({}, "a=1,b=true,c={1,2}", strings=True) == {"a": "1", "b": "true", "c": ["1", "2"]}


def test_what_is_there_stays_and_is_not_changed() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}}
    assert assigned(before, "a.c[0]=9,a.d=2") == {"a": {"b": 1, "c": [9, 2], "d": 2}}
    assert before == {"a": {"b": 1, "c": [1, 2]}}


def test_a_parameter_is_one_value_whatever_is_in_it() -> None:
    assert parameter({}, "a.b", "x,y=z") == {"a": {"b": "x,y=z"}}
    assert parameter({}, "a", "true", strings=True) == {"a": "true"}


@pytest.mark.parametrize("text", ["a", "a.b", "=1", "a={x", "a=1,b", "a[99999]=1", "a=1,a.b=2", "a.b=1,a[0]=2"])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        assigned({}, text)
    assert caught.value.code == "template-go"
