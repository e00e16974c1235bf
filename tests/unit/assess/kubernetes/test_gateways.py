"""What faces the internet, and what gateways before a cluster ask of who calls."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.kubernetes.exposure import exposed
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.core.graph import State

CLOSED = "-"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: ml, labels: {app: api}}
spec: {containers: [{name: c, image: "registry.example.com/api:1", ports: [{containerPort: 8000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: ml}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8000}]}
---
"""


def way(text: str) -> str:
    """What decides that the internet reaches the pod; empty for nothing, a dash where it does not."""
    cluster = assessed_files({"all.yaml": POD + text}).estates.kubernetes
    found = [one.decides for one in exposed(Network(cluster, pod_specs(cluster))) if one.pod.owner.name == "api"]
    return "; ".join(min(found, key=len)) if found else CLOSED


ISTIO = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: GATEHOME}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, tls: {httpsRedirect: true}, hosts: [a.example.com]}
  - {port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: MODE}, hosts: [a.example.com]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: ml}
spec:
  hosts: [a.example.com]
  gateways: [GATEWAY]
  http: [{route: [{destination: {host: api, port: {number: 80}}}]}]
---
"""
FRONT = """
apiVersion: v1
kind: Service
metadata: {name: gate, namespace: istio-system, annotations: {NOTE}}
spec: {type: TYPE, selector: {istio: ingressgateway}, ports: [{port: 443}]}
---
"""
AT_GATE = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: gate, namespace: istio-system}
spec: {selector: {matchLabels: {istio: ingressgateway}}, SPEC}
---
"""
UNSURE = "AuthorizationPolicy gate lets whoever comes pass the gateway public"


def istio(mode: str = "SIMPLE", gateway: str = "public", home: str = "ml") -> str:
    return ISTIO.replace("MODE", mode).replace("GATEWAY", gateway).replace("GATEHOME", home)


def front(kind: str, note: str = "") -> str:
    return FRONT.replace("TYPE", kind).replace("NOTE", note)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (istio(), ""),
        (istio("MUTUAL"), CLOSED),
        (istio("OPTIONAL_MUTUAL"), ""),
        (istio("MUTUAL", "other/public"), ""),  # a gateway that the input does not have
        (istio("MUTUAL", "infra/public", "infra"), CLOSED),
        (istio(gateway="mesh"), CLOSED),
        (istio() + front("LoadBalancer"), ""),
        (istio() + front("ClusterIP"), "something passes on what comes to the service gate"),
        (istio() + front("LoadBalancer", 'cloud.google.com/load-balancer-type: "Internal"'), CLOSED),
        (istio() + front("LoadBalancer", "service.beta.kubernetes.io/aws-load-balancer-type: external"), CLOSED),
    ],
)
def test_a_gateway_of_istio_passes_on_what_reaches_its_pods(text: str, wanted: str) -> None:
    assert way(text) == wanted


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("action: DENY, rules: [{from: [{source: {notRemoteIpBlocks: [203.0.113.0/24]}}]}]", CLOSED),
        ("rules: [{from: [{source: {ipBlocks: [203.0.113.0/24]}}]}]", CLOSED),
        ("rules: [{from: [{source: {ipBlocks: [0.0.0.0/0]}}]}]", ""),
        ("action: DENY, rules: [{from: [{source: {notRequestPrincipals: ['*']}}]}]", CLOSED),
        ("action: DENY, rules: [{to: [{operation: {hosts: [a.example.com, 'a.example.com:*']}}]}]", CLOSED),
        ("action: DENY, rules: [{to: [{operation: {hosts: ['*.example.com', '*.example.com:*']}}]}]", UNSURE),
        ("action: DENY, rules: [{to: [{operation: {hosts: [a.example.com]}}]}]", UNSURE),  # not that with a port
        ("action: DENY, rules: [{to: [{operation: {hosts: [b.example.com]}}]}]", ""),
        ("rules: [{to: [{operation: {hosts: [b.example.com]}}]}]", CLOSED),
        ("action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]", UNSURE),
        ("action: CUSTOM, provider: {name: sso}, rules: [{}]", UNSURE),
    ],
)
def test_policies_of_a_gateways_pods_decide_who_passes_it(spec: str, wanted: str) -> None:
    assert way(istio() + AT_GATE.replace("SPEC", spec)) == wanted
    other = AT_GATE.replace("SPEC", spec).replace("istio: ingressgateway", "istio: another")
    assert way(istio() + other) == ""


ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: ml}
spec: {gatewayClassName: CLASS, listeners: [{name: web, port: 443, protocol: HTTPS}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: ml}
spec: {hostnames: [a.example.com], parentRefs: [{name: public}], rules: [{backendRefs: [{name: api, port: 80}]}]}
---
"""
SECURITY = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: who, namespace: ml}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: KIND, name: NAME}], SPEC}
---
"""
OIDC = "oidc: {provider: {issuer: 'https://login.example.com'}, clientID: x}"
MAYBE = "SecurityPolicy who lets whoever comes pass"
AT_NAME = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: gate, namespace: ml}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: NAME}], rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}
"""


def security(kind: str, name: str, spec: str) -> str:
    return ROUTE + SECURITY.replace("KIND", kind).replace("NAME", name).replace("SPEC", spec)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (ROUTE, ""),
        (ROUTE.replace("CLASS", "gke-l7-rilb"), CLOSED),
        (ROUTE.replace("CLASS", "gke-l7-global-external-managed"), ""),
        (ROUTE.replace("listeners", "infrastructure: {annotations: {networking.istio.io/service-type: ClusterIP}}, listeners"), CLOSED),
        (security("Gateway", "public", OIDC), CLOSED),
        (security("HTTPRoute", "api", "jwt: {providers: [{name: x}]}"), CLOSED),
        (security("HTTPRoute", "api", "jwt: {optional: true, providers: [{name: x}]}"), MAYBE),
        (security("HTTPRoute", "api", "extAuth: {http: {backendRefs: [{name: sso}]}}"), MAYBE),
        (security("HTTPRoute", "api", "cors: {allowOrigins: ['*']}"), ""),
        (security("HTTPRoute", "other", OIDC), ""),
        (ROUTE + AT_NAME.replace("NAME", "public"), CLOSED),
        (ROUTE + AT_NAME.replace("NAME", "other"), ""),
    ],
)  # fmt: skip
def test_policies_that_name_a_gateway_or_route_decide_who_passes_it(text: str, wanted: str) -> None:
    assert way(text) == wanted


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, namespace: ml, annotations: {NOTE}}
spec: {CLASSdefaultBackend: {service: {name: api, port: {number: 80}}}}
---
"""
BY_CLASS = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: web}
spec: {controller: CONTROLLER, parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: p}}
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: IngressClassParams
metadata: {name: p}
spec: {SPEC}
"""
PARAMS = "the parameters of the class alb make api face the internet"


def ingress(kind: str = "", note: str = "") -> str:
    return INGRESS.replace("NOTE", note).replace("CLASS", f"ingressClassName: {kind}, " if kind else "")


def of_class(spec: str, note: str = "", controller: str = "ingress.k8s.aws/alb") -> str:
    return ingress("web", note) + BY_CLASS.replace("CONTROLLER", controller).replace("SPEC", spec)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (ingress(), ""),
        (ingress("nginx"), ""),
        (ingress("nginx-internal"), CLOSED),
        (ingress("", "kubernetes.io/ingress.class: gce-internal"), CLOSED),
        (ingress("alb"), PARAMS),
        (ingress("alb", "alb.ingress.kubernetes.io/scheme: internet-facing"), ""),
        (ingress("alb", "alb.ingress.kubernetes.io/scheme: internal"), CLOSED),
        (of_class("scheme: internet-facing"), ""),
        (of_class("scheme: internal", "alb.ingress.kubernetes.io/scheme: internet-facing"), CLOSED),
        (of_class("ipAddressType: ipv4"), CLOSED),
        (of_class("ipAddressType: ipv4", controller="k8s.io/ingress-nginx"), ""),
    ],
)
def test_an_ingress_of_awss_controller_is_internal_unless_it_says_otherwise(text: str, wanted: str) -> None:
    assert way(text) == wanted


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: out, namespace: ml, annotations: {NOTE}}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8000}], MORE}
"""
NODES = "the internet reaches the addresses of the nodes"
AZURE = "service.beta.kubernetes.io/azure"


@pytest.mark.parametrize(
    ("more", "note", "wanted"),
    [
        ("type: LoadBalancer", "", ""),
        ("type: NodePort", "", NODES),
        ("type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24]", "", CLOSED),
        ("type: LoadBalancer", "service.beta.kubernetes.io/load-balancer-source-ranges: 203.0.113.0/24", CLOSED),
        ("type: LoadBalancer", 'service.beta.kubernetes.io/load-balancer-source-ranges: "10.0.0.0/8, 0.0.0.0/0"', ""),
        ("type: LoadBalancer", f"{AZURE}-allowed-ip-ranges: 203.0.113.0/24", CLOSED),
        ("type: LoadBalancer", f"{AZURE}-allowed-service-tags: AzureFrontDoor.Backend", f"{AZURE}-allowed-service-tags of out names everyone"),
        ("type: LoadBalancer, loadBalancerIP: 10.0.0.9", "", CLOSED),
        ("type: LoadBalancer, loadBalancerIP: 198.51.100.9", "", ""),
        ("type: LoadBalancer", "metallb.universe.tf/loadBalancerIPs: 10.0.0.9", CLOSED),
        ("type: LoadBalancer, loadBalancerClass: tailscale", "", CLOSED),
        ("type: LoadBalancer", 'service.beta.kubernetes.io/oci-load-balancer-internal: "true"', CLOSED),
        ("externalIPs: [198.51.100.9]", "", "packets for 198.51.100.9 come to the nodes"),
        ("externalIPs: [10.0.0.9]", "", CLOSED),
    ],
)  # fmt: skip
def test_a_service_says_who_comes_to_it(more: str, note: str, wanted: str) -> None:
    assert way(SERVICE.replace("MORE", more).replace("NOTE", note)) == wanted


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("{containers", "{hostNetwork: true, containers", NODES),
        ("containerPort: 8000}", "containerPort: 8000, hostPort: 80}", NODES),
        ("containerPort: 8000}", "containerPort: 8000, hostPort: 80, protocol: UDP}", CLOSED),
    ],
)
def test_pods_on_ports_of_their_nodes_are_perhaps_reached(old: str, new: str, wanted: str) -> None:
    assert old in POD
    cluster = assessed_files({"all.yaml": POD.replace(old, new)}).estates.kubernetes
    found = ["; ".join(one.decides) for one in exposed(Network(cluster, pod_specs(cluster)))]
    assert (found or [CLOSED]) == [wanted]


@pytest.mark.parametrize("host", [False, True])
def test_policies_may_not_count_for_pods_of_a_nodes_network(host: bool) -> None:
    policy = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: ml}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
    pod = POD.replace("{containers", "{hostNetwork: true, containers") if host else POD
    edges = assessed_files({"all.yaml": pod + policy}).graph.edges
    states = {(one.source, one.target): one.state for one in edges}
    into, out = ("k8s:pod-network", "k8s:ml/pod/api#port"), ("k8s:ml/pod/api", "k8s:pod-network")
    assert [states.get(one) for one in (into, out)] == ([State.UNKNOWN] * 2 if host else [None] * 2)


CONFIG = """
apiVersion: cloud.google.com/v1
kind: BackendConfig
metadata: {name: iap, namespace: ml}
spec: {iap: {enabled: ENABLED}}
---
"""
NAMED = (
    "metadata: {name: api, namespace: ml, annotations: {cloud.google.com/backend-config: 'WHICH'}}\nspec: {selector"
)
OF_BACKEND = """
apiVersion: networking.gke.io/v1
kind: GCPBackendPolicy
metadata: {name: iap, namespace: ml}
spec: {default: {iap: {enabled: true}}, targetRef: {group: "", kind: Service, name: NAME}}
---
"""


@pytest.mark.parametrize(
    ("which", "enabled", "kind", "wanted"),
    [
        ('{"default": "iap"}', "true", "", CLOSED),
        ('{"ports": {"80": "iap"}}', "true", "", CLOSED),
        ('{"ports": {"81": "iap"}}', "true", "", ""),
        ('{"default": "iap"}', "false", "", ""),
        ('{"default": "other"}', "true", "", ""),
        ("no JSON", "true", "", ""),
        ('{"default": "iap"}', "true", "nginx", ""),  # which does not know it
    ],
)
def test_a_proxy_asks_before_the_services_that_name_it(which: str, enabled: str, kind: str, wanted: str) -> None:
    pod = POD.replace("metadata: {name: api, namespace: ml}\nspec: {selector", NAMED.replace("WHICH", which))
    assert pod != POD
    text = pod + ingress(kind) + CONFIG.replace("ENABLED", enabled)
    cluster = assessed_files({"all.yaml": text}).estates.kubernetes
    found = ["; ".join(one.decides) for one in exposed(Network(cluster, pod_specs(cluster)))]
    assert (found or [CLOSED]) == [wanted]


@pytest.mark.parametrize(("name", "wanted"), [("api", CLOSED), ("other", "")])
def test_a_proxy_asks_before_the_services_that_a_policy_names(name: str, wanted: str) -> None:
    assert way(ROUTE + OF_BACKEND.replace("NAME", name)) == wanted
