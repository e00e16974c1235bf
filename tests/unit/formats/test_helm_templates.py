"""Go's templates: what is printed is what Go's documentation says, on the line that it came from."""

from __future__ import annotations

import pytest

from assaymark.core.errors import InputError
from assaymark.formats.helm import templates as go_template
from assaymark.formats.helm.functions import functions
from assaymark.formats.helm.templates import Templates, shown

DOT = {"Values": {"a": "x", "n": 3, "on": True, "off": False, "list": [1, 2], "map": {"b": 2, "a": 1}, "none": None}}


def printed(text: str, dot: object = DOT) -> str:
    templates = Templates(functions())
    templates.parse("t", text)
    return templates.run("t", dot)[0]


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("a{{/* no */}}b", "ab"),
        ("a {{- /* no */ -}} b", "ab"),
        ("{{ .Values.a }} {{ .Values.n }} {{ .Values.on }} {{ .Values.missing }}.", "x 3 true ."),
        ("a {{- .Values.a -}} b", "axb"),
        ("{{ 1.5 }} {{ 2.0 }} {{ -3 }} {{ 0x10 }} {{ 'a' }} {{ `r\\n` }} {{ \"t\\t\" }}", "1.5 2 -3 16 97 r\\n t\t"),
        ("{{ if .Values.on }}y{{ else }}n{{ end }}{{ if .Values.off }}y{{ else }}n{{ end }}", "yn"),
        ("{{ if .Values.off }}a{{ else if .Values.on }}b{{ else }}c{{ end }}", "b"),
        ("{{ with .Values.map }}{{ .a }}{{ $.Values.a }}{{ end }}{{ with .Values.none }}y{{ else }}n{{ end }}", "1xn"),
        ("{{ range .Values.list }}[{{ . }}]{{ end }}{{ range .Values.none }}y{{ else }}n{{ end }}", "[1][2]n"),
        ("{{ range $i, $v := .Values.list }}{{ $i }}={{ $v }};{{ end }}", "0=1;1=2;"),
        ("{{ range $k, $v := .Values.map }}{{ $k }}={{ $v }};{{ end }}", "a=1;b=2;"),
        ("{{ range until 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "02"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ end }}{{ $x }}", "2"),
        ('{{ define "d" }}<{{ . }}>{{ end }}{{ template "d" .Values.a }}{{ include "d" 5 | upper }}', "<x><5>"),
        ('{{ block "d" .Values.n }}({{ . }}){{ end }}', "(3)"),
        ("{{ (index .Values.list 1) }} {{ (.Values.map).a }} {{ (.Values.none).a }}.", "2 1 ."),
        ("{{ $v := .Values.none }}{{ $v.a.b }}.", "."),
        ("{{ and .Values.on (eq .Values.n 3) }} {{ or .Values.off .Values.a }} {{ not .Values.off }}", "true x true"),
        ('{{ and .Values.off (fail "never") }}', "false"),
        ("{{ .Values.list }} {{ .Values.map }}", "[1 2] map[a:1 b:2]"),
        ('{{ printf "%s-%d %q %05d %v %%" .Values.a 7 "q" 42 nil }}', 'x-7 "q" 00042 <nil> %'),
        ('{{ "a" | printf "%s%s" "b" }}', "ba"),
        ('{{ tpl "{{ .Values.a }}!" . }}', "x!"),
        ("{{ if and (gt .Values.n 2) (lt 1 2) (ge 2 2) (le 2 2) (ne 1 2) }}y{{ end }}", "y"),
    ],
)  # fmt: skip
def test_what_is_printed(text: str, out: str) -> None:
    assert printed(text) == out


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("a\n{{ .Values.missing.b }}", "nothing has the field b", 2),
        ("{{ if }}", "without a command", 1),
        ("{{ if true }}", "without end", 1),
        ("{{ end }}", "unexpected end", 1),
        ("a {{ b", "does not end", 1),
        ("\n\n{{ nosuch 1 }}", "nosuch is not known", 3),
        ('{{ include "gone" . }}', "no template gone", 1),
        ('{{ fail "because" }}', "because", 1),
        ('{{ required "needed" .Values.none }}', "needed", 1),
        ("{{ range .Values.a }}{{ end }}", "no list", 1),
        ("{{ $gone }}", "no variable", 1),
        ("{{ $gone = 1 }}", "no variable", 1),
        ("{{ index .Values.list 9 }}", "not there", 1),
        ('{{ lt 1 "a" }}', "refuses", 1),
        ('{{ "\\q" }}', "no constant", 1),
        ("{{ ( }}", "without a command", 1),
        ('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}', "nests deeper", 1),
        ("{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}", "more steps", 1),
        ('{{ $a := "xxxxxxxxxxxxxxxx" }}{{ range until 60 }}{{ $a = printf "%s%s" $a $a }}{{ end }}', "too large", 1),
        ("{{ $a := list 1 }}{{ range until 60 }}{{ $a = list $a $a }}{{ end }}{{ $a | toJson }}", "too large", 1),
        ('{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toYaml $d }}', "too large", 1),
        ('{{ "a" | repeat 99999999 }}', "too long", 1),
        ('{{ regexMatch "(a+)+$" "aaaa" }}', "not tried", 1),
    ],
)  # fmt: skip
def test_what_fails_says_where(text: str, words: str, line: int) -> None:
    with pytest.raises(InputError, match=words) as caught:
        printed(text)
    assert caught.value.code == "template-go"
    assert caught.value.position == f"line {line}"


def test_a_template_that_prints_too_much_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_template, "TEMPLATE_MAX_OUTPUT", 100)
    with pytest.raises(InputError, match="more than 100 characters"):
        printed("{{ range until 9 }}" + 20 * "a" + "{{ end }}")


def test_each_line_knows_whence_it_comes() -> None:
    text = 'a: 1\n{{- if true }}\nb:\n{{ range list 1 2 }}\n- c{{ . }}\n{{- end }}\n{{- end }}\nd:\n  {{- dict "e" 1 "f" 2 | toYaml | nindent 2 }}\nz: 3\n'
    templates = Templates(functions())
    templates.parse("t", text)
    out, lines = templates.run("t", {})
    by_text = {line.strip(): number for line, number in zip(out.split("\n"), lines, strict=True)}
    assert out == "a: 1\nb:\n\n- c1\n- c2\nd:\n  e: 1\n  f: 2\nz: 3\n"
    assert {key: by_text[key] for key in ("a: 1", "b:", "- c1", "- c2", "d:", "e: 1", "f: 2", "z: 3")} == {
        "a: 1": 1,
        "b:": 3,
        "- c1": 5,
        "- c2": 5,
        "d:": 8,
        "e: 1": 9,
        "f: 2": 9,
        "z: 3": 10,
    }


def test_values_are_shown_as_go_shows_them() -> None:
    assert [shown(one) for one in (None, True, 1.5, 3.0, [1, None], {"b": [True]})] == [
        "", "true", "1.5", "3", "[1 ]", "map[b:[true]]"
    ]  # fmt: skip
