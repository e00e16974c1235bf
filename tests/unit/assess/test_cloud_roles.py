"""The tables of the clouds' own roles speak of all that the product asks, so that none of its questions goes unanswered."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from tests.support.clouds import assessed

from assaymark.assess.azure import roles as azure
from assaymark.assess.gcp import roles as google

ROOT = Path(__file__).parents[3]
TOOL = runpy.run_path(str(ROOT / "tools/check_cloud_roles.py"))


def table(cloud):
    return json.loads((ROOT / f"src/assaymark/assess/{cloud}/data/roles.json").read_text())


@pytest.mark.parametrize(("cloud", "form"), [("azure", TOOL["AZURE"]), ("gcp", TOOL["GOOGLE"])])
def test_what_is_asked_is_what_the_table_was_condensed_for(cloud, form):
    known = set(table(cloud)["asked"])
    services = {one.partition(".")[0] for one in known}
    asked = {
        one
        for one in TOOL["asked"](f"assaymark.assess.{cloud}", form)
        if cloud == "azure" or (one.partition(".")[0] in services and not one.endswith(".googleapis.com"))
    }
    assert asked == known
    assert len(asked) > 95


def test_no_role_holds_what_is_not_asked():
    found = table("gcp")
    assert {one for held in found["roles"].values() for one in held} <= set(found["asked"])
    assert not set(found["roles"]) & set(found["nothing"])


@pytest.mark.parametrize(
    ("pattern", "action", "expect"),
    [
        ("*/read", "Microsoft.Web/sites/read", True),
        ("Microsoft.Web/sites/*", "microsoft.web/SITES/write", True),
        ("Microsoft.Web/sites/*/write", "Microsoft.Web/sites/write", True),  # AzureML Data Scientist relies on it
        ("Microsoft.Web/sites/write", "Microsoft.Web/sites/slots/write", False),
        ("Microsoft.Web/sites", "Microsoft.Web/sites/write", False),
    ],
)
def test_patterns_of_azure(pattern, action, expect):
    assert TOOL["fits"](pattern, action) is expect


def test_a_folder_without_clouds_does_not_read_the_tables():
    for module in (azure, google):
        module._table.cache_clear()
    assessed(pod_yaml="apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i}]}\n")
    assert [module._table.cache_info().currsize for module in (azure, google)] == [0, 0]
