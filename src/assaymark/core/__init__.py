"""Floor 0: every value type, the errors, the limits and the canonical bytes. Standard library only."""
