"""Floor 3: signers by URI. The only package that touches private keys."""
