"""Pictures of an assessment as SVG, made here: a path as a row of boxes, and the worst paths together in layers.

No script and no font is needed; every box and arrow has a title, and every picture a text beside it that says the
same.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import RELATIONS
from assaymark.core.graph import State
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assaymark.assess.paths.ranked import Path
    from assaymark.core.graph import Edge, Node

MAX_NODES: Final = 150
_WIDTH, _HEIGHT, _GAP, _ROW = 190, 64, 96, 92
_LINE: Final = 24  # characters of a line in a box
_MARGIN: Final = 12
_A_ROW: Final = 4  # boxes in one row of a path


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float


def path_svg(path: Path, nodes: Mapping[str, Node], number: int) -> str:
    """One attack path: a box for each node, an arrow for each step; a row holds four boxes."""
    chain = [path.source.id, *(step.target for step in path.steps)]
    boxes = {
        index: _Box(
            _MARGIN + (index % _A_ROW) * (_WIDTH + _GAP), _MARGIN + (index // _A_ROW) * (_HEIGHT + 2 * _MARGIN + 20)
        )
        for index in range(len(chain))
    }
    rows = (len(chain) - 1) // _A_ROW + 1
    width = 2 * _MARGIN + min(len(chain), _A_ROW) * (_WIDTH + _GAP) - _GAP
    height = 2 * _MARGIN + rows * (_HEIGHT + 2 * _MARGIN + 20) - 20
    parts = [_box(boxes[index], nodes[name], index in (0, len(chain) - 1)) for index, name in enumerate(chain)]
    for index, step in enumerate(path.steps):
        parts.append(_arrow(boxes[index], boxes[index + 1], step))
    title = f"Path {number}: {printable(path.source.name)} to {printable(path.target.name)}"
    return _svg(width, height, title, parts, f"p{number}")


def overview_svg(paths: Sequence[Path], nodes: Mapping[str, Node]) -> str:
    """The worst paths together, at most ``MAX_NODES`` nodes, entries on the left, what must be kept on the right."""
    edges: dict[tuple[str, str, str], Edge] = {}
    names: dict[str, None] = {}
    ends: set[str] = set()
    for path in paths:
        more = dict.fromkeys(name for step in path.steps for name in (step.source, step.target))
        if len({*names, *more}) > MAX_NODES:
            break
        names |= more
        ends |= {path.source.id, path.target.id}
        edges |= {(step.source, step.relation, step.target): step for step in path.steps}
    if not edges:
        return ""
    layers = _layers(list(names), list(edges.values()))
    boxes: dict[str, _Box] = {}
    for column, members in enumerate(layers):
        for row, name in enumerate(members):
            boxes[name] = _Box(_MARGIN + column * (_WIDTH + _GAP), _MARGIN + row * _ROW)
    width = 2 * _MARGIN + len(layers) * (_WIDTH + _GAP) - _GAP
    height = 2 * _MARGIN + max(map(len, layers)) * _ROW - (_ROW - _HEIGHT)
    parts = [_curve(boxes[edge.source], boxes[edge.target], edge) for _, edge in sorted(edges.items())]
    parts += [_box(boxes[name], nodes[name], name in ends) for name in boxes]
    return _svg(width, height, f"The {len(names)} nodes of the worst attack paths", parts, "all")


def _layers(names: list[str], edges: list[Edge]) -> list[list[str]]:
    """Columns: a node stands right of all that lead to it, as far as circles allow; rows by their neighbours."""
    before: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        before[edge.target].append(edge.source)
    column: dict[str, int] = {}

    def place(name: str, open_ones: frozenset[str]) -> int:
        if name not in column:
            inner = open_ones | {name}
            column[name] = max((place(other, inner) + 1 for other in before[name] if other not in inner), default=0)
        return column[name]

    for name in names:
        place(name, frozenset())
    layers: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
    for name in names:
        layers[column[name]].append(name)
    row: dict[str, float] = {}
    for members in layers:
        members.sort(key=lambda name: (sum(row.get(b, 0) for b in before[name]) / max(len(before[name]), 1), name))
        row |= {name: index for index, name in enumerate(members)}
    return layers


def _box(box: _Box, node: Node, end: bool) -> str:
    words = textwrap.wrap(printable(node.name), _LINE)[:2] or [""]
    lines = [
        f'<text class="kind" x="{box.x + 8}" y="{box.y + 17}">{escape(node.kind)}</text>',
        *(
            f'<text x="{box.x + 8}" y="{box.y + 36 + 17 * index}">{escape(_short(word))}</text>'
            for index, word in enumerate(words)
        ),
    ]
    mark = "end" if end else "node"
    shape = f'<rect class="{mark}" x="{box.x}" y="{box.y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
    return f"<g><title>{escape(printable(node.id))}</title>{shape}{''.join(lines)}</g>"


def _short(text: str) -> str:
    return text if len(text) <= _LINE else text[: _LINE - 1] + "…"


def _arrow(start: _Box, stop: _Box, edge: Edge) -> str:
    if stop.y > start.y:  # the next row
        middle = start.y + _HEIGHT + 14
        line = f"M{start.x + _WIDTH / 2} {start.y + _HEIGHT} V{middle} H{stop.x + _WIDTH / 2} V{stop.y - 2}"
        at = (start.x + stop.x) / 2 + _WIDTH / 2, middle - 4
    else:
        line = f"M{start.x + _WIDTH} {start.y + _HEIGHT / 2} H{stop.x - 2}"
        at = (start.x + _WIDTH + stop.x) / 2, start.y + _HEIGHT / 2 - 6
    label = f'<text class="label" x="{at[0]}" y="{at[1]}">{escape(edge.relation)}</text>'
    return _drawn(edge, line) + label


def _curve(start: _Box, stop: _Box, edge: Edge) -> str:
    x1, y1, x2, y2 = start.x + _WIDTH, start.y + _HEIGHT / 2, stop.x - 2, stop.y + _HEIGHT / 2
    bend = max(abs(x2 - x1) / 2, _GAP / 2)
    return _drawn(edge, f"M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}")


def _drawn(edge: Edge, line: str) -> str:
    style = "sure" if edge.state is State.YES else "perhaps"
    verb = RELATIONS[edge.relation].verb
    title = f"{printable(edge.source)} {verb} {printable(edge.target)}: {printable(edge.how)}"
    return f'<path class="{style}" d="{line}" marker-end="url(#head)"><title>{escape(title)}</title></path>'


def _svg(width: float, height: float, title: str, parts: Iterable[str], identifier: str) -> str:
    return (
        f'<svg role="img" aria-labelledby="{identifier}-title" viewBox="0 0 {width:g} {height:g}" width="{width:g}">'
        f'<title id="{identifier}-title">{escape(title)}</title>'
        f'<defs><marker id="head-{identifier}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>'
        f"{''.join(parts).replace('url(#head)', f'url(#head-{identifier})')}</svg>"
    )
