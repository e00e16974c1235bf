"""What somebody who may append to the log, and holds nobody's key, can do with what others have signed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import Team, cli, make_model, make_team

from assaymark.core.statement import APPROVAL, POLICY, SCAN, parse_envelope
from assaymark.service.publish import note_signer, publish
from assaymark.service.workspace import open_workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return make_team(tmp_path)


def log_again(team: Team, predicate_type: str) -> None:
    """Log the first statement of a type again, in an envelope that differs in white space."""
    workspace = open_workspace(team.workspace)
    index = workspace.log.by_predicate(predicate_type, below=1 << 30, newest_first=False)[0]
    envelope = workspace.log.entry(index)[1].replace(b'","', b'", "')
    signer = note_signer(workspace.config.origin, workspace.signer(None, name="log"))
    (position,) = workspace.log.append([envelope], int(time.time()), signer)
    assert position > index
    workspace.log.close()


def stricter(team: Team, folder: Path) -> Path:
    policy = folder / "strict.toml"
    policy.write_text(team.run("policy", "show").out.replace("threshold = 2", "threshold = 3"))
    return policy


def test_an_old_policy_does_not_come_back(team: Team, tmp_path: Path) -> None:
    model = make_model(tmp_path)
    team.admit(model)
    assert team.run("policy", "set", stricter(team, tmp_path)).code == 0
    assert team.ask("verify", model, "--for", "production").code == 1
    log_again(team, POLICY)
    log_again(team, SCAN)
    assert team.ask("verify", model, "--for", "production").code == 1
    assert team.ask("decide", model, "--for", "production").json["outcome"] == "DENY"
    # Who signs policies can still go back, and on from there.
    starter = tmp_path / "starter.toml"
    starter.write_text((tmp_path / "strict.toml").read_text().replace("threshold = 3", "threshold = 2"))
    assert team.run("policy", "set", starter).code == 0
    assert team.ask("verify", model, "--for", "production").code == 0
    log_again(team, POLICY)
    assert team.run("policy", "set", tmp_path / "strict.toml").code == 0
    assert team.ask("verify", model, "--for", "production").code == 1
    assert team.run("log", "check").code == 0


def test_old_approvals_do_not_answer_a_containment(team: Team, tmp_path: Path) -> None:
    model = make_model(tmp_path)
    team.admit(model)
    assert team.run("contain", model, "--for", "production", "--reason", "drift").code == 0
    log_again(team, APPROVAL)
    log_again(team, SCAN)
    lifted = team.ask("contain", model, "--for", "production", "--lift")
    assert lifted.code == 1
    assert team.ask("verify", model, "--for", "production").code == 1


def test_an_approval_for_another_log_counts_nowhere_else(team: Team, model: Path, tmp_path: Path) -> None:
    """The same people, tenant, environment and digest in a workspace for trials: what they approve there stays there."""
    trial = tmp_path / "trial"
    assert cli("init", "--workspace", trial).code == 0
    for name in ("alice", "bob"):
        public = team.folder / f"{name}.pub"
        assert cli("keys", "add", name, "--role", "approver", "--public", public, "--workspace", trial).code == 0
    elsewhere = Team(team.folder, trial, "")
    elsewhere.run("submit", model, "--to", "production")
    elsewhere.approve(model, "alice", "bob")
    assert elsewhere.ask("decide", model, "--for", "production").code == 0

    team.run("submit", model, "--to", "production")
    source, target = open_workspace(trial), open_workspace(team.workspace)
    approvals = [source.log.entry(i)[1] for i in source.log.by_predicate(APPROVAL, below=10**6)]
    assert len(approvals) == 2
    publish(target, [parse_envelope(data) for data in approvals], int(time.time()))
    assert team.ask("decide", model, "--for", "production").code == 1
    team.approve(model, "alice", "bob")
    assert team.ask("decide", model, "--for", "production").code == 0
