"""Results as JSON documents: versioned contracts. docs/spec/output.md describes every field."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.report_json import report_to_json
from assaymark.core.times import format_time
from assaymark.tlog.proof import format_receipt

if TYPE_CHECKING:
    from assaymark.core.attestation import Receipt
    from assaymark.core.decision import Reason
    from assaymark.service.verdict import Verdict

VERDICT_SCHEMA: Final = "assaymark:verdict/v1"


def receipt_document(receipt: Receipt | None) -> dict[str, Any] | None:
    """A receipt as scripts see it; ``proof`` is the C2SP tlog-proof text."""
    if receipt is None:
        return None
    return {
        "origin": receipt.origin,
        "index": receipt.index,
        "tree_size": receipt.tree_size,
        "root_hash": base64.b64encode(receipt.root_hash).decode(),
        "witness": receipt.witnessed,
        "proof": format_receipt(receipt).decode(),
    }


def reason_document(reason: Reason) -> dict[str, Any]:
    """One requirement and how it stands."""
    return {
        "requirement": reason.requirement,
        "met": reason.met,
        "outcome": str(reason.outcome),
        "mode": str(reason.mode),
        "exception": reason.exception,
        "message": reason.message,
        "remedy": reason.remedy,
    }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The contract of ``submit``, ``decide`` and ``verify``."""
    decision = verdict.decision
    document: dict[str, Any] = {
        "schema": VERDICT_SCHEMA,
        "outcome": str(verdict.outcome),
        "subject": verdict.subject.digest,
        "name": verdict.subject.name,
        "tenant": verdict.scope.tenant,
        "environment": verdict.scope.environment,
        "reasons": [reason_document(reason) for reason in verdict.reasons],
        "differences": [{"path": item.path, "what": item.what} for item in verdict.differences],
        "receipt": receipt_document(verdict.receipt),
        "root": verdict.root_digest,
        "notes": list(verdict.notes),
    }
    if decision is not None:
        document |= {
            "decided_at": format_time(decision.decided_at),
            "valid_until": format_time(decision.valid_until),
            "policy": decision.policy_digest,
            "root_version": decision.root_version,
            "position": {
                "origin": decision.position.origin,
                "tree_size": decision.position.tree_size,
                "root_hash": decision.position.root_hash,
            },
            "inputs": [{"index": index, "envelope": digest} for index, digest in decision.inputs],
        }
    if verdict.lineage is not None:
        from assaymark.ui.report.lineage import lineage_document

        document["lineage"] = lineage_document(verdict.lineage)
    if verdict.report is not None:
        document["scan"] = report_to_json(verdict.report)
    return document
