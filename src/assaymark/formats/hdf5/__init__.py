"""Strict reader of HDF5 (File Format Specification 3.0): structure and small attributes, never the data."""
