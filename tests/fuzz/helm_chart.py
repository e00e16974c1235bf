"""Fuzz target: a template of a Helm chart, rendered and read; and values as ``--set`` gives them."""

from __future__ import annotations

from contextlib import suppress

from assaymark.core.errors import InputError
from assaymark.formats.helm.assign import assigned
from assaymark.formats.helm.chart import render_chart
from assaymark.formats.located_yaml import read_located_yaml

FILES = {
    "Chart.yaml": "name: a\nversion: 1.0.0\n",
    "values.yaml": "a: {b: [1, x], c: 'd'}\ne: 5\nf: null\n",
    "templates/_h.tpl": '{{ define "n" }}{{ .Chart.Name | trunc 63 }}{{ end }}',
}
SEEDS = [
    b"{{- $x := .Values.a -}}\nk: {{ $x.c | quote }}\n{{- range $i, $v := $x.b }}\n- {{ $i }}{{ $v }}\n{{- end }}\n",
    b'{{ include "n" . | upper }}{{ with .Values.f }}{{ . }}{{ else if eq .Values.e 5.0 }}{{ toYaml .Values | nindent 2 }}{{ end }}',
    b'{{ tpl "{{ .Values.e }}" . }}{{ printf "%-5s|%05d|%q" "a" 3 nil }}{{ dict "a" (list 1 2) | toJson | fromJson }}',
    b'{{ define "x" }}{{ block "y" . }}{{ end }}{{ end }}{{ template "x" (index .Values.a.b 1) }}{{ break }}',
    b'{{ regexReplaceAll "a+" .Values.a.c "${1}" }}{{ semverCompare "^1.2" "1.3.0" }}{{ .Files.Glob "*" }}{{/* c */}}',
    b'{{ set .Values "g" .Values }}{{ until 9 }}{{ splitn "," 2 "a,b" }}{{ dig "a" "b" 1 .Values }}{{ `raw` }}{{ \'c\' }}',
    b"a.b[2].c={x,y\\,z},d\\.e=null,a.b[0]=1",
]  # fmt: skip


def fuzz(data: bytes) -> None:
    """Only InputError is raised, and each line that is printed has one of the template."""
    text = data.decode("utf-8", "surrogateescape")
    with suppress(InputError):
        assigned({"a": {"b": [1]}}, text)
    found = render_chart({**FILES, "templates/t.yaml": text}, "")
    rendered = found.rendered.get("templates/t.yaml")
    assert (rendered is None) == ("templates/t.yaml" in found.failed)
    if rendered is None:
        return
    assert len(rendered.lines) == rendered.text.count("\n") + 1
    assert all(1 <= line <= text.count("\n") + 1 for line in rendered.lines)
    try:
        read_located_yaml(rendered.text)
    except InputError:
        return
