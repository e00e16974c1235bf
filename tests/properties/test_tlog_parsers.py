"""Whatever the bytes, a parser of the log raises InputError or reads the only spelling."""

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz import tlog_leaf, tlog_note, tlog_proof, tlog_tiles, tlog_vkey

from assaymark.core.errors import InputError, VerificationError
from assaymark.tlog.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from assaymark.tlog.leaf import Leaf, format_leaf, parse_leaf
from assaymark.tlog.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from assaymark.tlog.note import NoteSignature, format_note, is_key_name, parse_note
from assaymark.tlog.proof import format_receipt, make_receipt, parse_receipt
from assaymark.tlog.tiles import ENTRIES, Tile, format_bundle, parse_bundle, parse_tile_path

SETTINGS = settings(max_examples=200, deadline=None)
HASH = st.binary(min_size=32, max_size=32)
NAMES = st.text(min_size=1, max_size=20).filter(is_key_name)
LINES = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=30)
SIGNATURES = st.lists(
    st.builds(NoteSignature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)),
    min_size=1,
    max_size=4,
)
CHECKPOINTS = st.builds(
    lambda origin, size, root, extra: Checkpoint(origin, size, root if size else EMPTY_ROOT, tuple(extra)),
    LINES,
    st.integers(0, 2**63 - 1),
    HASH,
    st.lists(LINES, max_size=2),
)
NOTES = st.builds(
    lambda checkpoint, signatures: format_note(format_checkpoint(checkpoint), signatures), CHECKPOINTS, SIGNATURES
)
RECEIPTS = st.builds(
    make_receipt, st.integers(0, 2**63 - 1), st.binary(min_size=1, max_size=60), st.lists(HASH, max_size=5), NOTES
)
LEAVES = st.builds(Leaf, HASH.map(lambda digest: "sha256:" + digest.hex()), st.integers(0, 253_402_300_799))
TARGETS = [tlog_leaf, tlog_note, tlog_proof, tlog_tiles, tlog_vkey]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__.rpartition(".")[2])
@given(data=st.binary(max_size=400))
@SETTINGS
def test_arbitrary_bytes(target, data):
    target.fuzz(data)


@given(seed=st.one_of(NOTES, RECEIPTS.map(format_receipt), LEAVES.map(format_leaf)), data=st.data())
@SETTINGS
def test_valid_bytes_with_a_few_changed(seed, data):
    changed = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        if not changed:
            break
    for target in TARGETS:
        target.fuzz(bytes(changed))


@given(checkpoint=CHECKPOINTS, signatures=SIGNATURES)
@SETTINGS
def test_checkpoints_and_notes_survive_writing(checkpoint, signatures):
    text = format_checkpoint(checkpoint)
    assert parse_checkpoint(text) == checkpoint
    note = parse_note(format_note(text, signatures))
    assert (note.text, list(note.signatures)) == (text, signatures)


@given(receipt=RECEIPTS)
@SETTINGS
def test_receipts_survive_writing(receipt):
    assert parse_receipt(format_receipt(receipt)) == receipt


@given(leaf=LEAVES)
@SETTINGS
def test_entries_survive_writing(leaf):
    assert parse_leaf(format_leaf(leaf)) == leaf


@given(level=st.integers(ENTRIES, 63), index=st.integers(0, 2**55 - 1), width=st.integers(1, 256))
@SETTINGS
def test_tile_paths_survive_writing(level, index, width):
    tile = Tile(level, index, width)
    assert parse_tile_path(tile.path) == tile


@given(entries=st.lists(st.binary(max_size=50), min_size=1, max_size=20))
@SETTINGS
def test_bundles_survive_writing(entries):
    assert list(parse_bundle(format_bundle(entries), len(entries))) == entries


@given(data=st.data(), size=st.integers(1, 200))
@SETTINGS
def test_no_proof_survives_a_flipped_bit(data, size):
    leaves = [hashlib.sha256(b"%d" % i).digest() for i in range(size)]

    def read(level, index):
        return tree_root(leaves[index << level : (index + 1) << level])

    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, old_root = tree_root(leaves), tree_root(leaves[:old])
    for proof, verify in (
        (inclusion_proof(index, size, read), lambda p: verify_inclusion(leaves[index], index, size, p, root)),
        (consistency_proof(old, size, read), lambda p: verify_consistency(old, size, p, old_root, root)),
    ):
        verify(proof)
        if not proof:
            continue
        flat = bytearray(b"".join(proof))
        flat[data.draw(st.integers(0, len(flat) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(VerificationError):
            verify([bytes(flat[i : i + 32]) for i in range(0, len(flat), 32)])


@given(data=HASH)
@SETTINGS
def test_base64_with_stray_bits_is_refused(data):
    text = base64.b64encode(data).decode()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = text[:-2] + alphabet[alphabet.index(text[-2]) ^ 1] + "="
    with pytest.raises(InputError):
        parse_checkpoint(f"log.example\n1\n{stray}\n")
