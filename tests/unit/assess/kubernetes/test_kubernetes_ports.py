"""Ports: what a rule of a policy, a service or an ingress lets through, and whether a server is behind that."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files, rules_of

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.ports import both, resolved, rule_ports, said_ports
from assaymark.core.graph import State


@pytest.mark.parametrize(
    ("value", "ports"),
    [
        (None, None),
        ([], None),
        ([{"protocol": "TCP"}], None),
        ([{"port": 80}], {80}),
        ([{"port": "80"}], {80}),
        ([{"port": "http"}, {"port": 81, "protocol": "TCP"}], {"http", 81}),
        ([{"port": 53, "protocol": "UDP"}], set()),
        ([{"protocol": "UDP"}], set()),
        ([{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}], {53}),
        ([{"port": 8000, "endPort": 8080}], {(8000, 8080)}),
        (["x"], None),
        ([{"port": -1}], None),
    ],
)
def test_ports_of_a_rule(value: object, ports: set[object] | None) -> None:
    assert rule_ports(value) == (None if ports is None else frozenset(ports))


def test_names_and_ranges_are_numbers_of_a_pod() -> None:
    names, listening = {"http": 8080}, frozenset((8000, 9000))
    assert resolved(None, names, listening) is None
    assert resolved(frozenset(("http", "grpc", 22)), names, listening) == {8080, 22}
    assert resolved(frozenset(((8000, 8999),)), names, listening) == {8000}
    assert resolved(frozenset(((1, 65535),)), names, listening) is None
    assert (
        both(None, frozenset((1,))) == both(frozenset((1,)), None) == both(frozenset((1, 2)), frozenset((1,))) == {1}
    )
    assert both(None, None) is None


@pytest.mark.parametrize(
    ("words", "ports"),
    [
        ("uvicorn a:b --port 8080", {8080}),
        ("gunicorn -b 0.0.0.0:9000 a:b", {9000}),
        ("gunicorn --bind=:8000 a:b", {8000}),
        ("ray start --head --port=6379 --dashboard-port 8265", {6379, 8265}),
        ("mlflow server -p 5001", {5001}),
        ("serve", set()),
        ("tritonserver --metrics-port=8002", set()),
        ("torchrun --master-port 29500 a.py --port 80", {80}),
        ("gunicorn -b [::]:8000 a:b", {8000}),
        ("waitress-serve --listen=*:8041 a:b", {8041}),
    ],
)
def test_ports_that_a_command_names(words: str, ports: set[int]) -> None:
    assert said_ports(words) == ports


RAY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: ray, namespace: ml}
spec:
  template:
    metadata: {labels: {app: ray}}
    spec:
      containers:
      - name: head
        image: rayproject/ray:2.40.0
        command: [ray, start, --head, --block]
        ports: [{containerPort: 8000, name: serve}, {containerPort: 8265, name: dash}]
---
apiVersion: v1
kind: Service
metadata: {name: ray, namespace: ml}
spec:
  type: TYPE
  selector: {app: ray}
  ports:
  - {name: predict, port: 80, targetPort: serve}
  - {name: jobs, port: 8265, targetPort: 8265}
---
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: ml}
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ray, port: PORT}}}]}}]
"""
OLD = """
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: web, namespace: ml}
spec: {backend: {serviceName: ray, servicePort: PORT}}
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: ml}
spec: {rules: [{backendRefs: [{name: ray, port: PORT}]}]}
"""
VIRTUAL = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: ml}
spec: {gateways: [g], http: [{route: [{destination: {host: ray, port: {number: PORT}}}]}]}
"""


def reached(text: str, start: str = INTERNET) -> bool:
    """Whether the internet, or another node, comes to control the cluster of Ray."""
    found = assessed_files({"k.yaml": text})
    ends = {"k8s:ml/deployment/ray"}
    held, pending = {start}, [start]
    while pending:
        here = pending.pop()
        for edge in found.graph.edges:
            if edge.source == here and edge.target not in held:
                held.add(edge.target)
                pending.append(edge.target)
    return bool(ends & held)


@pytest.mark.parametrize(
    ("more", "open_"),
    [
        (INGRESS.replace("PORT", "{number: 80}"), False),
        (INGRESS.replace("PORT", "{name: predict}"), False),
        (INGRESS.replace("PORT", "{number: 8265}"), True),
        (INGRESS.replace("PORT", "{name: jobs}"), True),
        (OLD.replace("PORT", "predict"), False),
        (OLD.replace("PORT", "8265"), True),
        (ROUTE.replace("PORT", "80"), False),
        (ROUTE.replace("PORT", "8265"), True),
        (VIRTUAL.replace("PORT", "80"), False),
        (VIRTUAL.replace("PORT", "8265"), True),
    ],
)
def test_what_passes_one_port_on_opens_that_one(more: str, open_: bool) -> None:
    text = RAY.replace("TYPE", "ClusterIP") + more
    assert reached(text) is open_
    found = assessed_files({"k.yaml": text})
    severe = [one for one in found.findings if one.rule == "k8s-server-open" and one.severity.name == "CRITICAL"]
    assert bool(severe) is open_


def test_a_service_opens_its_target_ports() -> None:
    balanced = RAY.replace("TYPE", "LoadBalancer")
    assert reached(balanced)
    assert not reached(balanced.replace("  - {name: jobs, port: 8265, targetPort: 8265}\n", ""))
    assert "k8s-server-open" in rules_of(assessed_files({"k.yaml": balanced}))


CALLER = """
apiVersion: v1
kind: Pod
metadata: {name: caller, namespace: apps, labels: {app: caller}}
spec: {containers: [{name: c, image: busybox}]}
---
"""
INTO = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: into, namespace: ml}
spec:
  podSelector: {matchLabels: {app: ray}}
  ingress:
  - from: [{namespaceSelector: {}}]
    ports: [%s]
---
"""
OUT = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: apps}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{namespaceSelector: {}}]
    ports: [%s]
---
"""
DNS = "{port: 53, protocol: UDP}, {port: 53, protocol: TCP}"


@pytest.mark.parametrize(
    ("policies", "open_"),
    [
        ("", True),
        (INTO % "{port: 8000}", False),
        (INTO % "{port: serve}", False),
        (INTO % "{port: dash}", True),
        (INTO % "{port: 6379}", True),
        (INTO % "{port: 8000, endPort: 9000}", True),
        (INTO % "{port: 8000, endPort: 8100}", False),
        (OUT % DNS, False),
        (OUT % f"{DNS}, {{port: 8265}}", True),
        (OUT % "{port: 8265}" + INTO % "{port: 8265}", True),
        (OUT % "{port: 8265}" + INTO % "{port: 6379}", False),
        (OUT % "{port: 443}" + INTO % "{port: 8265}", False),
        (OUT % "{protocol: TCP}" + INTO % "{port: 8265}", True),
    ],
)
def test_policies_let_ports_through_that_both_sides_name(policies: str, open_: bool) -> None:
    text = f"{RAY.replace('TYPE', 'ClusterIP')}{CALLER}{policies}"
    assert reached(text, "k8s:apps/pod/caller") is open_


def test_many_pairs_are_grouped_port_by_port(monkeypatch: pytest.MonkeyPatch) -> None:
    from assaymark.assess.kubernetes import link_network

    text = f"{RAY.replace('TYPE', 'ClusterIP')}{CALLER}{INTO % '{port: 8265}'}{OUT % '{port: 8265}, {port: 8000}'}"
    monkeypatch.setattr(link_network, "ASSESS_MAX_DRAWN_PAIRS", 0)
    assert reached(text, "k8s:apps/pod/caller")
    assert not reached(text.replace("{port: 8265}]\n---", "{port: 8000}]\n---", 1), "k8s:apps/pod/caller")


def test_a_server_that_could_listen_anywhere_leaves_it_open() -> None:
    web = "from flask import Flask\napp = Flask(__name__)\n@app.post('/score')\ndef score():\n    return request.data\napp.run()\n"
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: ml, labels: {app: web}}\n"
        "spec: {containers: [{name: web, image: r/web, command: [python, app.py]}]}\n---\n"
    )
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: ml}\n"
        "spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 5000}]}\n---\n"
    )
    policy = INTO.replace("app: ray", "app: web") % "{port: 9999}"
    found = assessed_files({"web/app.py": web, "web/k.yaml": pod + service + policy})
    edges = {one.source: one for one in found.graph.edges if one.relation == "open-invoke"}
    edge = edges["k8s:ml/pod/web#port:5000"]
    assert edge.state is State.UNKNOWN
    assert "it listens on port 5000" in edge.decides


@pytest.mark.parametrize(
    "port", ['"²"', "true", "-1", "[1]", "{a: 1}", "1.5", f'"{"9" * 5000}"', "99999999999", '""', '"a#port:b"', "0"]
)
def test_what_is_no_port_ends_nothing(port: str) -> None:
    text = f"""
    apiVersion: v1
    kind: Pod
    metadata: {{name: "a#port:b", labels: {{app: a}}}}
    spec: {{containers: [{{name: c, image: redis, ports: [{{containerPort: {port}, name: {port}}}]}}]}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {{name: a}}
    spec: {{type: LoadBalancer, selector: {{app: a}}, ports: [{{port: {port}, targetPort: {port}}}]}}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {{name: a}}
    spec: {{podSelector: {{}}, ingress: [{{ports: [{{port: {port}, endPort: {port}}}]}}]}}
    """
    assert assessed_files({"a.yaml": text}).graph.nodes


@pytest.mark.parametrize("wrong", ["5", "x", "[1, [2]]", "{a: 1}", "true", "[null]"])
def test_fields_of_other_types_end_nothing(wrong: str) -> None:
    text = f"""
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {{name: a}}
    spec: {{podSelector: {{matchExpressions: {wrong}}}, policyTypes: {wrong}, ingress: [{{from: {wrong}, ports: {wrong}}}]}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {{name: a}}
    spec: {{type: LoadBalancer, selector: {{app: a}}, ports: {wrong}, loadBalancerSourceRanges: {wrong}}}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: a}}
    spec: {{template: {{metadata: {{labels: {{app: a}}}}, spec: {{volumes: {wrong}, containers: [{{name: c, image: redis, env: {wrong}, ports: {wrong}, volumeMounts: {wrong}}}]}}}}}}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {{name: a}}
    rules: {wrong}
    aggregationRule: {{clusterRoleSelectors: {wrong}}}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {{name: a}}
    roleRef: {{kind: ClusterRole, name: a}}
    subjects: {wrong}
    """
    assert assessed_files({"a.yaml": text}).graph.nodes


@pytest.mark.parametrize(
    ("ports", "open_"),
    [
        ("[{port: 53, protocol: UDP}]", set()),
        ("[{port: 80, targetPort: nosuch}]", set()),
        ("[{port: 80, targetPort: redis}]", {"k8s:default/pod/a#port:6379"}),
        ("[{port: 6379}]", {"k8s:default/pod/a#port:6379"}),
        ("[]", {"k8s:default/pod/a#port"}),
    ],
)
def test_a_service_passes_on_to_ports_that_there_are(ports: str, open_: set[str]) -> None:
    text = f"""
    apiVersion: v1
    kind: Pod
    metadata: {{name: a, labels: {{app: a}}}}
    spec: {{containers: [{{name: c, image: redis, ports: [{{containerPort: 6379, name: redis}}]}}]}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {{name: a}}
    spec: {{type: LoadBalancer, selector: {{app: a}}, ports: {ports}}}
    """
    found = assessed_files({"a.yaml": text}).graph.edges
    assert {one.target for one in found if one.source == INTERNET} == open_


@pytest.mark.parametrize(("port", "open_"), [("number: 80", True), ("name: r", True), ("number: 99", False)])
def test_an_ingress_needs_a_port_that_the_service_has(port: str, open_: bool) -> None:
    text = f"""
    apiVersion: v1
    kind: Pod
    metadata: {{name: a, labels: {{app: a}}}}
    spec: {{containers: [{{name: c, image: redis, ports: [{{containerPort: 6379, name: redis}}]}}]}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {{name: a}}
    spec: {{selector: {{app: a}}, ports: [{{port: 80, name: r, targetPort: redis}}]}}
    ---
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata: {{name: a}}
    spec: {{defaultBackend: {{service: {{name: a, port: {{{port}}}}}}}}}
    """
    found = assessed_files({"a.yaml": text}).graph.edges
    assert bool([one for one in found if one.source == INTERNET]) is open_


@pytest.mark.parametrize(
    ("ports", "state"),
    [("[{port: 6379}]", State.YES), ("[{port: redis}]", State.YES), ("[{port: 80}]", State.UNKNOWN),
     ("[{port: 6000, endPort: 7000}]", State.YES), ("[]", State.YES), ("[{port: 6379, protocol: UDP}]", State.UNKNOWN)],
)  # fmt: skip
def test_callers_from_outside_pass_policies_on_the_ports_that_these_name(ports: str, state: State) -> None:
    text = f"""
    apiVersion: v1
    kind: Pod
    metadata: {{name: a, labels: {{app: a}}}}
    spec: {{containers: [{{name: c, image: redis, ports: [{{containerPort: 6379, name: redis}}]}}]}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {{name: a}}
    spec: {{type: LoadBalancer, selector: {{app: a}}, ports: [{{port: 6379}}]}}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {{name: a}}
    spec: {{podSelector: {{}}, ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}], ports: {ports}}}]}}
    """
    found = assessed_files({"a.yaml": text}).graph.edges
    assert [one.state for one in found if one.source == INTERNET] == [state]
