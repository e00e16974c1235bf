"""`assaymark scan` for people, scripts, code scanning and browsers, with a configuration of what passes."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.support.asm import EMPTY_DICT, NEWOBJ, STOP, call, glob, proto, text
from tests.support.cli import Ran, ask, cli

from assaymark.scanning.rules import RULES

LIVE = proto(2) + call("builtins", "exec", text("print()")) + STOP
OWN = proto(2) + glob("acme.models", "Net") + b")" + NEWOBJ + EMPTY_DICT + b"\x8c\x01wK\x01s" + b"b" + STOP
HARMLESS = proto(2) + EMPTY_DICT + text("epoch") + b"K\x03s" + STOP


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model dir"
    (place / "sub").mkdir(parents=True)
    (place / "a,b:c.pkl").write_bytes(LIVE)
    (place / "sub" / "net.pkl").write_bytes(OWN)
    (place / "fine.pkl").write_bytes(HARMLESS)
    (place / "odd.bin").write_bytes(b"\0\1\2\3")
    return place


def scan(*words: object, form: str = "json") -> Ran:
    return cli("scan", *words, "--format", form)


def test_sarif_names_files_rules_and_what_was_not_examined(folder: Path) -> None:
    ran = scan(folder, form="sarif")
    assert ran.code == 1
    document = ran.json
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert set(rules) == {"pickle-dangerous-global", "pickle-unknown-global"}
    for name, rule in rules.items():
        assert rule["shortDescription"]["text"] == RULES[name].title
        assert rule["help"]["markdown"].startswith(f"# {name}")
        assert rule["help"]["text"]
        assert float(rule["properties"]["security-severity"]) > 7
    levels = {result["ruleId"]: result["level"] for result in run["results"]}
    assert levels == {"pickle-dangerous-global": "error", "pickle-unknown-global": "error"}
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.startswith(f"{folder}".replace(" ", "%20"))
        assert "byteOffset" in result["locations"][0]["physicalLocation"]["region"]
    notices = run["invocations"][0]["toolExecutionNotifications"]
    assert notices
    assert all("odd.bin" in notice["message"]["text"] for notice in notices)


def test_a_member_of_a_container_is_a_logical_location(tmp_path: Path) -> None:
    from tests.support.examples_containers import tar

    (tmp_path / "m.tar").write_bytes(tar(("inner.pkl", LIVE)))
    (result,) = scan(tmp_path / "m.tar", form="sarif").json["runs"][0]["results"]
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"].endswith("/m.tar")
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "inner.pkl"


def test_annotations_are_one_escaped_line_each(folder: Path) -> None:
    ran = scan(folder, form="github")
    lines = ran.out.splitlines()
    assert [line.split(" ")[0] for line in lines][:3] == ["::error", "::error", "::warning"]
    assert "a%2Cb%3Ac.pkl,title=pickle-dangerous-global (critical)::" in lines[0]
    assert "%0A" in lines[0]


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not {"src", "href", "onclick"} & {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_else_and_escapes_names(tmp_path: Path) -> None:
    (tmp_path / "<script>alert(1)<").mkdir()
    (tmp_path / "<script>alert(1)<" / "x.pkl").write_bytes(LIVE)
    page = Page()
    page.feed(scan(tmp_path, form="html").out)
    assert "script" not in page.tags
    assert "<script>alert(1)<" in page.text
    assert RULES["pickle-dangerous-global"].title in page.text


def test_several_forms_at_once(folder: Path, tmp_path: Path) -> None:
    outputs = [f"--output={form}={tmp_path / form}" for form in ("sarif", "html", "github", "json", "text")]
    ran = scan(folder, *outputs, form="text")
    assert ran.code == 1
    assert json.loads((tmp_path / "sarif").read_text())["runs"]
    assert (tmp_path / "html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "text").read_text() == ran.out
    assert "fix: " in ran.out
    assert "assaymark explain pickle-dangerous-global" in ran.out


def config(folder: Path, *, until: str = "2999-01-01", digest: str = "", name: str = "acme.models.Net") -> Path:
    (folder / "models.py").write_text("class Net: ...\n")
    digest = digest or hashlib.sha256((folder / "models.py").read_bytes()).hexdigest()
    (folder / "scan.toml").write_text(
        'format = "assaymark:scan-config/v1"\n[[allow]]\n'
        f'name = "{name}"\nfile = "models.py"\ndigest = "sha256:{digest}"\nowner = "Eve"\nreason = "ours"\nuntil = {until}\n'
        f'[[ignore]]\nrule = "pickle-dangerous-global"\npath = "a,*"\nowner = "Eve"\nreason = "a test"\nuntil = {until}\n'
    )
    return folder / "scan.toml"


def test_what_a_team_vouches_for_passes_and_is_said(folder: Path, tmp_path: Path) -> None:
    (folder / "odd.bin").unlink()
    ran = scan(folder, "--config", config(tmp_path))
    assert ran.code == 0, ran
    (report,) = ran.json["reports"]
    assert report["allowed"] == ["acme.models.Net"]
    (ignored,) = report["ignored"]
    assert (ignored["rule"], ignored["path"], ignored["owner"]) == ("pickle-dangerous-global", "a,b:c.pkl", "Eve")
    words = scan(folder, "--config", tmp_path / "scan.toml", form="text")
    assert "ignored" in words.out
    assert "a,b:c.pkl byte" in words.out
    assert "allowed by configuration: acme.models.Net" in words.out
    suppressed = scan(folder, "--config", tmp_path / "scan.toml", form="sarif").json["runs"][0]["results"]
    assert [result["suppressions"][0]["status"] for result in suppressed] == ["accepted"]
    assert "a test" in scan(folder, "--config", tmp_path / "scan.toml", form="html").out


def test_entries_that_ended_or_whose_file_changed_do_not_count(folder: Path, tmp_path: Path) -> None:
    ended = scan(folder, "--config", config(tmp_path, until="2020-01-01"))
    assert ended.code == 1
    assert len(ended.json["reports"][0]["findings"]) == 2
    assert ended.err.count("ended 2020-01-02T00:00:00Z") == 2
    changed = scan(folder, "--config", config(tmp_path, digest="0" * 64))
    assert changed.code == 1
    assert "acme.models.Net is not allowed: models.py, which defines it, has the digest" in changed.err


def test_what_is_dangerous_cannot_be_allowed(folder: Path, tmp_path: Path) -> None:
    (folder / "sub" / "net.pkl").write_bytes(LIVE)
    ran = scan(folder / "sub", "--config", config(tmp_path, name="builtins.exec"))
    assert ran.code == 1
    assert "allowed" not in ran.json["reports"][0]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ("", "format"),
        ("x = 1", "x"),
        ("[[ignore]]\nrule = 'nonesuch'\npath = '*'\nowner = 'E'\nreason = 'r'\nuntil = 2027-01-01", "ignore[0].rule"),
        ("[[ignore]]\nrule = 'zip-ambiguous'\npath = '*'\nowner = ' '\nreason = 'r'\nuntil = 2027-01-01", "ignore[0].owner"),
        ("[[ignore]]\nrule = 'zip-ambiguous'\npath = '*'\nreason = 'r'\nuntil = 2027-01-01", "ignore[0]"),
        ("[[ignore]]\nrule = 'zip-ambiguous'\npath = '*'\nowner = 'E'\nreason = 'r'\nuntil = 'soon'", "ignore[0].until"),
        ("[[ignore]]\nrule = 'zip-ambiguous'\npath = '*'\nowner = 'E'\nreason = 'r'\nuntil = 2027-01-01T00:00:00", "ignore[0].until"),
        ("[[allow]]\nname = 'Net'\nfile = 'f'\ndigest = 'sha256:0'\nowner = 'E'\nreason = 'r'\nuntil = 2027-01-01", "allow[0].name"),
        ("[[allow]]\nname = 'a.Net'\nfile = 'f'\ndigest = 'sha256:0'\nowner = 'E'\nreason = 'r'\nuntil = 2027-01-01", "allow[0].digest"),
        ("allow = 1", "allow"),
        ("allow = [1]", "allow[0]"),
        ("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1", ""),
        ("broken", ""),
    ],
)  # fmt: skip
def test_a_configuration_that_is_wrong_is_an_error(folder: Path, tmp_path: Path, body: str, at: str) -> None:
    head = "" if at == "format" else 'format = "assaymark:scan-config/v1"\n'
    (tmp_path / "scan.toml").write_text(head + body + "\n")
    ran = scan(folder, "--config", tmp_path / "scan.toml")
    assert ran.code == 3
    assert ran.json["error"]["code"] == "scan-config"
    assert at in ran.json["error"]["position"]


def test_a_configuration_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    assert scan(folder, "--config", tmp_path / "none.toml").code == 2


def test_standard_input_is_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(LIVE), isatty=lambda: False))
    ran = scan("-")
    assert ran.code == 1
    assert ran.json["reports"][0]["findings"][0]["locations"][0]["path"] == "stdin"


@pytest.mark.parametrize("paths", [("-",), (".", "-")])
def test_nothing_on_standard_input_is_no_clean_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: tuple[str, ...]
) -> None:
    (tmp_path / "fine.pkl").write_bytes(HARMLESS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(), isatty=lambda: False))
    ran = scan(*paths)
    assert ran.code == 3
    assert "nothing came on standard input" in ran.out


def test_a_path_that_cannot_be_read_hides_nothing_of_the_others(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to("nowhere")
    ran = scan(tmp_path / "broken", folder, "--output", f"sarif={tmp_path / 'scan.sarif'}")
    assert ran.code == 1
    assert [report["outcome"] for report in ran.json["reports"]] == ["incomplete", "fail"]
    assert ran.json["reports"][0]["skipped"] == [{"path": str(tmp_path / "broken"), "reason": "a link to nothing"}]
    assert (tmp_path / "scan.sarif").exists()
    assert scan(tmp_path / "broken").json["error"]["code"] == "link-broken"


def test_a_folder_that_may_not_be_read_is_skipped_and_the_rest_is_scanned(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = os.listdir

    def refuse(place: Path) -> list[str]:
        if place.name == "sub":
            raise PermissionError(13, "Permission denied")
        return listed(place)

    monkeypatch.setattr("assaymark.store.walk.os.listdir", refuse)
    ran = scan(folder)
    assert ran.code == 1
    assert {"path": "sub", "reason": "a folder that may not be read by this user"} in ran.json["reports"][0][
        "skipped"
    ]
    assert scan(folder / "sub").json["error"]["code"] == "path-unreadable"


def test_a_name_begins_no_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a\n::error::b.pkl").write_bytes(LIVE)
    ran = scan(tmp_path, form="text")
    assert ran.code == 1
    assert "at a\\n::error::b.pkl" in ran.out
    assert not [line for line in ran.out.splitlines() if line.startswith("::")]


def test_a_slow_report_is_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("assaymark.store.scan_cache._FAST_SECONDS", 0.0)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "live.pkl").write_bytes(LIVE)
    (tmp_path / "m" / "fine.pkl").write_bytes(HARMLESS)
    first = scan(tmp_path / "m")
    assert len(list((tmp_path / "cache" / "assaymark" / "scans").iterdir())) == 2
    assert first.code == 1
    monkeypatch.setattr("assaymark.sandbox.pool.Sandbox._share", lambda *_: pytest.fail("it was examined again"))
    again = scan(tmp_path / "m")
    monkeypatch.undo()
    assert again.code == 1
    for name in ("findings", "outcome", "confinement"):
        assert again.json["reports"][0][name] == first.json["reports"][0][name]
    assert scan(tmp_path / "m", "--no-cache").json["reports"] == first.json["reports"]


def test_a_link_out_of_the_folder_is_a_finding_and_the_others_are_examined(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "fine.pkl").write_bytes(HARMLESS)
    (tmp_path / "m" / "same.pkl").symlink_to("fine.pkl")
    assert scan(tmp_path / "m").code == 0
    (tmp_path / "m" / "out").symlink_to("/etc/passwd")
    (tmp_path / "m" / "broken").symlink_to("nowhere")
    ran = scan(tmp_path / "m")
    assert ran.code == 1
    (report,) = ran.json["reports"]
    assert [item["rule"] for item in report["findings"]] == ["archive-unsafe-path"]
    assert {item["path"] for item in report["skipped"]} == {"out", "broken"}
    assert {item["path"] for item in report["examined"]} == {"fine.pkl", "same.pkl"}


def test_a_link_that_is_named_leads_to_what_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "blob").write_bytes(LIVE)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.pkl").symlink_to("../elsewhere/blob")
    ran = scan(tmp_path / "m" / "model.pkl")
    assert ran.code == 1
    assert ran.json["reports"][0]["findings"][0]["locations"][0]["path"] == "model.pkl"
    (tmp_path / "m" / "broken").symlink_to("nowhere")
    assert scan(tmp_path / "m" / "broken").code == 3


MALICIOUS = b"cos\nsystem\n(S'echo'\ntR."


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such file names")
@pytest.mark.parametrize(
    ("name", "shown"), [(b"a\xff.pkl", "a\\xff.pkl"), (b"\xe9/b.pkl", "\\xe9/b.pkl"), (b"in/c\x80", "in/c\\x80")]
)
def test_a_file_name_that_is_not_utf8_hides_nothing(tmp_path: Path, name: bytes, shown: str) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(MALICIOUS)
    done = ask("scan", tmp_path)
    assert done.code == 1
    (report,) = done.json["reports"]
    assert {place["path"] for finding in report["findings"] for place in finding["locations"]} == {shown}
    assert cli("scan", file).code == 1
    for form in ("text", "sarif", "html", "github"):
        assert cli("scan", tmp_path, file, "--format", form).code == 1
    file.write_bytes(b"just text\n")
    done = cli("scan", tmp_path)
    assert done.code == 3
    assert "not UTF-8" in done.out
    assert cli("scan", file).code == 3


def test_a_folder_that_may_not_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.pkl").write_bytes(MALICIOUS)
    wanted = tmp_path / "reports" / "scan.json"
    missing = ask("scan", tmp_path / "x.pkl", "--output", f"json={wanted}")
    assert (missing.code, missing.json["error"]["code"]) == (2, "path-missing")
    assert str(wanted.parent) in missing.json["error"]["message"]
    wanted.parent.mkdir()
    asked = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != wanted.parent and asked(path, mode))
    refused = ask("scan", tmp_path / "x.pkl", "--output", f"json={wanted}")
    assert (refused.code, refused.json["error"]["code"]) == (2, "path-read-only")
    assert str(wanted.parent) in refused.json["error"]["message"]
    assert not wanted.exists()


def test_a_folder_that_turns_out_to_be_read_only_is_said_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assaymark.store import files

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(files, "_write_temporary", refuse)
    (tmp_path / "x.pkl").write_bytes(MALICIOUS)
    done = ask("scan", tmp_path / "x.pkl", "--output", f"json={tmp_path / 'scan.json'}")
    assert (done.code, done.json["error"]["code"]) == (2, "path-read-only")
