"""Where the crash tests lay out their thousands of small files."""

import os
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path(tmp_path):
    """In memory where there is such a place: thousands of small files are written and removed."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def _no_flush(monkeypatch):
    """Hundreds of states are laid out and appended to; they need not survive anything themselves."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
