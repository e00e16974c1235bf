"""What policies of a mesh say of single requests: paths, methods, addresses, conditions, targets."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.kubernetes.mesh import strict
from assaymark.assess.kubernetes.mesh_policy import admitted, judged
from assaymark.assess.kubernetes.mesh_requests import Asked
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.core.graph import State

Y, N, U = State.YES, State.NO, State.UNKNOWN
BASE = """
apiVersion: v1
kind: Namespace
metadata: {name: ml, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: ml}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: c, image: "registry.example.com/api:1", ports: [{containerPort: 8000}]}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: ml, labels: {x: y}}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8000}]}
"""
POLICY = """
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: p{number}, namespace: ml}}
spec: {spec}
"""


def answer(*specs: str, path: str = "", method: str = "GET", more: str = "") -> State:
    text = BASE + "".join(POLICY.format(number=number, spec=spec) for number, spec in enumerate(specs)) + more
    cluster = assessed_files({"all.yaml": text}).estates.kubernetes
    pods = pod_specs(cluster)
    pod = next(one for one in pods if one.owner.name == "api")
    return admitted(Network(cluster, pods), pod, Asked(method, path) if path else None).anyone


def to(operation: str, action: str = "ALLOW") -> str:
    return f"{{action: {action}, rules: [{{to: [{{operation: {{{operation}}}}}]}}]}}"


@pytest.mark.parametrize(
    ("operation", "path", "allowed", "left"),
    [
        ('paths: ["/health"]', "/health", Y, N),
        ('paths: ["/health"]', "/load", N, Y),
        ('paths: ["/v1/*"]', "/v1/models/x", Y, N),
        ('paths: ["/v1/*"]', "/v1", N, Y),
        ('paths: ["*/info"]', "/a/info", Y, N),
        ('paths: ["*"]', "/load", Y, N),
        ('paths: ["/v1/{*}/infer"]', "/v1/m/infer", Y, N),
        ('paths: ["/v1/{*}/infer"]', "/v1/m/n/infer", N, Y),
        ('paths: ["/v1/{**}"]', "/v1/m/n/infer", Y, N),
        ('paths: ["/v1/{*}/infer"]', "/v1/{name}/infer", Y, N),  # a parameter of the route
        ('paths: ["/v1/m/infer"]', "/v1/<name>/infer", U, Y),  # another value is not denied
        ('paths: ["/files/{*}"]', "/files/<path:name>", Y, U),  # a value may hold slashes
        ('notPaths: ["/admin*"]', "/load", Y, N),
        ('notPaths: ["/admin*"]', "/admin/load", N, Y),
        ('methods: ["GET"]', "/load", Y, N),
        ('methods: ["POST"]', "/load", N, Y),
        ('notMethods: ["GET"]', "/load", N, Y),
        ('methods: ["GET"], paths: ["/a"]', "/load", N, Y),
        ('hosts: ["api.example.com"]', "/load", U, U),
        ('ports: ["8000"]', "/load", U, U),
    ],
)
def test_operations(operation: str, path: str, allowed: State, left: State) -> None:
    assert answer(to(operation), path=path) is allowed
    assert answer(to(operation, "DENY"), path=path) is left


def test_what_is_not_known_to_be_asked_stays_open() -> None:
    assert answer(to('paths: ["/health"]')) is U
    assert answer(to('paths: ["/admin*"]', "DENY")) is U
    assert answer(to('paths: ["*"]')) is Y


def test_any_method_of_a_route() -> None:
    assert answer(to('methods: ["GET"]'), path="/x", method="ANY") is Y
    assert answer(to('methods: ["GET"]', "DENY"), path="/x", method="ANY") is Y


@pytest.mark.parametrize(
    ("source", "allowed", "left"),
    [
        ('ipBlocks: ["0.0.0.0/0"]', Y, N),
        ('ipBlocks: ["203.0.113.0/24"]', N, Y),
        ('remoteIpBlocks: ["203.0.113.7"]', N, Y),
        ('ipBlocks: ["10.0.0.0/8"]', U, Y),
        ('notIpBlocks: ["203.0.113.0/24"]', Y, N),
        ('notRemoteIpBlocks: ["10.0.0.0/8"]', Y, U),
        ('ipBlocks: ["no network"]', U, U),
    ],
)
def test_addresses(source: str, allowed: State, left: State) -> None:
    rule = f"rules: [{{from: [{{source: {{{source}}}}}]}}]"
    assert answer(f"{{action: ALLOW, {rule}}}") is allowed
    assert answer(f"{{action: DENY, {rule}}}") is left


@pytest.mark.parametrize(
    ("condition", "allowed", "left"),
    [
        ('key: "request.auth.claims[groups]", values: [a]', N, Y),
        ('key: "request.auth.claims[groups]", notValues: [a]', Y, N),
        ('key: "request.headers[x-key]", values: [a]', U, Y),
        ('key: "request.headers[x-key]", notValues: [a]', Y, U),
        ("key: source.namespace, values: [other]", N, Y),
        ('key: remote.ip, values: ["203.0.113.0/24"]', N, Y),
        ("key: connection.sni, values: [a]", U, U),
    ],
)
def test_conditions(condition: str, allowed: State, left: State) -> None:
    assert answer(f"{{action: ALLOW, rules: [{{when: [{{{condition}}}]}}]}}") is allowed
    assert answer(f"{{action: DENY, rules: [{{when: [{{{condition}}}]}}]}}") is left


def test_what_another_service_decides_is_said() -> None:
    custom = "{action: CUSTOM, provider: {name: opa}, rules: [{to: [{operation: {paths: [/load]}}]}]}"
    assert (answer(custom, path="/load"), answer(custom, path="/health")) == (U, Y)
    assert answer(custom, to('paths: ["/other"]'), path="/load") is N  # it lets nobody in whom others refuse
    text = BASE + POLICY.format(number=0, spec=to('paths: ["*"]')) + POLICY.format(number=1, spec=custom)
    cluster = assessed_files({"all.yaml": text}).estates.kubernetes
    pods = pod_specs(cluster)
    assert judged(admitted(Network(cluster, pods), pods[0], Asked("GET", "/load"))) == (
        "the provider opa of AuthorizationPolicy p1"
    )


WAYPOINT = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: way, namespace: ml, labels: {{{label}}}}}
spec: {{gatewayClassName: {kind}, listeners: [{{name: m, port: 15008, protocol: HBONE}}]}}
"""
USES = BASE.replace("istio-injection: enabled", "istio.io/dataplane-mode: ambient, istio.io/use-waypoint: way")
NOBODY = ", rules: []}"


@pytest.mark.parametrize(
    ("base", "target", "gateway", "expected"),
    [
        (BASE, "{kind: Service, group: '', name: api}", "", Y),  # nothing holds to it without a waypoint
        (BASE, "{kind: Service, group: '', name: other}", "", U),
        (USES, "{kind: Service, group: '', name: api}", WAYPOINT.format(label="", kind="istio-waypoint"), U),
        (
            USES,
            "{kind: Service, group: '', name: api}",
            WAYPOINT.format(label="istio.io/waypoint-for: all", kind="istio-waypoint"),
            N,
        ),
        (
            USES,
            "{kind: Gateway, group: gateway.networking.k8s.io, name: way}",
            WAYPOINT.format(label="istio.io/waypoint-for: workload", kind="istio-waypoint"),
            N,
        ),
        (
            BASE,
            "{kind: Gateway, group: gateway.networking.k8s.io, name: way}",
            WAYPOINT.format(label="", kind="istio"),
            Y,
        ),
    ],
)
def test_targets(base: str, target: str, gateway: str, expected: State) -> None:
    spec = f"{{targetRefs: [{target}], action: ALLOW{NOBODY}"
    text = base + POLICY.format(number=0, spec=spec) + gateway
    cluster = assessed_files({"all.yaml": text}).estates.kubernetes
    pods = pod_specs(cluster)
    assert admitted(Network(cluster, pods), pods[0]).anyone is expected


APP = """
import pickle
from flask import Flask, request
app = Flask(__name__)
@app.route("/echo")
def ready():
    return model.predict(request.args["x"])
@app.route("/load", methods=["POST"])
def load():
    return str(pickle.loads(request.data))
"""


def reached(spec: str) -> dict[str, State]:
    """The routes' nodes that the pods' network reaches, and whether what is sent runs."""
    files = {
        "app.py": APP,
        "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["gunicorn", "-b", "0.0.0.0:8000", "app:app"]\n',
        "build.sh": "#!/bin/sh\ndocker build -t registry.example.com/api:1 .\n",
        "all.yaml": BASE + POLICY.format(number=0, spec=spec),
    }
    found = assessed_files(files).graph
    ways = {edge.target: edge.state for edge in found.edges if edge.relation == "open-invoke"}
    runs = {edge.source for edge in found.edges if edge.relation == "runs-input" and edge.state is Y}
    return {"load" if node in runs else "other": state for node, state in ways.items()}


def test_a_policy_by_paths_is_held_against_the_routes_of_the_source() -> None:
    assert reached(to('paths: ["/echo"]')) == {"other": Y}
    assert reached(to('paths: ["/load"], methods: ["POST"]')) == {"load": Y}
    assert reached(to('paths: ["/load"]', "DENY")) == {"other": Y}
    assert reached(to('paths: ["/admin*"]', "DENY")) == {"load": Y}


LINKERD = """
---
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: {name: http, namespace: ml}
spec: {podSelector: {matchLabels: {app: api}}, port: 8000}
---
apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: {name: health, namespace: ml}
spec:
  parentRefs: [{kind: Server, group: policy.linkerd.io, name: http}]
  rules: [{matches: [{path: {type: Exact, value: /health}, method: GET}]}]
---
apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: {name: rest, namespace: ml}
spec:
  parentRefs: [{kind: Server, group: policy.linkerd.io, name: http}]
  rules: [{matches: [{path: {type: PathPrefix, value: /v1}}]}]
---
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthentication
metadata: {name: all, namespace: ml}
spec: {networks: [{cidr: 0.0.0.0/0}]}
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: {name: probes, namespace: ml}
spec:
  targetRef: {group: policy.linkerd.io, kind: HTTPRoute, name: health}
  requiredAuthenticationRefs: []
"""


@pytest.mark.parametrize(("path", "expected"), [("/health", Y), ("/v1/load", N), ("/other", N), ("", U)])
def test_routes_of_linkerd(path: str, expected: State) -> None:
    text = BASE.replace("labels: {istio-injection: enabled}", "annotations: {linkerd.io/inject: enabled}") + LINKERD
    cluster = assessed_files({"all.yaml": text}).estates.kubernetes
    pods = pod_specs(cluster)
    asked = Asked("GET", path) if path else None
    assert admitted(Network(cluster, pods), pods[0], asked).anyone is expected


SHUT = "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: shut, namespace: ml}\nspec: {}\n"


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, N),
        ({"      containers:": "      hostNetwork: true\n      containers:"}, Y),
        ({"{app: api}}\n    spec": '{app: api, sidecar.istio.io/inject: "false"}}\n    spec'}, Y),
        (
            {
                "istio-injection: enabled": "istio-injection: disabled",
                "{app: api}}\n    spec": '{app: api, sidecar.istio.io/inject: "true"}}\n    spec',
            },
            Y,
        ),
        ({"istio-injection: enabled": "istio-injection: disabled, istio.io/rev: stable"}, Y),
        ({"istio-injection: enabled": "istio.io/dataplane-mode: ambient"}, N),
        (
            {
                "istio-injection: enabled": "istio.io/dataplane-mode: ambient",
                "{app: api}}\n    spec": "{app: api, istio.io/dataplane-mode: none}}\n    spec",
            },
            Y,
        ),
    ],
)
def test_a_policy_counts_for_what_is_in_the_mesh(changes: dict[str, str], wanted: State) -> None:
    text = BASE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    cluster = assessed_files({"all.yaml": text + SHUT}).estates.kubernetes
    pods = pod_specs(cluster)
    assert admitted(Network(cluster, pods), pods[0]).anyone is wanted


@pytest.mark.parametrize(("label", "wanted"), [("api", N), ("other", Y)])
def test_a_policy_of_the_root_namespace_selects_everywhere(label: str, wanted: State) -> None:
    selector = f"{{selector: {{matchLabels: {{app: {label}}}}}}}"
    assert (
        answer(more=POLICY.format(number=9, spec=selector).replace("namespace: ml", "namespace: istio-system"))
        is wanted
    )


def test_modes_of_the_root_namespace_that_select_are_ignored() -> None:
    policy = """---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: all, namespace: istio-system}
spec: {selector: {matchLabels: {app: api}}, mtls: {mode: STRICT}}
"""
    found = []
    for text in (BASE + policy, BASE + policy.replace("selector: {matchLabels: {app: api}}, ", "")):
        cluster = assessed_files({"all.yaml": text}).estates.kubernetes
        pods = pod_specs(cluster)
        found.append(strict(Network(cluster, pods), pods[0]))
    assert found == [False, True]


NODES = BASE.replace("istio-injection: enabled", "istio.io/dataplane-mode: ambient")


@pytest.mark.parametrize(
    ("spec", "sidecar", "node"),
    [
        (to('paths: ["/health"]'), U, N),
        (to('methods: ["GET"]'), U, N),
        (to('ports: ["8000"]'), U, U),
        (to('paths: ["/admin"]', "DENY"), U, N),
        (
            '{action: DENY, rules: [{from: [{source: {namespaces: [dev]}}], to: [{operation: {paths: ["/a"]}}]}]}',
            Y,
            Y,
        ),
        ('{action: DENY, rules: [{when: [{key: "request.headers[x]", values: ["1"]}]}]}', Y, N),
        ('{rules: [{from: [{source: {remoteIpBlocks: ["0.0.0.0/0"]}}]}]}', Y, N),
        ('{rules: [{from: [{source: {ipBlocks: ["0.0.0.0/0"]}}]}, {to: [{operation: {hosts: ["a.b"]}}]}]}', Y, Y),
        ("{action: CUSTOM, provider: {name: p}, rules: [{}]}", U, Y),
    ],
)
def test_a_nodes_proxy_sees_no_requests(spec: str, sidecar: State, node: State) -> None:
    found = []
    for base in (BASE, NODES):
        cluster = assessed_files({"all.yaml": base + POLICY.format(number=0, spec=spec)}).estates.kubernetes
        pods = pod_specs(cluster)
        found.append(admitted(Network(cluster, pods), pods[0]).anyone)
    assert found == [sidecar, node]
