"""Which entries a decision rests on: those on the subject, on its ancestors and on the configurations bound to it.

Every key-event of the log belongs to it besides (there are few), so that leaving out a revocation shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.core.limits import LINEAGE_MAX_SUBJECTS
from assaymark.core.statement import CONFIGURATION, KEY_EVENT, NOT_EVIDENCE
from assaymark.policy.lineage import configurations_bound, parents_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.core.attestation import Attestation


def belongs(item: Attestation, digest: str) -> bool:
    """Whether an entry on some digest of the closure of the subject ``digest`` belongs to it.

    Decisions and attempts follow from evidence. A statement that binds a configuration to another model says
    nothing about this one, and a common configuration is bound to many.
    """
    statement = item.statement
    if statement.predicate_type in NOT_EVIDENCE:
        return False
    return statement.predicate_type != CONFIGURATION or any(
        subject.digest == digest for subject in statement.subjects
    )


def closure(digest: str, entries_on: Callable[[str], Iterable[Attestation]]) -> dict[int, Attestation]:
    """The closure of a subject, by position, without the key-events; ``entries_on`` gives the entries on a digest.

    What a provenance names is followed whoever signed it: who judges the lineage must see that nobody did.

    Raises:
        InputError: ``lineage-limit`` above ``LINEAGE_MAX_SUBJECTS`` subjects.
    """
    found: dict[int, Attestation] = {}
    pending, seen = [digest], {digest}
    while pending:
        here = pending.pop()
        items = [item for item in entries_on(here) if belongs(item, digest)]
        found |= {item.position: item for item in items}
        about = [item for item in items if any(subject.digest == here for subject in item.statement.subjects)]
        related = parents_named(about)
        if here == digest:
            related |= configurations_bound(digest, about)
        pending += sorted(related - seen)
        seen |= related
        if len(seen) > LINEAGE_MAX_SUBJECTS:
            raise InputError("lineage-limit", f"more than {LINEAGE_MAX_SUBJECTS} ancestors", source=digest)
    return found


def is_closed(digest: str, attestations: Iterable[Attestation]) -> bool:
    """Whether every one of ``attestations`` is a key-event or belongs to the closure that they themselves span."""
    items = tuple(attestations)
    about: dict[str, list[Attestation]] = {}
    for item in items:
        for named in {subject.digest for subject in item.statement.subjects}:
            about.setdefault(named, []).append(item)
    spanned = closure(digest, lambda named: about.get(named, ()))
    return all(item.position in spanned or item.statement.predicate_type == KEY_EVENT for item in items)
