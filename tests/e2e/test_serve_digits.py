"""`make serve-demo`: a real HTTP model server lives and dies with the decision on its model."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "serve_digits"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("ASSAYMARK_")},
    "PYTHONPATH": str(ROOT / "src"),
}

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "sklearn")),
    reason="the extra onnx is not installed",
)


def test_the_story_is_told_and_its_server_gives_reasons(tmp_path: Path) -> None:
    """One test, for training takes seconds: the whole story, then what the server says to what is no image."""
    command = [sys.executable, EXAMPLE / "serve_demo.py", "--out", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in (
        "the server does not start",
        "50 images sent",
        "nobody listens there any more",
        "stop in serving by",
    ):
        assert word in done.stdout
    assert "containment" in done.stdout
    check_reasons(tmp_path / "out" / "digits")


def check_reasons(model: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, EXAMPLE / "server.py", "--model", model, "--port", "0"],
        stdout=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("listening on ").strip()
        for body in (
            b"",
            b"{",
            b"[]",
            b'{"pixels": []}',
            b'{"pixels": [17' + b", 0" * 63 + b"]}",
            b'{"pixels": [NaN' + b", 0" * 63 + b"]}",
        ):
            assert refused(url + "/predict", body) == 400
        assert refused(url + "/predict", b"0" * 70_000) == 413
        assert refused(url + "/elsewhere", b"{}") == 404
        with urllib.request.urlopen(f"{url}/healthz") as answer:  # noqa: S310 - our own server
            assert json.load(answer)["status"] == "ok"
        server.terminate()
        assert server.wait(10) == 0
    finally:
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


def refused(url: str, body: bytes) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url, body)  # noqa: S310
    with caught.value as error:
        assert json.load(error)["error"]
        return error.code
