"""``least_policy``: for needed actions the smallest policy that the old ones contain, and what solvers say of it.

Three things are shown: new within old, needed within new, and that nothing can be dropped from it: no action,
resource, value of a condition or statement without losing something needed, and no condition without allowing
something that the old ones do not.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.as_json import policy_json
from assaymark.assess.aws.condition_formulas import Conditions, links
from assaymark.assess.aws.containment import contained
from assaymark.assess.aws.evaluate import action_state
from assaymark.assess.aws.patterns import arn_matches, overlap, segments
from assaymark.assess.aws.personal import personal
from assaymark.assess.estate.aws import PolicyDocument, Statement
from assaymark.assess.proofs import Needed
from assaymark.assess.rewrite import CONTAINED, UNKNOWN, Replaced, Rewrite
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.core.graph import State
from assaymark.solve.ask import satisfiable
from assaymark.solve.formula import And

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from assaymark.core.graph import Because
    from assaymark.solve.ask import Answer

_OPEN: Final = re.compile(rf"\$\{{[^{{}}]*\}}|{HOLE}")
_ONE: Final = "\ue020"  # any letter, which no pattern names
_MANY: Final = "\ue021" * 64  # more than the question marks of a pattern mean
_EXCLUDES: Final = re.compile(r"not|null", re.IGNORECASE)


def least_policy(  # what is held, what is needed, and what is known of who asks
    principal: str,
    old: Sequence[PolicyDocument],
    needs: Iterable[tuple[str, str]],
    because: Because,
    opaque: Sequence[str] = (),
    known: Mapping[str, str] | None = None,
    boundary: PolicyDocument | None = None,
) -> Rewrite:
    """The smallest policy for pairs of action and resource (an ARN, with wildcards if need be).

    Conditions of the statements that allow a need stay on it, of several those without which some request is lost,
    and statements that deny stay as they are: they hold against policies of resources too. ``opaque``: names of
    policies whose text is not known. ``known``: condition keys that every request of the principal carries.
    ``boundary``: what bounds all its policies, and stays.

    Raises:
        UsageError: ``solver-missing``.
    """
    facts = known or {}
    wants = needed_statements(old, needs, opaque, facts, boundary)
    single = list(wants.grants)
    single = [one for one in single if not any(_holds(other, one) for other in single)]
    asked: list[Answer] = []
    statements = _merged(single, because)
    denies = tuple(one for document in old for one in document.statements if one.effect == "Deny")
    wanted = PolicyDocument("needed", tuple(statements), because)  # needs under the conditions that allow them
    loosened, left = _loosened(statements, denies, old, asked)
    kept, more = _fewest(_merged(_single(loosened), because), wanted, asked)
    new = PolicyDocument(f"{principal}#least", (*kept, *denies), because)
    needed = PolicyDocument("needed", tuple(single), because)
    return Rewrite(
        "least",
        principal,
        tuple(Replaced(one.name, one.because, policy_json(one)) for one in old),
        policy_json(new),
        contained([personal(new, facts)], [personal(one, facts) for one in old], facts=facts),
        contained([needed], [replace(new, statements=tuple(kept))]),
        (*left, *more),
        uncovered=(*wants.uncovered, *_never(wants.grants, asked)),
        undecided=wants.undecided,
        minimality=tuple(asked),
    )


def needed_statements(
    old: Sequence[PolicyDocument],
    needs: Iterable[tuple[str, str]],
    opaque: Sequence[str] = (),
    known: Mapping[str, str] | None = None,
    boundary: PolicyDocument | None = None,
) -> Needed[Statement]:
    """Each need as statements of its own, one for each condition that allows it; what nothing allows is left."""
    pairs = [
        (statement, mine)
        for document in old
        for statement, mine in zip(document.statements, personal(document, known or {}).statements, strict=True)
    ]
    found: list[Statement] = []
    left: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    for action, resource in sorted(set(needs)):
        sources = State.NO if _barred(boundary, action, resource) else _allowing(pairs, action, resource, opaque)
        if isinstance(sources, State):
            left[sources is State.UNKNOWN].append((action, resource))
            continue
        found += [
            Statement("Allow", one.because, actions=(action,), resources=(resource,), condition=one.condition)
            for one in {_key(one): one for one in sources}.values()
        ]
    return Needed(tuple(found), tuple(left[0]), tuple(left[1]))


def _key(one: Statement) -> str:
    return json.dumps(
        {name: {key: list(v) for key, v in keys.items()} for name, keys in one.condition.items()}, sort_keys=True
    )


def _holds(larger: Statement, need: Statement) -> bool:
    """Whether another need of the same action, under the same conditions, means this one's resource already."""
    same = (larger.actions, larger.condition) == (need.actions, need.condition)
    there, here = larger.resources[0], need.resources[0]
    return same and there != here and _covers(there, here)


def _allowing(
    pairs: Sequence[tuple[Statement, Statement]], action: str, resource: str, opaque: Sequence[str]
) -> list[Statement] | State:
    """The statements that allow a need, one alone where it has no condition; NO where none does or one denies it.

    UNKNOWN where a policy that is not known, or a part of one, may. Each statement comes with itself as the principal
    has it.
    """
    found = []
    perhaps = bool(opaque)
    for statement, mine in pairs:
        named = action_state(statement, action)
        means = any(_means(one, resource, action) for one in (statement, mine))
        if statement.effect == "Deny":
            if named is State.YES and means and not statement.condition:
                return State.NO
        elif named is State.YES and means:
            found.append(statement)
        elif named is not State.NO and any(
            HOLE in pattern_of(one) for one in (*statement.resources, *_words(statement))
        ):
            perhaps = True
    bare = next((one for one in found if not one.condition), None)
    if bare is not None:
        return [bare]
    return found or (State.UNKNOWN if perhaps else State.NO)


def _barred(boundary: PolicyDocument | None, action: str, resource: str) -> bool:
    """Whether a boundary lets nothing of a need through."""
    return boundary is not None and not any(
        one.effect == "Allow"
        and action_state(one, action) is not State.NO
        and (one.not_resources is not None or any(_meet(each, resource) for each in one.resources))
        for one in boundary.statements
    )


def _words(statement: Statement) -> tuple[str, ...]:
    return (*statement.actions, *(statement.not_actions or ()), *(statement.not_resources or ()))


def _means(statement: Statement, resource: str, action: str) -> bool:
    """Whether all that a pattern means is meant by the statement."""
    if resource == "*" and (about := actions.find(action)) is not None and about.resources:
        return "*" in statement.resources  # of an action that has resources it means all of them
    if statement.not_resources is not None:
        return not any(_meet(one, resource) for one in statement.not_resources)
    if resource == "*":
        return "*" in statement.resources
    return any(one == resource or _covers(one, resource) for one in statement.resources)


def _covers(pattern: str, resource: str) -> bool:
    """Whether a pattern means all that another one does: with nothing for its stars, and with much."""
    texts = {resource.replace("*", many).replace("?", _ONE) for many in ("", _MANY)}
    return all(arn_matches(pattern, text) is State.YES for text in texts)


def _meet(excluded: str, resource: str) -> bool:
    """Whether something may be meant by both patterns, whatever a template or a policy variable leaves open."""
    parts, own = (segments(_OPEN.sub("*", pattern_of(one))) for one in (excluded, resource))
    if len(parts) != len(own):
        return "*" in (excluded, resource)
    return all(overlap(one, two) for one, two in zip(parts, own, strict=True))


def _merged(single: Sequence[Statement], because: Because) -> list[Statement]:
    """Statements of one action and resource each, as few as their conditions, actions and resources make it."""
    groups: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)  # by resource and condition
    for one in single:
        groups[one.resources[0], _key(one)].append(one)
    by_actions: defaultdict[tuple[tuple[str, ...], str], list[Statement]] = defaultdict(list)
    for (_, key), some in groups.items():
        by_actions[tuple(sorted({one.actions[0] for one in some})), key].append(some[0])
    return [
        replace(some[0], because=because, actions=names, resources=tuple(sorted(one.resources[0] for one in some)))
        for (names, _), some in sorted(by_actions.items())
    ]


def _single(statements: Iterable[Statement]) -> list[Statement]:
    return [
        replace(one, actions=(action,), resources=(resource,))
        for one in statements
        for resource in one.resources
        for action in one.actions
    ]


def _never(needs: Sequence[Statement], asked: list[Answer]) -> Iterator[tuple[str, str]]:
    """Needs under conditions that no request meets, each of them."""
    known: dict[str, bool] = {}
    possible: dict[tuple[str, str], bool] = {}
    for one in needs:
        key = _key(one)
        if key not in known:
            document = PolicyDocument("needed", (one,), one.because)
            met = Conditions([document]).met(one, document.version)
            asked += [satisfiable(And((met, links(met))))] if one.condition else []
            known[key] = not one.condition or asked[-1].verdict != "unsat"
        pair = (one.actions[0], one.resources[0])
        possible[pair] = possible.get(pair, False) or known[key]
    yield from (pair for pair, is_so in possible.items() if not is_so)


def _loosened(
    statements: Sequence[Statement], denies: Sequence[Statement], old: Sequence[PolicyDocument], asked: list[Answer]
) -> tuple[list[Statement], list[str]]:
    """The statements without parts of conditions that keep nobody out, and the parts of which that is not told.

    Whoever asks: that tags of today make a condition true is no reason to do without it.
    """
    found: list[Statement] = []
    left: list[str] = []
    for index, statement in enumerate(statements, 1):
        current, kept = statement, set[str]()
        while True:
            for what, looser in _looser(current):
                if what in kept:
                    continue
                answer = contained([PolicyDocument("looser", (looser, *denies), statement.because)], old)
                asked += answer.answers
                if answer.verdict == CONTAINED:
                    current = looser
                    break
                kept.add(what)
                left += [f"statement {index}: the condition {what}"] if answer.verdict == UNKNOWN else []
            else:
                break
        found.append(current)
    return found, left


def _looser(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """The statement with one condition less, or with one value less that a condition excludes."""
    for operator, keys in statement.condition.items():
        for key, values in keys.items():
            rest = {name: some for name, some in keys.items() if name != key}
            others = {name: some for name, some in statement.condition.items() if name != operator}
            yield f"{operator} {key}", replace(statement, condition={**others, **({operator: rest} if rest else {})})
            for value in values if len(values) > 1 and _EXCLUDES.search(operator) else ():
                fewer = tuple(one for one in values if one != value)
                condition = {**statement.condition, operator: {**keys, key: fewer}}
                yield f"{operator} {key} {value}", replace(statement, condition=condition)


def _fewest(
    statements: Sequence[Statement], needed: PolicyDocument, asked: list[Answer]
) -> tuple[list[Statement], list[str]]:
    """The statements without what can be dropped with all that is needed still allowed, and what may be more such."""
    found: dict[int, Statement] = dict(enumerate(statements))
    left: list[str] = []
    for index in sorted(found, key=lambda one: (-len(_key(found[one])), -one)):
        kept: set[str] = set()
        while index in found:
            for what, smaller in _smaller(found[index]):
                if what in kept:
                    continue
                rest = [one for key, one in found.items() if key != index] + ([smaller] if smaller else [])
                answer = contained([needed], [replace(needed, statements=tuple(rest))])
                asked += answer.answers
                if answer.verdict == CONTAINED:
                    del found[index]
                    found |= {index: smaller} if smaller is not None else {}
                    break
                kept.add(what)
                left += [f"statement {index + 1}: {what}"] if answer.verdict == UNKNOWN else []
            else:
                break
    return [found[key] for key in sorted(found)], left


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
            for value in values if len(values) > 1 and not _EXCLUDES.search(operator) else ():
                rest = tuple(one for one in values if one != value)
                condition = {**statement.condition, operator: {**keys, key: rest}}
                found.append((f"{key} {value}", replace(statement, condition=condition)))
    return found
