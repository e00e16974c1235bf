"""Who gets to a pod whose mesh refuses plain text: who has a certificate of the mesh."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.kubernetes.exposure import exposed
from assaymark.assess.kubernetes.mesh_policy import admitted
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.core.graph import State

Y, N, U = State.YES, State.NO, State.UNKNOWN
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}{labels}}}}}
spec: {{containers: [{{name: c, image: "x:1", ports: [{{containerPort: 8000}}, {{containerPort: 9000}}]}}]}}
---
"""
MESHED = """
apiVersion: v1
kind: Namespace
metadata: {name: ml, labels: {istio-injection: enabled}}
---
"""
AMBIENT = MESHED.replace("istio-injection: enabled", "istio.io/dataplane-mode: ambient")
BARE = """
apiVersion: v1
kind: Namespace
metadata: {name: batch}
---
"""
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: NAMESPACE}
spec: {SELECTORmtls: {mode: STRICT}PORTS}
---
"""
WHOLE = STRICT.replace("NAMESPACE", "istio-system").replace("SELECTOR", "").replace("PORTS", "")
OWN = STRICT.replace("NAMESPACE", "ml").replace("SELECTOR", "selector: {matchLabels: {app: llm}}, ")
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: llm, namespace: ml}
spec: {type: LoadBalancer, selector: {app: llm}, ports: [{port: 8000}, {port: 9000}]}
---
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: ml}
spec: {gatewayClassName: CLASS, listeners: [{name: a, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: ml}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: llm, port: 8000}]}]}
---
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: ml, annotations: {alb.ingress.kubernetes.io/scheme: internet-facing}}
spec: {ingressClassName: CLASS, defaultBackend: {service: {name: llm, port: {number: 8000}}}}
---
"""
LIMIT = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: ml}
spec: {podSelector: {matchLabels: {app: llm}}, ingress: [{from: [{namespaceSelector: {}}]}]}
---
"""
LLM = POD.format(name="llm", namespace="ml", labels="")
SEES = f"{LLM}{POD.format(name='front', namespace='ml', labels='')}"
BEHIND = MESHED + WHOLE + LLM + SERVICE.replace("LoadBalancer", "ClusterIP")
OLD = POD.format(name="old", namespace="ml", labels=', sidecar.istio.io/inject: "false"')
JOB = POD.format(name="job", namespace="batch", labels="")


def reached(text: str, source: str, port: str = "#port") -> State:
    """Who reaches a port of the server, by the edges of the network that are drawn."""
    graph = assessed_files({"all.yaml": text}).graph
    best = {source: Y}
    pending = [source]
    while pending:
        at = pending.pop()
        for edge in graph.edges:
            if edge.source == at and edge.relation in ("reaches", "exposes"):
                state = best[at].both(edge.state)
                if state is Y is not best.get(edge.target) or edge.target not in best:
                    best[edge.target] = state
                    pending.append(edge.target)
    return best.get(f"k8s:ml/pod/llm{port}", N)


@pytest.mark.parametrize("limit", ["", LIMIT])
@pytest.mark.parametrize(
    ("text", "source", "whole"),
    [
        (MESHED + WHOLE + SEES, "ml/pod/front", Y),
        (AMBIENT + WHOLE + SEES, "ml/pod/front", Y),
        (MESHED + WHOLE + LLM + OLD, "ml/pod/old", N),
        (MESHED + LLM + OLD, "ml/pod/old", Y),
        (MESHED + WHOLE + LLM + BARE + JOB, "batch/pod/job", N),
        (AMBIENT + WHOLE + LLM + BARE + JOB, "batch/pod/job", N),
        (MESHED + WHOLE + LLM + JOB, "batch/pod/job", U),
        (WHOLE + LLM + BARE + JOB, "batch/pod/job", U),
        (MESHED + WHOLE.replace("STRICT", "PERMISSIVE") + LLM + BARE + JOB, "batch/pod/job", Y),
        (BARE + WHOLE + JOB + BARE.replace("batch", "ml") + LLM, "batch/pod/job", Y),
    ],
)
def test_who_has_no_certificate_of_the_mesh_is_refused(limit: str, text: str, source: str, whole: State) -> None:
    assert reached(text + limit, f"k8s:{source}") is whole


@pytest.mark.parametrize("limit", ["", LIMIT])
@pytest.mark.parametrize("mode", ["DISABLE", "PERMISSIVE"])
def test_a_port_may_take_plain_text(limit: str, mode: str) -> None:
    policy = OWN.replace("PORTS", f', portLevelMtls: {{"9000": {{mode: {mode}}}}}')
    text = MESHED + policy + LLM + BARE + JOB + limit
    assert reached(text, "k8s:batch/pod/job", "#port:9000") is Y
    assert reached(text, "k8s:batch/pod/job") is N


@pytest.mark.parametrize("limit", ["", LIMIT])
def test_a_port_may_refuse_it(limit: str) -> None:
    policy = OWN.replace("STRICT", "PERMISSIVE").replace("PORTS", ', portLevelMtls: {"9000": {mode: STRICT}}')
    text = MESHED + policy + LLM + BARE + JOB + limit
    assert reached(text, "k8s:batch/pod/job", "#port:8000") is Y
    assert reached(text, "k8s:batch/pod/job", "#port") is U


def test_ports_that_pass_the_sidecar_by_are_open() -> None:
    noted = LLM.replace("labels:", 'annotations: {traffic.sidecar.istio.io/excludeInboundPorts: "9000"}, labels:')
    text = MESHED + WHOLE + noted + BARE + JOB
    assert reached(text, "k8s:batch/pod/job", "#port:9000") is Y
    assert reached(text, "k8s:batch/pod/job") is N


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (MESHED + LLM + SERVICE, [(8000, True), (9000, True)]),
        (MESHED + WHOLE + LLM + SERVICE, []),
        (AMBIENT + WHOLE + LLM + SERVICE, []),
        (WHOLE + LLM + SERVICE, [(8000, False), (9000, False)]),
        (MESHED + OWN.replace("PORTS", ', portLevelMtls: {"9000": {mode: DISABLE}}') + LLM + SERVICE, [(9000, True)]),
        (BEHIND + ROUTE.replace("CLASS", "istio"), [(8000, True)]),
        (BEHIND + ROUTE.replace("CLASS", "kong"), [(8000, False)]),
        (BEHIND + ROUTE.replace("CLASS", "gke-l7-global-external-managed"), []),
        (BEHIND + INGRESS.replace("CLASS", "nginx"), [(8000, False)]),
        (BEHIND + INGRESS.replace("CLASS", "alb"), []),
    ],
)
def test_what_comes_from_the_internet(text: str, wanted: list[tuple[int, bool]]) -> None:
    cluster = assessed_files({"all.yaml": text}).estates.kubernetes
    network = Network(cluster, pod_specs(cluster))
    found = {(number, not one.decides) for one in exposed(network) for number in one.ports or (0,)}
    assert sorted(found) == wanted


@pytest.mark.parametrize(("around", "unsure"), [(MESHED + BARE, None), (MESHED, ("Pod batch/job is in the mesh",))])
def test_a_caller_that_policies_let_in_may_be_in_the_mesh(around: str, unsure: tuple[str, ...] | None) -> None:
    policy = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: ml}
spec: {rules: [{from: [{source: {namespaces: [batch]}}]}]}
"""
    cluster = assessed_files({"all.yaml": around + LLM + JOB + policy}).estates.kubernetes
    pods = pod_specs(cluster)
    found = admitted(Network(cluster, pods), next(one for one in pods if one.owner.name == "llm"))
    assert found.anyone is N
    assert dict(found.callers).get("k8s:batch/pod/job") == unsure
