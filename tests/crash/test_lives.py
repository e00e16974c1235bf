"""Real processes that are killed, and real processes at once; `make soak SOAK="kills races"` does it for long."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assaymark.store.log_media import STORES

ROOT = Path(__file__).parents[2]


def start(module, *words):
    """In a process of its own: it forks, and this one has threads and connections."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, "-m", f"tests.crash.{module}", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)


@pytest.mark.parametrize("store", STORES)
def test_a_hundred_writers_killed_at_random(tmp_path, store):
    done = start("kills", tmp_path, store, 100, os.getpid())
    assert done.returncode == 0, done.stderr
    assert "nothing lost" in done.stdout


@pytest.mark.parametrize("store", STORES)
def test_two_writers_and_a_reader_race(tmp_path, store):
    done = start("races", tmp_path, store, 4)
    assert done.returncode == 0, done.stderr
    assert "one chain" in done.stdout
