"""Platforms that are told to keep what clients send and models answer: API gateways, endpoints, serving.

Sources: Amazon API Gateway Developer Guide, "Set up CloudWatch logging" (data tracing logs whole requests and
responses); SageMaker Developer Guide, "Data capture"; Amazon Bedrock User Guide, "Monitor model invocation"; Vertex
AI documentation, "Online prediction logging"; Azure API Management, diagnostics ("body_bytes"); KServe documentation,
"Inference Logger"; Seldon Core, "Request logging".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.rule import found
from assaymark.assess.source.rule_list import LOG_BODY
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import whole_number
from assaymark.core.report import Confidence, Severity
from assaymark.formats.located import Map, maps_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

RULES: Final = ()
_SERVING: Final = ("InferenceService", "SeldonDeployment", "InferenceGraph", "LLMInferenceService")
_MODES: Final = ("all", "request", "response", "payload")
_DEEPEST: Final = 12


def check_body_logs(seen: Seen) -> Iterator[Finding]:
    """Findings about what is kept of requests and answers by configuration."""
    for one in seen.estates.terraform:
        check = _CHECKS.get(one.kind)
        if check is not None:
            yield from check(one)
    for item in seen.estates.kubernetes.of(*_SERVING):
        for holder in _loggers(item.value.get("spec"), 0):
            mode = str(holder.get("mode") or "all").lower()
            if mode in _MODES:
                message = f"{item.kind} {item.namespace}/{item.name} sends requests and answers to a log ({mode})"
                place = item.because(holder)
                yield found(LOG_BODY, f"{item.id}#logger", message, (place,), Severity.MEDIUM)


def _loggers(value: Any, depth: int) -> Iterator[Map]:
    """The ``logger`` of each part of a serving resource."""
    if isinstance(value, Map) and depth < _DEEPEST:
        for key, inner in value.items():
            if key == "logger" and isinstance(inner, Map):
                yield inner
            else:
                yield from _loggers(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _loggers(inner, depth + 1)


def _on(value: object) -> bool:
    return value is True or (isinstance(value, str) and not isinstance(value, Unresolved) and value.lower() == "true")


def _inner(value: Any, *names: str) -> list[Map]:
    """The mappings below some names, one within the other."""
    some = [value]
    for name in names:
        some = [inner for one in some if isinstance(one, Map) for inner in maps_in(one.get(name))]
    return [one for one in some if isinstance(one, Map)]


def _trace(one: TfResource) -> Iterator[Finding]:
    """API Gateway's data tracing."""
    for settings in (*_inner(one.values, "settings"), *_inner(one.values, "method_settings")):
        for key in ("data_trace_enabled", "DataTraceEnabled"):
            if _on(settings.get(key)):
                message = f"{one.address} logs whole requests and responses of the API (data tracing)"
                yield found(LOG_BODY, one.address, message, (one.file.because(settings.at(key)),))


def _capture(one: TfResource) -> Iterator[Finding]:
    """Data capture of SageMaker, which a key of one's own keeps from who reads the bucket."""
    for settings in _inner(one.values, "data_capture_config"):
        on = settings.get("enable_capture", settings.get("EnableCapture"))
        key = settings.get("kms_key_id") or settings.get("KmsKeyId")
        if _on(on) and not key:
            message = (
                f"endpoints of {one.text('name') or one.address} keep what they are sent, without a key of one's own"
            )
            place = one.file.because(settings.line)
            yield found(LOG_BODY, one.address, message, (place,), Severity.MEDIUM)


def _invocations(one: TfResource) -> Iterator[Finding]:
    """Bedrock's log of prompts and answers, for all models of a region."""
    for settings in _inner(one.values, "logging_config"):
        kinds = [
            name
            for name in ("text", "image", "embedding", "video")
            if _on(settings.get(f"{name}_data_delivery_enabled"))
        ]
        if kinds:
            message = f"every prompt and answer of Bedrock is logged ({', '.join(kinds)})"
            place = one.file.because(settings.line)
            yield found(LOG_BODY, one.address, message, (place,), Severity.LOW, Confidence.MEDIUM)


def _predictions(one: TfResource) -> Iterator[Finding]:
    """Vertex AI's log of requests and responses."""
    for settings in _inner(one.values, "predict_request_response_logging_config"):
        if _on(settings.get("enabled")):
            message = f"endpoint {one.text('display_name') or one.address} logs requests and responses"
            place = one.file.because(settings.line)
            yield found(LOG_BODY, one.address, message, (place,), Severity.MEDIUM)


def _diagnostic(one: TfResource) -> Iterator[Finding]:
    """Bodies in diagnostics of API Management."""
    for name in ("frontend_request", "frontend_response", "backend_request", "backend_response"):
        for settings in _inner(one.values, name):
            size = settings.get("body_bytes")
            size = whole_number(size)
            if size is not None and size > 0:
                message = f"{one.address} logs {size} bytes of bodies ({name.replace('_', ' of the ')})"
                place = one.file.because(settings.at("body_bytes"))
                yield found(LOG_BODY, f"{one.address}#{name}", message, (place,), Severity.MEDIUM)


_CHECKS: Final[dict[str, Callable[[TfResource], Iterator[Finding]]]] = {
    "aws_api_gateway_method_settings": _trace,
    "aws_api_gateway_stage": _trace,
    "aws_sagemaker_endpoint_configuration": _capture,
    "aws_bedrock_model_invocation_logging_configuration": _invocations,
    "google_vertex_ai_endpoint": _predictions,
    "azurerm_api_management_api_diagnostic": _diagnostic,
    "azurerm_api_management_diagnostic": _diagnostic,
}
CHECKS: Final = (check_body_logs,)
