"""Rewritten policies of an assessment: the least for what is needed, and what patches leave, put to solvers."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from typing import TYPE_CHECKING

from assaymark.assess.aws.called import implied, narrowed, needed
from assaymark.assess.aws.least import least_policy
from assaymark.assess.aws.patched import patched_policies
from assaymark.assess.azure.least import least_assignments
from assaymark.assess.engine import collect
from assaymark.assess.files import source_file
from assaymark.assess.gcp.least import least_bindings, members
from assaymark.assess.kubernetes.least import least_roles, subjects
from assaymark.assess.names import find_node
from assaymark.assess.reviews import platform_of
from assaymark.core.errors import UsageError
from assaymark.service.assess_fix import patched
from assaymark.service.assess_needs import azure_needs, gcp_needs, kubernetes_needs
from assaymark.solve.ask import installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.engine import Assessment
    from assaymark.assess.estate.aws import Identity
    from assaymark.assess.reviews import AssessConfig
    from assaymark.assess.rewrite import Rewrite

_NOT_POLICIES = (".py", ".pyw", ".ipynb", ".txt", ".lock")  # files whose patches change no policy


def rewrites(found: Assessment, config: AssessConfig) -> list[Rewrite]:
    """The least policy of each principal with needs, then what the patches of findings make of policies of AWS.

    Needs are declared in the platform's actions, of the principal's code, or in a log. Without a solver patches are
    not asked about: they are shown all the same, and ``unasked`` says so.

    Raises:
        UsageError: ``solver-missing``; ``node-unknown`` or ``node-ambiguous`` for a principal that is not there;
            ``need-principal`` for one of another platform; ``assess-code`` for code that calls nothing.
    """
    identities = found.estates.aws.identities
    needs = _needs(found, config)
    done = [
        least_policy(arn, identities[arn].policies, wanted, identities[arn].because)
        for arn, wanted in sorted(needs.items())
        if arn in identities and identities[arn].policies
    ]
    return [
        *done,
        *_of_kubernetes(found, config),
        *_of_azure(found, config),
        *_of_gcp(found, config),
        *_of_patches(found, needs),
    ]


def _of_kubernetes(found: Assessment, config: AssessConfig) -> Iterator[Rewrite]:
    cluster = found.estates.kubernetes
    known = subjects(cluster)
    for node, wanted in sorted(kubernetes_needs(found, config).items()):
        yield least_roles(cluster, known[node], wanted)


def _of_azure(found: Assessment, config: AssessConfig) -> Iterator[Rewrite]:
    for node, wanted in sorted(azure_needs(found, config).items()):
        yield least_assignments(found.estates.azure, node.rpartition(":")[2], wanted, found.now)


def _of_gcp(found: Assessment, config: AssessConfig) -> Iterator[Rewrite]:
    known = members(found.estates.gcp)
    for node, wanted in sorted(gcp_needs(found, config).items()):
        yield least_bindings(found.estates.gcp, known[node], wanted, found.now)


def unasked(found: Assessment) -> bool:
    """Whether patches change files that may hold policies, and no solver is there to be asked about them."""
    return not installed() and any(not path.endswith(_NOT_POLICIES) for path in patched(found, safe=False))


def _of_patches(found: Assessment, needs: Mapping[str, set[tuple[str, str]]]) -> Iterator[Rewrite]:
    changed = {path: new for path, (_, new) in patched(found, safe=False).items() if not path.endswith(_NOT_POLICIES)}
    if not changed or not installed():
        return
    files = [
        source_file(file.path, changed[file.path]) if file.path in changed else file for file in found.inputs.files
    ]
    _, after = collect(files)
    yield from patched_policies(found.estates.aws, after.aws, needs)


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
