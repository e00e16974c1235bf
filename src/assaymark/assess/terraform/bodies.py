"""Bodies of blocks: their attributes and inner blocks as values, and the providers that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assaymark.assess.terraform.evaluate import Within, evaluate
from assaymark.assess.unresolved import Unresolved
from assaymark.core.limits import TERRAFORM_MAX_INSTANCES
from assaymark.formats.hcl.tree import Attribute, Literal, Name
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from assaymark.formats.hcl.tree import Block, Body, Expression


def map_of(line: int, **entries: Any) -> Map:
    """A mapping of one line."""
    found = Map(line)
    for key, value in entries.items():
        found.put(key, value, line)
    return found


def provider_named(expression: Expression | None) -> str:
    """The provider that an expression names: ``aws``, ``aws.production``; ``aws.?`` and its like for any other."""
    if isinstance(expression, Literal):
        return str(expression.value)
    if isinstance(expression, Name):
        return expression.name
    if isinstance(expression, Attribute) and isinstance(expression.of, Name):
        return f"{expression.of.name}.{expression.name}"
    inner = getattr(expression, "of", None)
    return f"{provider_named(inner).partition('.')[0]}.?" if inner is not None else ""


def body_map(body: Body, scope: Any, line: int) -> Map:
    """The attributes and blocks of a body; a block is a ``Seq`` of all of its kind."""
    found = Map(line)
    for name, expression in body.attributes.items():
        found.put(name, evaluate(expression, scope), body.lines[name])
    for kind, values in blocks_of(body, scope).items():
        inner = Seq(values[0].line if values else line)
        for value in values:
            inner.put(value, value.line)
        found.put(kind, inner, inner.line)
    return found


def blocks_of(body: Body, scope: Any) -> dict[str, list[Map]]:
    """The blocks of a body by kind, dynamic ones unfolded."""
    found: dict[str, list[Map]] = {}
    for block in body.blocks:
        if block.kind == "dynamic" and block.labels:
            found.setdefault(block.labels[0], []).extend(_dynamic(block, scope))
        else:
            found.setdefault(block.kind, []).append(body_map(block.body, scope, block.line))
    return found


def _dynamic(block: Block, scope: Any) -> list[Map]:
    content = next((inner for inner in block.body.blocks if inner.kind == "content"), None)
    each = block.body.attributes.get("for_each")
    if content is None or each is None:
        return []
    iterator = block.body.attributes.get("iterator")
    label = iterator.name if isinstance(iterator, Name) else block.labels[0]
    over = evaluate(each, scope)
    if hasattr(over, "every"):
        over = over.every()
    if isinstance(over, Map):
        pairs: list[tuple[Any, Any]] = list(over.items())
    elif isinstance(over, Seq):
        pairs = list(enumerate(over))
    else:
        pairs = [(Unresolved("${" + f"{label}.key" + "}"), Unresolved("${" + f"{label}.value" + "}"))]
    return [
        body_map(content.body, Within(scope, {label: map_of(block.line, key=key, value=value)}), content.line)
        for key, value in pairs[:TERRAFORM_MAX_INSTANCES]
    ]
