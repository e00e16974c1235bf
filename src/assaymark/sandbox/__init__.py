"""Floor 3: runs an engine on hostile bytes in a confined child; length-capped JSON comes back, never a pickle."""
