"""Rewritten policies of an assessment: for what is needed or was used, the least that the old ones contain."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from typing import TYPE_CHECKING

from assaymark.assess.aws.called import implied, narrowed, needed
from assaymark.assess.aws.least import Least, least_policy, policy_json
from assaymark.assess.names import find_node
from assaymark.assess.patch import apply_patches
from assaymark.core.errors import UnavailableError, UsageError
from assaymark.store.files import write_durable

if TYPE_CHECKING:
    from pathlib import Path

    from assaymark.assess.engine import Assessment
    from assaymark.assess.estate.aws import Identity
    from assaymark.assess.patch import Patch
    from assaymark.assess.reviews import AssessConfig


def rewrites(found: Assessment, config: AssessConfig) -> list[Least]:
    """The least policy of each principal of AWS with needs: declared in AWS's actions, of its code, or in a log.

    Raises:
        UsageError: ``solver-missing``; ``node-unknown`` or ``node-ambiguous`` for a principal that is not there;
            ``assess-code`` for code that calls nothing.
    """
    identities = found.estates.aws.identities
    needs: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for need in config.needs:
        actions = [action for action in need.actions if ":" in action]
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
    return [
        least_policy(arn, identities[arn].policies, wanted, identities[arn].because)
        for arn, wanted in sorted(needs.items())
        if arn in identities and identities[arn].policies
    ]


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


def patched(found: Assessment, *, safe: bool) -> dict[str, tuple[bytes, bytes]]:
    """Path to content before and after all patches of findings, or the safe ones."""
    by_path: defaultdict[str, list[Patch]] = defaultdict(list)
    for finding in found.findings:
        for patch in found.patches[finding]:
            if patch.safe or not safe:
                by_path[patch.path].append(patch)
    changed = {}
    for path, patches in sorted(by_path.items()):
        file = found.inputs.file(path)
        if file is not None:
            changed[path] = (file.data, apply_patches(file.data, patches))
    return changed


def apply_safe(found: Assessment, folder: Path) -> list[str]:
    """Write the safe patches into the files of ``folder``; the paths that were changed.

    Raises:
        UnavailableError: ``assess-changed`` when a file is not what was assessed any more; nothing of it is written.
    """
    done = []
    for path, (old, new) in patched(found, safe=True).items():
        target = folder / path if folder.is_dir() else folder
        if target.read_bytes() != old:
            raise UnavailableError(
                "assess-changed", "the file changed while it was assessed", source=str(target), remedy="run it again"
            )
        mode = target.stat().st_mode
        write_durable(target, new)
        target.chmod(mode)
        done.append(path)
    return done


def policy_diff(least: Least) -> str:
    """The change as a unified diff over the policies as JSON."""
    old = "".join(json.dumps(policy_json(policy), indent=2) + "\n" for policy in least.old)
    new = json.dumps(policy_json(least.new), indent=2) + "\n"
    name = least.principal.rpartition("/")[2]
    places = ", ".join(f"{policy.because.path}:{policy.because.line}" for policy in least.old)
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"{name} ({places})", f"{name} (least)"
    )
    return "".join(lines)
