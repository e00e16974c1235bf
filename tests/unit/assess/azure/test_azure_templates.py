"""Templates of Azure Resource Manager: loops and conditions, as far as parameters and variables decide them."""

from __future__ import annotations

import json

import pytest
from tests.support.clouds import assessed, edges

from assaymark.assess.azure.template_functions import plain

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
STORAGE = "Microsoft.Storage/storageAccounts"


def made(resources, **more):
    """The assessment of a template."""
    return assessed(main_json=json.dumps({"$schema": SCHEMA, **more, "resources": resources}))


def names(assessment):
    """What is there, by name."""
    return {one.name for one in assessment.estates.azure.resources.values()}


def account(name, **more):
    return {"type": STORAGE, "name": name, "properties": {}, **more}


LOOPS = [
    ("[format('st{0}', copyIndex())]", {"name": "l", "count": 3}, {"st0", "st1", "st2"}),
    ("[concat('st', copyIndex(1))]", {"name": "l", "count": 2}, {"st1", "st2"}),
    ("[concat('st', copyIndex('l', 5))]", {"name": "l", "count": "[length(variables('zones'))]"}, {"st5", "st6"}),
    ("[variables('zones')[copyIndex('l')]]", {"name": "l", "count": 2}, {"east", "west"}),
    ("[concat('st', copyIndex())]", {"name": "l", "count": "[parameters('many')]"}, {"st0", "st1", "st2", "st3"}),
    ("st", {"name": "l", "count": 0}, set()),
]


@pytest.mark.parametrize(("name", "copy", "expect"), LOOPS)
def test_a_loop_makes_each_of_its_rounds(name, copy, expect):
    assessment = made(
        [account(name, copy=copy)],
        variables={"zones": ["east", "west"]},
        parameters={"many": {"type": "int", "defaultValue": 4}},
    )
    assert names(assessment) == expect
    assert not [gap for gap in assessment.reading.gaps if "main.json" in gap]


def test_a_loop_whose_count_is_not_decided_makes_one_and_says_so():
    assessment = made(
        [account("st", copy={"name": "l", "count": "[parameters('many')]"})], parameters={"many": {"type": "int"}}
    )
    assert names(assessment) == {"st"}
    assert any("how many of Microsoft.Storage/storageAccounts st" in gap for gap in assessment.reading.gaps)


def test_a_loop_of_more_rounds_than_azure_takes_is_not_read_to_its_end():
    assessment = made([account("[concat('st', copyIndex())]", copy={"name": "l", "count": 10**9})])
    assert len(names(assessment)) == 800
    assert any("1000000000 rounds" in one.reason for one in assessment.reading.skipped)


def test_lists_and_variables_have_loops_of_their_own():
    vault = {
        "type": "Microsoft.KeyVault/vaults",
        "name": "kv",
        "properties": {
            "copy": [
                {
                    "name": "accessPolicies",
                    "count": "[length(variables('people'))]",
                    "input": {
                        "objectId": "[variables('people')[copyIndex('accessPolicies')]]",
                        "permissions": {"secrets": ["get"]},
                    },
                }
            ]
        },
    }
    people = {"copy": [{"name": "people", "count": 2, "input": "[concat('user-', copyIndex('people'))]"}]}
    reads = [
        {
            "type": "Microsoft.Authorization/roleAssignments",
            "name": f"[guid('{one}')]",
            "properties": {"principalId": one, "roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7"},
        }
        for one in ("user-0", "user-1", "user-2")
    ]
    graph = edges(made([vault, *reads], variables=people))
    assert {edge[0] for edge in graph if edge[1:] == ("reads", "kv", "yes")} == {
        "azure:principal:user-0",
        "azure:principal:user-1",
    }


CONDITIONS = [
    (True, True),
    (False, False),
    ("[equals(parameters('env'), 'prod')]", True),
    ("[not(equals(parameters('env'), 'prod'))]", False),
    ("[equals(parameters('env'), 'PROD')]", False),
    ("[equals(toLower(parameters('env')), toLower('PROD'))]", True),
    ("[and(equals(parameters('env'), 'prod'), greater(length(variables('zones')), 2))]", False),
    ("[or(contains(variables('zones'), 'west'), parameters('unset'))]", True),
    ("[and(empty(variables('zones')), parameters('unset'))]", False),
    ("[empty(parameters('nothing'))]", True),
    ("[bool('false')]", False),
    ("[parameters('unset')]", None),
    ("[equals(parameters('unset'), 'prod')]", None),
    ("[contains(resourceGroup().location, 'europe')]", None),
    ("[equals(subscription().subscriptionId, '11111111-1111-1111-1111-111111111111')]", None),
    ("[aFunctionNobodyKnows('a')]", None),
]


@pytest.mark.parametrize(("condition", "expect"), CONDITIONS)
def test_a_condition_decides_what_the_template_decides_and_the_rest_is_said(condition, expect):
    assessment = made(
        [account("st", condition=condition)],
        variables={"zones": ["east", "west"]},
        parameters={
            "env": {"type": "string", "defaultValue": "prod"},
            "nothing": {"type": "string", "defaultValue": ""},
            "unset": {"type": "bool"},
        },
    )
    assert names(assessment) == (set() if expect is False else {"st"})
    said = [gap for gap in assessment.reading.gaps if "is made is not decided" in gap]
    assert bool(said) == (expect is None)


@pytest.mark.parametrize(
    ("name", "given", "expect"),
    [
        ("main.parameters_json", {"value": "dev"}, set()),
        ("main.parameters_json", {"value": "prod"}, {"st"}),
        ("main.parameters.dev_json", {"value": "dev"}, {"st"}),  # one of several environments, nobody says which
        ("main.parameters_json", {"reference": {"secretName": "s"}}, {"st"}),
    ],
)
def test_the_file_of_parameters_that_has_the_templates_name_gives_them(name, given, expect):
    condition = "[equals(parameters('env'), 'prod')]"
    parameters = {"env": {"type": "string", "defaultValue": "prod"}}
    template = {"$schema": SCHEMA, "parameters": parameters, "resources": [account("st", condition=condition)]}
    schema = SCHEMA.replace("deploymentTemplate", "deploymentParameters")
    values = {"$schema": schema, "parameters": {"env": given}}
    assessment = assessed(**{"main_json": json.dumps(template), name: json.dumps(values)})
    assert names(assessment) == expect


def test_an_assignment_under_an_open_condition_is_unknown():
    def state(condition):
        assignment = {
            "type": "Microsoft.Authorization/roleAssignments",
            "name": "[guid('a')]",
            "condition": condition,
            "properties": {"principalId": "eve", "roleDefinitionId": "b24988ac-6180-42a0-ab88-20f7382dd24c"},
        }
        found = edges(made([account("st"), assignment], parameters={"grant": {"type": "bool"}}))
        return {edge[3] for edge in found if edge[:3] == ("azure:principal:eve", "reads", "st")}

    assert state("[parameters('grant')]") == {"unknown"}
    assert state(condition=True) == {"yes"}
    assert state(condition=False) == set()


def test_a_condition_of_a_parent_does_not_concern_its_children():
    container = {"type": "blobServices/containers", "name": "default/c", "properties": {}}
    assert names(made([account("st", condition=False, resources=[container])])) == {"c"}


def test_a_deployment_is_repeated_and_conditional_with_all_that_is_in_it():
    inner = {
        "$schema": SCHEMA,
        "parameters": {"name": {"type": "string"}},
        "resources": [account("[parameters('name')]")],
    }
    outer = {
        "type": "Microsoft.Resources/deployments",
        "name": "[format('d{0}', copyIndex())]",
        "copy": {"name": "l", "count": 2},
        "properties": {"template": inner, "parameters": {"name": {"value": "[format('st{0}', copyIndex())]"}}},
    }
    assert names(made([outer])) == {"st0", "st1"}
    assert names(made([{**outer, "condition": False}])) == set()


def test_symbolic_names_of_a_loop_are_its_rounds():
    """As Bicep compiles ``identities[1].properties.principalId``."""
    resources = {
        "identities": {
            "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "name": "[format('id{0}', copyIndex())]",
            "copy": {"name": "identities", "count": 2},
        },
        "st": account("st"),
        "grant": {
            "type": "Microsoft.Authorization/roleAssignments",
            "name": "[guid('a')]",
            "properties": {
                "principalId": "[reference(format('identities[{0}]', 1)).principalId]",
                "roleDefinitionId": "b24988ac-6180-42a0-ab88-20f7382dd24c",
            },
        },
    }
    graph = edges(made(resources, languageVersion="2.0"))
    assert {edge[0] for edge in graph if edge[1:3] == ("reads", "st")} == {"id1.principalid>"}


def test_variables_that_double_each_other_end_soon():
    doubled = {f"v{at}": f"[concat(variables('v{at + 1}'), variables('v{at + 1}'))]" for at in range(60)}
    assessment = made([account("[variables('v0')]")], variables=doubled | {"v60": "x"})
    assert len(names(assessment)) == 1


def test_lists_that_hold_each_other_many_times_are_not_walked():
    lists = {f"v{at}": [[f"[variables('v{at + 1}')]"] * 3] * 3 for at in range(40)}
    storage = {"type": STORAGE, "name": "st", "properties": {"x": "[variables('v0')]"}}
    assert names(made([storage, account("after")], variables=lists)) == {"st", "after"}


@pytest.mark.parametrize(
    ("name", "given", "expect"),
    [
        ("div", [-7, 2], -3),
        ("mod", [-7, 2], -1),
        ("div", [1, 0], None),
        ("range", [3, 2], [3, 4]),
        ("range", [0, 10**9], None),
        ("contains", [{"Name": 1}, "name"], True),
        ("contains", ["abc", "B"], False),
        ("first", [[]], None),
        ("split", ["a,b", ","], ["a", "b"]),
        ("replace", ["a-b", "-", ""], "ab"),
        ("int", ["12"], 12),
        ("less", ["a", 1], None),
        ("coalesce", [None, "a"], "a"),
        ("createobject", ["a", 1], {"a": 1}),
        ("equals", [True, 1], False),
        ("equals", ["<a>", "b"], None),
    ],
)
def test_functions(name, given, expect):
    assert plain(name, given) == expect


CHOICES = [
    ("[if(parameters('open'), 'left', 'right')]", "<if(parameters('open'), 'left', 'right')>", True),
    ("[format('{0}-x', if(parameters('open'), 'left', 'right'))]", None, True),
    ("[if(true(), 'left', 'right')]", "left", False),
    ("[if(not(true()), 'left', 'right')]", "right", False),
    ("[if(equals('a', 'b'), 'left', 'right')]", "right", False),
    ("[if(parameters('open'), 'same', 'same')]", "same", False),
    ("[format('{0}-x', 'notif(')]", "notif(-x", False),
]


@pytest.mark.parametrize(("value", "expect", "said"), CHOICES)
def test_a_choice_that_is_not_decided_is_none(value, expect, said):
    found = made([account("st", properties={"note": value})], parameters={"open": {"type": "bool"}})
    (one,) = found.estates.azure.resources.values()
    assert one.settings["note"] == (expect or f"<{value[1:-1]}>")
    gaps = [text for text in found.reading.gaps if "is not decided; taken as unknown" in text]
    assert bool(gaps) is said


def test_a_setting_that_hangs_on_an_open_choice_is_not_taken_for_the_safe_one():
    choice = "[if(parameters('open'), false(), true())]"
    found = made([account("st", properties={"allowSharedKeyAccess": choice})], parameters={"open": {"type": "bool"}})
    (one,) = found.estates.azure.resources.values()
    assert one.settings["shared_key"] is not False
