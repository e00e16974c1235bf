"""An abstract machine for pickle streams that never unpickles: what would happen, not what happened."""
