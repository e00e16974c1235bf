"""The predicates that people and services of this product sign: one place that knows their form.

Each has a page in docs/spec and a JSON Schema. ``after_entry`` is ``ContainmentState.after_entry``: a statement
that is made again after a containment differs from the one before it, so that the log takes it as a new entry,
and one that was signed before a containment cannot lift it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from assaymark.core.digest import digest_hex
from assaymark.core.limits import OPINION_MAX_TEXT
from assaymark.core.opinion import findings_to_json
from assaymark.core.report_json import printable
from assaymark.core.times import format_time

if TYPE_CHECKING:
    from assaymark.core.decision import Scope
    from assaymark.core.opinion import Opinion
    from assaymark.core.subject import FileEntry, Manifest


def approval_predicate(scope: Scope, *, after_entry: int, comment: str = "", origin: str = "") -> dict[str, Any]:
    """``assaymark:approval/v1``: the signer approves the subject for one environment, in the log of ``origin``."""
    predicate: dict[str, Any] = {"afterEntry": after_entry, **_scope(scope), **_log(origin)}
    if comment:
        predicate["comment"] = comment
    return predicate


def release_predicate(scope: Scope, manifest: Manifest) -> dict[str, Any]:
    """``assaymark:release/v1``: the signer submits the subject, whose manifest this is, to one environment."""
    return {
        **_scope(scope),
        "files": len(manifest.files) + len(manifest.configurations),
        "manifest": digest_hex(manifest.digest),
        "size": manifest.size,
    }


def containment_predicate(
    scope: Scope, action: Literal["contain", "lift"], *, after_entry: int, reason: str, origin: str = ""
) -> dict[str, Any]:
    """``assaymark:containment/v1``: the signer contains the subject in one environment, or lifts that."""
    return {"action": action, "afterEntry": after_entry, "reason": reason, **_scope(scope), **_log(origin)}


def exception_predicate(
    scope: Scope,
    requirements: tuple[str, ...],
    *,
    after_entry: int,
    owner: str,
    reason: str,
    until: int,
    origin: str = "",
) -> dict[str, Any]:
    """``assaymark:exception/v1``: until then (seconds) the subject may run there without these requirements.

    Raises:
        InputError: ``time-range``.
    """
    return {
        "afterEntry": after_entry,
        "owner": owner,
        "reason": reason,
        "requirements": sorted(requirements),
        "until": format_time(until),
        **_scope(scope),
        **_log(origin),
    }


def configuration_predicate(model: str, files: tuple[FileEntry, ...]) -> dict[str, Any]:
    """``assaymark:configuration/v1``: these files configure the model with digest ``model``.

    The statement's subjects are the model first, then each file (kind ``configuration``).
    """
    return {
        "files": [{"digest": {"sha256": digest_hex(entry.digest)}, "path": entry.path} for entry in files],
        "model": digest_hex(model),
    }


def opinion_predicate(opinion: Opinion, now: int, *, after_entry: int) -> dict[str, Any]:
    """``assaymark:opinion/v1``: what another scanner said of the subject at ``now``, in seconds, to its runner."""
    return {
        "afterEntry": after_entry,
        "confinement": list(opinion.confinement),
        "count": len(opinion.findings),
        "detail": printable(opinion.detail, OPINION_MAX_TEXT),
        "findings": findings_to_json(opinion),
        "outcome": str(opinion.signed_outcome),
        "scannedOn": format_time(now),
        "scanner": opinion.scanner,
        "version": printable(opinion.version, OPINION_MAX_TEXT),
    }


def policy_predicate(tenant: str, toml: str, *, after_entry: int) -> dict[str, Any]:
    """``assaymark:policy/v1``: the tenant's evidence policy, as text; the subject is its digest.

    ``after_entry`` is one more than the index of the policy that it replaces, 0 for the first.
    """
    return {"afterEntry": after_entry, "tenant": tenant, "toml": toml}


def _log(origin: str) -> dict[str, Any]:
    """The log that a statement is for: ``afterEntry`` means an entry of that one, and it counts in no other."""
    return {"origin": origin} if origin else {}


def _scope(scope: Scope) -> dict[str, Any]:
    return {"environment": scope.environment, "tenant": scope.tenant}
