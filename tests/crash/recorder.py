"""Record appends on a disk that forgets, and look at each state that a power cut could leave."""

import random
import shutil

from tests.crash.disk import PLAIN, RANDOM, Disk, write_tree
from tests.crash.sound import expect_sound
from tests.support.logs import NOW, ORIGIN, SIGNER, make_test_envelope

from assaymark.store.log_store import LogStore
from assaymark.tlog.checkpoint import read_checkpoint

RANDOM_STATES = 4  # at each call, besides the five that are named


class Recorder:
    """Runs appends on a recorded disk and keeps each distinct state that a cut could leave, with what was promised."""

    store = "folder"

    def __init__(self, root, monkeypatch, seed=1, every=1):
        root.mkdir(exist_ok=True)
        self.folder = root / "log"
        self.chance = random.Random(seed)
        self.acknowledged = {}
        self.seen = {}
        self.made = self.folder.exists()
        self.states = {}
        self.every = every
        self.steps = 0
        self.disk = Disk(root, self.step)
        if self.made:
            self.see()
        self.disk.install(monkeypatch)

    def step(self):
        self.see()
        self.steps += 1
        if self.every and self.steps % self.every == 0:
            self.keep()

    def see(self):
        node = self.disk._node(self.folder / "checkpoint")
        if node is not None:
            checkpoint = read_checkpoint(bytes(node.now))
            known = self.seen.setdefault(checkpoint.size, checkpoint.root_hash)
            assert known == checkpoint.root_hash, "two trees of one size were shown"

    def keep(self):
        for mode in (*PLAIN, *[RANDOM] * RANDOM_STATES):
            tree = self.disk.state(mode, self.chance)
            key = (tuple(tree.items()), len(self.acknowledged), tuple(self.seen))
            self.states.setdefault(
                hash(key), (tree, dict(self.acknowledged), dict(self.seen), self.made, f"{mode} at {self.disk.calls}")
            )

    def create(self):
        LogStore.create(self.folder, ORIGIN, SIGNER, store=self.store).close()
        self.made = True
        self.keep()

    def append(self, start, end):
        log = LogStore.open(self.folder)
        indices = log.append([make_test_envelope(i) for i in range(start, end)], NOW, SIGNER)
        self.acknowledged.update(zip(range(start, end), indices, strict=True))
        self.keep()
        log.close()
        self.keep()

    def check(self, place):
        for tree, *promised in self.states.values():
            write_tree(tree, place)
            expect_sound(place / "log", *promised)
            shutil.rmtree(place)
