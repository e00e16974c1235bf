"""What was used: audit logs of Google Cloud as needs, each a member, a permission and where it was checked.

Checks that were not granted are no use. Source: Cloud Audit Logs, "Understand audit logs", ``AuditLog``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.use import Use
from assaymark.assess.gcp.places import place_of
from assaymark.assess.log_lines import entries
from assaymark.assess.reviews import platform_of
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.gcp import Gcp
    from assaymark.assess.inputs import Inputs

_MARK: Final = b"protoPayload"
_ACCOUNT: Final = ".gserviceaccount.com"
_DENIED: Final = 7  # PERMISSION_DENIED of google.rpc.Code


def uses(inputs: Inputs, estate: Gcp) -> Iterator[Use]:
    """The uses of all logs of the input, by members, whose files count as read."""
    for file, value in entries(inputs, _MARK, ("entries",)):
        payload = value.get("protoPayload")
        if not isinstance(payload, Map):
            continue
        inputs.reading.read.add(file.path)
        member, status = _member(payload.get("authenticationInfo")), payload.get("status")
        refused = isinstance(status, Map) and status.get("code") == _DENIED
        for check in listed(payload.get("authorizationInfo")) if member and not refused else ():
            if not isinstance(check, Map) or check.get("granted") is not True:
                continue
            permission = _permission(check.get("permission"))
            named = check.get("resource") or payload.get("resourceName")
            place = place_of(estate, str(named or ""), permission.partition(".")[0]) if permission else ""
            if place:
                yield Use(member, permission, place, file.because(value.line))


def _permission(value: Any) -> str:
    return value if isinstance(value, str) and platform_of(value) == "gcp" else ""


def _member(value: Any) -> str:
    """Who asked, as bindings name it; empty where the log keeps that to itself."""
    if not isinstance(value, Map):
        return ""
    subject, email = value.get("principalSubject"), value.get("principalEmail")
    if isinstance(subject, str) and subject.startswith(("principal://", "principalSet://")):
        return subject
    if not isinstance(email, str) or "@" not in email:
        return ""
    return f"serviceAccount:{email}" if email.endswith(_ACCOUNT) else f"user:{email.lower()}"
