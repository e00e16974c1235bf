"""Fuzz target: the reader of Jinja templates, and the judge of what it reads."""

import contextlib

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.jinja.parser import parse_template
from assaymark.scanning.examine import examine

SEEDS = (
    b"{%- for m in messages[1:] if m.role == 'user' recursive -%}{{ loop.index0 % 2 ~ m['content']|trim }}{% endfor %}",
    b"{% macro m(a, b=1) %}{{ caller(a) }}{% endmacro %}{% call(x) m(1, *y, **z) %}{{ x.y[0].z }}{% endcall %}",
    b"{% set ns = namespace(a={'b': [1, 2.5e3]}) %}{% set ns.a %}text{% endset %}{{ a if b is not none else c }}",
    b"{% raw %}{{ x }}{% endraw %}{# comment #}{{ '\\x5f' \"b\" }}{% with a=1, b=2 %}{% break %}{% endwith %}",
)


def fuzz(data: bytes) -> None:
    """A tree or an InputError; a report in any case."""
    with contextlib.suppress(InputError):
        parse_template(data.decode("utf-8", "replace"))
    examine(BytesView(data), "chat_template.jinja")
