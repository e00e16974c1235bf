"""Roots and proofs against published vectors, the drawings of RFC 6962, and a naive reading of its recursions."""

import hashlib
import json
from pathlib import Path

import pytest

from assaymark.core.errors import UsageError, VerificationError
from assaymark.core.limits import TREE_MAX_SIZE
from assaymark.tlog.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    tree_root,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/rfc6962.json").read_bytes())
LEAVES = [hashlib.sha256(b"\x00" + bytes([i])).digest() for i in range(64)]


# A direct reading of RFC 6962 section 2.1, section 2.1.1 and section 2.1.2, with nothing shared with the product.


def _naive_split(count):
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def _naive_root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _naive_split(len(leaves))
    return hashlib.sha256(b"\x01" + _naive_root(leaves[:k]) + _naive_root(leaves[k:])).digest()


def _naive_path(m, leaves):
    if len(leaves) == 1:
        return []
    k = _naive_split(len(leaves))
    if m < k:
        return [*_naive_path(m, leaves[:k]), _naive_root(leaves[k:])]
    return [*_naive_path(m - k, leaves[k:]), _naive_root(leaves[:k])]


def _naive_subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [_naive_root(leaves)]
    k = _naive_split(len(leaves))
    if m <= k:
        return [*_naive_subproof(m, leaves[:k], whole), _naive_root(leaves[k:])]
    return [*_naive_subproof(m - k, leaves[k:], False), _naive_root(leaves[:k])]


def _read(level, index):
    return _naive_root(LEAVES[index << level : (index + 1) << level])


def test_published_roots():
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]
    assert bytes.fromhex(VECTORS["empty_root"]) == EMPTY_ROOT == tree_root([])
    for size, root in enumerate(VECTORS["roots"], 1):
        assert tree_root(leaves[:size]).hex() == root


def test_the_seven_leaf_tree_that_rfc_6962_draws():
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k = node_hash(g, h)
    right = node_hash(i, j)
    root = node_hash(k, right)
    assert root_at(7, _read) == root
    assert inclusion_proof(0, 7, _read) == (b, h, right)
    assert inclusion_proof(3, 7, _read) == (c, g, right)
    assert inclusion_proof(4, 7, _read) == (f, j, k)
    assert inclusion_proof(6, 7, _read) == (i, k)
    assert consistency_proof(3, 7, _read) == (c, d, g, right)
    assert consistency_proof(4, 7, _read) == (right,)
    assert consistency_proof(6, 7, _read) == (i, j, k)


def test_every_proof_of_every_tree_up_to_64_entries():
    roots = [_naive_root(LEAVES[:size]) for size in range(65)]
    for size in range(1, 65):
        assert root_at(size, _read) == tree_root(LEAVES[:size]) == roots[size]
        for index in range(size):
            proof = inclusion_proof(index, size, _read)
            assert list(proof) == _naive_path(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], index, size, proof, roots[size])
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, _read)
            assert list(proof) == _naive_subproof(old, LEAVES[:size], True)
            verify_consistency(old, size, proof, roots[old], roots[size])


def test_a_proof_of_another_entry_size_or_root_is_refused():
    root = root_at(23, _read)
    for index in range(23):
        proof = inclusion_proof(index, 23, _read)
        wrong = [
            (LEAVES[(index + 1) % 23], index, 23, proof, root),
            (LEAVES[index], (index + 1) % 23, 23, proof, root),
            (LEAVES[index], index, 23, proof, EMPTY_ROOT),
            (LEAVES[index], index, 23, proof[:-1], root),
            (LEAVES[index], index, 23, (*proof, root), root),
            (LEAVES[index], index, 23, tuple(reversed(proof)), root),
            (LEAVES[index][:31], index, 23, proof, root),
            (LEAVES[index], index, 23, (*proof[:-1], proof[-1][:31]), root),
            (LEAVES[index], -1, 23, proof, root),
            (LEAVES[index], index, TREE_MAX_SIZE + 1, proof, root),
        ]
        for case in wrong:
            with pytest.raises(VerificationError) as caught:
                verify_inclusion(*case)
            assert caught.value.code == "proof-inclusion"


def test_a_fork_is_refused():
    forked = [*LEAVES[:9], leaf_hash(b"forked"), *LEAVES[10:20]]
    proof = consistency_proof(12, 20, lambda level, index: _naive_root(forked[index << level : (index + 1) << level]))
    with pytest.raises(VerificationError) as caught:
        verify_consistency(12, 20, proof, root_at(12, _read), _naive_root(forked))
    assert caught.value.code == "proof-consistency"


def test_a_shortened_or_lengthened_consistency_proof_is_refused():
    proof = consistency_proof(12, 20, _read)
    old, new = root_at(12, _read), root_at(20, _read)
    for wrong in ([], proof[:-1], proof[1:], (*proof, new), (*proof[:-1], b"short")):
        with pytest.raises(VerificationError):
            verify_consistency(12, 20, wrong, old, new)
    with pytest.raises(VerificationError):
        verify_consistency(0, 20, (), EMPTY_ROOT, new)
    with pytest.raises(VerificationError):
        verify_consistency(20, 12, proof, new, old)


def test_subtrees_are_part_of_their_tree():
    verify_subtree_inclusion(LEAVES[6], 6, 4, 7, [node_hash(LEAVES[4], LEAVES[5])], _naive_root(LEAVES[4:7]))
    with pytest.raises(VerificationError):
        verify_subtree_inclusion(LEAVES[3], 3, 3, 5, [LEAVES[4]], _naive_root(LEAVES[3:5]))
    verify_subtree_consistency(4, 4, 9, (), EMPTY_ROOT, b"any")
    with pytest.raises(VerificationError):
        verify_subtree_consistency(2, 1, 9, (), EMPTY_ROOT, b"any")


@pytest.mark.parametrize(
    "make",
    [
        lambda: inclusion_proof(5, 5, _read),
        lambda: inclusion_proof(-1, 5, _read),
        lambda: consistency_proof(0, 5, _read),
        lambda: consistency_proof(6, 5, _read),
        lambda: root_at(-1, _read),
        lambda: root_at(TREE_MAX_SIZE + 1, _read),
    ],
)
def test_a_proof_about_what_is_not_there_is_the_callers_mistake(make):
    with pytest.raises(UsageError):
        make()


def test_a_proof_reads_few_nodes_of_a_large_tree():
    reads = []

    def read(level, index):
        reads.append((level, index))
        return bytes(32)

    assert len(inclusion_proof(123_456_789, 10**12 + 7, read)) <= 41
    consistency_proof(10**11 + 3, 10**12 + 7, read)
    assert len(reads) < 200
