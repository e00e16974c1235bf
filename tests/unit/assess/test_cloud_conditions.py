"""Conditions of Google Cloud and Azure that nobody can have written by hand are unknown, whatever their shape."""

from __future__ import annotations

import json

import pytest
from tests.support.clouds import assessed, edges

from assaymark.assess.azure.abac import condition_holds
from assaymark.assess.gcp.conditions import holds
from assaymark.core.graph import State

DEEP = {
    "chain": "resource.type == 'a'" + " || true" * 1_500,
    "sum": "1" + " + 1" * 4_000 + " == 2",
    "parentheses": "(" * 5_000 + "true" + ")" * 5_000,
    "signs": "".join("(" + "!" * 20 for _ in range(90)) + "true" + ")" * 90,
    "lists": "size(" + "[" * 500 + "]" * 500 + ") == 1",
    "members": "a" + ".b" * 3_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_cel(text):
    assert holds(text, {}).state is State.UNKNOWN


def test_an_ordinary_condition_of_many_parts_is_decided():
    one_of = " || ".join(f"resource.name == 'projects/_/buckets/b{index}'" for index in range(100))
    assert holds(one_of, {"resource.name": "projects/_/buckets/b7"}).state is State.YES
    assert holds("((((" + one_of + "))))", {"resource.name": "other"}).state is State.NO


@pytest.mark.parametrize(
    "text",
    [
        "Exists @Request[a]" + " || Exists @Request[a]" * 700,
        "(" * 2_000 + "Exists @Request[a]" + ")" * 2_000,
        "!" * 5_000 + " Exists @Request[a]",
    ],
    ids=["chain", "parentheses", "not"],
)
def test_azure(text):
    assert condition_holds(text, "Microsoft.Storage/a/read", {}).state is State.UNKNOWN


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_a_whole_assessment_stands_them(text):
    binding = {"role": "roles/storage.objectViewer", "members": ["user:eve@x.example"]}
    policy = {"bindings": [{**binding, "condition": {"title": "t", "expression": text}}]}
    named = {"name": "//storage.googleapis.com/b", "assetType": "storage.googleapis.com/Bucket", "iamPolicy": policy}
    found = edges(assessed(assets_json=json.dumps([named])))
    assert ("user:eve@x.example", "reads", "b", "unknown") in found
