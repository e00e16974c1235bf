"""Texts, configurations and source code."""
