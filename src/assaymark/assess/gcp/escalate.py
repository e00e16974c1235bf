"""Edges of privilege escalation on Google Cloud: impersonation, keys, policies, roles, and code that runs as others.

Source: Google Cloud IAM, "Roles for service account authentication", "Service account impersonation", and each
service's page on which permissions deploying needs (``iam.serviceAccounts.actAs`` on the account it runs as).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.estate.gcp import IAM, MANAGER
from assaymark.assess.gcp.constraints import CROSS_PROJECT, KEYS, enforced, unless_enforced
from assaymark.assess.gcp.federation import pooled
from assaymark.assess.gcp.linking import administrator
from assaymark.assess.gcp.names import project
from assaymark.core.graph import State

if TYPE_CHECKING:
    from assaymark.assess.estate.gcp import Resource
    from assaymark.assess.gcp.linking import Linking

_ACT: Final = "iam.serviceAccounts.actAs"
_KEY: Final = "iam.serviceAccountKeys.create"
# What control of a service account takes: permission, relation, what is done, effort.
_ACCOUNT: Final = (
    ("iam.serviceAccounts.getAccessToken", "impersonates", "it may make access tokens of it", 1),
    (_KEY, "resets", "it may make keys of it", 1),
    ("iam.serviceAccounts.signJwt", "impersonates", "it may sign as it and trade that for a token", 1),
    ("iam.serviceAccounts.signBlob", "impersonates", "it may sign as it and trade that for a token", 1),
    ("iam.serviceAccounts.setIamPolicy", "escalates", "it may let itself impersonate it", 1),
)


@dataclass(frozen=True, slots=True)
class Start:
    """A way to start something that runs as a chosen service account: what it takes in the project."""

    permissions: tuple[str, ...]
    how: str


STARTS: Final = (
    Start(("compute.instances.create",), "start a virtual machine"),
    Start(("cloudfunctions.functions.create",), "deploy a function"),
    Start(("run.services.create",), "deploy a Cloud Run service"),
    Start(("run.jobs.create", "run.jobs.run"), "run a Cloud Run job"),
    Start(("aiplatform.customJobs.create",), "start a custom training job of Vertex AI"),
    Start(("aiplatform.pipelineJobs.create",), "start a pipeline of Vertex AI"),
    Start(("aiplatform.notebookRuntimes.assign",), "start a runtime of Colab Enterprise"),
    Start(("aiplatform.endpoints.deploy", "aiplatform.models.upload"), "deploy a model with code of its own"),
    Start(("notebooks.instances.create",), "start a notebook"),
    Start(("ml.jobs.create",), "start a training job of AI Platform"),
    Start(("cloudbuild.builds.create",), "start a build"),
    Start(("dataflow.jobs.create",), "start a Dataflow job"),
    Start(("dataproc.clusters.create", "dataproc.jobs.create"), "start a Dataproc cluster"),
    Start(("composer.environments.create",), "start a Composer environment"),
    Start(("cloudscheduler.jobs.create",), "schedule calls with its tokens"),
    Start(("workflows.workflows.create", "workflows.executions.create"), "run a workflow"),
    Start(("appengine.versions.create", "appengine.applications.get"), "deploy an App Engine version"),
    Start(("batch.jobs.create",), "start a Batch job"),
    Start(("container.clusters.create",), "start a cluster"),
    Start(("eventarc.triggers.create",), "make a trigger that calls as it"),
)
# What changes the code that runs in a resource of a kind; with ``actAs`` on the account that it runs as.
_CHANGES: Final[dict[str, tuple[str, ...]]] = {
    "run:service": ("run.services.update",),
    "run:job": ("run.jobs.update", "run.jobs.runWithOverrides"),
    "cloudfunctions:function": ("cloudfunctions.functions.update", "cloudfunctions.functions.sourceCodeSet"),
    "compute:instance": (
        "compute.instances.setMetadata",
        "compute.instances.osAdminLogin",
        "compute.projects.setCommonInstanceMetadata",
    ),
    "notebooks:instance": (
        "notebooks.instances.update",
        "notebooks.instances.use",
    ),
    "composer:environment": ("composer.environments.update",),
    "workflows:workflow": ("workflows.workflows.update",),
    "aiplatform:endpoint": ("aiplatform.endpoints.deploy",),
    "cloudbuild:trigger": ("cloudbuild.builds.create", "cloudbuild.builds.update"),
}
_FREE: Final[dict[str, tuple[str, ...]]] = {  # these ask for no ``actAs``
    "container:cluster": (
        "container.pods.exec",
        "container.pods.create",
        "container.deployments.create",
        "container.jobs.create",
    ),
    "dataproc:cluster": ("dataproc.jobs.create",),
    "run:job": ("run.jobs.runWithOverrides",),
}
# Who may do one of these in the project of a workload identity pool may have it take tokens of its own.
_PROVIDERS: Final = ("iam.workloadIdentityPoolProviders.create", "iam.workloadIdentityPoolProviders.update")
_HMAC: Final = "storage.hmacKeys.create"
_POLICY: Final = {
    "projects": "resourcemanager.projects.setIamPolicy",
    "folders": "resourcemanager.folders.setIamPolicy",
    "organizations": "resourcemanager.organizations.setIamPolicy",
}


# Google's own agents, by what their emails hold: code that a user starts there without ``actAs`` runs as them.
AGENTS: Final = (
    ("@gcp-sa-aiplatform-cc.", "aiplatform.customJobs.create", "start a custom training job of Vertex AI"),
    ("@gcp-sa-aiplatform-re.", "aiplatform.reasoningEngines.create", "deploy an agent of Vertex AI"),
    ("@cloudbuild.gserviceaccount.com", "cloudbuild.builds.create", "start a build"),
    ("@cloudservices.gserviceaccount.com", "deploymentmanager.deployments.create", "make a deployment"),
)


def link_agents(run: Linking) -> None:
    """Draws who starts code that runs as an agent of Google's, in the projects where the agent has roles."""
    for agent in [one for one in run.members if one.startswith("serviceAccount:")]:
        for mark, permission, what in AGENTS:
            if mark in agent:
                homes = [one for one in run.projects if project(one) in run.access.held(agent)]
                for member in run.members:
                    for home in homes:
                        answer = run.access.can(member, permission, project(home)) if member != agent else NO
                        how = f"it could {what}, which runs as the agent without a service account ({permission})"
                        run.draw(run.node_of(member), run.node_of(agent), "passes-role", how, answer)


def link_escalations(run: Linking) -> None:
    """Draws who can become whom."""
    for member in run.members:
        node = run.node_of(member)
        _policies(run, member, node)
        for email in run.accounts_of(member):
            name = run.access.account(email)
            if name == node or _administers(run, member, name):
                continue
            for permission, relation, how, effort in _ACCOUNT:
                answer = run.access.can(member, permission, name)
                if permission == _KEY and answer.state is not State.NO:
                    answer, how = _key(run, name, answer, how)  # noqa: PLW2901 - what is left to do
                if answer.state is not State.NO:
                    run.draw(node, name, relation, f"{how} ({permission})", answer, effort)
            _start(run, member, node, email, name)
            home = name.removeprefix(f"{IAM}projects/").partition("/")[0]
            answer = run.access.can(member, _HMAC, project(home))
            answer = answer.unless("what it wants of the account is in Cloud Storage, which takes such keys")
            run.draw(node, name, "resets", f"it may make HMAC keys of it ({_HMAC})", answer, 1)
        _pools(run, member, node)
        for resource in run.within(member):
            if not _administers(run, member, resource.name):
                _change(run, member, node, resource)
    _delegation(run)


def _pools(run: Linking, member: str, node: str) -> None:
    """Who may add a provider to a pool, or change one, makes tokens that count as any principal of the pool."""
    for other in run.members:
        selected = pooled(other)
        if selected is None or selected.pool.endswith(".svc.id.goog"):
            continue
        home = run.estate.numbers.get(selected.project, selected.project)
        known = home in run.projects or not home.isdigit()
        for place in [home] if known else run.projects_of(member):
            answer, permission = run.any_of(member, _PROVIDERS, project(place))
            if answer.state is State.NO or (member, project(place)) in run.administrators:
                continue
            answer = answer if known else answer.unless(f"{place} is the project of number {home}")
            how = f"it may have the pool {selected.pool} take tokens of its own ({permission})"
            run.draw(node, other, "resets", how, answer)


def _key(run: Linking, name: str, answer: Answer, how: str) -> tuple[Answer, str]:
    """What constraints leave of making keys: the permission is that of uploading one's own key, too."""
    made = unless_enforced(run.access, KEYS[0], name, answer)
    if made.state is State.YES:
        return made, how
    uploaded = unless_enforced(run.access, KEYS[1], name, answer)
    return (
        (made, how) if uploaded.state is State.NO else (uploaded.either(made), "it may upload a key of its own to it")
    )


def _administers(run: Linking, member: str, name: str) -> bool:
    return any((member, place) in run.administrators for place in run.access.chain(name))


def _policies(run: Linking, member: str, node: str) -> None:
    """Who may set the policy of a project, folder or organisation may give itself every role there."""
    for place in run.access.held(member):
        kind = place.removeprefix(MANAGER).partition("/")[0]
        if place.startswith(MANAGER) and kind in _POLICY and (member, place) not in run.administrators:
            for below in {kind, "projects"}:
                answer = run.access.can(member, _POLICY[below], place)
                if answer.state is State.NO:
                    continue
                inner = (
                    [place]
                    if below == kind
                    else [project(one) for one in run.projects if place in run.access.chain(project(one))]
                )
                for one in inner:
                    how = f"it may give itself every role there ({_POLICY[below]})"
                    run.draw(node, administrator(one), "escalates", how, answer)
            answer = run.access.can(member, "iam.roles.update", place)
            if answer.state is not State.NO and kind != "folders":
                _widened(run, member, node, place, answer)


def _widened(run: Linking, member: str, node: str, place: str, answer: Answer) -> None:
    word = place.removeprefix(MANAGER)
    for home, bindings in run.access.held(member).items():
        for binding, lines in bindings:
            if binding.role.startswith(f"{word}/roles/") and home.startswith(MANAGER):
                how = f"it may put every permission into its own role {binding.role} (iam.roles.update)"
                whole = answer.both(Answer(State.YES, (*lines, binding.because)))
                run.draw(node, administrator(home), "escalates", how, whole)


def _start(run: Linking, member: str, node: str, email: str, name: str) -> None:
    """Who may act as an account, and start something in its project, runs code as it."""
    acts = run.access.can(member, _ACT, name)
    if acts.state is State.NO:
        return
    best, way = NO, ""
    for home in run.projects_of(member):
        for start in STARTS:
            answer = run.all_of(member, [(permission, project(home)) for permission in start.permissions])
            answer = answer.both(acts)
            if answer.state is not State.NO and name.startswith(f"{IAM}projects/{home}/"):
                if answer.state is State.YES:
                    run.draw(node, name, "passes-role", _told(start, email), answer)
                    return
                best, way = (answer, _told(start, email)) if best.state is State.NO else (best, way)
            elif answer.state is not State.NO and best.state is State.NO:
                best, way = _across(run, name, email, answer), f"{_told(start, email)} in {home}"
    run.draw(node, name, "passes-role", way, best, 2)


def _across(run: Linking, name: str, email: str, answer: Answer) -> Answer:
    """What is left of starting something in another project, which Google's default forbids."""
    forbidden = enforced(run.access, CROSS_PROJECT, name)
    if forbidden.state is State.NO and forbidden.because:
        return answer
    return (
        NO
        if forbidden.state is State.YES
        else answer.unless(f"the organisation policy {CROSS_PROJECT} of {email}'s project is off")
    )


def _told(start: Start, email: str) -> str:
    return f"it could {start.how} as {email} ({', '.join(start.permissions)}, {_ACT})"


def _change(run: Linking, member: str, node: str, resource: Resource) -> None:
    """Who may change what runs in a resource has the identity that it runs as."""
    answer, permission = run.any_of(member, _FREE.get(resource.kind, ()), resource.name)
    if answer.state is not State.YES:
        other, name = run.any_of(member, _CHANGES.get(resource.kind, ()), resource.name)
        if other.state is not State.NO and resource.account:
            other = other.both(run.access.can(member, _ACT, run.access.account(resource.account)))
        if other.state is not State.NO:
            answer, permission = other, name
    if answer.state is not State.NO:
        run.draw(node, resource.name, "takes-over", f"it may run code in it ({permission})", answer)


def _delegation(run: Linking) -> None:
    """``implicitDelegation`` on an account gives the tokens of those whose tokens that account may make."""
    for member in run.members:
        for email in run.accounts_of(member):
            through = run.access.account(email)
            answer = run.access.can(member, "iam.serviceAccounts.implicitDelegation", through)
            if answer.state is State.NO or _administers(run, member, through):
                continue
            for other in run.accounts_of(f"serviceAccount:{email}"):
                target = run.access.account(other)
                whole = answer.both(run.access.can(f"serviceAccount:{email}", _ACCOUNT[0][0], target))
                how = f"it may have {email} delegate to it the tokens of {other}"
                run.draw(run.node_of(member), target, "impersonates", how, whole, 2)
