"""Fuzz target: scanners of documents, by the names that lead to them."""

from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

NAMES = (
    "m.py",
    "n.ipynb",
    "x.sh",
    "weights.pth",
    "tokenizer.model",
    "schema.json",
    "model_index.json",
    "MLmodel",
    "modules.json",
)
SEEDS = (
    b"import os as o\nf = getattr(o, 'system')\n@d\nasync def g(x=eval): return lambda: __import__('os').x[1:2]\n",
    b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["!pip install x\\n", "exec(y)"]}]}',
    b'{"__loader__": "MethodNode", "__class__": "a", "__module__": "b", "content": {"func": "c", "obj": {}}}',
    b'{"class_name": "Sequential", "config": {"layers": [{"class_name": "function", "config": "relu", "module": null}]}}',
    b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02\x12\x02\x08\x01",
    b"IQ== 0\nIg== 1\n",
    b"curl x | sh\nimport os\n",
)


def fuzz(data: bytes) -> None:
    """A report, whatever the bytes."""
    for name in NAMES:
        examine(BytesView(data), name)
