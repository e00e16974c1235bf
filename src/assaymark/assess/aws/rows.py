"""The policies without principals that apply to somebody, and their statements over the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assaymark.assess.aws.request import SERVICE_LINKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.aws.applies import Lookup
    from assaymark.assess.aws.compiled import Compiled
    from assaymark.assess.aws.evaluate import Applies
    from assaymark.assess.aws.inventory import Inventory
    from assaymark.assess.aws.request import Principal
    from assaymark.assess.estate.aws import PolicyDocument
    from assaymark.core.graph import State

SIGNED = ("user", "role", "root")


class Row(NamedTuple):
    """A statement of a policy without principals.

    ``layer``: identity, boundary, scp or rcp; ``document`` tells the policies of a layer apart; ``owner``: the
    account of the resources that an rcp is for. ``condition`` is None where it hangs on the request.
    """

    layer: str
    document: int
    owner: str
    compiled: Compiled
    condition: State | None
    certain: int
    perhaps: int


def layers(
    applies: Applies, principal: Principal, lookup: Lookup, inventory: Inventory
) -> Iterator[tuple[str, str, Iterable[PolicyDocument]]]:
    """The layers that limit or allow: name, the account of the resources that an rcp is for, policies."""
    exempt = SERVICE_LINKED in principal.arn
    yield "identity", "", applies.identity
    if applies.boundary is not None:
        yield "boundary", "", (applies.boundary,)
    if principal.kind in SIGNED and not exempt and not applies.management:
        yield "scp", "", [document for level in applies.scps or () for document in level]
    if not exempt and lookup.estate.controls is not None:
        for owner in sorted({kind.owner for kind in inventory.kinds}):
            levels = lookup.controls("rcp", owner) or ()
            yield "rcp", owner, [document for level in levels for document in level]
