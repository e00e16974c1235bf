"""Network policies, exposure and the mesh.

Cases from the Kubernetes documentation, "Network Policies" and "Service", the Gateway API, Istio's and KServe's.
"""

from __future__ import annotations

import random

import pytest
from tests.support.architectures import assessed, edges, findings
from tests.support.source_estate import assessed_files

from assaymark.assess.kinds import CONTROL, NETWORK
from assaymark.assess.kubernetes import link_network
from assaymark.assess.paths.closure import Closure
from assaymark.assess.paths.search import Search
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity


def pod(name: str, namespace: str = "serving", image: str = "i@sha256:0") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}
spec:
  containers: [{{name: c, image: "{image}"}}]
---
"""


def policy(spec: str, namespace: str = "serving") -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: {namespace}}}
spec: {spec}
---
"""


NAMESPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {team: b}}
---
"""
ALL_IN = "podSelector: {matchLabels: {app: server}}, policyTypes: [Ingress]"


@pytest.mark.parametrize(
    ("spec", "reached_from"),
    [
        ("{" + ALL_IN + "}", set()),
        ("{" + ALL_IN + ", ingress: [{}]}", {"near", "far"}),
        ("{" + ALL_IN + ", ingress: [{from: [{podSelector: {matchLabels: {app: near}}}]}]}", {"near"}),
        ("{" + ALL_IN + ", ingress: [{from: [{podSelector: {}}]}]}", {"near"}),
        ("{" + ALL_IN + ", ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}}]}]}", {"far"}),
        (
            "{" + ALL_IN + ", ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: far}}}]}]}",
            {"far"},
        ),
        ("{" + ALL_IN + ", ingress: [{from: [{namespaceSelector: {}}]}]}", {"near", "far"}),
        (
            "{"
            + ALL_IN
            + ", ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}]}]}",
            {"far"},
        ),
    ],
)
def test_who_gets_past_ingress_rules(spec: str, reached_from: set[str]) -> None:
    text = NAMESPACES + pod("server") + pod("near") + pod("far", "other") + policy(spec)
    found = edges(assessed(a_yaml=text), "reaches", target="k8s:serving/pod/server#port")
    assert {edge.source.rpartition("/")[2] for edge in found} == reached_from


def test_both_sides_must_allow() -> None:
    text = pod("server") + pod("near") + policy("{podSelector: {}, policyTypes: [Egress]}")
    assert not edges(assessed(a_yaml=text), "reaches", "k8s:serving/pod/near")


def test_another_plug_ins_policy_is_unknown_not_missing() -> None:
    text = (
        pod("server")
        + """
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: calico, namespace: serving}
spec: {selector: app == 'server', types: [Ingress]}
"""
    )
    assessment = assessed(a_yaml=text)
    assert not findings(assessment, "k8s-network-policy-missing")
    (edge,) = edges(assessment, "exposes", target="k8s:serving/pod/server#port")
    assert edge.state is State.UNKNOWN
    assert "calico" in edge.decides[0]


def service(kind: str, more: str = "", annotations: str = "") -> str:
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: s, namespace: serving, annotations: {{{annotations}}}}}
spec: {{type: {kind}, selector: {{app: server}}, ports: [{{port: 80}}]{more}}}
---
"""


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (service("LoadBalancer"), State.YES),
        (service("NodePort"), State.UNKNOWN),
        (service("ClusterIP"), None),
        (service("LoadBalancer", ', loadBalancerSourceRanges: ["10.0.0.0/8"]'), None),
        (service("LoadBalancer", "", 'networking.gke.io/load-balancer-type: "Internal"'), None),
        (service("LoadBalancer") + policy("{podSelector: {}, policyTypes: [Ingress]}"), State.UNKNOWN),
        (
            service("LoadBalancer")
            + policy(
                '{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: "0.0.0.0/0"}}]}]}'
            ),
            State.YES,
        ),
    ],
)
def test_what_the_internet_reaches_by_services(text: str, state: State | None) -> None:
    found = edges(assessed(a_yaml=pod("server") + text), "reaches", "internet")
    assert [edge.state for edge in found] == ([state] if state else [])


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: i
  namespace: serving
  annotations: {annotations}
spec:
  ingressClassName: {name}
  rules:
    - http:
        paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: s, port: {{number: 80}}}}}}}}]
---
"""


@pytest.mark.parametrize(
    ("annotations", "name", "state"),
    [
        ("{}", "nginx", State.YES),
        ("{}", "nginx-internal", None),
        ("{alb.ingress.kubernetes.io/scheme: internal}", "alb", None),
        ('{nginx.ingress.kubernetes.io/auth-url: "https://login.example"}', "nginx", State.UNKNOWN),
        ("{alb.ingress.kubernetes.io/auth-type: oidc}", "alb", State.UNKNOWN),
    ],
)
def test_what_the_internet_reaches_by_ingresses(annotations: str, name: str, state: State | None) -> None:
    text = pod("server") + service("ClusterIP") + INGRESS.format(annotations=annotations, name=name)
    found = edges(assessed(a_yaml=text), "reaches", "internet")
    assert [edge.state for edge in found] == ([state] if state else [])


def test_a_predictor_has_a_route_unless_it_is_local() -> None:
    text = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: ranker, namespace: serving, labels: {%s}}
spec:
  predictor:
    model: {modelFormat: {name: sklearn}, storageUri: "s3://weights/ranker"}
"""
    assert edges(assessed(a_yaml=text % ""), "reaches", "internet")[0].state is State.UNKNOWN
    assert not edges(assessed(a_yaml=text % "networking.kserve.io/visibility: cluster-local"), "reaches", "internet")


PEER = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
---
"""
MESHED = """
apiVersion: v1
kind: Namespace
metadata: {name: serving, labels: {istio-injection: enabled}}
---
"""
STRICT = PEER.format(name="default", namespace="istio-system", spec="{mtls: {mode: STRICT}}")


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        ("", [Severity.MEDIUM]),
        (STRICT, [Severity.MEDIUM]),  # no sidecar
        (MESHED, [Severity.LOW]),
        (MESHED + STRICT, []),
        (
            MESHED + STRICT + PEER.format(name="n", namespace="serving", spec="{mtls: {mode: PERMISSIVE}}"),
            [Severity.LOW],
        ),
        (MESHED + STRICT + PEER.format(name="n", namespace="serving", spec="{mtls: {mode: UNSET}}"), []),
        (
            MESHED
            + STRICT
            + PEER.format(
                name="w",
                namespace="serving",
                spec="{selector: {matchLabels: {app: server}}, mtls: {mode: STRICT}, "
                "portLevelMtls: {8000: {mode: DISABLE}}}",
            ),
            [Severity.LOW],
        ),
    ],
)
def test_when_a_mesh_encrypts_what_a_server_does_not(text: str, severities: list[Severity]) -> None:
    assessment = assessed(a_yaml=text + pod("server", image="ollama/ollama:0.9.0"))
    assert [finding.severity for finding in findings(assessment, "k8s-server-plaintext")] == severities


POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: jwt, namespace: serving}
spec: SPEC
"""


def test_a_policy_of_the_mesh_asks_who_calls() -> None:
    text = MESHED + pod("server", image="ollama/ollama:0.9.0")
    asks = POLICY.replace("SPEC", '{action: ALLOW, rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]}')
    assert not findings(assessed(a_yaml=text + asks), "k8s-server-open")


def test_what_another_service_decides_of_callers_is_not_known() -> None:
    text = MESHED + pod("server", image="ollama/ollama:0.9.0")
    other = POLICY.replace("SPEC", "{action: CUSTOM, provider: {name: proxy}, rules: [{}]}")
    (finding,) = findings(assessed(a_yaml=text + other), "k8s-server-open")
    assert finding.confidence is Confidence.LOW
    assert "unless the provider proxy of AuthorizationPolicy jwt does" in finding.message


@pytest.mark.parametrize("seed", range(6))
def test_groups_of_pods_reach_what_their_pairs_do(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = random.Random(seed)  # noqa: S311  # a seed for what is drawn, not a secret
    text = NAMESPACES
    for number in range(12):
        text += pod(f"p{number}", chosen.choice(("serving", "other"))).replace(
            "labels: {", f"labels: {{tier: t{chosen.randrange(3)}, "
        )
    peers = ("{podSelector: {}}", "{podSelector: {matchLabels: {tier: t1}}}", "{namespaceSelector: {}}")
    for number in range(6):
        namespace = chosen.choice(("serving", "other"))
        kinds, rules = chosen.choice(
            (
                ("[Ingress]", "ingress: [{from: [%s]}]"),
                ("[Egress]", "egress: [{to: [%s]}]"),
                ("[Ingress, Egress]", "ingress: [{from: [%s]}]"),
            )
        )
        label = f"{{matchLabels: {{tier: t{chosen.randrange(3)}}}}}"
        spec = f"{{podSelector: {label}, policyTypes: {kinds}, {rules % chosen.choice(peers)}}}"
        text += policy(spec, namespace).replace("name: p,", f"name: n{number},")

    def reached() -> set[tuple[str, str]]:
        found = assessed(all_yaml=text)
        closure = Closure(Search(found.states).arcs())
        names = [node.id for node in found.graph.nodes.values() if node.kind == "workload"]
        number = found.states.number
        return {
            (one, other)
            for one in names
            for other in names
            if one != other
            and (f"{other}#port", NETWORK) in number
            and closure.leads(number[one, CONTROL], number[f"{other}#port", NETWORK])
        }

    by_pairs = reached()
    monkeypatch.setattr(link_network, "ASSESS_MAX_DRAWN_PAIRS", 0)
    assert reached() == by_pairs
    assert by_pairs


def test_many_pods_do_not_make_as_many_edges_as_pairs() -> None:
    pods = "".join(pod(f"p{number}").replace("app: ", "app: a, name: ") for number in range(300))
    spec = "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}]}], egress: [{}]}"
    found = assessed(all_yaml=pods + policy(spec))
    assert len(found.graph.edges) < 10 * 300
    closure = Closure(Search(found.states).arcs())
    number = found.states.number
    assert closure.leads(number["k8s:serving/pod/p0", CONTROL], number["k8s:serving/pod/p299#port", NETWORK])


@pytest.mark.parametrize(("egress", "limited"), [("[]", False), ("null", False), ("[{}]", True)])
def test_only_rules_for_egress_limit_it_where_no_types_are_named(egress: str, limited: bool) -> None:
    policy = f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: a, namespace: serving}}
spec: {{podSelector: {{}}, egress: {egress}}}
"""
    found = {(one.source, one.target) for one in edges(assessed(a_yaml=pod("a") + policy), "reaches")}
    assert (("k8s:serving/pod/a", "k8s:pod-network") in found) is not limited


def test_names_are_singular_and_nodes_stand_where_something_leads_to_them() -> None:
    privileged = """
apiVersion: v1
kind: Namespace
metadata: {name: ml}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ml}
spec:
  containers:
  - name: c
    image: x:1
    securityContext:
      privileged: true
"""
    nodes = assessed_files({"a.yaml": privileged}).graph.nodes
    assert nodes["k8s:nodes"].name == "any node of the cluster"
    assert [place.line for place in nodes["k8s:nodes"].because] == [13]
    assert nodes["k8s:ml/pod/p#port"].name == "any port of ml/p"
