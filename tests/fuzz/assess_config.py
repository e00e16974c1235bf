"""Fuzz target: what was decided of an assessment, and an earlier assessment."""

from __future__ import annotations

import tempfile
from pathlib import Path

from assaymark.assess.reviews import parse_assess_config
from assaymark.core.errors import InputError
from assaymark.service.assess_review import load_known

HEAD = b'format = "assaymark:assess-config/v1"\n'
SEEDS = [
    HEAD
    + b'[[finding]]\nfingerprint = "0f3c5a6b7d8e9f00112233445566aabb"\nstate = "accepted"\nowner = "E"\nreason = "r"\nuntil = 2027-03-01\n',
    HEAD + b'[[need]]\nprincipals = ["a"]\nactions = ["read", "s3:GetObject", "get pods/log", "get /x", "Microsoft.A/b/read", "a.b.c"]\nresources = ["b"]\n',
    HEAD + b'[[need]]\nprincipals = "a"\ncode = ["app/"]\n',
    b'{"findings": [{"fingerprint": "0f3c5a6b7d8e9f00112233445566aabb"}], "paths": []}',
]  # fmt: skip
FILE = Path(tempfile.gettempdir()) / "assaymark-fuzz-earlier.json"


def fuzz(data: bytes) -> None:
    """Only InputError is raised."""
    FILE.write_bytes(data)
    for read in (lambda: parse_assess_config(data), lambda: load_known(FILE)):
        try:
            read()
        except InputError:
            continue
