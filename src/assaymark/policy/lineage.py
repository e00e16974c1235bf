"""The ancestors of a subject, folded from provenance statements: from the subject to where nothing is before it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.core.limits import LINEAGE_MAX_SUBJECTS
from assaymark.core.provenance import parse_provenance
from assaymark.core.statement import CONFIGURATION, NOT_EVIDENCE, PROVENANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assaymark.core.attestation import Attestation
    from assaymark.core.provenance import Provenance
    from assaymark.core.subject import Subject


class LinkState(StrEnum):
    """How one link of a lineage stands."""

    HOLDS = "holds"
    MISSING = "missing"  # the parent is named, and nobody in the trust root says anything about it
    FORGED = "forged"  # nobody whose key counts signed the statement that claims it
    BROKEN = "broken"  # the statement cannot be read, or the lineage comes back to itself


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A subject in a lineage. ``depth`` is 0 for the subject itself, 1 for what it was made from."""

    digest: str
    name: str
    kind: str
    depth: int


@dataclass(frozen=True, slots=True)
class Link:
    """One step from a child to a parent, and the entry that claims it.

    ``parent`` is empty when the entry cannot be read; ``name`` and ``kind`` are what it calls the parent. ``signers``
    are the principals that count.
    """

    child: str
    parent: str
    name: str
    kind: str
    operation: str
    build_type: str
    position: int
    signers: tuple[str, ...]
    state: LinkState
    message: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Ancestors and links in breadth-first order, and data sets and configurations among them.

    ``ancestors[0]`` is the subject. ``origins`` are the digests of those without a parent: the first ancestors.
    """

    ancestors: tuple[Ancestor, ...]
    links: tuple[Link, ...]
    origins: tuple[str, ...]

    @property
    def broken(self) -> tuple[Link, ...]:
        """The links that do not hold, in order: the first is the nearest to the subject."""
        return tuple(link for link in self.links if link.state is not LinkState.HOLDS)


def lineage_of(subject: Subject, attestations: Iterable[Attestation]) -> Lineage:
    """The lineage that ``attestations`` (of the subject and of its ancestors, verified) tell.

    A provenance statement that nobody whose key counts signed claims nothing where another one holds: whoever may
    append must not break a lineage by that. Where it is the only one, its link is forged. An ancestor of which
    nobody says anything is missing. The order of ``attestations`` does not matter.

    Raises:
        InputError: ``lineage-limit`` above ``LINEAGE_MAX_SUBJECTS`` ancestors.
    """
    about = _by_subject(attestations)
    nodes = {subject.digest: Ancestor(subject.digest, subject.name, subject.kind, 0)}
    links: list[Link] = []
    origins: list[str] = []
    queue = deque([subject.digest])
    while queue:
        child = queue.popleft()
        found = _links_of(child, about)
        if not found:
            origins.append(child)
        for link in found:
            links.append(link)
            if link.state is not LinkState.HOLDS or link.parent in nodes:
                continue
            if len(nodes) >= LINEAGE_MAX_SUBJECTS:
                raise InputError(
                    "lineage-limit", f"more than {LINEAGE_MAX_SUBJECTS} ancestors", source=subject.digest
                )
            nodes[link.parent] = Ancestor(link.parent, link.name, link.kind, nodes[child].depth + 1)
            queue.append(link.parent)
    return Lineage(tuple(nodes.values()), _cycles(links), tuple(origins))


def parents_named(attestations: Iterable[Attestation]) -> set[str]:
    """The digests of every parent that any provenance among ``attestations`` names, whoever signed it."""
    named: set[str] = set()
    for item in attestations:
        provenance = _read(item)
        if provenance is not None:
            named.update(material.digest for material in provenance.parents)
    return named


def configurations_bound(digest: str, attestations: Iterable[Attestation]) -> set[str]:
    """The digests of the configurations that any statement binds to the model ``digest``, whoever signed it."""
    return {
        subject.digest
        for item in attestations
        if item.statement.predicate_type == CONFIGURATION and item.statement.subjects[0].digest == digest
        for subject in item.statement.subjects[1:]
    }


def _by_subject(attestations: Iterable[Attestation]) -> dict[str, list[Attestation]]:
    about: dict[str, list[Attestation]] = {}
    for item in sorted(attestations, key=lambda item: item.position):
        if item.statement.predicate_type in NOT_EVIDENCE:
            continue
        for digest in {subject.digest for subject in item.statement.subjects}:
            about.setdefault(digest, []).append(item)
    return about


def _links_of(child: str, about: Mapping[str, list[Attestation]]) -> list[Link]:
    """The links from ``child``: all that hold or name a parent of which nothing is known; else the forged ones.

    A parent that is claimed under several kinds has a link for each.
    """
    claims = [item for item in about.get(child, ()) if item.statement.predicate_type == PROVENANCE]
    signed = [item for item in claims if item.signers]
    links: dict[tuple[str, str], Link] = {}
    for item in signed or claims:
        signers = tuple(sorted(item.principals))
        provenance = _read(item)
        if provenance is None:
            state = LinkState.BROKEN if signers else LinkState.FORGED
            message = f"entry {item.position} is no provenance that can be read"
            links.setdefault(
                (f"entry {item.position}", ""),
                Link(child, "", "", "", "", "", item.position, signers, state, message),
            )
            continue
        for parent in provenance.parents:
            state, message = LinkState.HOLDS, ""
            if not signers:
                state = LinkState.FORGED
                message = f"nobody whose key counts signed entry {item.position}, which claims it"
            elif not any(known.signers for known in about.get(parent.digest, ())):
                state = LinkState.MISSING
                message = f"entry {item.position} names it, and nobody in the trust root says anything about it"
            # By kind too: who calls a model a data set first must not make what is asked of base models pass it by.
            links.setdefault(
                (parent.digest, parent.kind),
                Link(
                    child,
                    parent.digest,
                    parent.name,
                    parent.kind,
                    provenance.operation,
                    provenance.build_type,
                    item.position,
                    signers,
                    state,
                    message,
                ),
            )
    return list(links.values())


def _cycles(links: list[Link]) -> tuple[Link, ...]:
    """The links, each that lies on a circle marked as broken: of two subjects, one was there first.

    Links that do not hold anyway close no circle: what nobody signed must not break what somebody did.
    """
    parents: dict[str, list[str]] = {}
    for link in links:
        if link.state is LinkState.HOLDS:
            parents.setdefault(link.child, []).append(link.parent)
    component = _components(parents)
    return tuple(
        replace(link, state=LinkState.BROKEN, message="the lineage comes back to itself here")
        if link.state is LinkState.HOLDS
        and component.get(link.child) is not None
        and component.get(link.child) == component.get(link.parent)
        else link
        for link in links
    )


def _components(parents: Mapping[str, list[str]]) -> dict[str, int]:
    """For each subject on a circle, the number of its strongly connected component (Tarjan, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: dict[str, int] = {}
    for root in parents:
        if root in index:
            continue
        work = [(root, iter(parents.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    members = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        members.append(member)
                        if member == node:
                            break
                    if len(members) > 1 or node in parents.get(node, ()):
                        found |= dict.fromkeys(members, index[node])
            elif following not in index:
                index[following] = low[following] = len(index)
                stack.append(following)
                on_stack.add(following)
                work.append((following, iter(parents.get(following, ()))))
            elif following in on_stack:
                low[node] = min(low[node], index[following])
    return found


def _read(item: Attestation) -> Provenance | None:
    if item.statement.predicate_type != PROVENANCE:
        return None
    try:
        return parse_provenance(item.statement)
    except InputError:
        return None
