"""Least bindings: what solvers say of them is what the evaluator says, and the least is least."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clouds import NOW, assessed

from assaymark.assess.conjuncts import conjuncts
from assaymark.assess.engine import assess
from assaymark.assess.estate.gcp import MANAGER, Binding, DenyRule, Gcp, Resource, Role
from assaymark.assess.files import source_file
from assaymark.assess.gcp.evaluate import Access
from assaymark.assess.gcp.formulas import Grant, Request, language
from assaymark.assess.gcp.least import least_bindings, members
from assaymark.assess.gcp.places import place_of
from assaymark.assess.proofs import contained
from assaymark.core.graph import Because, State

pytest.importorskip("z3")
pytest.importorskip("cvc5")
WHERE = Because("a.json", 1, "0")
ME = "serviceAccount:trainer@acme.iam.gserviceaccount.com"
PROJECT, FOLDER, ORGANISATION = f"{MANAGER}projects/acme", f"{MANAGER}folders/7", f"{MANAGER}organizations/1"
BUCKET, OTHER = "//storage.googleapis.com/models", "//storage.googleapis.com/logs"
READ, WRITE = "storage.objects.get", "storage.objects.create"


def estate(*bindings, **more):
    found = Gcp(bindings=list(bindings), **more)
    for name in (BUCKET, OTHER):
        found.resources[name] = Resource(name, "storage:bucket", "acme", WHERE)
    found.whole |= {BUCKET, OTHER}
    found.parents |= {PROJECT: FOLDER, FOLDER: ORGANISATION}
    return found


def bound(role, place=PROJECT, who=ME, condition=None):
    return Binding(place, role, (who,), WHERE, condition)


def least(needs, *bindings, **more):
    return least_bindings(estate(*bindings, **more), ME, needs, NOW)


def granted(found):
    return [
        (one["resource"], role["includedPermissions"], one.get("condition", {}).get("expression"))
        for role, one in zip(found.policy[::2], found.policy[1::2], strict=True)
    ]


def test_one_role_for_each_place_that_the_needs_name():
    found = least([(READ, BUCKET), (WRITE, BUCKET), (WRITE, OTHER)], bound("roles/storage.objectAdmin", FOLDER))
    assert found.proved
    assert granted(found) == [(OTHER, [WRITE], None), (BUCKET, [WRITE, READ], None)]
    assert found.policy[0]["name"] == "projects/acme/roles/trainer_least_1"
    assert found.policy[1]["role"] == "projects/acme/roles/trainer_least_1"
    assert found.policy[1]["members"] == [ME]


def test_a_need_in_a_project_holds_those_in_it():
    found = least([(READ, BUCKET), (READ, PROJECT)], bound("roles/storage.objectViewer", ORGANISATION))
    assert granted(found) == [(PROJECT, [READ], None)]
    assert found.proved


def test_what_the_old_ones_do_not_allow_is_never_granted():
    found = least([(READ, BUCKET), (WRITE, BUCKET), (READ, OTHER)], bound("roles/storage.objectViewer", BUCKET))
    assert found.uncovered == ((WRITE, BUCKET), (READ, OTHER))
    assert granted(found) == [(BUCKET, [READ], None)]
    assert found.within.verdict == "contained"
    assert not found.proved


def test_what_no_table_speaks_of_is_not_decided_and_not_granted():
    found = least([("storage.nobody.asks", BUCKET)], bound("roles/storage.objectViewer"))
    assert found.undecided == (("storage.nobody.asks", BUCKET),)
    found = least([(READ, BUCKET)], bound("organizations/1/roles/lost"))
    assert found.undecided
    assert not found.policy


def test_custom_roles_are_as_the_files_say():
    roles = {"projects/acme/roles/r": Role("projects/acme/roles/r", (READ,), WHERE)}
    assert least([(READ, BUCKET)], bound("projects/acme/roles/r"), roles=roles).proved
    assert least([(WRITE, BUCKET)], bound("projects/acme/roles/r"), roles=roles).uncovered


def test_conditions_stay_unless_another_binding_has_none():
    text = 'resource.name.startsWith("projects/_/buckets/models/objects/prod/")'
    found = least([(READ, BUCKET)], bound("roles/storage.objectViewer", condition=text))
    assert found.proved
    assert granted(found) == [(BUCKET, [READ], text)]
    old = bound("roles/storage.objectViewer", condition=text), bound("roles/storage.objectAdmin", BUCKET)
    assert granted(least([(READ, BUCKET)], *old)) == [(BUCKET, [READ], None)]
    over = "request.time < timestamp('2020-01-01T00:00:00Z')"
    old = bound("roles/storage.objectViewer", condition=over), bound("roles/storage.objectViewer", condition=text)
    assert granted(least([(READ, BUCKET)], *old)) == [(BUCKET, [READ], text)]
    assert least([(READ, BUCKET)], old[0]).uncovered
    other = text.replace("prod", "test")
    old = bound("roles/storage.objectViewer", condition=other), bound("roles/storage.objectViewer", condition=text)
    assert {one[2] for one in granted(least([(READ, BUCKET)], *old))} == {text, other}


def test_deny_policies_stand_and_what_they_take_is_not_allowed():
    rule = DenyRule(PROJECT, ("principalSet://goog/public:all",), ("storage.googleapis.com/objects.create",), WHERE)
    found = least([(READ, BUCKET), (WRITE, BUCKET)], bound("roles/storage.objectAdmin", FOLDER), denies=[rule])
    assert found.uncovered == ((WRITE, BUCKET),)
    assert granted(found) == [(BUCKET, [READ], None)]
    found = least([(WRITE, FOLDER)], bound("roles/storage.objectAdmin", FOLDER), denies=[rule])
    assert found.proved
    assert found.policy[0]["name"] == "organizations/1/roles/trainer_least_1"


def test_what_a_member_holds_through_groups_is_old():
    old = bound("roles/storage.objectViewer", who="group:ml@acme.com")
    found = least([(READ, BUCKET)], old, groups={"group:ml@acme.com": {ME: WHERE}})
    assert found.proved
    assert found.replaces[0].name.endswith("through group:ml@acme.com")


def asked(new, old, **more):
    some = estate(**more)
    how = language(some, ME, [READ, WRITE], [one.resource for one in (*new, *old)], NOW)
    return contained([Grant(one) for one in new], [Grant(one) for one in old], how)


def test_a_counter_example_is_a_permission_on_a_resource_that_could_be():
    found = asked([bound("roles/storage.objectViewer")], [bound("roles/storage.objectViewer", BUCKET)])
    assert found.verdict == "not contained"
    assert found.example.action == READ
    assert found.example.resource in (PROJECT, "//storage.googleapis.com/projects/acme/things/example")
    found = asked([bound("roles/storage.objectAdmin", BUCKET)], [bound("roles/storage.objectViewer", BUCKET)])
    assert (found.example.action, found.example.resource) == (WRITE, BUCKET)
    assert asked(
        [bound("roles/storage.objectAdmin", BUCKET)], [bound("roles/storage.admin", ORGANISATION)]
    ).verdict == ("contained")


ROLES = {
    name: Role(name, permissions, WHERE)
    for name, permissions in (("r", (READ,)), ("w", (WRITE,)), ("b", (READ, WRITE)))
}
PLACES = [PROJECT, FOLDER, ORGANISATION, BUCKET, OTHER, f"{MANAGER}projects/else"]
CONDITION = "request.time < timestamp('2020-01-01T00:00:00Z')"
BINDINGS = st.lists(
    st.builds(
        lambda role, place, condition: bound(role, place, condition=condition),
        st.sampled_from(["r", "w", "b", "missing"]),
        st.sampled_from(PLACES),
        st.sampled_from([None, None, CONDITION]),
    ),
    min_size=1,
    max_size=2,
)
DENIES = st.lists(
    st.builds(
        DenyRule,
        st.sampled_from([PROJECT, FOLDER]),
        st.sampled_from([("principalSet://goog/public:all",), ("principalSet://goog/group/x@y.z",)]),
        st.just(("storage.googleapis.com/objects.*",)),
        st.just(WHERE),
    ),
    max_size=1,
)


@settings(max_examples=40, deadline=None)
@given(BINDINGS, BINDINGS, DENIES)
def test_what_is_contained_is_never_contradicted_by_the_evaluator(new, old, denies):
    some = estate(roles=ROLES, denies=denies)
    how = language(some, ME, [READ, WRITE], PLACES, NOW)
    sides = [Grant(one) for one in new], [Grant(one) for one in old]
    found = contained(*sides, how)
    made = "//storage.googleapis.com/projects/acme/things/x"
    tried = [Request(permission, place) for permission in (READ, WRITE) for place in (*PLACES, made)]
    broken = [one for one in tried if (how.state(sides[0], one), how.state(sides[1], one)) == (State.YES, State.NO)]
    if found.verdict == "contained":
        assert not broken
    if broken:
        assert found.verdict == "not contained"
    if found.example is not None:
        one = Request(found.example.action, found.example.resource)
        assert how.state(sides[0], one) is not State.NO
        assert how.state(sides[1], one) is State.NO


@pytest.mark.parametrize(
    ("text", "service", "place"),
    [
        ("projects/_/buckets/models/objects/a/b", "storage", BUCKET),
        ("projects/acme", "resourcemanager", PROJECT),
        ("projects/12", "storage", PROJECT),
        ("projects/acme/datasets/d/tables/t", "bigquery", "//bigquery.googleapis.com/projects/acme/datasets/d"),
        ("projects/12/secrets/s/versions/1", "secretmanager", "//secretmanager.googleapis.com/projects/acme/secrets/s"),
        ("projects/acme/locations/us/customJobs/1", "aiplatform", PROJECT),
        ("projects/-/serviceAccounts/x@acme.iam.gserviceaccount.com", "iam",
         "//iam.googleapis.com/projects/acme/serviceAccounts/x@acme.iam.gserviceaccount.com"),
        ("projects/_/nothing", "storage", ""),
        ("//storage.googleapis.com/models", "storage", BUCKET),
        ("organizations/1", "x", ORGANISATION),
    ],
)  # fmt: skip
def test_where_a_role_is_bound_for_what_is_named(text, service, place):
    assert place_of(estate(numbers={"12": "acme"}), text, service) == place


def entry(*checks, who="trainer@acme.iam.gserviceaccount.com", **more):
    made = [{"resource": what, "permission": name, "granted": granted} for what, name, granted in checks]
    payload = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": who},
    }
    return {"protoPayload": {**payload, "authorizationInfo": made, **more}, "timestamp": "t"}


def test_audit_logs_are_needs_and_what_was_not_granted_is_not():
    events = [
        entry(("projects/_/buckets/models/objects/a", READ, True), ("projects/_/buckets/models", WRITE, False)),
        entry(("projects/acme/topics/t", "pubsub.topics.publish", True)),
        entry(("projects/acme", "storage.buckets.list", True), status={"code": 7}),
        entry(("projects/acme", "storage.buckets.list", True), who="Ann@acme.com", status={}),
    ]
    want = {
        (ME, READ, BUCKET),
        (ME, "pubsub.topics.publish", "//pubsub.googleapis.com/projects/acme/topics/t"),
        ("user:ann@acme.com", "storage.buckets.list", PROJECT),
    }
    lines = "\n".join(map(json.dumps, events))
    for name, text in (("log.json", json.dumps(events)), ("log.jsonl", lines), ("lines.json", lines)):
        found = assess([source_file(name, text.encode())], NOW)
        assert {(one.principal, one.action, one.resource) for one in found.estates.gcp.uses} == want
        assert found.reading.read == {name}
        assert not found.reading.skipped


def test_members_by_their_nodes():
    text = (
        'provider "google" {\n project = "acme"\n}\nresource "google_service_account" "t" {\n account_id = "trainer"\n}\n'
        'resource "google_project_iam_member" "m" {\n project = "acme"\n role = "roles/editor"\n member = "user:a@b.c"\n}\n'
    )
    found = members(assessed(a_tf=text).estates.gcp)
    assert found == {
        "//iam.googleapis.com/projects/acme/serviceAccounts/trainer@acme.iam.gserviceaccount.com": ME,
        "user:a@b.c": "user:a@b.c",
    }


def test_a_project_is_known_by_its_number_from_what_the_inventory_says_of_it():
    manager = "//cloudresourcemanager.googleapis.com"
    above = {"folders": ["folders/7"], "organization": "organizations/9"}
    owner = {"bindings": [{"role": "roles/owner", "members": ["group:ml@acme.com"]}]}
    listed = [
        {"resource": f"{manager}/projects/acme", "project": "projects/12", **above, "policy": {"bindings": []}},
        {"resource": f"{manager}/folders/7", **above, "policy": owner},
    ]
    found = assess([source_file("policies.json", json.dumps(listed).encode())], NOW)
    access = Access(found.estates.gcp, NOW)
    assert access.chain(f"{manager}/projects/acme")[1:] == (f"{manager}/folders/7", f"{manager}/organizations/9")
    needs = [("secretmanager.versions.access", f"{manager}/projects/acme")]
    assert least_bindings(found.estates.gcp, "group:ml@acme.com", needs, NOW).proved


IN_A = "resource.name.startsWith('projects/_/buckets/models/objects/a/')"
IN_AB = "resource.name.startsWith('projects/_/buckets/models/objects/a/b/')"
OFFICE = "request.time.getHours('Europe/Berlin') >= 9 && request.time.getHours('Europe/Berlin') < 17"


def test_of_conditions_that_allow_a_need_those_within_others_go():
    viewer = "roles/storage.objectViewer"
    found = least([(READ, BUCKET)], bound(viewer, condition=IN_AB), bound(viewer, BUCKET, condition=IN_A))
    assert found.proved
    assert granted(found) == [(BUCKET, [READ], IN_A)]
    assert least([(READ, BUCKET)], bound(viewer, condition=IN_A), bound(viewer, condition=IN_A)).proved
    found = least([(READ, BUCKET)], bound(viewer, condition=OFFICE), bound(viewer, condition=IN_A))
    assert found.proved  # neither is within the other: without either, something is lost that is shown
    assert {one[2] for one in granted(found)} == {OFFICE, IN_A}


def test_a_part_of_a_condition_that_keeps_nobody_out_goes():
    inside = "resource.name.startsWith('projects/_/buckets/models')"
    found = least([(READ, BUCKET)], bound("roles/storage.objectViewer", condition=inside))
    assert found.proved
    assert granted(found) == [(BUCKET, [READ], None)]
    found = least([(READ, BUCKET)], bound("roles/storage.objectViewer", condition=f"({inside}) && {IN_A}"))
    assert found.proved
    assert granted(found) == [(BUCKET, [READ], IN_A)]
    whole = (
        bound("roles/storage.objectViewer", condition=IN_A),
        bound("roles/storage.objectViewer", condition=f"!{IN_A}"),
    )
    found = least([(READ, BUCKET)], *whole)
    assert found.proved
    assert granted(found) == [(BUCKET, [READ], None)]


OF_SECRETS = "resource.type == 'secretmanager.googleapis.com/Secret'"
OTHERS = "resource.name.startsWith('projects/_/buckets/logs/')"


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        (f"{OF_SECRETS} || {IN_A}", IN_A),
        (f"{IN_A} || {OTHERS} || {OF_SECRETS}", IN_A),
        (f"({OTHERS} || ({IN_A} && {OFFICE}))", f"{IN_A} && {OFFICE}"),
        (f"({OFFICE}) && ({IN_A} || {OF_SECRETS})", f"({OFFICE}) && ({IN_A})"),
    ],
)
def test_an_alternative_that_cannot_hold_for_what_is_needed_goes(condition, left):
    found = least([(READ, BUCKET)], bound("roles/storage.objectViewer", condition=condition))
    assert found.proved
    (one,) = granted(found)
    assert sorted(conjuncts(one[2])) == sorted(conjuncts(left))


def test_an_alternative_that_a_need_may_hold_by_stays():
    both = f"{IN_A} || {OTHERS}"
    found = least([(READ, BUCKET), (READ, OTHER)], bound("roles/storage.objectViewer", condition=both))
    assert found.proved
    assert {one[0]: one[2] for one in granted(found)}[BUCKET] == IN_A
    either = f"{IN_A} || {OFFICE}"
    found = least([(READ, BUCKET)], bound("roles/storage.objectViewer", condition=either))
    assert [one[2] for one in granted(found)] == [either]


@pytest.mark.parametrize("text", [IN_A, OFFICE, "resource.matchTag('1/env', 'prod')", "resource.name.matches('a+')"])
def test_a_condition_that_the_old_ones_have_is_missed_with_a_request_that_shows_it(text):
    viewer = "roles/storage.objectViewer"
    found = asked([bound(viewer)], [bound(viewer, condition=text)])
    if "matches" in text:
        assert found.verdict == "unknown"  # the evaluator does not read regular expressions either
        return
    assert found.verdict == "not contained"
    assert found.example.action.startswith("storage.")
    assert found.example.context or found.example.absent


def test_a_deny_policy_under_a_tag_takes_what_has_the_tag():
    rule = DenyRule(
        PROJECT,
        ("principalSet://goog/public:all",),
        ("storage.googleapis.com/objects.create",),
        WHERE,
        condition="resource.matchTag('1/env', 'prod')",
    )
    admin = "roles/storage.objectAdmin"
    assert asked([bound(admin)], [bound(admin)], denies=[rule]).verdict == "contained"
    found = asked([bound(admin, condition="!resource.matchTag('1/env', 'prod')")], [bound(admin)], denies=[rule])
    assert found.verdict == "contained"
