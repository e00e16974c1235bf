"""Any bytes as a manifest: refused, or the one spelling of what it says."""

from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError
from assaymark.core.subject import FileEntry, compare_manifests, make_manifest, parse_manifest

_FILES = [FileEntry("a/b.json", 1, sha256_digest(b"a")), FileEntry("\u00e9", 2, sha256_digest(b"b"))]
_GOOD = make_manifest("folder", _FILES, [FileEntry("limits.json", 3, sha256_digest(b"c"))])

SEEDS = [_GOOD.to_bytes(), make_manifest("file", _FILES[:1]).to_bytes()]


def fuzz(data: bytes) -> None:
    try:
        manifest = parse_manifest(data)
    except InputError:
        return
    assert manifest.to_bytes() == data
    assert manifest.digest == sha256_digest(data)
    assert not compare_manifests(manifest, manifest)
    assert bool(compare_manifests(_GOOD, manifest)) == (manifest != _GOOD)
