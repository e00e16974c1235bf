"""AdmissionReview, both ways: the bytes of a question to what it asks, and answers to the bytes of a response.

Format: admission.k8s.io/v1 of the Kubernetes API (https://kubernetes.io/docs/reference/access-authn-authz/
extensible-admission-controllers/). Pure. A question that cannot be read, but whose uid can, is answered with a
refusal: that holds whatever the webhook's failurePolicy says, while an HTTP error counts only under ``Fail``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.decision import Mode, Outcome
from assaymark.core.errors import InputError
from assaymark.core.limits import ADMISSION_MAX_TEXT
from assaymark.enforce.model_names import ANNOTATION, DOMAIN, HOW_TO_NAME, Named, named_models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.enforce.ruling import Ruling

API_VERSION: Final = "admission.k8s.io/v1"
_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_NAME_MAX: Final = 253  # of a Kubernetes object; its uid is shorter
_WARNING_MAX: Final = 240  # the API server cuts warnings of more than 256
_WARNINGS: Final = 16  # and keeps 4 KiB of all of them
# An update that only lowers these, or raises a brake, starts nothing.
_COUNTS: Final = ("replicas", "parallelism")


@dataclass(frozen=True, slots=True)
class Review:
    """What the API server asks. ``place`` names the object for people.

    ``rest`` says why nothing has to be asked about it; it is empty when ``named`` is to be judged.
    """

    uid: str
    operation: str
    place: str
    namespace: str
    dry_run: bool
    named: Named = field(default_factory=Named)
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A response: whether the object is let in, and what is said about it. ``outcome`` is of all models together."""

    allowed: bool
    outcome: Outcome
    message: str = ""
    warnings: tuple[str, ...] = ()
    audit: Mapping[str, str] = field(default_factory=dict)


def review_uid(document: Mapping[str, Any]) -> str:
    """The uid of a question, which a response must repeat.

    Raises:
        InputError: ``admission-form`` for what is no question of the version that we answer.
    """
    if document.get("apiVersion") != API_VERSION or document.get("kind") != "AdmissionReview":
        raise _malformed("$.apiVersion", f"not an AdmissionReview of {API_VERSION}")
    request = document.get("request")
    if not isinstance(request, dict):
        raise _malformed("$.request", "there is no request")
    return _text(request, "uid", "$.request.uid")


def parse_review(document: Mapping[str, Any]) -> Review:
    """The question of a document whose uid ``review_uid`` has read.

    Raises:
        InputError: ``admission-form``.
    """
    uid = review_uid(document)
    request = document["request"]
    group, _, kind = _triple(request, "kind", "kind")
    _, _, resource = _triple(request, "resource", "resource")
    operation = _text(request, "operation", "$.request.operation")
    if operation not in _OPERATIONS:
        raise _malformed("$.request.operation", f"operation is one of {', '.join(_OPERATIONS)}")
    sub, namespace = _optional(request, "subResource"), _optional(request, "namespace")
    dry_run = request.get("dryRun", False)
    if not isinstance(dry_run, bool):
        raise _malformed("$.request.dryRun", "dryRun is true or false")
    review = Review(uid, operation, "", namespace, dry_run)
    name = _optional(request, "name")
    if operation in ("DELETE", "CONNECT"):
        place = _place(resource, sub, namespace, name)
        return _replace(review, place, rest=f"{operation} starts no model")
    item = _object(request, "object")
    place = _place(resource, sub, namespace, name or _own_name(item))
    if operation == "UPDATE":
        old = _object(request, "oldObject")
        if _metadata(old).get("deletionTimestamp") and _metadata(item).get("deletionTimestamp"):
            return _replace(review, place, rest="it is being deleted")
        if starts_nothing(old, item, pod=resource == "pods"):
            return _replace(review, place, rest="the update starts nothing")
    return _replace(review, place, named=named_models(item, group, kind))


def starts_nothing(old: Mapping[str, Any], new: Mapping[str, Any], *, pod: bool) -> bool:
    """Whether an update leaves alone all that a program is started by.

    Without this a model that was pulled back could be scaled down by nobody, and its jobs never be cleaned up.
    """
    return _essence(old, new, pod=pod) == _essence(new, new, pod=pod)


def _essence(item: Mapping[str, Any], new: Mapping[str, Any], *, pod: bool) -> dict[str, Any]:
    """An object without what others write on it; of a pod, only the annotations that we read."""
    kept = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    annotations = _metadata(item).get("annotations") or {}
    if pod and isinstance(annotations, dict):
        annotations = {key: value for key, value in annotations.items() if DOMAIN in key or "kserve.io/" in key}
    kept["metadata"] = annotations
    spec, after = kept.get("spec"), new.get("spec")
    if isinstance(spec, dict) and isinstance(after, dict):
        lowered = {key: after[key] for key in _COUNTS if _is_lowered(spec.get(key, 1), after.get(key))}
        if after.get("suspend") is True:
            lowered["suspend"] = True
        kept["spec"] = {**spec, **lowered}
    return kept


def _is_lowered(before: Any, after: Any) -> bool:
    return type(before) is int and type(after) is int and 0 <= after <= before


def judge(
    review: Review, environment: str, answers: Mapping[str, Ruling], *, require_model: bool, names: Mapping[str, str]
) -> Judged:
    """The response to a question, given an answer for every digest that it names; a missing answer is none.

    ``names`` are what the models are called, by digest, for people.
    """
    named = review.named
    audit = {"environment": environment, "models": ",".join(named.digests[:8]) or "none"}
    if review.rest:
        return Judged(True, Outcome.PERMIT, audit={"checked": f"no: {review.rest}"})
    faults = list(named.faults)
    if require_model and named.pods:
        if not named.digests:
            faults.append("it names no model, and here every pod names its models")
        faults += [f"{place} is an image without a digest" for place in named.loose]
    if faults:
        message = f"{review.place}: " + "; ".join(faults) + f". {HOW_TO_NAME}"
        return Judged(False, Outcome.DENY, _cut(message), audit={**audit, "requirements": "model-unnamed"})
    if not named.digests:
        return Judged(
            True,
            Outcome.PERMIT,
            warnings=tuple(_loose(named)),
            audit={"checked": f"no: it names no model; {ANNOTATION} would"},
        )
    outcome = Outcome.PERMIT
    warnings = list(_loose(named))
    refusals: list[str] = []
    unmet: list[str] = []
    for digest in named.digests:
        ruling = answers.get(digest)
        if ruling is None or ruling.outcome is not Outcome.PERMIT:
            found = Outcome.INDETERMINATE if ruling is None else ruling.outcome
            outcome = Outcome.DENY if Outcome.DENY in (outcome, found) else Outcome.INDETERMINATE
            refusals.append(_refusal(digest, names.get(digest, ""), found, ruling))
            unmet += [] if ruling is None else ruling.unmet
        else:
            warnings += [f"{digest[:19]}: {text}" for text in _warned(ruling)]
    shown = tuple(text[:_WARNING_MAX] for text in warnings[:_WARNINGS])
    audit |= {"outcome": str(outcome), "requirements": ",".join(dict.fromkeys(unmet)) or "none unmet"}
    if not refusals:
        return Judged(True, outcome, warnings=shown, audit=audit)
    message = f"{review.place} may not run in {environment}: " + " | ".join(refusals)
    return Judged(False, outcome, _cut(message), shown, audit)


def response(uid: str, judged: Judged) -> bytes:
    """The bytes of an AdmissionReview v1 with its response."""
    answer: dict[str, Any] = {"uid": uid, "allowed": judged.allowed}
    if not judged.allowed:
        answer["status"] = {"status": "Failure", "code": 403, "reason": "Forbidden", "message": judged.message}
    if judged.warnings:
        answer["warnings"] = list(judged.warnings)
    if judged.audit:
        answer["auditAnnotations"] = dict(judged.audit)
    return json.dumps({"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": answer}).encode()


def _refusal(digest: str, name: str, outcome: Outcome, ruling: Ruling | None) -> str:
    reasons = [] if ruling is None else [reason for reason in ruling.reasons if reason.stops]
    told = [
        f"{reason.requirement}: {reason.message}" + (f"; do: {reason.remedy}" if reason.remedy else "")
        for reason in reasons
    ]
    who = f"{digest} ({name})" if name else digest
    return f"{who} {outcome}: " + ("; ".join(told) or "no answer was given")


def _warned(ruling: Ruling) -> list[str]:
    """What would have stopped it under an enforced requirement, or was let pass by an exception."""
    texts = []
    for reason in ruling.reasons:
        if not reason.met and reason.mode is Mode.WARN:
            texts.append(f"{reason.requirement}: {reason.message}")
        elif not reason.met and reason.exception is not None:
            texts.append(f"{reason.requirement} passes by the exception of entry {reason.exception}")
    return texts


def _loose(named: Named) -> list[str]:
    return [f"{place} is an image without a digest: nobody checked what it holds" for place in named.loose]


def _cut(text: str) -> str:
    return text if len(text) <= ADMISSION_MAX_TEXT else text[: ADMISSION_MAX_TEXT - 3] + "..."


def _replace(review: Review, place: str, named: Named | None = None, rest: str = "") -> Review:
    return Review(
        review.uid, review.operation, place, review.namespace, review.dry_run, named or Named(), rest
    )  # fmt: skip


def _place(resource: str, sub: str, namespace: str, name: str) -> str:
    whole = f"{resource}/{sub}" if sub else resource
    return f"{whole} {namespace}/{name}" if namespace else f"{whole} {name}"


def _metadata(item: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = item.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _own_name(item: Mapping[str, Any]) -> str:
    """What an object is called that the API server has not named yet."""
    metadata = _metadata(item)
    prefix = metadata.get("generateName")
    name = metadata.get("name") or (f"{prefix}..." if isinstance(prefix, str) else "")
    return name[:_NAME_MAX] if isinstance(name, str) else ""


def _object(request: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = request.get(key)
    if not isinstance(value, dict):
        raise _malformed(f"$.request.{key}", f"there is no {key} to look at")
    return value


def _triple(request: Mapping[str, Any], key: str, last: str) -> tuple[str, str, str]:
    value = request.get(key)
    if not isinstance(value, dict):
        raise _malformed(f"$.request.{key}", f"there is no {key}")
    group = value.get("group", "")
    if not isinstance(group, str):
        raise _malformed(f"$.request.{key}.group", "a group is a text, empty for the core")
    position = f"$.request.{key}"
    return group, _text(value, "version", f"{position}.version"), _text(value, last, f"{position}.{last}")


def _text(table: Mapping[str, Any], key: str, position: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= _NAME_MAX:
        raise _malformed(position, f"{key} is a text of 1 to {_NAME_MAX} characters")
    return value


def _optional(request: Mapping[str, Any], key: str) -> str:
    value = request.get(key, "")
    if not isinstance(value, str) or len(value) > _NAME_MAX:
        raise _malformed(f"$.request.{key}", f"{key} is a text of up to {_NAME_MAX} characters")
    return value


def _malformed(position: str, message: str) -> InputError:
    return InputError("admission-form", message, position=position)
