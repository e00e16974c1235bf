"""A lineage as text, JSON and SVG. The picture stands alone: no script, and no colour without a word."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

from assaymark.core.words import counted
from assaymark.policy.lineage import LinkState
from assaymark.service.lineage import name_in
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    from assaymark.policy.lineage import Ancestor, Lineage, Link
    from assaymark.service.lineage import LineageView
    from assaymark.ui.report.style import Style

LINEAGE_SCHEMA: Final = "assaymark:lineage/v1"
_SHOWN_DIGEST: Final = 19  # sha256: and twelve digits: enough to tell subjects apart in a picture

# Geometry, in pixels.
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN, _TITLE = 250, 66, 130, 26, 24, 66
_TEXT_MAX: Final = 30
_FILL: Final = {"model": "#e8f0fe", "dataset": "#e6f4ea", "configuration": "#fef7e0"}
_STROKE: Final = {"model": "#1a56b0", "dataset": "#137333", "configuration": "#8a5a00"}
_OTHER: Final = ("#f1f3f4", "#3c4043")
_BAD: Final = "#b3261e"
_INK: Final = "#1f1f1f"
_GREY: Final = "#5f6368"
# One arrow head a colour: not every viewer knows context-stroke.
_MARKERS: Final = (
    "<defs>"
    + "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
        for name, colour in (("good", _GREY), ("bad", _BAD))
    )
    + "</defs>"
)


def lineage_document(view: LineageView) -> dict[str, Any]:
    """The contract of ``lineage show`` and of ``lineage`` in ``verify``: docs/spec/output.md."""
    reason = view.reason
    return {
        "schema": LINEAGE_SCHEMA,
        "subject": view.subject.digest,
        "name": view.subject.name,
        "holds": reason.met,
        "message": reason.message,
        "remedy": reason.remedy,
        "ancestors": [
            {
                "digest": item.digest,
                "name": item.name,
                "kind": item.kind,
                "depth": item.depth,
                "first": item.digest in view.lineage.origins,
                "statements": view.evidence.get(item.digest, {}),
            }
            for item in view.lineage.ancestors
        ],
        "links": [_link_document(link) for link in view.lineage.links],
    }


def _link_document(link: Link) -> dict[str, Any]:
    return {
        "child": link.child,
        "parent": link.parent,
        "name": link.name,
        "kind": link.kind,
        "operation": link.operation,
        "build_type": link.build_type,
        "entry": link.position,
        "signers": list(link.signers),
        "state": str(link.state),
        "message": link.message,
    }


def lineage_text(view: LineageView, style: Style) -> str:
    """Whether the lineage holds, the tree, and what to do."""
    reason = view.reason
    mark = style("holds", "green", "bold") if reason.met else style("does not hold", "red", "bold")
    lines = [f"The lineage of {printable(view.subject.name)} {mark}: {printable(reason.message)}", ""]
    lines += tree_lines(view, style)
    if reason.remedy:
        lines += ["", style("To change this:", "bold"), f"  {printable(reason.remedy)}"]
    return "\n".join(lines)


def tree_lines(view: LineageView, style: Style) -> list[str]:
    """The tree from the subject up to its first ancestors; what was shown above is named again, and not followed."""
    parents: dict[str, list[Link]] = {}
    for link in view.lineage.links:
        parents.setdefault(link.child, []).append(link)
    nodes = {item.digest: item for item in view.lineage.ancestors}
    root = view.lineage.ancestors[0]
    lines = [_node_line(root, view, style)]
    shown = {root.digest}
    stack = [(link, "", last) for link, last in _last_first(parents.get(root.digest, []))]
    while stack:
        link, indent, last = stack.pop()
        line = f"{indent}{'└─' if last else '├─'} {_link_words(link, style)}"
        node = nodes.get(link.parent) if link.state is LinkState.HOLDS else None
        if node is not None:
            line += f" {_node_line(node, view, style)}"
            if node.digest in shown:
                line += style("  (above)", "dim")
            else:
                shown.add(node.digest)
                inner = indent + ("   " if last else "│  ")
                stack += [(below, inner, end) for below, end in _last_first(parents.get(node.digest, []))]
        lines.append(line)
    return lines


def _last_first(links: list[Link]) -> list[tuple[Link, bool]]:
    return [(link, number == 0) for number, link in enumerate(reversed(links))]


def _node_line(node: Ancestor, view: LineageView, style: Style) -> str:
    first = ", a first ancestor" if node.digest in view.lineage.origins and node.depth else ""
    name = style(printable(node.name or "without a name"), "bold")
    return f"{name} ({node.kind}{first}) {style(node.digest[:_SHOWN_DIGEST], 'dim')}"


def _link_words(link: Link, style: Style) -> str:
    how = printable(link.operation or "derived") + " from"
    if link.state is LinkState.HOLDS:
        by = f", entry {link.position} by {', '.join(link.signers)}"
        return f"{how}{style(by, 'dim')}:"
    name = printable(link.name or link.parent[:_SHOWN_DIGEST] or "?")
    return f"{how} {style(name, 'bold')} {style(str(link.state).upper(), 'red', 'bold')}: {printable(link.message)}"


def lineage_svg(view: LineageView) -> str:
    """The lineage as a picture: the subject on the left, its first ancestors on the right, an arrow for each link."""
    boxes = _layout(view.lineage)
    columns = max(column for column, _ in boxes.values()) + 1
    ways = _ways(view.lineage, boxes)
    lowest = max([_corner(place)[1] + _HEIGHT for place in boxes.values()] + [y for way in ways for _, y in way])
    width = 2 * _MARGIN + columns * _WIDTH + (columns - 1) * _GAP_X
    height = lowest + _MARGIN
    reason = view.reason
    states = sorted({str(link.state) for link in view.lineage.broken}) or ["not known"]
    title = (
        f"Lineage of {view.subject.name}: {'every link holds' if reason.met else 'a link is ' + ' or '.join(states)}"
    )
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" font-family="system-ui, sans-serif" font-size="13">'
        ),
        f"<title>{_xml(title)}</title>",
        _MARKERS,
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        (
            f'<text x="{_MARGIN}" y="28" font-size="16" font-weight="600" fill="{_INK if reason.met else _BAD}">'
            f"{_xml(_cut(title, max(40, width // 9)))}</text>"
        ),
        (
            f'<text x="{_MARGIN}" y="48" font-size="12" fill="{_GREY if reason.met else _BAD}">'
            f"{_xml(_cut(reason.message, max(60, width // 6)))}</text>"
        ),
    ]
    parts += [_arrow(link, way) for link, way in zip(view.lineage.links, ways, strict=True)]
    parts += [_box(digest, place, view) for digest, place in boxes.items()]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _layout(lineage: Lineage) -> dict[str, tuple[int, int]]:
    """Column and row of each subject, those only named included: each right of all that were made from it."""
    columns = {item.digest: 0 for item in lineage.ancestors}
    for link in lineage.links:
        columns.setdefault(_end(link), 0)
    forward = [link for link in lineage.links if link.state is not LinkState.BROKEN or not link.parent]
    for _ in range(len(columns)):  # the longest way from the subject; what closes a circle was left out
        moved = [
            (_end(link), columns[link.child] + 1) for link in forward if columns[_end(link)] <= columns[link.child]
        ]
        if not moved:
            break
        for digest, column in moved:
            columns[digest] = max(columns[digest], column)
    for link in lineage.links:
        if columns[_end(link)] == 0 and _end(link) != lineage.ancestors[0].digest:
            columns[_end(link)] = columns[link.child] + 1
    rows: dict[int, int] = {}
    places = {}
    for digest, column in columns.items():
        places[digest] = (column, rows.get(column, 0))
        rows[column] = rows.get(column, 0) + 1
    return places


def _ways(lineage: Lineage, boxes: dict[str, tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The points that each link passes: out of a box, through a free row of each column between, into a box.

    Several links of one box leave and enter it at places of their own.
    """
    rows: dict[int, int] = {}
    for column, row in boxes.values():
        rows[column] = max(rows.get(column, 0), row + 1)
    leaving = [link.child for link in lineage.links]
    entering = [_end(link) for link in lineage.links]
    ways = []
    for number, link in enumerate(lineage.links):
        (from_column, _), (to_column, _) = boxes[link.child], boxes[_end(link)]
        x1, y1 = _corner(boxes[link.child])
        x2, y2 = _corner(boxes[_end(link)])
        way = [(x1 + _WIDTH, y1 + _port(leaving, number))]
        for column in range(from_column + 1, to_column):
            x, y = _corner((column, rows[column]))
            rows[column] += 1
            way += [(x, y + _HEIGHT // 2), (x + _WIDTH, y + _HEIGHT // 2)]
        if to_column <= from_column:
            way[0] = (x1, way[0][1])
            way.append((x2 + _WIDTH, y2 + _port(entering, number)))
        else:
            way.append((x2, y2 + _port(entering, number)))
        ways.append(way)
    return ways


def _port(ends: list[str], number: int) -> int:
    """How far below a box's top its end of a link is: they are spread evenly, in the order of the links."""
    here = ends[number]
    return _HEIGHT * (ends[:number].count(here) + 1) // (ends.count(here) + 1)


def _end(link: Link) -> str:
    return link.parent or f"entry {link.position}"


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    column, row = place
    return _MARGIN + column * (_WIDTH + _GAP_X), _TITLE + row * (_HEIGHT + _GAP_Y)


def _arrow(link: Link, way: list[tuple[int, int]]) -> str:
    good = link.state is LinkState.HOLDS
    colour = _GREY if good else _BAD
    dash = "" if good else ' stroke-dasharray="6 4"'
    path = f"M{way[0][0]} {way[0][1]}"
    for (x1, y1), (x2, y2) in pairwise(way):
        bend = (x2 - x1) // 2
        path += f"C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    words = (link.operation or "derived") if good else f"{link.operation or 'derived'}: {link.state}"
    hint = link.message or f"entry {link.position} by {', '.join(link.signers)}"
    back = way[-1][0] < way[0][0]
    place = (
        f'x="{way[-1][0] + (14 if back else -14)}" y="{way[-1][1] - 5}" text-anchor="{"start" if back else "end"}"'
    )
    return (
        f"<g><title>{_xml(hint)}</title>"
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash} '
        f'marker-end="url(#{"good" if good else "bad"})"/>'
        f'<text {place} font-size="11" fill="{colour}" paint-order="stroke" stroke="#ffffff" stroke-width="4">'
        f"{_xml(_cut(words, 20))}</text></g>"
    )


def _box(digest: str, place: tuple[int, int], view: LineageView) -> str:
    x, y = _corner(place)
    node = next((item for item in view.lineage.ancestors if item.digest == digest), None)
    named = next((link for link in view.lineage.links if _end(link) == digest), None)
    kind = node.kind if node is not None else (named.kind if named is not None else "")
    fill, stroke = _FILL.get(kind, _OTHER[0]), _STROKE.get(kind, _OTHER[1])
    name = name_in(view.lineage, digest) if node is not None else (named.name if named is not None else "")
    statements = sum(view.evidence.get(digest, {}).values())
    count = counted(statements, "statement")
    first = node is not None and digest in view.lineage.origins and node.depth > 0
    third = f"{kind or 'unknown'}{', first ancestor' if first else ''}, {count}"
    if node is None:
        fill, stroke, third = "#fdecea", _BAD, str(named.state) if named is not None else "unknown"
    return (
        f"<g><title>{_xml(digest)}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="{fill}" stroke={quoteattr(stroke)} '
        'stroke-width="1.4"/>'
        f'<text x="{x + 12}" y="{y + 22}" font-weight="600" fill="{_INK}">{_xml(_cut(name or "without a name"))}'
        "</text>"
        f'<text x="{x + 12}" y="{y + 40}" font-size="11" font-family="ui-monospace, monospace" fill="#3c4043">'
        f"{_xml(digest[:_SHOWN_DIGEST])}</text>"
        f'<text x="{x + 12}" y="{y + 56}" font-size="11" fill="{stroke}">{_xml(_cut(third, 38))}</text></g>'
    )


def _cut(text: str, limit: int = _TEXT_MAX) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _xml(text: str) -> str:
    return escape(printable(text))
