"""Run the command line in this process, and see what a script would see."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assaymark.ui.cli.main import main


@dataclass(frozen=True)
class Ran:
    """Exit code, stdout and stderr of one command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Stdout as JSON."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def cli(*words: object) -> Ran:
    """Run ``assaymark words...``; no stack trace may ever be shown."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    ran = Ran(code, out.getvalue(), err.getvalue())
    assert "Traceback" not in ran.out + ran.err, ran
    assert code in (0, 1, 2, 3), ran
    return ran


def ask(*words: object) -> Ran:
    """As ``cli``, with ``--format json``."""
    return cli(*words, "--format", "json")


@dataclass
class Team:
    """A workspace with an owner and people in role approver, each with a key."""

    folder: Path
    workspace: Path
    root: str

    def key(self, name: str) -> str:
        """The URI of a person's key."""
        return f"file:{self.folder / name}.key"

    def enrol(self, name: str, *roles: str) -> None:
        """Make a key and enrol it."""
        key = self.folder / f"{name}.key"
        assert cli("keys", "generate", name, "--out", key).code == 0
        flags = [word for role in roles for word in ("--role", role)]
        added = self.run("keys", "add", name, *flags, "--public", key.with_suffix(".pub"))
        assert added.code == 0, added

    def run(self, *words: object) -> Ran:
        """A command on this workspace."""
        return cli(*words, "--workspace", self.workspace)

    def ask(self, *words: object) -> Ran:
        """A command on this workspace, answered in JSON."""
        return ask(*words, "--workspace", self.workspace)

    def approve(self, model: Path, *names: str, environment: str = "production") -> None:
        """Approvals by these people."""
        for name in names:
            done = self.run("attest", "approval", model, "--for", environment, "--key", self.key(name))
            assert done.code == 0, done

    def admit(self, model: Path) -> Path:
        """Submit and approve a model for production; returns the dossier of its PERMIT."""
        self.run("submit", model, "--to", "production")
        self.approve(model, "alice", "bob")
        dossier = self.folder / "model.dossier"
        decided = self.ask("decide", model, "--for", "production", "--dossier", dossier)
        assert decided.code == 0, decided
        return dossier


def make_team(folder: Path, *flags: object) -> Team:
    """A workspace below ``folder`` with alice and bob as approvers."""
    workspace = folder / "workspace"
    made = ask("init", "--workspace", workspace, *flags)
    assert made.code == 0, made
    team = Team(folder, workspace, made.json["root"])
    for name in ("alice", "bob"):
        team.enrol(name, "approver")
    return team


def safetensors_bytes(seed: int = 0) -> bytes:
    """A small valid safetensors file, written by hand from the format's description."""
    header = json.dumps({"weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + bytes((seed + i) % 256 for i in range(16))


def make_model(folder: Path, name: str = "model", seed: int = 0) -> Path:
    """A clean model folder: weights, configuration, a README and a hidden file."""
    model = folder / name
    model.mkdir()
    (model / "model.safetensors").write_bytes(safetensors_bytes(seed))
    (model / "config.json").write_text('{"threshold": 5, "labels": ["a", "b"]}\n')
    (model / "README.md").write_text("# A model\n\nIt reads digits.\n")
    (model / ".notes").write_text("hidden, and part of the subject\n")
    return model
