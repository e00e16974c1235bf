"""Written fixes: what they change is what the finding was about, and they leave the rest alone."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.cli import cli
from tests.support.patched import patched

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.patch import Patch, apply_patches, unified
from assaymark.assess.patches.writers import patches_for
from assaymark.ui.report.assessment_fixes import _as_it_is

FOLDER = Path(__file__).parents[4] / "rules"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATCHED = (
    "aws-bucket-plaintext",
    "aws-bucket-public-block",
    "aws-file-system-plaintext",
    "aws-key-rotation",
    "aws-registry-mutable",
    "build-root-user",
    "ci-permissions-wide",
    "ci-script-injection",
    "ci-static-cloud-key",
    "deps-insecure-index",
    "k8s-mesh-permissive",
    "k8s-network-policy-missing",
    "k8s-pod-security-missing",
    "load-keras",
    "load-pickle",
    "load-remote-code",
    "load-torch",
    "load-yaml",
    "log-credential",
    "log-prediction",
    "log-request",
    "source-tls-unverified",
    "web-debug",
    "web-no-authentication",
    "web-no-input-limit",
    "web-open-origins",
    "web-public-share",
)


def read(folder: Path):
    return [
        source_file(str(path.relative_to(folder)), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


@pytest.mark.parametrize("rule", PATCHED)
def test_what_is_patched_is_not_found_again(rule: str) -> None:
    tried = 0
    for folder in sorted((FOLDER / rule / "fail").iterdir()):
        files = read(folder)
        found = assess(files, NOW)
        mine = [finding for finding in found.findings if finding.rule == rule]
        patches = [patch for finding in mine for patch in patches_for(finding, found.inputs, found.estates)]
        if len(patches) < len(mine):
            continue
        tried += 1
        for patch in patches:
            assert not patch.safe or rule == "aws-key-rotation"
        after = [
            source_file(file.path, apply_patches(file.data, [one for one in patches if one.path == file.path]))
            for file in files
        ]
        for file in after:
            if file.path.endswith(".py"):
                compile(file.text(), file.path, "exec")
        assert not [finding for finding in assess(after, NOW).findings if finding.rule == rule], folder
    assert tried


def test_patches_go_from_the_last_line_to_the_first() -> None:
    patches = [
        Patch("a", "f", 1, 1, ("one",), safe=True),
        Patch("b", "f", 3, 0, ("between",), safe=True),
        Patch("c", "f", 4, 0, ("end",), safe=True),
    ]
    assert apply_patches(b"1\n2\n3\n", patches) == b"one\n2\nbetween\n3\nend\n"


def test_line_ends_stay_and_bytes_that_are_no_text_too() -> None:
    assert apply_patches(b"a\r\n\xff\r\n", [Patch("a", "f", 1, 1, ("b",), safe=True)]) == b"b\r\n\xff\r\n"


def test_what_no_patch_is_about_keeps_its_bytes() -> None:
    patch = Patch("a", "f", 2, 1, ("new",), safe=True)
    assert apply_patches("a\x0cb\u2028c\rold\r\nd\n".encode(), [patch]) == "a\x0cb\u2028c\rnew\r\nd\n".encode()
    assert apply_patches(b"a\nold", [patch]) == b"a\nnew\n"
    assert apply_patches(b"a\nold\nlast", [patch]) == b"a\nnew\nlast"
    assert apply_patches(b"a\nold", []) == b"a\nold"


def test_imports_and_checks_stand_beside_what_others_insert_there() -> None:
    patches = [
        Patch("a", "f", 2, 0, ("one",), safe=True, beside=True),
        Patch("b", "f", 2, 0, ("two",), safe=True, beside=True),
        Patch("c", "f", 2, 0, ("two",), safe=True, beside=True),
        Patch("d", "f", 2, 1, ("new",), safe=True),
        Patch("e", "f", 3, 2, ("both",), safe=True),
        Patch("f", "f", 4, 0, ("lost",), safe=True, beside=True),
    ]
    assert apply_patches(b"1\n2\n3\n4\n", patches) == b"1\none\ntwo\nnew\nboth\n"


def test_of_two_changes_of_one_line_one_counts() -> None:
    patches = [Patch("a", "f", 1, 1, ("x",), safe=True), Patch("b", "f", 1, 1, ("y",), safe=True)]
    assert apply_patches(b"1\n", patches) == b"x\n"


@pytest.mark.parametrize(("one", "two", "expected"), [
    (("call(a=2, b=None)",), ("call(a=1, b=False)",), "call(a=2, b=None)"),
    (("call(a=2, b=True)",), ("call(a=1, b=False)",), "call(a=2, b=False)"),
    (("call(a=1, b=True, c=3)",), ("call(a=1, b=False)",), "call(a=1, b=False, c=3)"),
    (("call(a=1, b=True, c=3)",), ("call(a=1, b=True, d=4)",), "call(a=1, b=True, c=3)"),
    ((), ("call(a=1, b=False)",), None),
    (("call(a=2, b=True)",), (), "call(a=2, b=True)"),
])  # fmt: skip
def test_changes_of_different_parts_of_a_line_are_put_together(one, two, expected: str | None) -> None:
    patches = [Patch("a", "f", 1, 1, one, safe=True), Patch("b", "f", 1, 1, two, safe=True)]
    done = apply_patches(b"call(a=1, b=True)\n", patches).decode()
    assert done == ("" if expected is None else f"{expected}\n")


def test_a_diff_has_lines_as_files_have_them() -> None:
    done = unified("m", b"a\x0cb\r\n\xff", b"a\x0cb\r\nc\n")
    assert done.endswith(" a\x0cb\r\n-\ufffd\n\\ No newline at end of file\n+c\n")


def test_a_diff_names_the_file() -> None:
    assert unified("m.tf", b"a\n", b"b\n") == "--- a/m.tf\n+++ b/m.tf\n@@ -1 +1 @@\n-a\n+b\n"


def test_safe_ones_are_applied_and_others_shown(tmp_path: Path) -> None:
    estate = tmp_path / "estate"
    shutil.copytree(FOLDER.parent / "examples" / "estate" / "before", estate)
    mesh, data = estate / "cluster" / "mesh.yaml", estate / "infra" / "data.tf"
    before = mesh.read_bytes()
    done = cli("assess", estate, "--fix", "--diff")
    assert "mode: STRICT" in done.out
    assert mesh.read_bytes() == before
    assert "enable_key_rotation = true" in data.read_text()
    assert "fixed infra/data.tf" in done.err
    assert "IMMUTABLE" not in data.read_text()
    assert "fixed" not in cli("assess", estate, "--fix").err


APPLICATIONS = [
    (
        "web-no-authentication",
        """\
from fastapi import FastAPI

app = FastAPI()


@app.post(
    "/predict",
    status_code=201,
)
async def predict(question: dict):
    return model(question)
""",
        "    status_code=201,\n    dependencies=[fastapi.Depends(require_token)],\n)\nasync def predict",
    ),
    (
        "log-request",
        """\
import logging

from flask import Flask, request

app = Flask(__name__)


@app.post("/predict")
def predict():
    body = request.get_json()
    logging.info(f"größe of {body['name']}: {body}")
    return model(body)
""",
        '    logging.info("größe of [redacted]: [redacted]")\n',
    ),
    (
        "log-request",
        """\
import logging

from flask import Flask, request

app = Flask(__name__)


@app.post("/predict")
def predict():
    body = request.get_json()
    logging.info(
        "asked %s %s",
        body["a"], body["b"],
    )
    return model(body)
""",
        '        "[redacted]", "[redacted]",\n',
    ),
]


@pytest.mark.parametrize(("rule", "text", "expected"), APPLICATIONS)
def test_applications_keep_their_shape(rule: str, text: str, expected: str) -> None:
    found = assess([source_file("app.py", text.encode())], NOW)
    patches = [
        patch
        for finding in found.findings
        if finding.rule == rule
        for patch in patches_for(finding, found.inputs, found.estates)
    ]
    after = apply_patches(text.encode(), patches)
    assert expected in after.decode()
    compile(after, "app.py", "exec")
    again = assess([source_file("app.py", after)], NOW)
    assert rule not in {finding.rule for finding in again.findings}


@pytest.mark.parametrize("more", ["\n    def require_token(): ...\n", "import fastapi\n"])
def test_no_guard_is_written_where_one_is_there_or_two_frameworks_are(more: str) -> None:
    text = f"from flask import Flask\n{more.strip()}\napp = Flask(__name__)\n\n\n@app.post('/a')\ndef a():\n    return 1\n"
    found = assess([source_file("app.py", text.encode())], NOW)
    mine = [finding for finding in found.findings if finding.rule == "web-no-authentication"]
    assert mine
    assert not [patch for finding in mine for patch in patches_for(finding, found.inputs, found.estates)]


TOGETHER = {
    "app.py": """\
import gradio as gr
import torch
import yaml
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI(debug=True)
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
weights = torch.load("a.pt"), torch.load("b.pt", weights_only=False)
settings = yaml.load(open("a.yaml"), Loader=yaml.Loader)


@app.post("/predict")
def predict(question: dict):
    print(question)
    return weights


demo = gr.Interface(fn=predict, inputs="text", outputs="text")
demo.launch(share=True)
""",
    "Dockerfile": "FROM python:3.12\nRUN pip install --index-url http://packages.acme.io/simple numpy\nCMD [a]\n",
    "base/Dockerfile": f"FROM python:3.12@sha256:{'3a' * 32}\nUSER 5\n",
    ".github/workflows/a.yml": f"""\
on: [issues]
permissions: write-all
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - uses: acme/tools@{'0a' * 20} # v1
      - uses: acme/tools/check@v1
      - uses: azure/login@{'0b' * 20}
        with:
          creds: ${{{{ secrets.AZURE }}}}
      - run: echo ${{{{ github.event.issue.title }}}}
""",
    "pylock.toml": f"""\
[[packages]]
name = "numpy"
version = "2.3.0"
wheels = [{{hashes = {{sha256 = "{'1a' * 32}"}}}}]
""",
    "requirements.txt": "--index-url http://packages.acme.io/simple\nnumpy\n",
}  # fmt: skip


def test_all_patches_of_a_repository_hold_together() -> None:
    done = patched(TOGETHER)
    done.check(
        "build-image-unpinned", "build-root-user", "ci-action-unpinned", "ci-permissions-wide", "ci-script-injection",
        "ci-static-cloud-key", "deps-insecure-index", "deps-unhashed", "load-yaml", "log-request", "web-debug",
        "web-no-authentication", "web-open-origins", "web-public-share",
    )  # fmt: skip
    assert done.files[".github/workflows/a.yml"].count("id-token: write") == 1
    assert {path for path in TOGETHER if done.files[path] == TOGETHER[path]} == {"base/Dockerfile", "pylock.toml"}


@pytest.mark.parametrize(
    "name", ["plain.py", "with space.py", 'quo"te.py', "new\nline.py", "tab\there.py", "back\\slash.py", "naïve.py"]
)
@pytest.mark.parametrize("data", [b"a\n\x0c\n\tone\nb", b"a\r\none\r\n\tb\r\n"])
def test_git_takes_what_is_shown_whatever_the_file_is_called(tmp_path: Path, name: str, data: bytes) -> None:
    new = data.replace(b"one", b"two")
    (tmp_path / name).write_bytes(data)
    shown = "".join(f"{_as_it_is(line)}\n" for line in unified(name, data, new).removesuffix("\n").split("\n"))
    subprocess.run(["git", "apply"], cwd=tmp_path, input=shown.encode(), check=True)
    assert (tmp_path / name).read_bytes() == new


def test_what_drives_a_terminal_is_not_shown_as_it_is() -> None:
    assert _as_it_is("+\x1b[2J\r::error::x") == r"+\x1b[2J\x0d::error::x"


@pytest.mark.parametrize(
    "service",
    [
        'v: {image: "vllm/vllm-openai:v0.6", ports: ["8000:8000"]}',
        'v: {\n    image: "vllm/vllm-openai:v0.6",\n    ports: ["8000:8000"]}',
    ],
)
def test_a_service_between_braces_gets_no_lines_of_blocks(tmp_path: Path, service: str) -> None:
    text = f"services:\n  {service}\n"
    (tmp_path / "compose.yaml").write_text(text)
    found = assess([source_file("compose.yaml", text.encode())], NOW)
    assert any(one.rule == "build-server-open" for one in found.findings)
    assert not [one for some in found.patches.values() for one in some if one.path == "compose.yaml"]
