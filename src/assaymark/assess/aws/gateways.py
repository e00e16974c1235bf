"""Amazon API Gateway: the routes of REST, HTTP and WebSocket APIs, who may call them, and what they call.

This is one file because REST and HTTP APIs say the same in two ways, and each is a step over the same routes.

Sources: Amazon API Gateway Developer Guide, "Controlling and managing access to a REST API in API Gateway" (a method
without authorization is open; an API key tells callers apart and does not say who they are), "API Gateway resource
policies", "Private REST APIs in API Gateway", "Control and manage access to HTTP APIs", "How to turn on
mutual TLS authentication" (the default endpoint is to be disabled), "Use stage variables"; OpenAPI extensions
(``x-amazon-apigateway-integration``); AWS SAM, "Control API access with your AWS SAM template".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.linking import Chain
from assaymark.assess.estate.aws import ApiRoute
from assaymark.assess.kinds import INTERNET
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import Edge, State
from assaymark.core.words import counted
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Estate
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because

_FUNCTION: Final = re.compile(r"arn:aws[\w-]*:lambda:[\w-]*:\d*:function:[^/:\"]+")
_ENDPOINT: Final = re.compile(r"runtime\.sagemaker:path/+endpoints/([\w-]+)/")
_VERBS: Final = ("get", "put", "post", "delete", "patch", "head", "options", "x-amazon-apigateway-any-method")
_QUIET: Final = re.compile(
    r"(?:^|/)(?:health\w*|ping|status|ready\w*|live\w*|docs|openapi\.json|favicon\.ico)/?$", re.IGNORECASE
)
_SERVICE: Final = re.compile(r":apigateway:[\w-]*:([\w.-]+):(path|action)/+(.*)")
# What a call of a service with a path does, by the verb; what the actions give to who calls the route.
_BY_PATH: Final = {
    **{("sqs", verb): "SendMessage" for verb in ("GET", "POST")},
    **{("sns", verb): "Publish" for verb in ("GET", "POST")},
    ("s3", "GET"): "GetObject",
    **{("s3", verb): "PutObject" for verb in ("PUT", "POST", "ANY")},
}
_GIVES: Final = {
    **dict.fromkeys(("sqs:SendMessage", "sns:Publish", "kinesis:PutRecord", "kinesis:PutRecords"), "passes-data"),
    **dict.fromkeys(("s3:PutObject", "dynamodb:PutItem", "dynamodb:UpdateItem"), "passes-data"),
    **dict.fromkeys(("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "s3:GetObject"), "passes-answers"),
    **dict.fromkeys(("states:StartExecution", "states:StartSyncExecution"), "passes-calls"),
}
_STAGED: Final = re.compile(r"\$\{stageVariables\.(\w+)\}")
_STAGES: Final = (  # what says the variables of a stage, by which it names its API, and where they are
    ("aws_api_gateway_stage", "rest_api_id", "variables"),
    ("aws_api_gateway_deployment", "rest_api_id", "variables"),
    ("aws_apigatewayv2_stage", "api_id", "stage_variables"),
)
_DOMAINS: Final = (  # what maps a name to an API, by which it names that, and what has the name
    ("aws_api_gateway_base_path_mapping", "api_id", "aws_api_gateway_domain_name"),
    ("aws_api_gateway_base_path_mapping", "rest_api_id", "aws_api_gateway_domain_name"),
    ("aws_apigatewayv2_api_mapping", "api_id", "aws_apigatewayv2_domain_name"),
    ("aws_apigatewayv2_api_mapping", "api_id", "aws_api_gateway_domain_name"),
)
_TRUST: Final = ("truststore_uri", "TruststoreUri")
_GATEWAY: Final = "apigateway.amazonaws.com"


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds the routes to the estate of AWS, whose functions were read before."""
    del inputs
    estates.aws.routes += routes_of(estates.terraform, estates.aws)


def routes_of(resources: Iterable[TfResource], estate: Estate) -> Iterator[ApiRoute]:
    """The routes that Terraform and templates declare."""
    by_kind: dict[str, list[TfResource]] = {}
    for one in resources:
        by_kind.setdefault(one.kind, []).append(one)
    run = _Reading(by_kind, estate)
    for api in by_kind.get("aws_api_gateway_rest_api", ()):
        yield from run.rest(api)
    for api in by_kind.get("aws_apigatewayv2_api", ()):
        yield from run.http(api)
    for event in by_kind.get("aws_sam_event", ()):
        yield run.event(event)


class _Reading:
    """The resources by kind."""

    def __init__(self, by_kind: dict[str, list[TfResource]], estate: Estate) -> None:
        self._by_kind = by_kind
        self._estate = estate

    def _of(self, kind: str, key: str, api: TfResource) -> list[TfResource]:
        """The resources of a kind that name the API."""
        names = {api.text("id"), api.text("name"), f"${{{api.address}.id}}", f"<{api.address}>"} - {""}
        return [one for one in self._by_kind.get(kind, ()) if one.text(key) in names]

    def rest(self, api: TfResource) -> Iterator[ApiRoute]:
        """The methods of a REST API, one by one or in an OpenAPI document."""
        closed = self._closed(api)
        policies = [one.json("policy") for one in self._of("aws_api_gateway_rest_api_policy", "rest_api_id", api)]
        limits = _limits(api.text("name"), [_own_policy(api), *policies])
        integrations = self._of("aws_api_gateway_integration", "rest_api_id", api)
        paths = {one.text("id"): one.text("path_part") for one in self._by_kind.get("aws_api_gateway_resource", ())}
        for method in self._of("aws_api_gateway_method", "rest_api_id", api):
            verb, place = method.text("http_method"), method.text("resource_id")
            named = [
                one for one in integrations if (one.text("http_method"), one.text("resource_id")) == (verb, place)
            ]
            inner = method.get("integration")
            texts = [one.text("uri") for one in named] + [str(one) for one in _each(inner, "Uri", "uri")]
            roles = [one.text("credentials") for one in named] + [str(one) for one in _each(inner, "Credentials")]
            verbs = [one.text("integration_http_method") for one in named]
            verbs += [str(one) for one in _each(inner, "IntegrationHttpMethod")]
            role, sends = next(iter(filter(None, roles)), ""), next(iter(filter(None, verbs)), verb)
            shown = f"{verb} /{paths.get(place, '')}"
            open_, decides = _asks(method.get("authorization"), method.get("api_key_required"), closed, limits)
            yield self._route(api, shown, open_, decides, texts, method.because(), role=role, verb=sends)
        body = api.json("body")
        yield from self._document(api, body, closed, limits)

    def http(self, api: TfResource) -> Iterator[ApiRoute]:
        """The routes of an HTTP or WebSocket API."""
        integrations = {one.text("id"): one for one in self._of("aws_apigatewayv2_integration", "api_id", api)}
        routes = self._of("aws_apigatewayv2_route", "api_id", api)
        closed = self._closed(api)
        joins = [one for one in routes if one.text("route_key") == "$connect"]  # asks for all that comes later
        joined = joins[0].get("authorization_type") or "NONE" if joins else ""
        for route in routes:
            target = route.text("target").removeprefix("integrations/")
            known = integrations.get(target)
            some = [known] if known is not None else []
            if known is None and isinstance(route.get("target"), Unresolved):
                some = list(integrations.values())
            texts = [one.text("integration_uri") or _subtype(one.text("integration_subtype")) for one in some]
            role = next((one.text("credentials_arn") for one in some if one.text("credentials_arn")), "")
            kind = joined or route.get("authorization_type") or "NONE"
            open_, decides = _asks(kind, route.get("api_key_required"), closed, ())
            shown = route.text("route_key")
            verb = shown.partition(" ")[0]
            yield self._route(api, shown, open_, decides, texts, route.because(), role=role, verb=verb)
        if api.text("target"):
            open_, decides = _asks("NONE", None, closed, ())
            shown = api.text("route_key") or "$default"
            yield self._route(api, shown, open_, decides, [api.text("target")], api.because())
        yield from self._document(api, api.json("body"), closed, ())

    def _closed(self, api: TfResource) -> State:
        """Whether nobody of the internet comes to an API who does not say who it is before any route is asked.

        One without its own endpoint is reached under the names that are mapped to it, which may ask for certificates.
        """
        found = _private(api)
        if found is not State.UNKNOWN:
            return found
        certified = []
        for mapping, key, domain in _DOMAINS:
            for one in self._of(mapping, key, api):
                named = one.text("domain_name")
                for place in self._by_kind.get(domain, ()):
                    reference = f"${{{place.address}."
                    if (
                        named in {place.text("domain_name"), place.text("id"), f"<{place.address}>"}
                        or reference in named
                    ):
                        certified.append(any(True for _ in _each(place.get("mutual_tls_authentication"), *_TRUST)))
        return State.UNKNOWN if not certified else State.YES if all(certified) else State.NO

    def _staged(self, api: TfResource, texts: list[str]) -> list[str]:
        """Texts with the variables of each stage of an API in their places."""
        stages = [
            one.get(name)
            for kind, key, name in _STAGES
            for one in self._of(kind, key, api)
            if isinstance(one.get(name), dict)
        ]
        found = []
        for text in texts:
            wanted = _STAGED.findall(text)
            given = (
                [one for one in stages if all(isinstance(one.get(name), str) for name in wanted)] if wanted else []
            )
            found += [_put(text, one) for one in given] or [text]
        return list(dict.fromkeys(found))

    def _document(self, api: TfResource, body: Any, closed: State, limits: tuple[str, ...]) -> Iterator[ApiRoute]:
        paths = body.get("paths") if isinstance(body, dict) else None
        general = body.get("security") if isinstance(body, dict) else None
        keys = _keys_only(body)
        for path, item in paths.items() if isinstance(paths, dict) else ():
            for verb, method in item.items() if isinstance(item, dict) else ():
                if verb not in _VERBS or not isinstance(method, dict):
                    continue
                security = method.get("security", general)
                security = [{"default": []}] if security is None and api.text("default_authorizer") else security
                signed = method.get("x-amazon-apigateway-auth")
                asked = "AWS_IAM" if isinstance(signed, dict) and str(signed.get("type")).upper() == "AWS_IAM" else ""
                schemes = [set(one) for one in listed(security) if isinstance(one, dict)]
                asking = schemes and all(one - keys for one in schemes)
                key = bool(schemes) and all(schemes) and not asking
                kind = asked or ("CUSTOM" if asking else "NONE")
                open_, decides = _asks(kind, key, closed, limits)
                target = method.get("x-amazon-apigateway-integration")
                texts = [str(one) for one in _each(target, "uri")]
                role = str(next(_each(target, "credentials"), ""))
                sends = str(next(_each(target, "httpMethod"), verb))
                line = getattr(item, "at", lambda _: api.line)(verb)
                shown = f"{'ANY' if verb.startswith('x-') else verb.upper()} {path}"
                place = api.file.because(line or api.line)
                yield self._route(api, shown, open_, decides, texts, place, role=role, verb=sends)

    def event(self, event: TfResource) -> ApiRoute:
        """An event of a function or state machine of SAM: its API is made, and lets itself call that."""
        policy = event.get("resource_policy")
        limits = (f"the policy of the API {event.text('api')} lets the caller in",) if policy else ()
        open_, decides = _asks(event.get("authorization"), event.get("api_key_required"), _private(event), limits)
        shown = f"{event.text('method').upper()} {event.text('path')}"
        return self._route(event, shown, open_, decides, [event.text("function")], event.because(), permitted=True)

    def _route(
        self,
        api: TfResource,
        shown: str,
        open_: State,
        decides: tuple[str, ...],
        texts: list[str],
        because: Because,
        *,
        permitted: bool = False,
        role: str = "",
        verb: str = "",
    ) -> ApiRoute:
        targets: dict[str, tuple[str, ...]] = {}
        texts = self._staged(api, texts)
        for text in texts:
            function = _FUNCTION.search(text)
            endpoint = _ENDPOINT.search(text)
            if function is not None:
                arn = function[0]
                lets = permitted or self._lets(arn)
                targets[arn] = () if lets else (f"the policy of {arn.rpartition(':')[2]} lets API Gateway call it",)
            elif permitted and text in self._estate.resources:
                targets[text] = ()  # a state machine of SAM, whose API has a role to start it
            elif endpoint is not None:
                for arn in self._estate.resources:
                    if ":sagemaker:" in arn and arn.lower().endswith(f"endpoint/{endpoint[1].lower()}"):
                        targets[arn] = ()
        name = str(api.values.get("name") or api.values.get("api") or api.address.rpartition(".")[2])
        node, verb = f"aws:api:{api.account}:{name}", verb.upper()
        return ApiRoute(node, name, shown, open_, decides, targets, because, tuple(texts), role, verb)

    def _lets(self, arn: str) -> bool:
        function = self._estate.resources.get(arn)
        policy = function.policy if function is not None else None
        return any(
            _GATEWAY in (statement.principals or {}).get("Service", ()) and statement.effect == "Allow"
            for statement in (policy.statements if policy is not None else ())
        )


def _put(text: str, variables: dict[str, str]) -> str:
    """A text with the variables of a stage in their places."""
    return _STAGED.sub(lambda match: variables[match[1]], text)


def _subtype(name: str) -> str:
    """What an integration of an HTTP API with a service is, as the address of a REST API's would be."""
    service, _, action = name.partition("-")
    known = {"stepfunctions": "states", "eventbridge": "events"}
    return f"arn:aws:apigateway::{known.get(service.lower(), service.lower())}:action/{action}" if action else ""


def _each(value: Any, *keys: str) -> Iterator[Any]:
    for one in [value] if isinstance(value, dict) else listed(value):
        if isinstance(one, dict):
            yield from (one[key] for key in keys if one.get(key))


def _keys_only(body: Any) -> set[str]:
    """The security schemes of a document that are keys of the API: no authorizer stands behind them."""
    found: set[str] = set()
    components = body.get("components") if isinstance(body, dict) else None
    for holder, name in ((components, "securitySchemes"), (body, "securityDefinitions")):
        schemes = holder.get(name) if isinstance(holder, dict) else None
        for key, one in schemes.items() if isinstance(schemes, dict) else ():
            if isinstance(one, dict) and one.get("type") == "apiKey":
                found |= set() if any(str(word).startswith("x-amazon-apigateway-auth") for word in one) else {key}
    return found


def _private(api: TfResource) -> State:
    """Whether only networks of one's own reach it."""
    for one in _each({"x": api.get("endpoint_configuration")}, "x"):
        for part in one if isinstance(one, list) else [one]:
            given = [part.get(key) for key in ("types", "Types", "Type")] if isinstance(part, dict) else [part]
            words = [str(word) for kind in given for word in (kind if isinstance(kind, list) else [kind])]
            if "PRIVATE" in words:
                return State.YES
    off = api.get("disable_execute_api_endpoint")
    return State.UNKNOWN if off is True else State.NO


def _own_policy(api: TfResource) -> Any:
    return api.get("policy") if isinstance(api.get("policy"), Map) else api.json("policy")


def _limits(name: str, policies: list[Any]) -> tuple[str, ...]:
    """What an API's own policies leave open: who is let in is not evaluated here."""
    for policy in policies:
        statements = policy.get("Statement") if isinstance(policy, dict) else None
        items = [statements] if isinstance(statements, dict) else listed(statements)
        found = [one for one in items if isinstance(one, dict)]
        everyone = [one for one in found if one.get("Effect") == "Allow" and _is_everyone(one)]
        if policy is not None and not (everyone and all(one.get("Effect") == "Allow" for one in found)):
            return (f"the policy of the API {name} lets the caller in",)
    return ()


def _is_everyone(statement: dict[str, Any]) -> bool:
    """Whether a statement is about all callers, whatever a request carries."""
    who = statement.get("Principal")
    inner = who.get("AWS") if isinstance(who, dict) else who
    return not statement.get("Condition") and (inner == "*" or (isinstance(inner, list) and "*" in inner))


def _asks(kind: Any, key: Any, closed: State, limits: tuple[str, ...]) -> tuple[State, tuple[str, ...]]:
    """Whether anyone may call, and what decides it."""
    if closed is State.YES or (
        isinstance(kind, str) and kind not in ("", "NONE") and not isinstance(kind, Unresolved)
    ):
        return State.NO, ()
    decides = limits
    if isinstance(kind, Unresolved):
        decides += (f"the authorization {kind} is none",)
    if key is True or str(key).lower() == "true":
        decides += ("the caller has a key of the API",)
    if closed is State.UNKNOWN:
        decides += ("the API is reached under a name of its own",)
    return (State.UNKNOWN if decides else State.YES), decides


def link_gateways(run: Linking) -> None:
    """Draws the internet to APIs whose routes ask for nothing, and APIs to what they call."""
    by_api: dict[str, list[ApiRoute]] = {}
    for route in run.estate.routes:
        by_api.setdefault(route.api, []).append(route)
    for api, routes in sorted(by_api.items()):
        boundary = {"cloud": "aws", "account": api.split(":")[2]}
        places = tuple(dict.fromkeys(one.because for one in routes))[:1]
        run.builder.node(api, "endpoint", f"API {routes[0].name}", places, boundary=boundary, target="endpoint")
        for target in dict.fromkeys(arn for one in routes if one.open is not State.NO for arn in one.targets):
            open_ones = [one for one in routes if one.open is not State.NO and target in one.targets]
            _passes(run, api, target, min(open_ones, key=lambda one: (one.open is not State.YES, one.because)))
        for route in routes:
            if route.open is not State.NO:
                _serves(run, route)
        opened = sorted(
            (one for one in routes if one.open is not State.NO), key=lambda one: one.open is not State.YES
        )
        if opened:
            run.builder.node(INTERNET, "internet", "internet", entry="internet")
            first = opened[0]
            because = tuple(dict.fromkeys(one.because for one in opened[:3]))
            run.builder.edge(
                Edge(INTERNET, api, "open-invoke", asks_nothing(opened), because, first.open, first.decides)
            )


def _passes(run: Linking, api: str, target: str, route: ApiRoute) -> None:
    if run.builder.has(target):
        decides = route.targets[target]
        state = State.UNKNOWN if decides else State.YES
        how = f"{route.shown} passes on what comes"
        run.builder.edge(Edge(api, target, "passes-calls", how, (route.because,), state, decides, 0))


def _serves(run: Linking, route: ApiRoute) -> None:
    """The edges to things of services that a route calls with a role of its own."""
    who = run.estate.identities.get(route.role)
    if who is None:
        return
    for uri in route.uris:
        match = _SERVICE.search(uri)
        service, form, rest = match.groups() if match else ("", "", "")
        asked = rest.partition("/")[0] if form == "action" else _BY_PATH.get((service, route.verb), "")
        relation = _GIVES.get(f"{service}:{asked}", "")
        named = set(re.split(r"[/{}?]", rest)) if form == "path" else set()
        for arn, resource in sorted(run.estate.resources.items()) if relation else ():
            name = re.split(r"[:/]", arn)[-1]
            if arn.split(":")[2] != service or not run.builder.has(arn) or (named and name not in named):
                continue
            bucket = resource.kind == "s3:bucket"
            chain = Chain().then(run.can(who, f"{service}:{asked}", f"{arn}/*" if bucket else arn))
            how = f"{route.shown} passes on what comes, and its role may {service}:{asked}"
            found = Chain(chain.state, (route.because, *chain.because), chain.decides)
            run.draw(route.api, arn, relation, how, found, 0)


def asks_nothing(routes: list[ApiRoute]) -> str:
    """What open routes are, in words."""
    more = f" and {counted(len(routes) - 1, 'other route')}" if len(routes) > 1 else ""
    return f"{routes[0].shown}{more} {'ask' if more else 'asks'} for no authentication"


def is_quiet(route: ApiRoute) -> bool:
    """Whether a route is one that is open for good reasons: a probe, or a browser's question before a call."""
    verb, _, path = route.shown.partition(" ")
    return verb == "OPTIONS" or _QUIET.search(path) is not None
