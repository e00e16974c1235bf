"""Values that a template leaves open."""

from __future__ import annotations

from typing import Final

HOLE: Final = "\ufffc"  # stands in a pattern for what is not known; no name or ARN of a platform contains it


class Unresolved(str):
    """A text of a template that could not be resolved, wholly or in parts.

    As a text it is what the template says, for showing: ``arn:aws:s3:::${var.bucket}/*``. ``pattern`` is the same
    with ``HOLE`` for each part that is not known, ``arn:aws:s3:::<HOLE>/*``; the default is that nothing of it is
    known. A hole could be any text, so a comparison with it is unknown where some text would make it true.
    """

    __slots__ = ("pattern",)

    pattern: str

    def __new__(cls, text: str, pattern: str = HOLE) -> Unresolved:  # noqa: PYI034  # nobody derives from it
        """The marker; ``pattern`` holds at least one HOLE."""
        found = super().__new__(cls, text)
        found.pattern = pattern
        return found

    def __repr__(self) -> str:
        return f"Unresolved({str(self)!r}, {self.pattern!r})"


def pattern_of(text: str) -> str:
    """The pattern of an unresolved text, any other text as it is."""
    return text.pattern if isinstance(text, Unresolved) else text
