"""From which entry on a key counts no more, and what a thief of one tries against that."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.evidence import approval, attestation, person, workload
from tests.support.roots import key_of, public, root_payload

from assaymark.core.errors import InputError
from assaymark.core.statement import KEY_EVENT
from assaymark.core.subject import Subject
from assaymark.trust.document import Principal, Role
from assaymark.trust.key_events import counting, key_standing
from assaymark.trust.root import parse_root

NAMES = ("alice", "bob", "carol")


def root_of(threshold=2, former=(), holders=NAMES):
    """Alice, Bob and Carol hold the root role; keys in ``former`` sign no more, and have a successor."""
    people = [
        Principal(name, (key_of(f"{name}-new"),), former=(key_of(name),))
        if name in former
        else Principal(name, (key_of(name),))
        for name in NAMES
    ]
    keys = [public(name) for name in NAMES] + [public(f"{name}-new") for name in former]
    roles = [Role("root", holders, threshold), Role("policy", ("alice",), 1), Role("approver", ("bob", "carol"))]
    return parse_root(root_payload(keys=keys, principals=people, roles=roles))


def signer(name, root):
    owner = name.removesuffix("-new")
    return person(owner, *root.roles_of(owner), key=key_of(name))


def event(position, about, *by, root, said="retired", tenant="default", **fields):
    subject = Subject(about, f"sha256:{key_of(about)}", "key")
    predicate = {"event": said, "reason": "lost", "tenant": tenant, **fields}
    return attestation(position, KEY_EVENT, predicate, *(signer(name, root) for name in by), subject=subject)


def cuts(events, root):
    standing = key_standing(events, root)
    return {name: standing.cuts[key_of(name)] for name in NAMES if key_of(name) in standing.cuts}


def test_without_events_every_active_key_counts():
    root = root_of()
    standing = key_standing([], root)
    assert standing.counts(key_of("alice"), 10**6, root)
    item = approval(5, signer("bob", root))
    assert counting([item], standing, root) == (item,)


def test_a_retired_key_counts_before_its_retirement_and_not_after():
    root = root_of(former=("bob",))
    events = [event(10, "bob", "alice", "bob-new", root=root)]
    standing = key_standing(events, root)
    old = signer("bob", root)
    before, after = approval(9, old), approval(11, old)
    kept = counting([before, after], standing, root)
    assert [item.principals for item in kept] == [{"bob"}, frozenset()]
    assert kept[0] == before


def test_a_compromised_key_counts_before_the_index_that_is_named():
    root = root_of()
    events = [event(10, "bob", "alice", "carol", root=root, said="compromised", since=4)]
    standing = key_standing(events, root)
    assert [
        bool(item.signers) for item in counting([approval(i, signer("bob", root)) for i in (3, 4, 9)], standing, root)
    ] == [True, False, False]


def test_a_former_key_without_an_event_counts_nowhere():
    root = root_of(former=("bob",))
    assert not key_standing([], root).counts(key_of("bob"), 0, root)


def test_below_the_threshold_nothing_is_said():
    root = root_of()
    assert cuts([event(10, "bob", "alice", root=root)], root) == {}
    assert cuts([event(10, "bob", "alice", "alice", root=root)], root) == {}


def test_another_tenants_event_says_nothing():
    root = root_of()
    assert cuts([event(10, "bob", "alice", "carol", root=root, tenant="other")], root) == {}
    assert cuts([event(10, "bob", "alice", "carol", root=root, tenant=True)], root) == {}


def test_a_key_does_not_speak_for_itself():
    root = root_of()
    assert cuts([event(10, "bob", "alice", "bob", root=root)], root) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"said": "lost"},
        {"said": "compromised"},
        {"said": "compromised", "since": "4"},
        {"said": "compromised", "since": -3},
        {"said": "compromised", "since": True},
    ],
)
def test_what_is_not_understood_cuts_from_the_beginning(fields):
    root = root_of()
    assert cuts([event(10, "bob", "alice", "carol", root=root, **fields)], root) == {"bob": 0}


def test_a_compromise_cannot_be_put_later_than_it_is_declared():
    root = root_of()
    assert cuts([event(10, "bob", "alice", "carol", root=root, said="compromised", since=99)], root) == {"bob": 10}


def test_the_earliest_of_several_cuts_holds():
    root = root_of()
    events = [
        event(10, "bob", "alice", "carol", root=root, said="compromised", since=7),
        event(20, "bob", "alice", "carol", root=root, said="compromised", since=3),
        event(30, "bob", "alice", "carol", root=root),
    ]
    for order in permutations(events):
        assert cuts(order, root) == {"bob": 3}


def test_a_thief_with_one_root_key_cuts_off_nobody():
    """Threshold 2: Bob's key is stolen at 5, the thief accuses Carol, and Alice and Carol declare the theft."""
    root = root_of()
    events = [
        event(6, "carol", "bob", root=root, said="compromised", since=0),
        event(10, "bob", "alice", "carol", root=root, said="compromised", since=5),
    ]
    assert cuts(events, root) == {"bob": 5}


def test_what_a_thief_had_said_falls_with_the_key():
    """Threshold 1: the thief of Bob's key retires Carol's; the theft is dated before that, so Carol's counts again."""
    root = root_of(threshold=1)
    stolen = event(8, "carol", "bob", root=root, said="compromised", since=0)
    assert cuts([stolen], root) == {"carol": 0}
    declared = event(10, "bob", "alice", root=root, said="compromised", since=5)
    assert cuts([stolen, declared], root) == {"bob": 5}


def test_two_keys_that_accuse_each_other_both_fall():
    root = root_of(threshold=1)
    one = event(8, "carol", "bob", root=root, said="compromised", since=0)
    other = event(9, "bob", "carol", root=root, said="compromised", since=0)
    assert cuts([one, other], root) == {"bob": 0, "carol": 0}


def test_an_event_that_a_key_signed_before_it_was_retired_stands():
    root = root_of(former=("alice",))
    events = [
        event(10, "bob", "alice", "carol", root=root),
        event(20, "alice", "alice-new", "carol", root=root),
    ]
    assert cuts(events, root) == {"bob": 10, "alice": 20}


def test_a_retired_root_key_retires_nobody_afterwards():
    root = root_of(former=("alice",))
    events = [
        event(20, "alice", "alice-new", "carol", root=root),
        event(21, "bob", "alice", "carol", root=root, said="compromised", since=0),
    ]
    assert cuts(events, root) == {"alice": 20}


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 12)),
        max_size=6,
    ),
    st.randoms(),
)
def test_the_order_in_which_events_are_read_does_not_matter_and_no_key_is_cut_without_cause(said, chance):
    root = root_of()
    events = [
        event(position, about, *{one, other}, root=root, said="compromised", since=since)
        for position, (about, one, other, since) in enumerate(said, 5)
    ]
    found = cuts(events, root)
    chance.shuffle(events)
    assert cuts(events, root) == found
    for name, cut in found.items():
        assert any(
            about == name and {one, other} - {name} == {one, other} and len({one, other}) == 2 and cut <= 12
            for about, one, other, _ in said
        )


def test_a_root_says_what_former_keys_are_and_each_key_has_one_owner():
    root = root_of(former=("bob",))
    assert root.is_former(key_of("bob"))
    assert not root.is_former(key_of("bob-new"))
    assert root.owner(key_of("bob")).name == "bob"
    with pytest.raises(InputError) as caught:
        root_payload(
            principals=[
                Principal("alice", (key_of("alice"),), former=(key_of("alice"),)),
                *(Principal(name, (key_of(name),)) for name in ("bob", "carol")),
                Principal("scanner", (key_of("scanner"),), "workload", "alice"),
            ]
        )
    assert caught.value.code == "root-principal"


def test_a_person_and_the_workload_they_answer_for_cut_off_nobody_together():
    people = [Principal(name, (key_of(name),)) for name in NAMES]
    roles = [Role("root", ("alice", "bob", "scanner"), 2), Role("policy", ("alice",), 1)]
    bot = Principal("scanner", (key_of("scanner"),), "workload", "alice")
    keys = [public(name) for name in (*NAMES, "scanner")]
    root = parse_root(root_payload(keys=keys, principals=[*people, bot], roles=roles))
    subject = Subject("carol", f"sha256:{key_of('carol')}", "key")
    predicate = {"event": "retired", "reason": "lost", "tenant": "default"}
    helper = workload("scanner", "root", registered_by="alice")
    alice, bob = (signer(name, root) for name in ("alice", "bob"))
    helper = replace(helper, key_id=key_of("scanner"))
    assert key_standing([attestation(5, KEY_EVENT, predicate, alice, helper, subject=subject)], root).cuts == {}
    assert key_standing([attestation(5, KEY_EVENT, predicate, bob, helper, subject=subject)], root).cuts
