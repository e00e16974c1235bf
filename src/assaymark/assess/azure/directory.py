"""Edges by rights in the directory: who may make itself administrator of the tenant, or credentials of applications.

Source: Microsoft Entra ID, "Microsoft Entra built-in roles"; Microsoft Graph, "Permissions reference"; Azure RBAC,
"Elevate access to manage all Azure subscriptions and management groups".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import Answer
from assaymark.assess.azure.linking import administrator
from assaymark.core.graph import State

if TYPE_CHECKING:
    from assaymark.assess.azure.linking import Linking
    from assaymark.assess.estate.azure import DirectoryRole

# Directory roles and application permissions by GUID and name: what may become an administrator of the tenant.
_TENANT: Final = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
    "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": "RoleManagement.ReadWrite.Directory",
    "06b708a9-e830-4db3-a914-8e69da51d44f": "AppRoleAssignment.ReadWrite.All",
}
# What may make credentials of every application.
_APPLICATIONS: Final = {
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": "Application.ReadWrite.All",
}
# What may put itself into groups that are not reserved for directory roles.
_GROUPS: Final = {
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "62a82d76-70ea-41e2-9197-370581804d09": "Group.ReadWrite.All",
    "dbaae8cf-10b5-4b86-a4a1-f871c94c6695": "GroupMember.ReadWrite.All",
    "19dbc75e-c2e2-444c-a770-ec69d8559fc7": "Directory.ReadWrite.All",
}


def link_directory(run: Linking) -> None:
    """Draws what rights in the directory lead to."""
    for right in run.estate.directory:
        key = run.estate.aliases.get(right.principal, right.principal)
        source = f"azure:principal:{key}"
        if not run.builder.has(source):
            run.builder.node(source, "user", key, (right.because,), boundary={"cloud": "azure"}, entry="principal")
        answer = Answer(State.YES, (right.because,))
        for text in right.open:
            answer = answer.unless(text)
        if name := _named(right, _TENANT):
            _tenant(run, source, name, answer)
        elif name := _named(right, _APPLICATIONS):
            for principal in run.principals:
                if principal.kind == "service-principal":
                    how = f"it may make credentials of every application ({name})"
                    run.draw(source, principal.node, "resets", how, answer)
        elif name := _named(right, _GROUPS):
            for principal in run.principals:
                if principal.kind == "group":
                    how = f"it may add itself to the group ({name})"
                    text = f"{principal.name} is not a group that directory roles may be assigned to"
                    run.draw(source, principal.node, "escalates", how, answer.unless(text))
        elif right.role == "owner" and right.target:
            target = run.estate.aliases.get(right.target, right.target)
            how = "it owns the application and may make credentials of it"
            run.draw(source, f"azure:principal:{target}", "resets", how, answer)


def _named(right: DirectoryRole, table: dict[str, str]) -> str:
    names = {name.lower(): name for name in table.values()}
    return table.get(right.role, "") or names.get(right.role, "")


def _tenant(run: Linking, source: str, name: str, answer: Answer) -> None:
    node = administrator("/")
    run.builder.node(
        node,
        "administrator",
        "administrator of the tenant",
        answer.because,
        boundary={"cloud": "azure"},
        target="administrator",
    )
    run.draw(source, node, "escalates", f"its rights in the directory make it one ({name})", answer)
    how = "an administrator of the tenant may elevate its access to every subscription"
    for scope in run.subscriptions:
        run.draw(node, administrator(scope), "escalates", how, answer)
