"""What a verifier remembers between runs: the newest root of each pin and the newest tree of each log.

Without it, somebody who hands out an old dossier or sets a workspace back would go unnoticed (TUF calls this a
rollback attack). The memory is a small JSON file of the verifier's own; losing it loses only that protection.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.canonical import canonical_json, parse_object
from assaymark.core.errors import InputError, UnavailableError, VerificationError
from assaymark.store.files import make_folder, write_durable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FORMAT: Final = "assaymark:recall/v1"
_MAX_BYTES: Final = 1 << 20


class Recall:
    """The memory in ``folder``; made at the first use. ``notes`` says when nothing could be remembered.

    ``folder`` is None for a user that has nowhere to keep it.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.notes: list[str] = []

    def see_root(self, pinned: str, version: int, digest: str) -> None:
        """Remember the newest root under a pin.

        Raises:
            VerificationError: ``root-rollback`` for one older than, or other than, what was seen.
        """
        with self._memory() as memory:
            seen = memory["roots"].get(pinned)
            if seen is not None:
                if version < seen["version"]:
                    raise VerificationError(
                        "root-rollback",
                        f"root version {version} is older than version {seen['version']}, seen before",
                        source=pinned,
                        remedy="ask for a dossier or copy made under the newest root",
                    )
                if version == seen["version"] and digest != seen["digest"]:
                    raise VerificationError(
                        "root-fork", f"two roots of version {version} exist under one pin", source=pinned
                    )
            memory["roots"][pinned] = {"digest": digest, "version": version}

    def see_tree(self, origin: str, size: int, root_hash: str, root_at: Callable[[int], bytes]) -> None:
        """Remember the newest tree of a log; ``root_at(size)`` gives the root hash of an earlier tree.

        Raises:
            VerificationError: ``log-rollback`` or ``log-fork``.
        """
        with self._memory() as memory:
            seen = memory["trees"].get(origin)
            if seen is not None:
                if size < seen["size"]:
                    raise VerificationError(
                        "log-rollback",
                        f"the log has {size} entries and had {seen['size']} before: entries were removed",
                        source=origin,
                        remedy="restore the log from a copy; this one hides what it once held",
                    )
                if root_at(seen["size"]).hex() != seen["root_hash"]:
                    raise VerificationError(
                        "log-fork", f"the first {seen['size']} entries are not those seen before", source=origin
                    )
            memory["trees"][origin] = {"root_hash": root_hash, "size": size}

    @contextmanager
    def _memory(self) -> Iterator[dict[str, Any]]:
        """The memory under a lock; written back when it changed and nothing was refused."""
        if self._folder is None:
            self.notes[:] = ["nothing is remembered between runs: no home folder; set XDG_STATE_HOME"]
            yield _nothing_seen()
            return
        file = self._folder / "seen.json"
        try:
            make_folder(file.parent, 0o700)
            lock = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (OSError, UnavailableError) as error:
            why = error.strerror if isinstance(error, OSError) else error.message
            self.notes.append(f"nothing is remembered between runs: {file}: {why}")
            yield self._read(file)
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            memory = self._read(file)
            before = canonical_json(memory)
            yield memory
            after = canonical_json(memory)
            if after != before:
                try:
                    write_durable(file, after, 0o600)
                except UnavailableError as error:
                    self.notes.append(f"nothing is remembered between runs: {error}")
        finally:
            os.close(lock)

    def _read(self, file: Path) -> dict[str, Any]:
        try:
            with file.open("rb") as stream:
                memory = parse_object(stream.read(_MAX_BYTES + 1), limit=_MAX_BYTES)
        except FileNotFoundError:
            return _nothing_seen()
        except OSError as error:
            self.notes.append(f"what was seen before cannot be read: {file}: {error.strerror}")
            return _nothing_seen()
        except InputError as error:
            raise error.at(str(file)) from None
        if not _well_formed(memory):
            raise InputError(
                "recall-form",
                "not a verifier's memory, or damaged",
                source=str(file),
                remedy="remove the file: what was seen before is then forgotten",
            )
        return memory


def _nothing_seen() -> dict[str, Any]:
    return {"format": FORMAT, "roots": {}, "trees": {}}


def _well_formed(memory: dict[str, Any]) -> bool:
    tables = (("roots", {"digest": str, "version": int}), ("trees", {"root_hash": str, "size": int}))
    return memory.get("format") == FORMAT and all(
        isinstance(memory.get(name), dict)
        and all(
            isinstance(item, dict) and {key: type(value) for key, value in item.items()} == fields
            for item in memory[name].values()
        )
        for name, fields in tables
    )
