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
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT, PolicyDocument
from assaymark.assess.rewrite import CONTAINED, NOT_CONTAINED, UNKNOWN, Containment, Replaced, Rewrite
from assaymark.assess.unresolved import Unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from assaymark.assess.estate.aws import Estate, Identity, Statement
    from assaymark.solve.ask import Answer

_VARIABLE: Final = re.compile(r"\$\{\s*([^{},]*?)\s*\}")
_READS_VARIABLES: Final = "2012-10-17"


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
    return Rewrite(
        "patched",
        about,
        tuple(Replaced(one.name, one.because, policy_json(one)) for one in gone),
        shown[0] if len(shown) == 1 else shown,
        contained(new, old) if old else _beside(new),
        covers,
        takes=contained(old, new).example if old else None,
        uncovered=uncovered,
    )


def _beside(new: Sequence[PolicyDocument]) -> Containment:
    """A policy where there was none: one that only denies allows nothing more."""
    only_denies = all(one.effect == "Deny" for document in new for one in document.statements)
    return Containment(CONTAINED, ()) if only_denies else contained(new, ())


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

    def put(value: str, shown: Callable[[str], str]) -> str:
        if isinstance(value, Unresolved) or "${" not in value:
            return value
        return _VARIABLE.sub(
            lambda match: shown(facts[key]) if (key := match[1].lower()) in facts else match[0], value
        )

    def filled(one: Statement) -> Statement:
        return replace(
            one,
            resources=tuple(put(value, literal) for value in one.resources),
            not_resources=None if one.not_resources is None else tuple(put(v, literal) for v in one.not_resources),
            condition={
                operator: {key: tuple(put(value, str) for value in values) for key, values in keys.items()}
                for operator, keys in one.condition.items()
            },
        )

    return replace(document, statements=tuple(filled(one) for one in document.statements))
