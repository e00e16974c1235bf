"""Rewritten policies of an assessment: the least for what is needed, and what patches leave, put to solvers."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from assaymark.assess.aws.called import implied, narrowed, needed
from assaymark.assess.aws.least import least_policy
from assaymark.assess.aws.patched import patched_policies
from assaymark.assess.azure.least import least_assignments
from assaymark.assess.azure.patched import patched_assignments
from assaymark.assess.engine import collect
from assaymark.assess.files import source_file
from assaymark.assess.gcp.least import least_bindings, members
from assaymark.assess.gcp.patched import patched_bindings
from assaymark.assess.kubernetes.least import least_roles, subjects
from assaymark.assess.kubernetes.patched import patched_roles
from assaymark.assess.names import find_node
from assaymark.assess.reviews import platform_of
from assaymark.core.errors import UsageError
from assaymark.service.assess_fix import patched
from assaymark.service.assess_needs import Needs, azure_needs, gcp_needs, kubernetes_needs
from assaymark.solve.ask import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.engine import Assessment
    from assaymark.assess.estate.aws import Identity
    from assaymark.assess.reviews import AssessConfig
    from assaymark.assess.rewrite import Rewrite

_NOT_POLICIES = (".py", ".pyw", ".ipynb", ".txt", ".lock")  # files whose patches change no policy


def rewrites(found: Assessment, config: AssessConfig) -> list[Rewrite]:
    """The least policy of each principal with needs, then what the patches of findings make of policies.

    Needs are declared in the platform's actions, of the principal's code, or in a log. Without a solver patches are
    not asked about: they are shown all the same, and ``unasked`` says so.

    Raises:
        UsageError: ``solver-missing``; ``node-unknown`` or ``node-ambiguous`` for a principal that is not there;
            ``need-principal`` and ``need-resource`` for one of another platform; ``assess-code`` for code that calls
            nothing.
    """
    needs = _AllNeeds(
        _needs(found, config), kubernetes_needs(found, config), azure_needs(found, config), gcp_needs(found, config)
    )
    return [*_least(found, needs), *_of_patches(found, needs)]


class _AllNeeds(NamedTuple):
    aws: Needs
    kubernetes: Needs
    azure: Needs
    gcp: Needs


def _least(found: Assessment, needs: _AllNeeds) -> Iterator[Rewrite]:
    estates, identities = found.estates, found.estates.aws.identities
    for arn, wanted in sorted(needs.aws.items()):
        if arn in identities and identities[arn].policies:
            yield least_policy(arn, identities[arn].policies, wanted, identities[arn].because)
    if needs.kubernetes:
        known = subjects(estates.kubernetes)
        for node, wanted in sorted(needs.kubernetes.items()):
            yield least_roles(estates.kubernetes, known[node], wanted)
    for node, wanted in sorted(needs.azure.items()):
        yield least_assignments(estates.azure, node.rpartition(":")[2], wanted, found.now)
    if needs.gcp:
        who = members(estates.gcp)
        for node, wanted in sorted(needs.gcp.items()):
            yield least_bindings(estates.gcp, who[node], wanted, found.now)


def unasked(found: Assessment) -> bool:
    """Whether patches change files that may hold policies, and no solver is there to be asked about them."""
    return not installed() and any(not path.endswith(_NOT_POLICIES) for path in patched(found, safe=False))


def _of_patches(found: Assessment, needs: _AllNeeds) -> Iterator[Rewrite]:
    changed = {path: new for path, (_, new) in patched(found, safe=False).items() if not path.endswith(_NOT_POLICIES)}
    if not changed or not installed():
        return
    files = [
        source_file(file.path, changed[file.path]) if file.path in changed else file for file in found.inputs.files
    ]
    _, after = collect(files)
    before = found.estates
    yield from patched_policies(before.aws, after.aws, needs.aws)
    yield from patched_roles(before.kubernetes, after.kubernetes, needs.kubernetes)
    yield from patched_assignments(before.azure, after.azure, needs.azure, found.now)
    yield from patched_bindings(before.gcp, after.gcp, needs.gcp, found.now)


def _needs(found: Assessment, config: AssessConfig) -> dict[str, set[tuple[str, str]]]:
    """Pairs of action and resource by principal."""
    identities = found.estates.aws.identities
    needs: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for need in config.needs:
        actions = [action for action in need.actions if platform_of(action) == "aws"]
        for principal in need.principals if actions else ():
            arn = find_node(found.graph, principal)
            needs[arn] |= {(action, resource) for action in actions for resource in need.resources}
        for principal in need.principals if need.code else ():
            arn = find_node(found.graph, principal)
            if arn in identities:
                needs[arn] |= _of_code(found, need.code, identities[arn])
    for use in found.estates.aws.uses:
        if use.principal in identities:
            needs[use.principal].add((use.action, use.resource))
    return needs


def _of_code(found: Assessment, places: tuple[str, ...], identity: Identity) -> set[tuple[str, str]]:
    """What the code below files and folders calls, as far as the old policies allow it."""
    wanted: set[tuple[str, str]] = set()
    for place in places:
        folder = place.strip("/").removeprefix("./")
        calls = [
            call
            for call in found.estates.source.cloud_calls
            if folder in ("", ".") or call.because.path == folder or call.because.path.startswith(f"{folder}/")
        ]
        if not calls:
            raise UsageError(
                "assess-code", f"no code below {place!r} calls a cloud", remedy="name a file or folder that does"
            )
        for call in calls:
            for need in needed(call, identity.arn.split(":")[1]):
                wanted |= set(narrowed(need, identity.policies))
    return wanted | set(implied(identity.policies))


def policy_diff(rewrite: Rewrite) -> str:
    """The change as a unified diff over the policies as JSON."""
    policies = rewrite.policy if isinstance(rewrite.policy, list) else [rewrite.policy]
    old = "".join(json.dumps(one.policy, indent=2) + "\n" for one in rewrite.replaces)
    new = "".join(json.dumps(one, indent=2) + "\n" for one in policies)
    name = rewrite.about.rpartition("/")[2]
    places = ", ".join(f"{one.because.path}:{one.because.line}" for one in rewrite.replaces)
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"{name} ({places})", f"{name} ({rewrite.kind})"
    )
    return "".join(lines)
