"""What stands before every workload counts for the source that these may run."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

APP = """from fastapi import FastAPI, Request
app = FastAPI()

@app.post("/predict")
async def predict(request: Request):
    return await request.json()
"""
IMAGE = "FROM a@sha256:" + "1" * 64 + '\nUSER 1\nCMD ["uvicorn", "app:app", "--host", "0.0.0.0"]\n'
POD = """apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: NS, labels: {app: NAME}}
spec: {containers: [{name: a, image: a, ports: [{containerPort: 8000}]}]}
---
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: scoring, labels: {istio-injection: enabled}}\n---\n"
MESH = """apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
"""
JUDGE = """apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: callers, namespace: scoring}
spec: {action: ALLOW, rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]}
---
"""
WAY = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
  namespace: scoring
  annotations: {nginx.ingress.kubernetes.io/proxy-body-size: 1m, nginx.ingress.kubernetes.io/limit-rps: "10"}
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {number: 8000}}}}]}}]
---
"""
OPEN = "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: scoring}\nspec: {type: LoadBalancer}\n---\n"
RULES = ("web-plaintext", "web-no-authentication", "web-no-input-limit", "web-no-rate-limit")


def pod(name: str, namespace: str) -> str:
    return POD.replace("NAME", name).replace("NS", namespace)


def severities(manifests: str) -> dict[str, str]:
    found = assessed_files({"app.py": APP, "Dockerfile": IMAGE, "all.yaml": manifests}).findings
    return {one.rule: one.severity.name for one in found if one.rule in RULES}


@pytest.mark.parametrize(
    ("manifests", "gone"),
    [
        ("", set()),
        (NAMESPACE + pod("a", "scoring"), set()),
        (NAMESPACE + MESH + pod("a", "scoring"), {"web-plaintext"}),
        (NAMESPACE + MESH + pod("a", "scoring") + pod("b", "other"), set()),
        (pod("a", "scoring") + WAY, {"web-no-input-limit", "web-no-rate-limit"}),
        (pod("a", "scoring") + WAY + OPEN, set()),
        (pod("a", "scoring") + WAY.replace("proxy-body-size: 1m", 'proxy-body-size: "0"'), {"web-no-rate-limit"}),
    ],
)
def test_what_is_not_found_any_more(manifests: str, gone: set[str]) -> None:
    assert set(RULES) - set(severities(manifests)) == gone


def test_who_may_call_is_left_to_a_policy_of_the_mesh() -> None:
    plain = severities(NAMESPACE + pod("a", "scoring"))["web-no-authentication"]
    some = JUDGE.replace("action: ALLOW", "action: CUSTOM, provider: {name: proxy}")
    other = some.replace('{from: [{source: {requestPrincipals: ["*"]}}]}', "{}")
    judged = severities(NAMESPACE + other + pod("a", "scoring"))["web-no-authentication"]
    assert (plain, judged) == ("HIGH", "LOW")
    # who has no token is not asked by that one
    assert severities(NAMESPACE + some + pod("a", "scoring"))["web-no-authentication"] == "HIGH"
    assert "web-no-authentication" not in severities(NAMESPACE + JUDGE + pod("a", "scoring"))
