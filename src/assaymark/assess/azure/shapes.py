"""What the API and templates write of a resource, as the names that rules and linkers look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from assaymark.formats.located import Map, listed

_OFF: Final = ("disabled", "false")
_LOCAL: Final = (  # what has keys beside roles, unless ``disableLocalAuth``
    "microsoft.appconfiguration/configurationstores",
    "microsoft.cognitiveservices/accounts",
    "microsoft.documentdb/databaseaccounts",
    "microsoft.eventhub/namespaces",
    "microsoft.search/searchservices",
    "microsoft.servicebus/namespaces",
)


@dataclass(frozen=True, slots=True)
class Identities:
    """``system``: the object id of its own identity; ``assigned``: ids of user-assigned ones, lower case.

    ``known`` are those of ``assigned`` whose principal is written: object id, client id, resource id.
    """

    system: str
    assigned: tuple[str, ...]
    known: tuple[tuple[str, str, str], ...]


def identities_of(value: Map) -> Identities:
    """The identities that a resource runs as."""
    identity = value.get("identity")
    if not isinstance(identity, Map):
        return Identities("", (), ())
    system = identity.get("principalId") or identity.get("principal_id")
    found, known = [], []
    for one in listed(identity.get("user_assigned_identities")):  # as ``az ml`` writes them
        if isinstance(one, Map) and isinstance(one.get("resource_id"), str):
            place = one["resource_id"].lower()
            found.append(place)
            known.append((str(one.get("principal_id") or "").lower(), str(one.get("client_id") or "").lower(), place))
    assigned = identity.get("userAssignedIdentities")
    for one, inner in assigned.items() if isinstance(assigned, dict) else ():
        found.append(str(one).lower())
        if isinstance(inner, Map) and inner.get("principalId"):
            known.append(
                (str(inner["principalId"]).lower(), str(inner.get("clientId", "")).lower(), str(one).lower())
            )
    profile = value.get("identityProfile") or _inner(value).get("identityProfile")
    kubelet = profile.get("kubeletidentity") if isinstance(profile, Map) else None
    if isinstance(kubelet, Map) and kubelet.get("objectId"):
        known.append(
            (
                str(kubelet["objectId"]).lower(),
                str(kubelet.get("clientId", "")).lower(),
                str(kubelet.get("resourceId", "")).lower(),
            )
        )
    return Identities(str(system).lower() if isinstance(system, str) else "", tuple(found), tuple(known))


def settings_of(kind: str, value: Map) -> dict[str, object]:
    """What is set on a resource: all that is written, and what is asked about by one name each.

    A key that is absent from an export is None, but for what the platform takes as its default.
    """
    inner = value.get("properties")
    whole: dict[str, Any] = {
        **(inner if isinstance(inner, dict) else {}),
        **{key: one for key, one in value.items() if key != "properties"},
    }
    found: dict[str, object] = {str(key): one for key, one in whole.items() if one is not None}
    rules = whole.get("networkAcls") or whole.get("networkRuleSet")
    public = str(whole.get("publicNetworkAccess", whole.get("public_network_access", ""))).lower() in _OFF
    closed = public or (isinstance(rules, dict) and str(rules.get("defaultAction", "")).lower() == "deny")
    found["firewall"] = "deny" if closed else "allow"
    found["networks"] = not public and isinstance(rules, dict) and bool(rules.get("ipRules"))
    match kind:
        case "microsoft.storage/storageaccounts":
            found["blob_public"] = (
                whole.get("allowBlobPublicAccess") if whole.get("allowBlobPublicAccess") is not None else None
            )
            found["shared_key"] = whole.get("allowSharedKeyAccess") is not False
        case "microsoft.storage/storageaccounts/blobservices/containers":
            found["public"] = str(whole.get("publicAccess") or "none").lower()
        case "microsoft.keyvault/vaults":
            rbac = whole.get("enableRbacAuthorization")
            policies = whole.get("accessPolicies")
            found["rbac"] = rbac is True if rbac is not None or policies else None
            found["policies"] = [_policy(one) for one in listed(policies) if isinstance(one, Map)]
        case "microsoft.containerregistry/registries":
            found["admin"] = whole.get("adminUserEnabled")
            found["anonymous"] = whole.get("anonymousPullEnabled") is True
        case one if one in _LOCAL:
            found["local"] = whole.get("disableLocalAuth") is not True
        case "microsoft.containerservice/managedclusters":
            issuer = whole.get("oidcIssuerProfile")
            found["issuer"] = (
                str(issuer.get("issuerURL") or issuer.get("issuerUrl") or "").removeprefix("https://").rstrip("/")
                if isinstance(issuer, Map)
                else ""
            )
            aad = whole.get("aadProfile")
            found["azure_rbac"] = (
                isinstance(aad, Map) and aad.get("enableAzureRBAC", aad.get("enableAzureRbac")) is True
            )
            found["local_accounts"] = whole.get("disableLocalAccounts") is not True
    return found


def _inner(value: Map) -> dict[str, Any]:
    found = value.get("properties")
    return found if isinstance(found, dict) else {}


def _policy(value: Map) -> dict[str, object]:
    permissions = value.get("permissions")

    def words(name: str) -> list[str]:
        some = permissions.get(name) if isinstance(permissions, Map) else None
        return [str(one).lower() for one in some] if isinstance(some, list) else []

    return {
        "principal": str(value.get("objectId", "")).lower(),
        "secrets": words("secrets"),
        "keys": words("keys"),
        "certificates": words("certificates"),
        "application": str(value.get("applicationId") or ""),
        "line": value.line,
    }
