"""``inventory``: what is in a tree, how it stands, what was not looked into; and adoption until a date."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import pytest
from tests.support.cli import Team, ask, cli, make_model, safetensors_bytes
from tests.support.model_files import PLAIN

from assaymark.core.times import format_time
from assaymark.service.inventory import stamps, take_inventory
from assaymark.store.survey import LeftOut, survey

EVIL = b"cposix\nsystem\n(S'id'\ntR."

# GGUF with a tensor of a type that has no size yet: recognised, and never examined whole.
UNKNOWN_TENSORS = (
    b"GGUF"
    + struct.pack("<IQQ", 3, 1, 0)
    + struct.pack("<Q", 1)
    + b"a"
    + struct.pack("<IQIQ", 1, 32, 99, 0)
    + bytes(64)
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A model folder, a file of weights under a name that does not tell, an unsafe pickle, plain data, other files."""
    root = tmp_path / "srv"
    (root / "deep" / "er").mkdir(parents=True)
    make_model(root, "bert", seed=1)
    (root / "bert" / "config.json").write_text('{"model_type": "bert"}')
    (root / "deep" / "er" / "notes.txt").write_bytes(safetensors_bytes(2))
    (root / "deep" / "evil.dat").write_bytes(EVIL)
    (root / "deep" / "plain.pkl").write_bytes(PLAIN)
    (root / "deep" / "main.py").write_text("import os\n")
    return root


def by_place(ran, root: Path) -> dict[str, dict]:
    return {os.path.relpath(model["places"][0], os.path.realpath(root)): model for model in ran.json["models"]}


def adopting(days: int = 30) -> list[str]:
    until = format_time(int(time.time()) + days * 86_400)
    return ["--for", "production", "--adopt", "--until", until, "--owner", "Eve", "--reason", "in service before"]


def test_models_are_found_by_content_with_the_digest_that_submit_gives(tree: Path) -> None:
    ran = ask("inventory", tree)
    assert ran.code == 1  # one is unsafe
    models = by_place(ran, tree)
    assert set(models) == {"bert", "deep/er/notes.txt", "deep/evil.dat", "deep/plain.pkl"}
    assert models["bert"]["unit"] == "folder"
    assert models["bert"]["format"] == "huggingface"
    for place, model in models.items():
        assert model["subject"] == ask("digest", tree / place).json["subject"]
    assert ran.json["models"][0]["places"][0].endswith("evil.dat")
    assert models["deep/evil.dat"]["unsafe"] is True
    assert models["deep/plain.pkl"]["kind"] == "data"
    assert "UNSAFE" in cli("inventory", tree).out.splitlines()[0]


def test_standing_is_decided_from_the_log_and_nothing_is_written(team: Team, tree: Path) -> None:
    team.admit(tree / "bert")
    size = team.ask("log", "show").json["tree_size"]
    models = by_place(team.ask("inventory", tree), tree)
    assert models["bert"]["known"] == "submitted"
    outcomes = {item["environment"]: item["outcome"] for item in models["bert"]["standing"]}
    assert outcomes == {"dev": "PERMIT", "production": "PERMIT"}
    assert models["deep/er/notes.txt"]["known"] == "unknown"
    assert team.ask("log", "show").json["tree_size"] == size
    team.run("contain", tree / "bert", "--for", "production", "--reason", "drift")
    contained = by_place(team.ask("inventory", tree, "--for", "production"), tree)["bert"]["standing"]
    assert [(item["outcome"], item["unmet"][0]) for item in contained] == [("DENY", "containment")]


def test_a_file_of_something_submitted_is_known_by_its_bytes_and_still_not_permitted(team: Team, tree: Path) -> None:
    team.run("submit", tree / "bert", "--to", "dev")
    (tree / "copy.bin").write_bytes((tree / "bert" / "model.safetensors").read_bytes())
    found = by_place(team.ask("inventory", tree), tree)["copy.bin"]
    assert found["known"] == "part"
    assert [item["name"] for item in found["part_of"]] == ["bert"]
    assert all(item["outcome"] != "PERMIT" for item in found["standing"])
    assert cli("inventory", tree / "copy.bin", "--workspace", team.workspace, "--fail-on", "unknown").code == 1


def test_copies_are_one_model_at_several_places(tree: Path) -> None:
    (tree / "again").mkdir()
    (tree / "again" / "notes.txt").write_bytes(safetensors_bytes(2))
    ran = ask("inventory", tree)
    assert [len(m["places"]) for m in ran.json["models"] if m["format"] == "safetensors"] == [2]


def test_a_blob_of_a_model_cache_is_not_a_second_model(tmp_path: Path) -> None:
    cache = tmp_path / "hub" / "models--org--bert"
    snapshot = cache / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (cache / "blobs").mkdir()
    (cache / "blobs" / "f00").write_bytes(safetensors_bytes())
    (cache / "blobs" / "c0f").write_text('{"architectures": ["Bert"]}')
    (snapshot / "model.safetensors").symlink_to("../../blobs/f00")
    (snapshot / "config.json").symlink_to("../../blobs/c0f")
    models = by_place(ask("inventory", tmp_path / "hub"), tmp_path / "hub")
    assert list(models) == ["models--org--bert/snapshots/abc"]
    assert models["models--org--bert/snapshots/abc"]["problem"] == ""
    assert [m["format"] for m in ask("inventory", snapshot).json["models"]] == ["huggingface"]


def test_what_is_not_looked_into_is_said(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.pkl").write_bytes(EVIL)
    (tree / "leaves").symlink_to(tmp_path / "outside.pkl")
    (tree / "loop").symlink_to(".")
    (tree / "nowhere").symlink_to("not-there")
    os.mkfifo(tree / "pipe")
    said = {Path(item["path"]).name: item for item in ask("inventory", tree, "--no-scan").json["left_out"]}
    assert set(said) == {"leaves", "nowhere", "pipe"}
    assert "out of the tree" in said["leaves"]["why"]
    assert not any(item["unread"] for item in said.values())
    assert cli("inventory", tree / "not-there").code == 2


def test_an_unreadable_place_is_listed_and_is_no_answer(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path, real=os.scandir):
        if str(path).endswith("/deep"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("assaymark.store.survey.os.scandir", refuse)
    ran = ask("inventory", tree, "--no-scan")
    assert ran.code == 3
    assert [(Path(i["path"]).name, i["unread"]) for i in ran.json["left_out"]] == [("deep", True)]


def test_another_file_system_is_not_entered_and_is_said() -> None:
    if Path("/").stat().st_dev == Path("/proc").stat().st_dev:
        pytest.skip("no file system is mounted at /proc here")
    left: list[LeftOut] = []
    for folder in survey("/", left.append):
        folder.descend = folder.path == "/"
        folder.folders = [name for name in folder.folders if name == "proc"]
    assert any(item.path == "/proc" and item.unread for item in left)


def test_a_hostile_name_does_not_drive_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "\x1b[2J\udcff.pkl").write_bytes(EVIL)
    shown = cli("inventory", tmp_path)
    assert "\x1b" not in shown.out
    assert "manifest-path" in shown.out or "\\x1b" in shown.out


def test_the_workspace_is_not_looked_into(team: Team) -> None:
    make_model(team.folder, "m")
    team.run("submit", team.folder / "m", "--to", "dev")
    found = team.ask("inventory", team.folder, "--no-scan").json
    assert [Path(model["places"][0]).name for model in found["models"]] == ["model.safetensors"]
    assert any(item["why"] == "the workspace itself" for item in found["left_out"])


def test_a_model_that_changes_meanwhile_is_said(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assaymark.service import inventory

    def scan_and_write(sandbox, path, real=inventory.scan_with):
        report = real(sandbox, path)
        if path.name == "notes.txt":
            path.write_bytes(safetensors_bytes(3))
        return report

    monkeypatch.setattr(inventory, "scan_with", scan_and_write)
    models = by_place(ask("inventory", tree), tree)
    assert "changed" in models["deep/er/notes.txt"]["problem"]
    assert models["bert"]["problem"] == ""


def test_adoption_ends_and_may_be_made_again(team: Team, tree: Path) -> None:
    size = team.ask("log", "show").json["tree_size"]
    planned = team.ask("inventory", tree, *adopting(), "--dry-run")
    assert planned.json["adoption"]["dry_run"] is True
    assert team.ask("log", "show").json["tree_size"] == size

    done = team.ask("inventory", tree, *adopting())
    actions = {Path(item["place"]).name: item for item in done.json["adoption"]["models"]}
    assert {name: item["action"] for name, item in actions.items()} == {
        "bert": "adopt", "notes.txt": "adopt", "evil.dat": "refuse", "plain.pkl": "skip"
    }  # fmt: skip
    assert actions == {Path(item["place"]).name: item for item in planned.json["adoption"]["models"]}
    assert actions["bert"]["requirements"] == ["approvals"]
    standing = by_place(done, tree)["bert"]["standing"][0]
    assert (standing["outcome"], standing["owner"]) == ("PERMIT", "Eve")
    assert standing["excepted_until"] is not None
    assert team.run("decide", tree / "bert", "--for", "production").code == 0
    assert "until" in team.run("inventory", tree).out
    assert team.ask("log", "check").json["sound"] is True

    size = team.ask("log", "show").json["tree_size"]
    again = team.ask("inventory", tree, *adopting(20))
    assert {item["action"] for item in again.json["adoption"]["models"]} == {"skip", "refuse"}
    assert team.ask("log", "show").json["tree_size"] == size


def test_after_the_date_decisions_deny_again(team: Team, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert team.run("inventory", tree / "bert", *adopting(2)).code == 0
    now = time.time()
    monkeypatch.setattr("assaymark.ui.cli.clock.time.time", lambda: now + 3 * 86_400)
    assert team.run("decide", tree / "bert", "--for", "production").code == 1


def test_an_unsafe_model_is_adopted_only_when_that_is_said(team: Team, tree: Path) -> None:
    evil = tree / "deep" / "evil.dat"
    assert team.run("inventory", evil, *adopting()).code == 1
    done = team.ask("inventory", evil, *adopting(), "--include-unsafe")
    assert done.code == 1  # it is unsafe all the same
    assert done.json["adoption"]["models"][0]["requirements"] == ["approvals", "scan"]
    assert done.json["models"][0]["standing"][0]["outcome"] == "PERMIT"


def test_adoption_is_refused_whole_before_anything_is_logged(team: Team, tree: Path) -> None:
    size = team.ask("log", "show").json["tree_size"]
    words = adopting()
    alice = team.run("inventory", tree, *words, "--key", team.key("alice"))
    assert (alice.code, "adopt-signers" in alice.err) == (2, True)
    assert "exception-until" in team.run("inventory", tree, *adopting(4000)).err
    assert "environment-unknown" in team.run("inventory", tree, "--for", "nowhere").err
    for wrong in (
        [*words, "--no-scan"],
        ["--adopt", "--for", "production"],
        ["--until", "2030-01-01"],
        ["--no-scan", "--fail-on", "unsafe"],
        ["--jobs", "-1"],
        [*words[:-1], " "],
    ):
        refused = team.run("inventory", tree, *wrong)
        assert (refused.code, "inventory-usage" in refused.err) == (2, True), wrong
    assert team.ask("log", "show").json["tree_size"] == size


def test_a_contained_model_is_not_adopted(team: Team, tree: Path) -> None:
    team.run("submit", tree / "bert", "--to", "dev")
    team.run("contain", tree / "bert", "--for", "production", "--reason", "drift")
    done = team.ask("inventory", tree / "bert", *adopting())
    assert [item["action"] for item in done.json["adoption"]["models"]] == ["refuse"]
    assert "containment" in done.json["adoption"]["models"][0]["why"]


def test_exit_codes_follow_fail_on(team: Team, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    clean = tmp_path / "x" / "w"
    clean.write_bytes(safetensors_bytes())
    assert team.run("inventory", clean).code == 0
    assert team.run("inventory", clean, "--fail-on", "unknown").code == 1
    clean.write_bytes(UNKNOWN_TENSORS)
    assert team.run("inventory", clean).code == 3, "recognised, and not examined: no answer"
    assert team.run("inventory", clean, "--fail-on", "none").code == 0
    assert team.run("inventory", clean, "--no-scan").code == 0


def test_one_job_and_many_find_the_same(tree: Path) -> None:
    one, many = (take_inventory([tree], scan=False, jobs=jobs) for jobs in (1, 8))
    assert [model.subject for model in one.models] == [model.subject for model in many.models]
    assert stamps(tree / "bert").keys() == {"model.safetensors", "config.json", "README.md", ".notes"}
