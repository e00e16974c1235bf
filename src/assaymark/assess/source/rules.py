"""What is wrong with a team's own source: applications, loaders, secrets, builds, dependencies, pipelines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.rule import found
from assaymark.assess.source.fronts import fronts
from assaymark.assess.source.places import standing
from assaymark.assess.source.reached import check_reached
from assaymark.assess.source.rule_list import (
    CODE,
    LOAD_REQUEST,
    LOG_CREDENTIAL,
    LOG_PREDICTION,
    LOG_REQUEST,
    PATH,
    QUERY,
    RULES,
    TEMPLATE,
    WEB_LIMIT,
    WEB_OPEN,
    WEB_RATE,
)
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import Flow, Remark, Route
    from assaymark.assess.rule import AssessRule, Seen
    from assaymark.core.report import Finding

_BY_ID: Final = {rule.id: rule for rule in RULES}
_SINKS: Final = {
    "code": CODE,
    "command": CODE,
    "loader": LOAD_REQUEST,
    "path": PATH,
    "query": QUERY,
    "template": TEMPLATE,
}
_WORDS: Final = {
    "body": "what a client sends",
    "headers": "a client's credentials",
    "query": "what a client asks for",
    "part": "a part of the address",
    "upload": "a file that a client sends",
    "prediction": "what the model answers",
    "secret": "a credential",
    "fetched": "what another site sends",
    "stored": "what a store has under a name that is sent",
}
_TAKES: Final = frozenset(("POST", "PUT", "PATCH", "DELETE", "WEBSOCKET"))
_INVOKES: Final = (
    "predict",
    "infer",
    "generate",
    "complet",
    "chat",
    "classif",
    "embed",
    "score",
    "invoke",
)


def _routes(seen: Seen) -> Iterator[Finding]:
    front = fronts(seen.estates) if seen.estates.source.routes else None
    for route in seen.estates.source.routes:
        if standing(route.because.path) or route.purpose in ("health", "sign-in", "static", "called"):
            continue
        if route.local and _in_containers(seen, route):
            continue  # nobody else is in its container
        about = f"{'/'.join(route.methods)} {route.path}"
        if not route.authenticated and not route.inert and not (front is not None and front.asks):
            judge = front.judge if front is not None else None
            message = _unguarded(route, about) + (f", unless {judge.kind} {judge.name} does" if judge else "")
            severity, confidence = (Severity.LOW, Confidence.LOW) if judge else (_severity(route), None)
            yield found(WEB_OPEN, about, message, (route.because,), severity, confidence)
        if route.body and not route.limited and not (front is not None and front.sizes):
            message = f"{route.framework} route {about} ({route.handler}) takes input of any size"
            yield found(WEB_LIMIT, about, message, (route.because,), None, Confidence.MEDIUM)


def _in_containers(seen: Seen, route: Route) -> bool:
    """Whether a route is served in a container, as far as the input shows what runs its source."""
    inline = not route.because.path.endswith((".py", ".pyw", ".ipynb"))
    return inline or bool(seen.estates.source.images) or bool(seen.estates.kubernetes.objects)


def _unguarded(route: Route, about: str) -> str:
    what = f"{route.framework} route {about} ({route.handler})"
    if route.asks:
        return f"{what} asks for a credential ({route.asks}) that nothing checks: any value will do"
    return f"{what} answers without authentication"


def _severity(route: Route) -> Severity | None:
    if route.purpose == "metrics":
        return Severity.LOW
    words = f"{route.path} {route.handler}".lower()
    if _TAKES & set(route.methods) or route.body or any(word in words for word in _INVOKES):
        return None
    return Severity.MEDIUM


def _rates(seen: Seen) -> Iterator[Finding]:
    source = seen.estates.source
    if source.rate_limited or (source.routes and fronts(seen.estates).rates):
        return
    first: dict[str, Route] = {}
    for route in source.routes:
        words = f"{route.path} {route.handler}".lower()
        called = route.purpose == "called" or standing(route.because.path)
        if not called and route.body and any(word in words for word in _INVOKES):
            first.setdefault(route.because.path, route)
    for path, route in sorted(first.items()):
        message = f"nothing limits how often {route.path} ({route.handler}) may be called"
        yield found(WEB_RATE, path, message, (route.because,), None, Confidence.MEDIUM)


def _flows(seen: Seen) -> Iterator[Finding]:
    for flow in seen.estates.source.flows:
        if standing(flow.because.path):
            continue
        rule = _SINKS.get(flow.sink) or _logged(flow)
        about = f"{flow.function} {flow.label} {flow.call}"
        places = (flow.because,) if flow.because == flow.origin else (flow.because, flow.origin)
        yield found(rule, about, _says(flow), places, *_weight(flow))


def _logged(flow: Flow) -> AssessRule:
    return {"secret": LOG_CREDENTIAL, "prediction": LOG_PREDICTION}.get(flow.label, LOG_REQUEST)


def _says(flow: Flow) -> str:
    where = {"log": "the log", "print": "standard output", "file": "a file that is kept"}.get(flow.sink)
    if where:
        return f"{flow.function} writes {_WORDS[flow.label]} to {where} ({flow.call})"
    done = {
        "code": "is run as code by",
        "command": "is part of the command of",
        "loader": "decides what is loaded by",
        "path": "decides which file is opened by",
        "query": "is part of the query of",
        "template": "is the template of",
    }[flow.sink]
    return f"{flow.function}: {_WORDS[flow.label]} {done} {flow.call}"


def _weight(flow: Flow) -> tuple[Severity | None, Confidence | None]:
    """Severity and confidence where they are not the rule's."""
    if flow.sink in _SINKS:
        if flow.label == "prediction":
            return Severity.HIGH, Confidence.MEDIUM
        return (Severity.HIGH if flow.label in ("fetched", "stored") else None), Confidence.MEDIUM
    if flow.label == "prediction":
        return (Severity.LOW if "debug" in flow.call else None), Confidence.MEDIUM
    if flow.label == "secret":
        return None, Confidence.MEDIUM
    return (Severity.MEDIUM if "debug" in flow.call or flow.sink == "file" else None), None


def _secrets(seen: Seen) -> Iterator[Finding]:
    count: dict[str, int] = {}
    for secret in seen.estates.source.secrets:
        about = f"{secret.kind} {secret.shown}"
        key = f"{secret.because.path} {about}"
        count[key] = count.get(key, 0) + 1
        name = about if count[key] == 1 else f"{about} {count[key]}"
        mild = standing(secret.because.path)
        most = Severity.LOW if mild == "test" and secret.rule == "secret-password" else Severity.MEDIUM
        severity = min(secret.severity, most) if mild else secret.severity
        message = f"{secret.kind} is written here ({secret.shown}...)"
        yield found(_BY_ID[secret.rule], name, message, (secret.because,), severity)


def _remarks(seen: Seen) -> Iterator[Finding]:
    remarks = seen.estates.source.remarks
    refused = any(one.rule == "web-plaintext" for one in remarks) and fronts(seen.estates).tls
    for one in _merged(remarks):
        if refused and one.rule == "web-plaintext":
            continue
        if one.rule.startswith(("web-", "log-")) and standing(one.because[0].path):
            continue
        yield found(_BY_ID[one.rule], one.about, one.message, one.because, one.severity, one.confidence)


def _merged(remarks: list[Remark]) -> list[Remark]:
    """What is said of one thing of one file more than once is said once, with all its places."""
    found: dict[tuple[str, str, str], list[Remark]] = {}
    for one in remarks:
        found.setdefault((one.rule, one.about, one.because[0].path), []).append(one)
    return [_one(some) for some in found.values()]


def _one(some: list[Remark]) -> Remark:
    first = some[0]
    if len(some) == 1:
        return first
    usual = _BY_ID[first.rule].severity
    worst = max(usual if one.severity is None else one.severity for one in some)
    return replace(
        first, because=tuple(dict.fromkeys(place for one in some for place in one.because)), severity=worst
    )


__all__ = ("CHECKS", "RULES")
CHECKS: Final = (_routes, _rates, _flows, _secrets, _remarks, check_reached)
