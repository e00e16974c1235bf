"""What a change took away: counted over the inventory of before, doubts against the one who claims a reduction."""

from __future__ import annotations

import pytest

from assaymark.assess.graph import Builder, States
from assaymark.assess.measures import measure
from assaymark.assess.reach import Reach
from assaymark.core.graph import Because, Edge, State

HERE = (Because("a.tf", 1, "0" * 64),)


def world(*edges, environments=("dev", "dev", "prod")):
    """Two roles and a bucket of each environment; edges are (source, target, relation, certain)."""
    builder = Builder()
    for name, environment in zip(("one", "two"), environments, strict=False):
        builder.node(name, "role", name, HERE, boundary={"environment": environment})
    for name, environment in (("near", "dev"), ("far", environments[2])):
        builder.node(name, "bucket", name, HERE, boundary={"environment": environment})
    for source, target, relation, certain in edges:
        state, decides = (State.YES, ()) if certain else (State.UNKNOWN, ("a condition",))
        builder.edge(Edge(source, target, relation, "how", HERE, state, decides))
    graph = builder.graph()
    return Reach(States(graph)), graph


def test_reduction_is_of_triples_by_any_walk():
    before, graph = world(
        ("one", "two", "assumes", True), ("two", "near", "reads", True), ("two", "far", "writes", True)
    )
    after, after_graph = world(("two", "near", "reads", True))
    found = measure(before, graph, after, after_graph, [])
    assert (found.before, found.after) == (4, 1)
    assert found.raw_reduction == pytest.approx(0.75)
    assert (found.cross_boundary_before, found.cross_boundary_after) == (2, 0)


def test_doubt_is_no_access_before_and_access_after():
    doubtful = world(("one", "near", "reads", False))
    certain = world(("one", "near", "reads", True))
    assert measure(*doubtful, *certain, []).before == 0
    assert measure(*doubtful, *certain, []).raw_reduction is None
    assert measure(*certain, *doubtful, []).raw_reduction == 0.0


def test_needed_access_is_no_excess_and_its_loss_is_named():
    before, graph = world(("one", "near", "reads", True), ("one", "far", "reads", True))
    after, after_graph = world(("one", "near", "reads", True))
    needed = [("one", "read", "near")]
    found = measure(before, graph, after, after_graph, needed)
    assert (found.excess_before, found.excess_after, found.lost) == (1, 0, ())
    assert found.excess_reduction == 1.0
    lost = measure(before, graph, *world(), needed)
    assert lost.lost == (("one", "read", "near"),)


def test_a_principal_that_is_gone_reaches_nothing_and_new_things_do_not_count():
    before, graph = world(("one", "near", "reads", True))
    builder = Builder()
    for name, kind, environment in (("three", "role", "dev"), ("near", "bucket", "dev"), ("new", "bucket", "prod")):
        builder.node(name, kind, name, HERE, boundary={"environment": environment})
    for resource in ("new", "near"):
        builder.edge(Edge("three", resource, "reads", "how", HERE))
    changed = builder.graph()
    found = measure(before, graph, Reach(States(changed)), changed, [("one", "read", "near")])
    assert (found.before, found.after) == (1, 0)
    assert (found.new, found.cross_boundary_new) == (2, 1)
    assert found.lost == (("one", "read", "near"),)


def test_what_known_principals_reach_of_new_resources_is_counted_as_new():
    before, graph = world(("one", "near", "reads", True))
    builder = Builder()
    builder.node("one", "role", "one", HERE)
    for resource in ("near", "new"):
        builder.node(resource, "bucket", resource, HERE)
        builder.edge(Edge("one", resource, "reads", "how", HERE))
    changed = builder.graph()
    found = measure(before, graph, Reach(States(changed)), changed, [])
    assert (found.after, found.new, found.cross_boundary_new) == (1, 1, 0)


def test_control_of_a_bucket_is_every_class():
    before, graph = world(("one", "near", "administers", True))
    assert {triple.action for triple in before.triples()} == {"read", "write", "permissions"}
    found = measure(before, graph, before, graph, [])
    assert (found.raw_reduction, found.new) == (0.0, 0)
