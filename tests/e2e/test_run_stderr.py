"""A launcher whose messages nobody reads still stops what may not run any more."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.cli import make_model, make_team
from tests.support.launched import alive, command, environment, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who is alive")


def test_a_stderr_that_nobody_reads_delays_no_stop(tmp_path: Path) -> None:
    team = make_team(tmp_path)
    model = make_model(tmp_path)
    team.admit(model)
    pid, log = tmp_path / "pid", team.workspace / "log"
    read, write = os.pipe()
    os.set_blocking(write, False)
    size = fcntl.fcntl(write, fcntl.F_GETPIPE_SZ)
    assert os.write(write, bytes(size)) == size
    os.set_blocking(write, True)
    words = command(
        "run", model, "--for", "production", "--workspace", team.workspace, "--interval", "1s",
        "--", "sh", "-c", f"echo $$ > {pid}; exec sleep 60",
    )  # fmt: skip
    with subprocess.Popen(words, env=environment(), stderr=write, stdout=subprocess.DEVNULL) as launcher:
        try:
            eventually(lambda: pid.exists() and pid.read_text().endswith("\n"))
            log.rename(tmp_path / "away")
            time.sleep(2.5)  # no answer, which is said
            (tmp_path / "away").rename(log)
            assert team.run("contain", model, "--for", "production", "--reason", "reads 4 as 9").code == 0
            eventually(lambda: not alive(int(pid.read_text())), 25)  # it ends by itself after 60
        finally:
            os.close(write)
            os.set_blocking(read, False)
            os.read(read, size)
            launcher.terminate()
            os.close(read)
