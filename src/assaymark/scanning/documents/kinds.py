"""What a text is, by its name: a template, source code, YAML. By content alone a text is only text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.scanning.documents.tokens import is_tiktoken

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_CODE: Final = (
    "sh bash zsh fish ksh csh bat cmd ps1 psm1 vbs js mjs cjs ts jsx tsx lua rb pl pm php r jl c cc cpp cxx cu cuh h "
    "hh hpp go rs java kt scala swift cs m mm groovy awk tcl asm s"
)
_SUFFIXES: Final = {
    **dict.fromkeys((".jinja", ".jinja2", ".j2"), "jinja"),
    **dict.fromkeys((".py", ".pyw", ".pyi", ".pyx"), "python"),
    **dict.fromkeys((f".{name}" for name in _CODE.split()), "script"),
    ".ipynb": "notebook",
    ".pth": "pathfile",
}
_BYTECODE: Final = frozenset((".pyc", ".pyo"))
UTF16_TEXTS: Final = frozenset((".yaml", ".yml", ".json"))  # whose readers take UTF-16 for what it is
_VOCABULARIES: Final = frozenset((".model", ".tiktoken"))
DOCUMENTS: Final = frozenset((*_SUFFIXES.values(), "bytecode"))  # examined although a loader may run them
_TEXTS: Final = frozenset(("text", "json"))


def document_kind(content: Content, kind: str) -> str:
    """``kind``, or the kind of document that the name makes of a text.

    What a loader would take for a pickle stays one: the name decides nothing there.
    """
    suffix = content.suffix
    if suffix in _BYTECODE and kind in ("", *_TEXTS):
        return "bytecode"
    if _SUFFIXES.get(suffix) == "python" and kind in ("", "pickle"):
        return "python"  # a text that a pickle loader would take: "()." begins so
    if kind not in _TEXTS:
        return kind
    if suffix in _VOCABULARIES and is_tiktoken(content.view):
        return "tiktoken"
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if content.view.read(0, 2) == b"#!":
        line = content.view.read(0, 200).split(b"\n", 1)[0]
        return "python" if re.search(rb"\bpy(?:thon|py)", line) else "script"
    return kind
