"""Charts are installed as what installs them says, and else with each file of values that lies beside them."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.source_estate import assessed_files

if TYPE_CHECKING:
    from assaymark.assess.engine import Assessment

CHART = {
    "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n",
    "charts/app/values.yaml": "type: ClusterIP\nprivileged: false\nname: own\nport: 80\n",
    "charts/app/templates/all.yaml": """
apiVersion: v1
kind: Pod
metadata: {name: "{{ .Release.Name }}", labels: {app: "{{ .Release.Name }}"}}
spec:
  containers:
    - name: "{{ .Values.name }}"
      image: registry.example.org/app:1
      ports: [{containerPort: 8000}]
      securityContext: {privileged: {{ .Values.privileged }}}
---
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}"}
spec: {type: "{{ .Values.type }}", selector: {app: "{{ .Release.Name }}"}, ports: [{port: {{ .Values.port }}, targetPort: 8000}]}
""",
}
PROD = {"charts/app/values-prod.yaml": "type: LoadBalancer\nprivileged: true\n"}


def pods(found: Assessment) -> dict[str, tuple[Any, Any]]:
    """Namespace and name of each pod, with its container's name and whether it is privileged."""
    return {
        f"{one.namespace}/{one.name}": (
            one.value["spec"]["containers"][0]["name"],
            one.value["spec"]["containers"][0]["securityContext"]["privileged"],
        )
        for one in found.estates.kubernetes.objects.values()
        if one.kind == "Pod" and not one.cluster
    }


def test_values_that_lie_beside_a_charts_own_are_each_tried() -> None:
    found = assessed_files(CHART | PROD)
    rules = {finding.rule: finding for finding in found.findings}
    assert "k8s-node-access" in rules
    assert rules["k8s-node-access"].locations[0].path == "charts/app/templates/all.yaml"
    assert len([finding for finding in found.findings if finding.rule == "k8s-image-unpinned"]) == 1
    said = "the chart app is read with its own values.yaml, and with each of charts/app/values-prod.yaml above it"
    assert any(one.startswith(said) for one in found.reading.gaps)
    open_ports = {
        edge.target for edge in found.graph.edges if edge.source == "internet" and edge.relation == "reaches"
    }
    assert len(open_ports) == 1  # the service of the one release leads to the pod of the same alone
    assert "values-prod" in next(iter(open_ports))


@pytest.mark.parametrize("name", ["ci/test-values.yaml", "values-kind.yaml", "values.schema.yaml", "values-ci.yaml"])
def test_values_that_a_chart_is_tried_with_are_not(name: str) -> None:
    found = assessed_files(CHART | {f"charts/app/{name}": PROD["charts/app/values-prod.yaml"]})
    assert "k8s-node-access" not in {finding.rule for finding in found.findings}


APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: scorer, namespace: argocd}
spec:
  destination: {namespace: ml-prod}
  source:
    path: charts/app
    helm:
      valueFiles: [values-prod.yaml]
      values: |
        name: from-text
      parameters: [{name: privileged, value: "false"}]
"""
RELEASE = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: scorer, namespace: ml-prod}
spec:
  chart: {spec: {chart: ./charts/app, sourceRef: {kind: GitRepository, name: infra}}}
  values: {name: from-text}
"""
HELMFILE = """
releases:
  - name: scorer
    namespace: ml-prod
    chart: ../charts/app
    values: [../charts/app/values-prod.yaml, {name: from-text}]
    set: [{name: privileged, value: false}]
"""
SKAFFOLD = """
apiVersion: skaffold/v4beta11
kind: Config
deploy:
  helm:
    releases:
      - {name: scorer, namespace: ml-prod, chartPath: charts/app, setValues: {name: from-text}}
"""
SCRIPT = """
deploy:
\thelm upgrade --install scorer ./charts/app --namespace ml-prod \\
\t  -f charts/app/values-prod.yaml --set name=from-text,privileged=false --timeout 5m --wait
"""


TERRAFORM = """
resource "helm_release" "scorer" {
  name      = "scorer"
  namespace = "ml-prod"
  chart     = "${path.module}/../charts/app"
  values    = [file("${path.module}/../charts/app/values-prod.yaml"), yamlencode({ name = "from-text" })]
  set {
    name  = "privileged"
    value = "false"
  }
}
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apps/scorer.yaml", APPLICATION),
        ("clusters/prod/scorer.yaml", RELEASE),
        ("deploy/helmfile.yaml", HELMFILE),
        ("skaffold.yaml", SKAFFOLD),
        ("Makefile", SCRIPT),
        ("infra/main.tf", TERRAFORM),
        ("infra/main.tf", TERRAFORM.replace('"${path.module}/../charts/app"', '"../charts/app"')),
    ],
)
def test_what_installs_a_chart_says_its_name_place_and_values(path: str, text: str) -> None:
    found = assessed_files(CHART | PROD | {path: text})
    assert pods(found) == {"ml-prod/scorer": ("from-text", False)}
    assert not found.reading.skipped
    assert not any("the chart app is read with" in one for one in found.reading.gaps)


def test_an_application_set_stands_for_each_file_that_its_pattern_fits() -> None:
    files = {"charts/app/values/eu.yaml": "name: eu\n", "charts/app/values/us.yaml": "name: us\n"}
    text = APPLICATION.replace("kind: Application", "kind: ApplicationSet").replace(
        "spec:\n", "spec:\n  template:\n    metadata: {name: 'app-{{region}}'}\n    spec:\n", 1
    )
    head, tail = text.split("    spec:\n")
    inner = "".join(f"    {line}\n" for line in tail.splitlines())
    text = f"{head}    spec:\n{inner}".replace("values-prod.yaml", "'values/{{region}}.yaml'").replace(
        "from-text", "x"
    )
    text = text.replace("          values: |\n            name: x\n", "")
    found = assessed_files(CHART | files | {"apps.yaml": text})
    names = {one.value["spec"]["containers"][0]["name"] for one in found.estates.kubernetes.of("Pod")}
    assert names == {"eu", "us"}


KUSTOMIZATION = """
kind: Kustomization
namePrefix: prod-
namespace: ml-prod
helmGlobals: {chartHome: ../charts}
helmCharts:
  - name: app
    releaseName: scorer
    valuesFile: ../charts/app/values-prod.yaml
    valuesInline: {name: from-text, privileged: false}
patches:
  - target: {kind: Service}
    patch: |
      - {op: replace, path: /spec/type, value: NodePort}
"""


@pytest.mark.parametrize(
    ("merge", "privileged"), [("", False), ("merge", True), ("override", False), ("replace", False)]
)
def test_a_kustomization_changes_what_the_chart_that_it_renders_comes_to(merge: str, privileged: bool) -> None:
    more = f"    valuesMerge: {merge}\n    releaseName"
    text = KUSTOMIZATION.replace("    releaseName", more) if merge else KUSTOMIZATION
    found = assessed_files(CHART | PROD | {"overlay/kustomization.yaml": text})
    assert pods(found) == {"ml-prod/prod-scorer": ("from-text", privileged)}  # as kustomize 5.5 has it
    (service,) = found.estates.kubernetes.of("Service")
    assert service.value["spec"]["type"] == "NodePort"
    assert not found.reading.skipped
    assert not any("is read with its own values" in one for one in found.reading.gaps)


def test_a_chart_that_a_kustomization_would_fetch_is_skipped() -> None:
    text = KUSTOMIZATION.replace("name: app", "name: elsewhere")
    found = assessed_files({"overlay/kustomization.yaml": text})
    assert [one.reason for one in found.reading.skipped] == [
        "line 6: helmCharts of the kustomization renders elsewhere, which is not here"
    ]


def test_two_releases_of_one_chart_are_two_of_all() -> None:
    second = APPLICATION.replace("name: scorer", "name: trainer").replace("ml-prod", "ml-dev")
    found = assessed_files(CHART | PROD | {"a.yaml": APPLICATION, "b.yaml": second})
    assert set(pods(found)) == {"ml-prod/scorer", "ml-dev/trainer"}


def test_values_that_are_not_there_are_skipped_with_the_line() -> None:
    found = assessed_files(CHART | {"a.yaml": APPLICATION})
    assert [(one.path, one.reason) for one in found.reading.skipped] == [
        ("a.yaml", "line 9: the values values-prod.yaml of a chart are not in the input")
    ]


def test_nothing_takes_a_value_away() -> None:
    text = RELEASE.replace("{name: from-text}", "{privileged: null, name: gone}")
    assert pods(assessed_files(CHART | {"a.yaml": text})) == {"ml-prod/scorer": ("gone", None)}


def test_a_chart_that_a_test_installs_is_not_installed_so() -> None:
    workflow = "jobs:\n  e2e:\n    steps:\n      - run: kind create cluster\n      - run: helm install x ./charts/app --set privileged=true\n"
    found = assessed_files(CHART | {".github/workflows/check.yml": workflow})
    assert pods(found) == {"default/app": ("own", False)}


SET = """
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: tenants, namespace: argocd}}
spec:
  goTemplate: {go}
  generators: {generators}
  template:
    metadata: {{name: '{name}'}}
    spec:
      destination: {{namespace: '{name}'}}
      source: {{path: charts/app, helm: {{parameters: [{{name: name, value: '{given}'}}]}}}}
"""
FLUX = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a, namespace: flux}
spec: {targetNamespace: n, chart: {spec: {chart: ./charts/app}}}
"""
FOLDERS = {"apps/a_c/x.json": '{"tenant": {"id": "acme"}}', "apps/zeta/x.json": '{"tenant": {"id": "zeta"}}'}


@pytest.mark.parametrize(
    ("go", "generators", "name", "given", "wanted"),
    [
        ("true", "[{list: {elements: [{t: a, n: x}, {t: b, n: y}]}}]", "{{.t}}", "{{.n}}", {"a/a": "x", "b/b": "y"}),
        ("false", "[{list: {elements: [{t: a}, {t: b}], values: {k: v}}}]", "{{t}}", "{{values.k}}", {"a/a": "v", "b/b": "v"}),
        ("false", "[{git: {directories: [{path: apps/*}]}}]", "{{path.basenameNormalized}}", "{{path[0]}}", {"a-c/a-c": "apps", "zeta/zeta": "apps"}),
        ("true", "[{git: {directories: [{path: apps/*}, {path: apps/a*, exclude: true}]}}]", "{{.path.basename}}", "{{index .path.segments 0}}", {"zeta/zeta": "apps"}),
        ("false", "[{git: {files: [{path: 'apps/**/x.json'}]}}]", "{{tenant.id}}", "{{path.basename}}", {"acme/acme": "a_c", "zeta/zeta": "zeta"}),
        (
            "true",
            "[{matrix: {generators: [{list: {elements: [{t: a}, {t: b}]}}, {list: {elements: [{n: '{{.t}}1'}]}}]}}]",
            "{{.t}}-{{.n}}", "{{ .t | upper }}", {"a-a1/a-a1": "A", "b-b1/b-b1": "B"},
        ),
        (
            "false",
            "[{merge: {mergeKeys: [t], generators: [{list: {elements: [{t: a, n: x}, {t: b, n: x}]}}, {list: {elements: [{t: b, n: y}]}}]}}]",
            "{{t}}", "{{n}}", {"a/a": "x", "b/b": "y"},
        ),
        ("true", "[{matrix: {generators: [{clusters: {}}, {list: {elements: [{t: a}]}}]}}]", "{{.t}}", "{{.name}}", {"a/a": "own"}),
    ],
)  # fmt: skip
def test_an_application_set_makes_what_its_generators_give(
    go: str, generators: str, name: str, given: str, wanted: dict[str, str]
) -> None:
    text = SET.format(go=go, generators=generators, name=name, given=given)
    found = assessed_files(CHART | FOLDERS | {"sets/all.yaml": text})
    assert {key: value[0] for key, value in pods(found).items()} == wanted
    said = any("what generators of the ApplicationSet tenants give" in one for one in found.reading.gaps)
    assert said == ("clusters" in generators)


@pytest.mark.parametrize(
    ("more", "wanted"), [({}, {"acme/acme", "zeta/zeta"}), ({"other/apps/b/x.json": "{}"}, {"default/app"})]
)
def test_a_repository_may_lie_in_a_folder_of_the_input(more: dict[str, str], wanted: set[str]) -> None:
    generators = "[{git: {files: [{path: 'apps/*/x.json'}]}}]"
    text = SET.format(go="false", generators=generators, name="{{tenant.id}}", given="x")
    files = {f"team/{path}": data for path, data in (CHART | FOLDERS | {"sets/all.yaml": text}).items()}
    found = set(pods(assessed_files(files | more)))
    assert found == wanted  # of two folders nobody says which


def test_what_a_generator_leaves_open_says_nothing_of_values() -> None:
    text = SET.format(go="true", generators="[{clusters: {}}]", name="x", given="y")
    text = text.replace(
        "parameters: [{name: name, value: 'y'}]", "valuesObject: {name: '{{.name}}', privileged: true}"
    )
    assert pods(assessed_files(CHART | {"sets/all.yaml": text})) == {"x/x": ("own", True)}


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        ("helmfile.d/10.yaml", "releases:\n- {name: a, namespace: n, chart: ../charts/app}\n", {"n/a"}),
        (
            "helmfile.yaml",
            "releases:\n- {name: a, namespace: n, chart: charts/app}\n- {name: b, chart: charts/app, installed: false}\n",
            {"n/a"},
        ),
        (
            "flux.yaml",
            FLUX,
            {"n/n-a"},
        ),
    ],
)
def test_releases_have_the_names_that_their_tools_give(path: str, text: str, wanted: set[str]) -> None:
    found = assessed_files(CHART | {path: text})
    assert set(pods(found)) == wanted
    assert not found.reading.skipped


def test_skaffold_has_profiles_and_overrides() -> None:
    text = """
apiVersion: skaffold/v4beta6
kind: Config
deploy:
  helm: {releases: [{name: dev, chartPath: charts/app, namespace: a, overrides: {name: over, privileged: true}}]}
profiles:
- name: cloud
  deploy:
    helm: {releases: [{name: cloud, chartPath: charts/app, namespace: b, overrides: {name: x}, setValues: {name: y}}]}
"""
    assert pods(assessed_files(CHART | {"skaffold.yaml": text})) == {"a/dev": ("over", True), "b/cloud": ("y", False)}


def test_releases_beyond_the_limit_are_said() -> None:
    elements = ", ".join(f"{{t: a{number}}}" for number in range(25))
    text = SET.format(go="true", generators=f"[{{list: {{elements: [{elements}]}}}}]", name="{{.t}}", given="x")
    skipped = assessed_files(CHART | {"sets/all.yaml": text}).reading.skipped
    assert any("25 releases of this chart are in the input, of which 20 are read" in str(one) for one in skipped)


HELMFILE = """
{{- $name := "x" }}
environments: {{ readFile "e.yaml" | fromYaml | toJson }}
releases:
  - name: plain
    namespace: one
    chart: ../charts/app
    values:
      - name: said
{{/* a comment
  of two lines */}}
  - name: part
    namespace: one
    chart: ../charts/app
    values:
{{- if .Values.x }}
      - name: perhaps
{{- end }}
  - name: {{ .Environment.Name }}
    namespace: one
    chart: ../charts/app
  - name: last
    namespace: two
    chart: ../charts/app
    values:
      - name: told
{{- range .Values.tenants }}
  - name: {{ . }}
    namespace: three
    chart: ../charts/app
{{- end }}
---
releases:
  - name: more
    namespace: two
    chart: ../charts/app
"""


def test_releases_of_a_template_of_helmfile_in_which_nothing_is_to_be_filled_in() -> None:
    found = assessed_files(CHART | {"cd/helmfile.yaml.gotmpl": HELMFILE})
    assert pods(found) == {"one/plain": ("said", False), "two/last": ("told", False), "two/more": ("own", False)}
    (said,) = [one.reason for one in found.reading.skipped if one.path == "cd/helmfile.yaml.gotmpl"]
    assert said.startswith("a template: releases in which something is to be filled in are not read")


@pytest.mark.parametrize(
    "text",
    [
        "releases:\n  - name: {{ .x }}\n    chart: ../charts/app\n",
        "releases: {{ .x }}\n",
        "releases: [{name: '{{ .x }}', chart: ../charts/app}]\n",
        "releases:\n- {{",
    ],
)
def test_a_template_of_helmfile_without_plain_releases_is_skipped(text: str) -> None:
    found = assessed_files(CHART | {"cd/helmfile.yaml.gotmpl": text})
    assert [one.reason for one in found.reading.skipped] == ["a template; assess what it comes to"]


def test_a_patch_of_a_set_is_said_not_to_be_read() -> None:
    text = SET.format(go="true", generators="[{list: {elements: [{id: a}]}}]", name="{{.id}}", given="x")
    text += "  templatePatch: |\n    spec: {destination: {namespace: other}}\n"
    found = assessed_files(CHART | {"sets/all.yaml": text})
    line = 1 + text.strip().split("\n").index("  templatePatch: |")
    (said,) = [one.reason for one in found.reading.skipped if one.path == "sets/all.yaml"]
    assert said.startswith(f"line {line}: a templatePatch, which is not read")


def test_patterns_and_generators_that_would_never_end_do() -> None:
    stars = "/".join(["**", *["*a" * 30] * 3, "**", "x"])
    long = "/".join(["a" * 200] * 40)
    inner = "- list: {elements: [" + ", ".join("{x: a}" for _ in range(40)) + "]}"
    nested = inner
    for _ in range(4):
        nested = f"- matrix:\n    generators:\n{indent(nested, '    ')}\n{indent(nested, '    ')}"
    text = f"""
    apiVersion: argoproj.io/v1alpha1
    kind: ApplicationSet
    metadata: {{name: x}}
    spec:
      generators:
      - git: {{directories: [{{path: "{stars}"}}]}}
{indent(nested, "      ")}
      template:
        metadata: {{name: "x"}}
        spec: {{source: {{path: charts/app}}}}
    """
    found = assessed_files({"x.yaml": text, f"{long}/y": "1", **CHART})
    assert list(found.estates.kubernetes.of("Pod"))


@pytest.mark.parametrize(
    "odd", ["{{" * 50_000, "{{" + " " * 50_000, "$(" * 50_000, "helm template " * 5_000 + "kubectl " * 5_000]
)
def test_odd_texts_do_not_take_long(odd: str) -> None:
    files = {
        "helmfile.yaml.gotmpl": f"releases:\n  - name: {odd}\n",
        "install.sh": f"helm install {odd}\nhelm upgrade x charts/app -f {odd}\n",
        "a.yaml": APPLICATION.replace("values-prod.yaml", f"'{odd}'"),
    }
    assert "default/app" not in pods(assessed_files(CHART | files))
