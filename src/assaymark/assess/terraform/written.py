"""``Written``: a Terraform file as somebody wrote it, whose blocks are found by line and changed in place."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assaymark.assess.edits import Text, text_of_file
from assaymark.core.errors import InputError
from assaymark.formats.hcl.parser import parse_hcl_spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.files import SourceFile
    from assaymark.formats.hcl.parser import Spans
    from assaymark.formats.hcl.tree import Block, Body, Expression


_META: Final = re.compile(
    r"[ \t]*(?:count|for_each|provider)[ \t]*=[^\n{(\[]*\n"
)  # stand at a block's head, by custom


class Written:
    """A file's blocks by the line that each begins on, inner ones too, and where all values stand."""

    def __init__(self, text: Text, body: Body, spans: Spans) -> None:
        self.text = text
        self.body = body
        self.spans = spans
        self.blocks: dict[int, Block] = {}
        self.parents: dict[int, Block] = {}  # by the identity of the inner block
        pending = list(body.blocks)
        while pending:
            block = pending.pop()
            self.blocks.setdefault(block.line, block)
            for inner in block.body.blocks:
                self.parents[id(inner)] = block
            pending += block.body.blocks

    def source(self, value: Expression) -> str:
        """A value as it is written."""
        start, end = self.spans[id(value)]
        return self.text.text[start:end]

    def last_line(self, block: Block) -> int:
        """The line of a block's closing brace."""
        return self.text.line_at(self.spans[id(block.body)][1])

    def owner(self, line: int) -> Block | None:
        """The outermost block that a line is part of."""
        return next((one for one in self.body.blocks if one.line <= line <= self.last_line(one)), None)

    def set(self, block: Block, path: str, value: str) -> tuple[int, int, str] | None:
        """The change that gives an attribute (``a``, ``inner.a``) a value; None where it is not plain how to."""
        name, _, rest = path.partition(".")
        if rest:
            inner = [one for one in block.body.blocks if one.kind == name]
            if len(inner) == 1:
                return self.set(inner[0], rest, value)
            if inner or "." in rest or any(_dynamic(one, name) for one in block.body.blocks):
                return None
            return self.added(block, [f"{name} {{", f"  {rest} = {value}", "}"])
        if name in block.body.attributes:
            return (*self.spans[id(block.body.attributes[name])], value)
        return self.added(block, [f"{name} = {value}"])

    def added(self, block: Block, lines: list[str]) -> tuple[int, int, str] | None:
        """The change that adds lines at a block's head; None where something is on its first line."""
        start, end = self.spans[id(block.body)]
        indent = self.text.indent(block.line)
        if self.text.text[start:end].strip() == "" and "\n" not in self.text.text[start:end]:
            return start, end, "".join(f"\n{indent}  {line}" for line in lines) + f"\n{indent}"
        at = self.text.text.find("\n", start)
        head = self.text.text[start:at].strip()
        if at < 0 or at >= end or (head and not head.startswith(("#", "//"))):
            return None
        while match := _META.match(self.text.text, at + 1, end):
            at = match.end() - 1
        if len(lines) == 1:  # as the line below has its sign of equality
            name, _, rest = lines[0].partition(" = ")
            match = re.match(r"[ \t]*([\w-]+ *)= ", self.text.text[at + 1 : end])
            if match and len(match[1]) - 1 >= len(name):
                lines = [f"{name.ljust(len(match[1]) - 1)} = {rest}"]
        return at + 1, at + 1, "".join(f"{indent}  {line}\n" for line in lines)


def _dynamic(block: Block, name: str) -> bool:
    return block.kind == "dynamic" and name in block.labels


@lru_cache(maxsize=64)  # findings come file by file, and patches of one may be in several
def written(file: SourceFile) -> Written | None:
    """A Terraform file as it is written; None for one that is none or cannot be read."""
    if not file.path.lower().endswith((".tf", ".tofu")):
        return None
    text = text_of_file(file)
    try:
        body, spans = parse_hcl_spans(text.text)
    except InputError:
        return None
    return Written(text, body, spans)


def expressions(body: Body) -> Iterator[Expression]:
    """All values of a body and of the blocks in it, not what is within them."""
    pending = [body]
    while pending:
        one = pending.pop()
        yield from one.attributes.values()
        pending += [inner.body for inner in one.blocks]
