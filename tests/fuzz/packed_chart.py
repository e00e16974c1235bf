"""Fuzz target: a packed chart of Helm."""

from __future__ import annotations

import gzip
from contextlib import suppress

from tests.support.packed import archive

from assaymark.core.errors import InputError
from assaymark.formats.helm.packed import unpacked

_INNER = archive({"sub/Chart.yaml": b"name: sub\n"})
SEEDS = [
    gzip.decompress(archive({"db/Chart.yaml": b"name: db\n", "db/charts/sub-1.tgz": _INNER, "../x": b"y"})),
    gzip.decompress(archive({"db/templates/a.yaml": b"a: 1"}, {"db/link": "/etc/passwd"})),
]


def fuzz(data: bytes) -> None:
    """Only InputError is raised, and no name leads out of the chart's folder."""
    for packed in (data, gzip.compress(data, 1)):
        with suppress(InputError):
            for path in unpacked(packed):
                assert "/" in path
                assert not path.startswith("/")
                assert ".." not in path.split("/")
