"""The revision of the code in a folder, and whether it is changed since: what git says of it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A working tree of some hundred thousand files answers within seconds.
_SECONDS: Final = 30.0
# Nothing that the repository configures is executed: no monitor, no external diff, no text conversion, no hook.
_SAFE: Final = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=true")


@dataclass(frozen=True, slots=True)
class Code:
    """A revision. ``changed`` and ``untracked`` count files; ``diff`` is the SHA-256 of ``git diff HEAD --binary``.

    ``top`` is the repository's folder. What is untracked is not in the diff: only its number is known.
    """

    top: Path
    revision: str
    changed: int
    untracked: int
    diff: str

    @property
    def dirty(self) -> bool:
        """Whether the code is another than that of the revision."""
        return bool(self.changed or self.untracked)


def read_code(folder: Path) -> Code | str:
    """The revision of the code in ``folder``, or why it is not known."""
    try:
        top = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
        revision = _git(folder, "rev-parse", "--verify", "HEAD").decode("ascii").strip()
        status = _git(top, "status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames").split(b"\0")
        untracked = sum(line.startswith(b"??") for line in status)
        changed = sum(bool(line) for line in status) - untracked
        diff = ""
        if changed:
            words = ("diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
            diff = "sha256:" + hashlib.sha256(_git(top, *words)).hexdigest()
    except FileNotFoundError:
        return "git is not installed"
    except subprocess.TimeoutExpired:
        return f"git did not answer within {_SECONDS:.0f} s"
    except (subprocess.CalledProcessError, UnicodeDecodeError):
        return "no git repository with a commit, or not one that git trusts for this user"
    return Code(top, revision, changed, untracked, diff)


def _git(folder: Path, *words: str) -> bytes:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(  # noqa: S603 - a fixed command
        ["git", *_SAFE, *words],  # noqa: S607 - the caller's own git
        cwd=folder,
        env=environment | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=_SECONDS,
    ).stdout
