"""Verify a model against the log or against a dossier. Nothing is written to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.decision import Outcome, Reason, Request, Scope, combine
from assaymark.core.errors import InputError, UsageError, VerificationError
from assaymark.core.limits import DOSSIER_MAX_BYTES
from assaymark.core.statement import DECISION, RELEASE, parse_envelope, parse_statement
from assaymark.core.subject import compare_manifests
from assaymark.policy.containment import CONTAINMENT_REASON
from assaymark.policy.remedies import decide_command, supply
from assaymark.policy.statement import parse_decision
from assaymark.service.decide import compare
from assaymark.service.evidence import gather, gather_below, gather_seen
from assaymark.service.lineage import LINEAGE_REASON, lineage_in, view_of
from assaymark.service.verdict import Verdict
from assaymark.trust.dossier import parse_dossier
from assaymark.trust.replay import VerifiedDossier, standing_now, verify_dossier

if TYPE_CHECKING:
    from pathlib import Path

    from assaymark.core.attestation import Receipt
    from assaymark.core.decision import Decision
    from assaymark.core.subject import Manifest, Subject
    from assaymark.service.lineage import LineageView
    from assaymark.service.workspace import Workspace
    from assaymark.store.recall import Recall


def verify_in_workspace(
    workspace: Workspace,
    subject: Subject,
    manifest: Manifest | None,
    environment: str,
    now: int,
    recall: Recall | None = None,
    *,
    lineage: bool = False,
) -> Verdict:
    """Decide anew from what the log holds now, and write nothing.

    ``recall`` remembers the newest tree of each log and the newest root seen, so that a workspace that was set
    back to an earlier state is refused. With ``lineage`` every link to the first ancestors must hold too.

    Raises:
        AssaymarkError: as the log raises.
    """
    evidence = gather_seen(workspace, subject.digest, recall)
    request = Request(subject, Scope(workspace.config.tenant, environment))
    decision = evidence.decide(request, now)
    differences, notes = compare(workspace, request, manifest, known=bool(evidence.own))
    view = view_of(subject, evidence.attestations) if lineage else None
    reasons = _with_lineage(decision.reasons, view)
    return Verdict(
        combine([decision.outcome, *([view.reason.outcome] if view else [])]),
        subject,
        request.scope,
        reasons,
        differences=differences,
        receipt=_last_receipt(workspace, request),
        decision=decision,
        root_digest=workspace.config.root,
        notes=notes,
        lineage=view,
    )


def verify_lineage(workspace: Workspace, subject: Subject, recall: Recall | None = None) -> Verdict:
    """Whether every link of a subject's lineage holds; nothing is decided about an environment.

    Raises:
        AssaymarkError: as the log raises.
    """
    view = lineage_in(workspace, subject, recall)
    scope = Scope(workspace.config.tenant, "")
    return Verdict(
        view.reason.outcome, subject, scope, (view.reason,), root_digest=workspace.config.root, lineage=view
    )


def _with_lineage(reasons: tuple[Reason, ...], view: LineageView | None) -> tuple[Reason, ...]:
    """The reasons, with the lineage's own once; a policy may ask for it by itself."""
    if view is None:
        return reasons
    return (*(reason for reason in reasons if reason.requirement != LINEAGE_REASON), view.reason)


def _last_receipt(workspace: Workspace, request: Request) -> Receipt | None:
    """The receipt of the newest logged decision on this subject for this environment."""
    _, checkpoint = workspace.log.checkpoint()
    for index in workspace.log.by_subject(
        request.subject.digest, below=checkpoint.size, only=DECISION, newest_first=True, limit=64
    ):
        data = workspace.log.entry(index)[1]
        try:
            decision = parse_decision(parse_statement(parse_envelope(data).payload))
        except InputError:
            continue  # nobody's decision: whoever may append must not stop the answer
        if decision.request.scope == request.scope:
            return workspace.log.receipt(index, checkpoint.size)
    return None


def read_dossier(file: Path) -> bytes:
    """The bytes of a dossier file, bounded.

    Raises:
        UsageError: ``dossier-missing``.
        InputError: ``dossier-form`` when it is larger than a dossier may be.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(DOSSIER_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            "dossier-missing",
            f"cannot read: {error.strerror}",
            source=str(file),
            remedy="name the file that `assaymark decide PATH --for ENV --dossier FILE` wrote",
        ) from None
    if len(data) > DOSSIER_MAX_BYTES:
        raise InputError("dossier-form", f"larger than {DOSSIER_MAX_BYTES} bytes", source=str(file))
    return data


def verify_with_dossier(
    data: bytes,
    pinned: str,
    subject: Subject,
    manifest: Manifest,
    environment: str,
    now: int,
    *,
    recall: Recall | None = None,
    log_copy: Workspace | None = None,
    source: str = "",
    lineage: bool = False,
) -> Verdict:
    """Replay a dossier and hold the files at hand against it; needs no workspace and no network.

    ``source`` names the dossier in errors. ``log_copy`` adds what only a copy of the log can show: that the dossier
    left nothing out, and that the model was not contained since.

    Raises:
        InputError: the dossier is malformed.
        VerificationError: something in it was refused.
    """
    try:
        verified = verify_dossier(parse_dossier(data), pinned)
    except (InputError, VerificationError) as error:
        raise error.at(source) from None
    if recall is not None:
        recall.see_root(pinned, verified.root.version, verified.root.digest)
    outcome, reasons = standing_now(verified.decision, now)
    scope = Scope(verified.root.tenant, environment)
    extra: list[Reason] = []
    differences = compare_manifests(verified.manifest, manifest)
    decided = verified.decision.request.subject.digest
    if subject.digest != decided:
        extra.append(
            Reason(
                "subject",
                Outcome.DENY,
                f"these files were not decided about; the decision is about {decided}",
                f"{supply(RELEASE, Request(subject, scope))}  # or restore the released files",
            )
        )
        # What the dossier says of other files is no reason for these.
        reasons = tuple(reason for reason in reasons if not reason.met)
    kind = verified.decision.request.subject.kind
    if subject.digest == decided and subject.kind != kind:
        extra.append(
            Reason(
                "subject",
                Outcome.DENY,
                f"the decision judged it as a {kind}, not as a {subject.kind}",
                f"{decide_command(subject.name, environment)}  # where the workspace is",
            )
        )
    if verified.decision.request.scope != scope:
        extra.append(
            Reason(
                "environment",
                Outcome.DENY,
                f"the decision is for {verified.decision.request.scope.environment}, not for {environment}",
                f"{decide_command(subject.name, environment)}  # where the workspace is",
            )
        )
    if log_copy is not None:
        extra.extend(compare_with_log(verified, log_copy))
    view = view_of(verified.decision.request.subject, verified.evidence) if lineage else None
    return Verdict(
        combine([outcome, *(reason.outcome for reason in extra), *([view.reason.outcome] if view else [])]),
        subject,
        scope,
        (*extra, *_with_lineage(reasons, view)),
        differences=differences,
        receipt=verified.receipt,
        decision=verified.decision,
        root_digest=pinned,
        lineage=view,
    )


def compare_with_log(verified: VerifiedDossier, log_copy: Workspace) -> list[Reason]:
    """What a copy of the log shows against a dossier: gaps, a fork, another policy, a containment since."""
    decision = verified.decision
    position = decision.position
    tree = log_copy.trust()
    if tree.checkpoint.origin != position.origin or tree.checkpoint.size < position.tree_size:
        return [
            Reason(
                "log-copy",
                Outcome.INDETERMINATE,
                "the copy is of another log, or older than the decision",
                "assaymark log export FOLDER  # a newer copy, where the workspace is",
            )
        ]
    if log_copy.log.root_at(position.tree_size).hex() != position.root_hash:
        return [
            Reason(
                "log-fork",
                Outcome.DENY,
                f"the log forked: at size {position.tree_size} this copy and the decision disagree",
                "keep both files: together they prove the fork",
            )
        ]
    there = gather_below(log_copy, tree, decision.request.subject.digest, position.tree_size)
    missing = sorted({item.position for item in there.attestations} - {index for index, _ in decision.inputs})
    reasons = []
    if missing:
        reasons.append(
            Reason(
                "left-out",
                Outcome.DENY,
                "the decision leaves out entries that the log holds: " + ", ".join(map(str, missing)),
                "keep the dossier: with the log it proves that its signer lied",
            )
        )
    if there.policy_digest != decision.policy_digest:
        reasons.append(
            Reason(
                "policy-superseded",
                Outcome.DENY,
                f"the policy in force was that of entry {there.policy_index}, not the one that was used",
                "decide again",
            )
        )
    return reasons + _contained_since(decision, log_copy)


def _contained_since(decision: Decision, log_copy: Workspace) -> list[Reason]:
    """What the copy holds and the decision, made before it, does not know of: a containment, or the end of a key.

    A containment of an ancestor too, where the environment asks for the lineage. A key that was declared stolen since
    takes with it what it had signed.
    """
    known = {reason.requirement for reason in decision.reasons if not reason.met}
    evidence = gather(log_copy, decision.request.subject.digest)
    anew = evidence.decide(decision.request, decision.decided_at)
    since = {CONTAINMENT_REASON, LINEAGE_REASON}
    if any(event.position >= decision.position.tree_size for event in evidence.standing.events):
        since |= {reason.requirement for reason in decision.reasons}
    since -= known
    return [reason for reason in anew.reasons if reason.requirement in since and reason.stops]


def replay(data: bytes, pinned: str | None) -> VerifiedDossier:
    """Make a dossier's decision again; without a pin its own oldest root is taken as the pin.

    Raises:
        InputError: the dossier is malformed.
        VerificationError: something in it was refused.
    """
    dossier = parse_dossier(data)
    if pinned is None:
        if not dossier.roots:
            raise VerificationError("root-chain", "the dossier holds no root")
        from assaymark.core.digest import sha256_digest

        pinned = sha256_digest(parse_envelope(dossier.roots[0].envelope).payload)
    return verify_dossier(dossier, pinned)
