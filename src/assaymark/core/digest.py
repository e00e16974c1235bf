"""Content digests."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from assaymark.core.errors import InputError

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def sha256_digest(data: bytes) -> str:
    """``sha256:`` and 64 lower-case hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def parse_digest(text: str) -> str:
    """``text`` if it is a SHA-256 digest in our form; bare hexadecimal is taken too.

    Raises:
        InputError: ``digest-form``.
    """
    hexadecimal = text.removeprefix("sha256:")
    if not _SHA256.fullmatch(hexadecimal):
        raise InputError(
            "digest-form",
            f"{text[:80]!r} is not a SHA-256 digest",
            remedy="write sha256: and 64 lower-case hexadecimal digits",
        )
    return "sha256:" + hexadecimal


def is_digest(text: str) -> bool:
    """Whether ``text`` has the form ``sha256:<64 hex>``."""
    return text.startswith("sha256:") and _SHA256.fullmatch(text[7:]) is not None


def digest_hex(digest: str) -> str:
    """The hexadecimal part of a digest."""
    return digest.removeprefix("sha256:")
