"""``least_policy``: for needed actions the smallest policy that the old ones contain, and what solvers say of it.

Three things are shown: new within old, needed within new, and that no action, resource, value of a condition or
statement can be dropped from it without losing something needed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.as_json import policy_json
from assaymark.assess.aws.containment import contained
from assaymark.assess.aws.evaluate import action_state
from assaymark.assess.aws.patterns import arn_matches
from assaymark.assess.estate.aws import PolicyDocument, Statement
from assaymark.assess.rewrite import NOT_CONTAINED, Replaced, Rewrite
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assaymark.core.graph import Because
    from assaymark.solve.ask import Answer

_NEGATIVE: Final = re.compile(r"not|null|forall", re.IGNORECASE)


def least_policy(
    principal: str, old: Sequence[PolicyDocument], needs: Iterable[tuple[str, str]], because: Because
) -> Rewrite:
    """The smallest policy for pairs of action and resource (an ARN, with wildcards if need be).

    Conditions of the statements that allow a need stay on it, and statements that deny stay as they are.

    Raises:
        UsageError: ``solver-missing``.
    """
    single, uncovered = needed_statements(old, needs)
    single = [one for one in single if not any(_holds(other, one) for other in single)]
    groups: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)  # by resource and condition
    for one in single:
        groups[one.resources[0], _key(one)].append(one)
    by_actions: defaultdict[tuple[tuple[str, ...], str], list[Statement]] = defaultdict(list)
    for (_, key), some in groups.items():
        by_actions[tuple(sorted({one.actions[0] for one in some})), key].append(some[0])
    statements = [
        replace(some[0], because=because, actions=names, resources=tuple(sorted(one.resources[0] for one in some)))
        for (names, _), some in sorted(by_actions.items())
    ]
    denies = [one for document in old for one in document.statements if one.effect == "Deny"]
    new = PolicyDocument(f"{principal}#least", (*statements, *denies), because)
    wanted = PolicyDocument("needed", tuple(statements), because)  # needs under the conditions that allow them
    needed = PolicyDocument("needed", tuple(single), because)
    covers = contained([needed], [replace(new, statements=tuple(statements))])
    droppable, asked = _droppable(new, wanted)
    return Rewrite(
        "least",
        principal,
        tuple(Replaced(one.name, one.because, policy_json(one)) for one in old),
        policy_json(new),
        contained([new], old),
        covers,
        droppable,
        uncovered=tuple(uncovered),
        minimality=asked,
    )


def needed_statements(
    old: Sequence[PolicyDocument], needs: Iterable[tuple[str, str]]
) -> tuple[list[Statement], list[tuple[str, str]]]:
    """Each need as a statement of its own, under the conditions that allow it, and the needs that nothing allows."""
    found: list[Statement] = []
    uncovered = []
    for action, resource in sorted(set(needs)):
        source = _allowing(old, action, resource)
        if source is None:
            uncovered.append((action, resource))
        else:
            found.append(
                Statement(
                    "Allow", source.because, actions=(action,), resources=(resource,), condition=source.condition
                )
            )
    return found, uncovered


def _key(one: Statement) -> str:
    return json.dumps(
        {name: {key: list(v) for key, v in keys.items()} for name, keys in one.condition.items()}, sort_keys=True
    )


def _holds(larger: Statement, need: Statement) -> bool:
    """Whether another need of the same action, under the same conditions, means this one's resource already."""
    same = (larger.actions, larger.condition) == (need.actions, need.condition)
    there, here = larger.resources[0], need.resources[0]
    return same and there != here and arn_matches(there, here) is State.YES


def _allowing(old: Sequence[PolicyDocument], action: str, resource: str) -> Statement | None:
    """The statement that allows a need, one without conditions before others."""
    found = None
    for document in old:
        for statement in document.statements:
            if statement.effect != "Allow" or action_state(statement, action) is not State.YES:
                continue
            if not _means(statement, resource):
                continue
            if not statement.condition:
                return statement
            found = found or statement
    return found


def _means(statement: Statement, resource: str) -> bool:
    """Whether all that a pattern means is meant by the statement."""
    if statement.not_resources is not None:
        return not any(arn_matches(one, resource) is not State.NO for one in statement.not_resources)
    if resource == "*":
        return "*" in statement.resources
    return any(one == resource or arn_matches(one, resource) is State.YES for one in statement.resources)


def _droppable(new: PolicyDocument, needed: PolicyDocument) -> tuple[tuple[str, ...], tuple[Answer, ...]]:
    """What can be dropped with all that is needed still allowed, and what was asked."""
    found = []
    asked: list[Answer] = []
    for index, statement in enumerate(new.statements):
        if statement.effect != "Allow":
            continue
        for what, smaller in _smaller(statement):
            statements = [*new.statements[:index], *([smaller] if smaller else []), *new.statements[index + 1 :]]
            statements = [one for one in statements if one.effect == "Allow"]
            answer = contained([needed], [replace(new, statements=tuple(statements))])
            asked += answer.answers
            if answer.verdict != NOT_CONTAINED:
                found.append(f"statement {index + 1}: {what}")
    return tuple(found), tuple(asked)


def _smaller(statement: Statement) -> list[tuple[str, Statement | None]]:
    """The statement with one element less, each; of values that a condition asks for one less is allowed less."""
    found: list[tuple[str, Statement | None]] = []
    for name, values in (("actions", statement.actions), ("resources", statement.resources)):
        for value in values:
            rest = tuple(one for one in values if one != value)
            smaller = replace(statement, **{name: rest}) if rest else None  # type: ignore[arg-type]  # both are texts
            found.append((value, smaller))
    for operator, keys in statement.condition.items():
        for key, values in keys.items():
            for value in values if len(values) > 1 and not _NEGATIVE.search(operator) else ():
                rest = tuple(one for one in values if one != value)
                condition = {**statement.condition, operator: {**keys, key: rest}}
                found.append((f"{key} {value}", replace(statement, condition=condition)))
    return found
