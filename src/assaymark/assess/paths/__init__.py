"""What leads where: closure by bit sets, shortest paths, minimum cuts, and proofs that nothing leads somewhere."""
