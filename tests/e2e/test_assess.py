"""``assaymark assess`` as a user runs it: exit codes, contract of the JSON, isolation, reviews, before and after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.cli import cli

MANIFEST = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: trainer, namespace: tenant-a}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: tenant-b}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: tenant-b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: trainer, namespace: tenant-a}
---
apiVersion: v1
kind: Secret
metadata: {name: weights-key, namespace: tenant-b}
"""
WITHOUT = MANIFEST.replace("verbs: [get]", "verbs: [create]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "estate"
    place.mkdir()
    (place / "rbac.yaml").write_text(MANIFEST)
    return place


def answer(*words: object) -> dict:
    return json.loads(cli("assess", *words, "--format", "json").out)


def test_a_path_fails_and_says_file_and_line(folder: Path) -> None:
    done = cli("assess", folder)
    assert done.code == 1, done
    assert "weights-key" in done.out
    assert "rbac.yaml:9" in done.out


def test_the_contract_of_the_json(folder: Path) -> None:
    said = answer(folder)
    assert said["schema"] == "assaymark:assess-output/v1"
    (path,) = (path for path in said["paths"] if path["to"] == "k8s:tenant-b/secret/weights-key")
    assert path["from"] == "k8s:tenant-a/serviceaccount/trainer"
    assert path["boundary"] == "tenant a to b"
    (step,) = path["steps"]
    assert step["relation"] == "reads"
    assert {key: step["because"][0][key] for key in ("path", "line")} == {"path": "rbac.yaml", "line": 9}
    assert {
        "principal": "k8s:tenant-a/serviceaccount/trainer",
        "action": "read",
        "resource": "k8s:tenant-b/secret/weights-key",
        "state": "allowed",
    } in said["reach"]
    for key in ("rule", "severity", "confidence", "message", "fingerprint", "locations", "refs", "fixes"):
        assert all(key in finding for finding in said["findings"])
    assert said["skipped"] == []
    assert isinstance(said["measures"], dict)


def test_isolation_is_shown_by_a_set_or_a_path(folder: Path) -> None:
    done = cli("assess", folder, "--isolated", "tenant-a/trainer", "weights-key", "--format", "json")
    assert done.code == 1, done
    assert json.loads(done.out)["path"][0]["relation"] == "reads"
    (folder / "rbac.yaml").write_text(WITHOUT)
    done = cli("assess", folder, "--isolated", "tenant-a/trainer", "weights-key", "--format", "json")
    assert done.code == 0, done
    said = json.loads(done.out)
    assert {"node": "k8s:tenant-a/serviceaccount/trainer", "mode": "control"} in said["closed_set"]
    assert all(item["node"] != "k8s:tenant-b/secret/weights-key" for item in said["closed_set"])


def test_a_condition_that_is_not_known_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "account.json").write_text(
        json.dumps(
            {
                "RoleDetailList": [
                    {
                        "Arn": "arn:aws:iam::111122223333:role/app",
                        "RolePolicyList": [
                            {
                                "PolicyName": "p",
                                "PolicyDocument": {
                                    "Version": "2012-10-17",
                                    "Statement": {
                                        "Effect": "Allow",
                                        "Action": "iam:PutRolePolicy",
                                        "Resource": "*",
                                        "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
                                    },
                                },
                            }
                        ],
                    }
                ]
            }
        )
    )
    done = cli("assess", tmp_path, "--isolated", "app", "aws:111122223333:administrator", "--format", "json")
    assert done.code == 3, done
    assert any("aws:SourceIp" in text for text in json.loads(done.out)["decides"])


def test_names_that_fit_none_or_several_are_usage_errors(folder: Path) -> None:
    assert "node-unknown" in cli("assess", folder, "--isolated", "nobody", "weights-key").err
    done = cli("assess", folder, "--isolated", "tenant", "weights-key")
    assert done.code == 2
    assert "node-ambiguous" in done.err


def test_what_cannot_be_read_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"RoleDetailList": [')
    done = cli("assess", tmp_path, "--format", "json")
    assert done.code == 3, done
    assert json.loads(done.out)["skipped"][0]["path"] == "broken.json"
    (tmp_path / "empty").mkdir()
    assert cli("assess", tmp_path / "empty").code == 2


def test_only_new_findings_fail_when_that_is_asked(folder: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(cli("assess", folder, "--format", "json").out)
    assert cli("assess", folder, "--new-only", earlier).code == 0
    (folder / "more.yaml").write_text(MANIFEST.replace("tenant-b", "tenant-c"))
    done = cli("assess", folder, "--new-only", earlier)
    assert done.code == 1, done
    assert "tenant-c/weights-key" in done.out
    assert "to secret tenant-b/weights-key" not in done.out
    results = json.loads(cli("assess", folder, "--new-only", earlier, "--format", "sarif").out)["runs"][0]["results"]
    assert {one["baselineState"] for one in results} == {"new", "unchanged"}


def test_the_rule_of_paths_has_a_page() -> None:
    assert "what holding the second then allows" in cli("explain", "attack-path").out


def test_an_accepted_risk_passes_until_its_end(folder: Path, tmp_path: Path) -> None:
    said = answer(folder)
    marks = [item["fingerprint"] for item in (*said["findings"], *said["paths"])]
    entries = "".join(
        f'[[finding]]\nfingerprint = "{mark}"\nstate = "accepted"\nowner = "Eve"\nreason = "a test"\nuntil = UNTIL\n'
        for mark in marks
    )
    config = tmp_path / "assess.toml"
    config.write_text('format = "assaymark:assess-config/v1"\n' + entries.replace("UNTIL", "2999-01-01"))
    done = cli("assess", folder, "--config", config)
    assert done.code == 0, done
    assert "a test (Eve until" in done.out
    page = cli("assess", folder, "--config", config, "--format", "html").out
    assert "<p>No attack path that is new and not accepted.</p>" in page
    space = tmp_path / "space"
    assert cli("init", "--workspace", space).code == 0
    assert cli("assess", folder, "--config", config, "--attest", "--workspace", space).code == 0
    logged = cli("log", "show", "2", "--workspace", space, "--format", "json").json["entries"][0]["predicate"]
    assert logged["accepted"] == len(marks)
    assert [one["fingerprint"] for one in logged["reviews"]] == sorted(marks)
    assert {(one["state"], one["owner"], one["reason"], one["until"]) for one in logged["reviews"]} == {
        ("accepted", "Eve", "a test", "2999-01-02T00:00:00Z")
    }
    config.write_text('format = "assaymark:assess-config/v1"\n' + entries.replace("UNTIL", "2020-01-01"))
    done = cli("assess", folder, "--config", config)
    assert done.code == 1
    assert "ended 2020-01-02" in done.err


def test_what_is_said_to_be_fixed_is_looked_for(folder: Path, tmp_path: Path) -> None:
    mark = answer(folder)["paths"][0]["fingerprint"]
    config = tmp_path / "assess.toml"
    config.write_text(
        'format = "assaymark:assess-config/v1"\n[[finding]]\n'
        f'fingerprint = "{mark}"\nstate = "fixed"\nowner = "Bob"\nreason = "done"\n'
    )
    said = answer(folder, "--config", config)
    assert said["paths"][0]["standing"] == "not-fixed"
    assert said["fixed"] == []
    (folder / "rbac.yaml").write_text(WITHOUT)
    assert answer(folder, "--config", config)["fixed"][0]["fingerprint"] == mark


@pytest.mark.parametrize(
    "text",
    [
        "",
        "format = 1",
        'format = "assaymark:assess-config/v1"\nmore = 1',
        'format = "assaymark:assess-config/v1"\n[[finding]]\n',
    ],
)
def test_a_configuration_that_is_none_is_refused(folder: Path, tmp_path: Path, text: str) -> None:
    config = tmp_path / "assess.toml"
    config.write_text(text)
    done = cli("assess", folder, "--config", config)
    assert done.code == 3
    assert "assess-config" in done.err


def test_before_and_after(folder: Path, tmp_path: Path) -> None:
    after = tmp_path / "after"
    after.mkdir()
    (after / "rbac.yaml").write_text(WITHOUT)
    said = answer(after, "--baseline", folder)["measures"]
    assert (said["triples_before"], said["triples_after"], said["raw_reduction"]) == (1, 0, 1.0)
    assert (said["cross_boundary_before"], said["cross_boundary_after"]) == (1, 0)
    config = tmp_path / "assess.toml"
    config.write_text(
        'format = "assaymark:assess-config/v1"\n[[need]]\nprincipals = ["tenant-a/trainer"]\n'
        'actions = ["read"]\nresources = ["tenant-b/weights-key"]\n'
    )
    done = cli("assess", after, "--baseline", folder, "--config", config, "--fail-on", "none", "--format", "json")
    assert done.code == 1, done
    assert json.loads(done.out)["measures"]["needed_lost"][0]["action"] == "read"


def test_every_format_is_written(folder: Path, tmp_path: Path) -> None:
    page, sarif, notes = (tmp_path / name for name in ("a.html", "a.sarif", "a.txt"))
    cli("assess", folder, "--output", f"html={page}", "--output", f"sarif={sarif}", "--output", f"github={notes}")
    text = page.read_text()
    assert "<script" not in text
    assert "<svg" in text
    assert "weights-key" in text
    assert json.loads(sarif.read_text())["version"] == "2.1.0"
    assert notes.read_text().startswith("::")


def test_the_same_files_give_the_same_answer(folder: Path) -> None:
    assert answer(folder) == answer(folder)


def test_a_result_is_logged_and_a_policy_can_ask_for_it(folder: Path, tmp_path: Path) -> None:
    space = tmp_path / "space"
    assert cli("init", "--workspace", space).code == 0
    done = cli("assess", folder, "--attest", "--workspace", space)
    assert done.code == 1
    assert "assessment of sha256:" in done.err, done
    listed = cli("log", "show", "--workspace", space, "--format", "json")
    assert '"assessment"' in listed.out
    again = cli("assess", folder, "--attest", "--workspace", space)
    assert "was there before" in again.err
    predicate = tmp_path / "predicate.json"
    predicate.write_text("{}")
    refused = cli("attest", "assessment", folder, "--workspace", space, "--predicate", predicate)
    assert refused.code == 2
    assert "attest-type" in refused.err


ROLE = """\
resource "aws_iam_role" "trainer" {
  name               = "trainer"
  assume_role_policy = "{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[]}"
}
resource "aws_iam_role_policy" "all" {
  role   = aws_iam_role.trainer.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "arn:aws:s3:::models/*" }]
  })
}
"""


def test_least_privilege_from_what_the_code_calls(tmp_path: Path) -> None:
    pytest.importorskip("z3")
    place = tmp_path / "estate"
    (place / "app").mkdir(parents=True)
    (place / "main.tf").write_text(ROLE)
    code = "import boto3\nboto3.client('s3').get_object(Bucket='models', Key=f'runs/{run}')\n"
    (place / "app" / "train.py").write_text(code)
    config = tmp_path / "assess.toml"
    config.write_text('format = "assaymark:assess-config/v1"\n[[need]]\nprincipals = ["trainer"]\ncode = ["app/"]\n')
    ran = cli("assess", place, "--config", config, "--diff", "--format", "json")
    fixes = [fix for fix in json.loads(ran.out)["fixes"] if "policy" in fix]
    assert [fix["policy"]["Statement"] for fix in fixes] == [
        [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/runs/*"}]
    ]
    assert fixes[0]["proof"]["proved"] is True
    space = tmp_path / "space"
    assert cli("init", "--workspace", space).code == 0
    ran = cli("assess", place, "--config", config, "--diff", "--attest", "--workspace", space)
    assert "logged" in ran.err
    logged = cli("log", "show", "2", "--workspace", space, "--format", "json").json["entries"][0]["predicate"]
    (rewrite,) = logged["rewrites"]
    page = cli("assess", place, "--config", config, "--diff", "--format", "html").out
    assert "Rewritten policies" in page
    assert rewrite["kind"] == "solver-attested"
    assert rewrite["proved"] is True
    assert rewrite["questions"]
    assert {said["answer"] for question in rewrite["questions"] for said in question["said"]} == {"unsat"}
    config.write_text(config.read_text().replace("app/", "other/"))
    ran = cli("assess", place, "--config", config, "--diff")
    assert ran.code == 2
    assert "assess-code" in ran.err


def test_the_page_shows_patches_as_diffs(tmp_path: Path) -> None:
    place = tmp_path / "estate"
    place.mkdir()
    (place / "load.py").write_text('import torch\n\nm = torch.load("<a>.pt", weights_only=False)\n')
    page = cli("assess", place, "--format", "html").out
    assert "<del>-m = torch.load(&quot;&lt;a&gt;.pt&quot;, weights_only=False)</del>" in page
    assert "<ins>+m = torch.load(&quot;&lt;a&gt;.pt&quot;, weights_only=True)</ins>" in page
    (place / "load.py").write_text("import torch\n")
    assert "has a patch that can be written" in cli("assess", place, "--format", "html").out


@pytest.mark.parametrize("form", ["text", "html"])
def test_what_was_not_read_is_not_called_free_of_paths(form: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"UserDetailList": [')
    assert "Nothing was read, so nothing is known of attack paths." in cli("assess", tmp_path, "--format", form).out
    (tmp_path / "whole.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    assert "No attack path in what was read:" in cli("assess", tmp_path, "--format", form).out
    (tmp_path / "broken.json").unlink()
    assert "No attack path: nothing" in cli("assess", tmp_path, "--format", form).out
