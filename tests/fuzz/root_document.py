"""Any bytes as a trust root: refused, or read and spelled in the one way."""

import json

from tests.support.dossiers import ROOT

from assaymark.core.canonical import canonical_json
from assaymark.core.errors import InputError
from assaymark.trust.root import parse_root

SEEDS = [ROOT]


def fuzz(data: bytes) -> None:
    try:
        root = parse_root(data)
    except InputError:
        return
    assert canonical_json(json.loads(data)) == root.payload == data
