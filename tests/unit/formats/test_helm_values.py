"""What charts are given, numbers, versions and patterns, held against what Helm 3.17 makes of the same."""

from __future__ import annotations

import pytest

from assaymark.core.errors import InputError
from assaymark.formats.helm.chart import render_chart
from assaymark.formats.helm.functions import functions
from assaymark.formats.helm.patterns import matches, pattern
from assaymark.formats.helm.templates import Templates
from assaymark.formats.helm.versions import satisfies
from assaymark.formats.located_yaml import read_located_yaml

_DEPENDS = "name: a\ndependencies:\n- {name: sub}\n- {name: sub, alias: other}\n"
_GIVEN = "sub: {enabled: false, replicas: 0, gone: null, list: [], text: '', m: {b: 2}}\nglobal: {f: false}\n"
_USUAL = "enabled: true\nreplicas: 3\ngone: here\nlist: [1]\ntext: hi\nm: {a: 1}\nn: null\nglobal: {f: true, z: 1}\n"


def test_what_a_parent_gives_stands_and_each_alias_is_a_chart() -> None:
    files = {
        "Chart.yaml": _DEPENDS,
        "values.yaml": _GIVEN,
        "charts/sub/Chart.yaml": "name: sub\n",
        "charts/sub/values.yaml": _USUAL,
        "charts/sub/templates/x.yaml": "name: {{ .Chart.Name }}\nv: {{ toJson .Values }}\n",
    }
    rendered = render_chart(files, "").rendered["charts/sub/templates/x.yaml"]
    first, second = read_located_yaml(rendered.text)
    assert first == {
        "name": "sub",
        "v": {
            "enabled": False, "replicas": 0, "list": [], "text": "", "m": {"a": 1, "b": 2}, "global": {"f": False, "z": 1},
        },
    }  # fmt: skip
    assert (second["name"], second["v"]["enabled"], second["v"]["global"]["f"]) == ("other", True, False)
    assert len(rendered.lines) == len(rendered.text.split("\n"))
    assert rendered.lines[rendered.text.split("\n").index("name: other")] == 1


@pytest.mark.parametrize("name", ["tags", "dependencies"])
def test_what_is_no_list_is_none(name: str) -> None:
    more = "dependencies: 5\n" if name == "dependencies" else "dependencies: [{name: sub, tags: 5}]\n"
    assert render_chart({"Chart.yaml": f"name: a\n{more}", "templates/a.yaml": "a: 1\n"}, "").rendered


def test_charts_in_circles_and_ever_more_charts_end() -> None:
    own = "".join(f"- {{name: c, alias: a{at}, repository: 'file://.'}}\n" for at in range(20))
    assert (
        "c that it depends on"
        in render_chart({"Chart.yaml": f"name: c\ndependencies:\n{own}"}, "").failed["Chart.yaml"]
    )
    files = {
        f"c{depth}/Chart.yaml": f"name: c{depth}\ndependencies:\n"
        + "".join(
            f"- {{name: c{depth + 1}, alias: a{at}, repository: 'file://../c{depth + 1}'}}\n" for at in range(20)
        )
        for depth in range(5)
    }
    with pytest.raises(InputError, match="more than 300 charts"):
        render_chart(files, "c0/")


def test_a_template_of_many_brackets_is_said_and_the_rest_is_there() -> None:
    deep = "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}"
    found = render_chart({"Chart.yaml": "name: a", "templates/a.yaml": deep, "templates/b.yaml": "b: 1"}, "")
    assert found.failed == {"templates/a.yaml": "it nests too deep (line 1)"}
    assert list(found.rendered) == ["templates/b.yaml"]


@pytest.mark.parametrize(
    ("written", "printed", "as_json"),
    [("1000000", "1e+06", "1000000"), ("123456789012", "1.23456789012e+11", "123456789012"), ("999999", "999999", "999999"),
     ("1.5", "1.5", "1.5"), ("0.00001", "1e-05", "1e-05"), ("-5", "-5", "-5"), ("0", "0", "0")],
)  # fmt: skip
def test_numbers_print_as_floating_ones(written: str, printed: str, as_json: str) -> None:
    text = "a: '{{ .Values.n }} {{ toJson .Values.n }} {{ toYaml .Values.n }} {{ int .Values.n }}'\n"
    files = {"Chart.yaml": "name: a", "values.yaml": f"n: {written}\n", "templates/a.yaml": text}
    [value] = read_located_yaml(render_chart(files, "").rendered["templates/a.yaml"].text)
    assert value["a"].split() == [printed, as_json, as_json, str(int(float(written)))]


@pytest.mark.parametrize(
    ("constraint", "version", "holds"),
    [(">=1.20-0", "v1.34.0", True), ("^1.2.0", "1.9.0", True), ("~1.2", "1.3.0", False), ("1.x", "1.3.0", True),
     (">=1.2.3-alpha", "1.2.3-beta", True), (">1.2", "1.2.5", False), ("^0.2.3", "0.3.0", False),
     ("^0.2.3", "0.2.9", True), (">=1.0.0", "1.2.0-rc1", False), ("1.2 - 1.4", "1.3.0", True), ("*", "3.0.0", True),
     ("<=1.2", "1.2.9", True), ("!=1.2.x", "1.2.3", False), (">=1.19-0 <1.22-0", "1.22.0", False),
     ("<1.14-0 || >=1.30-0", "1.34.0", True), ("=1.2.3", "1.2.3", True), ("1.2.3", "1.2.4", False)],
)  # fmt: skip
def test_constraints_on_versions(constraint: str, version: str, holds: bool) -> None:
    assert satisfies(constraint, version) is holds


def test_no_constraint_is_refused() -> None:
    with pytest.raises(InputError):
        satisfies("newest", "1.0.0")


@pytest.mark.parametrize(
    ("text", "size"),
    [("(a|a?)+$", 40), ("^(([a-z])+.)+[A-Z]([a-z])+$", 60), ("^(a|b|ab)*c$", 120), ("(x|y|xy){1,50}z", 9000),
     ("a*a*a*a*a*a*a*c", 3000), ("a**", 1), ("[[:alpha:]]", 1), ("a?" * 40, 40)],
)  # fmt: skip
def test_patterns_that_could_take_forever_are_not_tried(text: str, size: int) -> None:
    with pytest.raises(InputError):
        pattern(text, "a" * size)


@pytest.mark.parametrize(
    ("text", "searched"),
    [("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "my-name"), ("[^a-zA-Z0-9]+", "-" * 2000), (r"^v?\d+\.\d+(?:-\w+)?$", "v1.2-x"),
     ("^(foo|bar)$", "bar"), ("a+?", "aa"), (r"(\d{4})-(\d{2})", "2001-02")],
)  # fmt: skip
def test_usual_patterns_are(text: str, searched: str) -> None:
    assert pattern(text, searched).search(searched)


def test_functions_that_charts_use() -> None:
    known = functions()
    assert [known["seq"](*given) for given in ((5,), (2, 4), (1, 2, 5), (3, 1), (1, 0, 5))] == [
        "1 2 3 4 5", "2 3 4", "1 3 5", "3 2 1", "",
    ]  # fmt: skip
    assert known["regexSplit"]("z", "pizza", -1) == ["pi", "", "a"]
    assert known["regexSplit"]("z", "pizza", 2) == ["pi", "za"]
    assert known["regexFindAll"]("[a-z]", "a1b", -1) == ["a", "b"]
    assert known["chunk"](2, [1, 2, 3]) == [[1, 2], [3]]
    assert known["abbrev"](5, "hello world") == "he..."
    assert list(known["fromYaml"]("a: [")) == ["Error"]
    assert known["print"]("a", 1, 2, "b") == "a1 2b"


@pytest.mark.parametrize(
    ("glob", "path", "found"),
    [("files/*", "files/a.txt", True), ("files/*", "files/sub/b.txt", False), ("files/**", "files/sub/b.txt", True),
     ("files/{a,z}.txt", "files/a.txt", True), ("files/?.t[!a]t", "files/a.txt", True), ("a.b", "aXb", False),
     ("a,b", "a,b", True)],
)  # fmt: skip
def test_patterns_of_files(glob: str, path: str, found: bool) -> None:
    assert matches(glob, path) is found


def test_a_value_takes_no_second_argument_for_blanks() -> None:
    templates = Templates(functions())
    templates.parse("t", "{{ toYaml 1 9007199254740993 }}")
    with pytest.raises(InputError, match="refuses what it is given"):
        templates.run("t", {})
