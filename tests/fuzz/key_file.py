"""Any bytes as a key file. A UsageError is an answer too: another kind of key, or a passphrase that does not fit."""

import contextlib

from assaymark.core.errors import InputError, UsageError
from assaymark.keys.file import parse_private, parse_public

# RFC 8410 section 10: the two examples.
SEEDS = [
    b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n",
    b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
]


def fuzz(data: bytes) -> None:
    for passphrase in (None, lambda: b"swordfish"):
        with contextlib.suppress(InputError, UsageError):
            assert len(parse_private(data, passphrase).sign(b"message")) == 64
    with contextlib.suppress(InputError, UsageError):
        parse_public(data)
