"""The policies without principals that apply to somebody, and their statements over the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assaymark.assess.aws import actions
from assaymark.assess.aws.compiled import NOTHING, Span
from assaymark.assess.aws.patterns import arn_matches, literal
from assaymark.assess.aws.request import SERVICE_LINKED
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.aws.applies import Lookup
    from assaymark.assess.aws.compiled import Compiled
    from assaymark.assess.aws.evaluate import Applies
    from assaymark.assess.aws.inventory import Atom, Inventory
    from assaymark.assess.aws.request import Principal
    from assaymark.assess.estate.aws import PolicyDocument

SIGNED = ("user", "role", "root")


class Row(NamedTuple):
    """A statement of a policy without principals.

    ``layer``: identity, boundary, endpoint, scp or rcp; ``document`` tells the policies of a layer apart; ``owner``:
    the account of the resources that an rcp is for. ``condition`` is None where it hangs on the request. ``sure`` is
    False for a policy of the organisation that may apply or not.
    """

    layer: str
    document: int
    owner: str
    compiled: Compiled
    condition: State | None
    certain: int
    perhaps: int
    sure: bool = True


def layers(
    applies: Applies, principal: Principal, lookup: Lookup, inventory: Inventory
) -> Iterator[tuple[str, str, Iterable[tuple[PolicyDocument, bool]]]]:
    """The layers that limit or allow: name, the account of the resources that an rcp is for, policies.

    Those of the organisation come with whether they apply for sure.
    """
    exempt = SERVICE_LINKED in principal.arn
    if applies.endpoint is not None:
        yield "endpoint", "", ((applies.endpoint, True),)
    yield "identity", "", [(document, True) for document in applies.identity]
    if applies.boundary is not None:
        yield "boundary", "", ((applies.boundary, True),)
    if principal.kind in SIGNED and not exempt and not applies.management:
        yield "scp", "", lookup.controls("scp", principal.account).each()
    if not exempt and lookup.estate.controls is not None:
        for owner in sorted({kind.owner for kind in inventory.kinds}):
            yield "rcp", owner, lookup.controls("rcp", owner).each()


def granted_span(lookup: Lookup, principal: Principal, atom: Atom) -> Span:
    """What grants on a key give somebody."""
    found = NOTHING
    if ":kms:" not in atom.arn or ":key/" not in atom.arn:
        return found
    for at in lookup.granted.get(atom.source, ()):
        grant = lookup.estate.grants[at]
        if arn_matches(literal(grant.grantee), principal.arn) is State.NO:
            continue
        bits = 0
        for operation in grant.operations:
            bits |= actions.bit(f"kms:{operation}")
        found = found.either(Span(0 if grant.constrained else bits, bits))
    return found


def directly_named(kind: str, everything: Span, ways: dict[str, Span], limit: Span) -> Span:
    """What a resource's policy gives within its account without any identity policy, as ``evaluate._direct``."""
    if kind in ("user", "root"):
        return ways["direct"].either(ways["everyone"])
    unlimited = Span(limit.yes, everything.maybe)
    return ways["direct"].both(limit).either(ways["everyone"].both(unlimited))


def treats_alike(rows: Iterable[Row], inventory: Inventory, mask: int) -> bool:
    """Whether all atoms of a mask are of one kind, and statements mean all of them or none, for certain."""
    first = inventory.atoms[(mask & -mask).bit_length() - 1]
    if mask & ~inventory.kinds[first.kind]:
        return False
    some = (row for row in rows if mask & (row.certain | row.perhaps))
    return all(not row.compiled.wild and not mask & row.perhaps and not mask & ~row.certain for row in some)
