"""``patched_policies``: what patches of files do to policies of AWS, put to solvers.

The estate of the patched files is held against the one before. Each policy that is another one is asked about: does
it allow nothing that it did not, is what is known to be needed still allowed, and what does it take away.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.as_json import policy_json
from assaymark.assess.aws.containment import contained
from assaymark.assess.aws.least import needed_statements
from assaymark.assess.aws.patterns import literal
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT, PolicyDocument, Statement
from assaymark.assess.rewrite import CONTAINED, NOT_CONTAINED, UNKNOWN, Containment, Replaced, Rewrite
from assaymark.assess.unresolved import Unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from assaymark.assess.estate.aws import Estate, Identity
    from assaymark.solve.ask import Answer

_VARIABLE: Final = re.compile(r"\$\{\s*([^{},]*?)\s*\}")
_READS_VARIABLES: Final = "2012-10-17"
DEPLOYED: Final = "111122223333"  # stands for the account that a template is deployed to


def patched_policies(
    before: Estate, after: Estate, needs: Mapping[str, Collection[tuple[str, str]]]
) -> Iterator[Rewrite]:
    """What became of each policy that patches changed; ``needs``: pairs of action and resource of principals.

    Raises:
        UsageError: ``solver-missing``.
    """
    for arn, old in sorted(before.identities.items()):
        new = after.identities.get(arn)
        if new is None:
            continue
        if _differ(old.policies, new.policies):
            yield _identity(before, old, new, needs.get(arn, ()))
        for name, first, second in (
            ("who may assume", old.trust, new.trust),
            ("the boundary of", old.boundary, new.boundary),
        ):
            if first is not None and second is not None and _differ((first,), (second,)):
                yield _asked(f"{name} {arn}", (first,), (second,))
    for arn, thing in sorted(before.resources.items()):
        other = after.resources.get(arn)
        if other is not None and _differ(_some(thing.policy), _some(other.policy)):
            yield _asked(arn, _some(thing.policy), _some(other.policy))


def _some(policy: PolicyDocument | None) -> tuple[PolicyDocument, ...]:
    return (policy,) if policy is not None else ()


def _said(policies: Sequence[PolicyDocument]) -> list[object]:
    """What policies say, wherever it stands."""
    return [
        (one.version, [replace(each, because=one.because, sid="") for each in one.statements]) for one in policies
    ]


def _differ(old: Sequence[PolicyDocument], new: Sequence[PolicyDocument]) -> bool:
    where = old[0].because if old else None
    if where is None:
        return bool(new)
    return _said([replace(one, because=where) for one in old]) != _said([replace(one, because=where) for one in new])


def _asked(
    about: str,
    old: Sequence[PolicyDocument],
    new: Sequence[PolicyDocument],
    covers: Containment | None = None,
    uncovered: tuple[tuple[str, str], ...] = (),
) -> Rewrite:
    kept = [one for one in new if not any(not _differ((one,), (other,)) for other in old)]
    gone = [one for one in old if not any(not _differ((one,), (other,)) for other in new)]
    shown = [policy_json(one) for one in kept]
    first = not old and all(one.effect == "Deny" for document in new for one in document.statements)
    before = (_unlimited(new),) if first else tuple(old)  # what others allow, a first policy that denies takes from
    after = (*before, *new) if first else tuple(new)
    before, after = (tuple(_somewhere(one) for one in documents) for documents in (before, after))
    return Rewrite(
        "patched",
        about,
        tuple(Replaced(one.name, one.because, policy_json(one)) for one in gone),
        shown[0] if len(shown) == 1 else shown,
        contained(after, before),
        covers,
        takes=contained(before, after).example,
        uncovered=uncovered,
    )


def _unlimited(policies: Sequence[PolicyDocument]) -> PolicyDocument:
    """One that allows everybody all that policies speak of."""
    statements = [one for document in policies for one in document.statements]
    actions = tuple(
        dict.fromkeys(action for one in statements for action in (one.not_actions and ("*",)) or one.actions)
    )
    because = policies[0].because
    everyone = Statement("Allow", because, actions=actions, resources=("*",), principals={"*": ("*",)})
    return PolicyDocument("everything", (everyone,), because)


def _somewhere(document: PolicyDocument) -> PolicyDocument:
    """A policy in an account of its own: the one that it is deployed to, which is the same before and after."""
    return _put(document, lambda value, _: value.replace(UNKNOWN_ACCOUNT, DEPLOYED))


def _identity(estate: Estate, old: Identity, new: Identity, needs: Collection[tuple[str, str]]) -> Rewrite:
    """With what is needed, each need under the conditions that allowed it, and with what is known of who asks."""
    covers = None
    statements, uncovered = needed_statements(old.policies, needs)
    if statements:
        parts = [_kept(estate, old, new, statement) for statement in statements]
        verdicts = {one.verdict for one in parts}
        verdict = next((one for one in (NOT_CONTAINED, UNKNOWN) if one in verdicts), CONTAINED)
        answers: tuple[Answer, ...] = tuple(answer for one in parts for answer in one.answers)
        covers = Containment(verdict, answers, next((one.example for one in parts if one.example), None))
    return _asked(old.arn, old.policies, new.policies, covers, tuple(uncovered))


def _kept(estate: Estate, old: Identity, new: Identity, statement: Statement) -> Containment:
    """Whether one need is still allowed to this identity, whose tags and name are known."""
    facts = _facts(old)
    thing = estate.resources.get(statement.resources[0])
    for tag, value in (thing.tags if thing is not None else {}).items():
        if not isinstance(value, Unresolved):
            facts[f"aws:resourcetag/{tag.lower()}"] = value
    denies = [one for document in old.policies for one in document.statements if one.effect == "Deny"]
    needed = PolicyDocument("needed", (statement, *denies), statement.because)
    return contained([_personal(needed, facts)], [_personal(one, facts) for one in new.policies], facts=facts)


def _facts(who: Identity) -> dict[str, str]:
    """Condition keys that every request of an identity carries."""
    found = {
        f"aws:principaltag/{tag.lower()}": value
        for tag, value in who.tags.items()
        if not isinstance(value, Unresolved)
    }
    if UNKNOWN_ACCOUNT not in who.arn and not isinstance(who.arn, Unresolved):
        found |= {"aws:principalarn": who.arn, "aws:principalaccount": who.account}
    return found | ({"aws:username": who.name} if who.kind == "user" else {})


def _personal(document: PolicyDocument, facts: Mapping[str, str]) -> PolicyDocument:
    """A policy as one identity has it: policy variables of known keys are their values."""
    if document.version != _READS_VARIABLES:
        return document

    def personal(value: str, literally: bool) -> str:
        shown = literal if literally else str
        return _VARIABLE.sub(
            lambda match: shown(facts[key]) if (key := match[1].lower()) in facts else match[0], value
        )

    return _put(document, personal)


def _put(document: PolicyDocument, change: Callable[[str, bool], str]) -> PolicyDocument:
    """A policy with other values, where a template leaves none open; the second is True for those of ARNs."""

    def each(values: tuple[str, ...], *, literally: bool) -> tuple[str, ...]:
        return tuple(value if isinstance(value, Unresolved) else change(value, literally) for value in values)

    def people(named: Mapping[str, tuple[str, ...]] | None) -> Mapping[str, tuple[str, ...]] | None:
        return None if named is None else {kind: each(some, literally=False) for kind, some in named.items()}

    def one(statement: Statement) -> Statement:
        excluded = statement.not_resources
        return replace(
            statement,
            resources=each(statement.resources, literally=True),
            not_resources=None if excluded is None else each(excluded, literally=True),
            principals=people(statement.principals),
            not_principals=people(statement.not_principals),
            condition={
                operator: {key: each(values, literally=False) for key, values in keys.items()}
                for operator, keys in statement.condition.items()
            },
        )

    return replace(document, statements=tuple(one(statement) for statement in document.statements))
