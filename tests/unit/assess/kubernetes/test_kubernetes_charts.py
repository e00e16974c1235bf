"""Charts of Helm in an architecture: objects with the lines of their templates, and what is said of the rest."""

from __future__ import annotations

from tests.support.source_estate import assessed_files, lines_of

CHART = {
    "deploy/Chart.yaml": "apiVersion: v2\nname: ray\nversion: 1.0.0\n",
    "deploy/values.yaml": "service: {type: LoadBalancer}\nimage: rayproject/ray:2.40.0\n",
    "deploy/templates/head.yaml": """
        {{- $name := .Release.Name }}
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {{ $name }}
        spec:
          template:
            metadata: {labels: {app: {{ $name }}}}
            spec:
              containers:
              - name: head
                image: {{ .Values.image }}
                command: [ray, start, --head]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: {{ $name }}}
        spec:
          type: {{ .Values.service.type }}
          selector: {app: {{ $name }}}
          ports: [{port: 8265}]
        """,
    "deploy/templates/tests/try.yaml": """
        apiVersion: v1
        kind: Pod
        metadata: {name: try, annotations: {"helm.sh/hook": test}}
        spec: {containers: [{name: c, image: busybox}]}
        """,
}


def test_templates_are_read_as_what_they_come_to_on_their_own_lines() -> None:
    found = assessed_files(CHART)
    assert ("k8s:default/deployment/ray") in found.graph.nodes
    assert ("k8s:default/pod/try") not in found.graph.nodes
    assert lines_of(found, "k8s-server-open") == [("deploy/templates/head.yaml", 11)]
    edge = next(one for one in found.graph.edges if one.source == "internet")
    assert [(place.path, place.line) for place in edge.because] == [("deploy/templates/head.yaml", 19)]
    assert found.reading.skipped == []
    assert any("the chart ray is read with its own values.yaml" in one for one in found.reading.gaps)
    assert not any(found.patches.values())


def test_values_decide() -> None:
    closed = {**CHART, "deploy/values.yaml": "service: {type: ClusterIP}\nimage: r\n"}
    found = assessed_files(closed)
    assert not any(one.source == "internet" for one in found.graph.edges)


def test_what_fails_is_skipped_with_the_reason() -> None:
    broken = {
        **CHART,
        "deploy/templates/b.yaml": "a: {{ .Values.gone.deep }}\n",
        "deploy/templates/c.yaml": 'a: {{ "[" }}\n',
    }
    found = assessed_files(broken)
    reasons = {one.path: one.reason for one in found.reading.skipped}
    assert "nothing has the field deep (line 1)" in reasons["deploy/templates/b.yaml"]
    assert "is no YAML" in reasons["deploy/templates/c.yaml"]
    assert "k8s:default/deployment/ray" in found.graph.nodes


def test_a_chart_that_cannot_be_read_and_templates_without_one() -> None:
    found = assessed_files({**CHART, "deploy/values.yaml": "a: [\n"})
    reasons = {one.path: one.reason for one in found.reading.skipped}
    assert "a chart of Helm that cannot be read" in reasons["deploy/Chart.yaml"]
    assert "deploy/templates/head.yaml" in reasons
    alone = {path: text for path, text in CHART.items() if not path.endswith("Chart.yaml")}
    reasons = {one.path: one.reason for one in assessed_files(alone).reading.skipped}
    assert "without its chart" in reasons["deploy/templates/head.yaml"]
