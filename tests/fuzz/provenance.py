"""Any bytes as a provenance predicate: refused, or materials with digests and packages with names."""

import json

from assaymark.core.digest import is_digest
from assaymark.core.errors import InputError
from assaymark.core.provenance import Material, derivation_predicate, parse_provenance
from assaymark.core.statement import PROVENANCE, make_statement
from assaymark.core.subject import Subject

_SUBJECT = Subject("tuned", "sha256:" + "1" * 64)
_BASE = Material("base", "sha256:" + "2" * 64, "model", declared=True)
_RECORDED = {
    "buildDefinition": {
        "buildType": "assaymark:record/v1",
        "externalParameters": {"operation": "train"},
        "resolvedDependencies": [
            {"annotations": {"how": "declared", "kind": "dataset"}, "digest": {"sha256": "3" * 64}, "name": "train"},
            {"annotations": {"how": "observed", "kind": "file"}, "digest": {"sha256": "4" * 64}, "name": "/etc/x"},
            {"digest": {"sha256": "5" * 64}, "uri": "pkg:pypi/numpy@2.3.1?file_name=x#y"},
            {"uri": "git+https://example.com/repo@main", "digest": {"gitCommit": "6" * 40}},
        ],
    },
    "runDetails": {"builder": {"id": "https://example.com/builder"}},
}
SEEDS = [
    json.dumps(derivation_predicate("merge", (_BASE,), builder="assaymark:builder/person", level=0)).encode(),
    json.dumps(_RECORDED).encode(),
]


def fuzz(data: bytes) -> None:
    try:
        predicate = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(predicate, dict):
        return
    try:
        provenance = parse_provenance(make_statement((_SUBJECT,), PROVENANCE, predicate))
    except InputError:
        return
    assert all(is_digest(item.digest) for item in provenance.materials)
    assert all(item.name.startswith("pkg:") for item in provenance.packages)
    assert set(provenance.parents) <= set(provenance.materials)
    assert all(item.declared and item.kind != "file" for item in provenance.parents)
