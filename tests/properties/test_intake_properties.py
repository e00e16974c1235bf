"""Any tree of files: the manifest reads back, and says exactly what is there."""

import hashlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from assaymark.core.subject import compare_manifests, parse_manifest
from assaymark.store.intake import take_manifest

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=20), min_size=1, max_size=6
)


def _write(folder, files):
    kept = {}
    for name, content in sorted(files.items()):
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError:  # a name that is a file already, or too long for this file system
            continue
        kept[name] = content
    return kept


@given(one=TREES, two=TREES)
@settings(max_examples=60, deadline=None)
def test_a_manifest_says_exactly_what_is_there(one, two):
    with tempfile.TemporaryDirectory() as name:
        manifests = []
        trees = []
        for i, tree in enumerate((one, two)):
            folder = Path(name) / str(i)
            folder.mkdir()
            trees.append(_write(folder, tree))
            if not trees[-1]:
                return
            manifests.append(take_manifest(folder).manifest)
    for tree, manifest in zip(trees, manifests, strict=True):
        assert {entry.path: entry.digest for entry in manifest.files} == {
            path: "sha256:" + hashlib.sha256(content).hexdigest() for path, content in tree.items()
        }
        assert [entry.path.encode() for entry in manifest.files] == sorted(path.encode() for path in tree)
        assert parse_manifest(manifest.to_bytes()) == manifest
    assert (manifests[0].digest == manifests[1].digest) is (trees[0] == trees[1])
    assert (compare_manifests(*manifests) == ()) is (trees[0] == trees[1])
