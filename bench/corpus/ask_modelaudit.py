"""Asks modelaudit's own command about each path of standard input; one JSON line an answer: path, exit code, issues.

Its start takes seconds, so the command is loaded once and run in a fork for each path, at most LIMIT seconds each (exit
code -1 beyond). Run by the interpreter that has modelaudit: ``.venv-modelaudit/bin/python bench/corpus/ask_modelaudit.py``.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

LIMIT = 60


def answer(main: Callable[..., object], path: str) -> dict[str, object]:
    """The exit code and the grave issues of ``modelaudit scan path``."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        child = os.fork()
        if child == 0:
            signal.alarm(LIMIT)
            code = 4
            try:
                with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
                    words = ["scan", "--format", "json", "--no-cache", "--quiet", "-o", str(output), path]
                    main(words, standalone_mode=True)
            except SystemExit as done:
                code = done.code if isinstance(done.code, int) else int(bool(done.code))
            except BaseException:  # a crash is an answer here
                traceback.print_exc()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        try:
            issues = json.loads(output.read_bytes())["issues"]
        except (OSError, ValueError, KeyError):
            issues = None
    grave = None if issues is None else sum(issue["severity"] in ("warning", "critical") for issue in issues)
    return {"path": path, "code": max(code, -1), "grave": grave}


if __name__ == "__main__":
    from modelaudit.cli import cli

    for line in sys.stdin:
        print(json.dumps(answer(cli.main, line.rstrip("\n"))), flush=True)
