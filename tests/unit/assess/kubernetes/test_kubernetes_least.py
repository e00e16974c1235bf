"""Least roles: what solvers say of them is what the API server's rules say, and the least is least."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clouds import NOW

from assaymark.assess.engine import assess
from assaymark.assess.estate.use import Use
from assaymark.assess.files import source_file
from assaymark.assess.kubernetes.formulas import language
from assaymark.assess.kubernetes.least import counts_as, held_by, least_roles, merged, subjects
from assaymark.assess.kubernetes.needs import holds, needed_rule
from assaymark.assess.kubernetes.rbac import Request, Rule, Subject, permits
from assaymark.assess.kubernetes.used import lasting
from assaymark.assess.proofs import contained

pytest.importorskip("z3")
pytest.importorskip("cvc5")
ACCOUNT = Subject("ServiceAccount", "ml", "trainer")
HEAD = "apiVersion: rbac.authorization.k8s.io/v1\n"
SUBJECT = "subjects: [{kind: ServiceAccount, name: trainer, namespace: ml}]\n"


def binding(role, namespace="", kind="ClusterRole", who=SUBJECT):
    head = f"kind: {'RoleBinding' if namespace else 'ClusterRoleBinding'}\nmetadata: {{name: b-{role}"
    return f"{HEAD}{head}{f', namespace: {namespace}' if namespace else ''}}}\nroleRef: {{kind: {kind}, name: '{role}'}}\n{who}"


def role(name, *rules, **more):
    return f"{HEAD}kind: ClusterRole\nmetadata: {json.dumps({'name': name, **more})}\nrules: {json.dumps(rules)}\n"


def rule(groups, resources, verbs, **more):
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, **more}


def least(needs, *documents, subject=ACCOUNT):
    text = "\n---\n".join(documents)
    found = assess([source_file("a.yaml", text.encode())], NOW)
    return least_roles(found.estates.kubernetes, subject, needs)


def rules_of(rewrite):
    return [
        (one["kind"], one["metadata"].get("namespace", ""), one["rules"])
        for one in rewrite.policy
        if one["kind"].endswith("Role")
    ]


def test_a_role_for_each_namespace_and_a_cluster_role_only_for_what_is_needed_everywhere():
    needs = [("get secrets", "ml/db"), ("list pods", "data"), ("watch pods", "data"), ("get nodes", "*")]
    found = least(needs, binding("cluster-admin"))
    assert found.proved
    assert rules_of(found) == [
        ("ClusterRole", "", [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]),
        ("Role", "data", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}]),
        ("Role", "ml", [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["db"], "verbs": ["get"]}]),
    ]
    assert found.within.solvers[0].startswith("cvc5")
    (bound,) = [one for one in found.policy if one["kind"] == "ClusterRoleBinding"]
    assert bound["subjects"] == [{"kind": "ServiceAccount", "name": "trainer", "namespace": "ml"}]


def test_needs_that_the_old_ones_do_not_allow_are_never_granted():
    found = least([("get secrets", "ml"), ("get secrets", "other"), ("list nodes", "*")], binding("edit", "ml"))
    assert set(found.uncovered) == {("get secrets", "other"), ("list nodes", "*")}
    assert not found.proved
    assert found.within.verdict == "contained"
    assert len(rules_of(found)) == 1


def test_what_a_component_s_role_allows_is_not_decided():
    found = least([("list pods", "ml")], binding("system:node"), binding("nowhere"))
    assert found.uncovered == ()
    assert not found.undecided
    found = least([("update leases.coordination.k8s.io", "ml")], binding("nowhere"))
    assert found.undecided == (("update leases.coordination.k8s.io", "ml"),)
    assert not found.proved


def test_creating_has_no_name_that_a_rule_could_ask_for():
    named = role("c", rule([""], ["pods", "pods/exec"], ["create", "deletecollection"], resourceNames=["a"]))
    needs = [("create pods", "ml/a"), ("deletecollection pods", "ml/a"), ("create pods/exec", "ml/a")]
    found = least(needs, binding("c", "ml"), named)
    assert set(found.uncovered) == {("create pods", "ml"), ("deletecollection pods", "ml")}
    assert rules_of(found)[0][2][0]["resources"] == ["pods/exec"]


@pytest.mark.parametrize(
    ("rules", "need", "covered"),
    [
        (rule([""], ["*"], ["get"]), ("get pods/log", "ml"), True),
        (rule(["*"], ["*/scale"], ["*"]), ("patch deployments.apps/scale", "ml/web"), True),
        (rule(["*"], ["*/scale"], ["*"]), ("patch deployments.apps", "ml/web"), False),
        (rule([""], ["pods"], ["*"]), ("get pods/exec", "ml"), False),
        (rule(["apps"], ["jobs"], ["list"]), ("list jobs.batch", "ml"), False),
        (rule([""], ["secrets"], ["list"], resourceNames=["a", "b"]), ("list secrets", "ml/b"), True),
        (rule([""], ["secrets"], ["list"], resourceNames=["a", "b"]), ("list secrets", "ml"), False),
        (rule([], [], ["get"], nonResourceURLs=["/metrics/*"]), ("get /metrics/cadvisor", "*"), True),
        (rule([], [], ["get"], nonResourceURLs=["/metrics"]), ("get /metrics/cadvisor", "*"), False),
    ],
)
def test_wildcards_parts_groups_names_and_paths(rules, need, covered):
    found = least([need], role("c", rules), binding("c"))
    assert found.proved is covered
    assert bool(found.uncovered) is not covered


def test_names_may_have_slashes_and_ids_of_nodes_are_names_too():
    signers = role("c", rule(["certificates.k8s.io"], ["signers"], ["approve"], resourceNames=["example.com/*"]))
    found = least([("approve signers.certificates.k8s.io", "*/example.com/*")], signers, binding("c"))
    assert found.proved
    found = least([("get secrets", "k8s:ml/secret/db")], binding("view"), binding("edit"))
    assert rules_of(found)[0][1:] == (
        "ml",
        [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["db"], "verbs": ["get"]}],
    )


def test_paths_are_of_the_whole_cluster_only():
    paths = role("c", rule([], [], ["get"], nonResourceURLs=["*"]))
    assert least([("get /metrics", "*")], paths, binding("c", "ml")).uncovered
    assert least([("get /metrics", "*")], paths, binding("c")).proved


def test_aggregated_roles_and_groups_count_as_old():
    whole = HEAD + (
        "kind: ClusterRole\nmetadata: {name: whole}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}\n"
    )
    part = role("part", rule([""], ["secrets"], ["get"]), labels={"a": "b"})
    group = "subjects: [{kind: Group, name: 'system:serviceaccounts:ml'}]\n"
    found = least([("get secrets", "ml/db")], whole, part, binding("whole", who=group))
    assert found.proved
    assert "through the group system:serviceaccounts:ml" in found.replaces[0].name


def test_a_counter_example_has_real_names_and_is_repeated():
    old = [Rule(("",), ("secrets",), ("get",), ("db",), "ml", ())]
    new = [Rule(("",), ("secrets",), ("get", "list"), (), "ml", ())]
    found = contained(new, old, language([*new, *old]))
    assert found.verdict == "not contained"
    assert found.example is not None
    assert found.example.action.partition(" ")[0] in ("get", "list")
    assert found.example.action.endswith(" secrets")
    assert found.example.resource.startswith("ml")


def test_what_could_still_be_dropped_is_found():
    needed = merged([one for one in [needed_rule("get secrets", "ml/db")] if one])
    how = language(needed)
    wide = Rule(("",), ("secrets", "pods"), ("get",), ("db", "x"), "ml", ())
    smaller = dict(how.smaller(wide))
    assert contained(needed, [smaller["resources pods"]], how).verdict == "contained"
    assert contained(needed, [smaller["resources secrets"]], how).verdict == "not contained"
    assert contained(needed, [smaller["names x"]], how).verdict == "contained"
    assert smaller["the rule in ml"] is None


def event(who, verb, stage="ResponseComplete", code=200, uri="/x", **about):
    head = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": stage, "verb": verb, "requestURI": uri}
    body = {"user": {"username": who}, "responseStatus": {"code": code}}
    return {**head, **body, **({"objectRef": about} if about else {})}


def test_audit_logs_are_needs_and_refused_requests_are_not():
    me = "system:serviceaccount:ml:trainer"
    events = [
        event(me, "get", resource="secrets", namespace="ml", name="db"),
        event(me, "create", resource="jobs", apiGroup="batch", namespace="ml", name="j"),
        event(me, "create", resource="pods", subresource="exec", namespace="ml", name="p", code=101),
        event(me, "list", resource="nodes"),
        event(me, "list", resource="secrets", namespace="kube-system", code=403),
        event(me, "get", resource="pods", namespace="ml", stage="RequestReceived"),
        event(me, "get", uri="/metrics?x=1"),
        event(me, "get", uri="/apis/batch/v1"),
        event(me, "create", resource="selfsubjectaccessreviews", apiGroup="authorization.k8s.io"),
        {
            **event("alice", "get", resource="pods", namespace="ml"),
            "impersonatedUser": {"username": me, "groups": []},
        },
    ]
    want = {
        ("get secrets", "ml/db"),
        ("create jobs.batch", "ml/j"),
        ("create pods/exec", "ml/p"),
        ("list nodes", "*"),
        ("get /metrics", "*"),
        ("get pods", "ml"),
    }
    lines = "\n".join(map(json.dumps, events)) + '\n{"kind":'
    whole = json.dumps({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": events})
    for name, text in (("audit.log", lines), ("audit.json", whole), ("a.jsonl", lines)):
        found = assess([source_file(name, text.encode())], NOW)
        uses = found.estates.kubernetes.uses
        assert {(one.action, one.resource) for one in uses if "trainer" in one.principal} == want
        assert ("k8s:-/user/alice", "impersonate serviceaccounts", "ml/trainer") in {
            (one.principal, one.action, one.resource) for one in uses
        }
        assert found.reading.read == {name}
        assert [one.reason for one in found.reading.skipped] == (
            [] if text == whole else ["line 11: an entry of a log that is no JSON"]
        )


def test_names_that_are_others_the_next_time_are_not_asked_for():
    cluster = assess(
        [source_file("a.yaml", b"apiVersion: v1\nkind: Pod\nmetadata: {name: fixed, namespace: ml}\n")], NOW
    )
    where = cluster.inputs.files[0].because(1)
    uses = [
        Use("a", "get pods/log", "ml/train-x1", where),
        Use("a", "get pods", "ml/fixed", where),
        Use("a", "create jobs.batch", "ml", where),
        Use("a", "delete jobs.batch", "ml/train-7", where),
        Use("b", "delete jobs.batch", "ml/nightly", where),
        Use("a", "get secrets", "ml/db", where),
    ]
    found = [one.resource for one in lasting(uses, cluster.estates.kubernetes)]
    assert found == ["ml", "ml/fixed", "ml", "ml", "ml/nightly", "ml/db"]


WORDS = st.sampled_from(["a", "b", "*"])
NAMES = st.sampled_from(["a", "b"])
RULES = st.builds(
    lambda groups, resources, verbs, names, namespace: Rule(groups, resources, verbs, names, namespace, ()),
    st.tuples(WORDS),
    st.lists(st.sampled_from(["a", "b", "a/x", "*", "*/x"]), min_size=1, max_size=2).map(tuple),
    st.lists(st.sampled_from(["get", "create", "*"]), min_size=1, max_size=2).map(tuple),
    st.lists(NAMES, max_size=2).map(tuple),
    st.sampled_from(["", "a", "b"]),
)
REQUESTS = [
    Request(verb, group, resource, name, namespace)
    for verb in ("get", "create", "list")
    for group in ("a", "c")
    for resource in ("a", "b", "a/x", "c/x")
    for name in ("", "a", "c")
    for namespace in ("", "a", "c")
    if not (verb == "create" and name and "/" not in resource)
]


@settings(max_examples=40, deadline=None)
@given(st.lists(RULES, min_size=1, max_size=2), st.lists(RULES, min_size=1, max_size=2))
def test_what_is_contained_is_so_for_every_request_that_was_tried(new, old):
    found = contained(new, old, language([*new, *old]))
    broken = [one for one in REQUESTS if permits(new, one) and not permits(old, one)]
    assert found.verdict == ("not contained" if broken else found.verdict)
    assert found.verdict != "unknown"
    assert (found.example is not None) == (found.verdict == "not contained")


NEEDS = st.tuples(
    st.sampled_from(
        ["get secrets", "list secrets", "create pods", "create pods/exec", "get jobs.batch", "get /metrics"]
    ),
    st.sampled_from(["ml", "ml/a", "ml/b", "x", "*", "*/a"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(NEEDS, min_size=1, max_size=6))
def test_the_least_roles_allow_what_is_needed_and_nothing_can_be_dropped(needs):
    found = least(needs, binding("cluster-admin"))
    assert found.proved, (found.droppable, found.covers, found.within)
    rules = merged([one for need in needs if (one := needed_rule(*need))])
    assert all(any(holds(rule, needed_rule(*need)) for rule in rules) for need in needs)
    written = assess([source_file("new.json", json.dumps(found.policy).encode())], NOW).estates.kubernetes
    again = [rule for one in held_by(written, ACCOUNT) for rule in one.rules]
    wanted = [needed_rule(*need) for need in needs]
    for verb, group, what in (
        ("get", "", "secrets"),
        ("list", "", "secrets"),
        ("create", "", "pods/exec"),
        ("get", "batch", "jobs"),
    ):
        for name, namespace in (("", "ml"), ("a", "ml"), ("c", "ml"), ("a", ""), ("c", "x"), ("a", "y")):
            one = Request(verb, group, what, name, namespace)
            assert permits(again, one) == permits(wanted, one)


def test_whom_bindings_name_and_what_they_count_as():
    found = assess([source_file("a.yaml", binding("view", who="subjects: [{kind: User, name: u}]\n").encode())], NOW)
    assert set(subjects(found.estates.kubernetes)) == {"k8s:-/user/u"}
    assert [one.name for one in counts_as(Subject("User", "", "u"))] == ["u", "system:authenticated"]
