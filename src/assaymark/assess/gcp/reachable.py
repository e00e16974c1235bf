"""What of Google Cloud the internet reaches: machines with external addresses, by their network's firewall rules.

Sources: Google Cloud documentation, "VPC firewall rules" (ingress without sources is from anywhere, a lower number of
priority counts first and a denial before an allowance of the same number, targets by tags or service accounts),
"Configure static external IP addresses", "Deploying containers on VMs".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answering import LAST_PORT, Way, draw_reached, drawn_ports
from assaymark.assess.served import Served
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.gcp import Resource
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder

_ANYWHERE: Final = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1")
_IMAGE: Final = re.compile(r"^\s*(?:-\s*)?image:\s*['\"]?([^\s'\"]+)", re.MULTILINE)
_RUNS: Final = ("run:service", "cloudfunctions:function")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws it. ``reading`` and ``now`` are not needed."""
    del reading, now
    draw_reached(builder, _ways(estates), served(estates))


def served(estates: Estates) -> Iterator[Served]:
    """The containers of services, and what machines start with."""
    for name, one in sorted(estates.gcp.resources.items()):
        if one.kind in _RUNS:
            for part in _containers(one.settings):
                words = [str(word) for key in ("command", "args") for word in listed(part.get(key))]
                variables = {
                    str(item.get("name")): str(item.get("value") or "<set>")
                    for item in listed(part.get("env"))
                    if isinstance(item, dict)
                }
                image = str(part.get("image") or "")
                yield Served(name, image, " ".join(words), one.because, frozenset(), variables, called=True)
        elif one.kind == "compute:instance":
            script = _script(one)
            if script:
                yield Served(name, "", script, one.because, script=True)
            image = _declared_image(one)
            if image:
                yield Served(name, image, "", one.because)


def _containers(value: object) -> Iterator[Mapping[str, Any]]:
    """What has an image below ``containers``, at any depth."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            for key, inner in item.items():
                if key == "containers":
                    yield from (one for one in listed(inner) if isinstance(one, dict) and one.get("image"))
                else:
                    pending.append(inner)
        elif isinstance(item, list):
            pending += item


def _script(one: Resource) -> str:
    script = one.settings.get("metadata_startup_script")
    if isinstance(script, str):
        return script
    metadata = one.settings.get("metadata")
    text = metadata.get("startup-script") if isinstance(metadata, dict) else None
    return text if isinstance(text, str) else ""


def _declared_image(one: Resource) -> str:
    metadata = one.settings.get("metadata")
    text = metadata.get("gce-container-declaration") if isinstance(metadata, dict) else None
    match = _IMAGE.search(text) if isinstance(text, str) else None
    return match[1] if match else ""


def _ways(estates: Estates) -> Iterator[Way]:
    rules = declared(estates).by_kind.get("google_compute_firewall", [])
    for name, one in sorted(estates.gcp.resources.items()):
        interfaces = [part for part in listed(one.settings.get("network_interface")) if isinstance(part, dict)]
        outside = [part for part in interfaces if "access_config" in part or "ipv6_access_config" in part]
        if one.kind != "compute:instance" or not outside:
            continue
        applies = [rule for rule in rules if _is_about(rule, one, outside)]
        started = Served(name, "", _script(one), one.because, script=True)
        listening = {port for server in started.servers() for port in server.ports}
        image = _declared_image(one)
        if image:
            listening |= {port for server in Served(name, image, "", one.because).servers() for port in server.ports}
        because = (one.because, *(rule.because() for rule in applies if rule.blocks("allow")))
        for port in drawn_ports(_open(applies, listening), listening):
            yield Way(name, port, "it has an external address, and firewall rules let the internet in", because)


def _is_about(rule: TfResource, one: Resource, interfaces: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a rule is one for strangers who come to an instance."""
    if str(rule.get("direction") or "INGRESS").upper() != "INGRESS" or rule.get("disabled") is True:
        return False
    sources = listed(rule.get("source_ranges"))
    narrowed = rule.get("source_tags") or rule.get("source_service_accounts")
    if not (any(str(source) in _ANYWHERE for source in sources) or (not sources and not narrowed)):
        return False
    networks = {_last(part.get("network") or "default") for part in interfaces}
    if any(part.get("subnetwork") and not part.get("network") for part in interfaces):
        networks.add(_last(rule.get("network")))  # a subnet's network is what it is: taken as the rule's
    if _last(rule.get("network")) not in networks:
        return False
    tags, accounts = listed(rule.get("target_tags")), listed(rule.get("target_service_accounts"))
    own = {str(tag) for tag in listed(one.settings.get("tags"))}
    return (not tags and not accounts) or bool(own & {str(tag) for tag in tags}) or one.account in accounts


def _last(value: object) -> str:
    return str(value).rpartition("/")[2]


def _open(rules: list[TfResource], listening: set[int]) -> list[tuple[int, int]]:
    """The ports that the first rule about each lets in."""
    ordered = sorted(rules, key=lambda rule: (_number(rule.get("priority")) or 1000, not rule.blocks("deny")))
    parts = [(bool(rule.blocks("allow")), _ranges(rule)) for rule in ordered]
    if parts and parts[0][0] and (0, LAST_PORT) in parts[0][1]:
        return [(0, LAST_PORT)]
    candidates = listening | {first for _, ranges in parts for first, last in ranges if first == last}
    found = []
    for port in sorted(candidates):
        decides = next((allow for allow, ranges in parts if any(a <= port <= b for a, b in ranges)), False)
        if decides:
            found.append((port, port))
    return found


def _ranges(rule: TfResource) -> list[tuple[int, int]]:
    found = []
    for block in (*rule.blocks("allow"), *rule.blocks("deny")):
        if str(block.get("protocol")).lower() not in ("tcp", "6", "all"):
            continue
        ports = listed(block.get("ports"))
        if not ports:
            found.append((0, LAST_PORT))
        for port in ports:
            first, _, last = str(port).partition("-")
            start, end = _number(first), _number(last or first)
            if start is not None and end is not None:
                found.append((start, end))
    return found


def _number(value: Any) -> int | None:
    if isinstance(value, (bool, Unresolved)):
        return None
    if isinstance(value, (int, float)):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None
