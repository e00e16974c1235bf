"""Helm's functions by their documentation's examples, and charts with subcharts, values and hooks."""

from __future__ import annotations

from hashlib import sha256

import pytest

from assaymark.core.errors import InputError
from assaymark.formats.helm.chart import render_chart
from assaymark.formats.helm.functions import functions
from assaymark.formats.helm.templates import Templates
from assaymark.formats.helm.values import to_yaml
from assaymark.formats.located_yaml import read_located_yaml


def printed(text: str) -> str:
    templates = Templates(functions())
    templates.parse("t", f"{{{{ {text} }}}}")
    return templates.run("t", {})[0]


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ('default "a" ""', "a"),
        ('default "a" "b"', "b"),
        ("coalesce 0 1 2", "1"),
        ('ternary "a" "b" true', "a"),
        ('quote "a" 1', '"a" "1"'),
        ('squote "a"', "'a'"),
        ('trunc 3 "abcdef"', "abc"),
        ('trunc -3 "abcdef"', "def"),
        ('substr 1 3 "abcdef"', "bc"),
        ('"a-b-" | trimSuffix "-"', "a-b"),
        ('trimAll "$" "$5$"', "5"),
        ('replace "a" "b" "banana"', "bbnbnb"),
        ('contains "b" "abc"', "true"),
        ('hasPrefix "a" "abc"', "true"),
        ('indent 2 "a\\nb"', "  a\n  b"),
        ('nindent 2 "a"', "\n  a"),
        ('splitList "," "a,b" | join "-"', "a-b"),
        ('(split "." "a.b")._1', "b"),
        ('kebabcase "someName"', "some-name"),
        ('snakecase "someName"', "some_name"),
        ('title "some name"', "Some Name"),
        ("add 1 2 3", "6"),
        ("div 7 2", "3"),
        ("mod 7 2", "1"),
        ("max 1 5 3", "5"),
        ('int "12"', "12"),
        ("until 3", "[0 1 2]"),
        ("untilStep 3 9 3", "[3 6]"),
        ('dict "a" 1 | toJson', '{"a":1}'),
        ('get (dict "a" 1) "a"', "1"),
        ('hasKey (dict "a" 1) "b"', "false"),
        ('keys (dict "b" 1 "a" 2)', "[a b]"),
        ('omit (dict "a" 1 "b" 2) "a" | toJson', '{"b":2}'),
        ('pick (dict "a" 1 "b" 2) "a" | toJson', '{"a":1}'),
        ('merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson', '{"a":1,"b":3}'),
        ('mergeOverwrite (dict "a" 1) (dict "a" 2) | toJson', '{"a":2}'),
        ('dig "a" "b" "no" (dict "a" (dict "b" "yes"))', "yes"),
        ('dig "a" "c" "no" (dict "a" (dict "b" "yes"))', "no"),
        ("first (list 1 2)", "1"),
        ("has 2 (list 1 2)", "true"),
        ("uniq (list 1 1 2)", "[1 2]"),
        ("concat (list 1) (list 2)", "[1 2]"),
        ('kindIs "map" (dict)', "true"),
        ('"a" | b64enc', "YQ=="),
        ('"YQ==" | b64dec', "a"),
        ('sha256sum "a" | trunc 8', "ca978112"),
        ('regexMatch "^a.c$" "abc"', "true"),
        ('regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W"', "-W-xxW-"),
        ('semverCompare ">=1.19-0" "v1.34.0"', "true"),
        ('semverCompare "^1.2.3" "1.9.0"', "true"),
        ('semverCompare "~1.2.3" "1.3.0"', "false"),
        ('semverCompare "<1.14-0 || >=2" "1.34.0"', "false"),
        ('fromYaml "a: [1, 2]" | toJson', '{"a":[1,2]}'),
        ('lookup "v1" "Secret" "ns" "name" | empty', "true"),
        ('base "a/b.yaml"', "b.yaml"),
        ('empty ""', "true"),
    ],
)
def test_functions(text: str, out: str) -> None:
    assert printed(text) == out


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"b": [1, {"c": "d", "e": []}], "f": {}}, "g": None},
        ["true", "1", "1.5", "0x1", "1e3", "", " a", "a: b", "a #b", "- a", "*a", "10.0.0.1", "http://a/b", "~", "no", "a\nb"],
        {"1": True, "yes": "on", "x:y": "z"},
        [[1, [2]], {}],
    ],
)  # fmt: skip
def test_values_as_yaml_are_read_back(value: object) -> None:
    assert read_located_yaml(to_yaml(value)) == [value]


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: '7'\ndependencies:\n- {name: db, condition: db.enabled}\n- {name: spare, condition: spare.enabled}\n",
    "values.yaml": "image: {repository: r/web, tag: ''}\nglobal: {region: eu}\ndb: {enabled: true, size: 5}\nspare: {enabled: false}\n",
    "files/app.conf": "x=1\n",
    "templates/_helpers.tpl": '{{- define "web.name" -}}{{ .Chart.Name }}-{{ .Release.Name }}{{- end -}}',
    "templates/a.yaml": (
        'kind: A\nmetadata:\n  name: {{ include "web.name" . }}\nimage: {{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\n'
        '{{- if .Capabilities.APIVersions.Has "networking.k8s.io/v1" }}\napi: {{ .Capabilities.KubeVersion.Minor }}\n{{- end }}\n'
        'conf: {{ .Files.Get "files/app.conf" | quote }}\n{{ (.Files.Glob "files/*").AsConfig | indent 0 }}\nsize: {{ .Values.db.port }}\n'
        'sub: {{ (index .Subcharts "db").Chart.Name }}\n'
    ),
    "templates/NOTES.txt": "{{ .Nothing.at.all }}",
    "charts/db/Chart.yaml": "name: db\nversion: 1.0.0\n",
    "charts/db/values.yaml": "size: 1\nport: 5432\n",
    "charts/db/templates/db.yaml": "kind: B\nsize: {{ .Values.size }}\nport: {{ .Values.port }}\nregion: {{ .Values.global.region }}\nname: {{ .Template.Name }}\n",
    "charts/spare/Chart.yaml": "name: spare\nversion: 1.0.0\n",
    "charts/spare/templates/x.yaml": "kind: C\n",
}  # fmt: skip


def test_a_chart_with_subcharts() -> None:
    found = render_chart(CHART, "")
    assert (found.name, found.failed) == ("web", {})
    assert sorted(found.rendered) == ["charts/db/templates/db.yaml", "templates/a.yaml"]
    [value] = read_located_yaml(found.rendered["templates/a.yaml"].text)
    assert value == {
        "kind": "A", "metadata": {"name": "web-web"}, "image": "r/web:7", "api": 34, "conf": "x=1\n", "app.conf": "x=1\n",
        "size": 5432, "sub": "db",
    }  # fmt: skip
    [below] = read_located_yaml(found.rendered["charts/db/templates/db.yaml"].text)
    assert below == {"kind": "B", "size": 5, "port": 5432, "region": "eu", "name": "web/charts/db/templates/db.yaml"}


def test_what_cannot_be_rendered_is_said_and_the_rest_is_there() -> None:
    files = {**CHART, "templates/b.yaml": "a: {{ nosuch }}\n", "templates/c.yaml": "a: {{ if }}\n"}
    found = render_chart(files, "")
    assert found.failed == {
        "templates/b.yaml": "the function nosuch is not known here (line 1)",
        "templates/c.yaml": "an action without a command (line 1)",
    }
    assert "templates/a.yaml" in found.rendered


def test_a_chart_that_is_not_here_is_said_unless_it_is_off() -> None:
    files = {path: text for path, text in CHART.items() if not path.startswith("charts/")}
    assert render_chart(files, "").failed["Chart.yaml"] == "the chart db that it depends on is not here"
    on = {**files, "values.yaml": "db: {enabled: false}\nspare: {enabled: false}\nimage: {repository: a}\n"}
    assert "Chart.yaml" not in render_chart(on, "").failed


def test_tags_aliases_and_charts_beside_it() -> None:
    files = {
        "a/Chart.yaml": "name: a\ndependencies:\n- {name: lib, repository: 'file://../lib', alias: one}\n- {name: gone, tags: [extra]}\n",
        "a/values.yaml": "tags: {extra: false}\none: {x: 2}\n",
        "lib/Chart.yaml": "name: lib\n",
        "lib/values.yaml": "x: 1\n",
        "lib/templates/l.yaml": "x: {{ .Values.x }}\n",
    }  # fmt: skip
    found = render_chart(files, "a/")
    assert found.failed == {}
    assert found.rendered["lib/templates/l.yaml"].text == "x: 2\n"


def test_libraries_and_charts_that_are_none() -> None:
    assert render_chart({"Chart.yaml": "name: x\ntype: library\n", "templates/a.yaml": "a: 1\n"}, "").rendered == {}
    with pytest.raises(InputError, match="no mapping"):
        render_chart({"Chart.yaml": "- a\n"}, "")
    with pytest.raises(InputError):
        render_chart({"Chart.yaml": "a: [\n"}, "")


def test_templates_find_each_other_by_the_names_that_helm_gives_them() -> None:
    files = {
        "deploy/Chart.yaml": "name: web\nversion: 1.0.0\n",
        "deploy/templates/conf.yaml": "a: 1",
        "deploy/templates/a.yaml": 'sum: {{ include (print $.Template.BasePath "/conf.yaml") . | sha256sum }}\n'
        "name: {{ .Template.Name }}\n",
    }
    found = render_chart(files, "deploy/")
    assert found.failed == {}
    [value] = read_located_yaml(found.rendered["deploy/templates/a.yaml"].text)
    assert value == {"sum": sha256(b"a: 1").hexdigest(), "name": "web/templates/a.yaml"}


def test_values_of_subcharts_are_imported() -> None:
    files = {
        "Chart.yaml": (
            "name: web\nversion: 1.0.0\ndependencies:\n- name: db\n  import-values:\n  - data\n"
            "  - {child: default.data, parent: mine}\n  - nothing\n"
        ),
        "values.yaml": "mine: {count: 0, text: helm}\nport: 1\n",
        "templates/a.yaml": 'values: {{ omit .Values "db" | toJson }}\n',
        "charts/db/Chart.yaml": "name: db\nversion: 1.0.0\n",
        "charts/db/values.yaml": "default: {data: {count: 999, flag: true}}\nexports: {data: {port: 2, host: h}}\n",
    }
    [value] = read_located_yaml(render_chart(files, "").rendered["templates/a.yaml"].text)
    assert value["values"] == {"mine": {"count": 999, "flag": True, "text": "helm"}, "port": 2, "host": "h"}
