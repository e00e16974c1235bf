"""Least roles of Azure: what solvers say of them is what the evaluator says, and the least is least."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clouds import NOW

from assaymark.assess.azure.evaluate import Access
from assaymark.assess.azure.formulas import Grant, Request, language
from assaymark.assess.azure.least import least_assignments
from assaymark.assess.engine import assess
from assaymark.assess.estate.azure import Assignment, Azure, DenyAssignment, Permission, RoleDefinition
from assaymark.assess.files import source_file
from assaymark.assess.proofs import contained
from assaymark.core.graph import Because, State

pytest.importorskip("z3")
pytest.importorskip("cvc5")
P = "11111111-1111-1111-1111-111111111111"
GROUP = "22222222-2222-2222-2222-222222222222"
SUB = "/subscriptions/33333333-3333-3333-3333-333333333333"
RG = f"{SUB}/resourcegroups/ml"
STORE = f"{RG}/providers/microsoft.storage/storageaccounts/models"
BOX = f"{STORE}/blobservices/default/containers/prod"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
KEYS = "Microsoft.Storage/storageAccounts/listKeys/action"
WHERE = Because("a.json", 1, "0")
MANAGEMENT = "/providers/microsoft.management/managementgroups/root"


def estate(*assignments, roles=(), **more):
    found = Azure(assignments=list(assignments), **more)
    found.roles = {one.id: one for one in roles}
    return found


def assigned(role, scope, condition=None, who=P, **more):
    return Assignment(who, role.lower(), scope.lower(), WHERE, condition, **more)


def custom(name, **lists):
    return RoleDefinition(name, name, (Permission(**lists),), WHERE)


def least(needs, *assignments, **more):
    return least_assignments(estate(*assignments, **more), P, needs, NOW)


def granted(found):
    return [
        (one["scope"], role["Actions"], role["DataActions"])
        for role, one in zip(found.policy[::2], found.policy[1::2], strict=True)
    ]


def test_one_role_for_each_scope_that_the_needs_name():
    needs = [(f"{BLOBS}/read", BOX.upper()), (f"{BLOBS}/write", BOX), (KEYS, STORE)]
    found = least(needs, assigned("Storage Blob Data Owner", SUB), assigned("Contributor", SUB))
    assert found.proved
    assert granted(found) == [
        (STORE, [KEYS], []),
        (BOX, [], [f"{BLOBS}/read", f"{BLOBS}/write"]),
    ]
    assert found.policy[0]["AssignableScopes"] == [RG]
    assert found.policy[1]["principalId"] == P


def test_what_the_old_ones_do_not_allow_is_never_granted():
    found = least([(f"{BLOBS}/write", BOX), (f"{BLOBS}/read", BOX)], assigned("Storage Blob Data Reader", RG))
    assert found.uncovered == ((f"{BLOBS}/write", BOX),)
    assert not found.proved
    assert found.within.verdict == "contained"
    assert granted(found) == [(BOX, [], [f"{BLOBS}/read"])]
    found = least([(f"{BLOBS}/read", RG)], assigned("Storage Blob Data Reader", STORE))
    assert found.uncovered
    assert not found.policy


def test_what_the_table_does_not_speak_of_is_not_decided_and_not_granted():
    found = least([("Microsoft.Nobody/things/write", RG)], assigned("Contributor", RG))
    assert found.undecided == (("Microsoft.Nobody/things/write", RG),)
    assert not found.uncovered
    assert not found.proved


def test_what_the_patterns_of_owner_and_reader_allow_is_allowed():
    needs = [("Microsoft.Nobody/things/write", RG), ("Microsoft.Nobody/things/read", RG)]
    assert least(needs, assigned("Owner", SUB)).proved
    found = least(needs, assigned("Reader", SUB))
    assert (found.uncovered, found.undecided) == ((), (needs[0],))
    assert granted(found) == [(RG, ["Microsoft.Nobody/things/read"], [])]


def test_not_actions_of_old_roles_are_respected():
    role = custom("ops", actions=("Microsoft.Storage/*",), not_actions=("*/listKeys/action",))
    found = least(
        [(KEYS, STORE), ("microsoft.storage/storageaccounts/read", STORE)], assigned("ops", SUB), roles=[role]
    )
    assert found.uncovered == ((KEYS, STORE),)
    assert granted(found) == [(STORE, ["microsoft.storage/storageaccounts/read"], [])]


def test_conditions_stay_unless_another_assignment_has_none():
    text = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'prod'"
    found = least([(f"{BLOBS}/read", STORE)], assigned("Storage Blob Data Reader", SUB, text))
    assert found.proved
    assert found.policy[1]["condition"] == text
    assert found.policy[1]["conditionVersion"] == "2.0"
    both = assigned("Storage Blob Data Reader", SUB, text), assigned("Storage Blob Data Reader", RG)
    assert "condition" not in least([(f"{BLOBS}/read", STORE)], *both).policy[1]
    other = text.replace("'prod'", "'test'")
    both = assigned("Storage Blob Data Reader", SUB, text), assigned("Storage Blob Data Reader", STORE, other)
    found = least([(f"{BLOBS}/read", STORE)], *both)
    assert {one["condition"] for one in found.policy[1::2]} == {text, other}
    assert found.proved  # without either something is lost


def abac(name, operator, *values, source="@Resource"):
    attribute = f"{source}[Microsoft.Storage/storageAccounts/blobServices/containers{name}]"
    return f"{attribute} {operator} " + (
        repr(values[0]) if len(values) == 1 else "{" + ", ".join(map(repr, values)) + "}"
    )


def test_of_conditions_that_allow_a_need_those_within_others_go():
    wide, narrow = abac(":name", "StringLike", "prod*"), abac(":name", "StringEquals", "prod-a")
    both = assigned("Storage Blob Data Reader", SUB, narrow), assigned("Storage Blob Data Reader", RG, wide)
    found = least([(f"{BLOBS}/read", STORE)], *both)
    assert found.proved
    assert [one.get("condition") for one in found.policy[1::2]] == [wide]


def test_a_part_of_a_condition_that_keeps_nobody_out_goes():
    name, path = abac(":name", "StringEquals", "prod"), abac("/blobs:path", "StringStartsWith", "a/")
    guarded = f"((!(ActionMatches{{'{BLOBS}/read'}})) OR ({path})) AND {name}"
    found = least([(f"{BLOBS}/read", BOX)], assigned("Storage Blob Data Owner", SUB, guarded))
    assert found.proved
    assert [one.get("condition") for one in found.policy[1::2]] == [
        f"(!(ActionMatches{{'{BLOBS}/read'}})) OR ({path})"
    ]
    found = least([(f"{BLOBS}/write", BOX)], assigned("Storage Blob Data Owner", SUB, guarded))
    assert found.proved
    assert "condition" not in found.policy[1]


def test_a_need_that_no_request_meets_the_condition_of_is_not_allowed():
    other = abac(":name", "StringEquals", "test")
    found = least([(f"{BLOBS}/read", BOX)], assigned("Storage Blob Data Reader", SUB, other))
    assert found.uncovered == ((f"{BLOBS}/read", BOX),)
    never = f"{abac(':name', 'StringEquals', 'a')} AND {abac(':name', 'StringStartsWith', 'b')}"
    found = least([(f"{BLOBS}/read", STORE)], assigned("Storage Blob Data Reader", SUB, never))
    assert found.uncovered == ((f"data:{BLOBS}/read", STORE),)
    assert not found.proved


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (abac(":name", "StringEquals", "a"), abac(":name", "StringEqualsIgnoreCase", "A")),
        (abac(":name", "ForAnyOfAnyValues:StringEquals", "a"), abac(":name", "ForAnyOfAnyValues:StringEquals", "a", "b")),
        (abac("/blobs:path", "StringStartsWith", "a/b"), abac("/blobs:path", "StringLike", "a/*")),
        ("@Environment[isPrivateLink] BoolEquals true", "Exists @Environment[isPrivateLink]"),
        (
            "@Environment[UtcNow] DateTimeLessThan '2026-07-01T00:00:00Z'",
            "@Environment[UtcNow] DateTimeLessThanEquals '2027-07-01T00:00:00Z'",
        ),
        ("@Resource[a:n] NumericGreaterThan 5", "@Resource[a:n] NumericGreaterThanEquals 4.5"),
        ("@Request[a:b] ForAllOfAnyValues:GuidEquals {'x'}", "@Request[a:b] ForAllOfAnyValues:GuidEquals {'x', 'y'}"),
        ("@Request[a:b] ForAllOfAnyValues:StringEquals {'x'} AND Exists @Request[a:b]", "@Request[a:b] ForAnyOfAnyValues:StringLike {'x*'}"),
        (abac(":name", "StringEquals", "a"), f"NOT (SubOperationMatches{{'Blob.List'}}) OR {abac(':name', 'StringLike', '?')}"),
        ("@Resource[a:team] StringEquals @Principal[b:team] && @Principal[b:team] StringEquals 'x'", "@Resource[a:team] StringEquals 'x'"),
    ],
)  # fmt: skip
def test_one_condition_within_another(narrow, wide):
    grants = [[assigned("a", RG, text)] for text in (narrow, wide)]
    assert asked(*grants, ["Microsoft.A/x/read"]).verdict == "contained"
    found = asked(*reversed(grants), ["Microsoft.A/x/read"])
    assert found.verdict == "not contained"
    assert found.example.context or found.example.absent


def test_deny_assignments_stand_and_what_they_take_is_not_allowed():
    deny = DenyAssignment(STORE, ("*",), (), (Permission(actions=("*",)),), WHERE)
    found = least([(KEYS, STORE)], assigned("Contributor", SUB), denies=[deny])
    assert found.uncovered == ((KEYS, STORE),)
    found = least([(KEYS, RG)], assigned("Contributor", SUB), denies=[deny])
    assert found.proved


def test_groups_and_management_groups():
    found = least(
        [(KEYS, STORE)],
        assigned("Contributor", MANAGEMENT, who=GROUP),
        groups={GROUP: {P: WHERE}},
        parents={SUB: MANAGEMENT},
    )
    assert found.proved
    assert "through the group" in found.replaces[0].name
    found = least([(KEYS, STORE)], assigned("Contributor", MANAGEMENT))  # nobody says what lies in it
    assert found.undecided
    found = least([(KEYS, MANAGEMENT)], assigned("Contributor", MANAGEMENT))
    assert found.proved


def test_what_a_template_or_a_schedule_left_open_grants_nothing_for_certain():
    found = least([(KEYS, STORE)], assigned("Contributor", SUB, open=("the role is activated",)))
    assert found.undecided
    assert not found.uncovered


def asked(new, old, actions, **more):
    roles = [custom("a", actions=("Microsoft.A/*",)), custom("b", actions=("Microsoft.A/x/read",))]
    some = estate(*new, *old, roles=roles, **more)
    grants = [[Grant(one) for one in each] for each in (new, old)]
    scopes = [one.scope for one in (*new, *old)]
    return contained(*grants, language(some, P, actions, scopes))


def test_a_counter_example_has_a_real_action_and_a_scope_that_could_be():
    found = asked([assigned("a", SUB)], [assigned("a", RG)], ["Microsoft.A/x/read"])
    assert found.verdict == "not contained"
    assert found.example.action == "microsoft.a/x/read"
    assert found.example.resource in (SUB, f"{SUB}/resourcegroups/example")
    found = asked([assigned("a", RG)], [assigned("b", RG)], ["Microsoft.A/x/read", "Microsoft.A/x/write"])
    assert found.example.action == "microsoft.a/x/write"
    assert found.example.resource in (RG, f"{RG}/providers/microsoft.storage/storageaccounts/example")


def test_scopes_are_no_mere_prefixes():
    found = asked([assigned("a", f"{RG}-2")], [assigned("a", RG)], ["Microsoft.A/x/read"])
    assert found.verdict == "not contained"
    assert asked([assigned("a", STORE)], [assigned("a", RG)], ["Microsoft.A/x/read"]).verdict == "contained"


ACTIONS = ["microsoft.a/x/read", "microsoft.a/x/write", "data:microsoft.a/x/read"]
SCOPES = ["/", MANAGEMENT, SUB, RG, f"{RG}-2", STORE]
ROLES = [
    custom("a", actions=("Microsoft.A/*",), not_actions=("*/write",)),
    custom("b", actions=("*/x/read",)),
    custom("c", actions=("*",), data_actions=("*",)),
]
GRANTS = st.lists(
    st.builds(assigned, st.sampled_from(["a", "b", "c", "missing"]), st.sampled_from(SCOPES)), min_size=1, max_size=2
)
DENIES = st.lists(
    st.builds(
        DenyAssignment,
        st.sampled_from([SUB, RG]),
        st.just(("*",)),
        st.sampled_from([(), (P,)]),
        st.just((Permission(actions=("*/read",)),)),
        st.just(WHERE),
        st.booleans(),
    ),
    max_size=1,
)


@settings(max_examples=40, deadline=None)
@given(GRANTS, GRANTS, DENIES, st.booleans())
def test_what_is_contained_is_never_contradicted_by_the_evaluator(new, old, denies, known):
    some = estate(roles=ROLES, denies=denies, parents={SUB: MANAGEMENT} if known else {})
    how = language(some, P, ACTIONS, SCOPES)
    found = contained([Grant(one) for one in new], [Grant(one) for one in old], how)
    tried = [Request(action, scope) for action in ACTIONS for scope in (*SCOPES[2:], f"{SUB}-9/resourcegroups/ml")]
    states = [(how.state([Grant(a) for a in new], one), how.state([Grant(a) for a in old], one)) for one in tried]
    broken = [pair for pair in states if pair[0] is State.YES and pair[1] is State.NO]
    if found.verdict == "contained":
        assert not broken
    if broken:
        assert found.verdict == "not contained"


def test_logs_are_needs_and_what_failed_is_not():
    claim = {"claims": {"http://schemas.microsoft.com/identity/claims/objectidentifier": P.upper()}}
    made = {
        "authorization": {
            "action": "Microsoft.MachineLearningServices/workspaces/jobs/write",
            "scope": f"{RG}/providers/x/y/z",
        }
    }
    records = [
        {"time": "t", "resourceId": STORE.upper(), "operationName": KEYS.upper(), "resultType": "Success", "identity": claim},
        {"time": "t", "resourceId": RG, "operationName": "x", "resultType": "Success", "identity": {**claim, **made}},
        {"time": "t", "resourceId": RG, "operationName": "Microsoft.A/b/write", "resultType": "Failure", "identity": claim},
        {
            "time": "t",
            "resourceId": f"{STORE}/blobServices/default",
            "operationName": "GetBlob",
            "statusCode": 200,
            "uri": "https://models.blob.core.windows.net:443/prod/a.bin?x=1",
            "identity": {
                "type": "OAuth",
                "requester": {"objectId": P},
                "authorization": [{"action": f"{BLOBS}/read", "result": "Granted"}],
            },
        },
        {"time": "t", "resourceId": f"{STORE}/blobServices/default", "operationName": "GetBlob", "identity": {"type": "AccountKey"}},
        {
            "time": "t",
            "resourceId": f"{RG}/providers/Microsoft.KeyVault/vaults/v",
            "operationName": "SecretGet",
            "resultType": "Success",
            "identity": {"claim": {"oid": P}},
            "properties": {"id": "https://v.vault.azure.net/secrets/db/123", "httpStatusCode": 200},
        },
        {
            "time": "t",
            "resourceId": f"{RG}/providers/Microsoft.KeyVault/vaults/v",
            "operationName": "SecretGet",
            "identity": {"claim": {"oid": P}},
            "properties": {"httpStatusCode": 403},
        },
    ]  # fmt: skip
    want = {
        (KEYS.upper(), STORE.upper()),
        ("Microsoft.MachineLearningServices/workspaces/jobs/write", RG),
        (f"data:{BLOBS}/read", f"{STORE}/blobServices/default/containers/prod"),
        (
            "data:Microsoft.KeyVault/vaults/secrets/getSecret/action",
            f"{RG}/providers/Microsoft.KeyVault/vaults/v/secrets/db",
        ),
    }
    for name, text in (
        ("log.json", json.dumps({"records": records})),
        ("PT1H.json", "\n".join(map(json.dumps, records))),
        ("list.json", json.dumps(records)),
    ):
        found = assess([source_file(name, text.encode())], NOW)
        assert {(one.action, one.resource) for one in found.estates.azure.uses} == want
        assert {one.principal for one in found.estates.azure.uses} == {f"azure:principal:{P}"}
        assert found.reading.read == {name}
        assert not found.reading.skipped


def test_the_new_assignments_are_what_the_evaluator_allows():
    found = least([(f"{BLOBS}/read", BOX)], assigned("Storage Blob Data Reader", SUB))
    role, assignment = found.policy
    new = estate(
        assigned(role["Name"], assignment["scope"]),
        roles=[custom(role["Name"].lower(), data_actions=tuple(role["DataActions"]))],
    )
    assert Access(new).can(P, f"{BLOBS}/read", f"{BOX}/blobs/a", data=True).state is State.YES
    assert Access(new).can(P, f"{BLOBS}/read", STORE, data=True).state is State.NO
