"""The error tree, split by who must act.

    AssaymarkError
    ├── UsageError          the caller: a wrong flag, a missing file or key
    ├── InputError          whoever made the bytes: malformed or hostile input
    ├── VerificationError   nobody: a signature, proof or digest was refused
    ├── UnavailableError    try again: a lock, a full disk, a clock that went back
    └── InternalError       us: a bug

Findings and denials are values, not exceptions. A parser raises ``InputError`` and nothing else.
"""

from __future__ import annotations


class AssaymarkError(Exception):
    """What happened, to which input, and what to do next.

    Attributes:
        code: stable identifier, kebab-case; ``assaymark explain CODE`` prints its page.
        message: what happened, one sentence without a trailing stop.
        source: the input: a path, a digest or a name; empty when there is none.
        position: where in the input: ``"byte 12"``, ``"line 3"``, ``"$.subject[0]"``; empty when unknown.
        remedy: what to do next; empty when there is nothing to do.
    """

    def __init__(self, code: str, message: str, *, source: str = "", position: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.source = source
        self.position = position
        self.remedy = remedy

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.source, self.position) if part)
        return f"{where}: {self.message}" if where else self.message

    def at(self, source: str) -> AssaymarkError:
        """The same error with its source named, for a reader that learns the path later."""
        if not self.source:
            self.source = source
        return self


class UsageError(AssaymarkError):
    """The caller asked for something that cannot be done as asked."""


class InputError(AssaymarkError):
    """Bytes that are malformed, over a limit or hostile."""


class VerificationError(AssaymarkError):
    """A signature, proof, digest or chain was checked and refused."""


class UnavailableError(AssaymarkError):
    """Something outside is not available now; nothing was lost and a later try may work."""


class InternalError(AssaymarkError):
    """A bug of ours."""
