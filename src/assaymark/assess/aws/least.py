"""``least_policy``: for needed actions the smallest policy that the old ones contain, and what solvers say of it.

Three things are shown: new within old, needed within new, and that no action, resource or statement can be dropped
from it without losing something needed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assaymark.assess.aws.containment import Containment, contained
from assaymark.assess.aws.evaluate import action_state
from assaymark.assess.aws.patterns import arn_matches
from assaymark.assess.estate.aws import PolicyDocument, Statement
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True)
class Least:
    """The new policy of an identity, which replaces ``old``; ``uncovered`` are needs that the old ones do not allow.

    ``within``: new in old; ``covers``: needed in new; ``droppable``: what could still be dropped, empty when minimal.
    """

    principal: str
    old: tuple[PolicyDocument, ...]
    new: PolicyDocument
    uncovered: tuple[tuple[str, str], ...]
    within: Containment
    covers: Containment
    droppable: tuple[str, ...]
    asked: int

    @property
    def proved(self) -> bool:
        """Whether all three hold."""
        verdicts = {self.within.verdict, self.covers.verdict}
        return verdicts == {"contained"} and not self.droppable and not self.uncovered


def least_policy(
    principal: str, old: Sequence[PolicyDocument], needs: Iterable[tuple[str, str]], because: Because
) -> Least:
    """The smallest policy for pairs of action and resource (an ARN, with wildcards if need be).

    Conditions of the statements that allow a need stay on it, and statements that deny stay as they are.

    Raises:
        UsageError: ``solver-missing``.
    """
    groups: defaultdict[tuple[str, int], list[tuple[str, str]]] = defaultdict(list)
    conditions: dict[int, Statement] = {}
    uncovered = []
    for action, resource in sorted(set(needs)):
        source = _allowing(old, action, resource)
        if source is None:
            uncovered.append((action, resource))
            continue
        key = id(source) if source.condition else 0
        conditions[key] = source
        groups[resource, key].append((action, resource))
    by_actions: defaultdict[tuple[tuple[str, ...], int], list[str]] = defaultdict(list)
    for (resource, key), pairs in groups.items():
        by_actions[tuple(sorted({action for action, _ in pairs})), key].append(resource)
    statements = [
        Statement(
            "Allow",
            because,
            actions=names,
            resources=tuple(sorted(resources)),
            condition=conditions[key].condition if key else {},
        )
        for (names, key), resources in sorted(by_actions.items(), key=lambda item: (item[0][0], item[1]))
    ]
    denies = [one for document in old for one in document.statements if one.effect == "Deny"]
    new = PolicyDocument(f"{principal}#least", (*statements, *denies), because)
    wanted = PolicyDocument("needed", tuple(statements), because)  # needs under the conditions that allow them
    covers = contained([_pairs(groups, conditions, because)], [replace(new, statements=tuple(statements))])
    droppable, asked = _droppable(new, wanted)
    return Least(principal, tuple(old), new, tuple(uncovered), contained([new], old), covers, droppable, asked)


def _pairs(
    groups: dict[tuple[str, int], list[tuple[str, str]]], conditions: dict[int, Statement], because: Because
) -> PolicyDocument:
    """Each need as a statement of its own."""
    statements = tuple(
        Statement(
            "Allow",
            because,
            actions=(action,),
            resources=(resource,),
            condition=conditions[key].condition if key else {},
        )
        for (_, key), pairs in sorted(groups.items())
        for action, resource in pairs
    )
    return PolicyDocument("needed", statements, because)


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


def _droppable(new: PolicyDocument, needed: PolicyDocument) -> tuple[tuple[str, ...], int]:
    """What can be dropped with all that is needed still allowed, and how many questions were asked."""
    found = []
    asked = 0
    for index, statement in enumerate(new.statements):
        if statement.effect != "Allow":
            continue
        for what, smaller in _smaller(statement):
            statements = [*new.statements[:index], *([smaller] if smaller else []), *new.statements[index + 1 :]]
            statements = [one for one in statements if one.effect == "Allow"]
            answer = contained([needed], [replace(new, statements=tuple(statements))])
            asked += len(answer.answers)
            if answer.verdict != "not contained":
                found.append(f"statement {index + 1}: {what}")
    return tuple(found), asked


def _smaller(statement: Statement) -> list[tuple[str, Statement | None]]:
    """The statement with one element less, each."""
    found: list[tuple[str, Statement | None]] = []
    for name, values in (("actions", statement.actions), ("resources", statement.resources)):
        for value in values:
            rest = tuple(one for one in values if one != value)
            smaller = replace(statement, **{name: rest}) if rest else None  # type: ignore[arg-type]  # both are texts
            found.append((value, smaller))
    return found


def policy_json(policy: PolicyDocument) -> dict[str, Any]:
    """The policy as IAM takes it."""
    return {"Version": policy.version, "Statement": [_statement(one) for one in policy.statements]}


def _statement(one: Statement) -> dict[str, Any]:
    found: dict[str, Any] = {"Sid": one.sid} if one.sid else {}
    found["Effect"] = one.effect
    for key, values in (
        ("Action", one.actions or None),
        ("NotAction", one.not_actions),
        ("Resource", one.resources or None),
        ("NotResource", one.not_resources),
    ):
        if values is not None:
            found[key] = list(values) if len(values) > 1 else values[0]
    if one.condition:
        found["Condition"] = {
            operator: {key: list(values) if len(values) > 1 else values[0] for key, values in keys.items()}
            for operator, keys in one.condition.items()
        }
    return found
