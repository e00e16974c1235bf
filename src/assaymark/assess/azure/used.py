"""What was used: activity logs and resource logs of Azure as needs, each a principal, an action and a scope.

Requests that were refused or failed are no use, nor are those with keys of an account, which are nobody's. Source:
Azure Monitor, "Azure activity log event schema" and "Azure resource logs common schema"; Azure Storage, "Azure Blob
Storage monitoring data reference"; Azure Key Vault, "Azure Key Vault logging".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.use import Use
from assaymark.assess.log_lines import entries
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.azure import Azure
    from assaymark.assess.inputs import Inputs

_MARK: Final = b"operationName"
_OBJECT: Final = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid", "objectId")
_CLIENT: Final = ("appid", "azp", "appId")
_BAD: Final = frozenset(("failure", "failed", "unauthorized", "forbidden", "denied", "start", "started", "accepted"))
_REFUSED: Final = ("401", "403")
_ACTION: Final = re.compile(r"[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)+(?:/[A-Za-z0-9_.-]+)+", re.ASCII)
_VAULT: Final = "data:Microsoft.KeyVault/vaults"
# Operations of a vault's log, as the rest of the data action.
_OF_VAULTS: Final = {
    "SecretGet": "secrets/getSecret/action",
    "SecretSet": "secrets/setSecret/action",
    "SecretDelete": "secrets/delete",
    "SecretUpdate": "secrets/update/action",
    "SecretList": "secrets/readMetadata/action",
    "SecretListVersions": "secrets/readMetadata/action",
    "KeyGet": "keys/read",
    "KeyList": "keys/read",
    "KeyListVersions": "keys/read",
    "KeyCreate": "keys/create/action",
    "KeyDelete": "keys/delete",
    "KeySign": "keys/sign/action",
    "KeyVerify": "keys/verify/action",
    "KeyEncrypt": "keys/encrypt/action",
    "KeyDecrypt": "keys/decrypt/action",
    "KeyWrap": "keys/wrap/action",
    "KeyUnwrap": "keys/unwrap/action",
    "CertificateGet": "certificates/read",
    "CertificateList": "certificates/read",
}
_PART: Final = re.compile(r"https://[^/]+/(secrets|keys|certificates)/([^/?]+)", re.IGNORECASE)
_CONTAINER: Final = re.compile(r"https?://[^/]+\.blob\.[^/]+/([^/?]+)/", re.IGNORECASE)
_GROUP: Final = 5  # parts of a resource group's id


def uses(inputs: Inputs, estate: Azure) -> Iterator[Use]:
    """The uses of all logs of the input, whose files count as read. Principals are looked up in the estate."""
    for file, value in entries(inputs, _MARK, ("records", "value")):
        if not _is_log(value):
            continue
        inputs.reading.read.add(file.path)
        principal = _principal(value, estate)
        if principal and not _failed(value):
            for action, scope in _asked(value, estate):
                yield Use(f"azure:principal:{principal}", action, scope, file.because(value.line))


def _is_log(value: Map) -> bool:
    return "operationName" in value and ("resourceId" in value or isinstance(value.get("authorization"), Map))


def _word(value: Any) -> str:
    """A word, or the value of one that has a localized form beside it."""
    found = value.get("value") if isinstance(value, Map) else value
    return str(found) if isinstance(found, (str, int)) else ""


def _inner(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Map) else None
    return value


def _principal(value: Map, estate: Azure) -> str:
    """The object id of who asked; empty for nobody's key and for whom no claim names."""
    places = [
        _inner(value, "identity", "claims"),
        _inner(value, "claims"),
        _inner(value, "identity", "claim"),
        _inner(value, "identity", "requester"),
    ]
    for names in (_OBJECT, _CLIENT):
        for place in places:
            for name in names:
                found = place.get(name) if isinstance(place, Map) else None
                if isinstance(found, str) and found:
                    return estate.aliases.get(found.lower(), found.lower())
    evidence = _inner(value, "identity", "authorization", "evidence", "principalId")
    return str(evidence).lower() if isinstance(evidence, str) else ""


def _failed(value: Map) -> bool:
    words = [value.get(name) for name in ("resultType", "status", "resultSignature", "subStatus", "statusText")]
    codes = [value.get("statusCode"), value.get("httpStatusCode"), _inner(value, "properties", "httpStatusCode")]
    said = {_word(one).lower().partition(".")[0] for one in words}
    return bool(said & _BAD) or any(str(one) in _REFUSED for one in codes)


def _asked(value: Map, estate: Azure) -> Iterator[tuple[str, str]]:
    """The actions of an entry and where, as needs are written."""
    place = str(value.get("resourceId") or "")
    checked = _inner(value, "identity", "authorization")
    if isinstance(checked, list):  # of storage: each check that was made
        for one in checked:
            if isinstance(one, Map) and str(one.get("result")).lower() == "granted" and _is_action(one.get("action")):
                yield f"data:{one['action']}", _container(place, str(value.get("uri", "")))
        return
    name = _word(value.get("operationName"))
    if name in _OF_VAULTS:
        match = _PART.match(str(_inner(value, "properties", "id") or ""))
        yield f"{_VAULT}/{_OF_VAULTS[name]}", place + (f"/{match[1]}/{match[2]}" if match else "")
        return
    top = value.get("authorization")
    given = checked if isinstance(checked, Map) else top if isinstance(top, Map) else None
    action = given.get("action") if given is not None else name
    if _is_action(action):
        scope = str((given.get("scope") if given is not None else "") or place)
        yield str(action), _assignable(scope, str(action), estate)


def _is_action(value: Any) -> bool:
    return isinstance(value, str) and _ACTION.fullmatch(value) is not None


def _container(place: str, uri: str) -> str:
    match = _CONTAINER.match(uri)
    inside = "/blobservices/" in place.lower()
    return f"{place}/containers/{match[1]}" if match and inside else place


def _assignable(scope: str, action: str, estate: Azure) -> str:
    """Where a role can be assigned for it: what is being made has no assignments yet, its resource group has."""
    made = action.lower().endswith("/write") and scope.lower() not in estate.resources
    return "/".join(scope.split("/")[:_GROUP]) if made and scope.count("/") >= _GROUP else scope
