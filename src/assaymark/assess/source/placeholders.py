"""``placeholder``: whether what stands where a secret would is one."""

from __future__ import annotations

import re
from typing import Final

_SAID: Final = re.compile(
    r"example|sample|dummy|fake|place_?holder|change_?me|change_?it|changethis|replace|your[-_ ]|^your|insert|"
    r"todo|fixme|redacted|xxx|\*\*\*|\.\.\.|…|12345678|abcdefgh|abc123|deadbeef|00000000|foobar|notasecret|not[-_]a[-_]|"
    r"mysecret|"
    r"<[^>]*>|^\$|\$\{|\{\{|%\(|\$\(|^env[:.(]|^os\.|^@|^vault:|^ref\+|^op://|^arn:|^sm://|^projects/|secretsmanager|"
    r"valuefrom|keyvault|test[-_]?(?:key|secret|token|password)|super[-_]?secret",
    re.IGNORECASE,
)
_TO_FILL: Final = re.compile(
    r"place_?holder|change_?me|change_?it|changethis|replace|your|insert|todo|fixme|redacted|xxxx|\*\*\*|\.\.\.|…|"
    r"<[^>]*>|^\$|\$\{|\{\{|%\(|\$\(|^env[:.(]|^os\.|^@|^vault:|^ref\+|^op://|^arn:|^sm://|^projects/|secretsmanager|"
    r"valuefrom|keyvault",
    re.IGNORECASE,
)
_PLAIN: Final = frozenset(
    (
        "",
        "none",
        "null",
        "true",
        "false",
        "empty",
        "unset",
        "undefined",
        "test",
        "secret",
        "password",
        "token",
        "key",
        "string",
    )
)
_FEW: Final = 5  # different characters of what nobody would call random


def placeholder(value: str) -> bool:
    """Whether a value says itself that it is none, refers to a secret kept elsewhere, or is too plain to be one."""
    bare = value.strip().strip("\"'`,;")
    if bare.lower() in _PLAIN or _SAID.search(bare):
        return True
    return len(set(bare)) < _FEW and len(bare) > _FEW


def to_fill(value: str) -> bool:
    """Whether somebody or something puts another value in its place before it is used.

    An example's key that stands where a program takes its key from is none of these: it is used as it is.
    """
    bare = value.strip().strip("\"'`,;")
    return not bare or _TO_FILL.search(bare) is not None or (len(set(bare)) < _FEW and len(bare) > _FEW)
