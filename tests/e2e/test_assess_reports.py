"""What the reports of ``assess`` do with names that somebody chose to harm who reads them, and options that clash."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cli import cli

HOSTILE = ("\x1b[31mred\x07", "a\n::error::b%0A\r", '"><script>alert(1)</script>', "\u202egnp\u2028\x9b1m")
FORMS = ("text", "json", "sarif", "github", "html")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "estate"
    place.mkdir()
    objects = []
    for text in HOSTILE:
        objects.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"p{text}", "namespace": f"n{text}", "labels": {"app": text}},
                "spec": {
                    "hostPID": True,
                    "containers": [{"name": text, "image": f"i{text}", "securityContext": {"privileged": True}}],
                },
            }
        )
        objects.append(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": f"s{text}", "namespace": f"n{text}"},
                "spec": {"type": "LoadBalancer", "selector": {"app": text}},
            }
        )
    (place / "a\x1b[31m\n::error::%0A.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    )
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    roles = [
        {
            "RoleName": f"r{text}",
            "Arn": f"arn:aws:iam::111122223333:role/r{text}",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "RolePolicyList": [
                {
                    "PolicyName": text,
                    "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
                }
            ],
        }
        for text in (*HOSTILE, "\ud800")
    ]
    (place / "roles.json").write_text(json.dumps({"RoleDetailList": roles, "UserDetailList": []}))
    (place / "bad\x1b[1m.yaml").write_text('kind: "\x1b[31m\n')
    return place


def test_no_report_carries_what_a_terminal_or_a_page_obeys(folder: Path, tmp_path: Path) -> None:
    outputs = [f"--output={form}={tmp_path / form}" for form in FORMS]
    assert cli("assess", folder, "--diff", *outputs).code == 1
    texts = {form: (tmp_path / form).read_bytes().decode() for form in FORMS}
    for form, text in texts.items():
        assert not CONTROLS.search(text), form
    assert "<script" not in texts["html"]
    for line in texts["github"].splitlines():
        assert re.match(r"::(?:error|warning|notice) file=[^,\n]*,line=\d+,", line), line
    pictures = re.findall(r"<svg[^>]*>(.{7})", texts["html"])
    assert pictures
    assert set(pictures) == {"<title "}
    identifiers = re.findall(r'\bid="([^"]+)"', texts["html"])
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r"url\(#([^)]+)\)", texts["html"])) <= set(identifiers)


def test_the_same_bytes_whatever_the_seed_of_hashes(folder: Path, tmp_path: Path) -> None:
    runs = []
    for seed in ("1", "2"):
        place = tmp_path / seed
        place.mkdir()
        outputs = [f"--output={form}={place / form}" for form in FORMS]
        command = [sys.executable, "-m", "assaymark", "assess", str(folder), *outputs]
        done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=False)
        assert done.returncode == 1, done.stderr
        runs.append([(place / form).read_bytes() for form in FORMS])
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    "more",
    [["--fix"], ["--diff"], ["--attest"], ["--format", "sarif"], ["--output", "html=x.html"], ["--baseline", "."]],
)
def test_isolation_refuses_what_it_would_leave_out(folder: Path, more: list[str]) -> None:
    done = cli("assess", folder, "--isolated", "a", "b", *more)
    assert done.code == 2
    assert "assess-usage" in done.err


def test_isolation_says_that_something_was_not_read(folder: Path) -> None:
    role = "arn:aws:iam::111122223333:role/r"
    done = cli("assess", folder, "--isolated", f"{role}{HOSTILE[1]}", "aws:111122223333:administrator")
    assert done.code == 1
    assert "could not be read" in done.err


def test_what_could_not_be_read_may_lead_further(tmp_path: Path) -> None:
    buckets = 'resource "aws_s3_bucket" "a" {\n  bucket = "a"\n}\nresource "aws_s3_bucket" "b" {\n  bucket = "b"\n}\n'
    (tmp_path / "main.tf").write_text(buckets)
    asked = ("assess", tmp_path, "--isolated", "arn:aws:s3:::a", "arn:aws:s3:::b")
    assert cli(*asked).code == 0
    (tmp_path / "README.md").write_text("# [\n")
    assert cli(*asked).code == 0
    (tmp_path / "more.tf").write_text('resource "aws_s3_bucket" "c" {')
    done = cli(*asked, "--format", "json")
    said = json.loads(done.out)
    assert (done.code, said["isolated"]) == (3, "unknown")
    assert said["decides"] == ["what more.tf says, which could not be read"]
    assert [one["node"] for one in said["closed_set"]] == ["arn:aws:s3:::a"]
    assert "it depends on: what more.tf says" in cli(*asked).out
    assert not CONTROLS.search(done.out)


def test_an_accepted_finding_is_suppressed(folder: Path, tmp_path: Path) -> None:
    finding = json.loads(cli("assess", folder, "--format", "json").out)["findings"][0]
    config = tmp_path / "assess.toml"
    config.write_text(
        'format = "assaymark:assess-config/v1"\n[[finding]]\n'
        f'fingerprint = "{finding["fingerprint"]}"\nstate = "accepted"\nowner = "ana"\nreason = "known"\n'
        "until = 2099-01-01\n"
    )
    done = cli("assess", folder, "--config", config, "--format", "sarif")
    results = json.loads(done.out)["runs"][0]["results"]
    marks = [one["partialFingerprints"]["assaymark/v1"] for one in results if one.get("suppressions")]
    assert marks == [finding["fingerprint"]], done.err


def test_the_page_says_how_much_its_tables_leave_out(tmp_path: Path) -> None:
    for number in range(503):
        (tmp_path / f"{number}.tf").write_text('resource "aws_iam_role" {{', encoding="utf-8")
    done = cli("assess", tmp_path, "--format", "html")
    assert done.code == 3
    assert "503 files could not be read in whole." in done.out
    assert "<p>3 more stand in the JSON.</p>" in done.out
