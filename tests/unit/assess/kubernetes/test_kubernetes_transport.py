"""Ways into a cluster and volumes, in plain text or not, as each controller's documentation says it."""

from __future__ import annotations

import pytest
from tests.support.architectures import assessed, edges, findings

from assaymark.core.graph import State
from assaymark.core.report import Severity

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, annotations: {%s}}
spec: {ingressClassName: %s, defaultBackend: {service: {name: s, port: {number: 80}}}}
"""


@pytest.mark.parametrize(
    ("annotation", "name", "plain"),
    [
        ("", "nginx", True),
        ("cert-manager.io/cluster-issuer: letsencrypt", "nginx", True),  # it makes certificates for spec.tls only
        ("networking.gke.io/managed-certificates: c", "gce", False),
        ("ingress.gcp.kubernetes.io/pre-shared-cert: c", "gce", False),
        ("""alb.ingress.kubernetes.io/listen-ports: '[{"HTTP": 80}, {"HTTPS": 443}]'""", "alb", True),
        ("""alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS": 443}]'""", "alb", False),
        ('traefik.ingress.kubernetes.io/router.tls: "true"', "traefik", False),
        ("traefik.ingress.kubernetes.io/router.entrypoints: websecure", "traefik", False),
        ("", "tailscale", False),
    ],
)
def test_where_an_ingress_has_its_certificate(annotation: str, name: str, plain: bool) -> None:
    assert bool(findings(assessed(a_yaml=INGRESS % (annotation, name)), "k8s-ingress-plaintext")) is plain


@pytest.mark.parametrize(
    ("spec", "plain"),
    [
        ("{entryPoints: [web], routes: [{match: x, services: [{name: s}]}]}", True),
        ("{entryPoints: [web], routes: [{match: x, middlewares: [{name: redirect-https}]}]}", False),
        ("{entryPoints: [websecure], tls: {}, routes: []}", False),
    ],
)
def test_routes_of_traefik(spec: str, plain: bool) -> None:
    text = f"apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {{name: r}}\nspec: {spec}\n"
    assert bool(findings(assessed(a_yaml=text), "k8s-ingress-plaintext")) is plain


@pytest.mark.parametrize(
    ("servers", "severities"),
    [
        ("[{port: {number: 80, protocol: HTTP}, hosts: ['*']}]", [Severity.MEDIUM]),
        ("[{port: {number: 80, protocol: HTTP}, tls: {httpsRedirect: true}, hosts: ['*']}]", []),
        ("[{port: {number: 443, protocol: HTTPS}, tls: {mode: SIMPLE}, hosts: ['*']}]", []),
    ],
)
def test_gateways_of_istio(servers: str, severities: list[Severity]) -> None:
    text = f"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g}}\nspec: {{servers: {servers}}}\n"
    assert [one.severity for one in findings(assessed(a_yaml=text), "k8s-ingress-plaintext")] == severities


def test_a_listener_beside_one_with_tls_is_less_than_one_alone() -> None:
    text = """
    apiVersion: gateway.networking.k8s.io/v1
    kind: Gateway
    metadata: {name: g}
    spec: {listeners: [{name: http, protocol: HTTP, port: 80}%s]}
    """
    alone = findings(assessed(a_yaml=text % ""), "k8s-ingress-plaintext")
    beside = findings(assessed(a_yaml=text % ", {name: s, protocol: HTTPS, port: 443}"), "k8s-ingress-plaintext")
    assert [one.severity for one in (*alone, *beside)] == [Severity.MEDIUM, Severity.LOW]


VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: v}
spec: %s
"""


@pytest.mark.parametrize(
    ("spec", "plain"),
    [
        ("{nfs: {server: s, path: /p}, mountOptions: [nfsvers=4.2, xprtsec=mtls]}", False),
        ("{nfs: {server: s, path: /p}, mountOptions: [nfsvers=4.2, sec=krb5i]}", True),
        ("{csi: {driver: efs.csi.aws.com, volumeHandle: f, volumeAttributes: {encryptInTransit: 'false'}}}", True),
        ("{csi: {driver: ebs.csi.aws.com, volumeHandle: v}}", False),
    ],
)
def test_volumes_over_nfs(spec: str, plain: bool) -> None:
    assert bool(findings(assessed(a_yaml=VOLUME % spec), "k8s-nfs-plaintext")) is plain


def test_a_class_of_volumes_over_nfs() -> None:
    text = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: c}\nprovisioner: nfs.csi.k8s.io\n"
    assert findings(assessed(a_yaml=text), "k8s-nfs-plaintext")
    assert not findings(assessed(a_yaml=text + "mountOptions: [sec=krb5p]\n"), "k8s-nfs-plaintext")


def test_routes_of_openshift_and_virtual_services_expose() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {name: server, labels: {app: server}}
spec: {containers: [{name: c, image: "i@sha256:0"}]}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app: server}, ports: [{port: 80}]}
---
"""
    route = (
        "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r}\nspec: {to: {kind: Service, name: s}}\n"
    )
    virtual = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v}
spec: {hosts: [chat.example], gateways: [%s], http: [{route: [{destination: {host: s.default.svc.cluster.local}}]}]}
"""
    for way in (route, virtual % "g"):
        assert [edge.state for edge in edges(assessed(a_yaml=text + way), "reaches", "internet")] == [State.YES]
    assert not edges(assessed(a_yaml=text + virtual % "mesh"), "reaches", "internet")


RAY = """
apiVersion: ray.io/v1
kind: RayJob
metadata: {name: j}
spec:
  submitterPodTemplate: {spec: {containers: [{name: submit, image: "rayproject/ray:2.9", command: [ray, job, submit]}]}}
  rayClusterSpec:
    headGroupSpec:
      template: {spec: {containers: [{name: head, image: "acme/vllm-ray2.32%s}]}}
"""


@pytest.mark.parametrize(
    ("words", "servers"),
    [
        ('"', {"Ray"}),
        ('", command: [bash, -c, "vllm serve m"]', {"Ray", "vLLM"}),
    ],
)
def test_what_starts_in_a_pod_of_ray(words: str, servers: set[str]) -> None:
    found = findings(assessed(a_yaml=RAY % words), "k8s-server-open")
    assert {server for server in ("Ray", "vLLM") if any(server in one.message for one in found)} == servers
    assert {one.locations[0].line for one in found} == {9}  # of the head, not of who hands the job in
