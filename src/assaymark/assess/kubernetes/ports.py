"""Ports that rules of network policies mean, and that a workload's pods listen on as far as manifests tell.

Source: Kubernetes documentation, "Network Policies" (``port``, ``endPort``, named ports, ``protocol``), "Service"
(``targetPort``). The servers of this product's rules speak TCP: what a rule allows for UDP or SCTP alone is nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assaymark.assess.kubernetes.pods import Pod

# Ports of a program besides those it serves on: their options say nothing of these.
_ASIDE: Final = r"(?!metrics|monitoring|health|probe|master|nccl|rdzv|dist|prom|target|remote|peer|db|redis)"
_SAID: Final = re.compile(
    rf"--{_ASIDE}(?:[a-z-]+[-_.])?port[= ]['\"]?(\d{{1,5}})\b|(?:^|\s)(?:-p|-P)[= ]?(\d{{1,5}})\b"
    r"|(?:^|\s)(?:-b|-B|--bind|--listen|--address|--http-socket|--http)[= ]['\"]?(?:[\w.*-]*|\[[\w:.]*\]):(\d{1,5})\b"
)
_LEFT_OPEN: Final = re.compile(
    rf"--{_ASIDE}(?:[a-z-]+[-_.])?port[= ]['\"]?\$|(?:^|\s)(?:-p|-P)[= ]?['\"]?\$"
    r"|(?:^|\s)(?:-b|-B|--bind|--listen|--address|--http-socket|--http)[= ]['\"]?(?:[\w.*-]*|\[[\w:.]*\]):\$"
)
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<bare>[A-Za-z_]\w*)|\((?P<kept>[A-Za-z_][\w.-]*)\)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?::?-(?P<default>[\w.-]*))?\})"
)
_VALUE: Final = re.compile(r"[\w.:/-]{0,100}")
_LARGEST: Final = 65535

Ports: TypeAlias = "frozenset[int | str | tuple[int, int]] | None"
"""Numbers, names and ranges; None for all."""


def rule_ports(value: Any) -> Ports:
    """What ``ports`` of a rule means; nothing written means all."""
    if not isinstance(value, list) or not value:
        return None
    found: set[int | str | tuple[int, int]] = set()
    for item in value:
        if not isinstance(item, dict):
            return None  # no policy that the API server would take
        port, end = item.get("port"), item.get("endPort")
        if str(item.get("protocol") or "TCP").upper() != "TCP":
            continue
        if port is None:
            return None
        number = port_number(port)
        if number is not None:
            last = port_number(end)
            found.add(number if last is None else (number, last))
        elif isinstance(port, str):
            found.add(port)
        else:
            return None
    return frozenset(found)


def port_number(value: Any) -> int | None:
    """A port's number, of a text too; None for what is none."""
    if isinstance(value, str) and len(value) <= len(str(_LARGEST)) and value.isdecimal() and value.isascii():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST else None


def named_ports(pod: Pod) -> dict[str, int]:
    """The ports that its containers name."""
    return {
        item["name"]: item["containerPort"]
        for container in pod.containers()
        for item in listed(container.get("ports"))
        if isinstance(item, dict) and isinstance(item.get("name"), str) and port_number(item.get("containerPort"))
    }


def declared_ports(container: Any) -> frozenset[int]:
    """The ports of TCP that a container says it listens on."""
    return frozenset(
        item["containerPort"]
        for item in listed(container.get("ports"))
        if isinstance(item, dict)
        and type(item.get("containerPort")) is int
        and port_number(item["containerPort"])
        and str(item.get("protocol") or "TCP").upper() == "TCP"
    )


def resolved(ports: Ports, names: dict[str, int], listening: frozenset[int]) -> frozenset[int] | None:
    """The numbers that ports of a rule are for a pod; of ranges those that something is known to listen on."""
    if ports is None:
        return None
    found: set[int] = set()
    for port in ports:
        if isinstance(port, int):
            found.add(port)
        elif isinstance(port, str):
            found |= {names[port]} if port in names else set()
        elif port[0] <= 1 and port[1] >= 65535:  # noqa: PLR2004
            return None
        else:
            found |= {one for one in listening if port[0] <= one <= port[1]}
    return frozenset(found)


def expanded(words: str, variables: Mapping[str, str]) -> str:
    """A command line with the values of variables as a shell or Kubernetes puts them, as far as they are plain."""

    def value(match: re.Match[str]) -> str:
        name = match["bare"] or match["kept"] or match["name"]
        given = variables.get(name, match["default"] or "") or match["default"]
        return given if given and _VALUE.fullmatch(given) else match[0]

    return _VARIABLE.sub(value, words)


def left_open(words: str) -> bool:
    """Whether a command line names a port by a variable that nobody knows."""
    return _LEFT_OPEN.search(words) is not None


def said_ports(words: str) -> frozenset[int]:
    """The ports that a command line tells a program to listen on."""
    return frozenset(int(one) for match in _SAID.finditer(words) for one in match.groups() if one)


def port_node(workload: str, number: int | None = None) -> str:
    """The id of the node of a workload's ports, or of one of them."""
    return f"{workload}#port" if number is None else f"{workload}#port:{number}"


def port_nodes(identifiers: Iterable[str]) -> dict[str, dict[int, str]]:
    """By workload the nodes of single ports, by number."""
    found: dict[str, dict[int, str]] = {}
    for one in identifiers:
        workload, mark, number = one.rpartition("#port:")
        if mark and port_number(number) is not None:
            found.setdefault(workload, {})[int(number)] = one
    return found


def doors(
    workload: str, listening: frozenset[int], nodes: dict[str, dict[int, str]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The nodes by which a server of a workload is reached, each with what would decide that it is.

    ``listening``: the server's ports; empty where nobody knows.
    """
    single = nodes.get(workload, {})
    if not listening or not listening <= single.keys():  # else who reaches all ports reaches it by its own
        yield port_node(workload), ()
    for number, node in sorted(single.items()):
        if number in listening:
            yield node, ()
        elif not listening:
            yield node, (f"it listens on port {number}",)


def both(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    """The ports that two sides let through."""
    if one is None or other is None:
        return other if one is None else one
    return one & other
