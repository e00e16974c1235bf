"""``patched_bindings``: what patches of files do to what members of Google Cloud may do, put to solvers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.gcp.evaluate import Access
from assaymark.assess.gcp.formulas import Grant, language
from assaymark.assess.gcp.least import needed_grants, node_of, replaced
from assaymark.assess.gcp.roles import asked_permissions
from assaymark.assess.proofs import patched_rewrite

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.estate.gcp import Gcp
    from assaymark.assess.rewrite import Rewrite


def patched_bindings(
    before: Gcp, after: Gcp, needs: Mapping[str, Collection[tuple[str, str]]], now: datetime
) -> Iterator[Rewrite]:
    """What became of the bindings of each member that patches changed; ``needs``: pairs by members' nodes.

    Raises:
        UsageError: ``solver-missing``.
    """
    first, second = Access(before, now), Access(after, now)
    for member in sorted({one for binding in before.bindings for one in binding.members}):
        if _own(before, member) == _own(after, member):
            continue
        old, new = _grants(first, member), _grants(second, member)
        there, known = ({_said(one) for one in some} for some in (new, old))
        permissions = {*asked_permissions(), *(one for role in _roles(before, after) for one in role)}
        node = node_of(before, member)
        yield patched_rewrite(
            node,
            [replaced(first, member, one.binding) for one in old if _said(one) not in there],
            [replaced(second, member, one.binding).policy for one in new if _said(one) not in known],
            (new, old),
            language(before, member, sorted(permissions), [one.binding.resource for one in (*old, *new)], now),
            needed_grants(first, member, needs.get(node, ())),
        )


def _roles(*estates: Gcp) -> Iterator[tuple[str, ...]]:
    return (role.permissions for estate in estates for role in estate.roles.values())


def _grants(access: Access, member: str) -> list[Grant]:
    return [
        Grant(binding, access.estate.roles.get(binding.role))
        for some in access.held(member).values()
        for binding, _ in some
    ]


def _own(estate: Gcp, member: str) -> set[tuple[object, ...]]:
    return {_said(Grant(one, estate.roles.get(one.role))) for one in estate.bindings if member in one.members}


def _said(grant: Grant) -> tuple[object, ...]:
    """What a grant says to a member, wherever it stands and whoever else has it."""
    one = grant.binding
    return (one.resource, one.role, one.condition, grant.role.permissions if grant.role is not None else ())
