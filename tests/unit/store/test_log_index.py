"""The index of a log that a program opened and let go."""

from __future__ import annotations

import gc
import sqlite3
from pathlib import Path

import pytest

from assaymark.store.log_index import LogIndex


def test_an_index_that_is_let_go_is_closed(tmp_path: Path) -> None:
    index = LogIndex(tmp_path / "index.sqlite")
    connection = index._connection
    assert connection is not None
    connection.execute("SELECT 1")
    del index
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")
