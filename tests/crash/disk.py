"""A file system that forgets: what the store did to a folder, and every folder that a power cut could leave.

The store's calls to the operating system are carried out for real and recorded beside. Bytes are durable once their
file was flushed, a name once its folder was flushed, and nothing else is: no order between two files, two folders, or
a name and the bytes under it is assumed. Assumed is only that a rename happens whole or not at all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
NONE, ALL, TORN, NAMES, BYTES, RANDOM = "none", "all", "torn", "names", "bytes", "random"
PLAIN = (NONE, ALL, TORN, NAMES, BYTES)
# Not of the log itself: locks, and what is derived and written by SQLite, which is not recorded here.
IGNORED = ("lock", "index.lock", "index.sqlite", "index.sqlite-wal", "index.sqlite-shm")


class PowerCutError(BaseException):
    """Nothing after this point happens, no handler for errors included."""


@dataclass
class File:
    durable: bytes = b""
    now: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # offset and data; None: cut off there

    def sync(self, forced):
        self.durable, self.pending = bytes(self.now), []

    def write(self, offset, data):
        self.pending.append((offset, data))
        apply(self.now, offset, data)

    def state(self, mode, chance):
        if mode in (ALL, BYTES):
            return bytes(self.now)
        data = bytearray(self.durable)
        if mode in (TORN, RANDOM):
            last = len(self.pending) - 1
            for i, (offset, piece) in enumerate(self.pending):
                if (mode == TORN and i == last) or (mode == RANDOM and chance.random() < 0.3):
                    apply(data, offset, tear(piece, chance))
                elif mode == TORN or chance.random() < 0.6:
                    apply(data, offset, piece)
        return bytes(data)


@dataclass
class Folder:
    durable: dict[str, object] = field(default_factory=dict)
    now: dict[str, object] = field(default_factory=dict)
    pending: list[tuple[str, object, int]] = field(
        default_factory=list
    )  # name, what (None: gone), number of the call

    def put(self, name, what, call):
        self.pending.append((name, what, call))
        place(self.now, name, what)

    def sync(self, forced):
        # Whose old name is gone for good must have its new one.
        forced.update(call for _, what, call in self.pending if what is None)
        self.durable, self.pending = dict(self.now), []

    def state(self, chosen):
        entries = dict(self.durable)
        for name, what, call in self.pending:
            if call in chosen:
                place(entries, name, what)
        return entries


def apply(data, offset, piece):
    if piece is None:
        del data[offset:]
        return
    data.extend(bytes(max(0, offset - len(data))))
    data[offset : offset + len(piece)] = piece


def place(entries, name, what):
    if what is None:
        entries.pop(name, None)
    else:
        entries[name] = what


def tear(piece, chance):
    """The beginning of a write, up to some sector or byte, with zeroes behind it or nothing."""
    if piece is None:
        return piece
    keep = chance.randrange(len(piece) + 1) if chance else len(piece) // 2
    if chance and chance.random() < 0.5:
        keep -= keep % SECTOR
    return piece[:keep] + bytes(len(piece) - keep if chance is None or chance.random() < 0.5 else 0)


class Disk:
    """The folder ``root``, recorded; what lies there at the beginning is taken to be durable."""

    def __init__(self, root: Path, on_step=lambda: None):
        self.root = root
        self.top = load(root)
        self.calls = 0
        self.cut_at = None
        self.fault = None  # called with the number and the name of each call; may raise
        self._on_step = on_step
        self._files = {}
        self._forced = set()

    def install(self, monkeypatch):
        for name in (
            "open",
            "write",
            "pwrite",
            "ftruncate",
            "fsync",
            "close",
            "rename",
            "link",
            "unlink",
            "mkdir",
            "rmdir",
        ):
            monkeypatch.setattr(os, name, self._wrap(getattr(self, "do_" + name), getattr(os, name)))

    def _wrap(self, handler, real):
        return lambda *arguments, **keywords: handler(real, *arguments, **keywords)

    def state(self, mode, chance=None):
        """The tree after a power cut now: bytes by path, None for a folder."""
        calls = {call for folder in self._folders(self.top) for _, _, call in folder.pending}
        if mode in (NONE, BYTES):
            chosen = set()
        elif mode == RANDOM:
            share = chance.choice((0.1, 0.5, 0.9))
            chosen = {call for call in sorted(calls) if chance.random() < share}
        else:
            chosen = calls
        tree = {}
        self._collect(self.top, "", chosen | self._forced, mode, chance, tree)
        return tree

    def _collect(self, folder, path, chosen, mode, chance, tree):
        for name, node in sorted(folder.state(chosen).items()):
            if isinstance(node, Folder):
                tree[path + name] = None
                self._collect(node, f"{path}{name}/", chosen, mode, chance, tree)
            else:
                tree[path + name] = node.state(mode, chance)

    def _folders(self, folder):
        yield folder
        seen = {
            id(node): node for node in (*folder.durable.values(), *folder.now.values()) if isinstance(node, Folder)
        }
        for node in seen.values():
            yield from self._folders(node)

    # The calls

    def _step(self, name):
        number = self.calls
        self.calls += 1
        if self.cut_at is not None and number >= self.cut_at:
            raise PowerCutError
        if self.fault is not None:
            self.fault(number, name)

    def _place(self, path):
        """The folder that holds a path, and its name there; None for one that is not recorded."""
        if not isinstance(path, (str, os.PathLike)):
            return None
        try:
            parts = Path(path).relative_to(self.root).parts
        except ValueError:
            return None
        folder = self.top
        for part in parts[:-1]:
            folder = folder.now.get(part) if isinstance(folder, Folder) else None
        return (folder, parts[-1]) if parts and folder is not None and parts[-1] not in IGNORED else None

    def _node(self, path):
        if Path(path) == self.root:
            return self.top
        found = self._place(path)
        return found and found[0].now.get(found[1])

    def do_open(self, real, path, flags, *arguments, **keywords):
        found = self._place(path)
        if self.cut_at is not None and self.calls > self.cut_at:
            raise PowerCutError
        if flags & os.O_CREAT and found is not None:
            self._step("open")
            descriptor = real(path, flags, *arguments, **keywords)
            if found[1] not in found[0].now:
                found[0].put(found[1], File(), self.calls)
                self._on_step()
        else:
            descriptor = real(path, flags, *arguments, **keywords)
        self._files.pop(descriptor, None)  # one of that number was closed by a file object, unseen
        node = self._node(path) if isinstance(path, (str, os.PathLike)) else None
        if node is not None:
            self._files[descriptor] = [node, 0]
        return descriptor

    def do_close(self, real, descriptor):
        self._files.pop(descriptor, None)
        real(descriptor)

    def do_write(self, real, descriptor, data):
        held = self._files.get(descriptor)
        if held is None:
            return real(descriptor, data)
        self._step("write")
        count = real(descriptor, data)
        held[0].write(held[1], bytes(data[:count]))
        held[1] += count
        self._on_step()
        return count

    def do_pwrite(self, real, descriptor, data, offset):
        if descriptor not in self._files:
            return real(descriptor, data, offset)
        self._step("pwrite")
        count = real(descriptor, data, offset)
        self._files[descriptor][0].write(offset, bytes(data[:count]))
        self._on_step()
        return count

    def do_ftruncate(self, real, descriptor, length):
        if descriptor not in self._files:
            return real(descriptor, length)
        self._step("ftruncate")
        real(descriptor, length)
        self._files[descriptor][0].write(length, None)
        self._on_step()
        return None

    def do_fsync(self, real, descriptor):
        if descriptor not in self._files:
            return real(descriptor)
        self._step("fsync")  # not carried out: the machine that runs the tests does not lose power
        node = self._files[descriptor][0]
        if isinstance(node, File) and os.fstat(descriptor).st_size != len(node.now):
            node.now[:] = Path(f"/proc/self/fd/{descriptor}").read_bytes()  # written by a file object, unseen
        node.sync(self._forced)
        self._on_step()
        return None

    def do_rename(self, real, source, target, **keywords):
        self._move("rename", real, source, target, **keywords)

    def do_link(self, real, source, target, **keywords):
        self._move("link", real, source, target, **keywords)

    def _move(self, name, real, source, target, **keywords):
        found, goal = self._place(source), self._place(target)
        if found is None or goal is None:
            real(source, target, **keywords)
            return
        self._step(name)
        real(source, target, **keywords)
        goal[0].put(goal[1], found[0].now[found[1]], self.calls)
        if name == "rename":
            found[0].put(found[1], None, self.calls)
        self._on_step()

    def do_unlink(self, real, path, **keywords):
        self._remove("unlink", real, path, **keywords)

    def do_rmdir(self, real, path, **keywords):
        self._remove("rmdir", real, path, **keywords)

    def _remove(self, name, real, path, **keywords):
        found = None if keywords.get("dir_fd") is not None else self._place(path)
        if found is None:
            real(path, **keywords)
            return
        self._step(name)
        real(path, **keywords)
        found[0].put(found[1], None, self.calls)
        self._on_step()

    def do_mkdir(self, real, path, *arguments, **keywords):
        found = self._place(path)
        if found is None:
            real(path, *arguments, **keywords)
            return
        self._step("mkdir")
        real(path, *arguments, **keywords)
        found[0].put(found[1], Folder(), self.calls)
        self._on_step()


def load(path):
    if path.is_dir():
        entries = {item.name: load(item) for item in path.iterdir() if item.name not in IGNORED}
        return Folder(dict(entries), dict(entries))
    data = path.read_bytes()
    return File(data, bytearray(data))


def write_tree(tree, root):
    """Lay a state out in a new folder."""
    root.mkdir(parents=True)
    for path, data in tree.items():
        if data is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(data)
