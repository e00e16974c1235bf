"""What is written besides the log survives a power cut too: blobs, a verifier's memory, a workspace."""

import random
import shutil

import pytest
from tests.crash.disk import PLAIN, RANDOM, Disk, write_tree

from assaymark.core.errors import UsageError, VerificationError
from assaymark.service.setup import init_workspace
from assaymark.service.workspace import open_workspace
from assaymark.store.blobs import Blobs
from assaymark.store.recall import Recall

NOW = 1_777_636_800


class Watch:
    """Each distinct state that a cut could leave, with what was promised by then."""

    def __init__(self, root, monkeypatch):
        root.mkdir()
        self.chance = random.Random(5)
        self.promised = []
        self.states = {}
        self.disk = Disk(root, self.keep)
        self.disk.install(monkeypatch)

    def promise(self, what):
        self.promised.append(what)
        self.keep()

    def keep(self):
        for mode in (*PLAIN, RANDOM, RANDOM):
            tree = self.disk.state(mode, self.chance)
            self.states[hash((tuple(tree.items()), len(self.promised)))] = (tree, list(self.promised))

    def each(self, place):
        for tree, promised in self.states.values():
            write_tree(tree, place)
            yield promised
            shutil.rmtree(place)


def test_blobs(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        watch = Watch(tmp_path / "disk", patch)
        blobs = Blobs(tmp_path / "disk" / "blobs")
        for digest in blobs.put_all([b"one", b"two"]):
            watch.promise(digest)
        watch.promise(Blobs(tmp_path / "disk" / "blobs").put(b"one"))
        with blobs.writer() as writer:
            writer.write(bytes(1000))
            writer.write(b"three")
            watch.promise(writer.commit())
    for promised in watch.each(tmp_path / "state"):
        for digest in promised:
            assert Blobs(tmp_path / "state" / "blobs").get(digest, 10_000)


def test_a_verifiers_memory(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        watch = Watch(tmp_path / "disk", patch)
        recall = Recall(tmp_path / "disk" / "state" / "assaymark")
        for version in (1, 2, 3):
            recall.see_root("sha256:pin", version, f"sha256:{version}")
            assert recall.notes == []
            watch.promise(version)
    for promised in watch.each(tmp_path / "state"):
        recall = Recall(tmp_path / "state" / "state" / "assaymark")
        if promised and promised[-1] > 1:
            with pytest.raises(VerificationError):
                recall.see_root("sha256:pin", promised[-1] - 1, "sha256:old")
        else:
            recall.see_root("sha256:pin", 3, "sha256:3")
    assert len(watch.states) > 12


def test_a_workspace_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        watch = Watch(tmp_path / "disk", patch)
        made = init_workspace(tmp_path / "disk" / "team" / "ws", NOW, store="folder")
        watch.promise(made.root_digest)
    assert len(watch.states) > 60
    whole = 0
    for promised in watch.each(tmp_path / "state"):
        folder = tmp_path / "state" / "team" / "ws"
        if folder.exists() and (folder / "assaymark.toml").exists():
            workspace = open_workspace(folder)
            assert workspace.trust().root.version == 1
            for name in ("owner", "log", "service"):
                (folder / "keys" / f"{name}.key").chmod(0o600)
                workspace.signer(None, name=name)
            whole += 1
        else:
            assert not promised
            try:
                init_workspace(folder, NOW, store="folder")
            except UsageError as error:
                pytest.fail(f"what a cut left is in the way: {error}")
    assert whole
