"""The index of a log that a program opened and let go."""

from __future__ import annotations

import gc
import sqlite3
from pathlib import Path

import pytest
from tests.support.logs import NOW, SIGNER, make_log, make_test_envelope, subject_digest

from assaymark.store.log_index import DamagedIndexError, LogIndex
from assaymark.store.log_lookup import Lookup
from assaymark.store.log_store import LogStore


def test_an_index_that_is_let_go_is_closed(tmp_path: Path) -> None:
    index = LogIndex(tmp_path / "index.sqlite")
    connection = index._connection
    assert connection is not None
    connection.execute("SELECT 1")
    del index
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_an_index_that_another_process_extends_meanwhile_is_not_thrown_away(tmp_path: Path, monkeypatch) -> None:
    """A reader that catches up may find that a writer was faster: the index is then ahead of what it has read."""
    make_log(tmp_path / "log", 3).close()
    (tmp_path / "log" / "index.sqlite").unlink()
    reader, writer = LogStore.open(tmp_path / "log"), LogStore.open(tmp_path / "log")
    honest, thrown = Lookup._catch_up, []

    def slow(lookup, index, start, checkpoint):
        honest(lookup, index, start, checkpoint)
        if lookup is reader._lookup and checkpoint.size == 3:
            writer.append([make_test_envelope(3)], NOW, SIGNER)
        return index.covered()

    monkeypatch.setattr(Lookup, "_catch_up", slow)
    monkeypatch.setattr(Lookup, "discard", thrown.append)
    assert reader.by_subject(subject_digest("model"), 99) == [0, 1, 2, 3]
    assert thrown == []
    reader.close()
    writer.close()


def test_a_schema_that_is_not_text_is_damage(tmp_path: Path) -> None:
    """SQLite quotes a part of it in its message, which Python's module then cannot decode."""
    log = make_log(tmp_path / "log", 1)
    log.close()
    path = tmp_path / "log" / "index.sqlite"
    path.write_bytes(
        path.read_bytes().replace(b"CREATE TABLE covered (origin", b"CREATE TABLE covered \xff\x80rigin")
    )
    with pytest.raises(DamagedIndexError):
        LogIndex(path).covered()
    assert log.by_subject(subject_digest("model"), 9) == [0]
    log.close()
