"""Passwords that stand after their names with only space between: accounts of curl and ftp, Fluent Bit's plugins.

Sources: curl's documentation (".netrc"), Fluent Bit's ("Classic mode").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACCOUNTS: Final = re.compile(
    r"(?i)(?:^|\s)(?:machine[ \t]+\S{1,200}|default)(?:\s+(?:login|account)[ \t]+\S{1,200}){0,2}"
    r"\s+(password)[ \t]+([^\s\"'${}]{6,200})"
)
_FLUENT: Final = re.compile(
    r"(?im)^[ \t]+((?:\w{1,40}_)?(?:passwd|password|api_?key|secret_?key|shared_key|splunk_token|license_key))[ \t]+"
    r"([^\s\"'${}]{6,200})[ \t]*$"
)
_SECTION: Final = re.compile(r"(?im)^[ \t]*\[(?:INPUT|OUTPUT|FILTER)\]")


def beside(name: str, text: str) -> Iterator[tuple[str, int, str]]:
    """What a password is called, where it begins and what it is, in a file of this name, in lower case."""
    if name in (".netrc", "_netrc", "netrc"):
        pattern = _ACCOUNTS
    elif name.endswith((".conf", ".cfg")) and _SECTION.search(text):
        pattern = _FLUENT
    else:
        return
    for match in pattern.finditer(text):
        yield match[1], match.start(2), match[2]
