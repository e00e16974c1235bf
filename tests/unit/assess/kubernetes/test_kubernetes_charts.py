"""Charts of Helm in an architecture: objects with the lines of their templates, and what is said of the rest."""

from __future__ import annotations

from tests.support.packed import archive
from tests.support.source_estate import NOW, assessed_files, lines_of

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file

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


def test_packed_subcharts_are_rendered_and_their_archive_is_named() -> None:
    template = b"apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-db'}\nstringData: {password: '{{ .Values.pass }}'}\n"
    packed = archive(
        {
            "db/Chart.yaml": b"name: db\nversion: 1.0.0\n",
            "db/values.yaml": b"pass: hunter2-long\n",
            "db/templates/s.yaml": template,
        }
    )
    files = {
        "Chart.yaml": b"apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0}]\n",
        "charts/db-1.0.0.tgz": packed,
        "charts/broken-1.0.0.tgz": b"no archive",
    }
    found = assess([source_file(path, data) for path, data in files.items()], NOW)
    assert "k8s:default/secret/web-db" in found.graph.nodes
    assert ("charts/db-1.0.0.tgz", 1) in lines_of(found, "k8s-secret-in-manifest")
    assert [one.path for one in found.reading.skipped] == ["charts/broken-1.0.0.tgz"]
    assert not any(found.patches.values())
