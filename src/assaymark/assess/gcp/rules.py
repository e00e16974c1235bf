"""What is wrong with a Google Cloud organisation or project by itself, path or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.gcp import MANAGER
from assaymark.assess.gcp.conditions import holds
from assaymark.assess.gcp.evaluate import ALL_USERS, AUTHENTICATED
from assaymark.assess.gcp.federation import PUBLIC, pooled, providers_of, required
from assaymark.assess.kinds import INTERNET
from assaymark.assess.rule import AssessRule, found
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.assess.estate.gcp import Binding
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

PUBLIC_DATA = AssessRule(
    "gcp-public-data",
    Severity.CRITICAL,
    "A bucket, dataset, registry, secret or queue that everyone may read or write",
    "tenancy",
    ("AML.T0035", "AML.M0005", "ML03:2023", "LLM02:2025", "CWE-732"),
)
PUBLIC_ENDPOINT = AssessRule(
    "gcp-public-endpoint",
    Severity.HIGH,
    "A service, function or endpoint that everyone may call",
    "endpoint",
    ("AML.T0040", "AML.T0049", "AML.M0019", "ML05:2023", "LLM10:2025", "CWE-306"),
)
BASIC_ROLE = AssessRule(
    "gcp-basic-role",
    Severity.HIGH,
    "A basic role, owner or editor, on a project, folder or organisation",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250", "CWE-269"),
)
DEFAULT_ACCOUNT = AssessRule(
    "gcp-default-account",
    Severity.MEDIUM,
    "A workload that runs as the project's default service account",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250"),
)
ACCOUNT_KEY = AssessRule(
    "gcp-service-account-key",
    Severity.MEDIUM,
    "A service account with a long-lived key",
    "identity",
    ("AML.T0055", "AML.M0005", "CWE-798"),
)
IMPERSONATE_ALL = AssessRule(
    "gcp-impersonate-all",
    Severity.HIGH,
    "A role on a whole project that lets its members become every service account of it",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-269"),
)
FEDERATION = AssessRule(
    "gcp-federation-condition",
    Severity.HIGH,
    "A workload identity pool that takes the tokens of everyone who uses a public issuer",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-287", "CWE-1390"),
)
PREVENTION = AssessRule(
    "gcp-bucket-prevention",
    Severity.LOW,
    "A bucket that does not prevent public access by itself",
    "tenancy",
    ("AML.T0035", "AML.M0005", "CWE-732"),
)
RULES: Final = (
    PUBLIC_DATA,
    PUBLIC_ENDPOINT,
    BASIC_ROLE,
    DEFAULT_ACCOUNT,
    ACCOUNT_KEY,
    IMPERSONATE_ALL,
    FEDERATION,
    PREVENTION,
)
_BASIC: Final = ("roles/owner", "roles/editor", "roles/admin", "roles/writer")
_BECOMES: Final = (
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccountKeys.create",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.setIamPolicy",
)
_CLAIMS: Final = (
    "repository",
    "repository_owner",
    "repository_id",
    "repository_owner_id",
    "sub",
    "namespace_path",
    "namespace_id",
    "project_path",
    "project_id",
    "organization_slug",
    "terraform_organization_id",
    "terraform_organization_name",
    "job_workflow_ref",
    "workspaceuuid",
    "repositoryuuid",
)


def _public(seen: Seen) -> Iterator[Finding]:
    """What the graph has from the internet to things of Google Cloud."""
    resources = seen.estates.gcp.resources
    for edge in seen.graph.edges:
        resource = resources.get(edge.target)
        if edge.source != INTERNET or resource is None:
            continue
        rule = PUBLIC_ENDPOINT if edge.relation == "invokes" else PUBLIC_DATA
        word = {"reads": "read", "writes": "write", "invokes": "call", "decrypts": "decrypt with"}.get(
            edge.relation, "change who may use"
        )
        kind = resource.kind.partition(":")[2].replace("-", " ")
        sure = "" if edge.state is State.YES else "perhaps "
        message = f"{sure}anyone may {word} {kind} {resource.name.rpartition('/')[2]}: {edge.how}"
        confidence = None if edge.state is State.YES else Confidence.LOW
        yield found(rule, resource.name, message, edge.because, None, confidence)


def _bindings(seen: Seen) -> Iterator[Finding]:
    from assaymark.assess.gcp.roles import Roles

    roles = Roles(seen.estates.gcp.roles)
    for binding in seen.estates.gcp.bindings:
        if not binding.resource.startswith(MANAGER) or not binding.members:
            continue
        if holds(binding.condition, {"request.time": seen.now}).state is State.NO:
            continue
        if binding.role in _BASIC:
            yield from _basic(binding)
        elif roles.known(binding.role):
            become = [one for one in _BECOMES if roles.has(binding.role, one) is State.YES]
            if become:
                yield from _become(binding, become[0])


def _where(binding: Binding) -> str:
    return (
        binding.resource.removeprefix(MANAGER)
        .replace("/", " ", 1)
        .replace("projects", "project")
        .replace("folders", "folder")
        .replace("organizations", "organization")
    )


def _basic(binding: Binding) -> Iterator[Finding]:
    for member in binding.members:
        kind = member.partition(":")[0]
        if kind in ("projectOwner", "projectEditor", "deleted") or _of_google(member):
            continue
        message = f"{member} has {binding.role} on {_where(binding)}"
        severity = Severity.CRITICAL if member in (ALL_USERS, AUTHENTICATED) else None
        if severity is None and kind in ("user", "group") and binding.role != "roles/editor":
            severity = Severity.MEDIUM  # a team needs somebody who administers; a program does not
        yield found(BASIC_ROLE, f"{binding.resource}#{binding.role}#{member}", message, (binding.because,), severity)


def _of_google(member: str) -> bool:
    """Whether a member is an agent of Google's own, which gets its role by itself."""
    email = member.partition(":")[2]
    return (
        email.endswith(("@cloudservices.gserviceaccount.com", "@cloudbuild.gserviceaccount.com"))
        or "@gcp-sa-" in email
    )


def _become(binding: Binding, permission: str) -> Iterator[Finding]:
    for member in binding.members:
        if _of_google(member) or member.startswith("deleted:"):
            continue
        message = f"{member} may become every service account of {_where(binding)} ({permission} by {binding.role})"
        yield found(IMPERSONATE_ALL, f"{binding.resource}#{binding.role}#{member}", message, (binding.because,))


def _accounts(seen: Seen) -> Iterator[Finding]:
    estate = seen.estates.gcp
    for _, account in sorted(estate.accounts.items()):
        for place in account.keys:
            message = f"service account {account.email} has a key that lives until somebody deletes it"
            yield found(ACCOUNT_KEY, account.name, message, (place,))
    prevented = _prevents(seen)
    for name, resource in sorted(estate.resources.items()):
        email = resource.account
        default = "-compute@developer.gserviceaccount.com" in email or email.endswith("@appspot.gserviceaccount.com")
        if email and default:
            what = f"{resource.kind.partition(':')[2]} {name.rpartition('/')[2]}"
            edits = any(
                f"serviceAccount:{email}" in binding.members and binding.role in _BASIC for binding in estate.bindings
            )
            message = f"{what} runs as the project's default service account" + (
                ", which is an editor" if edits else ""
            )
            yield found(DEFAULT_ACCOUNT, name, message, (resource.because,), Severity.HIGH if edits else None)
        declared = resource.kind == "storage:bucket" and "terraform" in resource.settings
        own = resource.settings.get("public_access_prevention") == "enforced"
        if declared and not own and not prevented(name):
            message = f"bucket {name.rpartition('/')[2]} does not enforce public access prevention"
            yield found(PREVENTION, name, message, (resource.because,))


def _prevents(seen: Seen) -> Callable[[str], bool]:
    """Whether an organisation policy prevents what a bucket, by its name, itself does not."""
    from assaymark.assess.gcp.constraints import PREVENTION as CONSTRAINT
    from assaymark.assess.gcp.constraints import enforced
    from assaymark.assess.gcp.evaluate import Access

    estate = seen.estates.gcp
    if not estate.constraints:
        return lambda _: False
    access = Access(estate, seen.now)
    return lambda name: enforced(access, CONSTRAINT, name).state is State.YES


def _federation(seen: Seen) -> Iterator[Finding]:
    estate = seen.estates.gcp
    for name, provider in sorted(estate.providers.items()):
        if provider.kind == "oidc" and any(provider.issuer.startswith(one) for one in PUBLIC):
            if provider.condition is None:
                message = (
                    f"provider {name.rpartition('/')[2]} has no condition: it takes every token of {provider.issuer}"
                )
                severity = None if _selected(seen, provider.pool) else Severity.MEDIUM
                yield found(FEDERATION, name, message, (provider.because,), severity)
            elif not any(claim in provider.condition for claim in _CLAIMS) and not required(provider.condition):
                message = f"the condition of provider {name.rpartition('/')[2]} asks nothing about whose token it is"
                yield found(FEDERATION, name, message, (provider.because,), Severity.MEDIUM, Confidence.MEDIUM)


def _selected(seen: Seen, pool: str) -> bool:
    """Whether a binding takes all of a pool: then a provider without a condition lets everyone in."""
    identifier = pool.rpartition("/")[2]
    for binding in seen.estates.gcp.bindings:
        for member in binding.members:
            selected = pooled(member)
            if selected and selected.pool == identifier and selected.attribute == "*":
                return bool(providers_of(seen.estates.gcp, identifier))
    return False


CHECKS: Final = (_public, _bindings, _accounts, _federation)
