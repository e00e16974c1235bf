"""Asking all the time gives the answers that asking once gives, whatever the log came to hold meanwhile."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from tests.support.cli import Team, cli

from assaymark.core.decision import Outcome
from assaymark.core.errors import VerificationError
from assaymark.core.subject import Subject
from assaymark.service.asking import Asker
from assaymark.service.verify import verify_in_workspace
from assaymark.service.workspace import open_workspace
from assaymark.store.recall import Recall

NOW = 2_000_000_000


def test_it_answers_as_verify_does_after_each_change(team: Team, model: Path, tmp_path: Path) -> None:
    now = int(time.time())
    digest = cli("digest", model, "--format", "json").json["subject"]
    workspace = open_workspace(team.workspace)
    asker = Asker(workspace, None)

    def both() -> Outcome:
        decision, name = asker.decide(digest, "production", now)
        verdict = verify_in_workspace(workspace, Subject(name or digest, digest), None, "production", now)
        assert verdict.decision == decision
        return decision.outcome

    assert both() is Outcome.DENY
    team.admit(model)
    assert both() is Outcome.PERMIT
    assert asker.decide(digest, "production", now)[1] == "model"
    team.run("submit", model.parent / "model" / "config.json", "--to", "dev")
    assert both() is Outcome.PERMIT
    team.enrol("carol", "approver")  # another root
    assert both() is Outcome.PERMIT
    assert team.run("contain", model, "--for", "production", "--reason", "reads 4 as 9").code == 0
    assert both() is Outcome.DENY


def test_a_key_that_was_stolen_counts_no_more_though_its_entries_were_read_before(team: Team, model: Path) -> None:
    now = int(time.time())
    digest = cli("digest", model, "--format", "json").json["subject"]
    asker = Asker(open_workspace(team.workspace), None)
    team.admit(model)
    assert asker.decide(digest, "production", now)[0].outcome is Outcome.PERMIT
    stolen = team.run("keys", "compromise", "bob", "--reason", "stolen")
    assert stolen.code == 0, stolen
    assert asker.decide(digest, "production", now)[0].outcome is Outcome.DENY


def test_a_workspace_that_was_set_back_is_refused(team: Team, model: Path, tmp_path: Path) -> None:
    digest = cli("digest", model, "--format", "json").json["subject"]
    shutil.copytree(team.workspace, tmp_path / "earlier")
    team.admit(model)
    recall = Recall(tmp_path / "state")
    Asker(open_workspace(team.workspace), recall).decide(digest, "production", NOW)
    with pytest.raises(VerificationError) as error:
        Asker(open_workspace(tmp_path / "earlier"), recall).decide(digest, "production", NOW)
    assert error.value.code in {"log-rollback", "root-rollback"}
