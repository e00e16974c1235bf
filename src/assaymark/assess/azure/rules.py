"""What is wrong with an Azure subscription or tenant by itself, path or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.azure.eligible import is_on
from assaymark.assess.azure.evaluate import GROUPS
from assaymark.assess.azure.roles import ACCESS_ADMINISTRATOR, CONTRIBUTOR, OWNER, RBAC_ADMINISTRATOR, Roles, allows
from assaymark.assess.kinds import INTERNET
from assaymark.assess.rule import AssessRule, found
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

BROAD_ROLE = AssessRule(
    "azure-broad-role",
    Severity.HIGH,
    "Owner, Contributor or the right to assign roles on a whole subscription or management group",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250", "CWE-269"),
)
CUSTOM_ROLE = AssessRule(
    "azure-custom-role-wildcard",
    Severity.HIGH,
    "A custom role that allows every action",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250"),
)
CONTAINER = AssessRule(
    "azure-public-data",
    Severity.CRITICAL,
    "A blob container or registry that everyone may read",
    "tenancy",
    ("AML.T0035", "AML.M0005", "ML03:2023", "LLM02:2025", "CWE-732"),
)
SHARED_KEY = AssessRule(
    "azure-storage-shared-key",
    Severity.MEDIUM,
    "A storage account whose keys open everything in it",
    "tenancy",
    ("AML.T0055", "AML.M0005", "CWE-798"),
)
VAULT_OPEN = AssessRule(
    "azure-vault-public",
    Severity.MEDIUM,
    "A key vault that answers every network",
    "identity",
    ("AML.T0055", "AML.M0005", "CWE-668"),
)
CREDENTIAL = AssessRule(
    "azure-federation-subject",
    Severity.HIGH,
    "A federated credential that takes tokens of a public issuer whoever they are for",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-287", "CWE-1390"),
)
AUDIENCE = AssessRule(
    "azure-federation-audience",
    Severity.MEDIUM,
    "A federated credential that takes tokens made for another audience",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-287"),
)
CLIENT_SECRET = AssessRule(
    "azure-client-secret",
    Severity.MEDIUM,
    "An application with a long-lived client secret",
    "identity",
    ("AML.T0055", "AML.M0005", "CWE-798"),
)
LOCAL_KEYS = AssessRule(
    "azure-endpoint-keys",
    Severity.MEDIUM,
    "A model endpoint or registry that takes keys in place of identities",
    "endpoint",
    ("AML.T0040", "AML.T0055", "AML.M0019", "CWE-798"),
)
RULES: Final = (
    BROAD_ROLE,
    CUSTOM_ROLE,
    CONTAINER,
    SHARED_KEY,
    VAULT_OPEN,
    CREDENTIAL,
    AUDIENCE,
    CLIENT_SECRET,
    LOCAL_KEYS,
)
_BROAD: Final = {
    OWNER: "Owner",
    CONTRIBUTOR: "Contributor",
    ACCESS_ADMINISTRATOR: "User Access Administrator",
    RBAC_ADMINISTRATOR: "Role Based Access Control Administrator",
}
_EXCHANGE: Final = (
    "api://azureadtokenexchange",
    "api://azureadtokenexchangechina",
    "api://azureadtokenexchangeusgov",
)
_OPEN_TO_ALL: Final = ("token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io")


def _assignments(seen: Seen) -> Iterator[Finding]:
    estate = seen.estates.azure
    roles = Roles(estate.roles)
    said = set()
    for assignment in estate.assignments:
        if not is_on(assignment.since, assignment.until, seen.now):
            continue
        wide = assignment.scope == "/" or assignment.scope.startswith(GROUPS) or assignment.scope.count("/") == 2  # noqa: PLR2004
        known = roles.get(assignment.role)
        if not wide or known is None or assignment.open:
            continue
        named = _BROAD.get(known.id)
        if named is None and any(
            one.condition is None and allows(one, "Microsoft.Authorization/roleAssignments/write")
            for one in known.permissions
        ):
            named = known.name
        if named is None or (assignment.condition is not None and known.id not in (OWNER, CONTRIBUTOR)):
            continue
        who = estate.principals[assignment.principal]
        where = (
            "every subscription"
            if assignment.scope == "/"
            else assignment.scope.replace(
                "/providers/microsoft.management/managementgroups/", "management group "
            ).replace("/subscriptions/", "subscription ")
        )
        people = who.kind in ("user", "group") and known.id != CONTRIBUTOR
        name = f"{who.node}#{known.id}#{assignment.scope}"
        if name in said:  # by a list of assignments and by one of schedules
            continue
        said.add(name)
        message = f"{who.kind.replace('-', ' ')} {who.name} has {named} on {where}"
        yield found(BROAD_ROLE, name, message, (assignment.because,), Severity.MEDIUM if people else None)
    for _, role in sorted(estate.roles.items()):
        if role.because is not None and any("*" in one.actions and not one.not_actions for one in role.permissions):
            message = f"the custom role {role.name} allows every action"
            yield found(CUSTOM_ROLE, f"role {role.id}", message, (role.because,))


def _public(seen: Seen) -> Iterator[Finding]:
    resources = seen.estates.azure.resources
    for edge in seen.graph.edges:
        resource = resources.get(edge.target)
        if edge.source == INTERNET and resource is not None and edge.relation in ("reads", "writes"):
            sure = "" if edge.state is State.YES else "perhaps "
            message = f"{sure}anyone may read {resource.name}: {edge.how}"
            yield found(CONTAINER, resource.id, message, edge.because, None, None if not sure else Confidence.LOW)


def _resources(seen: Seen) -> Iterator[Finding]:
    for identifier, resource in sorted(seen.estates.azure.resources.items()):
        check = _CHECKED.get(resource.kind)
        if check is not None and resource.settings:
            message, rule = check(resource)
            if message:
                yield found(rule, identifier, message, (resource.because,))


def _storage(resource: Resource) -> tuple[str, AssessRule]:
    on = resource.settings.get("shared_key") is True
    return (f"storage account {resource.name} takes shared keys" if on else "", SHARED_KEY)


def _vault(resource: Resource) -> tuple[str, AssessRule]:
    on = resource.settings.get("firewall") == "allow"
    return (f"key vault {resource.name} answers every network" if on else "", VAULT_OPEN)


def _registry(resource: Resource) -> tuple[str, AssessRule]:
    on = resource.settings.get("admin") is True
    return (f"registry {resource.name} has its admin user on" if on else "", LOCAL_KEYS)


def _keys(resource: Resource) -> tuple[str, AssessRule]:
    on = resource.settings.get("local") is True
    return (f"{resource.name} answers whoever has one of its keys" if on else "", LOCAL_KEYS)


_CHECKED: Final = {
    "microsoft.storage/storageaccounts": _storage,
    "microsoft.keyvault/vaults": _vault,
    "microsoft.containerregistry/registries": _registry,
    "microsoft.cognitiveservices/accounts": _keys,
    "microsoft.search/searchservices": _keys,
}


def _credentials(seen: Seen) -> Iterator[Finding]:
    estate = seen.estates.azure
    for credential in estate.federated:
        key = estate.aliases.get(credential.owner, credential.owner)
        known = estate.principals.get(key)
        name = f"azure:principal:{key}#{credential.issuer}#{credential.subject or credential.expression}"
        who = known.name if known else credential.owner
        text = credential.subject or credential.expression
        owner = text.partition("repo:")[2].partition("/")[0]
        open_owner = credential.issuer in _OPEN_TO_ALL and ("*" in owner or not owner) and "repo:" in text
        if not text or text.strip("*'") == "" or open_owner:
            message = f"{who} trusts tokens of {credential.issuer} for {text or 'any subject'}"
            yield found(CREDENTIAL, name, message, (credential.because,))
        elif credential.expression and credential.issuer in _OPEN_TO_ALL and "'sub'" not in credential.expression:
            message = (
                f"{who} trusts tokens of {credential.issuer} by {credential.expression}, which does not ask whose"
            )
            yield found(CREDENTIAL, name, message, (credential.because,), Severity.MEDIUM, Confidence.MEDIUM)
        other = [one for one in credential.audiences if one.lower() not in _EXCHANGE and not one.startswith("<")]
        if other or not credential.audiences:
            message = (
                f"{who} takes tokens of {credential.issuer} for the audience {other[0] if other else 'of anyone'}"
            )
            yield found(AUDIENCE, name, message, (credential.because,))
    for principal in estate.principals.values():
        for place in principal.secrets:
            message = f"application {principal.name} has a client secret"
            yield found(CLIENT_SECRET, principal.node, message, (place,))


CHECKS: Final = (_assignments, _public, _resources, _credentials)
