"""What the linkers of AWS share: the estate as it is evaluated, answers put together, and the ids of nodes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from assaymark.assess.aws import actions
from assaymark.assess.aws.answers import renamed
from assaymark.assess.aws.grants import Access
from assaymark.core.graph import Because, Edge, State
from assaymark.core.limits import ASSESS_MAX_DRAWN_PAIRS
from assaymark.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from assaymark.assess.aws.alike import Alike
    from assaymark.assess.aws.answers import Answer
    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.estate.aws import Estate, Identity, PolicyDocument, Resource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder


@dataclass(frozen=True, slots=True)
class Chain:
    """Several answers that must all be yes."""

    state: State = State.YES
    because: tuple[Because, ...] = ()
    decides: tuple[str, ...] = ()

    def then(self, answer: Answer | Chain) -> Chain:
        """With one answer more."""
        return Chain(
            self.state.both(answer.state),
            tuple(dict.fromkeys((*self.because, *answer.because))),
            tuple(dict.fromkeys((*self.decides, *answer.decides))),
        )

    def unless(self, text: str) -> Chain:
        """As unknown as what the input does not show: ``text`` says what would decide it."""
        return Chain(self.state.both(State.UNKNOWN), self.because, (*self.decides, text))


NOWHERE = Chain(State.NO)
_FAN = 64  # things that are worth a node of their own
_WITHIN = {  # what having a group in the mode that a relation gives is to its members
    "reads": "contains-read",
    "decrypts": "contains-read",
    "writes": "contains-write",
    "deletes": "contains-delete",
    "invokes": "passes-calls",
    "governs": "contains-governed",
}


class Linking:
    """The estate, asked and drawn. Groups are asked like users, since who joins one gets what it may."""

    def __init__(self, estate: Estate, builder: Builder, reading: Reading, now: datetime) -> None:
        self.estate = estate
        self.builder = builder
        self.reading = reading
        asked = replace(
            estate,
            identities={
                arn: replace(identity, kind="user") if identity.kind == "group" else identity
                for arn, identity in estate.identities.items()
            },
        )
        self.now = now
        self.access = Access(asked, now)
        self.administrators: set[str] = set()
        self.filled: set[str] = set()  # the ARNs of those within a boundary that somebody may give all permissions
        self.stands: dict[str, str] = {}  # the nodes in whose name the edges of an ARN are drawn
        self._fanned = 0
        self._together: set[tuple[str, str]] = set()

    @cached_property
    def principals(self) -> list[Identity]:
        """Users, roles and groups by ARN."""
        return [identity for _, identity in sorted(self.estate.identities.items())]

    @cached_property
    def sorts(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """The ARNs of users, roles and groups by kind and account."""
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for one in self.principals:
            found[one.kind, one.account].add(one.arn)
        return defaultdict(frozenset, {key: frozenset(arns) for key, arns in found.items()})

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The accounts of all principals."""
        return frozenset(one.account for one in self.principals)

    def policies(self, identity: Identity) -> tuple[PolicyDocument, ...]:
        """The policies of an identity and its groups."""
        groups = (self.estate.identities.get(arn) for arn in identity.groups)
        return (*identity.policies, *(policy for group in groups if group for policy in group.policies))

    def may(self, identity: Identity) -> int:
        """The set of actions (bits of ``actions``) that some statement of the identity's policies may allow."""
        if identity.opaque or any(group not in self.estate.identities for group in identity.groups):
            return actions.everything()
        found = 0
        for policy in self.policies(identity):
            for statement in policy.statements:
                if statement.effect == "Deny":
                    continue
                if statement.not_actions is not None or statement.effect != "Allow":
                    return actions.everything()
                for pattern in statement.actions:
                    certain, perhaps = actions.expand_known(pattern)
                    found |= certain | perhaps
        return found

    def can(
        self, identity: Identity, action: str, resource: str = "*", context: Mapping[str, Value] | None = None
    ) -> Answer:
        """Whether the identity may; what the answer takes to be so is noted as a gap."""
        answer = self.access.can(identity.arn, action, resource, context)
        if answer.state is not State.NO:
            self.reading.gap(*(text for text in answer.assumes if "service control" in text))
        return answer

    def each(self, identity: Identity, action: str, context: Mapping[str, Value] | None = None) -> Iterator[Alike]:
        """The identities on which another may do an action, or perhaps may, those alike together."""
        for found in self.access.each(identity.arn, action, context):
            self.reading.gap(*(text for text in found.answer.assumes if "service control" in text))
            yield found

    def any_of(self, identity: Identity, ways: Iterable[tuple[str, ...]], resource: str = "*") -> Chain:
        """The best of several sets of actions on a resource."""
        best = NOWHERE
        for way in ways:
            chain = Chain()
            for action in way:
                chain = chain.then(self.can(identity, action, resource))
                if chain.state is State.NO:
                    break
            if chain.state is State.YES:
                return chain
            if chain.state is State.UNKNOWN and best.state is State.NO:
                best = chain
        return best

    def draw(self, source: str, target: str, relation: str, how: str, chain: Chain, effort: int = 1) -> None:
        """The edge of an answer, unless that is no."""
        node = self.stands.get(source, source)
        if chain.state is State.NO or target in (source, node):
            return
        because = chain.because or (self.estate.identities[source].because,)
        decides = chain.decides if chain.state is State.UNKNOWN else ()
        self.builder.edge(Edge(node, target, relation, how, because, chain.state, decides, effort))

    def fan(
        self,
        source: str,
        targets: Sequence[str],
        relation: str,
        how: str,
        chain: Callable[[str], Chain],
        effort: int = 1,
    ) -> None:
        """The edges of answers to several things that are alike; where they are very many, by way of one node.

        ``chain`` gives the answer for a target. The node stands for things that many come to alike: who has it, in
        some mode, has each of them.
        """
        self._fanned += len(targets)
        if len(targets) < _FAN or self._fanned <= ASSESS_MAX_DRAWN_PAIRS:
            for target in targets:
                self.draw(source, target, relation, how, chain(target), effort)
            return
        first = self._thing(targets[0])
        inner = _WITHIN.get(relation, "contains")
        mark = sha256("\n".join(targets).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        node = f"aws:{first.account}:alike:{mark}"
        if (node, inner) not in self._together:
            self._together.add((node, inner))
            shown = first.arn.rpartition(":")[2].rpartition("/")[2]
            name = f"{shown} and {counted(len(targets) - 1, 'other')}, alike in who comes to them"
            boundary = {"cloud": "aws", "account": first.account} if first.account else {"cloud": "aws"}
            self.builder.node(node, "group", name, (first.because,), boundary=boundary)
            for target in targets:
                because = (self._thing(target).because,)
                self.builder.edge(Edge(node, target, inner, "it is one of them", because, effort=0))
        found = chain(targets[0])
        decides = tuple(renamed(text, targets[0], "one of them") for text in found.decides)
        self.draw(source, node, relation, how, replace(found, decides=decides), effort)

    def _thing(self, arn: str) -> Identity | Resource:
        return self.estate.identities.get(arn) or self.estate.resources[arn]


def filled(arn: str) -> str:
    """The id of the node that stands for an identity with all that its boundary lets through."""
    return f"{arn}#filled"


def administrator(account: str) -> str:
    """The id of the node that stands for control of an account."""
    return f"aws:{account}:administrator"
