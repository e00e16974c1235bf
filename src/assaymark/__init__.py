"""Assaymark: decides whether a machine-learning model may run, and shows anyone the proof."""

__version__ = "0.1.0"
