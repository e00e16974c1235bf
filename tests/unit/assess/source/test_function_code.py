"""Which module a function of AWS Lambda runs follows from where its code is said to lie."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from assaymark.core.graph import State
from assaymark.service.assess import assess_path

if TYPE_CHECKING:
    from pathlib import Path

HANDLER = "import pickle\ndef handler(event, context):\n    return pickle.loads(event['body'])\n"
FUNCTION = """
resource "aws_lambda_function" "score" {
  function_name = "score"
  role          = "arn:aws:iam::111122223333:role/score"
  handler       = "app.handler"
  filename      = FILENAME
}
"""
ARCHIVE = """
data "archive_file" "code" {
  type        = "zip"
  SOURCE
  output_path = "${path.module}/build/code.zip"
}
"""
OUTPUT = "data.archive_file.code.output_path"


def started(folder: Path, files: dict[str, str | bytes]) -> dict[str, State]:
    """The modules that calls of the function go to."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    found = assess_path(folder, 1_790_000_000)[0]
    edges = [edge for edge in found.graph.edges if edge.relation == "passes-calls"]
    return {edge.target.removeprefix("app:").partition("@")[0]: edge.state for edge in edges}


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("", 'source_dir = "${path.module}/src"'),
        ("", 'source_file = "src/app.py"'),
        ("infra/", 'source_dir = "${path.module}/../src"'),
        ("infra/", 'source_dir = "../src"'),
    ],
)
def test_an_archive_that_terraform_makes(tmp_path: Path, folder: str, source: str) -> None:
    text = FUNCTION.replace("FILENAME", OUTPUT) + ARCHIVE.replace("SOURCE", source)
    files = {f"{folder}main.tf": text, "src/app.py": HANDLER, "other/app.py": HANDLER + "# another\n"}
    assert started(tmp_path, files) == {"src/app.py": State.YES}


def test_an_archive_that_a_plan_was_made_with(tmp_path: Path) -> None:
    code = {"output_path": "./build/code.zip", "source_dir": "./src"}
    function = {"function_name": "score", "handler": "app.handler", "filename": "./build/code.zip", "role": "r"}
    resources = [
        {"address": "data.archive_file.c", "mode": "data", "type": "archive_file", "name": "c", "values": code},
        {
            "address": "aws_lambda_function.f",
            "mode": "managed",
            "type": "aws_lambda_function",
            "name": "f",
            "values": function,
        },
    ]
    plan = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": resources[1:]}},
        "prior_state": {"values": {"root_module": {"resources": resources}}},  # where what is read while planning is
        "resource_changes": [],
    }
    files = {"plan.json": json.dumps(plan), "src/app.py": HANDLER, "other/app.py": HANDLER + "# another\n"}
    assert started(tmp_path, files) == {"src/app.py": State.YES}


@pytest.mark.parametrize("beside", [False, True])
def test_an_archive_that_is_there(tmp_path: Path, beside: bool) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("app.py", HANDLER)
    files = {
        "infra/main.tf": FUNCTION.replace("FILENAME", '"${path.module}/code.zip"'),
        "infra/code.zip": out.getvalue(),
    }
    files |= {"src/app.py": HANDLER} if beside else {"src/app.py": "# another\n" + HANDLER}
    assert started(tmp_path, files) == {"src/app.py" if beside else "infra/code.zip/app.py": State.YES}


def test_an_archive_that_is_made_elsewhere_leaves_it_open(tmp_path: Path) -> None:
    files = {"main.tf": FUNCTION.replace("FILENAME", '"code.zip"'), "src/app.py": HANDLER}
    assert started(tmp_path, files) == {"src/app.py": State.UNKNOWN}
