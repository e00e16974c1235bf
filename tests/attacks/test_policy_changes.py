"""Ways to change the policy without those whom the policy in force asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cli import Team, ask, make_model, make_team

from assaymark.core.digest import sha256_digest
from assaymark.core.statement import POLICY, parse_envelope
from assaymark.policy.starter import STARTER
from assaymark.service.policy import policy_statement
from assaymark.service.publish import publish, sign_statement
from assaymark.service.workspace import open_workspace
from assaymark.ui.cli.clock import now

GUARDED = (
    STARTER
    + """
[policy]
[[policy.require]]
id = "review"
predicate = "assaymark:approval/v1"
roles = ["approver"]
threshold = 2
"""
)
LAX = """format = "assaymark:policy/v1"
[environments.production]
[[environments.production.require]]
id = "release"
predicate = "assaymark:release/v1"
roles = ["owner"]
"""


@pytest.fixture
def team(tmp_path: Path) -> Team:
    team = make_team(tmp_path)
    (tmp_path / "guarded.toml").write_text(GUARDED)
    (tmp_path / "lax.toml").write_text(LAX)
    assert team.run("policy", "set", tmp_path / "guarded.toml").code == 0
    return team


def in_force(team: Team) -> str:
    return str(sha256_digest(team.run("policy", "show").out.encode()))


def approve(team: Team, file: Path, *names: str) -> None:
    for name in names:
        assert team.run("policy", "approve", file, "--key", team.key(name)).code == 0


def test_the_policy_in_force_decides_on_its_change(team, tmp_path):
    lax = tmp_path / "lax.toml"
    before = in_force(team)
    size = team.ask("log", "show").json["tree_size"]
    refused = team.ask("policy", "set", lax)
    assert (refused.code, refused.json["error"]["code"]) == (1, "policy-change")
    assert team.ask("log", "show").json["tree_size"] == size
    first = team.ask("policy", "approve", lax, "--key", team.key("alice"))
    assert [item["requirement"] for item in first.json["missing"]] == ["review"]
    assert team.run("policy", "set", lax).code == 1
    approve(team, lax, "bob")
    assert in_force(team) == before, "approving sets nothing"
    assert team.run("policy", "set", lax).code == 0
    assert in_force(team) == sha256_digest(LAX.encode())


def test_a_policy_that_is_logged_past_the_command_does_not_come_into_force(team, tmp_path):
    """Whoever holds the policy role's key and the log's writes the statement by hand."""
    model = make_model(tmp_path)
    workspace = open_workspace(team.workspace)
    replaced = workspace.log.by_predicate(POLICY, 10**6)[0]
    statement = policy_statement(LAX.encode(), "default", replaced + 1)
    publish(workspace, [sign_statement(statement.payload, [workspace.signer(None)])], now())
    assert in_force(team) == sha256_digest(GUARDED.encode())
    assert team.ask("submit", model, "--to", "production").json["outcome"] == "DENY"
    dossier = tmp_path / "model.dossier"
    team.approve(model, "alice", "bob")
    assert team.run("decide", model, "--for", "production", "--dossier", dossier).code == 0
    held = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert held.code == 0, "the dossier shows which policy was in force, and why the other one was not"
    assert held.json["policy"] == sha256_digest(GUARDED.encode())


def test_approvals_of_an_earlier_change_do_not_bring_it_back(team, tmp_path):
    lax, guarded = tmp_path / "lax.toml", tmp_path / "guarded.toml"
    approve(team, lax, "alice", "bob")
    assert team.run("policy", "set", lax).code == 0
    assert team.run("policy", "set", guarded).code == 0, "the lax one asks for nothing"
    refused = team.ask("policy", "set", lax)
    assert (refused.code, refused.json["error"]["code"]) == (1, "policy-change")
    workspace = open_workspace(team.workspace)
    for index in workspace.log.by_subject(sha256_digest(LAX.encode()), 10**6):
        data = workspace.log.entry(index)[1]
        if b"approval" in parse_envelope(data).payload:
            publish(workspace, [parse_envelope(data.replace(b'{"payload"', b'{ "payload"'))], now())
    assert team.run("policy", "set", lax).code == 1, "nor does logging them again in other bytes"
    approve(team, lax, "alice", "bob")
    assert team.run("policy", "set", lax).code == 0


def test_one_person_is_one_approver_of_a_policy_too(team, tmp_path):
    lax = tmp_path / "lax.toml"
    approve(team, lax, "alice", "alice")
    assert team.run("policy", "approve", lax, "--comment", "once more", "--key", team.key("alice")).code == 0
    assert team.run("policy", "set", lax).code == 1


def test_an_approval_of_a_model_is_none_of_a_policy(team, tmp_path):
    lax = tmp_path / "lax.toml"
    for name in ("alice", "bob"):
        digest = sha256_digest(LAX.encode())
        team.run("attest", "approval", digest, "--for", "production", "--key", team.key(name))
    assert team.run("policy", "set", lax).code == 1
