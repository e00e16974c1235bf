"""Privileged identity management: what somebody may activate is unknown, what is active counts for as long as it is."""

from __future__ import annotations

import json

import pytest
from tests.support.clouds import assessed, edges

SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"
ROOT = "azure:11111111-1111-1111-1111-111111111111:administrator"
OWNER = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
EVE = "azure:principal:eve"


def schedule(kind, **more):
    """As the API lists it; times and what else in ``more``."""
    properties = {"scope": SUB, "roleDefinitionId": OWNER, "principalId": "EVE", "principalType": "User", **more}
    name = f"{SUB}/providers/Microsoft.Authorization/{kind}/1"
    return {"id": name, "name": "1", "type": f"Microsoft.Authorization/{kind}", "properties": properties}


def states(*documents):
    """The states in which eve administers the subscription, and what would decide."""
    assessment = assessed(schedules_json=json.dumps({"value": list(documents)}))
    found = [edge for edge in assessment.graph.edges if (edge.source, edge.target) == (EVE, ROOT)]
    return {(str(edge.state), *edge.decides) for edge in found if edge.relation == "administers"}


@pytest.mark.parametrize("kind", ["roleEligibilityScheduleInstances", "roleEligibilitySchedules"])
def test_an_eligible_role_is_unknown_until_it_is_activated(kind):
    assert states(schedule(kind, memberType="Direct")) == {("unknown", "the eligible role is activated")}


@pytest.mark.parametrize("kind", ["roleAssignmentScheduleInstances", "roleAssignmentSchedules"])
def test_an_active_one_counts_and_the_list_of_assignments_says_it_again(kind):
    active = schedule(kind, assignmentType="Activated", status="Provisioned")
    assert states(active) == {("yes",)}
    again = {"principalId": "eve", "principalType": "User", "roleDefinitionId": OWNER, "scope": SUB}
    assessment = assessed(a_json=json.dumps([active]), b_json=json.dumps([again]))
    assert len(assessment.estates.azure.assignments) == 1


def test_a_broad_role_is_found_once_and_only_while_it_is_held():
    kind = "roleAssignmentScheduleInstances"
    again = {"principalId": "eve", "principalType": "User", "roleDefinitionId": OWNER, "scope": SUB}

    def found(*documents):
        findings = assessed(a_json=json.dumps(list(documents))).findings
        return len([one for one in findings if one.rule == "azure-broad-role"])

    assert found(again, schedule(kind, startDateTime="2026-01-01T00:00:00Z")) == 1
    assert found(schedule(kind, endDateTime="2026-01-01T00:00:00Z")) == 0
    assert found(schedule("roleEligibilityScheduleInstances")) == 0


def test_an_active_and_an_eligible_role_are_the_active_one():
    assert states(schedule("roleEligibilityScheduleInstances"), schedule("roleAssignmentScheduleInstances")) == {
        ("yes",)
    }


@pytest.mark.parametrize(
    ("more", "expect"),
    [
        ({"endDateTime": "2026-05-31T23:59:59.9999999Z"}, set()),
        ({"endDateTime": "2026-06-01T08:00:00Z"}, {("yes",)}),
        ({"startDateTime": "2026-06-02T00:00:00Z"}, set()),
        ({"startDateTime": "2026-05-01T00:00:00Z", "endDateTime": None}, {("yes",)}),
        ({"endDateTime": "whenever"}, {("yes",)}),
        ({"status": "Revoked"}, set()),
    ],
)
def test_a_schedule_is_held_against_the_time_of_the_assessment(more, expect):
    assert states(schedule("roleAssignmentScheduleInstances", **more)) == expect


@pytest.mark.parametrize("kind", ["roleEligibilityScheduleRequests", "roleAssignmentScheduleRequests"])
def test_a_request_in_an_export_is_history(kind):
    assert states(schedule(kind, requestType="AdminAssign", status="Provisioned")) == set()


def test_terraform_has_both():
    text = (
        'resource "azurerm_pim_{}_role_assignment" "a" {{\n scope = "{}"\n role_definition_id = "{}"\n'
        ' principal_id = "eve"\n schedule {{\n  expiration {{\n   end_date_time = "{}"\n  }}\n }}\n}}\n'
    )

    def state(kind, until):
        graph = edges(assessed(main_tf=text.format(kind, SUB, OWNER, until)))
        return {edge[3] for edge in graph if edge[:3] == (EVE, "administers", ROOT)}

    assert state("eligible", "2027-01-01T00:00:00Z") == {"unknown"}
    assert state("active", "2027-01-01T00:00:00Z") == {"yes"}
    assert state("active", "2026-01-01T00:00:00Z") == set()


def test_the_providers_own_example_names_the_role_after_its_scope():
    text = (
        'data "azurerm_subscription" "s" {}\ndata "azurerm_role_definition" "o" {\n name = "Owner"\n}\n'
        'resource "azurerm_pim_active_role_assignment" "a" {\n scope = data.azurerm_subscription.s.id\n'
        ' role_definition_id = "${data.azurerm_subscription.s.id}${data.azurerm_role_definition.o.id}"\n'
        ' principal_id = "eve"\n}\n'
    )
    assert [one.role for one in assessed(main_tf=text).estates.azure.assignments] == ["owner"]


def test_a_template_asks_for_either():
    def template(kind, asked):
        properties = {"principalId": "eve", "roleDefinitionId": OWNER, "requestType": asked}
        request = {"type": f"Microsoft.Authorization/{kind}", "name": "[guid('a')]", "properties": properties}
        return {
            "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
            "resources": [request],
        }

    def found(kind, asked):
        assessment = assessed(main_json=json.dumps(template(kind, asked)))
        return {str(edge.state) for edge in assessment.graph.edges if edge.source == EVE}

    assert found("roleEligibilityScheduleRequests", "AdminAssign") == {"unknown"}
    assert found("roleAssignmentScheduleRequests", "AdminAssign") == {"yes"}
    assert found("roleAssignmentScheduleRequests", "AdminRemove") == set()


GLOBAL = "62e90394-69f5-4237-9190-012177145e10"


@pytest.mark.parametrize(
    ("more", "expect"),
    [
        ({}, "yes"),
        ({"memberType": "Direct", "assignmentType": "Assigned"}, "yes"),
        ({"memberType": "Direct", "roleEligibilityScheduleId": "1"}, "unknown"),
        ({"memberType": "Direct", "scheduleInfo": {}}, "unknown"),
        ({"directoryScopeId": "/administrativeUnits/1"}, "unknown"),
    ],
)
def test_roles_of_the_directory_are_eligible_too(more, expect):
    right = {"id": "1", "principalId": "eve", "roleDefinitionId": GLOBAL, "directoryScopeId": "/", **more}
    assignment = {"principalId": "eve", "roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7", "scope": SUB}
    graph = edges(assessed(a_json=json.dumps({"value": [right]}), b_json=json.dumps([assignment])))
    assert (EVE, "escalates", "azure:tenant:administrator", expect) in graph


def test_a_membership_that_may_be_activated_is_an_open_step():
    group = {"id": "team", "displayName": "team", "securityEnabled": True, "mailEnabled": False}
    assignment = {"principalId": "team", "principalType": "Group", "roleDefinitionId": OWNER, "scope": SUB}
    user = {"id": "eve", "userPrincipalName": "eve@acme.example"}
    may = {"groupId": "team", "principalId": "eve", "accessId": "member", "memberType": "Direct"}
    files = {"a_json": [group], "b_json": [assignment], "c_json": [user]}
    for more, expect in (({"eligibilityScheduleId": "1"}, "unknown"), ({"assignmentType": "Activated"}, "yes")):
        documents = {name: json.dumps(value) for name, value in files.items()} | {"d_json": json.dumps([may | more])}
        assert (EVE, "member-of", "azure:principal:team", expect) in edges(assessed(**documents))
