"""Draw the pictures of the documentation.

Usage: python docs/make.py (or `make docs`)

One picture for now: how a model goes from a folder to a decision that anyone can check. The script is the source;
the SVG is committed beside it, so that the README shows it, and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

PICTURES = Path(__file__).parent / "pictures"
FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
INK, PALE, LINE, BLUE, GREEN, RED, PAPER = (
    "#1b1f24",
    "#57606a",
    "#8c959f",
    "#0b5cad",
    "#14692d",
    "#b3261e",
    "#ffffff",
)


@dataclass(frozen=True)
class Box:
    """A station: its place in the picture, a title, lines below it, and its colour."""

    x: int
    y: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...]
    colour: str = BLUE

    @property
    def middle(self) -> int:
        """The height of its middle."""
        return self.y + self.height // 2


def flow() -> str:
    """The picture of the flow, as SVG."""
    top, height, width, gap = 64, 112, 168, 40
    x = [24 + i * (width + gap) for i in range(5)]
    stations = [
        Box(
            x[0],
            top,
            width,
            height,
            "model folder",
            ("weights, settings,", "hidden files too:", "one content digest"),
            PALE,
        ),
        Box(
            x[1], top, width, height, "submit", ("copied while hashed", "the copy is scanned", "nothing is executed")
        ),
        Box(
            x[2],
            top,
            width,
            height,
            "statements",
            ("record, scan, release,", "approvals by people,", "each signed"),
        ),
        Box(x[3], top, width, height, "decide", ("a pure function of", "policy, statements,", "request and time")),
        Box(
            x[4], top, width, height, "PERMIT", ("with a receipt, for", "a limited time;", "or DENY, and why"), GREEN
        ),
    ]
    log = Box(
        x[1],
        236,
        x[3] + width - x[1],
        74,
        "the log",
        ("append-only Merkle tree: every fact and every decision, with proofs",),
        INK,
    )
    verify = Box(
        x[4],
        236,
        width,
        112,
        "anyone verifies",
        ("from one offline file", "and a pinned digest;", "no trust in us"),
        GREEN,
    )
    contain = Box(x[0], 236, width, 112, "contain", ("a signed alarm:", "every later decision", "is DENY"), RED)
    parts = [arrow(a.x + a.width, a.middle, b.x, b.middle) for a, b in pairwise(stations)]
    parts += [
        arrow(station.x + station.width // 2, top + height, station.x + station.width // 2, log.y)
        for station in stations[1:3]
    ]
    decide = stations[3].x + stations[3].width // 2
    parts += [
        arrow(decide - 24, log.y, decide - 24, top + height),
        arrow(decide + 24, top + height, decide + 24, log.y),
        arrow(contain.x + contain.width, log.middle, log.x, log.middle, RED),
        arrow(log.x + log.width, log.middle, verify.x, log.middle, GREEN),
        arrow(verify.x + width // 2, top + height, verify.x + width // 2, verify.y, GREEN),
    ]
    parts += [draw(box) for box in (*stations, log, verify, contain)]
    return svg(x[4] + width + 24, 372, "How a model becomes a decision that anyone can check", parts)


def svg(width: int, height: int, title: str, parts: list[str]) -> str:
    """A whole picture: readable on light and dark pages, with a title for those who do not see it."""
    heads = "".join(
        f'<marker id="head-{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for colour in (LINE, GREEN, RED)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="title" font-family="{FONT}">\n'
        f'<title id="title">{escape(title)}</title>\n<defs>{heads}</defs>\n'
        f'<rect width="{width}" height="{height}" rx="10" fill="#f6f8fa"/>\n'
        f'<text x="24" y="38" font-size="17" font-weight="600" fill="{INK}">{escape(title)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def draw(box: Box) -> str:
    """One station."""
    lines = "".join(
        f'<text x="{box.x + 14}" y="{box.y + 52 + 19 * i}" font-size="13.5" fill="{PALE}">{escape(line)}</text>'
        for i, line in enumerate(box.lines)
    )
    return (
        f'<g><rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="8" fill="{PAPER}" '
        f'stroke="{box.colour}" stroke-width="1.5"/>'
        f'<text x="{box.x + 14}" y="{box.y + 28}" font-size="15.5" font-weight="600" fill="{box.colour}">'
        f"{escape(box.title)}</text>{lines}</g>"
    )


def arrow(x1: int, y1: int, x2: int, y2: int, colour: str = LINE) -> str:
    """An arrow from one point to another."""
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="1.6" '
        f'marker-end="url(#head-{colour[1:]})"/>'
    )


def main() -> None:
    """Write every picture."""
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "flow.svg").write_text(flow())
    print(PICTURES / "flow.svg")


if __name__ == "__main__":
    main()
