"""Lineage and closure, folded from statements; who may append must neither break nor bend them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.evidence import ALICE, BOB, approval, attestation, release, scan

from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError
from assaymark.core.provenance import Material, derivation_predicate
from assaymark.core.statement import ATTEMPT, CONFIGURATION, DATASET, DECISION, KEY_EVENT, PROVENANCE, make_statement
from assaymark.core.subject import Subject
from assaymark.policy.closure import closure, is_closed
from assaymark.policy.lineage import LinkState, lineage_of


def model(name):
    return Subject(name, sha256_digest(name.encode()))


def material(name, kind="model"):
    return Material(name, sha256_digest(name.encode()), kind, declared=True)


def derived(position, child, *parents, by=(ALICE,), operation="fine-tune", kind="model"):
    predicate = derivation_predicate(
        operation, tuple(material(name, kind) for name in parents), builder="x:y", level=0
    )
    return attestation(position, PROVENANCE, predicate, *by, subject=model(child))


def states(lineage):
    return {(link.child, link.name): link.state for link in lineage.links}


def digest(name):
    return model(name).digest


CHAIN = [
    release(1, subject=model("base")),
    attestation(2, DATASET, {"files": 1, "manifest": "0" * 64, "size": 1}, BOB, subject=model("data")),
    derived(3, "tuned", "base"),
    derived(4, "tuned", "data", kind="dataset", by=(BOB,)),
    derived(5, "small", "tuned", operation="quantise"),
]


def test_a_chain_is_followed_to_its_first_ancestors():
    found = lineage_of(model("small"), CHAIN)
    assert [(item.name, item.kind, item.depth) for item in found.ancestors] == [
        ("small", "model", 0),
        ("tuned", "model", 1),
        ("base", "model", 2),
        ("data", "dataset", 2),
    ]
    assert found.broken == ()
    assert found.origins == (digest("base"), digest("data"))
    assert [(link.operation, link.signers) for link in found.links] == [
        ("quantise", ("alice",)),
        ("fine-tune", ("alice",)),
        ("fine-tune", ("bob",)),
    ]


def test_a_subject_without_provenance_is_its_own_first_ancestor():
    found = lineage_of(model("base"), CHAIN)
    assert (len(found.ancestors), found.links, found.origins) == (1, (), (digest("base"),))


def test_a_parent_of_which_nobody_speaks_is_missing():
    found = lineage_of(model("small"), [item for item in CHAIN if item.position != 1])
    (link,) = found.broken
    assert (link.state, link.name, link.position) == (LinkState.MISSING, "base", 3)
    assert digest("base") not in {item.digest for item in found.ancestors}


def test_a_parent_of_which_only_nobody_speaks_is_missing_too():
    unsigned = attestation(1, DATASET, {}, subject=model("base"))
    found = lineage_of(model("small"), [unsigned, *CHAIN[1:]])
    assert [link.state for link in found.broken] == [LinkState.MISSING]


def test_a_derivation_that_nobody_signed_is_forged():
    found = lineage_of(model("small"), [*CHAIN[:4], derived(5, "small", "tuned", by=())])
    (link,) = found.broken
    assert (link.state, link.child, link.name) == (LinkState.FORGED, digest("small"), "tuned")
    assert "nobody" in link.message


def test_whoever_may_append_breaks_no_lineage():
    """An unsigned claim beside a signed one claims nothing: else anybody could stop every model."""
    junk = [derived(9, "small", "evil", by=()), attestation(10, PROVENANCE, {}, subject=model("small"))]
    assert lineage_of(model("small"), [*CHAIN, *junk]) == lineage_of(model("small"), CHAIN)


def test_a_signed_statement_that_cannot_be_read_is_broken():
    odd = attestation(9, PROVENANCE, {"buildDefinition": 1}, ALICE, subject=model("small"))
    found = lineage_of(model("small"), [*CHAIN, odd])
    assert [(link.state, link.position, link.parent) for link in found.broken] == [(LinkState.BROKEN, 9, "")]
    alone = attestation(9, PROVENANCE, {"buildDefinition": 1}, subject=model("small"))
    assert [link.state for link in lineage_of(model("small"), [alone]).links] == [LinkState.FORGED]


@pytest.mark.parametrize("circle", [("a",), ("a", "b"), ("a", "b", "c")])
def test_a_circle_is_broken_and_ends(circle):
    names = list(circle)
    links = [
        derived(i, child, parent) for i, (child, parent) in enumerate(zip(names, names[1:] + names[:1], strict=True))
    ]
    found = lineage_of(model("a"), [*links, derived(9, "a", "base"), release(10, subject=model("base"))])
    assert {link.state for link in found.links if link.name != "base"} == {LinkState.BROKEN}
    assert states(found)[digest("a"), "base"] is LinkState.HOLDS


def test_a_diamond_is_no_circle():
    entries = [
        release(1, subject=model("base")),
        derived(2, "left", "base"),
        derived(3, "right", "base"),
        derived(4, "merged", "left", "right", operation="merge"),
    ]
    found = lineage_of(model("merged"), entries)
    assert found.broken == ()
    assert len(found.ancestors) == 4
    assert len(found.links) == 4


def test_two_statements_add_up_and_the_first_of_the_same_link_is_named():
    found = lineage_of(model("small"), [*CHAIN, derived(9, "small", "tuned", "base")])
    assert [link.position for link in found.links if link.child == digest("small")] == [5, 9]


def test_a_long_chain_is_followed_without_recursion_and_a_longer_one_is_refused(monkeypatch):
    entries = [release(0, subject=model("m0")), *(derived(i, f"m{i}", f"m{i - 1}") for i in range(1, 3000))]
    found = lineage_of(model("m2999"), entries)
    assert (len(found.ancestors), found.broken, found.origins) == (3000, (), (digest("m0"),))
    monkeypatch.setattr("assaymark.policy.lineage.LINEAGE_MAX_SUBJECTS", 100)
    with pytest.raises(InputError) as caught:
        lineage_of(model("m2999"), entries)
    assert caught.value.code == "lineage-limit"
    monkeypatch.setattr("assaymark.policy.closure.LINEAGE_MAX_SUBJECTS", 100)
    with pytest.raises(InputError):
        is_closed(digest("m2999"), entries)


NAMES = "abcdef"


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.booleans()), max_size=12), st.randoms())
def test_the_order_of_statements_does_not_matter_and_links_hold_exactly_outside_of_circles(pairs, chance):
    entries = [
        derived(i, child, parent, by=(ALICE,) if signed else ()) for i, (child, parent, signed) in enumerate(pairs)
    ]
    entries += [release(100 + i, subject=model(name)) for i, name in enumerate(NAMES)]
    found = lineage_of(model("a"), entries)
    chance.shuffle(entries)
    assert lineage_of(model("a"), entries) == found
    claims = {}
    for child, parent, signed in pairs:
        claims.setdefault(child, {True: set(), False: set()})[signed].add(parent)
    follow = {child: said[True] for child, said in claims.items() if said[True]}

    def reaches(start, goal):
        seen, queue = set(), [start]
        while queue:
            for parent in follow.get(queue.pop(), ()):
                if parent == goal:
                    return True
                if parent not in seen:
                    seen.add(parent)
                    queue.append(parent)
        return False

    names = {digest(name): name for name in NAMES}
    for link in found.links:
        child, parent = names[link.child], link.name
        if parent not in follow.get(child, ()):
            assert link.state is LinkState.FORGED
        else:
            on_circle = parent == child or reaches(parent, child)
            assert link.state is (LinkState.BROKEN if on_circle else LinkState.HOLDS)


def about(entries):
    return lambda wanted: [item for item in entries if any(s.digest == wanted for s in item.statement.subjects)]


def test_the_closure_is_the_subject_its_ancestors_and_its_configurations():
    config = Subject("config.json", sha256_digest(b"config"), "configuration")
    statement = make_statement((model("small"), config), CONFIGURATION, {"files": [], "model": "0" * 64})
    elsewhere = make_statement((model("other"), config), CONFIGURATION, {"files": [], "model": "0" * 64})

    def bound(position, made):
        item = attestation(position, CONFIGURATION, {}, ALICE)
        return type(item)(made, item.envelope, item.signers, position, item.logged_at)

    own, others = bound(20, statement), bound(21, elsewhere)
    entries = [
        *CHAIN,
        scan(6, subject=model("small")),
        own,
        others,
        approval(22, BOB, subject=config),
        attestation(23, DECISION, {}, ALICE, subject=model("small")),
        attestation(24, ATTEMPT, {}, ALICE, subject=model("small")),
        release(25, subject=model("other")),
    ]
    found = closure(digest("small"), about(entries))
    assert sorted(found) == [1, 2, 3, 4, 5, 6, 20, 22]
    assert is_closed(digest("small"), found.values())
    event = attestation(30, KEY_EVENT, {}, ALICE, subject=Subject("key", "sha256:" + "0" * 64, "key"))
    assert is_closed(digest("small"), [*found.values(), event]), "every key-event belongs to every closure"
    for stranger in (others, entries[-1], entries[-2], entries[-3]):
        assert not is_closed(digest("small"), [*found.values(), stranger])


def test_a_forged_claim_is_in_the_closure_with_what_it_names():
    entries = [release(1, subject=model("evil")), derived(2, "small", "evil", by=())]
    assert sorted(closure(digest("small"), about(entries))) == [1, 2]
