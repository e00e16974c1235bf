"""Proof vectors of the transparency-dev projects, where the shared folder of vectors is present."""

import base64
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from assaymark.core.errors import VerificationError
from assaymark.tlog.checkpoint import read_checkpoint
from assaymark.tlog.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from assaymark.tlog.tiles import ENTRIES, Tile, TileNodes, parse_bundle, parse_hash_tile, width_at

SHARED = Path(os.environ.get("ASSAYMARK_SHARED") or Path(__file__).parents[2].parent / "shared")
VECTORS = SHARED / "vectors"

needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason=f"no shared vectors at {VECTORS}")


def _bytes(text):
    return base64.b64decode(text)


def _run(kind, case):
    proof = [_bytes(digest) for digest in case["proof"] or []]
    if kind == "inclusion":
        verify_inclusion(_bytes(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, _bytes(case["root"]))
    elif kind == "consistency":
        verify_consistency(case["size1"], case["size2"], proof, _bytes(case["root1"]), _bytes(case["root2"]))
    elif kind == "subtreeinclusion":
        start, end = case["start"], case["end"]
        verify_subtree_inclusion(_bytes(case["leafHash"]), case["leafIdx"], start, end, proof, _bytes(case["root"]))
    else:
        roots = _bytes(case["root1"]), _bytes(case["root2"])
        verify_subtree_consistency(case["start"], case["end"], case["size"], proof, *roots)


def _accepts(kind, case):
    try:
        _run(kind, case)
    except VerificationError:
        return False
    return True


@needs_vectors
@pytest.mark.parametrize("kind", ["inclusion", "consistency", "subtreeinclusion", "subtreeconsistency"])
def test_every_proof_vector_is_accepted_or_refused_as_it_says(kind):
    ran = Counter()
    for path in sorted((VECTORS / "merkle" / kind).rglob("*.json")):
        case = json.loads(path.read_bytes())
        ran[case["wantErr"]] += 1
        assert _accepts(kind, case) is not case["wantErr"], f"{path}: {case['desc']}"
    assert ran[True] > 0, "no vector ran that must be refused"
    assert ran[False] > 0, "no vector ran that must be accepted"


@needs_vectors
def test_a_log_written_by_tessera_reads_and_proves():
    folder = VECTORS / "tessera-log"
    sizes = {}
    for path in folder.glob("checkpoint.*"):
        checkpoint = read_checkpoint(path.read_bytes())
        sizes[checkpoint.size] = checkpoint
    assert sizes, "no checkpoint in the Tessera log"
    largest = max(sizes)

    def fetch(tile):
        return parse_hash_tile((folder / tile.path).read_bytes(), tile.width)

    nodes = TileNodes(largest, fetch)
    bundle = Tile(ENTRIES, 0, width_at(ENTRIES, 0, largest))
    entries = parse_bundle((folder / bundle.path).read_bytes(), bundle.width)
    for size, checkpoint in sizes.items():
        if size == 0:
            continue
        assert root_at(size, nodes) == checkpoint.root_hash
        for index, entry in enumerate(entries[:size]):
            proof = inclusion_proof(index, size, nodes)
            verify_inclusion(leaf_hash(entry), index, size, proof, checkpoint.root_hash)
        proof = consistency_proof(size, largest, nodes)
        verify_consistency(size, largest, proof, checkpoint.root_hash, sizes[largest].root_hash)
