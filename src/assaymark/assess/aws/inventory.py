"""What the actions of an estate can be about, as bits, so that a policy's resources are sets of bits too.

An atom is one ARN that requests name. A bucket has two: itself, and some object of it that no policy spells out; a
role has two: itself, and what its trust policy decides. Atoms of one ``Kind`` differ in their names alone, so what
a policy says of one it says of all that its resource patterns match.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.aws import actions
from assaymark.assess.aws.conditions import condition_keys, variables
from assaymark.assess.aws.patterns import FRESH, LETTER, SUFFIX, arn_matches, glob, meet_arns, segments
from assaymark.assess.aws.request import BOUNDARY, BOUNDARY_KEY, TRUST_ACTIONS
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from assaymark.assess.aws.applies import Lookup
    from assaymark.assess.estate.aws import Estate, PolicyDocument

_SEGMENTS = 6
_KEPT = 10_000  # sets of atoms; an estate has as many as its principals are told apart by


class Kind(NamedTuple):
    """What evaluation looks at of an atom besides its name.

    ``tags``: those that some condition of the estate looks at. ``policy``: what the atom's own policy says, its own
    ARN left out, so that a thousand buckets with one text are of one kind; None without a policy.
    """

    actions: int
    owner: str
    region: str
    types: tuple[actions.Type, ...]
    tags: tuple[tuple[str, str], ...]
    policy: Hashable


@dataclass(frozen=True, slots=True)
class Atom:
    """One ARN of requests.

    ``source`` is the ARN that the estate has it under, ``shown`` how answers name it; ``policy``: what of the
    resource's policies applies. ``alone``: its policy or grants are like no other's.
    """

    arn: str
    source: str
    shown: str
    kind: Kind
    policy: PolicyDocument | None = None
    alone: bool = False


def trust_bits() -> int:
    """The set of the actions that a role's trust policy decides."""
    found = 0
    for name in TRUST_ACTIONS:
        found |= actions.bit(name)
    return found


# Six letters of one case are a word of the name rather than what Secrets Manager made up.
_WHOLE_SECRET: Final = re.compile(rf"-(?![a-z]{{6}}$|[A-Z]{{6}}$)[A-Za-z0-9{LETTER}]{{6}}$|{HOLE}$")


def request_arn(arn: str) -> str:
    """The ARN of a resource of the estate, in which ``*`` and ``?`` are what its template left open.

    A template knows a secret by its name; its ARN ends with six characters more, which policies mean by ``-??????``.
    """
    found = pattern_of(arn).replace("*", HOLE).replace("?", LETTER)
    made = ":secretsmanager:" in found and ":secret:" in found and not _WHOLE_SECRET.search(found)
    return found + SUFFIX if made else found


class Inventory:
    """The atoms of an estate, and which of them a resource pattern matches."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._looked_at = _keys_in_policies(lookup.estate)
        tags = {key.partition("resourcetag/")[2] for key in self._looked_at if "resourcetag/" in key}
        self._tags = tuple(sorted(tags | ({BOUNDARY} if BOUNDARY_KEY in self._looked_at else set())))
        self.atoms: list[Atom] = sorted(self._all(), key=lambda atom: (atom.arn, atom.kind.actions))
        self.everything = (1 << len(self.atoms)) - 1
        self.kinds: dict[Kind, int] = {}
        self.alone = 0
        self.things = 0  # atoms of what is no user, role or group
        self._by_service: dict[str, list[tuple[str, int]]] = {}
        self._odd: dict[str, list[int]] = {}
        for index, atom in enumerate(self.atoms):
            self.kinds[atom.kind] = self.kinds.get(atom.kind, 0) | 1 << index
            if atom.alone:
                self.alone |= 1 << index
            if atom.source not in lookup.estate.identities:
                self.things |= 1 << index
            parts = atom.arn.split(":", _SEGMENTS - 1)
            service = parts[2] if len(parts) == _SEGMENTS else ""
            if len(parts) < _SEGMENTS or HOLE in atom.arn or LETTER in atom.arn:
                self._odd.setdefault(service, []).append(index)
            else:
                self._by_service.setdefault(service, []).append((parts[5], index))
        for rows in self._by_service.values():
            rows.sort()
        self._of: dict[int, list[Atom]] = {}
        self._levels: dict[tuple[int, bool], int] = {}
        self._matches: dict[str, tuple[int, int]] = {}
        self._keys: dict[str, list[tuple[str, str]]] = {}

    def of(self, mask: int) -> list[Atom]:
        """The atoms of a set of bits."""
        found = self._of.get(mask)
        if found is None:
            if len(self._of) >= _KEPT:
                self._of.clear()
            found = self._of[mask] = [self.atoms[index] for index in indices(mask)]
        return found

    def level(self, mask: int, *, objects: bool) -> int:
        """For atoms of buckets or of their objects those of the objects, or the buckets; 0 where one is no such."""
        key = (mask, objects)
        if key not in self._levels:
            if len(self._levels) >= _KEPT:
                self._levels.clear()
            found = 0
            for atom in self.of(mask):
                bucket = atom.shown.removesuffix("/*")
                bit = self._shown.get(f"{bucket}/*" if objects else bucket, 0)
                if not bit:
                    found = 0
                    break
                found |= bit
            self._levels[key] = found
        return self._levels[key]

    @cached_property
    def _shown(self) -> dict[str, int]:
        """The bit of each thing's atom by how answers name it."""
        return {atom.shown: 1 << index for index, atom in enumerate(self.atoms) if self.things >> index & 1}

    def looks_at(self, key: str) -> bool:
        """Whether some policy of the estate looks at a condition key, given in lower case."""
        return key in self._looked_at

    def _all(self) -> Iterator[Atom]:
        estate = self._lookup.estate
        for arn in {**estate.identities, **estate.resources}:
            yield from self.atoms_of(arn)
            if is_bucket(arn):
                yield self.object_atom(arn, FRESH)

    def atoms_of(self, arn: str) -> Iterator[Atom]:
        """What requests for an ARN are about; the ARN need not be one of the estate."""
        estate = self._lookup.estate
        identity = estate.identities.get(arn)
        trust = trust_bits()
        if identity is not None:
            yield self.atom(arn, arn, without=trust if identity.kind == "role" else 0)
            if identity.kind == "role":
                yield self.atom(arn, arn, within=trust, policy=identity.trust)
            return
        if ":role/" in arn:
            yield self.atom(arn, arn, without=trust)
            yield self.atom(arn, arn, within=trust)
            return
        resource = self._lookup.resource(arn)
        policy = resource.policy if resource else None
        yield self.atom(arn, arn, policy=policy)

    def object_atom(self, bucket: str, key: str) -> Atom:
        """Some object of a bucket."""
        resource = self._lookup.estate.resources[bucket]
        return self.atom(f"{bucket}/{key}", f"{bucket}/*", policy=resource.policy)

    def atom(
        self,
        arn: str,
        shown: str,
        *,
        within: int | None = None,
        without: int = 0,
        policy: PolicyDocument | None = None,
    ) -> Atom:
        """The atom of an ARN, for the actions that such an ARN has, or some of them."""
        asked = request_arn(arn)
        possible = actions.actions_for(asked)
        possible = possible & within if within is not None else possible & ~without
        parts = asked.split(":", _SEGMENTS - 1)
        region = parts[3] if len(parts) == _SEGMENTS else ""
        owner = self._lookup.owner(self._lookup.resource(arn), asked)
        given = self._lookup.tags(arn)
        tags = {key.lower(): value for key, value in (given or {}).items()}
        known = tuple((key, tags[key]) for key in self._tags if key in tags)
        if given is None and self._tags:
            known = (("", ""),)  # to have no tags is something else than that nobody knows them
        said = _said(policy, shown.removesuffix("/*")) if policy else None
        alone = arn in self._lookup.granted or (policy is not None and said is None)
        kind = Kind(possible, owner, region, actions.types_of(asked), known, said)
        return Atom(asked, arn, shown, kind, policy, alone)

    @cached_property
    def named(self) -> tuple[dict[str, int], int]:
        """The atoms whose own policy may allow somebody by itself: by ``name_of`` whom it names, and anybody."""
        exact: dict[str, int] = {}
        anybody = 0
        for index, atom in enumerate(self.atoms):
            for name in self._names(atom):
                if name is None:
                    anybody |= 1 << index
                else:
                    exact[name] = exact.get(name, 0) | 1 << index
        return exact, anybody

    def _names(self, atom: Atom) -> Iterator[str | None]:
        for at in self._lookup.granted.get(atom.source, ()):
            yield name_of(self._lookup.estate.grants[at].grantee)
        for statement in atom.policy.statements if atom.policy else ():
            if statement.effect != "Allow":
                continue
            if statement.not_principals is not None:
                yield None
            for kind, values in (statement.principals or {}).items():
                for value in values:
                    text = pattern_of(value)
                    vague = kind in ("*", "CanonicalUser") or text == "*" or HOLE in text or ":assumed-role/" in text
                    yield None if vague else name_of(text)

    def matching(self, pattern: str) -> tuple[int, int]:
        """The atoms that a resource pattern without variables matches for certain, and those that it may match."""
        found = self._matches.get(pattern)
        if found is None:
            found = self._matches[pattern] = self._match(pattern)
        return found

    @cached_property
    def bucket_policies(self) -> list[tuple[str, PolicyDocument]]:
        """The buckets that have a policy which speaks of some objects and not of others."""
        found = []
        for arn, resource in sorted(self._lookup.estate.resources.items()):
            if not is_bucket(arn) or resource.policy is None:
                continue
            for statement in resource.policy.statements:
                if any(pattern_of(one) not in ("*", f"{arn}/*") and "/" in one for one in statement.resources):
                    found.append((arn, resource.policy))
                    break
        return found

    def keys_of(self, pattern: str) -> list[tuple[str, str]]:
        """For a pattern that means some objects of a bucket, not all: the bucket, and the key of such an object."""
        found = self._keys.get(pattern)
        if found is None:
            found = self._keys[pattern] = list(self._find_keys(pattern))
        return found

    def _find_keys(self, pattern: str) -> Iterator[tuple[str, str]]:
        parts = segments(pattern)
        if (pattern.endswith(("/*", ":*")) and pattern.count("/") < 2) or len(parts) != _SEGMENTS:  # noqa: PLR2004
            return
        if not glob(parts[2], "s3") or "/" not in parts[5] + ("/" if "*" in parts[5] else ""):
            return
        name = parts[5].partition("/")[0]
        named = f"{parts[0]}:{parts[1]}:s3:::{name}"
        plain = not set("*?") & set(name + parts[1])
        if not glob(parts[3], "") or not glob(parts[4], ""):
            return
        head = name.partition("*")[0].partition("?")[0]
        for bucket in ([named] if named in self.buckets else []) if plain else self.buckets:
            if not bucket.rpartition(":")[2].startswith(head):
                continue
            key = bucket_key(bucket, ":".join(parts))
            if key is not None and key != FRESH:
                yield bucket, key

    @cached_property
    def buckets(self) -> dict[str, None]:
        """The buckets of the estate."""
        return dict.fromkeys(arn for arn in sorted(self._lookup.estate.resources) if is_bucket(arn))

    def _match(self, pattern: str) -> tuple[int, int]:
        if pattern and not pattern.strip("*"):
            return self.everything, 0
        certain = perhaps = 0
        for index in self._candidates(pattern):
            state = arn_matches(pattern, self.atoms[index].arn)
            if state is State.YES:
                certain |= 1 << index
            elif state is State.UNKNOWN:
                perhaps |= 1 << index
        return certain, perhaps

    def _candidates(self, pattern: str) -> Iterator[int]:
        parts = segments(pattern)
        if len(parts) != _SEGMENTS:
            yield from range(len(self.atoms))
            return
        service, rest = parts[2], parts[5]
        wild = any(letter in service for letter in ("*", "?", HOLE))
        services = self._by_service if wild else (service,)
        head = rest
        for letter in ("*", "?", HOLE, "\ue000", "\ue001"):
            head = head.partition(letter)[0]
        for name in services:
            rows = self._by_service.get(name, [])
            at = bisect_left(rows, (head, -1))
            while at < len(rows) and rows[at][0].startswith(head):
                yield rows[at][1]
                at += 1
        for name in self._odd if wild else (service, ""):
            yield from self._odd.get(name, ())


def _said(policy: PolicyDocument, arn: str) -> Hashable:
    """What a policy says of its resource, whose ARN is left out; None when it speaks of parts of it."""
    own = {"*": "*", arn: "own", f"{arn}/*": "own/*"}
    found: list[Hashable] = [policy.version]
    for one in policy.statements:
        if one.not_resources is not None or any(pattern_of(text) not in own for text in one.resources):
            return None
        found.append(
            (
                one.effect,
                _texts(one.actions),
                _texts(one.not_actions),
                tuple(own[pattern_of(text)] for text in one.resources),
                _mapped(one.principals),
                _mapped(one.not_principals),
                tuple((operator, _mapped(keys)) for operator, keys in one.condition.items()),
            )
        )
    return tuple(found)


def _texts(values: tuple[str, ...] | None) -> Hashable:
    return None if values is None else tuple(pattern_of(value) for value in values)


def _mapped(values: Mapping[str, tuple[str, ...]] | None) -> Hashable:
    return None if values is None else tuple((key, _texts(texts)) for key, texts in values.items())


def _keys_in_policies(estate: Estate) -> frozenset[str]:
    """The condition keys that some policy looks at, in lower case."""
    documents: list[PolicyDocument] = []
    for identity in estate.identities.values():
        documents += identity.policies
        documents += [one for one in (identity.boundary, identity.trust) if one is not None]
    documents += [resource.policy for resource in estate.resources.values() if resource.policy is not None]
    documents += [control.document for control in estate.controls or ()]
    documents += [endpoint.policy for endpoint in estate.endpoints if endpoint.policy is not None]
    found: set[str] = set()
    for document in documents:
        for statement in document.statements:
            found |= condition_keys(statement.condition)
            for text in (*statement.resources, *(statement.not_resources or ())):
                found |= variables(text)
    return frozenset(found)


def bucket_key(bucket: str, pattern: str) -> str | None:
    """The key of an object of the bucket that the pattern means; FRESH when it means all; None when it means none."""
    if arn_matches(pattern, f"{bucket}/{FRESH}") is State.YES:
        return FRESH
    found = meet_arns(f"{bucket}/*", pattern)
    return found.removeprefix(f"{bucket}/") if found is not None else None


def name_of(arn: str) -> str:
    """An ARN without its account, which a template may not know."""
    parts = arn.split(":", _SEGMENTS - 1)
    return f"{parts[2]}:{parts[5]}" if len(parts) == _SEGMENTS else arn


def is_bucket(arn: str) -> bool:
    """Whether an ARN is a bucket's."""
    parts = arn.split(":", _SEGMENTS - 1)
    return len(parts) == _SEGMENTS and parts[2] == "s3" and not parts[3] and "/" not in parts[5]


def indices(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set, from the lowest."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
