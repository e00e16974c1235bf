"""Network security groups of Azure: whom their rules let in, and to which ports of TCP.

Source: Microsoft documentation, "Network security groups" (rules by priority, the first one about a packet decides;
the default rules let the virtual network in and nobody of the internet), "Virtual network service tags".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import NO, YES, Answer
from assaymark.assess.answering import LAST_PORT
from assaymark.assess.spelled import got
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import whole_number
from assaymark.core.graph import State
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assaymark.core.graph import Because

_EVERYONE: Final = ("*", "any")
_ANYWHERE: Final = (*_EVERYONE, "internet")
_LAST: Final = 1 << 16
_VIRTUAL: Final = "virtualnetwork"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends packets. ``tags``: the service tags that it is of; ``networks``: its addresses where they are known.

    ``within``: it lies in a virtual network, which the default rules let in. ``words`` name it.
    """

    words: str
    tags: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    within: bool = False

    def is_of(self, source: str) -> bool | None:
        """Whether a source of a rule is about it; None where the input does not show."""
        if source in _EVERYONE or source.endswith(("/0", "/1")) or source in self.tags:
            return True
        try:
            other = ip_network(source, strict=False)
        except ValueError:
            return None if "${" in source or "<" in source else False
        if not self.networks:
            return None if self.within and other.is_private else False
        found = [_holds(other, own) for own in self.networks if own.version == other.version]
        return True if True in found else None if None in found else False


def _holds(outer: Any, inner: Any) -> bool | None:
    return True if inner.subnet_of(outer) else None if outer.subnet_of(inner) else False


ANYONE: Final = Sender("the internet", frozenset(("internet",)))
# The addresses of the tag's past: what rules of before the tag name.
FRONT_DOOR: Final = Sender(
    "Front Door",
    frozenset(("internet", "azurefrontdoor.backend")),
    (ip_network("147.243.0.0/16"), ip_network("2a01:111:2050::/44")),
)


def within(words: str, networks: Iterable[Any] = ()) -> Sender:
    """What lies in a virtual network, at these addresses where they are known."""
    found = []
    for one in networks:
        try:
            found.append(ip_network(str(one), strict=False))
        except ValueError:
            continue
    return Sender(words, frozenset((_VIRTUAL,)), tuple(found), within=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """An inbound rule for TCP. ``anywhere``, ``ranges``: None where the input does not show the value.

    ``sources`` in lower case; ``unread``: there are others that the input does not show.
    """

    name: str
    priority: int
    allows: bool
    anywhere: bool | None
    ranges: tuple[tuple[int, int], ...] | None
    because: Because
    sources: tuple[str, ...] = ()
    unread: bool = False

    def about(self, port: int) -> bool:
        """Whether it is about a port, or may be."""
        return self.ranges is None or any(first <= port <= last for first, last in self.ranges)

    @property
    def whole(self) -> bool:
        """Whether it is about all ports."""
        return self.ranges is not None and any(first <= 1 and last >= LAST_PORT for first, last in self.ranges)

    def of(self, sender: Sender) -> bool | None:
        """Whether it is about what a sender sends; None where the input does not show."""
        if sender is ANYONE:
            return self.anywhere
        found = [sender.is_of(one) for one in self.sources]
        return True if True in found else None if self.unread or None in found else False


@dataclass(frozen=True, slots=True)
class Group:
    """A network security group, its rules by priority."""

    id: str
    name: str
    because: Because
    rules: tuple[Rule, ...]

    def lets(self, sender: Sender, port: int | None) -> Answer:
        """Whether it lets a sender reach a port; None: all ports, but for those that other rules are about."""
        return self._first([one for one in self.rules if (one.whole if port is None else one.about(port))], sender)

    def _first(self, rules: Iterable[Rule], sender: Sender) -> Answer:
        perhaps: list[Rule] = []
        for one in rules:
            about = one.of(sender)
            if about is False:
                continue
            if about is None or one.ranges is None:
                perhaps.append(one)
                continue
            decided = Answer(State.YES, (one.because,)) if one.allows else NO
            return self._unsure(decided, perhaps, sender)
        return self._unsure(Answer(State.YES, (self.because,)) if sender.within else NO, perhaps, sender)

    def _unsure(self, decided: Answer, perhaps: list[Rule], sender: Sender) -> Answer:
        """What is left where rules before are about the sender, or not."""
        for one in perhaps:
            words = f"the rule {one.name} of {self.name} is about {sender.words} and this port"
            if one.allows and decided.state is State.NO:
                decided = Answer(State.YES, (one.because,)).unless(words)
            elif not one.allows and decided.state is not State.NO:
                decided = decided.unless(f"{words}, or not")
        return decided


def all_let(groups: Iterable[Group], sender: Sender, port: int | None) -> Answer:
    """Whether all groups let a sender reach a port."""
    whole = YES
    for one in groups:
        whole = whole.both(one.lets(sender, port)) if whole.state is not State.NO else whole
    return whole


def rule_of(item: Mapping[str, Any], because: Because) -> Rule | None:
    """An inbound rule that is about TCP; None for another one."""
    direction, protocol = str(got(item, "direction")).lower(), str(got(item, "protocol") or "*").lower()
    if direction != "inbound" or protocol not in ("*", "tcp"):
        return None
    priority = whole_number(got(item, "priority"))
    line = getattr(item, "line", 0)
    given = [one for one in _sources(item) if one not in (None, "")]
    return Rule(
        str(got(item, "name")),
        _LAST if priority is None else priority,
        str(got(item, "access")).lower() == "allow",
        _anywhere(given),
        _ranges([got(item, "destinationPortRange"), *listed(got(item, "destinationPortRanges"))]),
        replace(because, line=line) if line else because,
        tuple(str(one).lower() for one in given if not isinstance(one, Unresolved)),
        any(isinstance(one, Unresolved) for one in given),
    )


def _sources(item: Mapping[str, Any]) -> list[Any]:
    return [got(item, "sourceAddressPrefix"), *listed(got(item, "sourceAddressPrefixes"))]


def _anywhere(sources: list[Any]) -> bool | None:
    texts = [str(one).lower() for one in sources if not isinstance(one, Unresolved)]
    if any(one in _ANYWHERE or one.endswith(("/0", "/1")) for one in texts):
        return True
    return None if len(texts) < len(sources) or any("${" in one or "<" in one for one in texts) else False


def _ranges(values: list[Any]) -> tuple[tuple[int, int], ...] | None:
    found = []
    for one in values:
        if one in (None, ""):
            continue
        text = str(one)
        if text in ("*", "Any"):
            found.append((0, LAST_PORT))
            continue
        for part in text.split(","):
            first, _, last = part.strip().partition("-")
            start, end = whole_number(first), whole_number(last or first)
            if start is None or end is None:
                return None
            found.append((start, end))
    return tuple(found)


def by_priority(rules: list[Rule]) -> tuple[Rule, ...]:
    """Rules in the order in which they count."""
    return tuple(sorted(rules, key=lambda one: one.priority))
