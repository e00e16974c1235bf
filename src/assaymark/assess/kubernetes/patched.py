"""``patched_roles``: what patches of files do to what subjects may do in a cluster, put to solvers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assaymark.assess.kubernetes.formulas import language
from assaymark.assess.kubernetes.least import held_by, needed_rules, replaced
from assaymark.assess.kubernetes.rbac import bound
from assaymark.assess.proofs import patched_rewrite

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from assaymark.assess.estate.kubernetes import Cluster
    from assaymark.assess.kubernetes.rbac import Rule
    from assaymark.assess.rewrite import Rewrite


def patched_roles(
    before: Cluster, after: Cluster, needs: Mapping[str, Collection[tuple[str, str]]]
) -> Iterator[Rewrite]:
    """What became of the rules of each subject that patches changed; ``needs``: pairs by the ids of subjects.

    Raises:
        UsageError: ``solver-missing``.
    """
    first, second = bound(before), bound(after)
    for subject, rules in sorted(first.items(), key=lambda item: item[0].id):
        if _said(rules) == _said(second.get(subject, ())):
            continue
        old, new = held_by(before, subject), held_by(after, subject)
        sides = [rule for one in new for rule in one.rules], [rule for one in old for rule in one.rules]
        kept = {one.binding.id: one for one in new}
        gone = [
            one for one in old if one.binding.id not in kept or _said(kept[one.binding.id].rules) != _said(one.rules)
        ]
        left = [kept[one.binding.id] for one in gone if one.binding.id in kept]
        yield patched_rewrite(
            subject.id,
            replaced(gone, subject),
            [one.policy for one in replaced(left, subject)],
            sides,
            language([*sides[0], *sides[1]]),
            needed_rules(old, needs.get(subject.id, ())),
        )


def _said(rules: Sequence[Rule]) -> set[Rule]:
    """What rules say, wherever they stand."""
    return {replace(one, because=(), default=False) for one in rules}
