"""What stands between a load balancer and what it passes on to: conditions of its rules, and security groups.

Sources: Elastic Load Balancing, "Condition types for listener rules" and "Security groups for your Application Load
Balancer" (targets must let in what the load balancer sends, on the port that it sends to).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.spelled import blocks, got
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import texts_in, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.estate.terraform import TfResource

_GROUPS: Final = ("aws_security_group", "aws_default_security_group")
_RULES: Final = ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule")
_SOURCES: Final = ("securityGroups", "sourceSecurityGroupId", "referencedSecurityGroupId")
_RANGES: Final = ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")
_LISTS: Final = ("prefixListIds", "prefixListId", "sourcePrefixListId")
_PRIVATE: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_WIDE: Final = 1  # half of all addresses is everyone


def asked_by(conditions: Iterable[dict[str, Any]]) -> tuple[str, ...] | None:
    """What would decide that anyone meets the conditions of a rule; None where they name some addresses alone."""
    found: list[str] = []
    for one in conditions:
        addresses = [*blocks(one, "sourceIp"), *blocks(one, "SourceIpConfig")]
        values = [text for part in addresses for text in texts_in(got(part, "values", "Values"))]
        if values and not any(_anyone(text) for text in values):
            return None
        for part in (*blocks(one, "httpHeader"), *blocks(one, "HttpHeaderConfig")):
            name = got(part, "httpHeaderName", "HttpHeaderName")
            if any(text != "*" for text in texts_in(got(part, "values", "Values"))):
                found.append(f"callers know what a rule of the listener asks of the header {name}")
    return tuple(found)


def _anyone(text: str) -> bool:
    """Whether a range is everyone, or may be."""
    try:
        return isinstance(text, Unresolved) or ipaddress.ip_network(text, strict=False).prefixlen <= _WIDE
    except ValueError:
        return True


def lets_in(
    groups: list[TfResource],
    kinds: dict[str, list[TfResource]],
    named: Callable[..., list[TfResource]],
    balancer: TfResource,
    port: int,
) -> bool:
    """Whether groups of a target may let in what a load balancer sends to a port: by its groups, or by addresses."""
    own = [each for text in texts_in(balancer.get("security_groups")) for each in named(text, *_GROUPS)]
    return any(
        _about(rule, port) and _from(rule, group, own, named)
        for group in groups
        for rule in _ingress(group, kinds, named)
    )


def _ingress(
    group: TfResource, kinds: dict[str, list[TfResource]], named: Callable[..., list[TfResource]]
) -> Iterator[dict[str, Any]]:
    yield from group.blocks("ingress")
    for kind in _RULES:
        for rule in kinds.get(kind, ()):
            if rule.get("type") in (None, "ingress") and group in named(rule.get("security_group_id"), group.kind):
                yield rule.values


def _about(rule: dict[str, Any], port: int) -> bool:
    protocol = str(got(rule, "protocol", "ipProtocol") or "-1").lower()
    first, last = whole_number(got(rule, "fromPort")), whole_number(got(rule, "toPort"))
    if protocol in ("-1", "all") or first is None or last is None:
        return True
    return protocol in ("tcp", "6") and first <= port <= last


def _from(
    rule: dict[str, Any], group: TfResource, own: list[TfResource], named: Callable[..., list[TfResource]]
) -> bool:
    """Whether a rule may be about a load balancer, which has private addresses; without groups of its own any."""
    if got(rule, "self") is True and group in own:
        return True
    for text in (text for name in _SOURCES for text in texts_in(got(rule, name))):
        found = named(text, *_GROUPS)
        if not found or not own or any(each in own for each in found):
            return True
    if any(texts_in(got(rule, name)) for name in _LISTS):
        return True
    ranges = [text for name in _RANGES for text in texts_in(got(rule, name))]
    return any(_anyone(text) or _inside(ipaddress.ip_network(text, strict=False)) for text in ranges)


def _inside(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether a range has addresses that a network of one's own may give."""
    return any(network.version == one.version and network.overlaps(one) for one in _PRIVATE)
