"""What a dossier or an entry of the log is refused for, step by step."""

from __future__ import annotations

import dataclasses

import pytest
from tests.support.dossiers import PIN, Log, evidence, good_dossier
from tests.support.evidence import START
from tests.support.roots import signed

from assaymark.core.attestation import Receipt
from assaymark.core.canonical import parse_object
from assaymark.core.errors import InputError, VerificationError
from assaymark.core.statement import IN_TOTO_PAYLOAD_TYPE, POLICY, parse_envelope
from assaymark.tlog.leaf import Leaf, format_leaf
from assaymark.tlog.merkle import consistency_proof
from assaymark.trust.dossier import Dossier, parse_dossier
from assaymark.trust.policy import policy_of
from assaymark.trust.replay import standing_now, verify_dossier
from assaymark.trust.root import verify_root_chain
from assaymark.trust.verify import verify_checkpoint, verify_entry


@pytest.fixture(scope="module")
def dossier() -> Dossier:
    return parse_dossier(good_dossier().to_bytes())


def code_of(dossier: Dossier) -> str:
    with pytest.raises((VerificationError, InputError)) as refused:
        verify_dossier(dossier, PIN)
    return refused.value.code


def test_the_good_one_is_good(dossier: Dossier) -> None:
    verified = verify_dossier(dossier, PIN)
    assert verified.decision.outcome == "PERMIT"
    assert verified.payload == parse_envelope(dossier.decision.envelope).payload


def test_a_decision_ends_at_the_second_that_it_names(dossier: Dossier) -> None:
    decision = verify_dossier(dossier, PIN).decision
    assert standing_now(decision, decision.valid_until - 1)[0] == "PERMIT"
    assert standing_now(decision, decision.valid_until)[0] == "INDETERMINATE"


def test_another_entry_in_the_place_of_the_decision(dossier: Dossier) -> None:
    assert code_of(dataclasses.replace(dossier, decision=dossier.evidence[0])) == "dossier-decision"


def test_evidence_that_is_not_what_was_decided_on(dossier: Dossier) -> None:
    assert code_of(dataclasses.replace(dossier, evidence=dossier.evidence[1:])) == "dossier-inputs"
    assert code_of(dataclasses.replace(dossier, evidence=(*dossier.evidence, *dossier.policies))) == "dossier-inputs"


def test_another_statement_in_the_place_of_the_policy(dossier: Dossier) -> None:
    assert code_of(dataclasses.replace(dossier, policies=(dossier.evidence[0],))) == "dossier-policy"
    assert code_of(dataclasses.replace(dossier, policies=())) == "dossier-policy"


def test_another_manifest(dossier: Dossier) -> None:
    assert code_of(dataclasses.replace(dossier, manifest=dossier.manifest + b" ")) == "dossier-manifest"


def test_another_prefix(dossier: Dossier) -> None:
    assert code_of(dataclasses.replace(dossier, consistency=())) == "proof-consistency"


def test_a_root_that_is_not_in_the_log(dossier: Dossier) -> None:
    moved = dataclasses.replace(dossier.roots[0], index=dossier.roots[0].index + 1)
    assert code_of(dataclasses.replace(dossier, roots=(moved, *dossier.roots[1:]))) == "proof-inclusion"


def test_another_pin(dossier: Dossier) -> None:
    with pytest.raises(VerificationError) as refused:
        verify_dossier(dossier, "sha256:" + "0" * 64)
    assert refused.value.code == "root-pin"


def entry(dossier: Dossier) -> tuple[Receipt, bytes]:
    root = verify_root_chain([parse_envelope(item.envelope) for item in dossier.roots], PIN)
    checkpoint = verify_checkpoint(dossier.checkpoint, root)
    one = dossier.evidence[0]
    receipt = Receipt(
        checkpoint.origin,
        one.index,
        checkpoint.size,
        checkpoint.root_hash,
        one.leaf,
        one.hashes,
        dossier.checkpoint,
    )
    return receipt, one.envelope


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"origin": "another.example/log"}, "receipt-tree"),
        ({"root_hash": b"\0" * 32}, "receipt-tree"),
        ({"index": 0}, "proof-inclusion"),
        ({"hashes": ()}, "proof-inclusion"),
        ({"leaf": format_leaf(Leaf("sha256:" + "0" * 64, 1))}, "proof-inclusion"),
    ],
)
def test_a_receipt_of_something_else(dossier: Dossier, change: dict, code: str) -> None:
    root = verify_root_chain([parse_envelope(item.envelope) for item in dossier.roots], PIN)
    checkpoint = verify_checkpoint(dossier.checkpoint, root)
    receipt, envelope = entry(dossier)
    assert verify_entry(envelope, receipt, checkpoint, root).position == receipt.index
    with pytest.raises(VerificationError) as refused:
        verify_entry(envelope, dataclasses.replace(receipt, **change), checkpoint, root)
    assert refused.value.code == code


def test_an_envelope_that_the_leaf_does_not_commit_to(dossier: Dossier) -> None:
    root = verify_root_chain([parse_envelope(item.envelope) for item in dossier.roots], PIN)
    checkpoint = verify_checkpoint(dossier.checkpoint, root)
    receipt, envelope = entry(dossier)
    with pytest.raises(VerificationError) as refused:
        verify_entry(envelope + b" ", receipt, checkpoint, root)
    assert refused.value.code == "receipt-envelope"


def test_a_root_document_is_no_statement(dossier: Dossier) -> None:
    root = verify_root_chain([parse_envelope(item.envelope) for item in dossier.roots], PIN)
    checkpoint = verify_checkpoint(dossier.checkpoint, root)
    one = dossier.roots[0]
    receipt = Receipt(
        checkpoint.origin, one.index, checkpoint.size, checkpoint.root_hash, one.leaf, one.hashes, dossier.checkpoint
    )
    with pytest.raises(InputError) as refused:
        verify_entry(one.envelope, receipt, checkpoint, root)
    assert refused.value.code == "envelope-type"


def test_a_checkpoint_of_another_log(dossier: Dossier) -> None:
    root = verify_root_chain([parse_envelope(item.envelope) for item in dossier.roots], PIN)
    with pytest.raises((VerificationError, InputError)):
        verify_checkpoint(dossier.checkpoint.replace(root.log.origin.encode(), b"another.example/log"), root)


def test_a_policy_that_names_another_digest_or_that_nobody_with_the_role_signed(dossier: Dossier) -> None:
    root = verify_root_chain([parse_envelope(item.envelope) for item in dossier.roots], PIN)
    checkpoint = verify_checkpoint(dossier.checkpoint, root)
    (one,) = dossier.policies
    receipt = Receipt(
        checkpoint.origin, one.index, checkpoint.size, checkpoint.root_hash, one.leaf, one.hashes, dossier.checkpoint
    )
    attestation = verify_entry(one.envelope, receipt, checkpoint, root)
    assert attestation.statement.predicate_type == POLICY
    assert b"assaymark:policy/v1" in policy_of(attestation, root)
    unsigned = dataclasses.replace(attestation, signers=())
    with pytest.raises(VerificationError) as refused:
        policy_of(unsigned, root)
    assert refused.value.code == "policy-threshold"
    other = dict(attestation.statement.predicate, toml="format = 1\n")
    swapped = dataclasses.replace(attestation, statement=dataclasses.replace(attestation.statement, predicate=other))
    with pytest.raises(InputError) as malformed:
        policy_of(swapped, root)
    assert malformed.value.code == "policy-statement"


@pytest.mark.parametrize("word", ["", "zz" * 32, "0" * 63, "00 " * 32, "A" * 64])
def test_a_decision_whose_tree_has_no_hash_is_refused(dossier: Dossier, word: str) -> None:
    said = parse_envelope(dossier.decision.envelope).payload
    there = parse_object(said)["predicate"]["assaymark"]["rootHash"]
    sealed = signed(said.replace(there.encode(), word.encode()), "scanner", payload_type=IN_TOTO_PAYLOAD_TYPE)
    log = Log([*evidence(), sealed], START + 100)
    size = len(log.leaves)
    forged = dataclasses.replace(
        dossier,
        decision=log.entry(size - 1),
        policies=(log.entry(1),),
        evidence=tuple(log.entry(index) for index in range(2, size - 1)),
        roots=(log.entry(0),),
        checkpoint=log.note,
        consistency=consistency_proof(size - 1, size, log.node),
    )
    assert code_of(forged) == "decision-form"
