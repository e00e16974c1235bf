"""Patterns of Go's package regexp, tried by Python's: those alone whose search is bounded, for Go's always is.

Source: RE2's syntax; Python searches by trying, whose steps are bounded here by what a pattern leaves open.
"""

from __future__ import annotations

import re
from typing import Any, Final

from assaymark.core.errors import InputError

_LONGEST: Final = 200
_STEPS: Final = 10**7
_PIECE: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<open>\((?:\?(?:P<\w+>|:|[imsU-]+:)?)?)|(?P<close>\))|(?P<or>\|)"
    r"|(?P<many>[*+]|\{\d*,?\d*\})|(?P<maybe>\?)|.",
    re.DOTALL,
)

_GLOB: Final = re.compile(r"\*\*|\\.|\[[^\]]+\]|.", re.DOTALL)


def pattern(text: Any, searched: str) -> re.Pattern[str]:
    """A pattern that may be tried on a text.

    Raises:
        InputError: ``template-go``: one that could take too long, or that Python takes for another.
    """
    written = str(text)
    if len(written) > _LONGEST or "[:" in written or _steps(written, len(searched) + 1) > _STEPS:
        raise InputError("template-go", "a pattern that is not tried")
    return re.compile(written)


def _steps(written: str, size: int) -> int:
    """The most steps that a search takes: each thing that may be repeated, or be one of several, multiplies them."""
    steps = size
    open_: list[bool] = [False]  # by group whether it leaves something open
    closed: bool | None = None
    before = ""
    for match in _PIECE.finditer(written):
        kind = match.lastgroup or ""
        if kind in ("many", "maybe") and before in ("many", "maybe"):
            if match[0] != "?":  # one that is repeated as little as can be is no more work
                return _STEPS + 1
            continue
        if kind == "open":
            open_.append(False)
        elif kind == "close" and len(open_) > 1:
            closed = open_.pop()
            open_[-1] = open_[-1] or closed
        elif kind in ("or", "maybe"):
            steps *= 2
            open_[-1] = True
        elif kind == "many":
            if before == "close" and closed:
                return _STEPS + 1  # what is open is repeated: that may grow beyond all bounds
            steps *= size
            open_[-1] = True
        if steps > _STEPS:
            return steps
        before = kind
    return steps


def matches(glob: str, path: str) -> bool:
    """Whether a pattern of ``.Files.Glob`` means a path: ``*`` ends at a slash, ``**`` does not, ``{a,b}`` is either.

    Raises:
        InputError: ``template-go``: a pattern that could take too long.
    """
    translated = ""
    for match in _GLOB.finditer(glob):
        written = match[0]
        some = "[^/]*"
        known = {"**": ".*", "*": some, "?": "[^/]", "{": "(?:", "}": ")", ",": "|" if "{" in glob else ","}
        if len(written) > 1 and written[0] == "[":
            translated += "[" + written[1:-1].replace("!", "^", 1).replace("[", r"\[") + "]"
        else:
            translated += known.get(written) or re.escape(written.removeprefix("\\") or written)
    return pattern(translated, path).fullmatch(path) is not None
