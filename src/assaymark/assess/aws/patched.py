"""``patched_policies``: what patches of files do to policies of AWS, put to solvers.

The estate of the patched files is held against the one before. Each policy that is another one is asked about: does
it allow nothing that it did not, is what is known to be needed still allowed, and what does it take away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.as_json import policy_json
from assaymark.assess.aws.containment import contained
from assaymark.assess.aws.least import needed_statements
from assaymark.assess.aws.personal import facts, held, personal, put
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT, PolicyDocument, Statement
from assaymark.assess.proofs import Needed
from assaymark.assess.rewrite import CONTAINED, NOT_CONTAINED, UNKNOWN, Containment, Replaced, Rewrite
from assaymark.assess.unresolved import Unresolved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from assaymark.assess.estate.aws import Estate, Identity
    from assaymark.solve.ask import Answer

_NO_NEEDS: Final[Needed[Statement]] = Needed()
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
            yield _identity((before, after), old, new, needs.get(arn, ()))
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
    wants: Needed[Statement] = _NO_NEEDS,
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
        uncovered=wants.uncovered,
        undecided=wants.undecided,
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
    return put(document, lambda value, _: value.replace(UNKNOWN_ACCOUNT, DEPLOYED))


def _identity(
    estates: tuple[Estate, Estate], old: Identity, new: Identity, needs: Collection[tuple[str, str]]
) -> Rewrite:
    """With what is needed, each need under the conditions that allowed it, and with what is known of who asks."""
    covers = None
    sides = [held(estate, one)[0] for estate, one in zip(estates, (old, new), strict=True)]
    wants = needed_statements(sides[0], needs, held(estates[0], old)[1], facts(old))
    if wants.grants:
        parts = [_kept(estates[0], old, sides, statement) for statement in wants.grants]
        verdicts = {one.verdict for one in parts}
        verdict = next((one for one in (NOT_CONTAINED, UNKNOWN) if one in verdicts), CONTAINED)
        answers: tuple[Answer, ...] = tuple(answer for one in parts for answer in one.answers)
        covers = Containment(verdict, answers, next((one.example for one in parts if one.example), None))
    return _asked(old.arn, old.policies, new.policies, covers, wants)


def _kept(
    estate: Estate, old: Identity, sides: Sequence[Sequence[PolicyDocument]], statement: Statement
) -> Containment:
    """Whether one need is still allowed to this identity, whose tags and name are known."""
    known = facts(old)
    thing = estate.resources.get(statement.resources[0])
    for tag, value in (thing.tags if thing is not None else {}).items():
        if not isinstance(value, Unresolved):
            known[f"aws:resourcetag/{tag.lower()}"] = value
    denies = [one for document in sides[0] for one in document.statements if one.effect == "Deny"]
    needed = PolicyDocument("needed", (statement, *denies), statement.because)
    return contained([personal(needed, known)], [personal(one, known) for one in sides[1]], facts=known)
