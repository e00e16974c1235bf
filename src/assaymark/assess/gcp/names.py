"""Names of Google Cloud: what lies where, and what a condition sees as the name and type of a resource.

Source: Google Cloud IAM, "Resource attributes" (types, and the format of names), "Principal identifiers".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.gcp import IAM, MANAGER
from assaymark.assess.unresolved import HOLE, Unresolved

if TYPE_CHECKING:
    from assaymark.assess.estate.gcp import Gcp

# The service of a permission or resource, where its host differs from the permission's first word.
_HOSTS: Final = {
    "artifactregistry": "artifactregistry.googleapis.com",
    "resourcemanager": "cloudresourcemanager.googleapis.com",
}
# The name that conditions see ends with the full name's path, but for buckets.
_TYPES: Final = {
    "storage:bucket": "storage.googleapis.com/Bucket",
    "secretmanager:secret": "secretmanager.googleapis.com/Secret",
    "cloudkms:key": "cloudkms.googleapis.com/CryptoKey",
    "bigquery:dataset": "bigquery.googleapis.com/Dataset",
    "compute:instance": "compute.googleapis.com/Instance",
    "run:service": "run.googleapis.com/Service",
    "cloudfunctions:function": "cloudfunctions.googleapis.com/Function",
    "pubsub:topic": "pubsub.googleapis.com/Topic",
    "aiplatform:endpoint": "aiplatform.googleapis.com/Endpoint",
    "aiplatform:model": "aiplatform.googleapis.com/Model",
    "artifactregistry:repository": "artifactregistry.googleapis.com/Repository",
    "container:cluster": "container.googleapis.com/Cluster",
}
_INNER: Final = {  # permissions that are asked of what lies in a resource: the rest of its name, its type
    "storage.objects.": (f"/objects/{HOLE}", "storage.googleapis.com/Object"),
    "secretmanager.versions.": (f"/versions/{HOLE}", "secretmanager.googleapis.com/SecretVersion"),
    "bigquery.tables.": (f"/tables/{HOLE}", "bigquery.googleapis.com/Table"),
    "cloudkms.cryptoKeyVersions.": (f"/cryptoKeyVersions/{HOLE}", "cloudkms.googleapis.com/CryptoKeyVersion"),
}
_NUMBERED: Final = ("secretmanager.googleapis.com",)  # services whose names have the project's number
# These are asked of the container, whatever is listed in it.
_OF_CONTAINER: Final = ("storage.objects.list",)
_PROJECT: Final = re.compile(r"projects/([^/]+)")
_ACCOUNT: Final = re.compile(r"[^@]+@(.+)\.iam\.gserviceaccount\.com")
_GKE: Final = re.compile(r"serviceAccount:([^\[]+)\.svc\.id\.goog\[([^/\]]+)/([^\]]+)\]")


def project(identifier: str) -> str:
    """The full resource name of a project."""
    return f"{MANAGER}projects/{identifier}"


def ingress_of(value: object) -> bool | str:
    """Whether a service or function takes what comes from its own networks only; ``balanced``: or a load balancer.

    Source: Cloud Run documentation, "Restrict network ingress"; the functions' of the same name.
    """
    text = str(value).lower()
    if text in ("ingress_traffic_internal_only", "internal", "allow_internal_only"):
        return True
    balanced = (
        "ingress_traffic_internal_load_balancer",
        "internal-and-cloud-load-balancing",
        "allow_internal_and_gclb",
    )
    return "balanced" if text in balanced else False


def project_in(name: str) -> str:
    """The project in a full resource name; empty for none."""
    match = _PROJECT.search(name)
    return match[1] if match else ""


def project_of_account(email: str) -> str:
    """The project that a service account's email names; empty for Google's own and default ones."""
    match = _ACCOUNT.fullmatch(email)
    found = match[1] if match else ""
    if found.startswith("gcp-sa-") or ":" in found:
        return "" if found.startswith("gcp-sa-") else found
    if email.endswith("@appspot.gserviceaccount.com"):
        return email.partition("@")[0]
    return found


def account_name(estate: Gcp, email: str) -> str:
    """The full resource name of a service account by its email."""
    known = estate.accounts.get(email)
    if known is not None:
        return known.name
    number = email.partition("-compute@developer.gserviceaccount.com")[0] if "-compute@" in email else ""
    home = project_of_account(email) or estate.numbers.get(number, "") or number or "-"
    return f"{IAM}projects/{home}/serviceAccounts/{email}"


def gke_member(member: str) -> tuple[str, str, str] | None:
    """Project, namespace and account of ``serviceAccount:P.svc.id.goog[ns/account]``."""
    match = _GKE.fullmatch(member)
    return (match[1], match[2], match[3]) if match else None


def seen_by_conditions(estate: Gcp, name: str, kind: str, permission: str) -> dict[str, str]:
    """``resource.name``, ``resource.type`` and ``resource.service`` as a condition sees them, open parts as holes."""
    host, _, path = name.removeprefix("//").partition("/")
    path = f"projects/_/buckets/{path}" if kind == "storage:bucket" else path
    if host in _NUMBERED:
        numbers = {identifier: number for number, identifier in estate.numbers.items() if number.isdigit()}
        path = _PROJECT.sub(
            lambda match: f"projects/{numbers.get(match[1], match[1] if match[1].isdigit() else HOLE)}", path
        )
    found = {"resource.service": _HOSTS.get(host, host), "resource.type": _TYPES.get(kind, "")}
    if not found["resource.type"]:
        del found["resource.type"]
    for prefix, (rest, inner) in _INNER.items():
        if permission.startswith(prefix) and permission not in _OF_CONTAINER:
            path += rest
            found["resource.type"] = inner
    found["resource.name"] = Unresolved(path.replace(HOLE, "..."), path) if HOLE in path else path
    return found
