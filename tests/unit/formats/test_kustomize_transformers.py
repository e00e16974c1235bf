"""Names, namespaces, labels, images, generators, replacements and variables of kustomizations, and their order."""

from __future__ import annotations

from base64 import b64decode

import pytest
from tests.support.kustomized import built, overlays, skipped

from assaymark.formats.located import Elsewhere

ALL = """
    apiVersion: v1
    kind: ServiceAccount
    metadata: {name: web}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {selector: {app: web}}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          serviceAccountName: web
          containers:
          - name: web
            image: registry.example/nginx:1.25
            args: ["http://$(HOST)", "$(OTHER)"]
            env: [{name: A, valueFrom: {configMapKeyRef: {name: conf, key: A}}}]
            envFrom: [{secretRef: {name: keys}}, {secretRef: {name: elsewhere}}]
          - {name: side, image: side}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: reads}
    roleRef: {kind: Role, name: reads}
    subjects: [{kind: ServiceAccount, name: web}, {kind: ServiceAccount, name: default}]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: reads}
    rules: [{resources: [secrets], resourceNames: [keys], verbs: [get]}]
    ---
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata: {name: web}
    spec: {rules: [{http: {paths: [{backend: {service: {name: web, port: {number: 80}}}}]}}]}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: all}
    """
BASE = {
    "base/kustomization.yaml": """
        resources: [all.yaml]
        configMapGenerator: [{name: conf, literals: [A=1, 'B="two"'], files: [x.ini, y=x.ini]}]
        secretGenerator: [{name: keys, envs: [keys.env]}]
        """,
    "base/all.yaml": ALL,
    "base/x.ini": "[x]\n",
    "base/keys.env": "# none\nKEY=value\n\nOTHER=\n",
}


def overlay(text: str, **files: str) -> dict[str, dict]:  # type: ignore[type-arg]
    """What an overlay of the base comes to."""
    return built({**BASE, "o/kustomization.yaml": f"resources: [../base]\n{text}", **files}, "o")


def test_generators_make_objects_of_literals_and_files() -> None:
    found = overlay("")
    assert found["ConfigMap/conf"]["data"] == {"A": "1", "B": "two", "x.ini": "[x]\n", "y": "[x]\n"}
    secret = found["Secret/keys"]
    assert {key: b64decode(value) for key, value in secret["data"].items()} == {"KEY": b"value", "OTHER": b""}
    assert secret["type"] == "Opaque"
    line = secret["data"].at("KEY")
    assert isinstance(line, Elsewhere)
    assert (line.path, int(line)) == ("base/keys.env", 2)


def test_overlays_add_to_what_their_base_generates_or_replace_it() -> None:
    found = overlay(
        "configMapGenerator: [{name: conf, behavior: merge, literals: [A=9, C=3]}]\n"
        "secretGenerator: [{name: keys, behavior: replace, literals: [ONLY=this]}]\n"
    )
    assert found["ConfigMap/conf"]["data"] == {"A": "9", "B": "two", "x.ini": "[x]\n", "y": "[x]\n", "C": "3"}
    assert list(found["Secret/keys"]["data"]) == ["ONLY"]


def test_references_follow_names() -> None:
    found = overlay("namePrefix: a-\nnameSuffix: -z\n")
    pod = found["Deployment/a-web-z"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["serviceAccountName"] == "a-web-z"
    assert container["env"][0]["valueFrom"]["configMapKeyRef"]["name"] == "a-conf-z"
    assert [one["secretRef"]["name"] for one in container["envFrom"]] == ["a-keys-z", "elsewhere"]
    binding = found["RoleBinding/a-reads-z"]
    assert binding["roleRef"]["name"] == "a-reads-z"
    assert [one["name"] for one in binding["subjects"]] == ["a-web-z", "default"]
    assert found["Role/a-reads-z"]["rules"][0]["resourceNames"] == ["a-keys-z"]
    rule = found["Ingress/a-web-z"]["spec"]["rules"][0]
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == "a-web-z"


def test_a_namespace_is_put_on_what_has_one_and_on_accounts_of_bindings() -> None:
    found = overlay("namespace: prod\n")
    assert found["Deployment/web"]["metadata"]["namespace"] == "prod"
    assert "namespace" not in found["ClusterRole/all"]["metadata"]
    assert [one["namespace"] for one in found["RoleBinding/reads"]["subjects"]] == ["prod", "prod"]


def test_labels_reach_selectors_only_where_that_is_said() -> None:
    common = overlay("commonLabels: {env: prod}\n")
    assert common["Service/web"]["spec"]["selector"] == {"app": "web", "env": "prod"}
    assert common["Deployment/web"]["spec"]["template"]["metadata"]["labels"] == {"app": "web", "env": "prod"}
    plain = overlay("labels: [{pairs: {env: prod}}]\n")
    assert plain["Service/web"]["spec"]["selector"] == {"app": "web"}
    assert plain["Service/web"]["metadata"]["labels"] == {"env": "prod"}
    template = overlay("labels: [{pairs: {env: prod}, includeTemplates: true}]\n")["Deployment/web"]["spec"]
    assert template["template"]["metadata"]["labels"] == {"app": "web", "env": "prod"}
    assert template["selector"]["matchLabels"] == {"app": "web"}


@pytest.mark.parametrize(
    ("entry", "image"),
    [
        ("{name: registry.example/nginx, newTag: '2'}", "registry.example/nginx:2"),
        ("{name: registry.example/nginx, newName: x/y}", "x/y:1.25"),
        ("{name: registry.example/nginx, digest: 'sha256:ab'}", "registry.example/nginx@sha256:ab"),
        ("{name: nginx, newTag: '2'}", "registry.example/nginx:1.25"),
    ],
)
def test_images(entry: str, image: str) -> None:
    found = overlay(f"images: [{entry}]\n")["Deployment/web"]["spec"]["template"]["spec"]["containers"]
    assert [one["image"] for one in found] == [image, "side"]


def test_images_and_replicas_come_after_patches() -> None:
    found = overlay(
        """
patches:
- target: {kind: Deployment}
  patch: |-
    - {op: add, path: /spec/replicas, value: 2}
    - {op: replace, path: /spec/template/spec/containers/1/image, value: other}
replicas: [{name: web, count: 5}]
images: [{name: other, newTag: v9}]
"""
    )["Deployment/web"]
    assert found["spec"]["replicas"] == 5
    assert found["spec"]["template"]["spec"]["containers"][1]["image"] == "other:v9"


def test_components_go_on_with_what_there_is() -> None:
    component = """
        kind: Component
        apiVersion: kustomize.config.k8s.io/v1alpha1
        patches:
        - {target: {kind: Deployment}, patch: '[{"op": "add", "path": "/spec/paused", "value": true}]'}
        configMapGenerator: [{name: conf, behavior: merge, literals: [A=component]}]
        """
    found = overlay("components: [../c]\nnamePrefix: a-\n", **{"c/kustomization.yaml": component})
    assert found["Deployment/a-web"]["spec"]["paused"] is True
    assert found["ConfigMap/a-conf"]["data"]["A"] == "component"


def test_replacements_and_variables() -> None:
    found = overlay("""
namePrefix: a-
vars: [{name: HOST, objref: {kind: Service, name: web, apiVersion: v1}}]
replacements:
- source: {kind: ConfigMap, name: conf, fieldPath: data.A}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=web].image"]
    options: {delimiter: ":", index: 1}
  - select: {kind: Service}
    fieldPaths: ["metadata.annotations.example\\\\.com/count"]
    options: {create: true}
""")
    container = found["Deployment/a-web"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example/nginx:1"
    assert container["args"] == ["http://a-web", "$(OTHER)"]
    assert found["Service/a-web"]["metadata"]["annotations"] == {"example.com/count": "1"}


def test_configurations_say_where_names_stand() -> None:
    found = built(
        {
            "kustomization.yaml": "resources: [a.yaml]\nnamePrefix: a-\nconfigurations: [c.yaml]\n",
            "a.yaml": """
                apiVersion: cert-manager.io/v1
                kind: Issuer
                metadata: {name: ca}
                ---
                apiVersion: cert-manager.io/v1
                kind: Certificate
                metadata: {name: cert}
                spec: {issuerRef: {name: ca}}
                """,
            "c.yaml": """
                nameReference:
                - {kind: Issuer, group: cert-manager.io, fieldSpecs: [{kind: Certificate, path: spec/issuerRef/name}]}
                """,
        }
    )
    assert found["Certificate/a-cert"]["spec"]["issuerRef"]["name"] == "a-ca"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "helmCharts: [{name: a}]",
            "helmCharts of the kustomization renders a, which is not here",
        ),
        ("transformers: [t.yaml]", "o/t.yaml is none of kustomize's own that is known here"),
        ("generators: [t.yaml]", "generators of the kustomization"),
        ("resources: [https://example.com/x.yaml]", "names https://example.com/x.yaml, which is not in the folder"),
        ("components: [nothing]", "components of the kustomization names nothing"),
        ("resources: [gone.yaml]", "names o/gone.yaml, which is not there"),
        ("secretGenerator: [{name: a, files: [gone]}]", "o/gone is not there"),
        ("configMapGenerator: [{name: a, behavior: merge}]", "ConfigMap a is not there"),
        ("patchesStrategicMerge: [gone.yaml]", "o/gone.yaml is not there"),
    ],
)
def test_what_is_not_done_is_named_with_its_line(said: str, reason: str) -> None:
    found = skipped({"o/kustomization.yaml": f"# mine\n{said}\n"})
    assert any(one.startswith("o/kustomization.yaml line 2: ") and reason in one for one in found), found


def test_objects_are_what_they_were_where_something_is_not_done() -> None:
    found, inputs = overlays(
        {
            "kustomization.yaml": "resources: [a.yaml]\nnamespace: prod\ntransformers: [t.yaml]\n",
            "a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
        }
    )
    assert found.built[""][0].value["metadata"] == {"name": "a", "namespace": "prod"}
    assert len(inputs.reading.skipped) == 1


def test_kustomizes_own_transformers_in_files() -> None:
    found = overlay(
        "transformers: [t.yaml]\n",
        **{
            "o/t.yaml": """
                apiVersion: builtin
                kind: PatchTransformer
                metadata: {name: a}
                target: {kind: Deployment}
                patch: '[{"op": "add", "path": "/spec/paused", "value": true}]'
                ---
                apiVersion: builtin
                kind: PrefixSuffixTransformer
                metadata: {name: b}
                prefix: p-
                fieldSpecs: [{kind: RoleBinding, path: subjects/name}]
                ---
                apiVersion: builtin
                kind: NamespaceTransformer
                metadata: {name: c, namespace: here}
                ---
                apiVersion: builtin
                kind: ImageTagTransformer
                metadata: {name: d}
                imageTag: {name: side, newTag: v7}
                """
        },
    )
    deployment = found["Deployment/web"]
    assert deployment["spec"]["paused"] is True
    assert deployment["metadata"]["namespace"] == "here"
    assert deployment["spec"]["template"]["spec"]["containers"][1]["image"] == "side:v7"
    assert [one["name"] for one in found["RoleBinding/reads"]["subjects"]] == ["p-web", "p-default"]
