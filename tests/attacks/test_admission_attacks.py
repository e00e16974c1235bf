"""Ways to get a model admitted without the people that the policy asks for; each is signed with real keys."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.evidence import (
    ASK,
    MODEL,
    OTHER,
    PRODUCTION,
    START,
    person,
    reason_of,
    scan_predicate,
    scope_fields,
)
from tests.support.evidence import approval as approval_by
from tests.support.evidence import release as release_by
from tests.support.evidence import scan as scan_by
from tests.support.roots import edited, key_of, public, root_payload, signed

from assaymark.core.attestation import Attestation
from assaymark.core.canonical import canonical_json
from assaymark.core.decision import Outcome, Scope
from assaymark.core.errors import InputError, VerificationError
from assaymark.core.statement import (
    APPROVAL,
    CONTAINMENT,
    IN_TOTO_PAYLOAD_TYPE,
    RELEASE,
    ROOT_PAYLOAD_TYPE,
    SCAN,
    Envelope,
    Signature,
    make_envelope,
    make_statement,
    parse_envelope,
    parse_statement,
)
from assaymark.core.subject import Subject
from assaymark.policy.predicates import approval_predicate, containment_predicate
from assaymark.trust.root import Principal, Role, Root, parse_root, verify_root_chain
from assaymark.trust.signatures import verified_signers

PEOPLE = ("alice", "bob", "carol", "dora")


def make(**changes: Any) -> Root:
    """Alice and Bob own the root; Bob, Carol and Dora approve; Alice's scanner scans, her pipeline submits."""
    principals = [Principal(name, (key_of(name),)) for name in PEOPLE]
    principals += [Principal(name, (key_of(name),), "workload", "alice") for name in ("scanner", "pipeline")]
    values: dict[str, Any] = {
        "keys": [public(name) for name in (*PEOPLE, "scanner", "pipeline")],
        "principals": principals,
        "roles": [
            Role("root", ("alice", "bob"), 2),
            Role("policy", ("alice", "bob"), 2),
            Role("owner", ("alice",)),
            Role("approver", PEOPLE),
            Role("scanner", ("scanner",)),
        ],
    }
    return parse_root(root_payload(**(values | changes)))


ROOT = make()


def logged(position: int, envelope: Envelope, root: Root = ROOT) -> Attestation:
    """What a verifier makes of an envelope in the log: who signed it is what the root and the bytes say."""
    statement = parse_statement(envelope.payload)
    return Attestation(statement, envelope, verified_signers(envelope, root), position, START + position)


def said(predicate_type: str, predicate: dict[str, Any], *by: str, subject: Subject = MODEL) -> Envelope:
    payload = make_statement((subject,), predicate_type, predicate).payload
    return signed(payload, *by, payload_type=IN_TOTO_PAYLOAD_TYPE)


def release(*by: str) -> Envelope:
    return said(RELEASE, {**scope_fields(), "files": 1, "manifest": MODEL.digest[7:], "size": 1}, *by)


def approval(*by: str, after: int = 0, scope: Scope = PRODUCTION, subject: Subject = MODEL) -> Envelope:
    return said(APPROVAL, approval_predicate(scope, after_entry=after), *by, subject=subject)


def outcome(*envelopes: Envelope, root: Root = ROOT) -> Outcome:
    return ASK.decide([logged(i, envelope, root) for i, envelope in enumerate(envelopes)]).outcome


SCANNED = said(SCAN, scan_predicate(), "scanner")
SUBMITTED = release("alice")


def test_the_honest_way_is_permitted():
    assert outcome(SUBMITTED, SCANNED, approval("bob"), approval("carol")) is Outcome.PERMIT


def test_one_approver_twice():
    again = said(APPROVAL, approval_predicate(PRODUCTION, after_entry=0, comment="again"), "bob")
    assert outcome(SUBMITTED, SCANNED, approval("bob"), again) is Outcome.DENY


def test_one_signature_twice_in_one_envelope():
    envelope = approval("bob")
    doubled = tuple(
        Signature(hint, envelope.signatures[0].value) for hint in (key_of("bob"), key_of("carol"), "", "x")
    )
    forged = make_envelope(envelope.payload_type, envelope.payload, doubled)
    assert outcome(SUBMITTED, SCANNED, forged) is Outcome.DENY


def test_a_signature_under_anothers_key_id():
    envelope = said(APPROVAL, approval_predicate(PRODUCTION, after_entry=0), "mallory")
    forged = make_envelope(
        envelope.payload_type, envelope.payload, (Signature(key_of("carol"), envelope.signatures[0].value),)
    )
    assert outcome(SUBMITTED, SCANNED, approval("bob"), forged) is Outcome.DENY


def test_a_signature_moved_to_another_statement():
    dev = approval("carol", scope=Scope("default", "dev"))
    moved = make_envelope(dev.payload_type, approval("carol").payload, dev.signatures)
    assert outcome(SUBMITTED, SCANNED, approval("bob"), moved) is Outcome.DENY


def test_a_signature_moved_to_another_payload_type():
    payload = approval("carol").payload
    moved = make_envelope(
        IN_TOTO_PAYLOAD_TYPE, payload, signed(payload, "carol", payload_type=ROOT_PAYLOAD_TYPE).signatures
    )
    assert outcome(SUBMITTED, SCANNED, approval("bob"), moved) is Outcome.DENY


def test_the_submitter_approves():
    assert outcome(SUBMITTED, SCANNED, approval("bob"), approval("alice")) is Outcome.DENY


def test_an_approver_submits_the_same_model_once_more():
    assert outcome(SUBMITTED, SCANNED, approval("bob"), approval("carol"), release("carol")) is Outcome.DENY


def test_the_submitter_goes_by_their_pipeline():
    assert outcome(release("pipeline"), SCANNED, approval("bob"), approval("alice")) is Outcome.DENY
    assert outcome(release("pipeline"), SCANNED, approval("bob"), approval("carol")) is Outcome.PERMIT


def test_nobody_submits_so_that_nobody_is_the_submitter():
    assert outcome(SCANNED, approval("bob"), approval("carol")) is Outcome.DENY


def test_a_person_and_their_workloads_approve():
    roles = [
        Role("root", ("alice", "bob"), 2),
        Role("policy", ("alice", "bob"), 2),
        Role("approver", ("alice", "pipeline", "scanner")),
        Role("scanner", ("scanner",)),
    ]
    root = make(roles=roles)
    for pair in (("alice", "pipeline"), ("scanner", "pipeline")):
        assert outcome(release("bob"), SCANNED, approval(pair[0]), approval(pair[1]), root=root) is Outcome.DENY


def test_one_principal_with_two_keys():
    principals = [Principal("alice", (key_of("alice"),)), Principal("bob", (key_of("bob"), key_of("bob-2")))]
    principals += [Principal("scanner", (key_of("scanner"),), "workload", "alice")]
    root = make(
        keys=[public(name) for name in ("alice", "bob", "bob-2", "scanner")],
        principals=principals,
        roles=[
            Role("root", ("alice",), 1),
            Role("policy", ("alice",), 1),
            Role("approver", ("bob",)),
            Role("scanner", ("scanner",)),
        ],
    )
    assert outcome(SUBMITTED, SCANNED, approval("bob"), approval("bob-2"), root=root) is Outcome.DENY
    assert outcome(SUBMITTED, SCANNED, approval("bob", "bob-2"), root=root) is Outcome.DENY


def test_one_key_under_two_names_is_no_root():
    document = edited(principals__carol__keys=[key_of("bob")])
    del document["keys"][key_of("carol")]
    with pytest.raises(InputError) as caught:
        parse_root(canonical_json(document))
    assert caught.value.code == "root-principal"


def test_one_key_under_two_names_counts_once_even_if_a_root_had_it():
    twin = person("bob-too", "approver", key="key-of-bob")
    entries = [release_by(1), scan_by(2), approval_by(3, person("bob", "approver")), approval_by(4, twin)]
    decision = ASK.decide(entries)
    assert decision.outcome is Outcome.DENY
    entries[2:] = [approval_by(3, person("bob", "approver"), twin)]
    assert ASK.decide(entries).outcome is Outcome.DENY


def test_the_submitters_key_under_another_name_is_the_submitter_still():
    twin = person("alice-too", "approver", key="key-of-alice")
    entries = [release_by(1), scan_by(2), approval_by(3, person("bob", "approver")), approval_by(4, twin)]
    assert "alice-too (entry 4) does not count" in reason_of(ASK.decide(entries), "approvals").message


def test_an_approval_of_something_else():
    for wrong in (
        approval("carol", scope=Scope("default", "dev")),
        approval("carol", scope=Scope("other", "production")),
        approval("carol", subject=OTHER),
    ):
        assert outcome(SUBMITTED, SCANNED, approval("bob"), wrong) is Outcome.DENY


def test_an_environment_of_another_type_matches_nothing():
    odd = said(APPROVAL, {"environment": ["production"], "tenant": "default", "afterEntry": 0}, "carol")
    assert outcome(SUBMITTED, SCANNED, approval("bob"), odd) is Outcome.DENY


def test_a_scan_by_someone_who_is_no_scanner():
    forged = said(SCAN, scan_predicate(), "alice")
    assert outcome(SUBMITTED, forged, approval("bob"), approval("carol")) is Outcome.DENY


def test_a_key_that_the_next_root_took_away():
    after = make(
        keys=[public(name) for name in ("alice", "bob", "carol", "scanner")],
        principals=[
            *(Principal(name, (key_of(name),)) for name in ("alice", "bob", "carol")),
            Principal("scanner", (key_of("scanner"),), "workload", "alice"),
        ],
        roles=[
            Role("root", ("alice",), 1),
            Role("policy", ("alice",), 1),
            Role("approver", ("bob", "carol")),
            Role("scanner", ("scanner",)),
        ],
    )
    evidence = (SUBMITTED, SCANNED, approval("bob"), approval("dora"))
    assert outcome(*evidence) is Outcome.PERMIT
    assert outcome(*evidence, root=after) is Outcome.DENY


def test_lifting_with_an_approval_that_was_held_back():
    contained = said(
        CONTAINMENT, containment_predicate(PRODUCTION, "contain", after_entry=0, reason="drift"), "alice"
    )
    lift = said(CONTAINMENT, containment_predicate(PRODUCTION, "lift", after_entry=5, reason="fine"), "alice")
    rescanned = said(SCAN, scan_predicate(scannedOn="2026-05-02T12:00:00Z"), "scanner")
    before = (SUBMITTED, SCANNED, approval("bob"), approval("carol"), contained, rescanned, approval("bob", after=5))
    held_back, honest = approval("dora", after=0), approval("dora", after=5)
    assert outcome(*before, held_back, lift) is Outcome.DENY
    assert outcome(*before, honest, lift) is Outcome.PERMIT


def test_a_lift_that_was_signed_in_advance():
    contained = said(
        CONTAINMENT, containment_predicate(PRODUCTION, "contain", after_entry=0, reason="drift"), "alice"
    )
    early = said(CONTAINMENT, containment_predicate(PRODUCTION, "lift", after_entry=0, reason="fine"), "alice")
    rescanned = said(SCAN, scan_predicate(scannedOn="2026-05-02T12:00:00Z"), "scanner")
    anew = (rescanned, approval("bob", after=5), approval("carol", after=5))
    assert outcome(SUBMITTED, SCANNED, approval("bob"), approval("carol"), contained, *anew, early) is Outcome.DENY


def in_another_envelope(envelope: Envelope) -> Envelope:
    """The same payload and signature under other bytes, which a log takes as a new entry; it needs no key."""
    spaced = parse_envelope(envelope.data.replace(b'","', b'", "'))
    assert (spaced.payload, spaced.signatures) == (envelope.payload, envelope.signatures)
    assert spaced.digest != envelope.digest
    return spaced


def test_an_old_scan_in_another_envelope_does_not_answer_a_newer_one():
    failed = said(SCAN, scan_predicate(outcome="fail", highest="critical"), "scanner")
    before = (SUBMITTED, SCANNED, approval("bob"), approval("carol"), failed)
    assert outcome(*before) is Outcome.DENY
    assert outcome(*before, in_another_envelope(SCANNED)) is Outcome.DENY


def test_lifting_with_the_old_evidence_in_other_envelopes():
    contained = said(
        CONTAINMENT, containment_predicate(PRODUCTION, "contain", after_entry=0, reason="drift"), "alice"
    )
    lift = said(CONTAINMENT, containment_predicate(PRODUCTION, "lift", after_entry=5, reason="fine"), "alice")
    anew = (approval("bob", after=5), approval("carol", after=5))
    before = (SUBMITTED, SCANNED, approval("bob"), approval("carol"), contained, *anew)
    assert outcome(*before, in_another_envelope(SCANNED), lift) is Outcome.DENY


def test_an_old_lift_in_another_envelope():
    def contained(after: int) -> Envelope:
        predicate = containment_predicate(PRODUCTION, "contain", after_entry=after, reason="drift")
        return said(CONTAINMENT, predicate, "alice")

    def anew(after: int) -> tuple[Envelope, ...]:
        rescanned = said(SCAN, scan_predicate(afterEntry=after), "scanner")
        return rescanned, approval("bob", after=after), approval("carol", after=after)

    lift = said(CONTAINMENT, containment_predicate(PRODUCTION, "lift", after_entry=99, reason="fine"), "alice")
    before = (SUBMITTED, SCANNED, approval("bob"), approval("carol"), contained(0), *anew(5), lift)
    assert outcome(*before) is Outcome.PERMIT
    assert outcome(*before, contained(9), *anew(10), in_another_envelope(lift)) is Outcome.DENY


def test_a_containment_in_another_envelope_contains_still():
    contained = said(CONTAINMENT, {**scope_fields(), "action": "contain", "reason": "drift"}, "alice")
    rescanned = said(SCAN, scan_predicate(afterEntry=5), "scanner")
    lift = said(CONTAINMENT, containment_predicate(PRODUCTION, "lift", after_entry=5, reason="fine"), "alice")
    before = (SUBMITTED, SCANNED, approval("bob"), approval("carol"), contained, rescanned)
    lifted = (*before, approval("bob", after=5), approval("carol", after=5), lift)
    assert outcome(*lifted) is Outcome.PERMIT
    assert outcome(*lifted, in_another_envelope(contained)) is Outcome.DENY


def test_lifting_with_statements_that_do_not_say_what_they_come_after():
    contained = said(
        CONTAINMENT, containment_predicate(PRODUCTION, "contain", after_entry=0, reason="drift"), "alice"
    )
    lift = said(CONTAINMENT, containment_predicate(PRODUCTION, "lift", after_entry=5, reason="fine"), "alice")
    rescanned = said(SCAN, scan_predicate(afterEntry=5), "scanner")
    silent = said(APPROVAL, scope_fields(), "dora")
    mute = said(CONTAINMENT, {**scope_fields(), "action": "lift", "reason": "fine"}, "alice")
    before = (SUBMITTED, SCANNED, approval("bob"), approval("carol"), contained, rescanned, approval("bob", after=5))
    assert outcome(*before, silent, lift) is Outcome.DENY
    assert outcome(*before, approval("dora", after=5), mute) is Outcome.DENY
    assert outcome(*before, approval("dora", after=5), lift) is Outcome.PERMIT


V1 = root_payload(1)
V2 = root_payload(2, names=("bob", "carol", "dora"))


def test_a_root_that_only_the_new_keys_signed():
    stolen = root_payload(2, names=("mallory", "mallet", "eve"))
    with pytest.raises(VerificationError) as caught:
        verify_root_chain([signed(V1, "alice", "bob"), signed(stolen, "mallory", "mallet")], parse_root(V1).digest)
    assert caught.value.code == "root-threshold"


def test_a_root_that_only_the_old_keys_signed():
    with pytest.raises(VerificationError) as caught:
        verify_root_chain([signed(V1, "alice", "bob"), signed(V2, "alice", "bob")], parse_root(V1).digest)
    assert caught.value.code == "root-threshold"


def test_a_root_that_one_keyholder_signed_twice():
    envelope = signed(V2, "bob", "carol")
    again = make_envelope(
        envelope.payload_type, envelope.payload, (*envelope.signatures, Signature(key_of("alice"), bytes(64)))
    )
    with pytest.raises(VerificationError):
        verify_root_chain([signed(V1, "alice", "bob"), again], parse_root(V1).digest)


def test_a_rolled_back_root():
    with pytest.raises(VerificationError) as caught:
        verify_root_chain([signed(V1, "alice", "bob")], parse_root(V1).digest, minimum_version=2)
    assert caught.value.code == "root-rollback"
    with pytest.raises(VerificationError) as caught:
        verify_root_chain([signed(V1, "alice", "bob")], parse_root(V2).digest)
    assert caught.value.code == "root-pin"


def test_a_workload_that_nobody_answers_for():
    document = edited()
    del document["principals"]["scanner"]["registeredBy"]
    with pytest.raises(InputError) as caught:
        parse_root(canonical_json(document))
    assert caught.value.code == "root-principal"
