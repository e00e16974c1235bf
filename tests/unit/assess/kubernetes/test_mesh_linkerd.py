"""Whom Linkerd lets call a pod by defaults of workloads and of servers."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.kubernetes.mesh_policy import admitted
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.core.graph import State

Y, N, U = State.YES, State.NO, State.UNKNOWN
DEPLOYMENT = """
apiVersion: v1
kind: Namespace
metadata: {{name: {name}, annotations: {{{notes}}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: c, image: "x:1", ports: [{{containerPort: 8000}}]}}]}}
---
"""
IN = "linkerd.io/inject: enabled"
CALLER = "k8s:peer/deployment/peer"
SERVER = """
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: {{name: api, namespace: api}}
spec: {{podSelector: {{matchLabels: {{app: api}}}}, port: 8000{access}}}
---
"""


def answer(notes: str, more: str = "") -> tuple[State, list[str]]:
    text = DEPLOYMENT.format(name="api", notes=f"{IN}{notes}") + DEPLOYMENT.format(name="peer", notes=IN)
    text += DEPLOYMENT.format(name="other", notes="") + more
    cluster = assessed_files({"all.yaml": text}).estates.kubernetes
    pods = pod_specs(cluster)
    found = admitted(Network(cluster, pods), next(one for one in pods if one.owner.name == "api"))
    return found.anyone, [who for who, _ in found.callers]


@pytest.mark.parametrize(
    ("default", "wanted"),
    [
        ("all-unauthenticated", (Y, [])),
        ("audit", (Y, [])),
        ("all-authenticated", (N, [CALLER])),
        ("cluster-authenticated", (N, [CALLER])),
        ("cluster-unauthenticated", (U, [])),
        ("deny", (N, [])),
    ],
)
def test_the_default_of_a_workload_and_of_a_server(default: str, wanted: tuple[State, list[str]]) -> None:
    note = f", config.linkerd.io/default-inbound-policy: {default}"
    assert answer(note) == wanted
    assert answer("", SERVER.format(access=f", accessPolicy: {default}")) == wanted
    assert answer(note, SERVER.format(access="")) == (N, [])  # a server without one lets nobody in


def test_ports_that_skip_the_proxy_may_be_those_of_a_server() -> None:
    note = ', config.linkerd.io/skip-inbound-ports: "8000"'
    assert answer(note, SERVER.format(access=""))[0] is U


def test_who_is_authorised_comes_beside_whom_a_server_lets_in() -> None:
    policy = """
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: {name: p, namespace: api}
spec:
  targetRef: {kind: Server, name: api}
  requiredAuthenticationRefs: [{kind: ServiceAccount, name: default, namespace: peer}]
"""
    assert answer("", SERVER.format(access="") + policy) == (N, [CALLER])
    assert answer("", SERVER.format(access=", accessPolicy: audit") + policy) == (Y, [])
