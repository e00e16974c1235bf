"""Fuzz target: the configuration of a scan."""

from assaymark.core.errors import InputError
from assaymark.scanning.config import parse_scan_config

SEEDS = [
    b'format = "assaymark:scan-config/v1"\n[[ignore]]\nrule = "zip-ambiguous"\npath = "*"\nowner = "E"\nreason = "r"\nuntil = 2027-01-01\n',
    b'format = "assaymark:scan-config/v1"\n[[allow]]\nname = "a.B"\nfile = "f"\ndigest = "sha256:' + b"0" * 64 + b'"\nowner = "E"\nreason = "r"\nuntil = 2027-01-01T00:00:00Z\n',
]  # fmt: skip


def fuzz(data: bytes) -> None:
    """Only InputError is raised."""
    try:
        parse_scan_config(data)
    except InputError:
        return
