"""Floor 2: unsafe to safe formats as plans: which bytes of the source become which tensor. Nothing is executed."""
