"""Decisions for who asks all the time: what was verified once is not verified again while the log only grows."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Request, Scope
from assaymark.core.limits import MIB
from assaymark.core.subject import Subject
from assaymark.service.evidence import Reader, gather_below, seen_tree

if TYPE_CHECKING:
    from assaymark.core.decision import Decision
    from assaymark.service.workspace import Workspace
    from assaymark.store.recall import Recall

# Payloads of verified entries that are kept: some ten thousand statements. Above it all are read anew.
_KEPT_BYTES: Final = 64 * MIB


class Asker:
    """Decides about digests from what a workspace's log holds now, and writes nothing. Threads may share it.

    Each question looks at the log's checkpoint first, so no answer rests on an older tree than the one it finds.
    """

    def __init__(self, workspace: Workspace, recall: Recall | None) -> None:
        self._workspace = workspace
        self._recall = recall
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._note = b""

    def decide(self, digest: str, environment: str, now: int) -> tuple[Decision, str]:
        """The decision on a model, and the name that the newest statement on it gives it (empty without any).

        Raises:
            InputError, VerificationError: as ``service.evidence.gather_seen``.
        """
        reader = self._current()
        evidence = gather_below(self._workspace, reader.tree, digest, reader.tree.checkpoint.size, reader)
        names = [s.name for item in evidence.own for s in item.statement.subjects if s.digest == digest]
        name = names[-1] if names else ""
        # The kind is the asker's to say: what is to run is judged as a model, whatever was logged of it.
        request = Request(Subject(name or digest, digest), Scope(self._workspace.config.tenant, environment))
        return evidence.decide(request, now), name

    def _current(self) -> Reader:
        """A reader of the newest tree, with what is known of the one before where that still holds."""
        with self._lock:
            note, _ = self._workspace.log.checkpoint()
            before = self._reader
            if before is not None and note == self._note and before.bytes < _KEPT_BYTES:
                return before
            tree = seen_tree(self._workspace, self._recall)
            reader = Reader(self._workspace, tree)
            if before is not None and before.bytes < _KEPT_BYTES and self._extends(before, reader):
                reader.take_over(before)
            self._reader, self._note = reader, tree.note
            return reader

    def _extends(self, before: Reader, after: Reader) -> bool:
        """Whether the same root is in force, and the newer tree holds the older one whole."""
        old, new = before.tree, after.tree
        return (
            old.root.digest == new.root.digest
            and old.checkpoint.size <= new.checkpoint.size
            and self._workspace.log.root_at(old.checkpoint.size) == old.checkpoint.root_hash
        )
