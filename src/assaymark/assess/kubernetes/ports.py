"""Ports that rules of network policies mean, and that a workload's pods listen on as far as manifests tell.

Source: Kubernetes documentation, "Network Policies" (``port``, ``endPort``, named ports, ``protocol``), "Service"
(``targetPort``). The servers of this product's rules speak TCP: what a rule allows for UDP or SCTP alone is nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.kubernetes.pods import Pod

_SAID: Final = re.compile(
    r"--(?:[a-z-]+[-_.])?port[= ]['\"]?(\d{1,5})\b|(?:^|\s)(?:-p|-P)[= ]?(\d{1,5})\b"
    r"|(?:^|\s)(?:-b|-B|--bind|--listen|--address|--http-socket|--http)[= ]['\"]?[\w.\[\]]*:(\d{1,5})\b"
)

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
        if isinstance(port, str) and not port.isdigit():
            found.add(port)
        elif str(port).isdigit():
            found.add((int(port), end) if isinstance(end, int) else int(port))
        else:
            return None
    return frozenset(found)


def named_ports(pod: Pod) -> dict[str, int]:
    """The ports that its containers name."""
    return {
        item["name"]: item["containerPort"]
        for container in pod.containers()
        for item in _listed(container.get("ports"))
        if isinstance(item, dict) and isinstance(item.get("name"), str) and isinstance(item.get("containerPort"), int)
    }


def declared_ports(container: Any) -> frozenset[int]:
    """The ports of TCP that a container says it listens on."""
    return frozenset(
        item["containerPort"]
        for item in _listed(container.get("ports"))
        if isinstance(item, dict)
        and isinstance(item.get("containerPort"), int)
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
        if mark:
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


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
