"""``convert`` and ``scan --fix`` as a user meets them."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import jsonschema_rs
import pytest
from tests.support.asm import EMPTY_DICT, MARK, STOP, call, proto, safetensors, tensor, text, torch_zip
from tests.support.cli import Team, ask, cli

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests" / "vectors" / "models"
HOSTILE = torch_zip(
    proto(2)
    + EMPTY_DICT
    + MARK
    + text("w")
    + tensor()
    + text("x")
    + call("os", "system", text("echo"))
    + b"u"
    + STOP,
    {"0": struct.pack("<4f", 1, 2, 3, 4)},
)


def test_a_checkpoint_becomes_safetensors_that_pass_a_scan(tmp_path):
    out = tmp_path / "model.safetensors"
    done = ask("convert", MODELS / "checkpoint.pt", out)
    assert done.code == 0, done
    (said,) = done.json["conversions"]
    assert said["tensors"] == said["compared"] == 8
    assert said["target"]["digest"] == cli("digest", out).out.split()[0]
    assert cli("scan", out).code == 0


def test_people_see_what_is_left_behind(tmp_path):
    (tmp_path / "evil.pt").write_bytes(HOSTILE)
    done = cli("convert", tmp_path / "evil.pt", tmp_path / "evil.safetensors")
    assert done.code == 0
    assert "1 of 1 tensor compared" in done.out
    assert "the call of os.system" in done.out
    assert cli("scan", tmp_path / "evil.safetensors").code == 0


def test_nothing_is_overwritten(tmp_path):
    out = tmp_path / "model.safetensors"
    out.write_bytes(b"mine")
    done = ask("convert", MODELS / "state-dict.pt", out)
    assert done.code == 2
    assert done.json["error"]["code"] == "path-exists"
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("source", "target", "code", "exit_code"),
    [
        ("missing.pt", "x.safetensors", "path-missing", 2),
        ("state-dict.pt", "x.bin", "convert-suffix", 2),
        ("state-dict.pt", "none/x.safetensors", "path-missing", 2),
        ("quantised.pt", "x.safetensors", "convert-unsupported", 3),
        ("make.py", "x.safetensors", "convert-", 3),
        (".", "x.safetensors", "path-kind", 2),
    ],
)
def test_bad_input_gets_a_clear_error_and_leaves_nothing(tmp_path, source, target, code, exit_code):
    done = ask("convert", MODELS / source, tmp_path / target)
    assert done.code == exit_code, done
    assert done.json["error"]["code"].startswith(code)
    assert list(tmp_path.iterdir()) == []


def test_a_pickle_of_objects_is_converted_only_when_it_passes_a_scan(tmp_path):
    done = cli("convert", MODELS / "arrays-protocol4.pkl", tmp_path / "arrays.safetensors")
    assert done.code == 0, done
    (tmp_path / "bad.pkl").write_bytes(proto(4) + call("os", "system", text("echo")) + STOP)
    refused = ask("convert", tmp_path / "bad.pkl", tmp_path / "bad.safetensors")
    assert refused.code == 3
    assert refused.json["error"]["code"] == "convert-unsafe"
    assert not (tmp_path / "bad.safetensors").exists()


def test_scan_fix_writes_beside_what_fails_and_keeps_the_exit_code(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    (models / "evil.pt").write_bytes(HOSTILE)
    (models / "bad.pkl").write_bytes(proto(4) + call("os", "system", text("echo")) + STOP)
    (models / "fine.safetensors").write_bytes(
        safetensors({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, b"x")
    )
    done = ask("scan", models, "--fix")
    assert done.code == 1
    fixes = {Path(item["source"]["path"]).name: item for item in done.json["fixes"]}
    assert fixes["evil.pt"]["target"]["path"] == str(models / "evil.safetensors")
    assert fixes["bad.pkl"]["code"] == "convert-unsafe"
    assert sorted(path.name for path in models.iterdir()) == [
        "bad.pkl",
        "evil.pt",
        "evil.safetensors",
        "fine.safetensors",
    ]
    assert cli("scan", models / "evil.safetensors").code == 0
    again = cli("scan", models, "--fix")
    assert "not overwritten" in again.out


def test_a_conversion_is_logged_with_its_parent_and_can_be_admitted(team: Team, tmp_path):
    source = tmp_path / "model.pt"
    source.write_bytes((MODELS / "state-dict.pt").read_bytes())
    out = tmp_path / "model.safetensors"
    done = team.ask("convert", source, out, "--to", "production")
    assert done.code == 1, done  # nobody has approved it yet
    assert done.json["verdict"]["outcome"] == "DENY"
    parent = done.json["conversions"][0]["source"]["digest"]
    assert "conversion    model.safetensors" in team.run("log", "show").out
    lineage = team.ask("lineage", "show", out)
    assert parent in lineage.out
    team.approve(out, "alice", "bob")
    assert team.run("decide", out, "--for", "production").code == 0


def test_a_keras_model_is_logged_and_can_be_admitted(team: Team, tmp_path):
    source, out = tmp_path / "model.h5", tmp_path / "model.keras"
    source.write_bytes((MODELS.parent / "keras" / "graph-2.h5").read_bytes())
    done = team.ask("convert", source, out, "--to", "production")
    assert done.code == 1, done  # nobody has approved it yet
    said = done.json["conversions"][0]
    assert (said["from"], said["to"], said["tensors"]) == ("keras-hdf5", "keras", said["compared"])
    assert said["source"]["digest"] in team.ask("lineage", "show", out).out
    team.approve(out, "alice", "bob")
    assert team.run("decide", out, "--for", "production").code == 0


def test_the_statement_meets_its_schema(tmp_path):
    from assaymark.service.convert import conversion_predicate, convert_file

    done = convert_file(MODELS / "dtypes.pt", tmp_path / "x.safetensors")
    schema = json.loads((ROOT / "docs/spec/schemas/conversion.v1.schema.json").read_text())
    predicate = conversion_predicate(done)
    jsonschema_rs.Draft202012Validator(schema).validate(predicate)
    assert predicate["compared"] == 14
    assert predicate["aliases"] == 1


def test_a_source_that_changes_meanwhile_is_refused(tmp_path):
    from assaymark.core.errors import InputError
    from assaymark.sandbox.planning import plan_file
    from assaymark.store.converted import write_converted

    source = tmp_path / "model.pt"
    source.write_bytes((MODELS / "state-dict.pt").read_bytes())
    descriptor = os.open(source, os.O_RDONLY)
    try:
        plan = plan_file("model.pt", descriptor)
        for change in (lambda: os.truncate(source, 100), lambda: os.utime(source, ns=(1, 1))):
            with pytest.raises(InputError) as caught:
                write_converted(descriptor, plan, tmp_path / "x.safetensors", lambda _done, _all, act=change: act())
            assert caught.value.code == "convert-changed"
            source.write_bytes((MODELS / "state-dict.pt").read_bytes())
    finally:
        os.close(descriptor)
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_a_file_that_holds_nothing_but_a_call_is_not_converted(tmp_path: Path) -> None:
    from tests.support.asm import STOP, call, proto, text, torch_zip

    (tmp_path / "live.pt").write_bytes(torch_zip(proto(2) + call("builtins", "exec", text("print()")) + STOP))
    ran = cli("convert", tmp_path / "live.pt", tmp_path / "live.safetensors", "--format", "json")
    assert ran.code == 3
    assert ran.json["error"]["code"] == "convert-empty"
    assert not (tmp_path / "live.safetensors").exists()


def test_an_environment_that_the_policy_does_not_name_is_refused_before_anything_is_written(team: Team, tmp_path):
    before = len(team.ask("log", "show").json["entries"])
    out = tmp_path / "model.safetensors"
    done = team.ask("convert", MODELS / "state-dict.pt", out, "--to", "prodution")
    assert done.code == 2
    assert done.json["error"]["code"] == "environment-unknown"
    assert "production" in done.json["error"]["remedy"]
    assert not out.exists()
    assert len(team.ask("log", "show").json["entries"]) == before
