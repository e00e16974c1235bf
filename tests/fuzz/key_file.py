"""Any bytes as a key file. A UsageError is an answer too: another kind of key, or a passphrase that does not fit."""

import contextlib

from assaymark.core.errors import InputError, UsageError
from assaymark.keys.file import parse_private, parse_public


def fuzz(data: bytes) -> None:
    for passphrase in (None, lambda: b"swordfish"):
        with contextlib.suppress(InputError, UsageError):
            assert len(parse_private(data, passphrase).sign(b"message")) == 64
    with contextlib.suppress(InputError, UsageError):
        parse_public(data)
