"""Floor 1: which evidence an environment demands, and the decision that follows from it. Pure."""
