"""What a rule of a mesh says of a request: its path, method and port, and the addresses that it may come from.

An attacker chooses what a route leaves open: an allowance counts where some request to the route matches it, a denial
where all do. Sources: Istio documentation, "Authorization Policy" (Operation: exact, prefix ``/a/*``, suffix ``*/a``,
presence ``*``, templates ``{*}`` for one part of a path and ``{**}`` for any number; Source: ``ipBlocks`` are those
of whoever connects, ``remoteIpBlocks`` those that a trusted proxy names) "Authorization Policy Conditions" and
"Security Best Practices" (hosts with a port).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.overlaps import overlaps
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARAMETER: Final = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>|\{(\w+)(?::(\w+))?\}")
_LONG: Final = frozenset(("path", "re", "any"))  # converters whose values may hold slashes
_SOME: Final = "\ue000"  # the value of a parameter that no policy names
_TEMPLATE: Final = re.compile(r"\{\*\*\}|\{\*\}")
_WIDE: Final = 1  # a network of half of all addresses is everyone
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_INSIDE: Final = tuple(ipaddress.ip_network(one) for one in _PRIVATE)
ADDRESSES: Final = ("ipBlocks", "remoteIpBlocks")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its method (``ANY`` for all), the path as the route is written, with its parameters, and the host.

    Path and host are empty where they are not known.
    """

    method: str
    path: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Met:
    """Whether some request of those that are asked about matches, and whether all do."""

    some: State
    every: State

    def inverse(self) -> Met:
        """Of what does not match."""
        return Met(self.every.inverse(), self.some.inverse())

    def both(self, other: Met) -> Met:
        """Of two things about one request that do not hang on each other."""
        return Met(self.some.both(other.some), self.every.both(other.every))

    def either(self, other: Met) -> Met:
        """Of one thing or another."""
        return Met(_or(self.some, other.some), _or(self.every, other.every))


def _or(one: State, other: State) -> State:
    return one.inverse().both(other.inverse()).inverse()


ALL: Final = Met(State.YES, State.YES)
NONE: Final = Met(State.NO, State.NO)
UNKNOWN: Final = Met(State.UNKNOWN, State.UNKNOWN)


def operations(rule: Map, asked: Asked | None) -> Met:
    """Whether requests match what a rule asks of them; unknown where it is not known what is requested."""
    if "to" not in rule:
        return ALL
    found = NONE
    for item in listed(rule.get("to")):
        operation = item.get("operation") if isinstance(item, Map) else None
        found = found.either(_operation(operation, asked) if isinstance(operation, Map) else UNKNOWN)
    return found


def _operation(operation: Map, asked: Asked | None) -> Met:
    whole = ALL
    for key, values in operation.items():
        name = key if not key.startswith("not") else key[3:4].lower() + key[4:]
        texts = [str(one) for one in listed(values)]
        met = UNKNOWN
        if name == "hosts":
            met = _hosts(texts, asked)
        elif name in ("paths", "methods") and (asked is not None or "*" in texts):
            about = _path if name == "paths" else _method
            met = NONE
            for text in texts:
                met = met.either(about(text, asked))
        whole = whole.both(met if name == key else met.inverse())
    return whole


def _method(text: str, asked: Asked | None) -> Met:
    if text == "*":
        return ALL
    if asked is None:
        return UNKNOWN
    if asked.method in ("ANY", "*"):
        return Met(State.YES, State.NO)
    return ALL if fits(text, asked.method) else NONE


def _path(pattern: str, asked: Asked | None) -> Met:
    """Whether a pattern matches the paths of a route."""
    if pattern == "*":
        return ALL
    if asked is None or not asked.path:
        return UNKNOWN
    plain = _PARAMETER.sub(_SOME, asked.path)
    if _matches(pattern, plain):
        return ALL if not _spans(asked.path) or _open_end(pattern) else Met(State.YES, State.UNKNOWN)
    if plain == asked.path:
        return NONE
    likely = re.fullmatch(_shape(asked.path), _TEMPLATE.sub("x", pattern.replace("*", "x"))) is not None
    return Met(State.UNKNOWN if likely or _overlaps(pattern, asked.path) else State.NO, State.NO)


def _hosts(patterns: list[str], asked: Asked | None) -> Met:
    """Whether patterns match the host, with and without a port: callers may write one."""
    if "*" in patterns:
        return ALL
    if asked is None or not asked.host or "*" in asked.host:
        return UNKNOWN
    host = asked.host.lower()
    with_port, plain = (any(fits(one.lower(), text) for one in patterns) for text in (f"{host}:443", host))
    return ALL if with_port and plain else Met(State.YES, State.UNKNOWN) if with_port or plain else NONE


def _matches(pattern: str, path: str) -> bool:
    if not _TEMPLATE.search(pattern):
        return fits(pattern, path)
    parts = re.split(r"(\{\*\*\}|\{\*\})", pattern)
    expression = "".join({"{**}": ".*", "{*}": "[^/]+"}.get(one, re.escape(one)) for one in parts)
    expression = expression.removesuffix("/.*") + "(?:/.*)?" if expression.endswith("/.*") else expression
    return re.fullmatch(expression, path) is not None


def _open_end(pattern: str) -> bool:
    """Whether a pattern says nothing of what stands at the end."""
    return pattern.endswith(("*", "{**}"))


def _spans(path: str) -> bool:
    """Whether a parameter of a route may hold slashes."""
    return any({match[1], match[3]} & _LONG for match in _PARAMETER.finditer(path))


def _shape(path: str) -> str:
    """An expression for the paths of a route."""
    parts = _PARAMETER.split(path)[:: _PARAMETER.groups + 1]
    return ".+".join(re.escape(one) for one in parts)


def _overlaps(pattern: str, path: str) -> bool:
    """Whether a route with parameters may have a path that a pattern matches."""
    return overlaps(_TEMPLATE.sub("*", pattern), _PARAMETER.sub("*", path))


def fits(pattern: str, text: str) -> bool:
    """Istio's patterns: a star at the beginning or the end."""
    if pattern == "*":
        return True
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def addresses(blocks: Iterable[Any]) -> Met:
    """Whether callers from anywhere have an address of these: some, all.

    Of narrow networks of the internet nobody else is; of private ones pods and neighbours may be.
    """
    found = NONE
    for block in blocks:
        try:
            network = ipaddress.ip_network(str(block), strict=False)
        except ValueError:
            return UNKNOWN
        if network.prefixlen <= _WIDE:
            found = found.either(ALL)
        elif any(network.version == one.version and network.overlaps(one) for one in _INSIDE):
            found = found.either(Met(State.UNKNOWN, State.NO))
    return found
