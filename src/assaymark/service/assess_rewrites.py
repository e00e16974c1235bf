"""Rewritten policies of an assessment: the least for what is needed, and what patches leave, put to solvers."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from assaymark.assess.aws.least import least_policy
from assaymark.assess.aws.patched import patched_policies
from assaymark.assess.aws.personal import held, named_facts
from assaymark.assess.azure.least import least_assignments
from assaymark.assess.azure.patched import patched_assignments
from assaymark.assess.engine import collect
from assaymark.assess.files import source_file
from assaymark.assess.gcp.least import least_bindings, members
from assaymark.assess.gcp.patched import patched_bindings
from assaymark.assess.kubernetes.least import least_roles, subjects
from assaymark.assess.kubernetes.patched import patched_roles
from assaymark.service.assess_fix import patched
from assaymark.service.assess_needs import all_needs
from assaymark.solve.ask import installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.engine import Assessment
    from assaymark.assess.reviews import AssessConfig
    from assaymark.assess.rewrite import Rewrite
    from assaymark.service.assess_needs import Needs

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
    needs = all_needs(found, config)
    return [*_least(found, needs), *_of_patches(found, needs)]


def _least(found: Assessment, needs: Mapping[str, Needs]) -> Iterator[Rewrite]:
    estates, identities = found.estates, found.estates.aws.identities
    for arn, wanted in sorted(needs["aws"].items()):
        identity = identities[arn]
        policies, opaque = held(estates.aws, identity)
        known_of = named_facts(identity)
        yield least_policy(arn, policies, wanted, identity.because, opaque, known_of, identity.boundary)
    if needs["kubernetes"]:
        known = subjects(estates.kubernetes)
        for node, wanted in sorted(needs["kubernetes"].items()):
            yield least_roles(estates.kubernetes, known[node], wanted)
    for node, wanted in sorted(needs["azure"].items()):
        yield least_assignments(estates.azure, node.rpartition(":")[2], wanted, found.now)
    if needs["gcp"]:
        who = members(estates.gcp)
        for node, wanted in sorted(needs["gcp"].items()):
            yield least_bindings(estates.gcp, who[node], wanted, found.now)


def unasked(found: Assessment) -> bool:
    """Whether patches change files that may hold policies, and no solver is there to be asked about them."""
    return not installed() and any(not path.endswith(_NOT_POLICIES) for path in patched(found, safe=False))


def _of_patches(found: Assessment, needs: Mapping[str, Needs]) -> Iterator[Rewrite]:
    changed = {path: new for path, (_, new) in patched(found, safe=False).items() if not path.endswith(_NOT_POLICIES)}
    if not changed or not installed():
        return
    files = [
        source_file(file.path, changed[file.path]) if file.path in changed else file for file in found.inputs.files
    ]
    _, after = collect(files)
    before = found.estates
    yield from patched_policies(before.aws, after.aws, needs["aws"])
    yield from patched_roles(before.kubernetes, after.kubernetes, needs["kubernetes"])
    yield from patched_assignments(before.azure, after.azure, needs["azure"], found.now)
    yield from patched_bindings(before.gcp, after.gcp, needs["gcp"], found.now)


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
