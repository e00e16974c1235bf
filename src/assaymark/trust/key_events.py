"""The standing of keys: from which entry on nothing that a key signed counts. Format: docs/spec/key-event.md.

A key-event signed by the root role's threshold retires a key at its own place in the log, or declares it compromised
since an entry, possibly an earlier one. Both say the same thing in the end: the key's *cut*, the first index at which
what it signed counts no more. Order is (origin, index), never a claimed time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from assaymark.core.digest import digest_hex
from assaymark.core.statement import KEY_EVENT
from assaymark.trust.parse import ROOT_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assaymark.core.attestation import Attestation, Signer
    from assaymark.trust.document import Root

RETIRED: Final = "retired"
COMPROMISED: Final = "compromised"
KEY_KIND: Final = "key"
# Two events can each void the other; then no answer settles, and the strictest is taken.
_MAX_ROUNDS: Final = 32


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """What one entry says of a key. ``cut`` is the first index at which what the key signed counts no more."""

    key: str
    event: str
    cut: int
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """The cuts in force, by key id, and the events that made them."""

    cuts: Mapping[str, int]
    events: tuple[KeyEvent, ...]

    def counts(self, key: str, position: int, root: Root) -> bool:
        """Whether what a key of ``root`` signed in the entry at ``position`` counts.

        A former key without an event counts nowhere: nobody said until when it did.
        """
        cut = self.cuts.get(key)
        if cut is None:
            return not root.is_former(key)
        return position < cut


def key_standing(attestations: Iterable[Attestation], root: Root) -> KeyStanding:
    """The standing that the key-events among ``attestations`` (as ``trust.verify`` made them) give.

    An event counts when the root role's threshold of ``root`` signed it by keys that count at its place, the key that
    it is about left out: a thief does not speak for the key. As an event may cut off the signer of another one, the
    answer is the one that bears itself out; of events that void each other, all cuts hold.
    """
    events = [
        (item, event) for item in sorted(attestations, key=lambda item: item.position) for event in _events(item)
    ]
    standing = KeyStanding({}, ())
    seen: dict[str, int] = {}
    for _ in range(_MAX_ROUNDS):
        held = [event for item, event in events if _signed_by_root(item, event, standing, root)]
        cuts = _cuts(held)
        if cuts == standing.cuts:
            return KeyStanding(MappingProxyType(cuts), tuple(held))
        seen = _cuts(held, seen)
        standing = KeyStanding(cuts, tuple(held))
    return KeyStanding(MappingProxyType(seen), tuple(event for _, event in events if event.key in seen))


def counting(attestations: Iterable[Attestation], standing: KeyStanding, root: Root) -> tuple[Attestation, ...]:
    """The attestations, each with those of its signers whose keys count at its place."""
    return tuple(_strip(item, standing, root) for item in attestations)


def _strip(item: Attestation, standing: KeyStanding, root: Root) -> Attestation:
    signers = tuple(signer for signer in item.signers if standing.counts(signer.key_id, item.position, root))
    return item if len(signers) == len(item.signers) else replace(item, signers=signers)


def _events(item: Attestation) -> Sequence[KeyEvent]:
    """What an entry says of keys. A word that is not known, or an index that is none, cuts from the beginning."""
    statement = item.statement
    if statement.predicate_type != KEY_EVENT:
        return ()
    said, since = statement.predicate.get("event"), statement.predicate.get("since", 0)
    reason = statement.predicate.get("reason", "")
    cut = 0
    if said == RETIRED:
        cut = item.position
    elif said == COMPROMISED and type(since) is int:
        cut = min(max(since, 0), item.position)
    return [
        KeyEvent(
            digest_hex(subject.digest),
            said if said in (RETIRED, COMPROMISED) else COMPROMISED,
            cut,
            item.position,
            reason if isinstance(reason, str) else "",
        )
        for subject in statement.subjects
    ]


def _signed_by_root(item: Attestation, event: KeyEvent, standing: KeyStanding, root: Root) -> bool:
    signers = [signer for signer in item.signers if _speaks(signer, item.position, event, standing, root)]
    threshold = root.roles[ROOT_ROLE].threshold
    count = min(len({signer.person for signer in signers}), len({signer.key_id for signer in signers}))
    same_tenant = item.statement.predicate.get("tenant") == root.tenant
    return same_tenant and threshold is not None and count >= threshold


def _speaks(signer: Signer, position: int, event: KeyEvent, standing: KeyStanding, root: Root) -> bool:
    return ROOT_ROLE in signer.roles and signer.key_id != event.key and standing.counts(signer.key_id, position, root)


def _cuts(events: Iterable[KeyEvent], before: Mapping[str, int] | None = None) -> dict[str, int]:
    cuts = dict(before or {})
    for event in events:
        cuts[event.key] = min(event.cut, cuts.get(event.key, event.cut))
    return cuts
