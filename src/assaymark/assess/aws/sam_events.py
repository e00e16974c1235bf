"""``sam_events``: the events of a function of SAM that are routes of an API, each with who may call it.

Source: AWS SAM developer guide, "Api", "HttpApi", "ApiFunctionAuth", "ApiAuth", "Globals section of the template".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The type of event: the property that names its API, the API's type, its part of the template's globals.
_APIS: Final = {
    "Api": ("RestApiId", "AWS::Serverless::Api", "Api"),
    "HttpApi": ("ApiId", "AWS::Serverless::HttpApi", "HttpApi"),
}


def sam_events(
    properties: Map, resources: Map, general: Any, resolve: Callable[[Any], Any]
) -> Iterator[tuple[str, Map]]:
    """Each event and its route: ``api``, ``path``, ``method``, ``authorization``, ``api_key_required``."""
    events = resolve(properties.get("Events"))
    for key, event in events.items() if isinstance(events, Map) else ():
        given = event.get("Properties") if isinstance(event, Map) else None
        kind = event.get("Type") if isinstance(event, Map) else None
        if not isinstance(event, Map) or kind not in _APIS:
            continue
        given = given if isinstance(given, Map) else Map(event.line)
        auth = given.get("Auth")
        auth = auth if isinstance(auth, Map) else Map(event.line)
        api = given.get(_APIS[kind][0])
        values = Map(event.line)
        for name, value in (
            ("api", api if isinstance(api, str) else f"the implicit {kind} of the template"),
            ("path", given.get("Path") or "/"),
            ("method", given.get("Method") or "ANY"),
            ("authorization", auth.get("Authorizer") or _default(kind, api, resources, general, resolve) or "NONE"),
            ("api_key_required", auth.get("ApiKeyRequired")),
        ):
            values.put(name, value, event.line)
        yield str(key), values


def _default(kind: str, api: Any, resources: Map, general: Any, resolve: Callable[[Any], Any]) -> Any:
    """The authorizer that the API which is named has for routes that name none, or all of its kind have."""
    _, wanted, part = _APIS[kind]
    for name, one in resources.items():
        if isinstance(one, Map) and one.get("Type") == wanted and isinstance(api, str) and name in api:
            properties = one.get("Properties")
            auth = resolve(properties.get("Auth")) if isinstance(properties, Map) else None
            if isinstance(auth, Map) and auth.get("DefaultAuthorizer"):
                return auth["DefaultAuthorizer"]
    given = general.get(part) if isinstance(general, Map) else None
    auth = given.get("Auth") if isinstance(given, Map) else None
    return auth.get("DefaultAuthorizer") if isinstance(auth, Map) else None
