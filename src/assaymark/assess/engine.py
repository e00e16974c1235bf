"""``assess``: an architecture's files in, its graph, paths, reach and findings out. Pure: files and a time decide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from assaymark.assess.collectors import COLLECTORS, LINKERS
from assaymark.assess.estate.estates import Estates
from assaymark.assess.graph import Builder, Graph, States
from assaymark.assess.inputs import Inputs
from assaymark.assess.kinds import CONTROL
from assaymark.assess.paths.cuts import minimum_cut
from assaymark.assess.paths.ranked import entries, ranked_paths, targets
from assaymark.assess.reach import Reach
from assaymark.assess.rule import Seen
from assaymark.assess.rules import CHECKS
from assaymark.core.part import load_part

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from assaymark.assess.files import Reading, SourceFile
    from assaymark.assess.patch import Patch
    from assaymark.assess.paths.ranked import Ranked
    from assaymark.assess.threats import Threat
    from assaymark.core.graph import Edge, Node
    from assaymark.core.report import Finding

_CHOKES = 10  # targets for which the smallest cut is looked for


@dataclass(frozen=True, slots=True)
class Choke:
    """The fewest edges that, removed, keep every entry from ``target``; None when no cut does."""

    target: Node
    cut: tuple[Edge, ...] | None


@dataclass(frozen=True)
class Assessment:
    """What came of it. ``read``: paths of files that were understood, in whole or in part."""

    graph: Graph
    estates: Estates
    findings: tuple[Finding, ...]
    inputs: Inputs
    now: datetime

    @property
    def reading(self) -> Reading:
        """What was understood and what was not."""
        return self.inputs.reading

    @cached_property
    def states(self) -> States:
        """The graph as an attacker walks it."""
        return States(self.graph)

    @cached_property
    def ranked(self) -> Ranked:
        """The attack paths, the worst first."""
        return ranked_paths(self.states)

    @cached_property
    def reach(self) -> Reach:
        """Who can in the end do what."""
        return Reach(self.states)

    @cached_property
    def threats(self) -> tuple[Threat, ...]:
        """Which techniques of MITRE ATLAS apply to what."""
        from assaymark.assess.threats import threat_model

        return threat_model(self.states, self.estates, self.findings)

    @cached_property
    def patches(self) -> dict[Finding, tuple[Patch, ...]]:
        """What is written against each finding; file by file, since what a file is parsed into serves all of them."""
        from assaymark.assess.patches.writers import patches_for

        by_file = sorted(
            set(self.findings), key=lambda finding: (finding.locations[0].path, finding.rule, finding.name)
        )
        return {finding: patches_for(finding, self.inputs, self.estates) for finding in by_file}

    @cached_property
    def chokes(self) -> tuple[Choke, ...]:
        """Smallest cuts for the targets of the worst paths, in their order."""
        sources = {path.source.id for path in self.ranked.paths}
        starts = [self.states.number[node.id, CONTROL] for node in entries(self.states) if node.id in sources]
        held = {node.id: states for node, states in targets(self.states)}
        worst = dict.fromkeys(path.target.id for path in self.ranked.paths)
        return tuple(
            Choke(
                self.graph.nodes[target],
                minimum_cut(self.states, [start for start in starts if start not in held[target]], held[target]),
            )
            for target in list(worst)[:_CHOKES]
        )


def collect(files: Iterable[SourceFile]) -> tuple[Inputs, Estates]:
    """What the files say, before anything is linked or judged."""
    inputs = Inputs(files)
    estates = Estates()
    for collector in COLLECTORS:
        load_part(collector)(inputs, estates)
    return inputs, estates


def assess(files: Iterable[SourceFile], now: datetime) -> Assessment:
    """Reads, links, searches and judges. ``now`` is what conditions on dates are held against."""
    inputs, estates = collect(files)
    builder = Builder()
    for linker in LINKERS:
        load_part(linker)(estates, builder, inputs.reading, now)
    graph = builder.graph()
    seen = Seen(inputs, estates, graph, now)
    # Of two nodes that are one thing, as overlays and releases make it, the same is said once.
    apart = sorted({f" of {one.cluster}" for one in estates.kubernetes.objects.values() if one.cluster}, key=len)
    said: dict[object, Finding] = {}
    for finding in (finding for check in CHECKS for finding in check(seen)):
        message = finding.message
        for label in reversed(apart):
            message = message.replace(label, "")
        said.setdefault((finding.rule, message, finding.locations), finding)
    found = list(said.values())
    found.sort(key=lambda finding: (-finding.severity, finding.rule, finding.name, finding.locations[0].path))
    return Assessment(graph, estates, tuple(found), inputs, now)
