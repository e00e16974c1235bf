"""Check a dossier: everything in it is verified, and the decision is made again from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.attestation import Receipt
from assaymark.core.decision import Outcome, Reason, outcome_of
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import VerificationError
from assaymark.core.limits import CLOCK_SKEW_SECONDS
from assaymark.core.statement import DECISION, parse_envelope
from assaymark.core.subject import parse_manifest
from assaymark.core.times import format_time
from assaymark.policy.closure import is_closed
from assaymark.policy.decide import TrustState, decide
from assaymark.policy.parse import parse_policy
from assaymark.policy.remedies import decide_command
from assaymark.policy.statement import decision_payload, parse_decision
from assaymark.tlog.merkle import verify_consistency
from assaymark.trust.key_events import counting, key_standing
from assaymark.trust.policy import policies_in_force
from assaymark.trust.root import verify_root_chain
from assaymark.trust.verify import verify_checkpoint, verify_entry, verify_inclusion_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.attestation import Attestation
    from assaymark.core.decision import Decision
    from assaymark.core.subject import Manifest
    from assaymark.tlog.checkpoint import Checkpoint
    from assaymark.trust.document import Root
    from assaymark.trust.dossier import Dossier, DossierEntry

VERIFIER_ROLE: Final = "verifier"


@dataclass(frozen=True, slots=True)
class VerifiedDossier:
    """What a dossier proves under a pinned root. ``payload`` is the decision made again, byte for byte."""

    decision: Decision
    payload: bytes
    manifest: Manifest
    root: Root
    receipt: Receipt
    evidence: tuple[Attestation, ...]


def verify_dossier(dossier: Dossier, pinned: str) -> VerifiedDossier:
    """Verify all of a dossier and make its decision again.

    Steps:
        1. the root chain holds from the pinned digest on;
        2. the checkpoint is signed by the log that the newest root names, and holds every version of the root;
        3. the decision is in the log, signed by a principal in role ``verifier``;
        4. the tree that was decided about is a prefix of the checkpoint's tree, and the decision was made before it
           was logged: one made in advance would outlive what happens meanwhile;
        5. the key-events among the evidence say which keys count where; the decision's own signer is one of them;
        6. each policy, and what is said about it, is in that prefix; the one in force is the one that the decision
           names;
        7. each piece of evidence is in that prefix and verifies; together they are the decision's inputs, and there
           is none that has nothing to do with the subject;
        8. deciding again, at the decision's time, gives the same bytes;
        9. the manifest is the subject's.

    Raises:
        InputError: something in it is malformed.
        VerificationError: something in it was refused; the code says what.
    """
    # 1
    root = verify_root_chain([parse_envelope(entry.envelope) for entry in dossier.roots], pinned)
    # 2
    checkpoint = verify_checkpoint(dossier.checkpoint, root)
    for entry in dossier.roots:
        verify_inclusion_of(entry.envelope, _receipt(entry, dossier.checkpoint, checkpoint), checkpoint)
    # 3
    attestation = _verify(dossier.decision, dossier.checkpoint, checkpoint, root)
    if attestation.statement.predicate_type != DECISION:
        raise _refused("dossier-decision", "the entry in the decision's place is no decision")
    given = tuple(_verify(entry, dossier.checkpoint, checkpoint, root) for entry in dossier.evidence)
    # 5
    standing = key_standing(given, root)
    (attestation,) = counting([attestation], standing, root)
    if not any(VERIFIER_ROLE in signer.roles for signer in attestation.signers):
        raise _refused("dossier-signer", f"nobody in role {VERIFIER_ROLE} whose key counts signed the decision")
    decision = parse_decision(attestation.statement)
    if (decision.root_version, decision.root_digest) != (root.version, root.digest):
        raise _refused("dossier-root", "the decision was made under another root than the newest one here")
    # 4
    position = decision.position
    if position.origin != checkpoint.origin or position.tree_size > attestation.position:
        raise _refused("dossier-position", "the decision is about another log, or about entries after itself")
    if decision.decided_at > attestation.logged_at:
        raise _refused(
            "dossier-time",
            f"the decision is of {format_time(decision.decided_at)}, and was logged at "
            f"{format_time(attestation.logged_at)}, before it was made",
        )
    verify_consistency(
        position.tree_size,
        checkpoint.size,
        dossier.consistency,
        bytes.fromhex(position.root_hash),
        checkpoint.root_hash,
    )
    # 6
    policies = [_verify(entry, dossier.checkpoint, checkpoint, root) for entry in dossier.policies]
    text = _policy_text(counting(policies, standing, root), decision, root)
    # 7
    _check_inputs(given, decision)
    evidence = counting(given, standing, root)
    # 8
    again = decide(
        parse_policy(text),
        decision.policy_digest,
        evidence,
        decision.request,
        decision.decided_at,
        TrustState(root.version, root.digest, root.expires),
        position,
    )
    payload = decision_payload(again)
    if payload != attestation.statement.payload:
        raise _refused("dossier-replay", "deciding again gives another decision than the signed one")
    # 9
    if sha256_digest(dossier.manifest) != decision.request.subject.digest:
        raise _refused("dossier-manifest", "the manifest is not the subject's")
    receipt = _receipt(dossier.decision, dossier.checkpoint, checkpoint)
    return VerifiedDossier(again, payload, parse_manifest(dossier.manifest), root, receipt, evidence)


def standing_now(decision: Decision, now: int) -> tuple[Outcome, tuple[Reason, ...]]:
    """What a replayed decision is worth at ``now``: one that ended, or is not yet, is no answer."""
    reasons = list(decision.reasons)
    if now >= decision.valid_until:
        reasons.append(
            Reason(
                "validity",
                Outcome.INDETERMINATE,
                f"the decision ended at {format_time(decision.valid_until)}; it is {format_time(now)} now",
                f"{decide_command(decision.request.subject.name, decision.request.scope.environment)}"
                "  # where the workspace is",
            )
        )
    elif now < decision.decided_at - CLOCK_SKEW_SECONDS:
        reasons.append(
            Reason(
                "clock",
                Outcome.INDETERMINATE,
                f"the decision is of {format_time(decision.decided_at)}, after this machine's {format_time(now)}",
                "set this machine's clock",
            )
        )
    return outcome_of(reasons), tuple(reasons)


def _policy_text(policies: Iterable[Attestation], decision: Decision, root: Root) -> bytes:
    in_force = policies_in_force((item for item in policies if item.position < decision.position.tree_size), root)
    if not in_force or sha256_digest(in_force[-1][1]) != decision.policy_digest:
        raise _refused("dossier-policy", "the decision was made under another policy than the one in force")
    return in_force[-1][1]


def _check_inputs(given: tuple[Attestation, ...], decision: Decision) -> None:
    inputs = tuple((item.position, item.envelope.digest) for item in given)
    if inputs != decision.inputs or any(index >= decision.position.tree_size for index, _ in inputs):
        odd = sorted({index for index, _ in set(inputs) ^ set(decision.inputs)})
        raise _refused(
            "dossier-inputs", "the evidence is not what the decision rests on: entries " + ", ".join(map(str, odd))
        )
    if not is_closed(decision.request.subject.digest, given):
        raise _refused("dossier-inputs", "the decision names entries that have nothing to do with its subject")


def _verify(entry: DossierEntry, note: bytes, checkpoint: Checkpoint, root: Root) -> Attestation:
    return verify_entry(entry.envelope, _receipt(entry, note, checkpoint), checkpoint, root)


def _receipt(entry: DossierEntry, note: bytes, checkpoint: Checkpoint) -> Receipt:
    return Receipt(
        checkpoint.origin, entry.index, checkpoint.size, checkpoint.root_hash, entry.leaf, entry.hashes, note
    )


def _refused(code: str, message: str) -> VerificationError:
    return VerificationError(code, message, remedy="ask for the dossier again, from where the decision was made")
