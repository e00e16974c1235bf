"""The entry of the log: an envelope's digest and a time, nothing that can be guessed back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assaymark.core.digest import is_digest
from assaymark.core.errors import InputError
from assaymark.core.times import format_time, parse_time

LEAF_FORMAT: Final = "assaymark:leaf/v1"
_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Leaf:
    """``envelope_digest`` as ``sha256:<hex>``; ``logged_at`` in seconds, claimed by the log."""

    envelope_digest: str
    logged_at: int


def format_leaf(leaf: Leaf) -> bytes:
    """The bytes of an entry: three lines, see docs/spec/log.md.

    Raises:
        InputError: ``leaf-form`` or ``time-range``.
    """
    if not is_digest(leaf.envelope_digest):
        raise InputError("leaf-form", "the envelope's digest is not a SHA-256 digest")
    return f"{LEAF_FORMAT}\n{leaf.envelope_digest[7:]}\n{format_time(leaf.logged_at)}\n".encode()


def parse_leaf(data: bytes) -> Leaf:
    """Read an entry; there is one spelling.

    Raises:
        InputError: ``leaf-form`` or ``time-form``.
    """
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InputError("leaf-form", "not ASCII", position=f"byte {error.start}") from None
    if len(lines) != _LINES + 1 or lines[0] != LEAF_FORMAT or lines[3]:
        raise InputError("leaf-form", f"not an entry of format {LEAF_FORMAT}")
    digest = "sha256:" + lines[1]
    if not is_digest(digest):
        raise InputError("leaf-form", "not 64 lower-case hexadecimal digits", position="line 2")
    return Leaf(digest, parse_time(lines[2]))
