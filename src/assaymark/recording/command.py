"""A command line as it is recorded: secrets replaced, texts that can be signed, the script that Python runs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

REDACTED: Final = "[redacted]"
# Variables that change what a training computes, or which code it runs. Others are named by --env.
DEFAULT_VARIABLES: Final = (
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LOCAL_RANK",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "RANK",
    "TOKENIZERS_PARALLELISM",
    "WORLD_SIZE",
)
_WORDS: Final = (
    r"(?:pass(?:word|wd|phrase)?|secret|token|credentials?|authorization|api[-_]?key|access[-_]?key|private[-_]?key)"
)
_NAME: Final = rf"(?<![\w-])[\w-]{{0,64}}{_WORDS}"
# --password=x, token=x within a URL or a line for a shell; and --token x there.
_ASSIGNED: Final = re.compile(rf"({_NAME}\"?\s?[=:]\s?|--?[\w-]{{0,64}}{_WORDS}\s+)([^\s&;]+)", re.IGNORECASE)
_FLAG: Final = re.compile(rf"--?[\w-]{{0,64}}{_WORDS}", re.IGNORECASE)
_SECRET_NAME: Final = re.compile(rf"\w*{_WORDS}\w*", re.IGNORECASE)
_USER_INFO: Final = re.compile(r"(?<=://)[^/@\s]{1,1000}(?=@)")
# Tokens that say what they are, by the prefixes that their issuers document: Hugging Face, GitHub, OpenAI, AWS.
_KNOWN: Final = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|sk-[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16})"
)
_PYTHON: Final = re.compile(r"python(?:\d(?:\.\d+)*t?)?|pypy\d?(?:\.\d+)*")
# Options of the interpreter that take the next word as their value; -c and -m end the options.
_WITH_VALUE: Final = ("-W", "-X", "--check-hash-based-pycs")
_SHEBANG_BYTES: Final = 256  # BINPRM_BUF_SIZE of Linux


def shown(text: str) -> str:
    """A text of the operating system as one that may be signed: bytes that are not UTF-8 are escaped."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def redact(text: str) -> str:
    """A text with what looks like a secret replaced by ``REDACTED``. A guess: it misses what no pattern knows."""
    text = _USER_INFO.sub(REDACTED, text)
    text = _ASSIGNED.sub(lambda found: found[1] + REDACTED, text)
    return _KNOWN.sub(REDACTED, text)


def redact_words(words: Sequence[str]) -> tuple[list[str], int]:
    """The words of a command line as they are recorded, and how many of them were changed."""
    made: list[str] = []
    changed = 0
    hide_next = False
    for word in words:
        text = shown(word)
        after = REDACTED if hide_next and not text.startswith("-") else redact(text)
        hide_next = _FLAG.fullmatch(text) is not None
        changed += after != text
        made.append(after)
    return made, changed


def chosen_variables(environment: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    """The variables that are recorded: the default ones and those named, as far as they are set."""
    return {
        name: REDACTED if _SECRET_NAME.fullmatch(name) else redact(shown(environment[name]))
        for name in sorted({*DEFAULT_VARIABLES, *names})
        if name in environment
    }


def interpreter_of(program: str, word: str) -> list[str] | None:
    """The words that start the Python interpreter of a command, which it names itself or in its first line (``#!``).

    ``None`` when it names none: what such a program has installed is not known.
    """
    if _PYTHON.fullmatch(Path(word).name):
        return [program]
    try:
        with Path(program).open("rb") as stream:
            line = stream.read(_SHEBANG_BYTES).split(b"\n", 1)[0]
    except OSError:
        return None
    if not line.startswith(b"#!"):
        return None
    named = [os.fsdecode(item) for item in line[2:].split()]
    if named and Path(named[0]).name == "env":
        named = [item for item in named[1:] if not item.startswith("-")][:1]
    return named[:1] if named and _PYTHON.fullmatch(Path(named[0]).name) else None


def entry_script(words: Sequence[str]) -> str | None:
    """The script of ``python [options] script.py ...``; None for ``-c``, ``-m`` and what is read from stdin."""
    if not _PYTHON.fullmatch(Path(words[0]).name):
        return None
    rest = iter(words[1:])
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return word
        elif word == "-" or (not word.startswith("--") and {"c", "m"} & set(word) and word[:2] not in _WITH_VALUE):
            return None
    return None
