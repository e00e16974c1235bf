"""What a text is, by its name: a template, source code, YAML. By content alone a text is only text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_SUFFIXES: Final = {
    **dict.fromkeys((".jinja", ".jinja2", ".j2"), "jinja"),
}
DOCUMENTS: Final = frozenset(_SUFFIXES.values())  # kinds that are examined although a loader may run them
_TEXTS: Final = frozenset(("text", "json"))


def document_kind(content: Content, kind: str) -> str:
    """``kind``, or the kind of document that the name makes of a text.

    What a loader would take for a pickle stays one: the name decides nothing there.
    """
    return _SUFFIXES.get(content.suffix, kind) if kind in _TEXTS else kind
