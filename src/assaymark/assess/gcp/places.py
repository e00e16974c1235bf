"""``place_of``: where a role is bound for what a need or a log names: the narrowest resource that takes bindings.

Source: Google Cloud IAM, "Resource types that accept allow policies"; Cloud Audit Logs, ``authorizationInfo``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.gcp import IAM, MANAGER
from assaymark.assess.gcp.names import account_name, project

if TYPE_CHECKING:
    from assaymark.assess.estate.gcp import Gcp

# Collections whose members take bindings of their own.
_TAKES: Final = frozenset(
    (
        *("datasets", "secrets", "topics", "subscriptions", "repositories", "cryptoKeys", "keyRings", "services"),
        *("functions", "jobs", "endpoints", "featurestores", "entityTypes", "instances", "databases", "queues"),
        *("clusters", "workflows", "disks", "images", "environments", "notebookRuntimeTemplates", "snapshots"),
    )
)
_TOP: Final = re.compile(r"(?:projects|folders|organizations)/[^/]+")
_BUCKET: Final = re.compile(r"projects/[^/]+/buckets/([^/]+)(?:/.*)?")
_ACCOUNT: Final = re.compile(r"projects/[^/]+/serviceAccounts/([^/]+@[^/]+)(?:/.*)?")
_NUMBER: Final = re.compile(r"(?<=projects/)\d+")
_SERVICES: Final = {"resourcemanager": "cloudresourcemanager"}


def place_of(estate: Gcp, text: str, service: str) -> str:
    """The full resource name for a name, full or not, of a service (``storage``); empty for what is none."""
    host, path = f"{_SERVICES.get(service, service)}.googleapis.com", text
    if text.startswith("//"):
        host, _, path = text[2:].partition("/")
    path = _NUMBER.sub(lambda match: estate.numbers.get(match[0], match[0]), path)
    if _TOP.fullmatch(path):
        return f"{MANAGER}{path}"
    if match := _BUCKET.fullmatch(path):
        return f"//storage.googleapis.com/{match[1]}"
    if host == "storage.googleapis.com" and path:
        return f"//{host}/{path.partition('/')[0]}" if not path.startswith("projects/") else _home(path)
    if match := _ACCOUNT.fullmatch(path):
        return account_name(estate, match[1])
    name = f"//{host}/{path}"
    if name in estate.resources or name in estate.places or name.startswith(IAM):
        return name
    parts = path.split("/")
    for end in range(len(parts), 2, -1):
        known = f"//{host}/{'/'.join(parts[:end])}" in estate.resources
        if known or (end % 2 == 0 and parts[end - 2] in _TAKES):
            return f"//{host}/{'/'.join(parts[:end])}"
    return _home(path)


def _home(path: str) -> str:
    """The project of a name; empty for a name without one."""
    parts = path.split("/")
    return project(parts[1]) if parts[0] == "projects" and len(parts) > 1 and parts[1] not in ("_", "-") else ""
