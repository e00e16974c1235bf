"""Principal access boundary policies: which resources the principals that they are bound to may be given access to.

A principal that one is bound to may have access to what is in the rules of any that are bound to it and to nothing
else, as far as the policy's enforcement version covers the permission. Which those are changes, and principal sets of
organisations and workforces are not all in the input: what a policy stands against is unknown and never no. Source:
Google Cloud IAM, "Principal access boundary policies".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.gcp import MANAGER, AccessBoundary
from assaymark.assess.gcp.names import account_name
from assaymark.assess.terraform.identity_clouds import shut
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from assaymark.assess.estate.gcp import Gcp
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import SourceFile
    from assaymark.assess.gcp.records import Records

    Chain: TypeAlias = Callable[[str], tuple[str, ...]]

_POLICY: Final = "/principalAccessBoundaryPolicies/"
_BINDING: Final = "/policyBindings/"
_KIND: Final = "PRINCIPAL_ACCESS_BOUNDARY"
BINDINGS: Final = (
    "google_iam_organizations_policy_binding",
    "google_iam_folders_policy_binding",
    "google_iam_projects_policy_binding",
)


def stands_against(estate: Gcp, above: Chain, member: str, resource: str) -> AccessBoundary | None:
    """A policy that may be bound to a member and has no rule for the resource or what it lies in; None for none.

    ``above`` gives a resource and what it lies in.
    """
    bound = list(_of(estate, above, member))
    if any(place in policy.resources for policy in bound for place in above(resource)):
        return None
    return bound[0] if bound else None


def _of(estate: Gcp, above: Chain, member: str) -> Iterator[AccessBoundary]:
    for name, targets in sorted(estate.bound.items()):
        policy = estate.boundaries.get(name)
        if policy is not None and any(_may_hold(estate, above, target, member) for target in targets):
            yield policy


def _may_hold(estate: Gcp, above: Chain, target: str, member: str) -> bool:
    """Whether a principal set may hold a member; a project or folder holds its service accounts and pools alone."""
    kind, _, rest = member.partition(":")
    if kind == "serviceAccount":
        chain = above(account_name(estate, rest))
        shown = chain[-1].startswith(f"{MANAGER}organizations/")
        return target in chain or (
            not shown and target.startswith((f"{MANAGER}organizations/", f"{MANAGER}folders/"))
        )
    if member.startswith(("principal://", "principalSet://")):
        return target.startswith(MANAGER) or "workforcePools" in target or "workloadIdentityPools" in target
    return kind in ("user", "group") and not target.startswith((f"{MANAGER}projects/", f"{MANAGER}folders/"))


def read_boundary(records: Records, file: SourceFile, value: Map) -> bool:
    """Adds a policy or the binding of one, as ``gcloud`` writes them; whether the document was one."""
    name = str(value.get("name", ""))
    details, target = value.get("details"), value.get("target")
    if _POLICY in name and isinstance(details, Map):
        _policy(records, file, name, details, value)
        return True
    if _BINDING in name and isinstance(target, Map):
        if value.get("policyKind") == _KIND:
            _bind(records, str(value.get("policy", "")), str(target.get("principalSet", "")))
        return True
    return False


def _policy(records: Records, file: SourceFile, name: str, details: Map, value: Map) -> None:
    rules = [one for one in listed(details.get("rules")) if isinstance(one, Map)]
    resources = tuple(shut(one) for rule in rules for one in listed(rule.get("resources")))
    places = tuple(_canonical(records, one) for one in resources)
    records.estate.boundaries[name] = AccessBoundary(name, places, file.because(value.line))


def _bind(records: Records, policy: str, target: str) -> None:
    if policy and target:
        records.estate.bound.setdefault(policy, []).append(_canonical(records, target))


def _canonical(records: Records, place: str) -> str:
    """A project by its id, where a file says which number is whose."""
    home = place.removeprefix(f"{MANAGER}projects/")
    return f"{MANAGER}projects/{records.estate.numbers.get(home, home)}" if home != place else place


def of_terraform(records: Records, resource: TfResource) -> None:
    """Adds a policy or the binding of one that Terraform declares."""
    if resource.kind in BINDINGS:
        if str(resource.get("policy_kind") or _KIND) == _KIND:
            for block in resource.blocks("target"):
                _bind(records, shut(resource.get("policy")), shut(block.get("principal_set")))
        return
    organisation = shut(resource.get("organization"))
    identifier = shut(resource.get("principal_access_boundary_policy_id"))
    location = shut(resource.get("location")) or "global"
    name = f"organizations/{organisation}/locations/{location}{_POLICY}{identifier}"
    known = {name, shut(resource.get("id")), f"<{resource.address}.id>", f"<{resource.address}.name>"}
    for block in resource.blocks("details"):
        _policy(records, resource.file, name, block, resource.values)
        found = records.estate.boundaries[name]
        for alias in known - {"", name}:
            records.estate.boundaries[alias] = found
