"""Floor 2: who may sign what. The trust root, its chain of versions, and the signatures it vouches for. Pure."""
