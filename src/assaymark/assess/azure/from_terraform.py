"""The collector of Azure and Entra ID resources that Terraform declares, planned or in HCL.

This is one file because each kind of thing that the providers declare is one step of a few lines, and they are many.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.azure.eligible import ACTIVATED, scoped, times_of
from assaymark.assess.azure.records import Records, permissions_of
from assaymark.assess.azure.terraform_settings import firewall_of, policy_of, settings_of
from assaymark.assess.estate.azure import UNKNOWN_SUBSCRIPTION, DirectoryRole, Federated
from assaymark.assess.terraform.identity_clouds import APIS, AZURE, FRONTS, IDENTITY, shut
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.inputs import Inputs

_PERMISSION: Final = re.compile(r"app_role_ids\W+([A-Za-z.]+)")


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds what Terraform declares."""
    resources = [one for one in estates.terraform if one.kind.startswith(("azurerm_", "azuread_"))]
    if not resources:
        return
    run = _Collecting(Records(inputs, estates.azure))
    for steps in (_FIRST, _SECOND, _THIRD):
        for resource in resources:
            step = steps.get(resource.kind)
            if step is not None:
                step(run, resource)
            elif steps is _SECOND and resource.kind in AZURE:
                _thing(run, resource)


class _Collecting:
    def __init__(self, records: Records) -> None:
        self.records = records
        self.directory: dict[str, str] = {}  # what names a directory role, to its template or name
        self.apps: dict[str, str] = {}  # what names an application, to its client id

    def full(self, identifier: str, kind: str) -> str:
        """The id of a resource: that of one with this name, when its group was not written."""
        key = identifier.lower()
        if "/resourcegroups/-/" not in key:
            return key
        name = key.rpartition("/")[2]
        found = [
            one
            for one, known in self.records.estate.resources.items()
            if known.kind == kind.lower() and one.endswith(f"/{name}")
        ]
        return found[0] if len(found) == 1 else key


def _name(resource: TfResource) -> str:
    return shut(resource.get("name")) or resource.address


def _identifier(resource: TfResource) -> str:
    """Its resource id; one of its own when the provider does not say."""
    return shut(resource.get("id")) or f"/subscriptions/{UNKNOWN_SUBSCRIPTION}/<{resource.address}>"


def _user_assigned(run: _Collecting, resource: TfResource) -> None:
    identifier = _identifier(resource)
    principal = shut(resource.get("principal_id"))
    client = shut(resource.get("client_id"))
    run.records.principal(
        principal, "managed-identity", _name(resource), resource.because(), client=client, resource=identifier
    )
    run.records.resource(
        identifier, AZURE[resource.kind], resource.because(), name=_name(resource), tags=resource.get("tags")
    )


def _application(run: _Collecting, resource: TfResource) -> None:
    client = shut(resource.get("client_id")) or shut(resource.get("application_id"))
    for name in ("id", "object_id", "client_id", "application_id"):
        run.apps[shut(resource.get(name)).lower()] = client
    run.records.principal(
        client, "service-principal", shut(resource.get("display_name")), resource.because(), client=client
    )


def _service_principal(run: _Collecting, resource: TfResource) -> None:
    client = shut(resource.get("client_id")) or shut(resource.get("application_id"))
    key, records = shut(resource.get("object_id")).lower(), run.records
    known = records.estate.principals.pop(client.lower(), None)
    name = known.name if known else shut(resource.get("display_name"))
    records.estate.aliases.pop(client.lower(), None)
    records.principal(
        key,
        "service-principal",
        name or resource.address,
        known.because if known else resource.because(),
        client=client,
    )


def _entra(kind: str) -> Callable[[_Collecting, TfResource], None]:
    def step(run: _Collecting, resource: TfResource) -> None:
        name = shut(resource.get("user_principal_name")) or shut(resource.get("display_name")) or resource.address
        key = run.records.principal(shut(resource.get("object_id")), kind, name, resource.because())
        members = resource.values.get("members")
        for member in members if isinstance(members, list) else ():
            run.records.estate.groups.setdefault(key, {})[shut(member).lower()] = resource.because()

    return step


def _member(run: _Collecting, resource: TfResource) -> None:
    group, member = shut(resource.get("group_object_id")).lower(), shut(resource.get("member_object_id")).lower()
    run.records.estate.groups.setdefault(group, {})[member] = resource.because()


def _password(run: _Collecting, resource: TfResource) -> None:
    named = next(
        (
            shut(resource.values.get(key))
            for key in ("service_principal_id", "application_id", "application_object_id")
            if resource.values.get(key)
        ),
        "",
    ).lower()
    named = named.removeprefix("/applications/").removeprefix("/serviceprincipals/")
    owner = run.apps.get(named, named).lower()
    key = run.records.estate.aliases.get(owner, owner)
    known = run.records.estate.principals.get(key)
    if known is not None:
        run.records.principal(key, known.kind, known.name, known.because, secrets=(resource.because(),))


def _owners(run: _Collecting, resource: TfResource) -> None:
    """Owners of an application or service principal may make credentials of it."""
    target = (shut(resource.get("client_id")) or shut(resource.get("application_id"))).lower()
    for owner in listed(resource.values.get("owners")):
        role = DirectoryRole(shut(owner).lower(), "owner", resource.because("owners"), target)
        run.records.estate.directory.append(role)


def _first(resource: TfResource, *names: str) -> str:
    """The first of these attributes that is written or known; empty for none."""
    return next((found for name in names if (found := shut(resource.get(name)))), "")


def _directory(run: _Collecting, resource: TfResource, opened: tuple[str, ...] = ()) -> None:
    """A directory role, or a permission of an application, that somebody is given."""
    principal = _first(resource, "principal_object_id", "member_object_id", "principal_id")
    named = next(
        (
            text
            for key in ("role_id", "role_object_id", "role_definition_id")
            if (text := shut(resource.values.get(key)))
        ),
        "",
    )
    role = run.directory.get(named.lower(), named) or shut(resource.values.get("app_role_id"))
    match = _PERMISSION.search(role)
    name = (match[1] if match else role).lower()
    opened = (*opened, *scoped(_first(resource, "directory_scope_id", "app_scope_id")))
    run.records.estate.directory.append(DirectoryRole(principal.lower(), name, resource.because(), open=opened))


def _eligible_directory(run: _Collecting, resource: TfResource) -> None:
    _directory(run, resource, (ACTIVATED,))


def _scheduled_member(run: _Collecting, resource: TfResource) -> None:
    estate = run.records.estate
    groups = estate.eligible if "eligibility" in resource.kind else estate.groups
    group, member = shut(resource.get("group_id")).lower(), shut(resource.get("principal_id")).lower()
    groups.setdefault(group, {}).setdefault(member, resource.because())


def _activated(run: _Collecting, resource: TfResource) -> None:
    name = shut(resource.values.get("template_id")) or shut(resource.values.get("display_name"))
    for key in ("template_id", "object_id", "id"):
        run.directory[shut(resource.get(key)).lower()] = name


def _federated(run: _Collecting, resource: TfResource) -> None:
    owner = next(
        (
            shut(resource.values.get(key))
            for key in ("parent_id", "user_assigned_identity_id", "application_id", "application_object_id")
            if resource.values.get(key)
        ),
        "",
    ).lower()
    owner = run.apps.get(owner.removeprefix("/applications/"), owner).lower()
    audiences = resource.get("audience") or resource.get("audiences")
    texts = (
        tuple(shut(one) for one in audiences)
        if isinstance(audiences, list)
        else (shut(audiences),)
        if audiences
        else ()
    )
    issuer = shut(resource.get("issuer")).removeprefix("https://").rstrip("/")
    expression = shut(resource.values.get("claims_matching_expression"))
    run.records.estate.federated.append(
        Federated(owner, issuer, shut(resource.get("subject")), texts, resource.because(), expression)
    )


def _role(run: _Collecting, resource: TfResource) -> None:
    blocks = tuple(one for block in resource.blocks("permissions") for one in permissions_of(block))
    identifier = shut(resource.get("role_definition_id")) or f"<{resource.address}>"
    run.records.role(identifier, shut(resource.get("name")), blocks, resource.because())


def _eligible(run: _Collecting, resource: TfResource) -> None:
    _assignment(run, resource, (ACTIVATED,))


def _assignment(run: _Collecting, resource: TfResource, opened: tuple[str, ...] = ()) -> None:
    principal = shut(resource.get("principal_id"))
    role = shut(resource.values.get("role_definition_id")) or shut(resource.values.get("role_definition_name"))
    scope = run.full(shut(resource.get("scope")), "microsoft.storage/storageaccounts")
    if not principal or not role:
        run.records.reading.skip(resource.file.path, f"{resource.address}: whom or what it assigns", resource.line)
        return
    if not scope.startswith("/"):
        opened = (
            *opened,
            f"what {scope or 'the scope'} of {resource.address} is",
        )
        scope = "/"
    condition = resource.values.get("condition")
    since, until = times_of(resource)
    run.records.assign(
        principal,
        role,
        scope,
        resource.because(),
        kind=shut(resource.get("principal_type")),
        condition=condition if isinstance(condition, str) else None,
        opened=opened,
        since=since,
        until=until,
    )


def _identities(resource: TfResource, run: _Collecting) -> tuple[str, ...]:
    """The object ids of what a resource runs as."""
    found = []
    for name in IDENTITY:
        if name == "kubelet_identity" and resource.kind != "azurerm_kubernetes_cluster":
            continue
        blocks = resource.blocks(name)
        if name == "kubelet_identity" and not blocks:
            found.append(f"<{resource.address}.{name}.principal_id>")
        for block in blocks:
            kinds = str(block.get("type", "")).lower()
            if "systemassigned" in kinds.replace(" ", "") or (not kinds and name == "kubelet_identity"):
                found.append(shut(block.get("principal_id")) or f"<{resource.address}.{name}.principal_id>")
            named = block.get("identity_ids")
            for one in [named] if isinstance(named, str) else listed(named):
                key = shut(one).lower()
                found.append(run.records.estate.aliases.get(key, key))
            if name == "kubelet_identity" and block.get("user_assigned_identity_id"):
                key = shut(block["user_assigned_identity_id"]).lower()
                found.append(run.records.estate.aliases.get(key, key))
    return tuple(found)


def _thing(run: _Collecting, resource: TfResource) -> None:
    identities = _identities(resource, run)
    settings: dict[str, object] = {key: value for key, value in resource.values.items() if value is not None}
    settings |= {"terraform": resource.address, **settings_of(resource)}
    identifier = run.records.resource(
        _identifier(resource),
        AZURE[resource.kind],
        resource.because(),
        name=_name(resource),
        identities=identities,
        tags=resource.get("tags"),
        settings=settings,
    )
    for one in identities:
        if one.startswith("<") and one.lower() not in run.records.estate.principals:
            run.records.principal(
                one,
                "managed-identity",
                f"identity of {_name(resource)}",
                resource.because(),
                resource="" if "kubelet" in one else identifier,
            )


def _network_rules(run: _Collecting, resource: TfResource) -> None:
    """The rules of a storage account's firewall, as a resource of their own."""
    account = run.full(shut(resource.get("storage_account_id")), "Microsoft.Storage/storageAccounts")
    known = run.records.estate.resources.get(account)
    if known is not None and known.settings.get("firewall") != "deny":
        rules = firewall_of([resource.values], off=False)
        run.records.estate.resources[account] = replace(known, settings={**known.settings, **rules})


def _access_policy(run: _Collecting, resource: TfResource) -> None:
    vault = shut(resource.get("key_vault_id")).lower()
    known = run.records.estate.resources.get(vault)
    if known is None:
        run.records.resource(
            vault, "Microsoft.KeyVault/vaults", resource.because(), settings={"rbac": False, "policies": []}
        )
        known = run.records.estate.resources[vault]
    policies = known.settings.get("policies")
    if isinstance(policies, list):
        policies.append({**policy_of(resource.values), "because": resource.because()})


def _container(run: _Collecting, resource: TfResource) -> None:
    identifier = run.full(_identifier(resource).partition("/blobServices/")[0], "Microsoft.Storage/storageAccounts")
    public = str(resource.get("container_access_type") or "private").lower()
    whole = f"{identifier}/blobservices/default/containers/{shut(resource.get('name')).lower()}"
    run.records.resource(
        whole,
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        resource.because(),
        name=_name(resource),
        settings={"public": public, "terraform": resource.address},
    )


def _inner(kind: str) -> Callable[[_Collecting, TfResource], None]:
    def step(run: _Collecting, resource: TfResource) -> None:
        run.records.resource(
            _identifier(resource),
            kind,
            resource.because(),
            name=_name(resource),
            settings={"terraform": resource.address},
        )

    return step


def _part(run: _Collecting, resource: TfResource) -> None:
    """A part of what passes on what comes: a rule, a pool, a route, an API."""
    if resource.kind in FRONTS:
        _, parent, collection = FRONTS[resource.kind]
        kind = f"{parent}/{collection}"
    else:
        kind = "/".join(("Microsoft.ApiManagement/service", *(one for _, one in APIS[resource.kind])))
    settings: dict[str, object] = {key: value for key, value in resource.values.items() if value is not None}
    settings["terraform"] = resource.address
    run.records.resource(_identifier(resource), kind, resource.because(), name=_name(resource), settings=settings)


def _group(run: _Collecting, resource: TfResource) -> None:
    run.records.estate.scopes[_identifier(resource).lower()] = resource.because()


def _management(run: _Collecting, resource: TfResource) -> None:
    place = _identifier(resource).lower()
    run.records.estate.scopes[place] = resource.because()
    parent = shut(resource.values.get("parent_management_group_id")).lower()
    if parent:
        run.records.estate.parents[place] = parent
    for one in listed(resource.get("subscription_ids")):
        run.records.estate.parents[f"/subscriptions/{shut(one).lower()}"] = place


def _associated(run: _Collecting, resource: TfResource) -> None:
    run.records.estate.parents[shut(resource.get("subscription_id")).lower()] = shut(
        resource.get("management_group_id")
    ).lower()


_PARTS: Final[dict[str, Callable[[_Collecting, TfResource], None]]] = dict.fromkeys((*FRONTS, *APIS), _part)
_FIRST: Final[dict[str, Callable[[_Collecting, TfResource], None]]] = {
    "azuread_directory_role": _activated,
    "azurerm_user_assigned_identity": _user_assigned,
    "azuread_application": _application,
    "azuread_application_registration": _application,
    "azurerm_resource_group": _group,
    "azurerm_management_group": _management,
    "azurerm_management_group_subscription_association": _associated,
    "azurerm_role_definition": _role,
    "azuread_user": _entra("user"),
    "azuread_group": _entra("group"),
}
_SECOND: Final[dict[str, Callable[[_Collecting, TfResource], None]]] = {
    "azurerm_user_assigned_identity": lambda _run, _resource: None,
    "azuread_service_principal": _service_principal,
}
_THIRD: Final[dict[str, Callable[[_Collecting, TfResource], None]]] = {
    "azuread_application": _owners,
    "azuread_service_principal": _owners,
    "azuread_app_role_assignment": _directory,
    "azuread_directory_role_assignment": _directory,
    "azuread_directory_role_member": _directory,
    "azuread_group_member": _member,
    "azuread_application_password": _password,
    "azuread_service_principal_password": _password,
    "azuread_application_federated_identity_credential": _federated,
    "azuread_application_flexible_federated_identity_credential": _federated,
    "azurerm_federated_identity_credential": _federated,
    "azurerm_role_assignment": _assignment,
    "azurerm_pim_active_role_assignment": _assignment,
    "azurerm_pim_eligible_role_assignment": _eligible,
    "azuread_directory_role_eligibility_schedule_request": _eligible_directory,
    "azuread_privileged_access_group_assignment_schedule": _scheduled_member,
    "azuread_privileged_access_group_eligibility_schedule": _scheduled_member,
    "azurerm_key_vault_access_policy": _access_policy,
    "azurerm_key_vault_key": _inner("Microsoft.KeyVault/vaults/keys"),
    "azurerm_key_vault_secret": _inner("Microsoft.KeyVault/vaults/secrets"),
    "azurerm_cognitive_deployment": _inner("Microsoft.CognitiveServices/accounts/deployments"),
    "azurerm_storage_account_network_rules": _network_rules,
    "azurerm_storage_container": _container,
    **_PARTS,
}
