"""AWS policies as formulas over a request: the segments of its ARN, its condition keys, one action at a time.

What is not modelled becomes a flag of its own, free to be true or false: so what is shown to be impossible is
impossible, and a model that is found is replayed by the evaluator before anyone hears of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.patterns import segments
from assaymark.assess.aws.principals import named
from assaymark.assess.unresolved import HOLE, pattern_of
from assaymark.core.graph import State
from assaymark.solve.formula import FALSE, TRUE, And, Flag, Like, Not, Or

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assaymark.assess.aws.condition_formulas import Conditions
    from assaymark.assess.aws.request import Principal
    from assaymark.assess.estate.aws import PolicyDocument, Statement
    from assaymark.solve.formula import Formula

SEGMENTS: Final = ("partition", "service", "region", "account", "resource")
_BUCKET: Final = "arn:*:s3:::*"
_VARIABLE: Final = re.compile(r"\$\{[^{}]*\}")
_CLOSED: Final = re.compile(
    r"(?:\ue010|\\u\{e010\})+([^\ue010\ue011\\]*)(?:\ue011|\\u\{e011\})"
)  # as solvers write it


def allowed(
    documents: Iterable[PolicyDocument],
    action: str,
    shape: str,
    conditions: Conditions,
    principal: Principal | None = None,
) -> Formula:
    """When the policies allow an action: some statement does and none denies it.

    ``shape``: the form of the ARN that is asked about, ``*`` for an action that has no resource. ``principal``: who
    asks, of policies that say whom they are for. ``conditions``: those of all policies of the question.
    """
    allows: list[Formula] = []
    denies: list[Formula] = []
    for document in documents:
        for statement in document.statements:
            if names(statement, action):
                part = And(
                    (
                        _who(statement, principal),
                        _resource(statement, shape),
                        conditions.met(statement, document.version),
                    )
                )
                (allows if statement.effect == "Allow" else denies).append(part)
    return And((Or(tuple(allows)), Not(Or(tuple(denies)))))


def names(statement: Statement, action: str) -> bool:
    """Whether the statement's actions mean the action."""
    bit = actions.bit(action)
    if statement.not_actions is not None:
        return not any(actions.expand(pattern) & bit for pattern in statement.not_actions)
    return any(actions.expand(pattern) & bit for pattern in statement.actions)


def _who(statement: Statement, principal: Principal | None) -> Formula:
    if principal is None:
        return TRUE
    state = named(statement, principal).state
    if state is State.UNKNOWN:
        return Flag(f"{principal.arn} is one of {statement.principals or statement.not_principals}")
    return TRUE if state is State.YES else FALSE


def _resource(statement: Statement, shape: str) -> Formula:
    bare = not statement.resources and statement.not_resources is None
    if bare and (statement.principals is not None or statement.not_principals is not None):
        return TRUE  # a trust policy is about its role
    excluded = statement.not_resources is not None
    values = statement.not_resources if statement.not_resources is not None else statement.resources
    found = Or(tuple(_pattern(value, shape) for value in values))
    return Not(found) if excluded else found


def _pattern(value: str, shape: str) -> Formula:
    text = pattern_of(value)
    if HOLE in text:
        return Flag(f"open:{value}")
    if text == "*":
        return TRUE
    if shape == "*":
        return FALSE
    parts = segments(_closed(text))
    if len(parts) != len(SEGMENTS) + 1:
        return FALSE
    return And(tuple(_segment(name, part) for name, part in zip(SEGMENTS, parts[1:], strict=True) if part != "*"))


def _segment(name: str, part: str) -> Formula:
    return Like(f"arn.{name}", part, plain="*" not in part and "?" not in part)


def _closed(text: str) -> str:
    """A policy variable as a text of its own, the same wherever it stands, and longer than marks could cover."""
    return _VARIABLE.sub(lambda match: "\ue010" * 40 + match[0][2:-1].strip().lower() + "\ue011", text)


def opened(text: str) -> tuple[str, tuple[str, ...]]:
    """A text of a model with a word in place of policy variables, and their keys."""
    return _CLOSED.sub("example", text), tuple(_CLOSED.findall(text))


def well_formed(shape: str, mentioned: Mapping[str, Iterable[str]]) -> Formula:
    """What every ARN of a form is like: its fixed parts, and a partition, an account and a region that are some."""
    if shape == "*":
        return TRUE
    parts = segments(shape)[1:]
    rules: list[Formula] = []
    for name, part in zip(SEGMENTS, parts, strict=True):
        variable = f"arn.{name}"
        if name == "partition" or (name in mentioned and part == "*"):
            rules.append(Or(tuple(Like(variable, value, plain=True) for value in mentioned[name])))
        else:
            rules += [_segment(variable.removeprefix("arn."), part.replace("*", "?*"))]
    if shape == _BUCKET:
        rules.append(Not(Like("arn.resource", "*/*")))  # what has a slash is an object
    return And(tuple(rules))
