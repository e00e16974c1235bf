"""Lineage and blast radius, from the command line."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.support.cli import Team, ask, make_model, make_team

from assaymark.core.provenance import Material, derivation_predicate
from assaymark.core.statement import PROVENANCE, make_statement, parse_envelope
from assaymark.core.subject import Subject
from assaymark.keys.file import generate, load_private
from assaymark.service.publish import publish, sign_statement
from assaymark.service.workspace import open_workspace
from assaymark.ui.cli.clock import now


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return make_team(tmp_path)


@pytest.fixture
def family(team: Team, tmp_path: Path) -> dict[str, Path]:
    """A data set and a base model; a fine-tune of both; its quantised form."""
    places = {name: make_model(tmp_path, name, seed) for seed, name in enumerate(("base", "tuned", "small"))}
    places["train"] = tmp_path / "train"
    places["train"].mkdir()
    (places["train"] / "digits.csv").write_text("0,1,2\n")
    assert team.run("attest", "dataset", places["train"], "--source", "https://example.com/digits").code == 0
    team.run("submit", places["base"], "--to", "dev")
    parents = ("--parent", places["base"], "--parent", places["train"])
    assert team.run("submit", places["tuned"], "--to", "dev", *parents, "--derivation", "fine-tune").code == 0
    quantised = ("--parent", places["tuned"], "--derivation", "quantise")
    assert team.run("submit", places["small"], "--to", "dev", *quantised).code == 0
    return places


def digest(place: Path) -> str:
    return str(ask("digest", place).json["subject"])


def forge(team: Team, child: Path, parent: str, tmp_path: Path) -> None:
    """Whoever may append logs a derivation under a key that nobody enrolled."""
    generate(tmp_path / "stranger.key")
    material = Material("ghost", parent, "model", declared=True)
    predicate = derivation_predicate("fine-tune", (material,), builder="x:y", level=0)
    payload = make_statement((Subject(child.name, digest(child)),), PROVENANCE, predicate).payload
    publish(
        open_workspace(team.workspace), [sign_statement(payload, [load_private(tmp_path / "stranger.key")])], now()
    )


def test_a_whole_lineage_is_verified_and_drawn(team, family, tmp_path):
    verified = team.ask("verify", family["small"], "--lineage")
    assert (verified.code, verified.json["outcome"]) == (0, "PERMIT")
    lineage = verified.json["lineage"]
    assert lineage["holds"] is True
    assert [(item["name"], item["kind"], item["first"]) for item in lineage["ancestors"]] == [
        ("small", "model", False),
        ("tuned", "model", False),
        ("base", "model", True),
        ("train", "dataset", True),
    ]
    assert {link["operation"] for link in lineage["links"]} == {"fine-tune", "quantise"}
    picture = tmp_path / "lineage.svg"
    shown = team.run("lineage", "show", family["small"], "--svg", picture)
    assert shown.code == 0
    for word in ("small", "tuned", "base", "train", "fine-tune", "quantise", "holds"):
        assert word in shown.out
    drawn = ET.fromstring(picture.read_text())  # noqa: S314 - our own picture
    texts = "".join(drawn.itertext())
    assert all(name in texts for name in ("small", "tuned", "base", "train", "every link holds"))
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}path[@marker-end]")) == 3
    assert "<script" not in picture.read_text()


def test_with_an_environment_both_are_asked(team, family):
    both = team.ask("verify", family["small"], "--for", "dev", "--lineage")
    assert both.code == 0
    assert {"scan", "lineage"} <= {reason["requirement"] for reason in both.json["reasons"]}
    assert team.run("verify", family["small"]).code == 2


def test_a_lineage_verifies_offline_from_the_dossier(team, family, tmp_path):
    dossier = tmp_path / "small.dossier"
    assert team.run("decide", family["small"], "--for", "dev", "--dossier", dossier).code == 0
    held = ask("verify", family["small"], "--for", "dev", "--dossier", dossier, "--root", team.root, "--lineage")
    assert held.code == 0
    assert [item["name"] for item in held.json["lineage"]["ancestors"]] == ["small", "tuned", "base", "train"]


def test_a_copy_of_the_log_shows_that_an_ancestor_was_contained_since(team, family, tmp_path):
    text = team.run("policy", "show").out
    asking = tmp_path / "asking.toml"
    asking.write_text(text.replace('validity = "24h"', 'validity = "24h"\nlineage = "verified"'))
    owner = f"file:{team.workspace / 'keys' / 'owner.key'}"
    assert team.run("policy", "set", asking, "--key", owner).code == 0
    dossier = tmp_path / "small.dossier"
    assert team.run("decide", family["small"], "--for", "dev", "--dossier", dossier).code == 0
    offline = ("verify", family["small"], "--for", "dev", "--dossier", dossier, "--root", team.root)
    assert team.run(*offline).code == 0
    assert team.run("contain", family["base"], "--for", "dev", "--reason", "poisoned").code == 0
    told = team.run(*offline)
    assert told.code == 1, told
    assert "poisoned" in told.out


def test_a_missing_parent_is_named(team, family, tmp_path):
    ghost = make_model(tmp_path, "ghost", seed=77)
    child = make_model(tmp_path, "child", seed=78)
    submitted = team.run("submit", child, "--to", "dev", "--parent", ghost, "--parent", family["small"])
    assert "ghost" in submitted.err, "said at once, not only when somebody asks"
    found = team.ask("verify", child, "--lineage")
    assert found.code == 1
    (reason,) = found.json["reasons"]
    assert "ghost" in reason["message"]
    assert "missing" in reason["message"]
    assert "submit" in reason["remedy"]
    shown = team.run("lineage", "show", child)
    assert shown.code == 1
    assert "MISSING" in shown.out
    team.run("submit", ghost, "--to", "dev")
    assert team.run("verify", child, "--lineage").code == 0


def test_a_forged_link_is_named_and_a_right_statement_puts_it_right(team, family, tmp_path):
    child = make_model(tmp_path, "child", seed=78)
    team.run("submit", child, "--to", "dev")
    forge(team, child, digest(family["base"]), tmp_path)
    found = team.ask("verify", child, "--lineage")
    assert found.code == 1
    assert "forged" in found.json["reasons"][0]["message"]
    right = team.run("attest", "derivation", child, "--parent", family["base"], "--derivation", "merge")
    assert right.code == 0, right
    assert team.run("verify", child, "--lineage").code == 0


def test_who_may_append_breaks_no_first_ancestor_that_says_it_is_one(team, family, tmp_path):
    """An unsigned claim about a base model makes its lineage doubtful, until its owner says that it has no parents."""
    forge(team, family["base"], digest(family["small"]), tmp_path)
    assert team.run("verify", family["small"], "--lineage").code == 1
    assert team.run("attest", "derivation", family["base"], "--derivation", "train").code == 0
    assert team.run("verify", family["small"], "--lineage").code == 0


def test_a_broken_link_is_named(team, family):
    """Two models that are said to be made from each other: one of the statements is a lie."""
    assert team.run("attest", "derivation", family["base"], "--parent", family["small"]).code == 0
    found = team.ask("verify", family["small"], "--lineage")
    assert found.code == 1
    assert "broken" in found.json["reasons"][0]["message"]


def test_a_stolen_key_takes_its_links_with_it(team, family, tmp_path):
    child = make_model(tmp_path, "child", seed=78)
    team.run("submit", child, "--to", "dev")
    since = team.ask("log", "show").json["tree_size"]
    words = ("attest", "derivation", child, "--parent", family["base"], "--key", team.key("bob"))
    assert team.run(*words).code == 0
    assert team.run("verify", child, "--lineage").code == 0
    assert team.run("keys", "compromise", "bob", "--since", since, "--reason", "stolen").code == 0
    found = team.ask("verify", child, "--lineage")
    assert found.code == 1
    assert "forged" in found.json["reasons"][0]["message"]


def test_an_unknown_subject_has_no_lineage(team, tmp_path):
    assert team.run("verify", make_model(tmp_path, "stray", seed=5), "--lineage").code == 1


def test_bad_derivations_log_nothing(team, family, tmp_path):
    size = team.ask("log", "show").json["tree_size"]
    for words, code in (
        (("attest", "derivation", family["base"]), "derivation-usage"),
        (("attest", "derivation", family["base"], "--parent", family["base"]), "derivation-self"),
        (("submit", family["base"], "--to", "dev", "--parent", family["base"]), "derivation-self"),
        (("attest", "derivation", family["base"], "--parent", tmp_path / "nowhere"), "path-missing"),
        (("attest", "dataset", "sha256:" + "0" * 64), "path-missing"),
    ):
        refused = team.ask(*words)
        assert refused.code == 2, refused
        assert refused.json["error"]["code"] == code
    predicate = tmp_path / "p.json"
    predicate.write_text('{"buildDefinition": {}}')
    refused = team.ask("attest", "provenance", family["base"], "--predicate", predicate)
    assert (refused.code, refused.json["error"]["code"]) == (3, "provenance-form")
    assert team.ask("log", "show").json["tree_size"] == size


def test_the_blast_radius_of_a_data_set(team, family):
    found = team.ask("impact", family["train"])
    assert found.code == 0
    assert [(item["name"], item["depth"]) for item in found.json["subjects"]] == [("tuned", 1), ("small", 2)]
    assert found.json["subjects"][1]["via"] == digest(family["tuned"])
    assert [item["outcome"] for item in found.json["decisions"]] == ["PERMIT", "PERMIT"]
    assert found.json["standing_permits"] == 2
    assert "small" in team.run("impact", digest(family["train"])).out
    assert [item["holds"] for item in team.ask("impact", family["train"], "--check").json["subjects"]] == [True, True]


def test_a_permit_that_was_contained_or_decided_again_does_not_stand(team, family):
    team.run("decide", family["tuned"], "--for", "dev")
    assert team.ask("impact", family["train"]).json["standing_permits"] == 2, "of one model only the newest"
    team.run("contain", family["tuned"], "--for", "dev", "--reason", "drift")
    found = team.ask("impact", family["train"]).json
    assert found["standing_permits"] == 1
    assert [item["stands"] for item in found["decisions"] if item["subject"] == digest(family["small"])] == [True]


def test_a_forged_derivation_adds_a_name_and_is_told_by_its_signatures(team, family, tmp_path):
    child = make_model(tmp_path, "child", seed=78)
    team.run("submit", child, "--to", "dev")
    forge(team, child, digest(family["base"]), tmp_path)
    checked = team.ask("impact", family["base"], "--check").json["subjects"]
    assert {item["name"]: item["holds"] for item in checked} == {"tuned": True, "small": True, "child": False}


def record_by_hand(team: Team, model: Path, tmp_path: Path, *packages: str) -> None:
    predicate = tmp_path / "record.json"
    dependencies = [{"uri": url} for url in packages]
    document = {
        "buildDefinition": {"buildType": "https://example.com/build/v1", "resolvedDependencies": dependencies},
        "runDetails": {"builder": {"id": "https://example.com/builder"}},
    }
    predicate.write_text(json.dumps(document))
    assert team.run("attest", "provenance", model, "--predicate", predicate).code == 0


def test_the_blast_radius_of_a_distribution(team, family, tmp_path):
    record_by_hand(team, family["base"], tmp_path, "pkg:pypi/scikit-learn@1.7.0", "pkg:pypi/numpy@2.3.1")
    names = [item["name"] for item in team.ask("impact", "numpy==2.3.1").json["subjects"]]
    assert names == ["base", "tuned", "small"]
    assert team.ask("impact", "Scikit_Learn==1.7.0").json["cause"]["id"] == "pkg:pypi/scikit-learn@1.7.0"
    assert len(team.ask("impact", "scikit-learn").json["subjects"]) == 3
    assert len(team.ask("impact", "pkg:pypi/numpy@2.3.1").json["subjects"]) == 3
    assert team.ask("impact", "numpy==2.3.2").json["subjects"] == []


def test_the_blast_radius_of_a_file_is_found_by_its_bytes(team, family, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    predicate = tmp_path / "run.json"
    digest = {"sha256": hashlib.sha256(table.read_bytes()).hexdigest()}
    document = {
        "buildDefinition": {
            "buildType": "https://example.com/build/v1",
            "resolvedDependencies": [{"name": "table.csv", "digest": digest}],
        },
        "runDetails": {"builder": {"id": "https://example.com/builder"}},
    }
    predicate.write_text(json.dumps(document))
    assert team.run("attest", "provenance", family["base"], "--predicate", predicate).code == 0
    assert [item["name"] for item in team.ask("impact", table).json["subjects"]] == ["base", "tuned", "small"]


@pytest.mark.parametrize(
    "written", ["pkg:pypi/Typing_Extensions@4.15.0", "pkg:PyPI/typing.extensions@4.15.0?os=linux#x"]
)
def test_the_blast_radius_of_a_distribution_that_another_builder_spelled(team, family, tmp_path, written):
    record_by_hand(team, family["base"], tmp_path, written)
    for asked in ("typing-extensions", "typing_extensions==4.15.0", "pkg:pypi/typing-extensions@4.15.0", written):
        assert len(team.ask("impact", asked).json["subjects"]) == 3, asked


def test_the_blast_radius_of_a_key(team, family, tmp_path):
    team.approve(family["base"], "bob", environment="dev")
    names = {item["name"] for item in team.ask("impact", "bob", "--as", "key").json["subjects"]}
    assert names == {"base", "tuned", "small"}
    assert team.ask("impact", "bob", "--since", 10**6).json["subjects"] == []
    workspace = open_workspace(team.workspace)
    last = workspace.log.checkpoint()[1].size - 1
    envelope = json.loads(workspace.log.entry(last)[1])
    other = make_model(tmp_path, "other", seed=99)
    team.run("submit", other, "--to", "dev")
    team.approve(other, "bob", environment="dev")
    workspace = open_workspace(team.workspace)
    last = workspace.log.checkpoint()[1].size - 1
    envelope = json.loads(workspace.log.entry(last)[1])
    envelope["signatures"][0]["keyid"] = "f" * 64
    publish(workspace, [parse_envelope(json.dumps(envelope).encode())], now())
    since = last + 1
    names = {item["name"] for item in team.ask("impact", "bob", "--since", since).json["subjects"]}
    assert names == {"other"}, "a key id that is not the root's hides nothing"


def test_a_name_that_nothing_has_is_said(team):
    refused = team.ask("impact", "no-such-thing")
    assert (refused.code, refused.json["error"]["code"]) == (2, "impact-unknown")
    assert team.ask("impact", "no-such-thing", "--as", "package").json["subjects"] == []
