"""The collector of what the Azure CLI and API write: assignments, roles, principals, resources, credentials.

Each document is known by its content; what the API has under ``properties`` the CLI has beside the id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.azure.documents import field, items, text
from assaymark.assess.azure.eligible import read_schedule
from assaymark.assess.azure.records import Records, permissions_of
from assaymark.assess.azure.shapes import identities_of, settings_of
from assaymark.assess.azure.site_prints import read_site_print
from assaymark.assess.azure.used import uses
from assaymark.assess.estate.azure import DenyAssignment, DirectoryRole, Federated
from assaymark.assess.estate.use import once
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_IDENTITY: Final = "microsoft.managedidentity/userassignedidentities"
_ML: Final = "/providers/microsoft.machinelearningservices/"
_CREDENTIAL: Final = "/federatedidentitycredentials/"


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds what the documents of the input say; principals before what is assigned to them."""
    records = Records(inputs, estates.azure)
    documents = [(file, one) for file, value in inputs.maps() for one in items(value)]
    for passes in (_principals, read_resource, read_site_print, read_rest):
        for file, value in documents:
            if passes(records, file, value):
                inputs.reading.read.add(file.path)
    estates.azure.uses += once(uses(inputs, estates.azure))


def _principals(records: Records, file: SourceFile, value: Map) -> bool:
    because = file.because(value.line)
    identifier, name = text(value, "id", "objectId"), text(value, "displayName", "name")
    if text(value, "type").lower() == _IDENTITY and text(value, "principalId"):
        key = text(value, "principalId")
        records.principal(
            key,
            "managed-identity",
            text(value, "name"),
            because,
            client=text(value, "clientId"),
            resource=text(value, "id"),
        )
        records.resource(text(value, "id"), _IDENTITY, because, name=text(value, "name"), tags=value.get("tags"))
        return True
    if "appId" in value and identifier and not identifier.startswith("/"):
        kind = "managed-identity" if value.get("servicePrincipalType") == "ManagedIdentity" else "service-principal"
        secrets = tuple(
            file.because(one.line)
            for word in ("passwordCredentials", "keyCredentials")
            for one in listed(value.get(word))
            if isinstance(one, Map)
        )
        client = text(value, "appId")
        application = "servicePrincipalType" not in value and ("signInAudience" in value or "identifierUris" in value)
        if application:  # an application acts by its service principal, which is named by the same client id
            key = records.estate.aliases.get(client.lower(), client)
            records.principal(key, "service-principal", name, because, client=client, secrets=secrets)
            records.estate.aliases[identifier.lower()] = key.lower()
        else:
            _take_over(records, client, identifier)
            records.principal(identifier, kind, name, because, client=client, secrets=secrets)
        return True
    if "userPrincipalName" in value and identifier:
        records.principal(identifier, "user", text(value, "userPrincipalName"), because)
        return True
    if "securityEnabled" in value and "mailEnabled" in value and identifier:
        key = records.principal(identifier, "group", name, because)
        for member in listed(value.get("members")):
            if isinstance(member, Map) and isinstance(member.get("id"), str):
                records.estate.groups.setdefault(key, {})[str(member["id"]).lower()] = file.because(member.line)
        return True
    return False


def _take_over(records: Records, client: str, identifier: str) -> None:
    """What was said of an application before its service principal was read is of the service principal."""
    known = records.estate.principals.pop(client.lower(), None)
    if known is not None:
        for alias, key in list(records.estate.aliases.items()):
            if key == known.id:
                records.estate.aliases[alias] = identifier.lower()
        records.principal(
            identifier, "service-principal", known.name, known.because, client=client, secrets=known.secrets
        )


def read_resource(records: Records, file: SourceFile, value: Map) -> bool:
    """Adds a resource, subscription or group that a document describes; whether it was one."""
    identifier, kind = text(value, "id"), text(value, "type")
    if "/" not in kind and _ML in identifier.lower():  # which ``az ml`` does not say
        kind = _kind_of(identifier)
    if (
        not identifier.lower().startswith("/subscriptions/")
        or "/providers/" not in identifier.lower()
        or "/" not in kind
    ):
        return _groups(records, file, value)
    if kind.lower().startswith("microsoft.authorization/") or _CREDENTIAL in identifier.lower():
        return False
    because = file.because(value.line)
    settings = settings_of(kind.lower(), value)
    found = identities_of(value)
    named = [records.estate.aliases.get(one, one) for one in found.assigned]
    if found.system:
        records.principal(
            found.system, "managed-identity", f"identity of {text(value, 'name')}", because, resource=identifier
        )
        named.append(found.system)
    for key, client, one in found.known:
        if key:
            records.principal(key, "managed-identity", one.rpartition("/")[2], because, client=client, resource=one)
            named.append(key)
    records.resource(
        identifier,
        kind,
        because,
        name=text(value, "name"),
        identities=tuple(named),
        tags=value.get("tags"),
        settings=settings,
    )
    return True


def _kind_of(identifier: str) -> str:
    """The type of a resource, by its id."""
    namespace, *parts = identifier.rpartition("/providers/")[2].split("/")
    return "/".join((namespace, *parts[::2]))


def _groups(records: Records, file: SourceFile, value: Map) -> bool:
    """Subscriptions, resource groups and management groups."""
    because, identifier, kind = file.because(value.line), text(value, "id").lower(), text(value, "type").lower()
    if kind == "microsoft.resources/resourcegroups" or (
        "/resourcegroups/" in identifier and "/providers/" not in identifier
    ):
        records.estate.scopes[identifier] = because
        return True
    if "tenantId" in value and ("isDefault" in value or "homeTenantId" in value or "subscriptionId" in value):
        word = text(value, "subscriptionId") or identifier
        records.estate.scopes[f"/subscriptions/{word.lower().removeprefix('/subscriptions/')}"] = because
        return True
    if "managementgroups" in kind and "/managementgroups/" in identifier:
        records.estate.scopes[identifier] = because
        for child in listed(field(value, "children")):
            if isinstance(child, Map) and isinstance(child.get("id"), str):
                records.estate.parents[str(child["id"]).lower()] = identifier
                _groups(records, file, child)
        return True
    return False


def read_rest(records: Records, file: SourceFile, value: Map) -> bool:
    """Adds an assignment, role, deny assignment or federated credential; whether it was one."""
    because = file.because(value.line)
    if read_schedule(records, file, value):
        return True
    if text(value, "roleDefinitionId") and text(value, "principalId") and text(value, "scope"):
        role = text(value, "roleDefinitionId")
        condition = text(value, "condition") or None
        records.assign(
            text(value, "principalId"),
            role,
            text(value, "scope"),
            because,
            kind=text(value, "principalType"),
            name=text(value, "principalName"),
            condition=condition,
        )
        return True
    if text(value, "principalId") and text(value, "appRoleId"):
        role = text(value, "appRoleId")
        found = DirectoryRole(text(value, "principalId").lower(), role.lower(), because)
        records.estate.directory.append(found)
        return True
    permissions = field(value, "permissions")
    if (isinstance(permissions, list) and text(value, "denyAssignmentName", "denyAssignmentId")) or isinstance(
        field(value, "excludePrincipals"), list
    ):
        return _deny(records, value, permissions, because)
    if isinstance(permissions, list) and (text(value, "roleName") or text(value, "roleType")):
        records.role(text(value, "name", "id"), text(value, "roleName"), permissions_of(permissions), because)
        return True
    if isinstance(value.get("Actions"), list) and "AssignableScopes" in value:
        records.role(
            str(value.get("Id") or value.get("Name")), str(value.get("Name")), permissions_of(value), because
        )
        return True
    if text(value, "issuer") and (text(value, "subject") or field(value, "claimsMatchingExpression")):
        return _federated(records, file, value)
    return False


def _deny(records: Records, value: Map, permissions: Any, because: Any) -> bool:
    def ids(name: str) -> tuple[str, ...]:
        found = field(value, name)
        return (
            tuple(str(one.get("id", "")).lower() for one in found if isinstance(one, Map))
            if isinstance(found, list)
            else ()
        )

    records.estate.denies = records.estate.denies or []
    scope = text(value, "scope").lower().rstrip("/") or "/"
    children = field(value, "doNotApplyToChildScopes") is not True
    records.estate.denies.append(
        DenyAssignment(
            scope,
            ids("principals"),
            ids("excludePrincipals"),
            permissions_of(permissions),
            because,
            children,
            text(value, "condition") or None,
        )
    )
    return True


def _federated(records: Records, file: SourceFile, value: Map) -> bool:
    identifier = text(value, "id").lower()
    owner = identifier.partition(_CREDENTIAL)[0] if _CREDENTIAL in identifier else ""
    if not owner:
        known = [
            one
            for one in records.estate.principals.values()
            if one.client and (one.client in file.path.lower() or one.name.lower() in file.path.lower())
        ]
        if len(known) != 1:
            records.reading.skip(file.path, "a federated credential whose application no file names", value.line)
            return True
        owner = known[0].id
    audiences = field(value, "audiences")
    expression = field(value, "claimsMatchingExpression")
    claims = str(expression.get("value", "")) if isinstance(expression, Map) else ""
    records.estate.federated.append(
        Federated(
            owner,
            text(value, "issuer").removeprefix("https://").rstrip("/"),
            text(value, "subject"),
            tuple(str(one) for one in audiences) if isinstance(audiences, list) else (),
            file.because(value.line),
            claims,
        )
    )
    return True
