"""`--with`: opinions side by side, each signed as a statement of its own, and a policy that asks how many agree."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import jsonschema_rs
import pytest
from tests.support.cli import Team, ask, cli
from tests.support.fake_scanners import fake

SCHEMA = Path(__file__).parents[2] / "docs" / "spec" / "schemas" / "opinion.v1.schema.json"
POLICY = """\
format = "assaymark:policy/v1"

[[environments.production.require]]
id = "second-opinions"
predicate = "assaymark:opinion/v1"
roles = ["scanner"]
distinct = "scanner"
at-least-distinct = 2
where = [{ field = "outcome", equals = "pass", indeterminate-when = ["incomplete"] }]
"""


@pytest.fixture(autouse=True)
def scanners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    data = tmp_path / "data"
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    for name in ("picklescan", "modelscan", "fickling"):
        fake(data, name)
    return data


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A pickle that we and two others find nothing in, and fickling does."""
    file = tmp_path / "odd.pkl"
    file.write_bytes(pickle.dumps({"a": [1, 2]}))
    return file


def test_opinions_stand_side_by_side(odd: Path) -> None:
    shown = cli("scan", odd, "--with", "picklescan,modelscan,fickling")
    assert shown.code == 0, "what others say changes nothing by itself"
    for words in ("assaymark", "picklescan", "9.9.9", "they disagree", "not clean say fickling"):
        assert words in shown.out
    report = ask("scan", odd, "--with", "picklescan", "--with", "fickling").json["reports"][0]
    assert report["outcome"] == "pass"
    assert [(one["scanner"], one["version"], one["outcome"], one["findings"]) for one in report["opinions"]] == [
        ("picklescan", "9.9.9", "pass", 0),
        ("fickling", "9.9.9", "fail", 1),
    ]
    assert "<h3>Opinions</h3>" in cli("scan", odd, "--with", "fickling", "--format", "html").out
    assert "opinions" not in ask("scan", odd).json["reports"][0]


@pytest.mark.parametrize(
    ("names", "agree", "code"),
    [
        ("picklescan,modelscan,fickling", 2, 0),
        ("picklescan,modelscan,fickling", 3, 1),
        ("picklescan,modelaudit", 1, 3),
        ("picklescan,modelaudit", 2, 3),
        ("fickling", 1, 1),
    ],
)
def test_how_many_must_agree(odd: Path, names: str, agree: int, code: int) -> None:
    assert cli("scan", odd, "--with", names, "--agree", agree).code == code


def test_one_that_is_absent_is_no_answer(odd: Path) -> None:
    shown = cli("scan", odd, "--with", "modelaudit")
    assert shown.code == 3
    assert "not installed: assaymark scanners install modelaudit" in shown.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--with", "virusscan"), "scanner-unknown"),
        (("--with", "picklescan", "--agree", "2"), "opinion-agree"),
        (("--agree", "1"), "opinion-agree"),
    ],
)
def test_what_cannot_be_asked_is_refused(odd: Path, words: tuple[str, ...], code: str) -> None:
    refused = cli("scan", odd, *words)
    assert refused.code == 2
    assert code in refused.err
    refused = cli("scan", "https://example.com/model.pt", "--with", "picklescan")
    assert "opinion-remote" in refused.err


def test_a_file_from_standard_input_may_be_asked_about(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    from types import SimpleNamespace

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(odd.read_bytes())))
    (report,) = ask("scan", "-", "--with", "fickling").json["reports"]
    assert [one["outcome"] for one in report["opinions"]] == ["incomplete"]


def test_the_scanners_are_listed(scanners: Path) -> None:
    listed = {one["scanner"]: one for one in ask("scanners", "list").json["scanners"]}
    assert listed["picklescan"]["version"] == "9.9.9"
    assert listed["picklescan"]["path"].startswith(str(scanners))
    assert listed["modelaudit"]["installed"] is False
    assert "not installed" in cli("scanners", "list").out


def opinions_in(team: Team) -> list[dict[str, object]]:
    return [entry for entry in team.ask("log", "show").json["entries"] if "opinion" in json.dumps(entry)]


def set_policy(team: Team, folder: Path, toml: str = POLICY) -> None:
    file = folder / "policy.toml"
    file.write_text(toml)
    done = team.run("policy", "set", file)
    assert done.code == 0, done


def test_each_opinion_is_signed_and_the_policy_counts_them(team: Team, odd: Path, tmp_path: Path) -> None:
    set_policy(team, tmp_path)
    before = team.ask("submit", odd, "--to", "production")
    assert before.json["outcome"] == "DENY"
    assert "--with" in json.dumps(before.json)
    one = team.ask("submit", odd, "--to", "production", "--with", "picklescan,fickling")
    assert one.json["outcome"] == "DENY"
    assert "fickling 9.9.9: fail" in one.err
    two = team.ask("submit", odd, "--to", "production", "--with", "modelscan")
    assert two.json["outcome"] == "PERMIT"
    said = next(reason for reason in two.json["reasons"] if reason["requirement"] == "second-opinions")
    for words in ("picklescan", "modelscan", "fickling"):
        assert words in said["message"]
    assert len(opinions_in(team)) == 3


def test_what_is_signed_meets_the_schema(team: Team, odd: Path, tmp_path: Path) -> None:
    fake(tmp_path / "data", "picklescan", "print('no idea')")
    team.run("submit", odd, "--to", "production", "--with", "picklescan,fickling")
    from assaymark.service.evidence import gather
    from assaymark.service.workspace import open_workspace

    workspace = open_workspace(team.workspace)
    subject = team.ask("log", "show").json["entries"][-1]["subjects"][0]["digest"]
    predicates = [
        item.statement.predicate
        for item in gather(workspace, subject).own
        if item.statement.predicate_type == "assaymark:opinion/v1"
    ]
    assert [(one["scanner"], one["outcome"], one["count"]) for one in predicates] == [
        ("picklescan", "incomplete", 0),
        ("fickling", "fail", 1),
    ]
    for one in predicates:
        jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(one)


def test_nothing_is_submitted_when_a_scanner_is_missing(team: Team, odd: Path) -> None:
    size = len(team.ask("log", "show").json["entries"])
    refused = team.run("submit", odd, "--to", "production", "--with", "modelaudit")
    assert refused.code == 2
    assert "scanner-absent" in refused.err
    assert len(team.ask("log", "show").json["entries"]) == size


def test_an_opinion_of_another_scanner_may_be_attested(team: Team, odd: Path, tmp_path: Path) -> None:
    team.run("submit", odd, "--to", "production")
    file = tmp_path / "opinion.json"
    page = (SCHEMA.parents[1] / "opinion.md").read_text()
    said = json.loads(page.split("```json\n")[1].split("```")[0]) | {"scanner": "house-scanner"}
    file.write_text(json.dumps(said))
    assert team.run("attest", "opinion", odd, "--predicate", file).code == 0
    file.write_text(json.dumps(said | {"outcome": "perhaps"}))
    refused = team.run("attest", "opinion", odd, "--predicate", file)
    assert "predicate-schema" in refused.err


def test_policies_with_voices_are_explained_tested_and_compared(team: Team, odd: Path, tmp_path: Path) -> None:
    set_policy(team, tmp_path)
    team.run("submit", odd, "--to", "production", "--with", "picklescan,modelscan")
    assert "at least 2 distinct values of scanner" in team.run("policy", "explain").out
    stricter = tmp_path / "stricter.toml"
    stricter.write_text(POLICY.replace("distinct = 2", "distinct = 3"))
    compared = team.ask("policy", "diff", "current", stricter).json
    assert compared["changed"] == 1
    cases = tmp_path / "cases.toml"
    statement = '{{ type = "opinion", predicate = {{ scanner = "{}", outcome = "{}" }}, signers = [{{ principal = "scanner", roles = ["scanner"] }}] }}'
    cases.write_text(
        'format = "assaymark:policy-cases/v1"\npolicy = "policy.toml"\n'
        '[[cases]]\nname = "two of three"\nenvironment = "production"\nnow = "2026-05-02T12:00:00Z"\nexpect = "PERMIT"\nstatements = [\n'
        + ",\n".join(statement.format(*one) for one in (("a", "pass"), ("b", "fail"), ("c", "pass")))
        + "\n]\n"
    )
    assert cli("policy", "test", cases).code == 0
