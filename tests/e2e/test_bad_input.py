"""Truncated, oversized, deep and hostile bytes in everything that is read: a clear answer, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.cli import Ran, Team, ask, cli, make_model, make_team

HOSTILE = {
    "empty": b"",
    "truncated": b'{"format": "assaymark:dossier/v1", "checkpoint": "a',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "wrong type": b"[1, 2, 3]",
    "duplicate keys": b'{"format": 1, "format": 2}',
    "not utf-8": b'{"format": "\xff\xfe"}',
    "nan": b'{"format": NaN}',
    "huge number": b'{"format": ' + b"9" * 5000 + b"}",
    "lone surrogate": b'{"format": "assaymark:dossier/v1", "checkpoint": "\\ud800"}',
    "binary": bytes(range(256)) * 40,
}


def assert_clear(ran: Ran, *codes: int) -> None:
    assert ran.code in codes, ran
    assert "Traceback" not in ran.out + ran.err
    assert ran.out or ran.err


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_malformed_dossier_is_no_answer(team: Team, model: Path, tmp_path: Path, kind: str) -> None:
    dossier = tmp_path / "bad.dossier"
    dossier.write_bytes(HOSTILE[kind])
    answer = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert (answer.code, answer.json["outcome"]) == (3, "INDETERMINATE")
    assert answer.json["reasons"][0]["message"]
    assert_clear(cli("decide", "--replay", dossier, "--root", team.root), 3)


def test_every_truncation_and_edit_of_a_dossier_is_refused(team: Team, model: Path) -> None:
    dossier = team.admit(model)
    good = dossier.read_bytes()
    document = json.loads(good)
    edits: list[bytes] = [good[: len(good) * i // 12] for i in range(12)]
    for key in document:
        edits.append(json.dumps({**document, key: None}).encode())
        edits.append(json.dumps({k: v for k, v in document.items() if k != key}).encode())
    for i in range(len(document["evidence"])):
        fewer = document["evidence"][:i] + document["evidence"][i + 1 :]
        edits.append(json.dumps({**document, "evidence": fewer}).encode())
        moved = {**document["evidence"][i], "index": document["evidence"][i]["index"] + 1}
        swapped = [*document["evidence"][:i], moved, *document["evidence"][i + 1 :]]
        edits.append(json.dumps({**document, "evidence": swapped}).encode())
    edits.append(json.dumps({**document, "evidence": document["evidence"][::-1]}).encode())
    edits.append(json.dumps({**document, "roots": document["roots"][:1]}).encode())
    for at in range(0, len(good), max(1, len(good) // 150)):
        flipped = bytearray(good)
        flipped[at] ^= 1
        edits.append(bytes(flipped))
    for edit in edits:
        dossier.write_bytes(edit)
        answer = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
        assert answer.code in (1, 3), edit[:200]
        assert answer.json["outcome"] in ("DENY", "INDETERMINATE")
    dossier.write_bytes(good)
    assert ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root).code == 0


def test_a_dossier_that_hides_a_containment_is_caught_by_the_log(team: Team, model: Path, tmp_path: Path) -> None:
    from assaymark.service import evidence
    from assaymark.service.decide import decide_path
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now

    team.admit(model)
    team.run("contain", model, "--for", "production", "--reason", "bad")
    workspace = open_workspace(team.workspace)
    honest = workspace.log.by_subject
    # A lying service: it holds the keys, and leaves the containment out of what it decides on.
    hidden = max(honest(ask("digest", model).json["subject"], 10**6, without=evidence.NOT_EVIDENCE))
    workspace.log.by_subject = lambda *a, **k: [i for i in honest(*a, **k) if i != hidden]  # type: ignore[method-assign]
    verdict, lie = decide_path(workspace, model, "production", now)
    assert verdict.outcome == "PERMIT"
    assert lie is not None
    dossier = tmp_path / "lie.dossier"
    dossier.write_bytes(lie)
    offline = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert offline.code == 0, "the lie is consistent in itself"
    copy = tmp_path / "copy"
    assert team.run("log", "export", copy).code == 0
    for log in (team.workspace, copy):
        caught = ask(
            "verify", model, "--for", "production", "--dossier", dossier, "--root", team.root, "--workspace", log
        )
        assert (caught.code, caught.json["outcome"]) == (1, "DENY")
        assert any(str(hidden) in r["message"] for r in caught.json["reasons"] if r["requirement"] == "left-out")
    assert team.ask("verify", model, "--for", "production").code == 1
    checked = team.ask("log", "check")
    assert checked.code == 1
    assert any("inputs" in problem["what"] for problem in checked.json["problems"])


def test_a_copy_of_the_log_shows_a_containment_since_the_decision(team: Team, model: Path, tmp_path: Path) -> None:
    dossier = team.admit(model)
    words = ("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert team.ask(*words).code == 0
    assert team.run("contain", model, "--for", "production", "--reason", "drift alarm 118").code == 0
    copy = tmp_path / "copy"
    assert team.run("log", "export", copy).code == 0
    assert ask(*words).code == 0, "the dossier alone cannot know"
    for log in (team.workspace, copy):
        refused = ask(*words, "--workspace", log)
        assert (refused.code, refused.json["outcome"]) == (1, "DENY")
        assert any("drift alarm 118" in r["message"] for r in refused.json["reasons"] if not r["met"])


def test_a_user_without_a_home_gets_an_answer(team: Team, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container runs under a number that no password file knows."""
    dossier = team.admit(model)

    def unknown(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    verified = ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert (verified.code, verified.json["outcome"]) == (0, "PERMIT")
    assert "nothing is remembered" in verified.err


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_damage_anywhere_in_the_log_is_named(tmp_path: Path, model: Path, damage: str) -> None:
    team = make_team(tmp_path, "--store", "folder")
    team.admit(model)
    folder = team.workspace / "log"
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "lock" and "index" not in p.name]
    assert len(files) > 5
    for file in files:
        good = file.read_bytes()
        if not good:
            continue
        if damage == "flip":
            bad = bytearray(good)
            bad[len(bad) // 2] ^= 1
            file.write_bytes(bad)
        elif damage == "truncate":
            file.write_bytes(good[:-1])
        else:
            file.unlink()
        checked = team.ask("log", "check")
        verified = team.ask("verify", model, "--for", "production")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(good)
        # Earlier checkpoints and earlier partial tiles are kept for readers of old proofs; the log is whole without.
        if (
            damage == "remove"
            and ("checkpoints" in file.parts or file.parent.name.endswith(".p") or file.name == "checkpoint.next")
            and not checked.code
        ):
            continue
        assert checked.code == 1, f"{damage} of {file.relative_to(folder)} went unnoticed"
        assert checked.json["problems"]
        assert verified.code in (0, 1, 2, 3)
    assert team.ask("log", "check").code == 0
    assert team.ask("verify", model, "--for", "production").code == 0


def test_damage_to_the_file_of_a_log_is_named(team: Team, model: Path) -> None:
    team.admit(model)
    file = team.workspace / "log" / "log.sqlite"
    good = file.read_bytes()
    for bad in (
        b"no database" * 1000,
        good[: len(good) // 2],
        good[:-4096],
        good[:4096] + bytes(len(good) - 4096),
        b"",
    ):
        file.write_bytes(bad)
        checked = team.ask("log", "check")
        assert (checked.code, bool(checked.json["problems"])) == (1, True)
        assert_clear(team.ask("log", "show"), 3)
        verified = team.ask("verify", model, "--for", "production")
        assert (verified.code, verified.json["outcome"]) == (3, "INDETERMINATE")
    file.unlink()
    assert_clear(team.ask("log", "show"), 3)
    file.write_bytes(good)
    assert team.ask("log", "check").code == 0
    assert team.ask("verify", model, "--for", "production").code == 0


@pytest.mark.parametrize("store", ["sqlite", "folder"])
def test_every_command_works_on_both_stores(tmp_path: Path, model: Path, store: str) -> None:
    team = make_team(tmp_path, "--store", store)
    assert (team.workspace / "log" / "log.sqlite").exists() == (store == "sqlite")
    dossier = team.admit(model)
    copy = tmp_path / "copy"
    assert team.run("log", "export", copy).code == 0
    assert (copy / "log" / "tile" / "entries").is_dir(), "a copy is what any tlog-tiles client reads"
    for words in (("log", "check"), ("log", "show"), ("log", "prove", 0), ("policy", "show")):
        assert team.run(*words).code == 0
        assert cli(*words, "--workspace", copy).code == 0
    for workspace in (team.workspace, copy):
        words = ("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
        assert ask(*words, "--workspace", workspace).json["outcome"] == "PERMIT"
    assert team.run("contain", model, "--for", "production", "--reason", "drift").code == 0
    assert team.ask("verify", model, "--for", "production").code == 1


def test_two_logs_in_one_place_are_refused(tmp_path: Path, model: Path) -> None:
    team = make_team(tmp_path)
    copy = tmp_path / "copy"
    assert team.run("log", "export", copy).code == 0
    shutil.copy(copy / "log" / "checkpoint", team.workspace / "log" / "checkpoint")
    refused = team.ask("log", "show")
    assert_clear(refused, 3)
    assert refused.json["error"]["code"] == "log-damaged"


def test_a_log_that_is_set_back_is_refused(team: Team, model: Path, tmp_path: Path) -> None:
    team.admit(model)
    saved = tmp_path / "saved"
    shutil.copytree(team.workspace, saved)
    team.run("contain", model, "--for", "production", "--reason", "bad")
    assert team.ask("verify", model, "--for", "production").code == 1
    shutil.rmtree(team.workspace)
    shutil.copytree(saved, team.workspace)
    set_back = team.ask("verify", model, "--for", "production")
    assert (set_back.code, set_back.json["outcome"]) == (1, "DENY")
    assert set_back.json["reasons"][0]["requirement"] == "log-rollback"
    for words in (("decide", model, "--for", "production"), ("submit", model, "--to", "production")):
        refused = team.ask(*words)
        assert (refused.code, refused.json["outcome"]) == (1, "DENY")
        assert refused.json["reasons"][0]["requirement"] == "log-rollback", "a permit would forget the containment"


def test_a_log_that_grows_meanwhile_was_not_set_back(
    team: Team, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process appends, and another verifier remembers that, while this one holds the tree before."""
    team.admit(model)
    from assaymark.service import evidence

    honest, calls = evidence.gather, []

    def slow(*words: Any) -> evidence.Evidence:
        found = honest(*words)
        calls.append(found)
        if len(calls) == 1:
            assert team.ask("decide", model, "--for", "production").code == 0
            assert team.ask("verify", model, "--for", "production").code == 0
        return found

    monkeypatch.setattr(evidence, "gather", slow)
    assert team.ask("verify", model, "--for", "production").json["outcome"] == "PERMIT"


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_malformed_policy_or_configuration_is_said(team: Team, tmp_path: Path, kind: str) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_bytes(HOSTILE[kind])
    assert_clear(ask("policy", "check", policy), 1)
    assert_clear(team.ask("policy", "set", policy), 3)
    config = team.workspace / "assaymark.toml"
    good = config.read_bytes()
    config.write_bytes(HOSTILE[kind])
    assert_clear(team.ask("log", "show"), 3)
    config.write_bytes(good)
    assert team.ask("log", "check").code == 0


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_malformed_predicate_writes_nothing(team: Team, model: Path, tmp_path: Path, kind: str) -> None:
    team.run("submit", model, "--to", "dev")
    size = team.ask("log", "show").json["tree_size"]
    predicate = tmp_path / "predicate.json"
    predicate.write_bytes(HOSTILE[kind])
    refused = team.ask("attest", "https://example.com/x/v1", model, "--predicate", predicate)
    if refused.code == 0:  # an object without anything odd in it
        assert kind == "never"
    assert_clear(refused, 3)
    assert team.ask("log", "show").json["tree_size"] == size


def test_an_unknown_key_in_a_policy_names_the_nearest(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('format = "assaymark:policy/v1"\n[environments.dev]\nvalidty = "1h"\n')
    checked = ask("policy", "check", policy)
    assert checked.code == 1
    text = json.dumps(checked.json)
    assert "validity" in text


def test_links_that_leave_the_folder_are_refused(team: Team, model: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("not part of the model\n")
    (model / "link.txt").symlink_to(secret)
    submitted = team.ask("submit", model, "--to", "dev")
    assert submitted.code == 3
    assert submitted.json["outcome"] == "INDETERMINATE"
    assert submitted.json["reasons"][0]["requirement"] == "link-leaves"
    (model / "link.txt").unlink()
    (model / "link.txt").symlink_to("README.md")
    assert team.ask("submit", model, "--to", "dev").code == 0
    os.mkfifo(model / "pipe")
    assert team.ask("submit", model, "--to", "dev").code == 3


def test_a_model_cache_is_followed(team: Team, tmp_path: Path) -> None:
    cache = tmp_path / "models--team--digits"
    (cache / "blobs").mkdir(parents=True)
    snapshot = cache / "snapshots" / "abc123"
    snapshot.mkdir(parents=True)
    plain = make_model(tmp_path, "plain")
    for file in plain.iterdir():
        blob = cache / "blobs" / file.name.strip(".")
        shutil.copy(file, blob)
        (snapshot / file.name).symlink_to(f"../../blobs/{blob.name}")
    submitted = team.ask("submit", snapshot, "--to", "dev")
    assert submitted.code == 0
    assert submitted.json["subject"] == ask("digest", plain).json["subject"]


def test_a_workspace_inside_the_model_is_refused(team: Team) -> None:
    assert_clear(team.ask("submit", team.folder, "--to", "dev"), 2)


def test_missing_things_are_usage(team: Team, model: Path, tmp_path: Path) -> None:
    for ran in (
        team.ask("submit", tmp_path / "nowhere", "--to", "dev"),
        team.ask("attest", "approval", model, "--for", "production", "--key", "file:/nowhere.key"),
        team.ask("attest", "approval", model, "--for", "production", "--key", "gpg:me"),
        ask("verify", model, "--for", "production", "--dossier", tmp_path / "nowhere", "--root", team.root),
        ask("submit", model, "--to", "dev", "--workspace", tmp_path / "nowhere"),
        team.ask("log", "show", 99_999),
        team.ask("explain", "no-such-thing"),
        team.ask("keys", "add", "Not A Name", "--role", "approver"),
        team.ask("keys", "add", "nobody", "--role", "approver"),
        ask("init", "--workspace", team.workspace),
        cli(),
        cli("frobnicate"),
        cli("scan"),
    ):
        assert_clear(ran, 2)


def test_a_full_disk_loses_nothing(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    team = make_team(tmp_path, "--store", "folder")  # SQLite asks the system itself: tests/conformance
    team.admit(model)
    before = team.ask("log", "show").json["tree_size"]
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused = team.ask("contain", model, "--for", "production", "--reason", "bad")
    monkeypatch.setattr(os, "fsync", real)
    assert refused.code == 3
    assert refused.json["error"]["code"] == "disk-full"
    assert team.ask("log", "check").code == 0
    assert team.ask("log", "show").json["tree_size"] == before
    assert team.ask("verify", model, "--for", "production").code == 0


def test_a_clock_that_went_back_is_said(team: Team, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assaymark.ui.cli import clock

    team.admit(model)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now - 86_400)
    decided = team.ask("decide", model, "--for", "production")
    assert (decided.code, decided.json["outcome"]) == (3, "INDETERMINATE")
    assert decided.json["reasons"][0]["requirement"] == "clock-went-back"
    verified = team.ask("verify", model, "--for", "production")
    assert (verified.code, verified.json["outcome"]) == (3, "INDETERMINATE")


def test_an_expired_root_is_no_answer_until_it_is_renewed(
    team: Team, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assaymark.ui.cli import clock

    team.admit(model)
    later = clock.now() + 400 * 86_400
    monkeypatch.setattr(clock, "now", lambda: later)
    expired = team.ask("verify", model, "--for", "production")
    assert (expired.code, expired.json["outcome"]) == (3, "INDETERMINATE")
    root = next(r for r in expired.json["reasons"] if r["requirement"] == "root")
    assert "assaymark keys renew" in root["remedy"]
    assert team.run("keys", "renew").code == 0
    assert team.ask("verify", model, "--for", "production").code == 0


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may write everywhere")
def test_a_read_only_workspace_still_verifies_and_says_why_it_cannot_write(
    team: Team, model: Path, tmp_path: Path
) -> None:
    team.admit(model)
    for path in [team.workspace, *team.workspace.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    tmp_path.chmod(0o755)
    for parent in [p for p in tmp_path.parents if p.name.startswith(("pytest-", "popen-"))]:
        parent.chmod(0o755)
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*prefix, sys.executable, "-m", "assaymark.ui.cli.main"]
    env = {**os.environ, "HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent/state"}
    if prefix:
        probe = subprocess.run([*command, "--version"], capture_output=True, text=True, env=env, check=False)
        if probe.returncode != 0:
            pytest.skip("another user cannot read this interpreter")
    for name in ("keys",):
        (team.workspace / name).chmod(0o555)
    verified = subprocess.run(
        [*command, "verify", str(model), "--for", "production", "--workspace", str(team.workspace)],
        capture_output=True, text=True, env=env, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified
    assert "remembered" in verified.stderr
    for path in [team.workspace, *team.workspace.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_does_not_change_the_answer(closed: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "notes.txt", tmp_path / "model.pkl"
    good.write_text("text\n")
    bad.write_bytes(b"cos\nsystem\n(S'id'\ntR.")
    codes = [
        subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "assaymark", "scan", str(file)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        ).returncode
        for file in (good, bad)
    ]
    assert codes == [0, 1]


def test_closed_standard_streams_do_not_reach_the_python_interface(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text\n")
    code = (
        "import os, sys, assaymark\nos.closerange(0, 3)\n"
        "sys.exit(0 if assaymark.scan(sys.argv[1]).outcome() == 'pass' else 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("line", ['tenant = "', 'origin = "'])
def test_a_workspace_that_says_it_is_another_tenants(team: Team, model: Path, line: str) -> None:
    team.admit(model)
    config = team.workspace / "assaymark.toml"
    config.write_text(config.read_text().replace(line, line + "x"))
    for words in (("verify", model, "--for", "production"), ("decide", model, "--for", "production")):
        refused = team.ask(*words)
        assert refused.code == 3
        assert refused.json["reasons"][0]["requirement"] == "workspace-config"
    assert team.ask("log", "check").code == 1


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="no /proc here")
def test_a_special_file_that_says_it_is_empty_is_not_clean() -> None:
    assert ask("scan", "/proc/version").json["reports"][0]["outcome"] == "incomplete"
    assert ask("scan", "/proc/self/mem").json["reports"][0]["outcome"] == "incomplete"
    assert ask("digest", "/proc/version").json["error"]["code"] == "file-changed"


def test_a_pinned_root_may_be_held_against_the_workspace_that_lies_here(
    team: Team, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.admit(model)
    shutil.copytree(team.workspace, team.folder / ".assaymark")
    monkeypatch.chdir(team.folder)
    assert ask("verify", model, "--for", "production", "--root", team.root).code == 0
    assert ask("verify", model, "--for", "production", "--root", "sha256:" + "0" * 64).code == 1
