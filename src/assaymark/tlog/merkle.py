"""The Merkle tree of RFC 6962 and RFC 9162: hashes, proofs made from stored nodes, proofs checked.

A stored node is named by ``(level, index)``: the hash of the complete subtree over the entries
``[index << level, (index + 1) << level)``. Every proof and every root of a tree of n entries is made from at most
about 2 log2(n) stored nodes, so nothing here is linear in the log but ``tree_root``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from assaymark.core.errors import UsageError, VerificationError
from assaymark.core.limits import TREE_MAX_SIZE

HASH_BYTES: Final = 32
# RFC 6962 section 2.1: the hash of an empty list is the hash of an empty string.
EMPTY_ROOT: Final = hashlib.sha256().digest()

NodeReader = Callable[[int, int], bytes]
"""``read(level, index)`` returns the 32 bytes of a stored node."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry (RFC 6962 section 2.1: a zero byte, then the entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962 section 2.1: a one byte, then both children)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The root of a growing list of leaves: one pending hash a level, whatever the list's length."""

    def __init__(self) -> None:
        self._pending: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash."""
        level, current = 0, leaf
        while self._pending and self._pending[-1][0] == level:
            current = node_hash(self._pending.pop()[1], current)
            level += 1
        self._pending.append((level, current))

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return _fold([digest for _, digest in self._pending])


def tree_root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over ``leaf_hashes``, in one pass."""
    tree = CompactRange()
    for leaf in leaf_hashes:
        tree.add(leaf)
    return tree.root()


def root_at(size: int, read: NodeReader) -> bytes:
    """The root of the first ``size`` entries of a log whose nodes ``read`` returns.

    Raises:
        UsageError: ``tree-size`` when ``size`` is no tree size.
    """
    if not 0 <= size <= TREE_MAX_SIZE:
        raise UsageError("tree-size", f"{size} is not the size of a tree")
    return _range_hash(0, size, read)


def inclusion_proof(index: int, size: int, read: NodeReader) -> tuple[bytes, ...]:
    """The hashes that lead from entry ``index`` to the root at ``size``, the leaf's sibling first.

    RFC 6962 section 2.1.1.

    Raises:
        UsageError: ``tree-index`` when no such entry is below ``size``.
    """
    if not 0 <= index < size <= TREE_MAX_SIZE:
        raise UsageError("tree-index", f"there is no entry {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, read))
            end = middle
        else:
            path.append(_range_hash(start, middle, read))
            start = middle
    return tuple(reversed(path))


def consistency_proof(size1: int, size2: int, read: NodeReader) -> tuple[bytes, ...]:
    """The hashes that show that the tree of ``size2`` entries extends that of ``size1``.

    RFC 6962 section 2.1.2; empty when the sizes are equal.

    Raises:
        UsageError: ``tree-size`` unless 0 < size1 <= size2.
    """
    if not 0 < size1 <= size2 <= TREE_MAX_SIZE:
        raise UsageError("tree-size", f"a tree of {size2} does not extend a tree of {size1}")
    path: list[bytes] = []
    start, end = 0, size2
    while end != size1:
        middle = start + _split(end - start)
        if size1 <= middle:
            path.append(_range_hash(middle, end, read))
            end = middle
        else:
            path.append(_range_hash(start, middle, read))
            start = middle
    if start:
        path.append(_range_hash(start, end, read))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the entry whose leaf hash is ``leaf`` stands at ``index`` in the tree (RFC 9162 section 2.1.3.2).

    Raises:
        VerificationError: ``proof-inclusion``.
    """
    if not 0 <= index < size <= TREE_MAX_SIZE:
        raise VerificationError("proof-inclusion", f"there is no entry {index} in a tree of {size}")
    if len(leaf) != HASH_BYTES or any(len(digest) != HASH_BYTES for digest in proof):
        raise VerificationError("proof-inclusion", "a hash in the proof does not have 32 bytes")
    node, last, current = index, size - 1, leaf
    for digest in proof:
        if last == 0:
            raise VerificationError("proof-inclusion", "the proof is longer than the tree is high")
        if node & 1 or node == last:
            current = node_hash(digest, current)
            while not node & 1:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, digest)
        node, last = node >> 1, last >> 1
    if last or current != root:
        raise VerificationError(
            "proof-inclusion", f"the proof does not lead from entry {index} to the root at {size}"
        )


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Check that the tree of ``size2`` extends the tree of ``size1`` (RFC 9162 section 2.1.4.2).

    Raises:
        VerificationError: ``proof-consistency``; also for ``size1`` 0, of which nothing can be shown.
    """
    if size1 < 1:
        raise VerificationError("proof-consistency", "nothing can be shown about an empty tree")
    verify_subtree_consistency(0, size1, size2, proof, root1, root2)


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that an entry stands at ``index`` of the log within the subtree ``[start, end)``.

    Subtrees are those of draft-ietf-plants-merkle-tree-certs, which C2SP's tlog-cosignature signs.

    Raises:
        VerificationError: ``proof-inclusion``.
    """
    if not _is_subtree(start, end):
        raise VerificationError("proof-inclusion", f"entries {start} to {end} are not a subtree")
    verify_inclusion(leaf, index - start, end - start, proof, root)


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], subtree_root: bytes, root: bytes
) -> None:
    """Check that the subtree ``[start, end)`` with ``subtree_root`` is part of the tree of ``size`` entries.

    With ``start`` 0 this is RFC 9162 section 2.1.4.2. An empty subtree is part of every tree.

    Raises:
        VerificationError: ``proof-consistency``.
    """
    if not _is_subtree(start, end) or not end <= size <= TREE_MAX_SIZE:
        raise VerificationError("proof-consistency", f"entries {start} to {end} are no subtree of a tree of {size}")
    if any(len(digest) != HASH_BYTES for digest in proof):
        raise VerificationError("proof-consistency", "a hash in the proof does not have 32 bytes")
    if start == end:
        if proof or subtree_root != EMPTY_ROOT:
            raise VerificationError("proof-consistency", "an empty tree has one root and needs no proof")
        return
    first, node, last = start, end - 1, size - 1
    while first != node and (node == last or node & 1):
        first, node, last = first >> 1, node >> 1, last >> 1
    seed, rest = (subtree_root, proof) if first == node else (proof[0] if proof else b"", proof[1:])
    old, new, left = _climb((first, node, last), seed, rest)
    if left or old != subtree_root or new != root:
        raise VerificationError(
            "proof-consistency", f"the proof does not show that the tree of {size} extends the tree of {end}"
        )


def _climb(position: tuple[int, int, int], seed: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes, int]:
    """The two roots that a consistency proof leads to, and how many levels it did not climb."""
    first, node, last = position
    old = new = seed
    for digest in proof:
        if last == 0:
            raise VerificationError("proof-consistency", "the proof is longer than the tree is high")
        if node & 1 or node == last:
            if first < node:
                old = node_hash(digest, old)
            new = node_hash(digest, new)
            while not node & 1:
                first, node, last = first >> 1, node >> 1, last >> 1
        else:
            new = node_hash(new, digest)
        first, node, last = first >> 1, node >> 1, last >> 1
    return old, new, last


def _is_subtree(start: int, end: int) -> bool:
    """Whether ``start`` is a multiple of the smallest power of two that is not below the width."""
    if not 0 <= start <= end <= TREE_MAX_SIZE:
        return False
    width = end - start
    return width == 0 or start % (1 << (width - 1).bit_length()) == 0


def _split(width: int) -> int:
    """The largest power of two below ``width``, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_hash(start: int, end: int, read: NodeReader) -> bytes:
    """The hash of ``[start, end)``, where ``start`` is a multiple of a power of two not below the width."""
    digests: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        digests.append(read(level, start >> level))
        start += 1 << level
    return _fold(digests)


def _fold(digests: list[bytes]) -> bytes:
    """The root over complete subtrees of falling height, from the right."""
    if not digests:
        return EMPTY_ROOT
    current = digests[-1]
    for digest in reversed(digests[:-1]):
        current = node_hash(digest, current)
    return current
