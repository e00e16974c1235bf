"""``held_keys``: the long-lived keys of clouds that a text holds, and whose each is.

Sources: IAM User Guide, "Manage access keys for IAM users"; Azure Storage documentation, "Configure connection
strings" and "Grant limited access to data with shared access signatures"; Google Cloud, "Service account keys"; the
attributes that hold keys in Terraform's providers for AWS, Azure and Google Cloud.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b32decode, b64decode
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from assaymark.assess.estate.source import HeldKey
from assaymark.assess.source.placeholders import to_fill

if TYPE_CHECKING:
    from collections.abc import Iterator

AWS_KEY: Final = re.compile(r"(?<![A-Za-z0-9])((?:AKIA|ASIA)[A-Z0-9]{16})(?![A-Za-z0-9])")
_WORDS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+=,.@_-]{2,63}")
_NEAR: Final = 3  # lines around a key in which its owner may be named
_STORAGE: Final = re.compile(r"AccountName=([a-z0-9]{3,24})\s*;[^\"'\n]{0,400}?AccountKey=([^;\"'\s]{8,200})")
_STORAGE_BACK: Final = re.compile(r"AccountKey=([^;\"'\s]{8,200});[^\"'\n]{0,400}?AccountName=([a-z0-9]{3,24})")
EMULATOR: Final = "devstoreaccount1"  # of Azurite, whose key everyone knows and which has nothing of anyone's
_ACCOUNT: Final = re.compile(
    r"(?:\b|_)(?:azure_?storage_?account(?:_?name)?|storage_?account(?:_?name)?|account_?name)[\"']?\s{0,4}[:=]\s{0,4}"
    r"[\"']?([a-z0-9]{3,24})(?![A-Za-z0-9._-])",
    re.IGNORECASE,
)
ACCOUNT_KEY: Final = re.compile(
    r"(?:account|storage)_?(?:access_?)?key[\"']?\s{0,4}[:=]\s{0,4}[\"']?([A-Za-z0-9+/]{86}==)", re.IGNORECASE
)
EMULATOR_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"
_SIGNED: Final = re.compile(
    r"https://([a-z0-9]{3,24})\.(?:blob|dfs|file|queue|table)\.core\.windows\.net(/[^?\s\"']{0,1000})?\?([^\s\"'<>]{10,2000})"
)
_CLIENT: Final = re.compile(
    r"client_?id[\"']?\s{0,4}[:=]\s{0,4}[\"']?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    re.IGNORECASE,
)
CLIENT_SECRET: Final = re.compile(r"client_?secret[\"']?\s{0,4}[:=]\s{0,4}[\"']?([^\s\"',;]{8,200})", re.IGNORECASE)
PASSWORD: Final = re.compile(  # what ``az ad sp create-for-rbac`` prints
    r"\"appId\"\s*:\s*\"([0-9a-fA-F-]{36})\"[^{}]{0,400}?\"password\"\s*:\s*\"([^\"]{8,200})\"[^{}]{0,200}?\"tenant\"\s*:"
)
_ADDRESS: Final = re.compile(
    r"\b((?:module\.[A-Za-z_][\w-]*(?:\[[^\]]{0,60}\])?\.){0,9})(aws_iam_access_key|google_service_account_key|azurerm_storage_account|azuread_application_password"
    r"|azuread_service_principal_password)\.([A-Za-z_][\w-]*)(?:\[[^\]]{0,60}\])?\.([a-z_]+)"
)
_OF_RESOURCE: Final = {
    "aws_iam_access_key": ("secret", "ses_smtp_password_v4"),
    "google_service_account_key": ("private_key",),
    "azurerm_storage_account": (
        *("primary_access_key", "secondary_access_key", "primary_connection_string", "secondary_connection_string"),
        *("primary_blob_connection_string", "secondary_blob_connection_string"),
    ),
    "azuread_application_password": ("value",),
    "azuread_service_principal_password": ("value",),
}
_MOST: Final = 20_000  # characters of a text that may be a key file
_READS: Final = frozenset("rl")
_WRITES: Final = frozenset("wcadu")


def held_keys(text: str) -> Iterator[HeldKey]:
    """The keys in a text, each once."""
    yield from dict.fromkeys(
        (*_aws(text), *_google(text), *_storage(text), *_signed(text), *_clients(text), *_made(text))
    )


def account_of(key: str) -> str:
    """The account that an AWS access key id belongs to: its bits 1 to 40 after the prefix, in base 32.

    Empty for what is no key id of today's form.
    """
    try:
        data = b32decode(key[4:20])
    except (binascii.Error, ValueError):
        return ""
    number = (int.from_bytes(data[:6], "big") & 0x7FFFFFFFFF80) >> 7
    return f"{number:012d}" if number < 10**12 else ""


def _aws(text: str) -> Iterator[HeldKey]:
    """The ids of access keys, each once, with the words near it."""
    if "AKIA" not in text and "ASIA" not in text:
        return
    lines = text.split("\n")
    seen: set[str] = set()
    for match in AWS_KEY.finditer(text):
        if match[1] not in seen and not to_fill(match[1]):
            seen.add(match[1])
            line = text.count("\n", 0, match.start())
            near = " ".join(lines[max(0, line - _NEAR) : line + _NEAR + 1])
            yield HeldKey("aws", match[1], frozenset(_WORDS.findall(near)))


def _google(text: str) -> Iterator[HeldKey]:
    if "private_key" in text and "client_email" in text and len(text) <= _MOST:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(found, dict) and isinstance(found.get("client_email"), str) and found.get("private_key"):
            yield HeldKey("google", found["client_email"])


def _storage(text: str) -> Iterator[HeldKey]:
    yield from _pairs(text)
    if "AccountKey=" in text:
        pairs = [(match[1], match[2]) for match in _STORAGE.finditer(text)]
        pairs += [(match[2], match[1]) for match in _STORAGE_BACK.finditer(text)]
        yield from (HeldKey("azure-storage", name) for name, key in pairs if name != EMULATOR and not to_fill(key))


def _pairs(text: str) -> Iterator[HeldKey]:
    """An account's name and its key as two values: variables of tools, secrets of the drivers of AKS."""
    keys = [one for match in ACCOUNT_KEY.finditer(text) if not to_fill(one := match[1])] if "==" in text else []
    names = {match[1] for match in _ACCOUNT.finditer(text)} - {EMULATOR} if keys else set()
    if len(names) == 1:
        yield HeldKey("azure-storage", names.pop())


def _signed(text: str) -> Iterator[HeldKey]:
    if "sig=" not in text:
        return
    for match in _SIGNED.finditer(text):
        query = dict(part.partition("=")[::2] for part in match[3].replace("&amp;", "&").split("&"))
        if not query.get("sig") or to_fill(query["sig"]):
            continue
        allowed = set(query.get("sp", ""))
        rights = ("reads",) * bool(allowed & _READS) + ("writes",) * bool(allowed & _WRITES)
        decides: tuple[str, ...] = ()
        if query.get("si"):  # a policy that is stored in the account says the rest
            decides = (f"the stored access policy {query['si']} of {match[1]} allows it",)
            rights = rights or ("reads", "writes")
        delegated = bool(query.get("skoid"))
        if delegated:
            decides = (*decides, f"the principal {query['skoid']}, who signed it, may do so")
        if rights:
            until = unquote(query.get("se", ""))
            yield HeldKey("azure-storage", match[1], frozenset(), rights, until, decides, delegated)


def _clients(text: str) -> Iterator[HeldKey]:
    secrets = [match[1] for match in CLIENT_SECRET.finditer(text) if not to_fill(match[1])]
    identities = {match[1].lower() for match in _CLIENT.finditer(text)}
    if secrets and len(identities) == 1:
        yield HeldKey("azure-client", identities.pop())
    for match in PASSWORD.finditer(text):
        if not to_fill(match[2]):
            yield HeldKey("azure-client", match[1].lower())


def _made(text: str) -> Iterator[HeldKey]:
    """Keys that Terraform puts there, by the address of what makes them."""
    if "${" in text:
        for match in _ADDRESS.finditer(text):
            if match[4] in _OF_RESOURCE[match[2]]:
                yield HeldKey("terraform", f"{match[1]}{match[2]}.{match[3]}")


def decoded(value: str) -> str:
    """A value of a Secret's ``data``; empty when it is no base64 of a text."""
    try:
        return b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        return ""
