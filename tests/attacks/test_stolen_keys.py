"""What a thief of a key tries against rotation, retirement and the declaration of its compromise, with real keys."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.support.cli import Team, ask, make_model, make_team

from assaymark.core.decision import Scope
from assaymark.core.statement import APPROVAL, KEY_EVENT, ROOT_PAYLOAD_TYPE, make_statement, parse_envelope
from assaymark.core.subject import Subject
from assaymark.keys.file import load_private
from assaymark.policy.predicates import approval_predicate
from assaymark.service.publish import publish, sign, sign_statement
from assaymark.service.workspace import Workspace, open_workspace
from assaymark.ui.cli.clock import now


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return make_team(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path)


def outcome(team: Team, model: Path) -> str:
    return str(team.ask("verify", model, "--for", "production").json["outcome"])


def key_id(team: Team, name: str) -> str:
    listed = team.ask("keys", "list").json["principals"]
    return next(str(item["keys"][0]) for item in listed if item["name"] == name)


def size(team: Team) -> int:
    return int(team.ask("log", "show").json["tree_size"])


def approve_as_thief(team: Team, model: Path, stolen: Path) -> None:
    """The thief has the key file, and whatever writes to the log: only what is believed can stop them."""
    workspace = open_workspace(team.workspace)
    subject = Subject("model", str(ask("digest", model).json["subject"]))
    scope = Scope("default", "production")
    predicate = approval_predicate(scope, after_entry=0, origin=workspace.config.origin, comment="from the thief")
    envelope = sign_statement(make_statement((subject,), APPROVAL, predicate).payload, [load_private(stolen)])
    publish(workspace, [envelope], now())


def rotate(team: Team, name: str, folder: Path) -> Path:
    new = folder / f"{name}-new.key"
    assert ask("keys", "generate", name, "--out", new).code == 0
    done = team.ask("keys", "rotate", name, "--public", new.with_suffix(".pub"))
    assert done.code == 0, done
    return new


def test_what_a_rotated_key_signed_before_stands_and_afterwards_nothing(team, model, tmp_path):
    team.run("submit", model, "--to", "production")
    team.approve(model, "alice")
    new = rotate(team, "alice", tmp_path)
    assert team.run("attest", "approval", model, "--for", "production", "--key", team.key("alice")).code == 2
    approve_as_thief(team, model, tmp_path / "alice.key")
    assert outcome(team, model) == "DENY", "the old key approves once, by what it signed before"
    team.approve(model, "bob")
    assert outcome(team, model) == "PERMIT"
    other = make_model(tmp_path, "other", seed=9)
    team.run("submit", other, "--to", "production")
    approve_as_thief(team, other, tmp_path / "alice.key")
    team.approve(other, "bob")
    assert outcome(team, other) == "DENY"
    assert team.run("attest", "approval", other, "--for", "production", "--key", f"file:{new}").code == 0
    assert outcome(team, other) == "PERMIT"
    assert team.ask("log", "check").code == 1, "an entry that nobody whose key counts signed is named"


@pytest.mark.parametrize("name", ["owner", "service"])
def test_rotating_a_key_of_the_workspace_leaves_log_and_dossiers_as_good_as_they_were(team, model, name):
    dossier = team.admit(model)
    assert team.ask("keys", "rotate", name).code == 0
    checked = team.ask("log", "check")
    assert (checked.code, checked.json["problems"]) == (0, [])
    held = ask(
        *("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root),
        *("--workspace", team.workspace),
    )
    assert (held.code, held.json["outcome"]) == (0, "PERMIT"), held


def test_a_higher_threshold_does_not_silently_take_back_what_rotated_keys_signed(team, model, tmp_path):
    team.admit(model)
    old = key_id(team, "owner")
    assert team.ask("keys", "rotate", "owner").code == 0
    team.enrol("eve", "root")
    own = next((team.workspace / "keys").glob("owner-*.key"))
    both = ("--sign-with", f"file:{own}", "--sign-with", team.key("eve"))
    refused = team.ask("keys", "threshold", "root", "2", *both)
    assert refused.code == 2
    assert refused.json["error"]["code"] == "threshold-key-events"
    remedy = refused.json["error"]["remedy"]
    assert f"assaymark keys compromise {old} --since " in remedy
    assert outcome(team, model) == "PERMIT"
    since = remedy.split("--since ")[1].split()[0]
    assert team.ask("keys", "compromise", old, "--since", since, "--reason", "signed anew", *both).code == 0
    assert team.ask("keys", "threshold", "root", "2", *both).code == 0
    assert outcome(team, model) == "PERMIT"
    assert team.ask("log", "check").code == 0


def test_what_a_later_word_takes_back_is_no_damage_of_the_log(team, model):
    team.admit(model)
    assert team.ask("keys", "compromise", "bob", "--reason", "laptop stolen").code == 0
    checked = team.ask("log", "check")
    assert (checked.code, checked.json["problems"]) == (0, [])


def test_a_compromise_takes_the_permit_away_and_says_whose(team, model, tmp_path, monkeypatch):
    dossier = team.admit(model)
    assert outcome(team, model) == "PERMIT"
    declared = team.ask("keys", "compromise", "bob", "--reason", "laptop stolen")
    assert declared.code == 0, declared
    assert [item["outcome"] for item in declared.json["decided_again"]] == ["DENY"]
    assert outcome(team, model) == "DENY"
    words = ("--dossier", dossier, "--root", team.root, "--workspace", team.workspace)
    assert ask("verify", model, "--for", "production", *words).code == 1, (
        "who has seen the newer root refuses this one"
    )
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    held = ask("verify", model, "--for", "production", *words)
    assert (held.code, held.json["outcome"]) == (1, "DENY"), "the log knows better than the old dossier"
    assert "approvals" in {reason["requirement"] for reason in held.json["reasons"] if not reason["met"]}
    assert team.run("attest", "approval", model, "--for", "production", "--key", team.key("bob")).code == 2


def test_a_permit_that_a_newer_no_has_ended_is_not_decided_again(team, model):
    team.admit(model)
    team.run("contain", model, "--for", "production", "--reason", "drift")
    assert team.run("decide", model, "--for", "production").code == 1
    declared = team.ask("keys", "compromise", "bob", "--reason", "stolen")
    assert (declared.code, declared.json["decided_again"]) == (0, [])


def test_what_was_signed_before_the_theft_stands(team, model, tmp_path):
    team.admit(model)
    since = size(team)
    other = make_model(tmp_path, "other", seed=9)
    team.run("submit", other, "--to", "production")
    team.approve(other, "alice", "bob")
    assert outcome(team, other) == "PERMIT"
    declared = team.ask("keys", "compromise", "bob", "--since", since, "--reason", "stolen on Tuesday")
    assert declared.json["cut"] == since
    assert (outcome(team, model), outcome(team, other)) == ("PERMIT", "DENY")


def test_backdating_does_not_help(team, model, tmp_path):
    """The thief signs a statement that claims to be old; the index of its entry is what counts."""
    team.run("submit", model, "--to", "production")
    team.approve(model, "alice")
    since = size(team)
    team.ask("keys", "compromise", "bob", "--since", since, "--reason", "stolen")
    approve_as_thief(team, model, tmp_path / "bob.key")
    assert outcome(team, model) == "DENY"


def next_root(workspace: Workspace, *signers: Path) -> None:
    """Log a root that makes the thief's key active again and adds nothing else, signed by these keys."""
    root = workspace.trust().root
    document = json.loads(root.payload)
    document["version"] += 1
    for principal in document["principals"].values():
        former = principal.pop("formerKeys", [])
        principal["keys"] = sorted([*principal["keys"], *former])
    payload = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    publish(workspace, [sign(ROOT_PAYLOAD_TYPE, payload, [load_private(path) for path in signers])], now())


def test_a_stolen_owner_key_makes_no_root_and_no_event_after_its_rotation(team, model, tmp_path):
    stolen = tmp_path / "stolen.key"
    shutil.copy2(team.workspace / "keys" / "owner.key", stolen)
    team.admit(model)
    rotated = team.ask("keys", "rotate", "owner")
    assert rotated.code == 0, rotated
    assert outcome(team, model) == "PERMIT"
    assert team.run("keys", "renew").code == 0, "the workspace signs with the new key"
    workspace = open_workspace(team.workspace)
    victim = Subject("key of alice", f"sha256:{key_id(team, 'alice')}", "key")
    predicate = {"event": "compromised", "since": 0, "reason": "no", "tenant": "default"}
    event = sign_statement(make_statement((victim,), KEY_EVENT, predicate).payload, [load_private(stolen)])
    publish(workspace, [event], now())
    assert outcome(team, model) == "PERMIT", "the old owner's key accuses nobody"
    next_root(workspace, stolen)
    refused = team.ask("verify", model, "--for", "production")
    assert refused.code == 1, "a root that does not follow is refused, loudly"
    assert "root-threshold" in refused.out


def test_the_owner_cannot_be_declared_stolen_by_their_own_signature(team, model):
    before = size(team)
    refused = team.ask("keys", "compromise", "owner", "--reason", "me")
    assert refused.code == 1
    assert refused.json["error"]["code"] in ("root-threshold", "key-event-threshold")
    assert size(team) == before, "nothing was logged"


def test_an_event_logged_again_in_other_bytes_moves_no_cut(team, model, tmp_path):
    team.admit(model)
    rotate(team, "alice", tmp_path)
    workspace = open_workspace(team.workspace)
    index = workspace.log.by_predicate(KEY_EVENT, 10**6)[0]
    envelope = parse_envelope(workspace.log.entry(index)[1])
    document = json.loads(envelope.data)
    again = json.dumps(document, indent=1).encode()
    publish(workspace, [parse_envelope(again)], now())
    other = make_model(tmp_path, "other", seed=9)
    team.run("submit", other, "--to", "production")
    approve_as_thief(team, other, tmp_path / "alice.key")
    team.approve(other, "bob")
    assert (outcome(team, model), outcome(team, other)) == ("PERMIT", "DENY")


def test_a_dossier_that_leaves_the_event_out_is_caught_by_the_log(team, model, tmp_path):
    from assaymark.service.decide import decide_path

    team.admit(model)
    team.ask("keys", "compromise", "bob", "--since", 0, "--reason", "stolen")
    workspace = open_workspace(team.workspace)
    honest = workspace.log.by_predicate
    hidden = honest(KEY_EVENT, 10**6)[0]
    workspace.log.by_predicate = lambda *a, **k: [i for i in honest(*a, **k) if i != hidden]
    verdict, lie = decide_path(workspace, model, "production", now)
    assert verdict.outcome == "DENY", (
        "the newest root holds the key as a former one: without an event it counts nowhere"
    )
    assert lie is not None
    dossier = tmp_path / "lie.dossier"
    dossier.write_bytes(lie)
    held = ask(
        "verify",
        model,
        "--for",
        "production",
        "--dossier",
        dossier,
        "--root",
        team.root,
        "--workspace",
        team.workspace,
    )
    assert held.code == 1
    assert any(str(hidden) in r["message"] for r in held.json["reasons"] if r["requirement"] == "left-out")


def test_a_p256_key_approves_like_any_other(team, model, tmp_path):
    key = tmp_path / "carol.key"
    made = ask("keys", "generate", "carol", "--out", key, "--scheme", "p256")
    assert (made.code, made.json["scheme"]) == (0, "ecdsa-sha2-nistp256")
    assert team.run("keys", "add", "carol", "--role", "approver", "--public", key.with_suffix(".pub")).code == 0
    team.run("submit", model, "--to", "production")
    team.approve(model, "alice")
    for _ in range(2):  # ECDSA is randomised: the second is another envelope, and no second approver
        assert team.run("attest", "approval", model, "--for", "production", "--key", f"file:{key}").code == 0
    assert outcome(team, model) == "PERMIT"
    dossier = tmp_path / "model.dossier"
    assert team.run("decide", model, "--for", "production", "--dossier", dossier).code == 0
    assert ask("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root).code == 0
    team.ask("keys", "compromise", "carol", "--reason", "lost")
    assert outcome(team, model) == "DENY"


def test_a_thief_of_one_of_two_root_keys_changes_nothing(team, model, tmp_path):
    """Once two must sign together: neither root, policy nor event by one of them; both together retire the other."""
    team.enrol("eve", "root", "policy")
    owner = f"file:{team.workspace}/keys/owner.key"
    both = ("--sign-with", owner, "--sign-with", team.key("eve"))
    assert team.run("keys", "threshold", "root", 2).code == 1, "the new threshold counts too"
    assert team.run("keys", "threshold", "root", 2, *both).code == 0
    assert team.ask("keys", "list").json["thresholds"]["root"] == 2
    team.run("submit", model, "--to", "production")
    before = size(team)
    for words in (
        ("keys", "add", "mallory", "--role", "approver", "--public", f"{tmp_path}/alice.pub"),
        ("keys", "compromise", "alice", "--reason", "no"),
        ("keys", "threshold", "root", 1),
        ("keys", "remove", "eve", "--role", "root"),
    ):
        refused = team.ask(*words, "--sign-with", team.key("eve"))
        assert refused.code in (1, 2, 3), words
    assert size(team) == before
    refused = team.ask("keys", "retire", "eve", "--reason", "stolen", *both)
    assert refused.code == 1, "with two holders and a threshold of two, nobody is left to speak about one of them"
    assert size(team) == before
    assert ask("keys", "generate", "zoe", "--out", tmp_path / "zoe.key").code == 0
    assert team.run("keys", "add", "zoe", "--role", "root", "--public", tmp_path / "zoe.pub", *both).code == 0
    three = ("--sign-with", owner, "--sign-with", f"file:{tmp_path}/zoe.key", "--sign-with", team.key("eve"))
    assert team.run("keys", "compromise", "eve", "--reason", "stolen", *three).code == 0
    assert (
        team.run(
            "keys", "remove", "eve", "--role", "root", "--sign-with", owner, "--sign-with", f"file:{tmp_path}/zoe.key"
        ).code
        == 0
    )
    assert team.run("keys", "remove", "eve", "--role", "root", "--sign-with", owner).code == 2
