"""``Firewalls``: rules of VPC networks, as Terraform declares them and as ``gcloud`` and the inventory list them.

Source: Google Cloud documentation, "VPC firewall rules" (ingress without sources is from anywhere, ranges or tags of
sources are alternatives, a lower number of priority counts first and a denial before an allowance of the same number,
targets by tags or service accounts; what no rule is about is denied).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answering import LAST_PORT
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import dicts_in, whole_number
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assaymark.assess.estate.estates import Estates
    from assaymark.core.graph import Because

_BY_DEFAULT: Final = 1000
_IN_PROJECT: Final = re.compile(r"projects/([^/]+)/")
_TCP: Final = ("tcp", "6", "all")


@dataclass(frozen=True, slots=True)
class Firewall:
    """A rule for what comes in, and the ports of TCP that it is about. ``anywhere``: None where it is not shown.

    ``sources``: its ranges of addresses; ``goes_on``: what it is about is decided by what comes after its policy;
    ``perhaps``: what would decide that it counts at all; ``project``: of its network, empty where it is not shown.
    """

    name: str
    network: str
    priority: int
    allows: bool
    anywhere: bool | None
    ranges: tuple[tuple[int, int], ...]
    tags: frozenset[str]
    accounts: frozenset[str]
    because: Because
    sources: tuple[str, ...] = ()
    goes_on: bool = False
    perhaps: tuple[str, ...] = ()
    project: str = ""

    def about(self, port: int) -> bool:
        """Whether it is about a port."""
        return any(first <= port <= last for first, last in self.ranges)

    def targets(self, tags: Iterable[str], account: str) -> bool:
        """Whether it is about an instance that has these tags and runs as this account."""
        return (not self.tags and not self.accounts) or not self.tags.isdisjoint(tags) or account in self.accounts

    def of(self, senders: Iterable[str] | None) -> bool | None:
        """Whether it is about what comes from ranges of addresses, all of them; None among them: from anywhere."""
        if senders is None or self.anywhere is not False:
            return self.anywhere
        found = {_within(one, self.sources) for one in senders}
        return True if found == {True} else None if None in found or True in found else False


def _within(sender: str, sources: Iterable[str]) -> bool | None:
    """Whether a range lies in one of others; None where only a part does."""
    own = _network(sender)
    best: bool | None = False
    for one in sources:
        other = _network(one)
        if own is None or other is None or own.version != other.version:
            continue
        if own.subnet_of(other):
            return True
        best = None if other.subnet_of(own) else best
    return best


def _network(text: str) -> Any:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def firewalls(estates: Estates) -> list[Firewall]:
    """All of the input, those that count first before others."""
    found: list[Firewall] = []
    for one in declared(estates).by_kind.get("google_compute_firewall", ()):
        if one.get("disabled") is not True:
            parts = [(True, dicts_in(one.blocks("allow"))), (False, dicts_in(one.blocks("deny")))]
            sources = one.get("source_ranges"), one.get("source_tags"), one.get("source_service_accounts")
            place = place_of(one.values.get("network"), one.text("project") or one.account)
            found += _made(one.text("name") or one.address, one.values, parts, sources, one.because(), place)
    for item, because in estates.gcp.firewalls:
        if item.get("disabled") is not True:
            parts = [(True, dicts_in(item.get("allowed"))), (False, dicts_in(item.get("denied")))]
            sources = item.get("sourceRanges"), item.get("sourceTags"), item.get("sourceServiceAccounts")
            found += _made(str(item.get("name")), item, parts, sources, because, place_of(item.get("network"), ""))
    return sorted(found, key=lambda one: (one.priority, one.allows))


def _made(
    name: str,
    values: Mapping[str, Any],
    parts: list[tuple[bool, Any]],
    sources: tuple[Any, Any, Any],
    because: Because,
    place: str,
) -> Iterator[Firewall]:
    if str(values.get("direction") or "INGRESS").upper() != "INGRESS":
        return
    priority = whole_number(values.get("priority"))
    for allows, blocks in parts:
        ranges = tuple(pair for block in blocks for pair in ranges_of(block))
        if ranges:
            yield Firewall(
                name,
                last_part(values.get("network") or "default"),
                _BY_DEFAULT if priority is None else priority,
                allows,
                anywhere(*sources),
                ranges,
                _texts(values, "target_tags", "targetTags"),
                _texts(values, "target_service_accounts", "targetServiceAccounts"),
                because,
                tuple(str(one) for one in listed(sources[0]) if not isinstance(one, Unresolved)),
                project=place,
            )


def anywhere(ranges: Any, *narrowed: Any) -> bool | None:
    """Whether sources are everything; None where the input does not show. ``narrowed``: sources of other kinds."""
    if ranges is not None and not isinstance(ranges, list):
        return None
    given = [str(one) for one in listed(ranges)]
    if any(one.endswith(("/0", "/1")) for one in given):
        return True
    if any(isinstance(one, Unresolved) for one in listed(ranges)):
        return None
    return not given and not any(narrowed)


def ranges_of(block: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """The ports of TCP in a part of a rule."""
    named = (block.get(name) for name in ("protocol", "IPProtocol", "ip_protocol", "ipProtocol"))
    if str(next((one for one in named if one is not None), "")).lower() not in _TCP:
        return
    ports = listed(block.get("ports"))
    if not ports:
        yield 0, LAST_PORT
    for port in ports:
        first, _, last = str(port).partition("-")
        start, end = whole_number(first), whole_number(last or first)
        if start is not None and end is not None:
            yield start, end


def place_of(network: object, own: str) -> str:
    """The project of a network: as its address says, else that of who names it; empty for a reference."""
    text = str(network or "default")
    named = _IN_PROJECT.search(text)
    return named[1] if named else "" if "${" in text else own


def apart(one: str, other: str) -> bool:
    """Whether two projects are two for sure: an id and a number may be one."""
    return bool(one and other) and one != other and one.isdecimal() == other.isdecimal()


def last_part(value: object) -> str:
    """The name at the end of an address of a network; of a reference of Terraform its resource."""
    text = str(value)
    return text.removesuffix(".id}").removesuffix(".self_link}").removesuffix(".name}").rpartition("/")[2]


def _texts(values: Mapping[str, Any], *names: str) -> frozenset[str]:
    return frozenset(str(one) for name in names for one in listed(values.get(name)))
