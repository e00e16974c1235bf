"""A real model server under `assaymark run`: from training to serving to being pulled back.

Usage: python examples/serve_digits/serve_demo.py [--out FOLDER]        (`make serve-demo` runs it)
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).parent
ASSAYMARK = [sys.executable, "-m", "assaymark"]
sys.path.insert(0, str(HERE.parent))
STOP_SECONDS = 2.0


def fail(message: str) -> NoReturn:
    """End with what went otherwise than it must."""
    sys.exit(f"\nThe demonstration did not go as it must: {message}")


def assaymark(*words: str | Path, expect: int = 0, show: bool = True) -> None:
    """Run one command, and show it and the head of what it says."""
    done = subprocess.run([*ASSAYMARK, *map(str, words)], capture_output=True, text=True, check=False)
    if show or done.returncode != expect:
        print(f"   $ assaymark {shlex.join(map(str, words))}")
        for line in (done.stdout + done.stderr).splitlines()[:6]:
            print(f"     {line}")
    if done.returncode != expect:
        fail(f"exit code {done.returncode}, expected {expect}: {done.stderr}")


def ask(url: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request to the server, and its answer."""
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - of our own server
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        value: dict[str, Any] = json.load(answer)
    return value


def admit(out: Path) -> Path:
    """Train, submit and approve; returns the model's folder."""
    from train import train

    model = out / "digits"
    print(f"\n1. Train a neural network and write it as ONNX: {train(model):.1%} of held-out digits right")
    print("\n2. A workspace with the policy of this example; submit; two people approve")
    assaymark("init", "--policy", HERE / "policy.toml", show=False)
    assaymark("submit", model, "--to", "serving", expect=1)
    print("\n3. Not admitted yet, so the server does not start")
    assaymark("run", model, "--for", "serving", "--", sys.executable, HERE / "server.py", expect=1)
    for name in ("alice", "bob"):
        key = out / f"{name}.key"
        assaymark("keys", "generate", name, "--out", key, show=False)
        assaymark("keys", "add", name, "--role", "approver", "--public", key.with_suffix(".pub"), show=False)
        assaymark("attest", "approval", model, "--for", "serving", "--key", f"file:{key}")
    return model


def serve(model: Path) -> None:
    """Start the server under the launcher, use it, contain the model, and see the server go."""
    from sklearn.datasets import load_digits

    words = ["run", str(model), "--for", "serving", "--", sys.executable, str(HERE / "server.py"), "--port", "0"]
    print(f"\n4. Serve it\n   $ assaymark {shlex.join(words)}")
    launcher = subprocess.Popen([*ASSAYMARK, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if launcher.stdout is None:
            raise AssertionError
        said = launcher.stdout.readline().strip()
        if not said.startswith("listening on "):
            fail(f"the server did not start: {launcher.communicate()}")
        url = said.removeprefix("listening on ")
        print(f"     {said}\n     {json.dumps(ask(url + '/healthz'))}")
        images, labels = load_digits(return_X_y=True)
        answers = [ask(url + "/predict", {"pixels": list(image)})["label"] for image in images[:50]]
        right = sum(answer == label for answer, label in zip(answers, labels[:50], strict=True))
        print(f"     50 images sent, {right} read right")
        if right < 45:  # noqa: PLR2004
            fail("the server reads badly")

        print("\n5. It misbehaves: contain it, and the server stops")
        assaymark("contain", model, "--for", "serving", "--reason", "reads 4 as 9 since Tuesday")
        began = time.monotonic()
        _, err = launcher.communicate(timeout=30)
        took = time.monotonic() - began
    finally:
        launcher.kill()
        launcher.wait()
    print("".join(f"     {line}\n" for line in err.splitlines()), end="")
    if launcher.returncode != 1 or "containment" not in err:
        fail(f"exit code {launcher.returncode}: {err}")
    if took > STOP_SECONDS:
        fail(f"it took {took:.1f} s")
    try:
        ask(url + "/healthz")
    except (urllib.error.URLError, ConnectionError):
        print(f"     {took:.1f} s after the containment nobody listens there any more")
    else:
        fail("the server still answers")

    print("\n6. What was attempted is in the log")
    assaymark("log", "collect")
    assaymark("log", "show", "--limit", "4")


def main() -> None:
    """Tell the story."""
    parser = argparse.ArgumentParser(description="A model server under `assaymark run`.")
    parser.add_argument("--out", type=Path, default=Path("out/serve"), help="where everything goes")
    out = parser.parse_args().out.resolve()
    from demo import fresh_folder

    fresh_folder(out)
    os.environ["ASSAYMARK_WORKSPACE"] = str(out / "workspace")
    os.environ["XDG_STATE_HOME"] = str(out / "state")
    os.environ.pop("ASSAYMARK_PASSPHRASE_FILE", None)
    serve(admit(out))
    print("\nA server ran only while its model was permitted, on a copy that was verified.")


if __name__ == "__main__":
    main()
