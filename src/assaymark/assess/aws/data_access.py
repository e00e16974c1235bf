"""Edges from AWS principals to data, models, secrets and keys: who reads, writes, calls and decrypts what.

Things that a principal's policies treat alike, and of which nothing else decides, are looked at once for all; the
others one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assaymark.assess.aws.alike import common_state, is_about_itself, moves
from assaymark.assess.aws.answers import Reach
from assaymark.assess.aws.blocks import means_everyone, shuts_out
from assaymark.assess.aws.data import CLASSES, KNOWN, RELATION_OF, let_out, locked, node_kind
from assaymark.assess.aws.linking import Chain
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from assaymark.assess.aws.alike import Group, Groups
    from assaymark.assess.aws.answers import Answer
    from assaymark.assess.aws.inventory import Atom
    from assaymark.assess.aws.lasting import Lasting
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Identity, Resource


class _Part(NamedTuple):
    """Of some atoms those of one kind of thing, of which nothing but policies decides: ``arns``; the others."""

    kind: str
    resource: Resource
    arns: list[str]
    others: list[Atom]


def link_data(run: Linking, lasting: Lasting) -> None:
    """Draws who reads, writes, calls and decrypts what."""
    drawing = _Drawing(run, lasting)
    for who in run.principals:
        if who.arn not in run.administrators:
            drawing.of(who)


def link_data_of(run: Linking, lasting: Lasting, who: Identity) -> None:
    """Draws the same of one principal."""
    _Drawing(run, lasting).of(who)


class _Drawing:
    def __init__(self, run: Linking, lasting: Lasting) -> None:
        self._run = run
        self._lasting = lasting
        self._kinds = {arn: node_kind(resource)[0] for arn, resource in run.estate.resources.items()}
        self._parts: dict[int, list[_Part]] = {}

    def of(self, who: Identity) -> None:
        """Draws the edges of one principal."""
        alike: dict[tuple[str, str, Chain, int], list[str]] = {}
        groups = self._run.access.grouped(who.arn)
        for arns, edge in self._one_by_one(who) if groups is None else self._together(who, groups):
            alike.setdefault(edge, []).extend(arns)
        for (relation, how, chain, effort), arns in alike.items():
            self._run.fan(who.arn, arns, relation, how, lambda _, chain=chain: chain, effort)  # type: ignore[misc]

    def _one_by_one(self, who: Identity) -> Iterator[tuple[list[str], tuple[str, str, Chain, int]]]:
        reached = self._run.access.reached(who.arn, identities=False)

        def state(action: str, shown: str) -> State:
            return (
                self._run.access.can(who.arn, action, shown).state if reached.unread else reached.state(action, shown)
            )

        for found in reached.rows:
            yield from self._row(who, found, state)

    def _together(self, who: Identity, groups: Groups) -> Iterator[tuple[list[str], tuple[str, str, Chain, int]]]:
        def state(action: str, shown: str) -> State:
            return self._run.access.can(who.arn, action, shown).state

        for group in groups.items:
            for found, answer in group.rows:
                own = is_about_itself(answer, group.atoms[0])
                for part in self._partition(group.mask, group.atoms):
                    if found.action_class not in CLASSES.get(part.kind, ()):
                        continue
                    edges = None if own or not part.arns else self._alike(who, groups, group, part, found)
                    single = part.others
                    if edges is None:
                        ours = {*part.arns, *(_owner(atom) for atom in part.others)}
                        single = [atom for atom in group.atoms if _owner(atom) in ours]
                    for edge in edges or ():
                        yield part.arns, edge
                    yield from self._each(group, (found, answer), single, who, state, own=own)

    def _alike(
        self, who: Identity, groups: Groups, group: Group, part: _Part, found: Reach
    ) -> list[tuple[str, str, Chain, int]] | None:
        """The edges that are the same for all things of a part; None where they may differ."""
        action = self._known(groups.items, group, part, found)
        if action is None:
            return None
        resource = self._run.estate.resources[part.arns[0]]
        if found.action_class == "permissions" and self._lasting.binds(resource):
            bucket = resource.kind == "s3:bucket"
            masks = [
                self._run.access.level(group.mask, objects=one) if bucket else group.mask for one in (False, True)
            ]
            if not all(mask and groups.uniform(mask) for mask in masks):
                return None
        edges = list(self._gets(who, resource, found, action, Chain(found.state, found.because, found.decides)))
        named = any(resource.arn in text for _, _, chain, _ in edges for text in chain.decides)
        return None if named else edges

    def _each(
        self,
        group: Group,
        row: tuple[Reach, Answer],
        atoms: list[Atom],
        who: Identity,
        state: Callable[[str, str], State],
        *,
        own: bool,
    ) -> Iterator[tuple[list[str], tuple[str, str, Chain, int]]]:
        found, answer = row
        move = moves(answer, group.atoms[0])
        for atom in atoms:
            because, decides = found.because, found.decides
            if own:
                moved = move(atom)
                because, decides = moved.because, moved.decides
            reach = Reach(found.action_class, atom.shown, found.state, because, decides, found.action)
            yield from self._row(who, reach, state)

    def _partition(self, mask: int, atoms: Sequence[Atom]) -> list[_Part]:
        """The things of a set of atoms by their kind, and those of them apart of which more than policies decides."""
        if mask not in self._parts:
            found: dict[tuple[str, str], _Part] = {}
            for atom in atoms:
                arn = _owner(atom)
                resource = self._run.estate.resources.get(arn)
                if resource is None:
                    continue
                part = found.setdefault((self._kinds[arn], resource.kind), _Part(self._kinds[arn], resource, [], []))
                if self._plain(resource):
                    part.arns.append(arn)
                else:
                    part.others.append(atom)
            self._parts[mask] = list(found.values())
        return self._parts[mask]

    def _plain(self, resource: Resource) -> bool:
        public = any(means_everyone(one) for one in resource.policy.statements) if resource.policy else False
        return not (public or locked(resource) or resource.arn in self._lasting.keys)

    def _known(self, groups: Sequence[Group], group: Group, part: _Part, found: Reach) -> str | None:
        """The action to show for all things of a part; None where it is not the same for all."""
        known = KNOWN.get((part.resource.kind, found.action_class), "")
        if not known or known == found.action:
            return found.action
        objects, mask = known.endswith("Object"), group.mask
        if group.atoms[0].shown.endswith("/*") is not objects and ":s3:::" in group.atoms[0].shown:
            mask = self._run.access.level(mask, objects=objects)
        state = common_state(groups, mask, known) if mask else None
        if state is None:
            return None
        return known if state is found.state else found.action

    def _row(
        self, who: Identity, found: Reach, state: Callable[[str, str], State]
    ) -> Iterator[tuple[list[str], tuple[str, str, Chain, int]]]:
        """The edges of one thing."""
        run, lasting = self._run, self._lasting
        arn = found.resource.removesuffix("/*") if ":s3:::" in found.resource else found.resource
        resource = run.estate.resources.get(arn)
        if resource is None:
            return
        kind = self._kinds[arn]
        if found.action_class not in CLASSES.get(kind, ()) or shuts_out(run.estate, resource, who.account):
            return
        chain = Chain(found.state, found.because, found.decides)
        if found.action_class == "read" and arn in lasting.keys and kind != "key":
            chain = chain.then(lasting.opens(who.arn, resource))
        if found.action_class == "read" and chain.state is not State.NO:
            chain = chain.then(let_out(resource, who.account))
        action = found.action
        known = KNOWN.get((resource.kind, found.action_class), "")
        if known and known != action:
            on = f"{resource.arn}/*" if known.endswith("Object") else resource.arn
            action = known if state(known, on) is found.state else action
        for edge in self._gets(who, resource, found, action, chain):
            yield [arn], edge

    def _gets(
        self, who: Identity, resource: Resource, found: Reach, action: str, chain: Chain
    ) -> Iterator[tuple[str, str, Chain, int]]:
        """The relations of a class of access; changing who may do what gives the rest, but what else denies."""
        how = f"its policies allow {action}"
        left = None
        if found.action_class == "permissions":
            left = self._lasting.after(who.arn, resource, self._kinds[resource.arn])
        if left is None:
            yield RELATION_OF[found.action_class], how, chain, 0
            return
        yield "governs", how, chain, 0
        for action_class, given in left.items():
            yield RELATION_OF[action_class], f"it could let itself in ({action})", chain.then(given), 1


def _owner(atom: Atom) -> str:
    """The thing that an atom is, or is of."""
    return atom.shown.removesuffix("/*") if ":s3:::" in atom.shown else atom.shown
