"""``statements_of``: the statements of policies as they are written in Terraform and JSON, and changes of them.

A statement is an object of ``jsonencode``, of JSON in a heredoc or in a file of its own, or a block of an
``aws_iam_policy_document``; it is found by the line that it begins on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING

from assaymark.assess.edits import text_of_file
from assaymark.assess.terraform.written import Written as Terraform
from assaymark.assess.terraform.written import expressions, written
from assaymark.core.errors import InputError
from assaymark.formats.hcl.parser import parse_value_spans
from assaymark.formats.hcl.tree import Literal, Object, Tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.edits import Text
    from assaymark.assess.estate.aws import Statement
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.formats.hcl.parser import Spans
    from assaymark.formats.hcl.tree import Block, Expression

_HEREDOC = re.compile(r"<<-?[^\W\d][\w-]*[ \t\r]*\n")
_PLAIN = re.compile(r"[\w:./-]+")  # what needs no escape in any of these files


@dataclass(frozen=True, slots=True)
class Written:
    """A statement: ``style`` is ``block``, ``object`` (of HCL) or ``json``; ``literal`` when no Terraform reads it.

    ``elements`` by names of IAM in lower case: where the value stands, and those of the items of a list.
    """

    text: Text
    line: int
    style: str
    literal: bool
    elements: dict[str, tuple[int, int]]
    items: dict[str, list[tuple[int, int]]]
    operators: dict[str, tuple[int, int]]  # of the condition
    last: int  # where the last element ends
    one_line: bool
    whole: tuple[int, int]

    def source(self, name: str) -> list[str]:
        """The items of an element as they are written."""
        return [self.text.text[start:end] for start, end in self.items[name]]

    def variable(self, name: str) -> str:
        """A policy variable, quoted as this file takes it."""
        return f'"&{{{name}}}"' if self.style == "block" else f'"${{{name}}}"' if self.literal else f'"$${{{name}}}"'

    def quoted(self, value: str) -> str:
        """A text as this file takes it, policy variables in it too."""
        found = quoted(value)
        if self.literal:
            return found
        return found.replace("${", "&{" if self.style == "block" else "$${").replace("%{", "%%{")

    def listed(self, name: str, values: list[str]) -> tuple[int, int, str]:
        """The change that gives an element other values, which are texts as the file has them, quotes too."""
        start, end = self.elements[name]
        old = self.text.text[start:end]
        if "\n" in old and self.items[name]:  # a list over several lines stays one
            first, last = self.items[name][0][0], self.items[name][-1][1]
            between = f",\n{self.text.indent(self.text.line_at(first))}"
            return first, last, between.join(values)
        inner = ", ".join(values)
        return start, end, inner if len(values) == 1 and self.style != "block" else f"[{inner}]"

    def beside(self, action: str, operator: str, key: str, value: str) -> tuple[int, int, str] | None:
        """The change that adds a statement after this one: the same resources, one action, one condition."""
        start, end = self.whole
        text = self.text.text
        if "resource" not in self.elements:
            return None
        resource = text[slice(*self.elements["resource"])]
        if self.style == "block":
            blanks = self.text.indent(self.line)
            lines = [
                "",
                "",
                "statement {",
                f'  actions   = ["{action}"]',
                f"  resources = {resource}",
                "  condition {",
            ]
            lines += [
                f'    test     = "{operator}"',
                f'    variable = "{key}"',
                f"    values   = [{value}]",
                "  }",
                "}",
            ]
            return end, end, "\n".join(f"{blanks}{line}" if line else "" for line in lines)
        if not text[:start].rstrip().endswith(("[", ",")):
            return None  # the only statement, and no list of them
        same, mark = (": ", '"') if self.style == "json" else (" = ", "")
        parts = [("Effect", '"Allow"'), ("Action", f'"{action}"'), ("Resource", resource)]
        parts.append(("Condition", f'{{ {mark}{operator}{mark}{same}{{ "{key}"{same}{value} }} }}'))
        return end, end, ", { " + ", ".join(f"{mark}{name}{mark}{same}{text}" for name, text in parts) + " }"

    def condition(
        self, operator: str, key: str, value: str, beside: tuple[str, str] | None = None
    ) -> tuple[int, int, str] | None:
        """The change that adds a condition; None where one on this key may be there, or it is not plain where.

        ``beside``: another key and value under the same operator, but for blocks, which stand by themselves.
        """
        text = self.text.text
        keys = [key, *([beside[0]] if beside is not None else [])]
        if not all(_PLAIN.fullmatch(one) for one in keys):
            return None
        if self.style == "block":
            if self.one_line:
                return None
            blanks = self.text.indent(self.line) + "  "
            lines = ["condition {", f'  test     = "{operator}"', f'  variable = "{key}"', f"  values   = [{value}]"]
            start = self.text.start_of(self.text.line_at(self.last))
            return start, start, "".join(f"{blanks}{line}\n" for line in [*lines, "}"])
        same = ": " if self.style == "json" else " = "
        pair = f'"{key}"{same}{value}' + (f', "{beside[0]}"{same}{beside[1]}' if beside is not None else "")
        if "condition" in self.elements:
            start, end = self.elements["condition"]
            there = text[start:end].lower()
            if not there.startswith("{") or any(one.lower() in there for one in keys):
                return None
            names = {name.lower(): span for name, span in self.operators.items()}
            if operator.lower() in names:
                start, end = names[operator.lower()]
                if not text[start:end].startswith("{"):
                    return None
                new = pair
            else:
                quoted = f'"{operator}"' if self.style == "json" else operator
                new = f"{quoted}{same}{{ {pair} }}"
            empty = not text[start + 1 : end - 1].strip()
            own_line = text[start + 1 : end].lstrip(" \t").startswith("\n")
            comma = "" if empty or (own_line and self.style == "object") else ","
            blank = "\n" + self.text.indent(self.text.line_at(start)) + "  " if own_line else " "
            return start + 1, start + 1, f"{blank}{new}{comma}"
        name = '"Condition"' if self.style == "json" else "Condition"
        quoted = f'"{operator}"' if self.style == "json" else operator
        new = f"{name}{same}{{ {quoted}{same}{{ {pair} }} }}"
        if self.one_line:
            return self.last, self.last, f", {new}"
        first = min(start for start, _ in self.elements.values())
        blanks = self.text.indent(self.text.line_at(first))
        comma = "," if self.style == "json" or text[self.last :].lstrip(" \t").startswith(",") else ""
        return self.last, self.last, f"{comma}\n{blanks}{new}"


def statement_as_written(inputs: Inputs, statement: Statement) -> Written | None:
    """A statement as it is written; None where several begin on its line, or no file that people write holds it."""
    file = inputs.file(statement.because.path)
    found = statements_of(file) if file is not None else {}
    line = statement.because.line or 0
    for candidates in (found.get(line, []), found.get(line + 1, [])):  # the second: within a heredoc of a block
        same = [one for one in candidates if _same(one, statement)]
        if same:
            return same[0] if len(candidates) == 1 else None
    return None


@lru_cache(maxsize=64)  # findings come file by file, and patches of one may be in several
def statements_of(file: SourceFile) -> dict[int, list[Written]]:
    """The statements that a file writes, by line. Of exports of an account there are none: nobody applies those."""
    found: dict[int, list[Written]] = {}
    lower = file.path.lower()
    text = text_of_file(file)
    if lower.endswith(".json"):
        document, spans = _json(text.text)
        keys = {_key(key) for key, _ in document.items} if isinstance(document, Object) else set()
        if keys and keys <= {"version", "id", "statement"} and document is not None:
            for one in _objects(document, spans, text, 0, "json", literal=True):
                found.setdefault(one.line, []).append(one)
        return found
    file_written = written(file)
    for one in _of_terraform(file_written, text) if file_written is not None else ():
        found.setdefault(one.line, []).append(one)
    return found


def _of_terraform(file: Terraform, text: Text) -> Iterator[Written]:
    for block in file.blocks.values():
        parent = file.parents.get(id(block))
        if block.kind == "statement" and parent is not None and "aws_iam_policy_document" in parent.labels:
            yield _block(block, file.spans, text)
    for value in expressions(file.body):
        yield from _objects(value, file.spans, text, 0, "object", literal=False)
        for inner in _within(value):
            start, end = file.spans.get(id(inner), (0, 0))
            heredoc = _HEREDOC.match(text.text, start) if end else None
            if heredoc is not None:
                content = text.text[heredoc.end() : end]
                document, spans = _json(content[: content.rfind("\n") + 1])
                if document is not None:
                    yield from _objects(document, spans, text, heredoc.end(), "json", literal=False)


def _json(text: str) -> tuple[Expression | None, Spans]:
    """JSON as an expression of HCL, with what HCL would read in texts made plain, letter by letter."""
    plain = re.sub(r"\\.", "xx", text).replace("${", "$_").replace("%{", "%_")
    try:
        return parse_value_spans(plain)
    except InputError:
        return None, {}


def _key(key: Expression) -> str:
    return str(key.value).lower() if isinstance(key, Literal) else ""


def _within(value: Expression) -> Iterator[Expression]:
    """An expression and all in it."""
    pending: list[object] = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, tuple):
            pending += one
        elif hasattr(one, "line"):
            yield one  # type: ignore[misc]  # all parts with a line are expressions
            pending += [getattr(one, field.name) for field in fields(one)]  # type: ignore[arg-type]  # as above


def _objects(
    value: Expression, spans: Spans, text: Text, base: int, style: str, *, literal: bool
) -> Iterator[Written]:
    for one in _within(value):
        if not isinstance(one, Object) or id(one) not in spans:
            continue
        elements: dict[str, tuple[int, int]] = {}
        items: dict[str, list[tuple[int, int]]] = {}
        operators: dict[str, tuple[int, int]] = {}
        for key, inner in one.items:
            name = _key(key)
            if id(inner) not in spans:
                continue
            elements[name] = _shifted(spans, inner, base)
            several = inner.items if isinstance(inner, Tuple) else (inner,)
            items[name] = [_shifted(spans, item, base) for item in several if id(item) in spans]
            if name == "condition" and isinstance(inner, Object):
                operators = {
                    str(word.value): _shifted(spans, keys, base)
                    for word, keys in inner.items
                    if isinstance(word, Literal) and id(keys) in spans
                }
        if "effect" not in elements:
            continue
        start, end = _shifted(spans, one, base)
        line, last = text.line_at(start), max(stop for _, stop in elements.values())
        one_line = text.line_at(end - 1) == line
        colon = text.text[: elements["effect"][0]].rstrip().endswith(":")  # JSON that HCL takes too
        yield Written(
            text, line, "json" if colon else style, literal, elements, items, operators, last, one_line, (start, end)
        )


def _shifted(spans: Spans, value: Expression, base: int) -> tuple[int, int]:
    start, end = spans[id(value)]
    return start + base, end + base


def _block(block: Block, spans: Spans, text: Text) -> Written:
    elements, items = {}, {}
    for name, value in block.body.attributes.items():
        key = name.removesuffix("s").replace("_", "") if name != "sid" else name
        elements[key] = spans[id(value)]
        several = value.items if isinstance(value, Tuple) else (value,)
        items[key] = [spans[id(item)] for item in several if id(item) in spans]
    start, end = spans[id(block.body)]
    one_line = text.line_at(start) == text.line_at(end)
    whole = (text.start_of(block.line), end + 1)
    return Written(text, block.line, "block", False, elements, items, {}, end, one_line, whole)


def _same(one: Written, statement: Statement) -> bool:
    """Whether what is written is what was read, as far as it is plain."""
    for name, values in (("action", statement.actions), ("resource", statement.resources)):
        shown = one.source(name) if name in one.items else []
        if len(shown) != len(values):
            return False
        for text, value in zip(shown, values, strict=True):
            if text.startswith('"') and "${" not in text and "\\" not in text and text != quoted(value):
                return False
    return True


def quoted(value: str) -> str:
    """A text as JSON and HCL have it."""
    return json.dumps(value, ensure_ascii=False)
