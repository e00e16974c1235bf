"""What a person is told when two subjects differ."""

from assaymark.core.digest import sha256_digest
from assaymark.core.subject import Difference, FileEntry, compare_manifests, make_manifest


def test_manifests_that_differ_in_a_size_alone_are_told_apart():
    good = make_manifest("file", [FileEntry("a", 1, sha256_digest(b"a"))])
    lying = make_manifest("file", [FileEntry("a", 2, sha256_digest(b"a"))])
    assert good.digest != lying.digest
    assert compare_manifests(good, lying) == (Difference("a", "changed, 1 to 2 bytes"),)
