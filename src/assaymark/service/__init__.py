"""Floor 4: the use cases, one file each; the only composer of engines, stores, keys and the sandbox."""
