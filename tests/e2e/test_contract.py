"""The contract for scripts: commands, JSON fields and exit codes, as docs/spec/output.md states them."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from tests.support.cli import Team, ask, cli, make_model, safetensors_bytes

FIELDS = {"outcome", "subject", "reasons", "differences", "receipt"}


def requirements(answer: dict, *, met: bool) -> set[str]:
    return {reason["requirement"] for reason in answer["reasons"] if reason["met"] is met}


def test_dev_admits_a_clean_model_at_once(team: Team, model: Path) -> None:
    submitted = team.ask("submit", model, "--to", "dev")
    assert submitted.code == 0
    assert submitted.json["outcome"] == "PERMIT"
    assert submitted.json.keys() >= FIELDS
    assert submitted.json["subject"].startswith("sha256:")
    assert submitted.json["receipt"]["witness"] == "unwitnessed"
    assert submitted.json["receipt"]["proof"].startswith("c2sp.org/tlog-proof@v1\n")


def test_production_waits_for_two_approvals_and_says_how_to_get_them(team: Team, model: Path) -> None:
    submitted = team.ask("submit", model, "--to", "production")
    assert submitted.code == 1
    assert submitted.json["outcome"] == "DENY"
    assert requirements(submitted.json, met=False) == {"approvals"}
    assert requirements(submitted.json, met=True) == {"scan"}
    for reason in submitted.json["reasons"]:
        assert reason.keys() >= {"requirement", "met", "message", "remedy"}
    remedy = next(r["remedy"] for r in submitted.json["reasons"] if not r["met"])
    assert "assaymark attest approval" in remedy
    assert "--for production" in remedy

    team.approve(model, "alice")
    one = team.ask("decide", model, "--for", "production")
    assert (one.code, one.json["outcome"]) == (1, "DENY")
    team.approve(model, "alice")  # twice by one person is once
    assert team.ask("decide", model, "--for", "production").code == 1
    team.approve(model, "bob")
    two = team.ask("decide", model, "--for", "production")
    assert (two.code, two.json["outcome"]) == (0, "PERMIT")


def test_nobody_approves_their_own_change(team: Team, model: Path) -> None:
    submitted = team.ask("submit", model, "--to", "production", "--key", team.key("alice"))
    assert submitted.code == 1
    own = team.run("attest", "approval", model, "--for", "production", "--key", team.key("alice"))
    assert "own change" in own.err
    team.approve(model, "bob")
    assert team.ask("decide", model, "--for", "production").code == 1
    team.enrol("carol", "approver")
    team.approve(model, "carol")
    assert team.ask("decide", model, "--for", "production").code == 0


def test_an_approval_counts_for_its_environment_and_its_digest_only(team: Team, model: Path, tmp_path: Path) -> None:
    team.run("submit", model, "--to", "production")
    team.approve(model, "alice", "bob", environment="dev")
    other = make_model(tmp_path, "other", seed=9)
    team.run("submit", other, "--to", "production")
    team.approve(other, "alice", "bob")
    assert team.ask("decide", model, "--for", "production").code == 1
    assert team.ask("decide", other, "--for", "production").code == 0


def test_a_person_without_the_role_does_not_count(team: Team, model: Path) -> None:
    team.enrol("mallory", "observer")
    team.run("submit", model, "--to", "production")
    team.approve(model, "alice")
    noted = team.run("attest", "approval", model, "--for", "production", "--key", team.key("mallory"))
    assert "none of the roles" in noted.err
    assert team.ask("decide", model, "--for", "production").code == 1


def test_a_key_that_nobody_enrolled_is_refused(team: Team, model: Path, tmp_path: Path) -> None:
    cli("keys", "generate", "eve", "--out", tmp_path / "eve.key")
    team.run("submit", model, "--to", "production")
    refused = team.ask("attest", "approval", model, "--for", "production", "--key", f"file:{tmp_path / 'eve.key'}")
    assert refused.code == 2
    assert refused.json["error"]["code"] == "key-unknown"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", ".notes", "README.md"])
def test_one_changed_byte_anywhere_is_another_release(team: Team, model: Path, name: str) -> None:
    dossier = team.admit(model)
    data = bytearray((model / name).read_bytes())
    data[-2] ^= 1
    (model / name).write_bytes(data)
    offline = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert (offline.code, offline.json["outcome"]) == (1, "DENY")
    assert [item["path"] for item in offline.json["differences"]] == [name]
    here = team.ask("verify", model, "--for", "production")
    assert here.code == 1
    assert [item["path"] for item in here.json["differences"]] == [name]


def test_names_and_added_files_are_part_of_the_subject(team: Team, model: Path) -> None:
    dossier = team.admit(model)
    (model / "README.md").rename(model / "READ.md")
    (model / "extra.txt").write_text("new\n")
    answer = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert answer.code == 1
    assert {(item["path"], item["what"]) for item in answer.json["differences"]} == {
        ("READ.md", "renamed from README.md"),
        ("extra.txt", "added"),
    }


def test_a_configuration_outside_the_folder_is_bound_to_the_model(team: Team, model: Path, tmp_path: Path) -> None:
    thresholds = tmp_path / "thresholds.json"
    thresholds.write_text('{"reject_below": 50}\n')
    submitted = team.ask("submit", model, "--to", "dev", "--config", thresholds)
    assert submitted.code == 0
    assert team.ask("verify", model, "--for", "dev").code == 1
    assert team.ask("verify", model, "--for", "dev", "--config", thresholds).code == 0
    thresholds.write_text('{"reject_below": 51}\n')
    changed = team.ask("verify", model, "--for", "dev", "--config", thresholds)
    assert changed.code == 1
    assert changed.json["differences"] == [{"path": "thresholds.json", "what": "changed (configuration)"}]


def test_a_dossier_needs_nothing_but_a_pinned_root(team: Team, model: Path) -> None:
    dossier = team.admit(model)
    shutil.move(team.workspace, team.folder / "gone")
    answer = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert (answer.code, answer.json["outcome"]) == (0, "PERMIT")
    assert answer.json["receipt"]["witness"] == "unwitnessed"
    wrong_root = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", "sha256:" + "0" * 64)
    assert (wrong_root.code, wrong_root.json["outcome"]) == (1, "DENY")
    wrong_environment = ask("verify", model, "--for", "dev", "--dossier", dossier, "--root", team.root)
    assert wrong_environment.code == 1
    without = cli("verify", model, "--for", "production", "--dossier", dossier)
    assert without.code == 2
    assert "--root" in without.err


def test_an_ended_decision_is_no_answer(team: Team, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assaymark.ui.cli import clock

    dossier = team.admit(model)
    now = clock.now()
    for seconds, code in ((3500, 0), (3700, 3)):
        monkeypatch.setattr(clock, "now", lambda later=now + seconds: later)
        answer = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
        assert answer.code == code
    assert answer.json["outcome"] == "INDETERMINATE"
    assert "validity" in requirements(answer.json, met=False)
    monkeypatch.setattr(clock, "now", lambda: now - 3600)
    before = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert (before.code, before.json["outcome"]) == (3, "INDETERMINATE")


def test_a_misspelt_environment_does_not_look_pulled_back(team: Team, model: Path) -> None:
    team.admit(model)
    refused = team.ask("contain", model, "--for", "prodution", "--reason", "drift")
    assert refused.code == 2
    assert refused.json["error"]["code"] == "environment-unknown"
    assert "production" in refused.json["error"]["remedy"]


def test_containment_refuses_at_once_and_lifts_only_with_new_evidence(team: Team, model: Path) -> None:
    team.admit(model)
    assert team.ask("verify", model, "--for", "production").code == 0
    contained = team.ask("contain", model, "--for", "production", "--reason", "drift alarm 12")
    assert contained.code == 0
    assert contained.json["contained"] is True
    refused = team.ask("verify", model, "--for", "production")
    assert (refused.code, refused.json["outcome"]) == (1, "DENY")
    message = next(r["message"] for r in refused.json["reasons"] if r["requirement"] == "containment")
    assert "drift alarm 12" in message
    assert "since 20" in message

    early = team.ask("contain", model, "--for", "production", "--lift")
    assert early.code == 1
    assert early.json["contained"] is True
    assert requirements(early.json, met=False) == {"scan", "approvals"}
    assert team.ask("submit", model, "--to", "production").code == 1  # scans anew
    team.approve(model, "alice", "bob")  # approve anew
    assert team.ask("verify", model, "--for", "production").code == 1, "evidence alone lifts nothing"
    lifted = team.ask("contain", model, "--for", "production", "--lift")
    assert lifted.code == 0
    assert lifted.json["contained"] is False
    assert team.ask("verify", model, "--for", "production").code == 0
    assert team.ask("contain", model, "--for", "production", "--lift").code == 0, "nothing to do is no failure"


def test_submitting_again_changes_nothing_but_the_decision(team: Team, model: Path) -> None:
    first = team.ask("submit", model, "--to", "dev").json
    size = first["receipt"]["tree_size"]
    second = team.ask("submit", model, "--to", "dev").json
    assert second["subject"] == first["subject"]
    assert second["receipt"]["tree_size"] == size + 1


def test_verify_writes_nothing_to_the_log(team: Team, model: Path) -> None:
    team.admit(model)
    before = {p: p.read_bytes() for p in (team.workspace / "log").rglob("*") if p.is_file() and "index" not in p.name}
    assert team.ask("verify", model, "--for", "production").code == 0
    after = {p: p.read_bytes() for p in (team.workspace / "log").rglob("*") if p.is_file() and "index" not in p.name}
    assert after == before


def test_denied_submissions_are_in_the_log(team: Team, tmp_path: Path) -> None:
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(b"cposix\nsystem\n(S'touch /tmp/never'\ntR.")
    submitted = team.ask("submit", evil, "--to", "production")
    assert submitted.code == 1
    entries = team.ask("log", "show").json["entries"]
    assert [entry["kind"] for entry in entries[-3:]] == ["release", "scan", "decision"]
    assert entries[-1]["summary"] == "DENY for production"
    assert team.ask("log", "check").code == 0


def test_an_unknown_file_makes_no_yes(team: Team, model: Path) -> None:
    (model / "blob.xyz").write_bytes(bytes(range(256)))
    submitted = team.ask("submit", model, "--to", "dev")
    assert (submitted.code, submitted.json["outcome"]) == (3, "INDETERMINATE")


def test_an_unknown_environment_denies(team: Team, model: Path) -> None:
    submitted = team.ask("submit", model, "--to", "staging")
    assert (submitted.code, submitted.json["outcome"]) == (1, "DENY")
    assert "staging" in submitted.json["reasons"][0]["message"]


@pytest.mark.parametrize("text", ['format = "assaymark:policy/v1"\n', "empty list"])
def test_an_empty_policy_denies(team: Team, model: Path, tmp_path: Path, text: str) -> None:
    if text == "empty list":
        text = 'format = "assaymark:policy/v1"\n[environments.dev]\nrequire = []\n'
    policy = tmp_path / "policy.toml"
    policy.write_text(text)
    assert team.ask("policy", "set", policy).code == 0
    submitted = team.ask("submit", model, "--to", "dev")
    assert (submitted.code, submitted.json["outcome"]) == (1, "DENY")


def test_policies_can_go_back_and_forth(team: Team, model: Path, tmp_path: Path) -> None:
    starter = tmp_path / "starter.toml"
    starter.write_text(team.run("policy", "show").out)
    empty = tmp_path / "empty.toml"
    empty.write_text('format = "assaymark:policy/v1"\n')
    assert team.ask("submit", model, "--to", "dev").code == 0
    assert team.run("policy", "set", empty).code == 0
    assert team.ask("verify", model, "--for", "dev").code == 1
    assert team.run("policy", "set", starter).code == 0
    assert team.ask("verify", model, "--for", "dev").code == 0
    assert team.ask("log", "check").code == 0


def test_only_the_policy_role_changes_the_policy(team: Team, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('format = "assaymark:policy/v1"\n')
    refused = team.ask("policy", "set", policy, "--key", team.key("alice"))
    assert refused.code == 1
    assert refused.json["error"]["code"] == "policy-threshold"


def test_a_single_file_is_a_model_too(team: Team, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(safetensors_bytes())
    assert team.ask("submit", weights, "--to", "dev").code == 0
    assert team.ask("verify", weights, "--for", "dev").code == 0
    weights.write_bytes(safetensors_bytes(3))
    changed = team.ask("verify", weights, "--for", "dev")
    assert changed.code == 1
    assert changed.json["differences"][0]["path"] == "weights.safetensors"


def test_every_output_format_carries_the_same_answer(team: Team, model: Path, tmp_path: Path) -> None:
    files = [tmp_path / "answer.json", tmp_path / "answer.txt"]
    plain = team.run(
        "submit", model, "--to", "production", "--output", f"json={files[0]}", "--output", f"text={files[1]}"
    )
    assert plain.code == 1
    assert plain.out.startswith("DENY")
    assert json.loads(files[0].read_text())["outcome"] == "DENY"
    assert files[1].read_text() == plain.out
    assert "\x1b[" not in plain.out
    assert team.run("submit", model, "--to", "dev", "--output", "yaml=x").code == 2


def test_scan_reports_by_path(tmp_path: Path, model: Path) -> None:
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(b"cposix\nsystem\n(S'touch /tmp/never'\ntR.")
    clean = ask("scan", model)
    assert clean.code == 0
    report = clean.json["reports"][0]
    assert report.keys() >= {"path", "outcome", "findings", "inert", "skipped"}
    assert report["outcome"] == "pass"
    assert sorted(report["inert"]) == [".notes", "README.md", "config.json"]
    both = ask("scan", model, evil)
    assert both.code == 1
    assert [item["outcome"] for item in both.json["reports"]] == ["pass", "fail"]
    finding = both.json["reports"][1]["findings"][0]
    assert finding.keys() >= {"rule", "severity", "confidence", "message", "locations"}
    assert "posix.system" in finding["message"]
    assert finding["locations"][0]["path"] == "evil.pkl"
    assert isinstance(finding["locations"][0]["offset"], int)
    (model / "unknown.bin").write_bytes(bytes(range(200, 256)) * 4)
    incomplete = ask("scan", model)
    assert incomplete.code == 3
    assert incomplete.json["reports"][0]["skipped"][0]["path"] == "unknown.bin"
    assert incomplete.json["reports"][0]["skipped"][0]["reason"]
    assert ask("scan", model, evil).code == 1, "a finding wins over a skip"


def test_replay_gives_the_same_bytes_elsewhere(team: Team, model: Path, tmp_path: Path) -> None:
    dossier = team.folder / "model.dossier"
    team.admit(model)
    first = tmp_path / "first.json"
    team.ask("decide", model, "--for", "production", "--dossier", dossier, "--payload", first)
    shutil.rmtree(team.workspace)
    shutil.rmtree(model)
    again = tmp_path / "again.json"
    replayed = ask("decide", "--replay", dossier, "--root", team.root, "--payload", again)
    assert (replayed.code, replayed.json["outcome"]) == (0, "PERMIT")
    assert again.read_bytes() == first.read_bytes()


def test_attesting_a_predicate_of_ones_own(team: Team, model: Path, tmp_path: Path) -> None:
    predicate = tmp_path / "review.json"
    predicate.write_text('{"result": "fine", "score": "0.93"}')
    uri = "https://example.com/review/v1"
    team.run("submit", model, "--to", "dev")
    done = team.ask("attest", uri, model, "--predicate", predicate, "--key", team.key("alice"))
    assert (done.code, done.json["new"]) == (0, True)
    again = team.ask("attest", uri, model, "--predicate", predicate, "--key", team.key("alice"))
    assert (again.code, again.json["new"]) == (0, False)
    predicate.write_text('{"score": 0.93}')
    floating = team.ask("attest", uri, model, "--predicate", predicate, "--key", team.key("alice"))
    assert floating.code == 3
    assert floating.json["error"]["code"] == "json-float"
    predicate.write_text('{"environment": "production"}')
    malformed = team.ask("attest", "approval", model, "--predicate", predicate, "--key", team.key("alice"))
    assert malformed.code == 3
    assert malformed.json["error"]["code"] == "predicate-schema"


def test_remedies_can_be_pasted(team: Team, tmp_path: Path) -> None:
    folder = tmp_path / "a folder; with spaces"
    folder.mkdir()
    model = make_model(folder)
    refused = team.ask("submit", model, "--to", "production")
    remedy = next(r["remedy"] for r in refused.json["reasons"] if not r["met"])
    for name in ("alice", "bob"):
        command = remedy.partition("  # ")[0].replace("file:KEY", team.key(name))
        words = shlex.split(command)
        assert words[0] == "assaymark"
        assert cli(*words[1:]).code == 0
    assert team.ask("verify", model, "--for", "production").code == 0
    team.run("contain", model, "--for", "production", "--reason", "x")
    contained = team.ask("verify", model, "--for", "production")
    lift = next(r["remedy"] for r in contained.json["reasons"] if r["requirement"] == "containment")
    assert cli(*shlex.split(lift.partition("  # ")[0])[1:]).code == 1


def test_two_people_may_sign_one_statement(team: Team, model: Path) -> None:
    team.run("submit", model, "--to", "production")
    keys = ("--key", team.key("alice"), "--key", team.key("bob"))
    signed = team.ask("attest", "approval", model, "--for", "production", *keys)
    assert signed.code == 0
    assert signed.json["principals"] == ["alice", "bob"]
    assert team.ask("decide", model, "--for", "production").code == 0
    twice = team.ask("attest", "approval", model, "--for", "production", *keys[:2], *keys[:2])
    assert twice.json["principals"] == ["alice"]
    assert team.ask("log", "check").code == 0
