"""A decision as a signed statement, and back: a SLSA verification summary with our outcome beside it.

Source: https://slsa.dev/spec/v1.1/verification_summary. PASSED stands for PERMIT only. What the summary has no
field for is in one extension field, ``assaymark``. The words of the reasons are not signed: they are made
anew from the evidence, so that a better wording refuses no older decision. Format: docs/spec/decision.md.
"""

from __future__ import annotations

from typing import Any, Final

from assaymark.core.decision import Decision, LogPosition, Mode, Outcome, Reason, Request, Scope, outcome_of
from assaymark.core.digest import digest_hex, is_digest
from assaymark.core.errors import InputError
from assaymark.core.limits import TREE_MAX_SIZE
from assaymark.core.statement import DECISION, Statement, make_statement
from assaymark.core.times import format_time, parse_time
from assaymark.policy.document import NEVER_EXCEPTED

VERIFIER_ID: Final = "assaymark:verifier/v1"
SLSA_VERSION: Final = "1.1"

_OURS: Final = "$.predicate.assaymark"
_TYPE_NAMES: Final[dict[type, str]] = {str: "text", int: "an integer", dict: "an object", list: "an array"}
_REASON_KEYS: Final = frozenset({"outcome", "requirement"})


def decision_payload(decision: Decision) -> bytes:
    """The canonical bytes that are signed for ``decision``: the same decision gives the same bytes anywhere.

    Raises:
        InputError: a ``json-*`` or ``time-range`` code when a value cannot be signed, such as a subject's name
            that is not Unicode.
    """
    request = decision.request
    predicate: dict[str, Any] = {
        "assaymark": {
            "environment": request.scope.environment,
            "inputs": [
                {"digest": {"sha256": digest_hex(digest)}, "index": index} for index, digest in decision.inputs
            ],
            "origin": decision.position.origin,
            "outcome": str(decision.outcome),
            "reasons": [_reason_json(reason) for reason in decision.reasons],
            "rootDigest": {"sha256": digest_hex(decision.root_digest)},
            "rootHash": decision.position.root_hash,
            "rootVersion": decision.root_version,
            "tenant": request.scope.tenant,
            "treeSize": decision.position.tree_size,
            "validUntil": format_time(decision.valid_until),
        },
        "inputAttestations": [{"digest": {"sha256": digest_hex(digest)}} for _, digest in decision.inputs],
        "policy": {"digest": {"sha256": digest_hex(decision.policy_digest)}, "uri": "assaymark:policy/v1"},
        "resourceUri": f"assaymark:subject/{request.subject.digest}",
        "slsaVersion": SLSA_VERSION,
        "timeVerified": format_time(decision.decided_at),
        "verificationResult": "PASSED" if decision.outcome is Outcome.PERMIT else "FAILED",
        "verifiedLevels": [],
        "verifier": {"id": VERIFIER_ID},
    }
    return make_statement((request.subject,), DECISION, predicate).payload


def _reason_json(reason: Reason) -> dict[str, Any]:
    """What is signed of a reason; what it has not is left out."""
    document: dict[str, Any] = {"outcome": str(reason.outcome), "requirement": reason.requirement}
    if reason.mode is not Mode.ENFORCE:
        document["mode"] = str(reason.mode)
    if reason.exception is not None:
        document["exception"] = reason.exception
    return document


def parse_decision(statement: Statement) -> Decision:
    """The decision that ``statement`` says; the inverse of ``decision_payload``, but for the words of its reasons.

    Only the one spelling that ``decision_payload`` writes is read, and only when its outcome follows from its
    enforced reasons: a summary that says PASSED over a reason that denies is nobody's decision. An exception is one
    of the decision's inputs, and lets an enforced requirement pass that is not met and may be excepted.

    Raises:
        InputError: ``decision-form``.
    """
    if statement.predicate_type != DECISION or len(statement.subjects) != 1:
        raise InputError("decision-form", "not a verification summary of one subject", position="$.predicateType")
    predicate = statement.predicate
    ours = _member(predicate, "assaymark", dict, "$.predicate")
    reasons = tuple(_reason(item, f"{_OURS}.reasons[{i}]") for i, item in enumerate(_list(ours, "reasons")))
    decision = Decision(
        outcome=_outcome(ours, _OURS),
        reasons=reasons,
        request=Request(statement.subjects[0], Scope(_text(ours, "tenant"), _text(ours, "environment"))),
        root_version=_integer(ours, "rootVersion", _OURS),
        root_digest=_digest(ours.get("rootDigest"), f"{_OURS}.rootDigest"),
        policy_digest=_digest(
            _member(predicate, "policy", dict, "$.predicate").get("digest"), "$.predicate.policy.digest"
        ),
        position=LogPosition(_text(ours, "origin"), _integer(ours, "treeSize", _OURS), _hash(ours, "rootHash")),
        inputs=tuple(_input(item, f"{_OURS}.inputs[{i}]") for i, item in enumerate(_list(ours, "inputs"))),
        decided_at=_time(predicate, "timeVerified", "$.predicate"),
        valid_until=_time(ours, "validUntil", _OURS),
    )
    indices = {index for index, _ in decision.inputs}
    for i, reason in enumerate(reasons):
        if reason.exception is not None and not (
            reason.exception in indices
            and reason.mode is Mode.ENFORCE
            and not reason.met
            and reason.requirement not in NEVER_EXCEPTED
        ):
            raise InputError(
                "decision-form", "no exception can stand here", position=f"{_OURS}.reasons[{i}].exception"
            )
    if decision.outcome is not outcome_of(reasons):
        raise InputError("decision-form", "the outcome does not follow from the reasons", position=f"{_OURS}.outcome")
    if decision_payload(decision) != statement.payload:
        raise InputError("decision-form", "not in the one form of a decision", position="$.predicate")
    return decision


def _member(table: dict[str, Any], key: str, kind: type, path: str) -> Any:
    value = table.get(key)
    if type(value) is not kind:
        raise InputError("decision-form", f"expected {_TYPE_NAMES[kind]}", position=f"{path}.{key}")
    return value


def _text(ours: dict[str, Any], key: str) -> str:
    return str(_member(ours, key, str, _OURS))


def _hash(ours: dict[str, Any], key: str) -> str:
    text = _text(ours, key)
    if not is_digest(f"sha256:{text}"):
        raise InputError("decision-form", "expected 64 lower-case hexadecimal digits", position=f"{_OURS}.{key}")
    return text


def _list(ours: dict[str, Any], key: str) -> list[Any]:
    return list(_member(ours, key, list, _OURS))


def _integer(table: dict[str, Any], key: str, path: str) -> int:
    value = int(_member(table, key, int, path))
    if not 0 <= value <= TREE_MAX_SIZE:
        raise InputError("decision-form", "out of range", position=f"{path}.{key}")
    return value


def _outcome(table: dict[str, Any], path: str) -> Outcome:
    try:
        return Outcome(_member(table, "outcome", str, path))
    except ValueError:
        raise InputError(
            "decision-form", "neither PERMIT, DENY nor INDETERMINATE", position=f"{path}.outcome"
        ) from None


def _time(table: dict[str, Any], key: str, path: str) -> int:
    try:
        return parse_time(_member(table, key, str, path))
    except InputError as error:
        raise InputError("decision-form", error.message, position=f"{path}.{key}") from None


def _digest(value: Any, path: str) -> str:
    digest = f"sha256:{value.get('sha256')}" if isinstance(value, dict) else ""
    if not is_digest(digest):
        raise InputError("decision-form", "expected a digest set with sha256", position=path)
    return digest


def _input(item: Any, path: str) -> tuple[int, str]:
    if not isinstance(item, dict):
        raise InputError("decision-form", "expected an object", position=path)
    return _integer(item, "index", path), _digest(item.get("digest"), f"{path}.digest")


def _reason(item: Any, path: str) -> Reason:
    if not isinstance(item, dict) or not _REASON_KEYS <= set(item) <= _REASON_KEYS | {"exception", "mode"}:
        raise InputError(
            "decision-form", "a reason has outcome and requirement, and may have exception and mode", position=path
        )
    try:
        mode = Mode(item.get("mode", "enforce"))
    except ValueError:
        raise InputError("decision-form", "neither enforce, warn nor audit", position=f"{path}.mode") from None
    exception = _integer(item, "exception", path) if "exception" in item else None
    name = str(_member(item, "requirement", str, path))
    return Reason(name, _outcome(item, path), mode=mode, exception=exception)
