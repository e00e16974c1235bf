"""What every test gets: a home of its own, so that no verifier's memory leaks between tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cli import Team, make_model, make_team


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    scanners = [f"ASSAYMARK_SCANNER_{name}" for name in ("PICKLESCAN", "MODELSCAN", "FICKLING", "MODELAUDIT")]
    for name in ("ASSAYMARK_WORKSPACE", "ASSAYMARK_PASSPHRASE_FILE", "ASSAYMARK_DEBUG", *scanners):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """A workspace with two approvers."""
    return make_team(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A clean model folder."""
    return make_model(tmp_path)
