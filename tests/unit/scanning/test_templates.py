"""Chat templates: ordinary ones pass, whatever leads out of the values does not, however it is spelt."""

from __future__ import annotations

import pytest
from tests.support.chat_templates import ORDINARY

from assaymark.core.report import ScanOutcome, Severity
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

ESCAPES = r"""
{{ ''.__class__.__mro__[1].__subclasses__() }}
{{ lipsum.__globals__.os.popen('id').read() }}
{{ cycler.__init__.__globals__.os.popen('id').read() }}
{{ ''['__cla' ~ 'ss__'] }}
{{ ''["\x5f\x5fclass\x5f\x5f"] }}
{{ ''['__cla' 'ss__'] }}
{{ ''|attr('__class__') }}
{{ ''|attr(['_','_','class']|join) }}
{% set a='__class__' %}{{ x[a] }}
{% set a %}__class__{% endset %}{{ x[a] }}
{% set a='_'*2 ~ 'class' %}{{ x[a] }}
{% set a='x__class__'[1:] %}{{ x[a] }}
{% set a='emarf_ig'[::-1] %}{{ x[a] }}
{% set a='emarf_ig'|reverse %}{{ x[a] }}
{% set a='_x_xcxlxaxsxsx_x_'[::2] %}{{ x[a] }}
{{ x[dict(__class__=1)|first] }}
{{ x[('_','_','class')|join] }}
{{ x['%c%cclass'|format(95, 95)] }}
{{ self._TemplateReference__context }}
{{ "{0.__class__}".format(x) }}
{% set f="{0.__class__}" %}{{ f.format(x) }}
{{ x.format_map(y) }}
{{ x|map('attr','__class__')|list }}
{{ x|map(attribute='__class__')|list }}
{{ x|map(a)|list }}
{{ x|sort(attribute=a~b) }}
{{ x|groupby('__class__') }}
{{ (messages|select).gi_frame.f_builtins }}
{{ x['gi_frame'] }}
{% import x as y %}
{{ messages[0]['content']() }}
{{ (x or y)() }}
{{ x[bos_token] }}
{% macro m() %}__class__{% endmacro %}{{ x[m()] }}
{% macro m(k) %}{{ x[k] }}{% endmacro %}{{ m('__class__') }}
{% macro m(k) %}{{ x[k] }}{% endmacro %}{{ m(k='__class__') }}
{% macro m(k='__class__') %}{{ x[k] }}{% endmacro %}{{ m() }}
{% macro m(k) %}{{ x[k] }}{% endmacro %}{{ m(*['__class__']) }}
{% macro m() %}{{ x[varargs[0]] }}{% endmacro %}{{ m('__class__') }}
{% macro m() %}{{ x[kwargs['a']] }}{% endmacro %}{{ m(a='__class__') }}
{% macro m() %}{{ caller('__class__') }}{% endmacro %}{% call(k) m() %}{{ x[k] }}{% endcall %}
{% set loop={'index':'__class__'} %}{{ x[loop.index] }}
{% set a=[] %}{% set b=a %}{{ b.append('__class__') }}{{ x[a[0]] }}
{% for k in ['__class__'] %}{{ x[k] }}{% endfor %}
{% set ns = namespace(k='__class__') %}{{ x[ns.k] }}
{% set ns = namespace(k='__class__') %}{{ x[[ns]|map(attribute='k')|first] }}
{{ x[messages|string|list|first] }}
{{ x['y'|int('__class__')] }}
{{ x[(date_string + '__class__')[11:]] }}
{% call lipsum() %}{% endcall %}
{{ raise_exception.__globals__ }}
{% set __class__ = 1 %}
{{ x['for' 'mat']('y') }}
{{ __import__('os') }}
{% if false %}{% else %}{% with a=1 %}{{ a.__class__ }}{% endwith %}{% endif %}
{% filter attr('__class__') %}{% endfilter %}
{{ x if y else z.__class__ }}
{{ {'a': [(1, x.__class__)]} }}
""".strip().splitlines()

REFUSED = r"""
{% include 'other.txt' %}
{{ foo() }}
{{ x|xyz }}
{{ x is xyz }}
{{ x.fetch() }}
{{ config.items() }}
{% set range = x %}{{ range(1) }}
{% set ns = namespace(items=x) %}{{ ns.items() }}
{% debug %}
{{ unclosed
{% if %}
{% trans %}x{% endtrans %}
""".strip().splitlines()


def report(text: str, name: str = "chat_template.jinja"):
    return examine(BytesView(text.encode()), name)


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_template_passes(name):
    assert report(ORDINARY[name]).findings == ()
    assert report(ORDINARY[name]).outcome() is ScanOutcome.PASS


@pytest.mark.parametrize("template", ESCAPES)
def test_what_leads_out_is_critical(template):
    found = report(template).findings
    assert max(finding.severity for finding in found) is Severity.CRITICAL
    assert "template-escape" in {finding.rule for finding in found}


@pytest.mark.parametrize("template", REFUSED)
def test_what_is_not_known_is_refused(template):
    assert report(template).outcome() is ScanOutcome.FAIL


def test_a_finding_says_its_line():
    (finding,) = report("a\nb\n{{ x.__class__ }}").findings
    assert finding.locations[0].line == 3
    assert "line 3" in finding.message


@pytest.mark.parametrize(
    "template",
    [
        "{{ '{} of {1}'.format(a, b) }}",
        "{% for _ in range(3) %}x{% endfor %}",
        "{{ '%s' % x }}",
        "{% do x.append(1) %}",
    ],
)
def test_what_only_looks_dangerous_passes(template):
    assert report(template).outcome() is ScanOutcome.PASS


def test_nesting_ends_in_a_refusal_not_in_a_crash():
    for text in (
        "{{ " + "(" * 5000 + "}}",
        "{% if a %}" * 5000,
        "{{ " + "a." * 5000 + "a }}",
        "{{ " + "a+" * 5000 + "a }}",
    ):
        assert report(text).findings[0].rule == "template-unreadable"
