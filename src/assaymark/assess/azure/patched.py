"""``patched_assignments``: what patches of files do to what principals of Azure may do, put to solvers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assaymark.assess.azure.formulas import DATA, Grant, language
from assaymark.assess.azure.least import needed_grants, replaced
from assaymark.assess.azure.roles import asked_actions
from assaymark.assess.azure.vaults import Vaults, with_policies
from assaymark.assess.proofs import patched_rewrite

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.azure.evaluate import Access
    from assaymark.assess.estate.azure import Azure, RoleDefinition
    from assaymark.assess.rewrite import Rewrite


def patched_assignments(
    before: Azure, after: Azure, needs: Mapping[str, Collection[tuple[str, str]]], now: datetime
) -> Iterator[Rewrite]:
    """What became of the assignments of each principal that patches changed; ``needs``: pairs by principals' nodes.

    Raises:
        UsageError: ``solver-missing``.
    """
    before, after = with_policies(before), with_policies(after)
    first, second = Vaults(before, now), Vaults(after, now)
    for principal in sorted({one.principal for one in before.assignments}):
        old, new = _grants(first, principal), _grants(second, principal)
        if [_said(one) for one in old] == [_said(one) for one in new]:
            continue
        there = {str(_said(one)) for one in new}
        known = {str(_said(one)) for one in old}
        scopes = {one.assignment.scope for one in (*old, *new)}
        yield patched_rewrite(
            f"azure:principal:{principal}",
            [replaced(first, principal, one.assignment) for one in old if str(_said(one)) not in there],
            [replaced(second, principal, one.assignment).policy for one in new if str(_said(one)) not in known],
            (new, old),
            language(before, principal, _actions(before, after), sorted(scopes), new),
            needed_grants(first, principal, needs.get(f"azure:principal:{principal}", ())),
        )


def _grants(access: Access, principal: str) -> list[Grant]:
    found = []
    for assignment, _ in access.held(principal):
        role = access.roles.get(assignment.role)
        found.append(Grant(assignment, role if role is not None and role.because is not None else None))
    return found


def _said(grant: Grant) -> tuple[object, ...]:
    """What a grant says, wherever it stands."""
    permissions = grant.role.permissions if grant.role is not None else ()
    return (repr(replace(grant.assignment, because=None)), permissions)  # type: ignore[arg-type]  # only compared


def _actions(*estates: Azure) -> list[str]:
    """What is asked about: the actions of the table, those that roles name, and one for each pattern of theirs."""
    found = {one.lower() for one in asked_actions()}
    for estate in estates:
        for role in estate.roles.values():
            found |= set(_named(role))
    return sorted(found)


def _named(role: RoleDefinition) -> Iterator[str]:
    for entry in role.permissions:
        for prefix, names in (
            ("", (*entry.actions, *entry.not_actions)),
            (DATA, (*entry.data_actions, *entry.not_data_actions)),
        ):
            yield from (f"{prefix}{name.lower().replace('*', 'example')}" for name in names)
