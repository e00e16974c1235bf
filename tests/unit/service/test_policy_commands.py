"""``policy diff``, ``policy test``, and exceptions, on a real workspace."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.cli import Team, ask, cli, make_model

from assaymark.core.statement import DECISION
from assaymark.policy.starter import STARTER
from assaymark.service.workspace import open_workspace

DOCS = Path(__file__).parents[3] / "docs"


def soon(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """The starter policy, with one approval in place of two."""
    file = tmp_path / "new.toml"
    file.write_text(STARTER.replace("threshold = 2", "threshold = 1"))
    return file


def test_the_same_policy_changes_nothing(team: Team, model: Path, new: Path) -> None:
    team.admit(model)
    same = team.ask("policy", "diff", "current", "entry:1")
    assert (same.code, same.json["changed"], same.json["compared"]) == (0, 0, 1)
    assert "None of 1 decision" in team.run("policy", "diff", "current", "current").out
    empty = team.ask("policy", "diff", new, new)
    assert empty.code == 0


def test_what_would_change_is_said_with_the_requirement(team: Team, model: Path, new: Path) -> None:
    team.run("submit", model, "--to", "production")
    team.approve(model, "alice")
    team.run("decide", model, "--for", "production")
    found = team.ask("policy", "diff", "current", new)
    assert (found.code, found.json["compared"], found.json["changed"]) == (1, 1, 1)
    (change,) = found.json["changes"]
    assert (change["before"], change["after"], change["environment"]) == ("DENY", "PERMIT", "production")
    (why,) = change["requirements"]
    assert (why["requirement"], why["before"], why["after"]) == ("approvals", "DENY", "PERMIT")
    text = team.run("policy", "diff", "current", new)
    assert "DENY → PERMIT  model for production" in text.out
    assert "approvals: DENY → PERMIT: 1 of 1: alice" in text.out
    back = team.ask("policy", "diff", new, "current")
    assert back.json["changes"][0]["after"] == "DENY"


def test_all_looks_at_every_decision_at_its_own_time(team: Team, model: Path, new: Path) -> None:
    team.admit(model)  # submitted: DENY; then, with two approvals, PERMIT
    assert team.ask("policy", "diff", "current", new).json["compared"] == 1
    nothing = new.with_name("nothing.toml")
    nothing.write_text('format = "assaymark:policy/v1"\n')
    found = team.ask("policy", "diff", "current", nothing, "--all")
    assert (found.code, found.json["compared"], found.json["changed"]) == (1, 2, 1)
    (change,) = found.json["changes"]
    whys = {item["requirement"]: (item["before"], item["after"]) for item in change["requirements"]}
    assert whys == {
        "policy": ("not required", "DENY"),
        "scan": ("PERMIT", "not required"),
        "approvals": ("PERMIT", "not required"),
    }


def test_a_decision_that_cannot_be_made_again_is_reported(team: Team, model: Path, monkeypatch) -> None:
    from assaymark.core.errors import VerificationError
    from assaymark.service import policy_diff

    team.admit(model)
    workspace = open_workspace(team.workspace)
    size = workspace.trust().checkpoint.size
    (newest, *_) = workspace.log.by_predicate(DECISION, below=size, newest_first=True)
    honest = policy_diff.attestation_at

    def broken(where, tree, index):
        if index == newest:
            raise VerificationError("receipt-envelope", "damaged", source=f"entry {index}")
        return honest(where, tree, index)

    monkeypatch.setattr(policy_diff, "attestation_at", broken)
    found = team.ask("policy", "diff", "current", "current")
    assert found.code == 3
    assert found.json["unread"] == [
        {"index": newest, "code": "receipt-envelope", "message": f"entry {newest}: damaged"}
    ]
    assert "1 decision could not be made again" in team.run("policy", "diff", "current", "current").out


@pytest.mark.parametrize(
    ("name", "code"), [("entry:0", "policy-entry"), ("entry:999", "policy-entry"), ("no.toml", "policy-missing")]
)
def test_what_is_no_policy_is_said(team: Team, name: str, code: str) -> None:
    ran = team.ask("policy", "diff", "current", name)
    assert (ran.code, ran.json["error"]["code"]) == (2, code)


def cases(folder: Path) -> Path:
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / "guide" / "policy.md").read_text(), re.DOTALL)
    (example,) = [block for block in blocks if "assaymark:policy-cases/v1" in block]
    (folder / "policy.toml").write_text(STARTER)
    file = folder / "cases.toml"
    file.write_text(example)
    return file


def test_the_cases_of_the_guide_pass(tmp_path: Path) -> None:
    file = cases(tmp_path)
    assert "4 cases passed" in cli("policy", "test", file).out
    ran = ask("policy", "test", file)
    assert (ran.code, ran.json["passed"], ran.json["failed"]) == (0, 4, 0)


def test_cases_that_fail_say_what_differs(tmp_path: Path, new: Path) -> None:
    file = cases(tmp_path)
    new.write_text(STARTER.replace("threshold = 2", "threshold = 3"))
    ran = cli("policy", "test", file, "--policy", new)
    assert ran.code == 1
    assert "FAILED a clean scan and two people permit production" in ran.out
    assert "expected PERMIT, and it is DENY" in ran.out
    assert "2 of 3 approvals by distinct principals" in ran.out
    assert ask("policy", "test", file, "--policy", new).json["failed"] == 2


def test_cases_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    file = cases(tmp_path)
    assert ask("policy", "test", tmp_path / "none.toml").json["error"]["code"] == "cases-missing"
    file.write_text(file.read_text().replace('policy = "policy.toml"\n', ""))
    assert ask("policy", "test", file).json["error"]["code"] == "cases-policy"
    file.write_text(file.read_text().replace("expect", "expects", 1))
    ran = ask("policy", "test", file, "--policy", tmp_path / "policy.toml")
    assert (ran.json["error"]["code"], ran.json["error"]["input"]) == ("policy-key", str(file))


def excepted(team: Team, model: Path, *words: object):
    given = {
        "--for": "production",
        "--requirement": "approvals",
        "--owner": "Eve",
        "--reason": "in service",
        "--until": soon(30),
    }
    given |= dict(zip(words[::2], words[1::2], strict=True))
    return team.ask("attest", "exception", model, *(word for pair in given.items() if pair[1] for word in pair))


def test_an_exception_permits_for_a_time_and_every_face_shows_it(team: Team, model: Path, tmp_path: Path) -> None:
    assert team.run("submit", model, "--to", "production").code == 1
    done = excepted(team, model)
    assert done.code == 0, done
    decided = team.ask("decide", model, "--for", "production", "--dossier", tmp_path / "d")
    assert decided.code == 0, decided
    reason = next(item for item in decided.json["reasons"] if item["requirement"] == "approvals")
    assert (reason["met"], reason["outcome"], reason["mode"]) == (False, "DENY", "enforce")
    assert reason["exception"] == done.json["receipt"]["index"]
    assert "owner Eve: in service" in reason["message"]
    text = team.run("decide", model, "--for", "production").out
    assert "! exception: approvals: excepted until" in text
    assert "To settle the warnings:" in text
    offline = ask("verify", model, "--for", "production", "--dossier", tmp_path / "d", "--root", team.root)
    assert offline.code == 0, offline
    assert ask("decide", "--replay", tmp_path / "d", "--root", team.root).code == 0
    team.run("contain", model, "--for", "production", "--reason", "drift")
    assert team.run("decide", model, "--for", "production").code == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--requirement", "approval"), "exception-requirement"),
        (("--requirement", "containment"), "exception-requirement"),
        (("--until", "2020-01-01"), "exception-until"),
        (("--until", "2999-01-01"), "exception-until"),
        (("--until", "next week"), "attest-usage"),
        (("--for", "dev"), "exception-rule"),
        (("--for", "staging"), "environment-unknown"),
        (("--owner", ""), "attest-usage"),
    ],
)
def test_an_exception_that_could_not_count_is_not_logged(team: Team, tmp_path: Path, words, code: str) -> None:
    model = make_model(tmp_path, "other")
    before = open_workspace(team.workspace).trust().checkpoint.size
    ran = excepted(team, model, *words)
    assert (ran.code, ran.json["error"]["code"]) == (2, code)
    assert open_workspace(team.workspace).trust().checkpoint.size == before


def test_an_exception_by_who_may_not_says_so(team: Team, model: Path) -> None:
    done = excepted(team, model, "--key", team.key("alice"))
    assert done.code == 0
    assert any("alice holds none of the roles that count: policy" in note for note in done.json["notes"])
    assert any("1 principal in role policy must sign" in note for note in done.json["notes"])


def test_an_approval_that_ages_can_be_renewed(team: Team, model: Path, tmp_path: Path) -> None:
    aged = tmp_path / "aged.toml"
    aged.write_text(STARTER.replace("threshold = 2\n", 'threshold = 2\nmax-age = "30d"\n'))
    assert team.run("policy", "set", aged).code == 0
    team.run("submit", model, "--to", "production")
    team.approve(model, "alice", "bob")
    again = team.ask("attest", "approval", model, "--for", "production", "--key", team.key("alice"))
    assert again.json["new"] is True
    assert team.run("decide", model, "--for", "production").code == 0
