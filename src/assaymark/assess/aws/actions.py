"""AWS's actions: what they do, on what, and which condition keys a request for them carries.

The table is ``data/actions.json``, condensed by ``tools/aws_actions/make.py`` from the Service Authorization
Reference; its ``source`` says which. It is read at first use, each service when it is asked for. Sets of actions
are sets of bits in an integer, a bit for each action in the order of services and names, so that policies combine
by ``&`` and ``|``.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.data_actions import content_class, told_class
from assaymark.assess.unresolved import HOLE, pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLASSES: Final = (
    *("list", "read", "write", "delete", "manage", "permissions", "invoke", "decrypt", "assume", "pass"),
)
_LEVELS: Final = {"L": "list", "R": "read", "W": "write", "T": "manage", "P": "permissions"}
_SEGMENTS: Final = 6  # of an ARN


@dataclass(frozen=True, slots=True)
class Action:
    """An action. ``level`` is the reference's: List, Read, Write, Tagging, Permissions management, by first letter.

    ``resources`` are the names of resource types, none when it takes ``*`` alone. ``keys``: condition keys in lower
    case that it has itself, ``*`` for their variable part. ``together``: of which types a request has one each, when
    they are several, so that all of them must be allowed.
    """

    name: str
    level: str
    resources: tuple[str, ...]
    keys: frozenset[str]
    together: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Type:
    """A type of resource: its ARN with ``*`` for what varies, and the condition keys that it brings."""

    service: str
    name: str
    arn: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Service:
    """A service's actions by name in lower case, and its types by name. ``first`` is the bit of its first action."""

    prefix: str
    first: int
    actions: Mapping[str, Action]
    types: Mapping[str, Type]


class _Table:
    def __init__(self, text: bytes) -> None:
        raw = json.loads(text)
        self.source: str = raw["source"]
        self.passes_role: tuple[str, ...] = tuple(raw["passes_role"])
        self.rcp: tuple[str, ...] = tuple(raw["rcp"])
        self._names: list[str] = raw["names"].split(" ")
        self._lists: list[str] = raw["keys"]
        self._raw: dict[str, Any] = raw["services"]
        self.first: dict[str, int] = {}
        count = 0
        for prefix, item in self._raw.items():
            self.first[prefix] = count
            count += item["n"]
        self.count = count
        self.everything = (1 << count) - 1
        self.prefixes = list(self.first)
        self.starts = list(self.first.values())
        self.names: dict[str, list[str]] = {}
        self._services: dict[str, Service] = {}
        self._keys: dict[int, frozenset[str]] = {}

    def keys(self, number: int) -> frozenset[str]:
        if number not in self._keys:
            self._keys[number] = frozenset(self._names[int(at)] for at in self._lists[number].split())
        return self._keys[number]

    def size(self, prefix: str) -> int:
        return int(self._raw[prefix]["n"])

    def types(self, prefix: str) -> dict[str, Type]:
        """The types alone, without the work that the actions take."""
        found = {}
        for name, (arn, keys) in self._raw[prefix]["t"].items():
            whole = arn if arn.startswith("arn:") else f"arn:*:{prefix}:*:*:{arn}"
            found[name] = Type(prefix, name, whole, self.keys(keys))
        return found

    def service(self, prefix: str) -> Service | None:
        if prefix not in self._raw:
            return None
        if prefix not in self._services:
            types = self.types(prefix)
            order = tuple(types)
            actions = {}
            for level, kinds, keys, names in self._raw[prefix]["a"]:
                resources = tuple(order[int(at.rstrip("!"))] for at in kinds.split())
                together = tuple(order[int(at[:-1])] for at in kinds.split() if at.endswith("!"))
                for name in _spread(names):
                    actions[name.lower()] = Action(f"{prefix}:{name}", level, resources, self.keys(keys), together)
            self._services[prefix] = Service(prefix, self.first[prefix], dict(sorted(actions.items())), types)
        return self._services[prefix]


def _spread(names: str) -> Iterator[str]:
    """The names of ``Create(Agent Flow) Retrieve``."""
    word = ""
    for part in names.split(" "):
        head, opening, rest = part.partition("(")
        if opening:
            word = head
        name = rest if opening else part
        yield word + name.removesuffix(")")
        if name.endswith(")"):
            word = ""


@cache
def _table() -> _Table:
    """The table, through the loader of this module, which works from a folder, a wheel and a zip archive alike."""
    loader: Any = __spec__.loader  # a module that is imported has one
    return _Table(loader.get_data(__file__.removesuffix("actions.py") + "data/actions.json"))


def source() -> str:
    """Where the table's facts are from."""
    return _table().source


def everything() -> int:
    """The set of all actions."""
    return _table().everything


def services() -> tuple[str, ...]:
    """All service prefixes, in order."""
    return tuple(_table().first)


def service(prefix: str) -> Service | None:
    """A service's actions and types; None when the table has none of that prefix."""
    return _table().service(prefix.lower())


@cache
def under_rcp() -> int:
    """The set of the actions that resource control policies are about.

    Source: AWS Organizations User Guide, "List of AWS services that support RCPs", as of the table; AWS KMS Developer
    Guide, "Resource control policies in AWS KMS": none is about ``kms:RetireGrant``.
    """
    found = 0
    for prefix in _table().rcp:
        found |= expand(f"{prefix}:*")
    return found & ~bit("kms:RetireGrant")


def is_under_rcp(action: str) -> bool:
    """Whether resource control policies are about the action, known to the table or not."""
    prefix = action.partition(":")[0].lower()
    return prefix in _table().rcp and action.lower() != "kms:retiregrant"


def find(action: str) -> Action | None:
    """The action of a name like ``s3:GetObject`` in any case; None when the table does not have it."""
    prefix, _, name = action.lower().partition(":")
    found = _table().service(prefix)
    return found.actions.get(name) if found else None


def bit(action: str) -> int:
    """The set of that one action, empty (0) when the table does not have it."""
    prefix, _, name = action.lower().partition(":")
    return _bits(prefix).get(name, 0)


@cache
def _bits(prefix: str) -> dict[str, int]:
    found = _table().service(prefix)
    if found is None:
        return {}
    return {name: 1 << (found.first + index) for index, name in enumerate(found.actions)}


@lru_cache(maxsize=100_000)
def expand(pattern: str) -> int:
    """The set of the actions that a policy's action pattern matches, without regard to case."""
    table = _table()
    prefix, colon, name = pattern.lower().partition(":")
    if not colon:
        return table.everything if prefix and not prefix.strip("*") else 0
    if "*" in prefix or "?" in prefix:
        match = _glob(prefix).fullmatch
        prefixes = [one for one in table.first if match(one)]
    else:
        prefixes = [prefix] if prefix in table.first else []
    found = 0
    everything_in = name != "" and not name.strip("*")
    for one in prefixes:
        if everything_in:
            found |= ((1 << table.size(one)) - 1) << table.first[one]
        elif "*" in name or "?" in name:
            match = _glob(name).fullmatch
            for other, mask in _bits(one).items():
                if match(other):
                    found |= mask
        else:
            found |= _bits(one).get(name, 0)
    return found


@lru_cache(maxsize=1_000)
def _glob(pattern: str) -> re.Pattern[str]:
    """Names of actions are short, so backtracking costs nothing that matters; runs of ``*`` are one."""
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in re.sub(r"\*+", "*", pattern)))


def expand_known(pattern: str) -> tuple[int, int]:
    """The sets of actions that a pattern matches for certain, and perhaps, when a template left a part of it open."""
    text = pattern_of(pattern)
    if HOLE not in text:
        return expand(text), 0
    if not text.replace(HOLE, "").strip("*"):
        return 0, everything()
    return 0, expand(text.replace(HOLE, "*"))


def names_of(bits: int) -> Iterator[str]:
    """The names of a set's actions, in order."""
    table = _table()
    for prefix, first in table.first.items():
        part = bits >> first & ((1 << table.size(prefix)) - 1)
        found = table.service(prefix) if part else None
        if found is None:
            continue
        for index, action in enumerate(found.actions.values()):
            if part >> index & 1:
                yield action.name


def name_at(index: int) -> str:
    """The name of the action that has that bit."""
    table = _table()
    found = table.service(table.prefixes[bisect_right(table.starts, index) - 1])
    if found is None:
        raise IndexError(index)
    if found.prefix not in table.names:
        table.names[found.prefix] = [action.name for action in found.actions.values()]
    return table.names[found.prefix][index - found.first]


def access_class(action: str) -> str:
    """One of CLASSES: what being allowed the action gives.

    ``list``, ``read``, ``write`` and ``permissions`` are the reference's levels (an action that the table does not
    have counts as written), but that ``read``, ``write`` and ``delete`` are of content where ``data_actions`` tells,
    and ``manage`` is the rest of these levels, and tagging; ``invoke`` runs a model or code, ``decrypt`` uses a key
    to get plaintext or data keys, ``assume`` gives credentials of another identity, ``pass`` gives a role to a
    service.
    """
    name = action.lower()
    told = told_class(name)
    if told:
        return told
    found = find(name)
    return content_class(name, _LEVELS[found.level]) if found else "write"


@cache
def class_bits() -> dict[str, int]:
    """The set of actions of each of CLASSES."""
    table = _table()
    found = dict.fromkeys(CLASSES, 0)
    for prefix in table.first:
        for name, mask in _bits(prefix).items():
            found[access_class(f"{prefix}:{name}")] |= mask
    return found


@cache
def _types_by_arn() -> dict[str, list[Type]]:
    """Types by the service segment of their ARN, which may be another service's: sessions run on instances."""
    found: dict[str, list[Type]] = {}
    table = _table()
    for prefix in table.first:
        for kind in table.types(prefix).values():
            parts = kind.arn.split(":", 5)
            if len(parts) == _SEGMENTS:
                found.setdefault(parts[2], []).append(kind)
    return found


@cache
def _forms(owner: str) -> list[tuple[Type, re.Pattern[str], re.Pattern[str]]]:
    """Types whose ARN has that service segment, with what their ARNs look like: closely, and at most."""
    found = []
    for kind in _types_by_arn().get(owner, []):
        *heads, rest = (re.escape(part) for part in kind.arn.split(":", 5))
        head = ":".join(part.replace(r"\*", "[^:]*") for part in heads) + ":"
        strict = re.compile(head + rest.replace(r"\*", "[^/:]+"))
        loose = re.compile(head + rest.replace(r"\*", ".+"))
        found.append((kind, strict, loose))
    return found


@lru_cache(maxsize=200_000)
def types_of(arn: str) -> tuple[Type, ...]:
    """The types of resource that an ARN can be of: those that fit closest, in the order of the table."""
    parts = arn.split(":", 5)
    if len(parts) != _SEGMENTS:
        return ()
    candidates = _forms(parts[2])
    strict = [kind for kind, one, _ in candidates if one.fullmatch(arn)]
    if strict:
        return tuple(strict)
    loose = [kind for kind, _, many in candidates if many.fullmatch(arn)]
    most = max((len(kind.arn.replace("*", "")) for kind in loose), default=0)
    return tuple(kind for kind in loose if len(kind.arn.replace("*", "")) == most)


@lru_cache(maxsize=10_000)
def _acting_on(kinds: tuple[Type, ...]) -> int:
    found = 0
    for kind in kinds:
        owner = _table().service(kind.service)
        if owner is None:
            continue
        bits = _bits(kind.service)
        for name, action in owner.actions.items():
            if kind.name in action.resources:
                found |= bits[name]
    return found


def actions_for(arn: str) -> int:
    """The set of the actions that the resource of that ARN can be the resource of."""
    return _acting_on(types_of(arn))
