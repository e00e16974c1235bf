"""An assessment as one HTML page: paths first. It needs no script, no network and no style but its own; it prints."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Final

from assaymark.assess.fingerprints import finding_fingerprint, path_fingerprint
from assaymark.assess.kinds import RELATIONS
from assaymark.assess.paths.closure import bits
from assaymark.assess.rules import RULES
from assaymark.assess.threats import TACTICS
from assaymark.core.graph import State
from assaymark.core.report import Severity
from assaymark.core.words import counted as count
from assaymark.ui.report.assessment_fixes import fixes_html, patches_html
from assaymark.ui.report.assessment_svg import overview_svg, path_svg
from assaymark.ui.report.assessment_text import (
    cut_lines,
    measures_lines,
    name,
    no_path_words,
    places,
    worst_paths,
)
from assaymark.ui.report.fixes import fix
from assaymark.ui.report.style import Style, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assaymark.assess.engine import Assessment
    from assaymark.assess.measures import Measures
    from assaymark.assess.paths.ranked import Path
    from assaymark.assess.rewrite import Rewrite
    from assaymark.core.graph import Node
    from assaymark.core.report import Finding
    from assaymark.service.assess_review import Standing

PATHS: Final = 25  # that are drawn; all are in the JSON
_ROWS, _COLUMNS = 40, 24  # of the matrix
_FINDINGS: Final = 500
_CUTS: Final = 10  # steps of one cut that are shown
_NARROW: Final = 28  # characters of a name in the matrix
_LETTERS: Final = {"read": "r", "write": "w", "permissions": "p", "invoke": "i", "decrypt": "d"}
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2327; --soft: #50575e; --line: #d3d8de; --back: #fff; --box: #f4f6f8;
  --end: #fdecea; --bad: #b3261e; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a9b1ba; --line: #3a424b; --back: #15191d;
  --box: #20262c; --end: #3b2120; --bad: #ff8a80; --warn: #f0bf6a; } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 76rem;
  margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; border-top: 1px solid var(--line);
padding-top: 1rem; } h3 { font-size: 1.05rem; margin: 1.75rem 0 .25rem; overflow-wrap: anywhere; } p, li {
max-width: 60rem; } .soft { color: var(--soft); } code { font-size: .9em; overflow-wrap: anywhere; } table {
border-collapse: collapse; width: 100%; font-size: .95rem; } th, td { text-align: left; vertical-align: top;
  padding: .4rem .5rem; border-top: 1px solid var(--line); overflow-wrap: anywhere; } .wide { overflow-x: auto; }
td ul { padding-left: 1.1rem; margin: 0; } .matrix td, .matrix th { padding: .15rem .35rem; font-size: .8rem;
overflow-wrap: normal; } .matrix td { text-align: center; font-family:
monospace; } .severity { font-weight: 700; font-size: .8rem; border: 1px solid currentColor; border-radius: .25rem;
padding: 0 .35rem;
  white-space: nowrap; } .critical, .high { color: var(--bad); } .medium { color: var(--warn); }
svg { max-width: 100%; height: auto; font: 13px system-ui, sans-serif; } svg text { fill: var(--ink); } svg .kind {
font-size: 11px; fill: var(--soft); } svg .label { font-size: 11px; text-anchor: middle; fill: var(--soft); } svg
rect { fill: var(--box); stroke: var(--line); stroke-width: 1.5; } svg rect.end { fill: var(--end); stroke:
var(--bad); } svg path { fill: none; stroke: var(--soft); stroke-width: 1.6; } svg path.perhaps { stroke-dasharray:
5 4; } svg path.head { fill: var(--soft); stroke: none; } pre { background: var(--box); padding: .75rem; overflow-x:
auto; font-size: .85rem; } nav ul { columns: 2; padding-left: 1.2rem; } a { color: inherit; } pre ins {
text-decoration: none; font-weight: 600; } pre del { opacity: .75; } @media print { body { max-width: none; margin: 0;
} pre { white-space: pre-wrap; overflow-wrap: anywhere; } .wide { overflow: visible;
} h2 { break-before: auto; } .path, tr { break-inside: avoid; } nav { display: none; } }
"""


def assessment_page(
    found: Assessment,
    title: str,
    how: Standing,
    before: Assessment | None = None,
    measures: Measures | None = None,
    fixes: Sequence[Rewrite] = (),
) -> str:
    """The page. ``title`` names what was assessed; ``before`` and ``measures``: what it is compared with."""
    return "".join(_page(found, title, how, before, measures, fixes))


def _page(
    found: Assessment,
    title: str,
    how: Standing,
    before: Assessment | None,
    measures: Measures | None,
    fixes: Sequence[Rewrite],
) -> Iterator[str]:
    shown = worst_paths(tuple(path for path in found.ranked.paths if how.counts(path_fingerprint(path))), PATHS)
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Assessment of {escape(printable(title))}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Assessment of {escape(printable(title))}</h1>"
    )
    yield from _summary(found)
    yield _contents()
    yield '<h2 id="paths">Attack paths</h2>'
    if not shown:
        yield f"<p>{escape(no_path_words(found))}</p>"
    for number, path in enumerate(shown, 1):
        yield from _path(number, path, found)
    if found.ranked.pairs > len(shown):
        yield (
            f'<p class="soft">{found.ranked.pairs} pairs of entry and target are connected; paths that end as one'
            " above does, or go on from where it ends, are not drawn again.</p>"
        )
    yield from _together(found)
    yield from _chokes(found)
    yield '<h2 id="matrix">Who reaches what</h2>'
    if before is not None and measures is not None:
        yield from _measures(measures)
        yield "<h3>Before</h3>"
        yield from _matrix(before)
        yield "<h3>After</h3>"
    yield from _matrix(found)
    yield from _findings(found.findings, how)
    yield from patches_html(found)
    yield fixes_html(list(fixes))
    yield from _threats(found)
    yield from _unread(found)
    yield "</main></body></html>\n"


def _summary(found: Assessment) -> Iterator[str]:
    paths = Counter(path.severity for path in found.ranked.paths)
    findings = Counter(finding.severity for finding in found.findings)
    skipped = len({one.path for one in found.reading.skipped})
    yield (
        f"<p>{count(found.ranked.pairs, 'attack path')} and {count(len(found.findings), 'finding')}, from "
        f"{count(len(found.reading.read), 'file')} that were read: {count(len(found.graph.nodes), 'node')}, "
        f"{count(len(found.graph.edges), 'edge')}. {count(skipped, 'file')} could not be read in whole.</p>"
        '<table><thead><tr><th scope="col"></th>'
        + "".join(f'<th scope="col">{severity.name.lower()}</th>' for severity in reversed(Severity))
        + "</tr></thead><tbody>"
    )
    for word, counts in (("paths", paths), ("findings", findings)):
        cells = "".join(f"<td>{counts[severity]}</td>" for severity in reversed(Severity))
        yield f'<tr><th scope="row">{word}</th>{cells}</tr>'
    when = f"{found.now:%Y-%m-%d %H:%M} UTC"
    yield f'</tbody></table><p class="soft">Graph <code>{found.graph.digest()}</code>, taken {when}.</p>'


def _contents() -> str:
    links = [
        ("paths", "Attack paths"),
        ("together", "The worst paths together"),
        ("chokes", "Choke points"),
        ("matrix", "Who reaches what"),
        ("findings", "Findings"),
        ("patches", "Patches"),
        ("threats", "Threat model"),
        ("unread", "What was not read"),
    ]
    items = "".join(f'<li><a href="#{anchor}">{text}</a></li>' for anchor, text in links)
    return f'<nav aria-label="Contents"><ul>{items}</ul></nav>'


def _path(number: int, path: Path, found: Assessment) -> Iterator[str]:
    nodes = found.graph.nodes
    doubt = "" if path.state is State.YES else ' <span class="soft">not certain</span>'
    yield (
        f'<section class="path" id="path-{number}"><h3>{_badge(path.severity)} {number}. '
        f"{escape(name(path.source))} to {escape(name(path.target))}{doubt}</h3>"
    )
    if path.crosses:
        yield f'<p class="soft">Crosses: {escape("; ".join(map(printable, path.crosses)))}</p>'
    yield path_svg(path, nodes, number)
    yield "<ol>"
    for step in path.steps:
        words = f"{name(nodes[step.source])} {RELATIONS[step.relation].verb} {name(nodes[step.target])}"
        yield (
            f"<li>{escape(printable(words))}: {escape(printable(step.how))}."
            f' <span class="soft"><code>{escape(places(step.because))}</code></span></li>'
        )
    yield "</ol>"
    if path.decides:
        items = "".join(f"<li>{escape(printable(text))}</li>" for text in path.decides)
        yield f"<p>It holds if all of this does, which the input does not show:</p><ul>{items}</ul>"
    yield "</section>"


def _badge(severity: Severity) -> str:
    return f'<span class="severity {severity.name.lower()}">{severity.name.lower()}</span>'


def _together(found: Assessment) -> Iterator[str]:
    yield '<h2 id="together">The worst paths together</h2>'
    picture = overview_svg(found.ranked.paths, found.graph.nodes)
    yield f'<div class="wide">{picture}</div>' if picture else "<p>There is none.</p>"
    if picture:
        yield '<p class="soft">Dashed arrows depend on what the input does not show. Above, paths stand in words.</p>'


def _chokes(found: Assessment) -> Iterator[str]:
    yield (
        '<h2 id="chokes">Choke points</h2><p>The fewest steps without which nothing leads to a target any more,'
        " however an attacker begins.</p>"
    )
    cuts = [choke for choke in found.chokes if choke.cut]
    if not cuts:
        yield "<p>There is none.</p>"
        return
    yield '<table><thead><tr><th scope="col">target</th><th scope="col">steps to remove</th></tr></thead><tbody>'
    for choke in cuts:
        lines = cut_lines(choke.cut or (), dict(found.graph.nodes))
        steps = "".join(
            f'<li>{escape(words)} <span class="soft"><code>{escape(where)}</code></span></li>'
            for words, where in lines[:_CUTS]
        )
        rest = len(lines) - _CUTS
        more = f'<li class="soft">and {rest} more</li>' if rest > 0 else ""
        yield f'<tr><th scope="row">{escape(name(choke.target))}</th><td><ul>{steps}{more}</ul></td></tr>'
    yield "</tbody></table>"


def _matrix(found: Assessment) -> Iterator[str]:
    """Who reaches what in the end, the widest rows and columns."""
    yield (
        "<p>In the end, by any walk: <b>r</b> read, <b>w</b> write,"
        " <b>p</b> change permissions, <b>i</b> call, <b>d</b> decrypt; in brackets what is not certain.</p>"
    )
    reach = found.reach
    rows = sorted(reach.rows.items(), key=lambda item: (-item[1][1].bit_count(), item[0]))[:_ROWS]
    rows = [row for row in rows if row[1][1]]
    uses: Counter[str] = Counter()
    for _, (_, possible) in rows:
        uses.update(reach.columns[index][1] for index in bits(possible))
    columns = [resource for resource, _ in sorted(uses.items(), key=lambda item: (-item[1], item[0]))[:_COLUMNS]]
    if not columns:
        yield "<p>No principal reaches a resource.</p>"
        return
    nodes = found.graph.nodes
    head = "".join(f'<th scope="col">{escape(_narrow(nodes[one]))}</th>' for one in columns)
    yield f'<div class="wide"><table class="matrix"><thead><tr><td></td>{head}</tr></thead><tbody>'
    for principal, (certain, possible) in rows:
        cells: dict[str, str] = {}
        for index in bits(possible):
            action, resource = reach.columns[index]
            letter = _LETTERS.get(action, "?")
            cells[resource] = cells.get(resource, "") + (letter if certain >> index & 1 else f"({letter})")
        line = "".join(f"<td>{cells.get(one, '')}</td>" for one in columns)
        yield f'<tr><th scope="row">{escape(_narrow(nodes[principal]))}</th>{line}</tr>'
    yield "</tbody></table></div>"
    if len(reach.rows) > len(rows) or len(uses) > len(columns):
        sizes = f"{count(len(reach.rows), 'principal')} and {count(len(uses), 'resource')}"
        yield f'<p class="soft">{sizes} in all; the JSON has each.</p>'


def _measures(measures: Measures) -> Iterator[str]:
    lines = "".join(f"<li>{escape(line.strip())}</li>" for line in measures_lines(measures, Style()) if line)
    yield f"<ul>{lines}</ul>"


def _narrow(node: Node) -> str:
    text = printable(node.name)
    return text if len(text) <= _NARROW else text[: _NARROW - 1] + "…"


def _findings(findings: tuple[Finding, ...], how: Standing) -> Iterator[str]:
    yield '<h2 id="findings">Findings</h2>'
    if not findings:
        yield "<p>There is none.</p>"
        return
    yield (
        '<table><thead><tr><th scope="col">severity</th><th scope="col">what and where</th>'
        '<th scope="col">what to do</th></tr></thead><tbody>'
    )
    for finding in findings[:_FINDINGS]:
        where = ", ".join(printable(f"{place.path}:{place.line}") for place in finding.locations[:4])
        refs = ", ".join(RULES[finding.rule].refs)
        mark = finding_fingerprint(finding)
        review = how.accepted.get(mark)
        decided = f"<br><b>accepted</b>: {escape(printable(review.reason))}" if review else ""
        yield (
            f"<tr><td>{_badge(finding.severity)}</td><td>{escape(printable(finding.message))}<br>"
            f'<code>{escape(where)}</code><br><span class="soft">{escape(finding.rule)}: {escape(refs)}</span>'
            f"{decided}</td>"
            f"<td>{escape(fix(finding.rule))}</td></tr>"
        )
    yield "</tbody></table>"
    yield from _more(len(findings))


def _more(there: int) -> Iterator[str]:
    """What a table leaves out."""
    if there > _FINDINGS:
        yield f"<p>{there - _FINDINGS} more stand in the JSON.</p>"


def _threats(found: Assessment) -> Iterator[str]:
    """Open threats and those that an unknown condition decides; of the rest how many there are."""
    threats = found.threats
    shown = [threat for threat in threats if threat.open or threat.perhaps]
    closed = sum(not (threat.open or threat.perhaps) for threat in threats)
    yield (
        '<h2 id="threats">Threat model</h2><p>For each component the techniques of MITRE ATLAS that apply to it.'
        " One is open when somebody from outside, or a tenant, reaches the component as it needs, or a rule"
        f" found it. {count(closed, 'technique')} on components stand closed: nobody reaches them.</p>"
    )
    if not shown:
        return
    yield (
        '<table><thead><tr><th scope="col">component</th><th scope="col">technique</th><th scope="col">tactics</th>'
        '<th scope="col">open to</th><th scope="col">controls that were seen</th></tr></thead><tbody>'
    )
    for threat in shown[:_FINDINGS]:
        tactics = ", ".join(TACTICS[one] for one in threat.technique.tactics)
        who = [*threat.by[:5], *(f"perhaps {one}" for one in threat.perhaps[:3]), *threat.findings[:4]]
        seen = "".join(
            f"<li>{escape(printable(one.text))} <code>{escape(places(one.because, 1))}</code></li>"
            for one in threat.controls[:5]
        )
        yield (
            f'<tr><th scope="row">{escape(name(threat.component))}</th><td>{threat.technique.id}'
            f" {escape(threat.technique.name)}</td><td>{escape(tactics)}</td>"
            f"<td>{escape(', '.join(map(printable, who)))}</td><td>{f'<ul>{seen}</ul>' if seen else 'none'}</td></tr>"
        )
    yield "</tbody></table>"
    yield from _more(len(shown))


def _unread(found: Assessment) -> Iterator[str]:
    yield '<h2 id="unread">What was not read</h2>'
    if found.reading.skipped:
        yield '<table><thead><tr><th scope="col">path</th><th scope="col">why</th></tr></thead><tbody>'
        for item in found.reading.skipped[:_FINDINGS]:
            path, reason = escape(printable(item.path)), escape(printable(item.reason))
            yield f"<tr><td><code>{path}</code></td><td>{reason}</td></tr>"
        yield "</tbody></table>"
        yield from _more(len(found.reading.skipped))
    else:
        yield "<p>Every file that an assessment knows was read.</p>"
    if found.reading.gaps:
        items = "".join(f"<li>{escape(printable(text))}</li>" for text in found.reading.gaps)
        yield f"<h3>What the input cannot show, and what was taken instead</h3><ul>{items}</ul>"
