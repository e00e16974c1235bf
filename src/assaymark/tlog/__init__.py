"""Floor 1: the transparency log as bytes and hashes: Merkle tree, signed notes, checkpoints, tiles, proofs."""
