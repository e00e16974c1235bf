"""``body_of_json``: Terraform's JSON syntax (``*.tf.json``) as the tree that its native syntax gives.

Source: Terraform documentation, "JSON Configuration Syntax": blocks are objects by type and labels, one or a list of
them; texts are templates; what a ``variable`` has as its default is not. Whether a nested object is a block or a
value only a provider's schema tells: it is a value here, which who asks for blocks takes for one too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.hcl.parser import parse_template
from assaymark.formats.hcl.tree import Attribute, Block, Body, Literal, Name, Object, Template, Tuple
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from assaymark.formats.hcl.tree import Expression

_LABELS: Final = {
    "resource": 2,
    "data": 2,
    "module": 1,
    "variable": 1,
    "output": 1,
    "provider": 1,
    "locals": 0,
}
_NOTES: Final = "//"  # a property that is a comment
_REFERENCES: Final = ("provider", "type")  # of resources and variables: written without the marks of a template


def body_of_json(value: Map) -> Body:
    """The body of a file.

    Raises:
        InputError: ``hcl-syntax`` with the line.
    """
    found = Body()
    for kind, item in value.items():
        if kind in _LABELS:
            found.blocks += _blocks(kind, (), item, value.at(kind), _LABELS[kind])
    return found


def values_of_json(value: Map) -> Body:
    """The values of variables of a ``*.tfvars.json``: texts are as they are."""
    found = Body()
    for name, item in value.items():
        found.attributes[name] = _expression(item, value.at(name), plain=True)
        found.lines[name] = value.at(name)
    return found


def _blocks(kind: str, labels: tuple[str, ...], value: Any, line: int, missing: int) -> list[Block]:
    """The blocks of a type below the labels that are known so far."""
    if isinstance(value, Seq):
        some = [_blocks(kind, labels, item, value.at(index), missing) for index, item in enumerate(value)]
        return [block for blocks in some for block in blocks]
    if not isinstance(value, Map):
        raise InputError("hcl-syntax", f"{kind} is no object", position=f"line {line}")
    if not missing:
        return [Block(kind, labels, _body(kind, value), value.line or line)]
    inner = [(label, item) for label, item in value.items() if label != _NOTES]
    return [
        block
        for label, item in inner
        for block in _blocks(kind, (*labels, label), item, value.at(label), missing - 1)
    ]


def _body(kind: str, value: Map) -> Body:
    found = Body()
    for name, item in value.items():
        if name == _NOTES:
            continue
        line = value.at(name)
        plain = kind == "variable" or (name in ("source", "version") and kind == "module")
        if name in _REFERENCES and isinstance(item, str) and "${" not in item:
            found.attributes[name] = _traversal(item, line)
        else:
            found.attributes[name] = _expression(item, line, plain=plain)
        found.lines[name] = line
    return found


def _traversal(text: str, line: int) -> Expression:
    first, *rest = text.split(".")
    found: Expression = Name(first, line)
    for name in rest:
        found = Attribute(found, name, line)
    return found


def _expression(value: Any, line: int, *, plain: bool) -> Expression:
    if isinstance(value, Map):
        items = [(key, item) for key, item in value.items() if key != _NOTES]
        return Object(
            tuple(
                (Literal(key, value.at(key)), _expression(item, value.at(key), plain=plain)) for key, item in items
            ),
            value.line or line,
        )
    if isinstance(value, Seq):
        parts = (_expression(item, value.at(index), plain=plain) for index, item in enumerate(value))
        return Tuple(tuple(parts), value.line or line)
    if isinstance(value, str) and not plain and ("${" in value or "%{" in value):
        found = parse_template(value, line)
        alone = isinstance(found, Template) and len(found.parts) == 1 and not isinstance(found.parts[0], Literal)
        return found.parts[0] if isinstance(found, Template) and alone else found
    return Literal(value, line)
