"""The evidence that a decision was given, by subject; and which of its signers are one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.limits import TREE_MAX_SIZE
from assaymark.core.statement import APPROVAL, CONFIGURATION, CONTAINMENT, EXCEPTION, NOT_EVIDENCE, OPINION
from assaymark.policy.document import About, own_about, same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.attestation import Attestation, Signer
    from assaymark.core.decision import Request, Scope
    from assaymark.core.statement import Statement

LIFT: Final = "lift"
ANY_MODEL: Final = "any"
_ABSENT: Final = object()
# Statements whose format demands ``afterEntry``: without it nobody knows what their signer knew.
_SAY_AFTER: Final = (APPROVAL, CONTAINMENT, EXCEPTION, OPINION)


@dataclass(frozen=True, slots=True)
class Window:
    """Entries with ``after < position < below`` count; what a lift needs must come after the containment.

    ``now`` is the time at which an entry's age is asked for, in seconds.
    """

    now: int
    after: int = -1
    below: int = TREE_MAX_SIZE

    def holds(self, attestation: Attestation) -> bool:
        """Whether the entry lies inside, and its signer knew of the containment that opens the window.

        A statement with ``afterEntry`` says how many entries its signer took into account: one that was signed
        before the containment and logged after it does not answer it. Neither does an approval, an exception, an
        opinion or a lift that does not say: their format demands it.
        """
        if not self.after < attestation.position < self.below:
            return False
        if self.after < 0:
            return True
        seen = attestation.statement.predicate.get("afterEntry", _ABSENT)
        if seen is _ABSENT:
            return attestation.statement.predicate_type not in _SAY_AFTER
        return type(seen) is int and seen > self.after


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries on one subject, sorted by position, each once; and which of their signers are one.

    ``signers`` are one by key or principal, ``people`` also through the workloads that they answer for.
    """

    items: tuple[Attestation, ...]
    signers: Groups
    people: Groups


class Closure:
    """All entries that a decision rests on, below a tree size, but decisions and attempts; by subject.

    ``given`` are the entries in the order of the log, each once, and ``inputs`` their indices and envelope digests;
    ``items`` are the same entries with those of their signers who had not said the very same before.
    """

    def __init__(self, attestations: Iterable[Attestation], below: int = TREE_MAX_SIZE) -> None:
        distinct = {
            (item.position, item.envelope.digest): item
            for item in attestations
            if item.position < below and item.statement.predicate_type not in NOT_EVIDENCE
        }
        self.inputs = tuple(sorted(distinct))
        self.given = tuple(distinct[key] for key in self.inputs)
        self.items = _said_first(self.given)
        self._signers = Groups(self.items, workloads=False)
        self._people = Groups(self.items, workloads=True)
        self._by_digest: dict[str, list[Attestation]] = {}
        for item in self.items:
            for digest in {subject.digest for subject in item.statement.subjects}:
                self._by_digest.setdefault(digest, []).append(item)

    def on(self, digest: str, configures: str = "") -> Entries:
        """The entries on a subject. ``configures`` is the model whose configuration it is, or ``ANY_MODEL``.

        A statement is about each of its subjects (in-toto Statement v1), but where its format gives them different
        parts: see ``is_about``.
        """
        found = (item for item in self._by_digest.get(digest, ()) if is_about(item.statement, digest, configures))
        return Entries(tuple(found), self._signers, self._people)

    def own(self, request: Request) -> Entries:
        """The entries on the request's subject."""
        own = own_about(request.subject.kind)
        return self.on(request.subject.digest, ANY_MODEL if own is About.CONFIGURATION else "")


def is_about(statement: Statement, digest: str, configures: str) -> bool:
    """Whether a statement with the subject ``digest`` counts as one about it.

    A configuration statement binds files, its further subjects, to a model, its first. It speaks of the first as a
    model, and of a file only as the configuration of that model: being bound to another one says nothing here.
    """
    if statement.predicate_type != CONFIGURATION:
        return True
    model, *files = (subject.digest for subject in statement.subjects)
    return model == digest if not configures else digest in files and configures in (ANY_MODEL, model)


def in_scope(attestation: Attestation, scope: Scope) -> bool:
    """Whether the statement holds for the environment and tenant: it names them, or names none."""
    predicate = attestation.statement.predicate
    return same(predicate.get("environment", scope.environment), scope.environment) and same(
        predicate.get("tenant", scope.tenant), scope.tenant
    )


def names_scope(predicate: dict[str, Any], scope: Scope) -> bool:
    """Whether the predicate names exactly this environment and tenant."""
    return (predicate.get("environment"), predicate.get("tenant")) == (scope.environment, scope.tenant)


def _said_first(items: Iterable[Attestation]) -> tuple[Attestation, ...]:
    """The entries, each with those of its signers who had not said the very same before.

    A signature holds in any envelope: with other white space, base64 or key ids the old bytes are a new entry, that
    anyone may log. Whoever signed must not be taken to say it anew. A containment is: doubt contains.
    """
    said: set[tuple[str, bytes]] = set()
    kept = []
    for item in items:
        payload = item.statement.payload
        signers = tuple(signer for signer in item.signers if (signer.key_id, payload) not in said)
        said.update((signer.key_id, payload) for signer in signers)
        kept.append(item if len(signers) == len(item.signers) or _contains(item) else replace(item, signers=signers))
    return tuple(kept)


def _contains(item: Attestation) -> bool:
    return item.statement.predicate_type == CONTAINMENT and item.statement.predicate.get("action") != LIFT


class Groups:
    """Signers that are one: the same key under two names, one principal with two keys, a person and a workload.

    ``trust`` refuses a root in which a key has two owners; this counts rightly all the same.
    """

    def __init__(self, entries: tuple[Attestation, ...], *, workloads: bool) -> None:
        self._parent: dict[str, str] = {}
        joined: set[tuple[str, str, str]] = set()
        for item in entries:
            for signer in item.signers:
                if (signer.principal, signer.key_id, signer.registered_by) in joined:
                    continue
                joined.add((signer.principal, signer.key_id, signer.registered_by))
                self._join("principal " + signer.principal, "key " + signer.key_id)
                if workloads and signer.registered_by:
                    self._join("principal " + signer.principal, "principal " + signer.registered_by)

    def mark(self, signer: Signer) -> str:
        """The same text for two signers exactly when they are one."""
        return self._find("key " + signer.key_id)

    def _find(self, name: str) -> str:
        while (parent := self._parent.setdefault(name, name)) != name:
            name = parent
        return name

    def _join(self, one: str, other: str) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        self._parent[second] = first
