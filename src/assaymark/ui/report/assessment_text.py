"""An assessment for people: the worst paths in words, then what to cut, then counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from assaymark.assess.fingerprints import finding_fingerprint, path_fingerprint
from assaymark.assess.kinds import RELATIONS
from assaymark.assess.rules import RULES
from assaymark.core.graph import State
from assaymark.core.report import Severity
from assaymark.core.times import format_time
from assaymark.core.words import counted as count
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.engine import Assessment
    from assaymark.assess.measures import Measures
    from assaymark.assess.paths.isolation import Isolation
    from assaymark.assess.paths.ranked import Path
    from assaymark.core.graph import Because, Edge, Node
    from assaymark.core.report import Finding
    from assaymark.service.assess_review import Standing
    from assaymark.ui.report.style import Style

WORST: Final = 5
_FINDINGS: Final = 30  # shown; the rest is counted
_SKIPPED: Final = 10
_COLOURS: Final = {
    Severity.CRITICAL: ("bold", "red"),
    Severity.HIGH: ("red",),
    Severity.MEDIUM: ("yellow",),
    Severity.LOW: ("cyan",),
    Severity.INFO: ("dim",),
}


def assessment_text(found: Assessment, style: Style, how: Standing, measures: Measures | None = None) -> str:
    """The summary of ``assess``."""
    return "\n".join(_lines(found, style, how, measures)) + "\n"


def _lines(found: Assessment, style: Style, how: Standing, measures: Measures | None) -> Iterator[str]:
    nodes = found.graph.nodes
    paths = worst_paths(tuple(path for path in found.ranked.paths if how.counts(path_fingerprint(path))))
    for number, path in enumerate(paths, 1):
        yield from _path(number, path, nodes_of(found), style)
    if not paths:
        yield no_path_words(found)
        yield ""
    yield from _chokes(found, style)
    yield from _findings([one for one in found.findings if how.counts(finding_fingerprint(one))], style)
    yield from _decided(found, how, style)
    if measures is not None:
        yield from measures_lines(measures, style)
    yield from _skipped(found, style)
    severities = Counter(path.severity for path in found.ranked.paths)
    yield (
        f"{count(found.ranked.pairs, 'path')}{_by_severity(severities)}, "
        f"{count(len(found.findings), 'finding')}"
        f"{_by_severity(Counter(finding.severity for finding in found.findings))}; "
        f"{count(len(nodes), 'node')} and {count(len(found.graph.edges), 'edge')} from "
        f"{count(len(found.reading.read), 'file')}, {len(found.reading.skipped)} skipped"
    )


def _by_severity(counts: Counter[Severity]) -> str:
    parts = [f"{counts[severity]} {severity.name.lower()}" for severity in reversed(Severity) if counts[severity]]
    return f" ({', '.join(parts)})" if parts else ""


def nodes_of(found: Assessment) -> dict[str, Node]:
    """Nodes by id."""
    return dict(found.graph.nodes)


def no_path_words(found: Assessment) -> str:
    """Why no path is shown: all are accepted or known, there is none, or too little was read to say so."""
    if found.ranked.paths:
        return "No attack path that is new and not accepted."
    if not found.reading.read:
        return "Nothing was read, so nothing is known of attack paths."
    where = " in what was read" if found.reading.skipped else ""
    return (
        f"No attack path{where}: nothing that a stranger, a workload or a principal holds leads to what must be kept."
    )


def worst_paths(paths: tuple[Path, ...], limit: int = WORST) -> list[Path]:
    """The worst ones that differ.

    A path adds nothing whose last steps are those of one that is shown already, or that goes on from where such a one
    ends: who administers an account has what is in it.
    """
    shown: list[Path] = []
    ends: set[tuple[str, ...]] = set()
    reached: set[tuple[str, str]] = set()
    for path in paths:
        end = tuple(f"{step.source} {step.relation} {step.target}" for step in path.steps[-2:])
        goes_on = any((path.source.id, step.source) in reached for step in path.steps)
        reached.add((path.source.id, path.target.id))
        if end in ends or goes_on:
            continue
        ends.add(end)
        shown.append(path)
        if len(shown) == limit:
            break
    return shown


def _path(number: int, path: Path, nodes: dict[str, Node], style: Style) -> Iterator[str]:
    title = f"{number}. {name(path.source)} to {name(path.target)}"
    doubt = "" if path.state is State.YES else "  (not certain)"
    yield f"{style(path.severity.name, *_COLOURS[path.severity])} {style(title, 'bold')}{doubt}"
    if path.crosses:
        yield style(f"   crosses: {'; '.join(printable(text) for text in path.crosses)}", "dim")
    for step in path.steps:
        yield f"   - {printable(sentence(step, nodes))}"
        yield style(f"       {places(step.because)}", "dim")
    for text in path.decides:
        yield f"   ? it depends on: {printable(text)}"
    yield ""


def sentence(step: Edge, nodes: dict[str, Node]) -> str:
    """``who verb what: how``."""
    relation = RELATIONS[step.relation]
    return f"{name(nodes[step.source])} {relation.verb} {name(nodes[step.target])}: {step.how}"


def name(node: Node) -> str:
    """What a person calls it."""
    known = node.name.startswith((node.kind, "the ", "any "))
    return printable(node.name if known else f"{node.kind} {node.name}")


def places(because: tuple[Because, ...], limit: int = 4) -> str:
    """``file:line`` of each, the first few."""
    shown = ", ".join(printable(f"{place.path}:{place.line}") for place in because[:limit])
    return shown + (f" and {len(because) - limit} more" if len(because) > limit else "")


def _chokes(found: Assessment, style: Style) -> Iterator[str]:
    cuts = [choke for choke in found.chokes if choke.cut]
    if not cuts:
        return
    nodes = nodes_of(found)
    yield style("Choke points: without these steps nothing leads there any more", "bold")
    for choke in cuts:
        yield f"   {name(choke.target)}: {count(len(choke.cut or ()), 'step')}"
        lines = cut_lines(choke.cut or (), nodes)
        for words, where in lines[:WORST]:
            yield f"     - {words}  {where}"
        if len(lines) > WORST:
            yield f"     - and {len(lines) - WORST} more"
    yield ""


def cut_lines(cut: tuple[Edge, ...], nodes: dict[str, Node]) -> list[tuple[str, str]]:
    """The steps of a cut in words, those between two things as one, and where they are written."""
    between: dict[tuple[str, str], list[Edge]] = {}
    for edge in cut:
        between.setdefault((edge.source, edge.target), []).append(edge)
    lines = []
    for (source, target), edges in between.items():
        verbs = ", ".join(dict.fromkeys(RELATIONS[edge.relation].verb for edge in edges))
        where = places(tuple(dict.fromkeys(place for edge in edges for place in edge.because)), 2)
        lines.append((f"{name(nodes[source])} {verbs} {name(nodes[target])}", where))
    return lines


def _findings(findings: list[Finding], style: Style) -> Iterator[str]:
    for finding in findings[:_FINDINGS]:
        label = style(finding.severity.name.lower(), *_COLOURS[finding.severity])
        yield f"{label} {finding.rule}: {printable(finding.message)}"
        where = ", ".join(printable(f"{place.path}:{place.line}") for place in finding.locations[:3])
        yield style(f"   {where}  [{', '.join(RULES[finding.rule].refs)}]", "dim")
    if len(findings) > _FINDINGS:
        yield f"... and {count(len(findings) - _FINDINGS, 'finding')} more (--format json has all)"
    if findings:
        yield ""


def _decided(found: Assessment, how: Standing, style: Style) -> Iterator[str]:
    """What is accepted, what was said to be fixed, and what went since the last time."""
    titles = {finding_fingerprint(one): one.message for one in found.findings}
    titles |= {path_fingerprint(one): f"{one.source.id} to {one.target.id}" for one in found.ranked.paths}
    if how.accepted:
        yield style("Accepted", "bold")
        for mark, review in how.accepted.items():
            until = f" until {format_time(review.until)}" if review.until else ""
            why = f"{printable(review.reason)} ({printable(review.owner)}{until})"
            yield f"   {printable(titles.get(mark, mark))}: {why}"
    for mark, review in how.claimed.items():
        who = printable(review.owner)
        yield f"{style('not fixed', 'red')}: {printable(titles.get(mark, mark))}, which {who} says is"
    if how.fixed:
        yield f"{count(len(how.fixed), 'entry of the configuration', 'entries of the configuration')} fixed: gone"
    if how.known is not None:
        known = sum(not how.counts(mark) for mark in titles) - len(how.accepted)
        yield f"{known} known from the earlier assessment, {len(how.gone)} of it gone"
    if how.accepted or how.claimed or how.fixed or how.known is not None:
        yield ""


def measures_lines(measures: Measures, style: Style) -> Iterator[str]:
    """What a change took away."""
    yield style("Access before and after, as triples of principal, action class and resource", "bold")
    yield f"   {measures.before} to {measures.after}: {_share(measures.raw_reduction)} less"
    if measures.needed:
        left = f"{measures.excess_before} to {measures.excess_after}"
        yield f"   without the {measures.needed} needed: {left}, {_share(measures.excess_reduction)} less"
    yield f"   across boundaries: {measures.cross_boundary_before} to {measures.cross_boundary_after}"
    if measures.new:
        crossing = f", {measures.cross_boundary_new} of them across boundaries" if measures.cross_boundary_new else ""
        yield f"   not counted above, since the principal or the resource is new: {measures.new}{crossing}"
    for who, action, what in measures.lost:
        yield f"   {style('lost', 'bold', 'red')}: {printable(who)} needs to {action} {printable(what)}"
    yield ""


def _share(value: float | None) -> str:
    return "nothing" if value is None else f"{100 * value:.1f} %"


def _skipped(found: Assessment, style: Style) -> Iterator[str]:
    skipped = found.reading.skipped
    if skipped:
        yield style("Not read, so nothing is said about it:", "bold")
        for item in skipped[:_SKIPPED]:
            yield f"   {printable(item.path)}: {printable(item.reason)}"
        if len(skipped) > _SKIPPED:
            yield f"   ... and {len(skipped) - _SKIPPED} more"
    if found.reading.gaps:
        yield style("What the input cannot show:", "bold")
        for text in found.reading.gaps:
            yield f"   {printable(text)}"
    if skipped or found.reading.gaps:
        yield ""


def isolation_text(answer: Isolation, found: Assessment, style: Style) -> str:
    """The closed set in numbers, or the walk."""
    nodes = nodes_of(found)
    source, target = name(nodes[answer.source]), name(nodes[answer.target])
    if answer.state is State.YES:
        held = len({node for node, _ in answer.closed})
        return (
            f"{style('isolated', 'bold', 'green')}: nothing leads from {source} to {target}.\n"
            f"Who controls {source} can hold {count(held, 'node')} in all, and no edge leaves that set"
            " (--format json prints it).\n"
        )
    word = style("not isolated", "bold", "red") if answer.state is State.NO else style("unknown", "bold", "yellow")
    lines = [f"{word}: {source} to {target}"]
    for step in answer.walk:
        lines += [f"   - {printable(sentence(step, nodes))}", style(f"       {places(step.because)}", "dim")]
    lines += [f"   ? it depends on: {printable(text)}" for text in answer.decides]
    if answer.closed:
        lines.append("nothing of what was read leads there (--format json prints the closed set)")
    return "\n".join(lines) + "\n"
