"""Sign a statement about a model and log it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.canonical import parse_object
from assaymark.core.decision import Request, Scope
from assaymark.core.errors import InputError, UsageError
from assaymark.core.provenance import parse_provenance
from assaymark.core.statement import (
    APPROVAL,
    ASSESSMENT,
    CONFIGURATION,
    CONTAINMENT,
    CONVERSION,
    DATASET,
    DECISION,
    EXCEPTION,
    KEY_EVENT,
    OPINION,
    POLICY,
    PROVENANCE,
    RELEASE,
    SCAN,
    is_predicate_type,
    make_statement,
)
from assaymark.core.times import format_duration, format_time
from assaymark.core.words import counted
from assaymark.policy.containment import containment_state
from assaymark.policy.document import LINEAGE
from assaymark.policy.entries import in_scope
from assaymark.policy.predicates import approval_predicate, exception_predicate
from assaymark.service.evidence import Evidence, gather
from assaymark.service.explain import spec_page
from assaymark.service.model import subject_at
from assaymark.service.principals import principal_in
from assaymark.service.publish import publish, sign_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assaymark.core.attestation import Receipt
    from assaymark.core.subject import Subject
    from assaymark.keys.signers import Signer
    from assaymark.policy.document import ExceptionRule, Policy
    from assaymark.service.workspace import Workspace

# What a person may attest by hand, by short name. Decisions and policies have verbs of their own.
OWN_TYPES: Final = {
    "approval": APPROVAL,
    "configuration": CONFIGURATION,
    "containment": CONTAINMENT,
    "dataset": DATASET,
    "opinion": OPINION,
    "provenance": PROVENANCE,
    "exception": EXCEPTION,
    "release": RELEASE,
    "scan": SCAN,
}
_ELSEWHERE: Final = {
    ASSESSMENT: "assaymark assess --attest",
    CONVERSION: "assaymark convert",
    DECISION: "assaymark decide",
    KEY_EVENT: "assaymark keys",
    POLICY: "assaymark policy set",
}
_PREDICATE_MAX_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attested:
    """A statement that was logged. ``new`` is False when the log held it already; ``notes`` are for people."""

    subject: Subject
    predicate_type: str
    principals: tuple[str, ...]
    receipt: Receipt
    new: bool
    notes: tuple[str, ...] = ()


def approve(
    workspace: Workspace,
    place: Path,
    environment: str,
    signers: Sequence[Signer],
    clock: Callable[[], int],
    *,
    configurations: tuple[Path, ...] = (),
    comment: str = "",
) -> Attested:
    """Sign and log an approval of the exact digest of the files at ``place``, for one environment.

    It names the last containment that it comes after, so approving again after one is a new statement, and
    approving twice is not.

    Raises:
        UsageError: ``key-unknown`` for a key that the root does not hold.
        AssaymarkError: as the stores and the log raise.
    """
    subject, _ = subject_at(workspace, place, configurations)
    scope = Scope(workspace.config.tenant, environment)
    evidence = gather(workspace, subject.digest)
    state = containment_state(evidence.policy, evidence.attestations, Request(subject, scope))
    after = max(state.after_entry, _renewed_after(evidence, subject, scope, signers))
    predicate = approval_predicate(scope, after_entry=after, comment=comment, origin=workspace.config.origin)
    attested = _log(workspace, evidence, subject, APPROVAL, predicate, signers, clock)
    return replace(attested, notes=_approval_notes(evidence, scope, attested.principals))


def _renewed_after(evidence: Evidence, subject: Subject, scope: Scope, signers: Sequence[Signer]) -> int:
    """One more than the signers' last approval there, where approvals grow too old: 0 where they do not.

    Saying the same again would not be logged as new, so an approval that ages could never be renewed.
    """
    environment = evidence.policy.environment(scope.environment)
    if environment is None or not any(item.predicate == APPROVAL and item.max_age for item in environment.require):
        return 0
    keys = {signer.key_id for signer in signers}
    said = [
        item.position
        for item in evidence.attestations
        if item.statement.predicate_type == APPROVAL
        and subject.digest in {about.digest for about in item.statement.subjects}
        and in_scope(item, scope)
        and keys & {signer.key_id for signer in item.signers}
    ]
    return max(said, default=-1) + 1


def grant_exception(
    workspace: Workspace,
    place: Path,
    environment: str,
    requirements: tuple[str, ...],
    signers: Sequence[Signer],
    clock: Callable[[], int],
    *,
    owner: str,
    reason: str,
    until: int,
    configurations: tuple[Path, ...] = (),
) -> Attested:
    """Sign and log an exception: until then, in seconds, the model may run there without these requirements.

    What could not count is refused before anything is logged. Whether enough of the right people signed is said in
    the notes: others may sign the same exception after them.

    Raises:
        UsageError: ``environment-unknown``, ``exception-rule``, ``exception-requirement``, ``exception-until`` or
            ``key-unknown``.
        AssaymarkError: as the stores and the log raise.
    """
    subject, _ = subject_at(workspace, place, configurations)
    scope = Scope(workspace.config.tenant, environment)
    evidence = gather(workspace, subject.digest)
    rule = check_exception(evidence.policy, environment, requirements, until, clock())
    state = containment_state(evidence.policy, evidence.attestations, Request(subject, scope))
    predicate = exception_predicate(
        scope,
        requirements,
        after_entry=state.after_entry,
        owner=owner,
        reason=reason,
        until=until,
        origin=workspace.config.origin,
    )
    check_schema(EXCEPTION, predicate)
    attested = _log(workspace, evidence, subject, EXCEPTION, predicate, signers, clock)
    return replace(attested, notes=_exception_notes(evidence, rule, attested.principals))


def check_exception(
    policy: Policy, environment: str, requirements: tuple[str, ...], until: int, now: int
) -> ExceptionRule:
    """What the policy says of exceptions there, when one from these requirements, until then in seconds, may count.

    Raises:
        UsageError: ``environment-unknown``, ``exception-rule``, ``exception-requirement`` or ``exception-until``.
    """
    there = policy.environment(environment)
    if there is None:
        raise UsageError(
            "environment-unknown", f"the policy has no environment {environment!r}", remedy="`assaymark policy show`"
        )
    rule = there.exceptions
    if rule is None:
        raise UsageError(
            "exception-rule",
            f"the policy names nobody who may except from it in {environment}: nothing was logged",
            remedy=f"add [environments.{environment}.exceptions] to the policy and `assaymark policy set` it",
        )
    known = [item.id for item in there.require] + ([LINEAGE] if there.lineage else [])
    odd = [name for name in requirements if name not in known]
    if odd or not requirements:
        raise UsageError(
            "exception-requirement",
            f"{environment} has no requirement {', '.join(odd)} that may be excepted",
            remedy="one of " + ", ".join(known),
        )
    if not now < until <= now + rule.max_duration:
        raise UsageError(
            "exception-until",
            f"an exception ends at {format_time(until)}, which is not within {format_duration(rule.max_duration)}"
            f" of {format_time(now)}",
            remedy=f"--until {format_time(now + rule.max_duration)} at the latest",
        )
    return rule


def attest(
    workspace: Workspace,
    place: Path,
    type_name: str,
    predicate: dict[str, Any],
    signers: Sequence[Signer],
    clock: Callable[[], int],
    *,
    configurations: tuple[Path, ...] = (),
) -> Attested:
    """Sign and log a statement of any type about a model; one of ours is held against its JSON Schema.

    Raises:
        UsageError: ``attest-type`` or ``key-unknown``.
        InputError: ``predicate-schema``, ``provenance-form``, or a ``json-*`` code for what must not be signed.
    """
    predicate_type = resolve_type(type_name)
    check_schema(predicate_type, predicate)
    subject, _ = subject_at(workspace, place, configurations)
    if predicate_type == PROVENANCE:
        parse_provenance(make_statement((subject,), predicate_type, predicate))
    return _log(workspace, gather(workspace, subject.digest), subject, predicate_type, predicate, signers, clock)


def attest_assessment(
    workspace: Workspace,
    place: Path,
    predicate: dict[str, Any],
    signers: Sequence[Signer],
    clock: Callable[[], int],
) -> Attested:
    """Sign and log what an assessment of the files at ``place`` found: docs/spec/assessment.md.

    Raises:
        UsageError: ``key-unknown``.
        InputError: ``predicate-schema``, or as the files are read.
    """
    check_schema(ASSESSMENT, predicate)
    subject, _ = subject_at(workspace, place, ())
    return _log(workspace, gather(workspace, subject.digest), subject, ASSESSMENT, predicate, signers, clock)


def read_predicate(file: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        UsageError: ``predicate-missing``.
        InputError: a ``json-*`` code.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(_PREDICATE_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            "predicate-missing",
            f"cannot read: {error.strerror}",
            source=str(file),
            remedy="name a file that holds a JSON object",
        ) from None
    try:
        return parse_object(data, limit=_PREDICATE_MAX_BYTES)
    except InputError as error:
        raise error.at(str(file)) from None


def resolve_type(name: str) -> str:
    """A predicate type from its short name or its URI.

    Raises:
        UsageError: ``attest-type``.
    """
    resolved = OWN_TYPES.get(name, name)
    if resolved in _ELSEWHERE:
        raise UsageError("attest-type", f"{name} is not attested by hand", remedy=f"use `{_ELSEWHERE[resolved]}`")
    if not is_predicate_type(resolved) or (resolved.startswith("assaymark:") and resolved not in OWN_TYPES.values()):
        raise UsageError(
            "attest-type",
            f"{name!r} is no predicate type",
            remedy=f"one of {', '.join(OWN_TYPES)}, or a URI such as https://example.com/review/v1",
        )
    return resolved


def check_schema(predicate_type: str, predicate: dict[str, Any]) -> None:
    """Hold a predicate of ours against its published schema; others are free.

    Raises:
        InputError: ``predicate-schema``.
    """
    short = next((name for name, uri in OWN_TYPES.items() if uri == predicate_type), None)
    if short is None or predicate_type == PROVENANCE:
        return  # a public predicate: its reader checks its form
    import json

    import jsonschema_rs

    schema = json.loads(spec_page(f"schemas/{short}.v1.schema.json"))
    try:
        jsonschema_rs.validator_for(schema).validate(predicate)
    except jsonschema_rs.ValidationError as error:
        path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
        raise InputError(
            "predicate-schema",
            error.message[:300],
            position=path,
            remedy=f"`assaymark explain {short}` shows the form",
        ) from None


def _log(
    workspace: Workspace,
    evidence: Evidence,
    subject: Subject,
    predicate_type: str,
    predicate: dict[str, Any],
    signers: Sequence[Signer],
    clock: Callable[[], int],
) -> Attested:
    principals = tuple(sorted({principal_in(evidence.tree.root, signer) for signer in signers}))
    envelope = sign_statement(make_statement((subject,), predicate_type, predicate).payload, signers)
    held = workspace.log.find(envelope.digest) is not None
    (receipt,) = publish(workspace, [envelope], clock())
    notes = _superseded(evidence, predicate_type, signers, receipt.index) if held else ()
    return Attested(subject, predicate_type, principals, receipt, new=not held, notes=notes)


def _superseded(evidence: Evidence, predicate_type: str, signers: Sequence[Signer], index: int) -> tuple[str, ...]:
    """That the very same was said before and something else since: it counts where it was first said."""
    keys = {signer.key_id for signer in signers}
    later = [
        item.position
        for item in evidence.own
        if item.statement.predicate_type == predicate_type
        and item.position > index
        and keys & {signer.key_id for signer in item.signers}
    ]
    if not later:
        return ()
    note = f"the very same was said in entry {index}; entry {later[-1]} is newer and stands."
    return (f"{note} To say it anew, change a word, such as a comment or a date",)


def _exception_notes(evidence: Evidence, rule: ExceptionRule, principals: tuple[str, ...]) -> tuple[str, ...]:
    roles = ", ".join(sorted(rule.roles))
    able = [name for name in principals if not evidence.tree.root.roles_of(name).isdisjoint(rule.roles)]
    notes = [f"{name} holds none of the roles that count: {roles}" for name in principals if name not in able]
    if len(able) < rule.threshold:
        notes.append(
            f"{counted(rule.threshold, 'principal')} in role {roles} must sign the same exception,"
            f" with the same words and end; {len(able)} did now"
        )
    return tuple(notes)


def _approval_notes(evidence: Evidence, scope: Scope, principals: tuple[str, ...]) -> tuple[str, ...]:
    environment = evidence.policy.environment(scope.environment)
    if environment is None:
        return (f"the policy has no environment {scope.environment!r}: the approval counts for nothing there",)
    submitters = {
        name for item in evidence.own if item.statement.predicate_type == RELEASE for name in item.principals
    }
    roles = {role for item in environment.require if item.predicate == APPROVAL for role in item.roles}
    notes = []
    for principal in principals:
        if roles and not roles & evidence.tree.root.roles_of(principal):
            notes.append(f"{principal} holds none of the roles that count: {', '.join(sorted(roles))}")
        if principal in submitters:
            notes.append(f"{principal} submitted this model, and nobody's approval of their own change counts")
    if not evidence.own:
        notes.append("this digest was not submitted yet: `assaymark submit` it")
    return tuple(notes)
