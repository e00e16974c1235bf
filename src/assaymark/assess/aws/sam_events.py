"""``sam_events``: the events of a function of SAM: routes of an API with who may call them, and what else starts it.

Source: AWS SAM developer guide, "Api", "HttpApi", "ApiFunctionAuth", "ApiAuth", "Globals section of the template",
"EventSource" (SQS, SNS, S3, Kinesis, DynamoDB, EventBridgeRule, CloudWatchEvent).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The type of event: the property that names its API, the API's type, its part of the template's globals.
_APIS: Final = {
    "Api": ("RestApiId", "AWS::Serverless::Api", "Api"),
    "HttpApi": ("ApiId", "AWS::Serverless::HttpApi", "HttpApi"),
}
# The type of event: the property that names what starts the function, and what kind of thing that is.
_SOURCES: Final = {
    "DynamoDB": ("Stream", "dynamodb:table"),
    "Kinesis": ("Stream", "kinesis:stream"),
    "S3": ("Bucket", "s3:bucket"),
    "SNS": ("Topic", "sns:topic"),
    "SQS": ("Queue", "sqs:queue"),
}
_PATTERNS: Final = ("EventBridgeRule", "CloudWatchEvent")
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.\w+)?\}")


def sam_events(
    properties: Map, resources: Map, general: Any, resolve: Callable[[Any], Any]
) -> Iterator[tuple[str, Map]]:
    """Each event that is a route: ``api``, ``path``, ``method``, ``authorization``, ``api_key_required`` and more."""
    for key, kind, line, given in _events(properties, resolve):
        if kind not in _APIS:
            continue
        auth = given.get("Auth")
        auth = auth if isinstance(auth, Map) else Map(line)
        api = given.get(_APIS[kind][0])
        own, all_ = _api(kind, api, resources, general, resolve)
        values = Map(line)
        for name, value in (
            ("api", _named(api) or f"the implicit {kind} of the template"),
            ("path", given.get("Path") or "/"),
            ("method", given.get("Method") or "ANY"),
            ("authorization", auth.get("Authorizer") or _of_auth("DefaultAuthorizer", own, all_) or "NONE"),
            ("api_key_required", _first(auth.get("ApiKeyRequired"), _of_auth("ApiKeyRequired", own, all_))),
            ("endpoint_configuration", own.get("EndpointConfiguration") or all_.get("EndpointConfiguration")),
            ("disable_execute_api_endpoint", own.get("DisableExecuteApiEndpoint")),
            ("resource_policy", _first(auth.get("ResourcePolicy"), _of_auth("ResourcePolicy", own, all_))),
        ):
            values.put(name, value, line)
        yield key, values


def sam_triggers(properties: Map, resolve: Callable[[Any], Any]) -> Iterator[tuple[str, Map]]:
    """Each event that is no route: ``source`` and what kind of thing that is (``of``), or ``pattern`` of a bus."""
    for key, kind, line, given in _events(properties, resolve):
        values = Map(line)
        if kind in _SOURCES and given.get("Enabled") is not False:
            values.put("source", given.get(_SOURCES[kind][0]), line)
            values.put("of", _SOURCES[kind][1], line)
            yield key, values
        elif kind in _PATTERNS and isinstance(given.get("Pattern"), Map):
            values.put("pattern", given["Pattern"], line)
            values.put("event_bus_name", given.get("EventBusName"), line)
            yield key, values


def _events(properties: Map, resolve: Callable[[Any], Any]) -> Iterator[tuple[str, str, int, Map]]:
    events = resolve(properties.get("Events"))
    for key, event in events.items() if isinstance(events, Map) else ():
        if isinstance(event, Map):
            given = event.get("Properties")
            yield str(key), str(event.get("Type")), event.line, given if isinstance(given, Map) else Map(event.line)


def _named(api: Any) -> str:
    """What an event calls its API: the name of the resource that it refers to."""
    match = _REFERENCE.fullmatch(api) if isinstance(api, str) else None
    return match[1] if match else api if isinstance(api, str) else ""


def _api(kind: str, api: Any, resources: Map, general: Any, resolve: Callable[[Any], Any]) -> tuple[Map, Map]:
    """What the API that is named says for all its routes, and what all of its kind have."""
    _, wanted, part = _APIS[kind]
    one = resources.get(_named(api))
    properties = one.get("Properties") if isinstance(one, Map) and one.get("Type") == wanted else None
    given = general.get(part) if isinstance(general, Map) else None
    found = [resolve(value) if isinstance(value, Map) else Map(1) for value in (properties, given)]
    return found[0], found[1]


def _of_auth(key: str, own: Map, general: Map) -> Any:
    """A part of ``Auth``, as the API has it or else all have."""
    auths = [value.get("Auth") for value in (own, general)]
    return _first(*(auth.get(key) for auth in auths if isinstance(auth, Map)))


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
