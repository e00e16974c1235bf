"""Edges from whoever may make users or roles, and give them permissions: what is new is as it likes.

A role trusts whom its maker names, and a name in its trust is enough within an account; a user gets a key or a
password. Source: IAM User Guide, "Cross-account resource access in IAM", "Delegating permission to IAM users".
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.conditions import Key
from assaymark.assess.aws.evaluate import action_state
from assaymark.assess.aws.linking import NOWHERE, Chain, administrator
from assaymark.assess.aws.patterns import FRESH, meet_arns
from assaymark.assess.aws.request import BOUNDARY_KEY
from assaymark.assess.aws.techniques import ADMINISTRATOR_POLICY
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Identity

_MOST: Final = 64  # names that policies leave for what is new; of more the first count
_WAYS: Final = {
    "role": (("iam:CreateRole", "iam:AttachRolePolicy"), ("iam:CreateRole", "iam:PutRolePolicy")),
    "user": tuple(
        ("iam:CreateUser", grants, signs)
        for grants in ("iam:AttachUserPolicy", "iam:PutUserPolicy")
        for signs in ("iam:CreateAccessKey", "iam:CreateLoginProfile")
    ),
}
# It asks for no boundary, and what it makes has none.
_CONTEXT: Final[Mapping[str, Value]] = {"iam:PolicyARN": (ADMINISTRATOR_POLICY,), BOUNDARY_KEY: Key.ABSENT}


def link_made(run: Linking, who: Identity, may: int) -> None:
    """Draws who becomes administrator as a user or role of its own making."""
    for kind, ways in _WAYS.items():
        best, taken = NOWHERE, ways[0]
        for way in ways:
            if best.state is not State.YES and all(may & actions.bit(action) for action in way):
                chain = _made(run, who, kind, way)
                if chain.state is State.YES or best.state is State.NO:
                    best, taken = chain, way
        how = f"it could make a {kind} of its own with all permissions ({', '.join(taken)})"
        run.draw(who.arn, administrator(who.account), "escalates", how, best, 2)


def _made(run: Linking, who: Identity, kind: str, way: tuple[str, ...]) -> Chain:
    best = NOWHERE
    for arn in _names(run, who, kind, way):
        chain = Chain()
        for action in way:
            chain = chain.then(run.can(who, action, arn, _CONTEXT))
            if chain.state is State.NO:
                break
        if chain.state is State.YES:
            return chain
        best = chain if best.state is State.NO else best
    return best


def _names(run: Linking, who: Identity, kind: str, way: tuple[str, ...]) -> Iterator[str]:
    """ARNs that nothing has yet, as the policies that allow the actions mean them, each and together."""
    shape = f"arn:aws:iam::{who.account}:{kind}/*"
    patterns = [_meant(run, who, action, shape) for action in way]
    seen: set[str] = set()
    for some in product(*patterns):
        whole: str | None = some[0]
        for one in some[1:]:
            whole = whole if whole is None or one == whole else meet_arns(whole, one)
        arn = (whole or "").replace("*", FRESH).replace("?", FRESH)
        if arn and arn not in seen and arn not in run.estate.identities and len(seen) < _MOST:
            seen.add(arn)
            yield arn


def _meant(run: Linking, who: Identity, action: str, shape: str) -> list[str]:
    found = {shape} if who.opaque else set[str]()
    for document in run.policies(who):
        for statement in document.statements:
            if statement.effect != "Deny" and action_state(statement, action) is not State.NO:
                resources = statement.resources if statement.not_resources is None else ("*",)
                for one in resources:
                    text = pattern_of(one).replace(HOLE, "*")
                    if text in ("*", shape):
                        found.add(shape)
                    elif meet_arns(shape, text) is not None:
                        found.add(_within(shape, text))
    return sorted(found)


def _within(shape: str, pattern: str) -> str:
    """A pattern of ARNs with the account, partition and kind of a shape: its last part, where it has one."""
    last = pattern.split(":", 5)[5] if pattern.count(":") > 4 else "*"  # noqa: PLR2004 - the parts of an ARN
    head, _, kind = shape.removesuffix("/*").rpartition(":")
    return f"{head}:{last}" if last.startswith(f"{kind}/") else shape
