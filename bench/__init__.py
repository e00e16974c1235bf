"""Figures beside peers: ratios and CPU-seconds, in one run."""
