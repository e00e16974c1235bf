"""Closure, walks, cuts and proofs of isolation over graphs, held against plain definitions of each."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.assess.graph import Builder, States
from assaymark.assess.paths.closure import Closure, bits, components
from assaymark.assess.paths.cuts import minimum_cut
from assaymark.assess.paths.isolation import check_isolation, isolated
from assaymark.assess.paths.ranked import ranked_paths
from assaymark.assess.paths.search import Search
from assaymark.core.graph import Because, Edge, State
from assaymark.core.report import Severity

HERE = (Because("a.tf", 1, "0" * 64),)


def reachable(arcs: list[list[int]], start: int) -> set[int]:
    found, pending = {start}, [start]
    while pending:
        for other in arcs[pending.pop()]:
            if other not in found:
                found.add(other)
                pending.append(other)
    return found


digraphs = st.integers(1, 12).flatmap(
    lambda count: st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=3 * count).map(
        lambda pairs: [[b for a, b in pairs if a == vertex] for vertex in range(count)]
    )
)


@settings(max_examples=200, deadline=None)
@given(digraphs)
def test_the_closure_is_what_walks_reach(arcs):
    closure = Closure(arcs)
    for vertex in range(len(arcs)):
        assert set(bits(closure.reach(vertex))) == reachable(arcs, vertex)
        for other in range(len(arcs)):
            assert closure.leads(vertex, other) is (other in reachable(arcs, vertex))


@settings(max_examples=100, deadline=None)
@given(digraphs)
def test_a_component_leads_to_smaller_numbers_only(arcs):
    component, count = components(arcs)
    assert set(component) == set(range(count))
    for vertex, ahead in enumerate(arcs):
        for other in ahead:
            assert component[other] <= component[vertex]
            assert (component[other] == component[vertex]) is (vertex in reachable(arcs, other))


def test_a_long_chain_needs_no_recursion():
    count = 20_000
    closure = Closure([[vertex + 1] if vertex + 1 < count else [] for vertex in range(count)])
    assert closure.leads(0, count - 1)
    assert not closure.leads(count - 1, 0)


def graph_of(edges, entries=(), targets=(), states=(), relation="assumes"):
    builder = Builder()
    names = sorted({name for pair in edges for name in pair} | set(entries) | set(targets))
    for name in names:
        props = {}
        if name in entries:
            props["entry"] = "internet"
        if name in targets:
            props["target"] = "administrator"
        builder.node(name, "role", name, HERE, **props)
    for index, (source, target) in enumerate(edges):
        doubtful = index in states
        builder.edge(
            Edge(
                source,
                target,
                relation,
                "how",
                HERE,
                State.UNKNOWN if doubtful else State.YES,
                ("a condition holds",) if doubtful else (),
            )
        )
    return builder.graph()


names = st.sampled_from("abcdefg")
edge_lists = st.lists(st.tuples(names, names).filter(lambda pair: pair[0] != pair[1]), max_size=14, unique=True)


@settings(max_examples=150, deadline=None)
@given(edge_lists)
def test_a_cut_separates_and_none_is_smaller(edges):
    states = States(graph_of(edges, ["a"], ["g"]))
    start, end = [states.number["a", "control"]], [states.number["g", "control"]]
    cut = minimum_cut(states, start, end)
    assert cut is not None

    def connected(removed):
        left = [pair for pair in edges if pair not in removed]
        found, pending = {"a"}, ["a"]
        while pending:
            here = pending.pop()
            for source, target in left:
                if source == here and target not in found:
                    found.add(target)
                    pending.append(target)
        return "g" in found

    chosen = {(edge.source, edge.target) for edge in cut}
    assert not connected(chosen)
    for size in range(len(chosen)):
        assert all(connected(set(some)) for some in combinations(edges, size))


def test_what_no_configuration_changes_is_not_cut():
    graph = graph_of([("a", "b")], ["a"], ["b"], relation="runs-as")
    states = States(graph)
    assert minimum_cut(states, [states.number["a", "control"]], [states.number["b", "control"]]) is None


@settings(max_examples=150, deadline=None)
@given(edge_lists, st.sets(st.integers(0, 13)))
def test_isolation_is_proved_by_a_set_that_the_checker_accepts(edges, doubtful):
    graph = graph_of(edges, ["a"], ["g"], doubtful)
    answer = isolated(States(graph), "a", "g")
    certain = [pair for index, pair in enumerate(edges) if index not in doubtful]

    def leads(pairs):
        index = {name: number for number, name in enumerate("abcdefg")}
        arcs = [[index[t] for s, t in pairs if s == name] for name in "abcdefg"]
        return index["g"] in reachable(arcs, 0)

    expected = State.NO if leads(certain) else State.UNKNOWN if leads(edges) else State.YES
    assert answer.state is expected
    if answer.state is State.YES:
        assert check_isolation(graph, "a", "g", answer.closed) == ""
    else:
        assert answer.walk[0].source == "a"
        assert answer.walk[-1].target == "g"
        for one, two in zip(answer.walk, answer.walk[1:], strict=False):
            assert one.target == two.source


def test_a_forged_proof_is_refused():
    graph = graph_of([("a", "b"), ("b", "g")], ["a"], ["g"])
    assert "leaves the set" in check_isolation(graph, "a", "g", [("a", "control")])
    assert "is in the set" in check_isolation(graph, "a", "g", [("a", "control"), ("b", "control"), ("g", "control")])
    assert "is not in the set" in check_isolation(graph, "a", "g", [("b", "control")])
    assert "there is no node" in check_isolation(graph, "a", "g", [("a", "control"), ("z", "control")])


def test_reading_a_bucket_does_not_change_what_loads_it():
    builder = Builder()
    builder.node("reader", "role", "reader", HERE, entry="internet")
    builder.node("writer", "role", "writer", HERE, entry="internet")
    builder.node("bucket", "bucket", "bucket", HERE)
    builder.node("server", "workload", "server", HERE, target="administrator")
    builder.edge(Edge("reader", "bucket", "reads", "how", HERE))
    builder.edge(Edge("writer", "bucket", "writes", "how", HERE))
    builder.edge(Edge("bucket", "server", "loaded-by", "how", HERE))
    ranked = ranked_paths(States(builder.graph()))
    assert [(path.source.id, path.target.id) for path in ranked.paths] == [("writer", "server")]


def test_a_certain_path_goes_before_a_shorter_one_that_is_not():
    edges = [("a", "g"), ("a", "b"), ("b", "c"), ("c", "g")]
    ranked = ranked_paths(States(graph_of(edges, ["a"], ["g"], {0})))
    (path,) = ranked.paths
    assert path.state is State.YES
    assert [step.target for step in path.steps] == ["b", "c", "g"]
    assert path.severity is Severity.CRITICAL


def test_an_unknown_path_says_what_would_decide_it():
    (path,) = ranked_paths(States(graph_of([("a", "g")], ["a"], ["g"], {0}))).paths
    assert path.state is State.UNKNOWN
    assert path.decides == ("a condition holds",)
    assert path.severity is Severity.HIGH


def test_a_search_reaches_what_the_closure_does():
    states = States(graph_of([("a", "b"), ("b", "a"), ("b", "c")], ["a"], ["c"]))
    search = Search(states)
    closure = Closure(search.arcs())
    for state in range(len(states.states)):
        tree = search.tree([state])
        assert set(tree.cost) == set(bits(closure.reach(state)))
