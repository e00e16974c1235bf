"""Edges of privilege escalation on Azure: role assignments, code in what runs as an identity, new credentials.

Source: Azure's resource provider operations, by provider, and each service's documentation of what an action does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.azure.linking import administrator, assigning
from assaymark.assess.azure.roles import ACCESS_ADMINISTRATOR, CONTRIBUTOR, OWNER, RBAC_ADMINISTRATOR
from assaymark.core.graph import State

if TYPE_CHECKING:
    from assaymark.assess.azure.linking import Linking
    from assaymark.assess.estate.azure import Principal, Resource

_ASSIGN: Final = "Microsoft.Authorization/roleAssignments/write"
_DEFINE: Final = "Microsoft.Authorization/roleDefinitions/write"
_IDENTITY: Final = "microsoft.managedidentity/userassignedidentities"
_AKS: Final = "data:Microsoft.ContainerService/managedClusters"
# What runs code in a resource of a type: it then has the identities of the resource.
_RUNS: Final[dict[str, tuple[str, ...]]] = {
    "microsoft.compute/virtualmachines": (
        "Microsoft.Compute/virtualMachines/runCommand/action",
        "Microsoft.Compute/virtualMachines/runCommands/write",
        "Microsoft.Compute/virtualMachines/extensions/write",
        "Microsoft.Compute/virtualMachines/write",
        "data:Microsoft.Compute/virtualMachines/loginAsAdmin/action",
        "data:Microsoft.Compute/virtualMachines/login/action",
    ),
    "microsoft.compute/virtualmachinescalesets": (
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommand/action",
        "Microsoft.Compute/virtualMachineScaleSets/extensions/write",
        "Microsoft.Compute/virtualMachineScaleSets/write",
    ),
    "microsoft.web/sites": (
        "Microsoft.Web/sites/publish/Action",
        "Microsoft.Web/sites/config/list/Action",
        "Microsoft.Web/sites/publishxml/Action",
        "Microsoft.Web/sites/host/listkeys/action",
        "Microsoft.Web/sites/functions/write",
        "Microsoft.Web/sites/sourcecontrols/write",
        "Microsoft.Web/sites/write",
    ),
    "microsoft.containerservice/managedclusters": (
        "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
        "Microsoft.ContainerService/managedClusters/runcommand/action",
        "Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action",
        "Microsoft.ContainerService/managedClusters/write",
        f"{_AKS}/pods/write",
        f"{_AKS}/pods/exec/action",
        f"{_AKS}/apps/deployments/write",
    ),
    "microsoft.containerinstance/containergroups": (
        "Microsoft.ContainerInstance/containerGroups/containers/exec/action",
        "Microsoft.ContainerInstance/containerGroups/write",
    ),
    "microsoft.automation/automationaccounts": (
        "Microsoft.Automation/automationAccounts/runbooks/draft/write",
        "Microsoft.Automation/automationAccounts/runbooks/write",
        "Microsoft.Automation/automationAccounts/write",
    ),
    "microsoft.logic/workflows": ("Microsoft.Logic/workflows/write",),
    "microsoft.app/containerapps": (
        "Microsoft.App/containerApps/write",
        "Microsoft.App/containerApps/getAuthToken/action",
        "data:Microsoft.App/containerApps/exec/action",
    ),
    "microsoft.app/jobs": ("Microsoft.App/jobs/write", "data:Microsoft.App/jobs/exec/action"),
    "microsoft.batch/batchaccounts": (
        "Microsoft.Batch/batchAccounts/listKeys/action",
        "Microsoft.Batch/batchAccounts/write",
    ),
    "microsoft.datafactory/factories": (
        "Microsoft.DataFactory/factories/pipelines/write",
        "Microsoft.DataFactory/factories/write",
    ),
    "microsoft.databricks/workspaces": ("Microsoft.Databricks/workspaces/write",),
    "microsoft.synapse/workspaces": ("Microsoft.Synapse/workspaces/write",),
    "microsoft.machinelearningservices/workspaces": (
        "Microsoft.MachineLearningServices/workspaces/jobs/write",
        "Microsoft.MachineLearningServices/workspaces/experiments/runs/submit/action",
        "Microsoft.MachineLearningServices/workspaces/write",
    ),
    "microsoft.machinelearningservices/workspaces/computes": (
        "Microsoft.MachineLearningServices/workspaces/jobs/write",
        "Microsoft.MachineLearningServices/workspaces/experiments/runs/submit/action",
        "Microsoft.MachineLearningServices/workspaces/computes/applicationaccess/action",
        "Microsoft.MachineLearningServices/workspaces/computes/write",
    ),
    "microsoft.machinelearningservices/workspaces/onlineendpoints": (
        "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/write",
    ),
}


# What gives credentials of a cluster's local accounts, while it has some.
_LOCAL_ACCOUNTS: Final = (
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
    "Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action",
)


@dataclass(frozen=True, slots=True)
class Start:
    """Something that can be made to run as a user-assigned identity, and what making it takes."""

    action: str
    what: str


STARTS: Final = (
    Start("Microsoft.Compute/virtualMachines/write", "a virtual machine"),
    Start("Microsoft.Compute/virtualMachineScaleSets/write", "a scale set"),
    Start("Microsoft.ContainerInstance/containerGroups/write", "a container group"),
    Start("Microsoft.Web/sites/write", "a web or function app"),
    Start("Microsoft.App/containerApps/write", "a container app"),
    Start("Microsoft.MachineLearningServices/workspaces/computes/write", "compute of Azure ML"),
    Start("Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write", "an endpoint of Azure ML"),
    Start("Microsoft.Automation/automationAccounts/write", "an automation account"),
    Start("Microsoft.Logic/workflows/write", "a logic app"),
    Start("Microsoft.DataFactory/factories/write", "a data factory"),
    Start("Microsoft.Resources/deploymentScripts/write", "a deployment script"),
)


def link_escalations(run: Linking) -> None:
    """Draws who can become whom."""
    for principal in run.principals:
        for scope in sorted({one.scope for one, _ in run.access.held(principal.id)}):
            _assigns(run, principal, scope)
        for resource in run.within(principal.id):
            if run.owns(principal.id, resource.id):
                continue
            actions = _RUNS.get(resource.kind, ())
            if resource.settings.get("local_accounts") is False:  # whoever may write the cluster turns them on again
                actions = tuple(one for one in actions if one not in _LOCAL_ACCOUNTS)
            answer, action = run.any_of(principal.id, actions, resource.id)
            if action.startswith(
                ("Microsoft.ContainerService/managedClusters/pods", "Microsoft.ContainerService/managedClusters/apps")
            ) and not resource.settings.get("azure_rbac", True):
                answer = NO
            run.draw(principal.node, resource.id, "takes-over", f"it may run code in it ({action})", answer)
            if resource.kind == _IDENTITY:
                _identity(run, principal, resource)


def _assigns(run: Linking, principal: Principal, scope: str) -> None:
    """Who may assign roles, or change what its own role allows, at a scope may administer it."""
    node = administrator(scope)
    if not run.builder.has(node) or run.owns(principal.id, scope):
        return
    best = NO
    for role in (OWNER, ACCESS_ADMINISTRATOR, RBAC_ADMINISTRATOR, CONTRIBUTOR):
        answer = run.access.can(principal.id, _ASSIGN, scope, attributes=assigning(principal, role))
        best = best.either(answer)
    run.draw(principal.node, node, "escalates", f"it may assign itself any role there ({_ASSIGN})", best)
    answer = run.access.can(principal.id, _DEFINE, scope)
    if answer.state is not State.NO:
        for assignment, lines in run.access.held(principal.id):
            known = run.access.roles.get(assignment.role)
            if known is not None and known.because is not None and assignment.scope == scope:
                how = f"it may put every action into its own role {known.name} ({_DEFINE})"
                whole = answer.both(Answer(State.YES, (*lines, assignment.because)))
                run.draw(principal.node, node, "escalates", how, whole)


def _identity(run: Linking, principal: Principal, resource: Resource) -> None:
    """Who may give an identity to something that it starts, or let tokens of its own count as the identity."""
    key = run.estate.aliases.get(resource.id, "")
    target = f"azure:principal:{key}"
    action = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"
    answer = run.access.can(principal.id, action, resource.id)
    run.draw(principal.node, target, "resets", f"it may let its own tokens count as the identity ({action})", answer)
    assign = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
    may = run.access.can(principal.id, assign, resource.id)
    if may.state is State.NO:
        return
    scopes = {one.scope for one, _ in run.access.held(principal.id)}
    places = [*sorted(scopes), *(one.id for one in run.within(principal.id))]
    for start in STARTS:
        for place in places:
            whole = run.access.can(principal.id, start.action, place).both(may)
            if whole.state is not State.NO:
                how = f"it could make {start.what} that runs as the identity ({start.action}, {assign})"
                run.draw(principal.node, target, "passes-role", how, whole)
                if whole.state is State.YES:
                    return
