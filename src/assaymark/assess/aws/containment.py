"""``contained``: whether one set of AWS policies allows nothing that another does not, asked of solvers.

Actions are finite and fall into classes that all statements treat alike; for one of each class and each form of ARN
that it takes, solvers are asked for a request that the first allows and the second does not. What they find is
replayed through the evaluator; what they do not find is ``solver-attested``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.conditions import Key
from assaymark.assess.aws.evaluate import Applies, evaluate
from assaymark.assess.aws.formulas import SCALE, SEGMENTS, allowed, names, well_formed
from assaymark.assess.aws.patterns import segments
from assaymark.assess.aws.request import Principal, Request
from assaymark.core.graph import State
from assaymark.solve.ask import Answer, satisfiable
from assaymark.solve.formula import And, Not

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assaymark.assess.aws.conditions import Value as KeyValue
    from assaymark.assess.estate.aws import PolicyDocument
    from assaymark.solve.formula import Value

_ACCOUNT: Final = "111122223333"
_REGION: Final = "us-east-1"
_ODD: Final = re.compile(r"(?:\\u\{[0-9a-fA-F]+\}|[^ -~]|\b[A-Z]\b)+")
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Example:
    """A request that one set of policies allows and the other does not."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    absent: tuple[str, ...] = ()  # keys that it does not carry


@dataclass(frozen=True, slots=True)
class Containment:
    """What solvers attest.

    ``verdict``: ``contained`` (no solver found a counter-example to any question), ``not contained`` with the
    example, or ``unknown``. ``answers``: what was asked and said.
    """

    verdict: str
    answers: tuple[Answer, ...]
    example: Example | None = None

    @property
    def solvers(self) -> tuple[str, ...]:
        """Who attests, with versions."""
        return tuple(sorted({f"{one.solver} {one.version}" for answer in self.answers for one in answer.said}))


def contained(
    new: Sequence[PolicyDocument], old: Sequence[PolicyDocument], solvers: tuple[str, ...] = ()
) -> Containment:
    """Whether what ``new`` allows ``old`` allows too.

    Raises:
        UsageError: ``solver-missing``.
    """
    accounts, regions = _mentioned((*new, *old))
    answers: list[Answer] = []
    doubt = False
    for action in _classes(new, old):
        for shape in _shapes(action):
            question = And(
                (well_formed(shape, accounts, regions), allowed(new, action, shape), Not(allowed(old, action, shape)))
            )
            answer = satisfiable(question, solvers)
            answers.append(answer)
            if answer.verdict == "sat":
                for model in (_readable(answer.model), answer.model):
                    example = _example(action, shape, model)
                    if _shows(example, new, old):
                        return Containment("not contained", tuple(answers), example)
                doubt = True
            elif answer.verdict != "unsat":
                doubt = True
    return Containment("unknown" if doubt else "contained", tuple(answers))


def _classes(new: Sequence[PolicyDocument], old: Sequence[PolicyDocument]) -> Iterator[str]:
    """One action of each class that every statement treats alike, of those that ``new`` may allow."""
    statements = [statement for document in (*new, *old) for statement in document.statements]
    candidates = 0
    for document in new:
        for statement in document.statements:
            if statement.effect == "Allow":
                if statement.not_actions is not None:
                    candidates = actions.everything()
                    break
                for pattern in statement.actions:
                    candidates |= actions.expand(pattern)
    seen: set[tuple[object, ...]] = set()
    for name in actions.names_of(candidates):
        about = actions.find(name)
        kinds = about.resources if about is not None else ()
        key = (name.partition(":")[0], kinds, *(names(statement, name) for statement in statements))
        if key not in seen:
            seen.add(key)
            yield name


def _shapes(action: str) -> tuple[str, ...]:
    """The forms of ARNs that an action takes, ``*`` for none."""
    about = actions.find(action)
    service = actions.service(action.partition(":")[0])
    if about is None or service is None or not about.resources:
        return ("*",)
    return tuple(dict.fromkeys(service.types[name].arn for name in about.resources))


def _mentioned(documents: Sequence[PolicyDocument]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Accounts and regions of the policies' ARNs, and one that they do not mention."""
    accounts, regions = {_ACCOUNT}, {_REGION}
    for document in documents:
        for statement in document.statements:
            for value in (*statement.resources, *(statement.not_resources or ())):
                parts = segments(value)
                if len(parts) > len(SEGMENTS):
                    accounts |= {parts[4]} if parts[4].isdigit() else set()
                    regions |= {parts[3]} if parts[3] and not {"*", "?", "$"} & set(parts[3]) else set()
    return tuple(sorted(accounts)), tuple(sorted(regions))


def _readable(model: Mapping[str, Value]) -> dict[str, Value]:
    """A model with words in place of the odd letters that solvers take for any text."""
    return {name: _ODD.sub("example", value) if isinstance(value, str) else value for name, value in model.items()}


def _example(action: str, shape: str, model: Mapping[str, Value]) -> Example:
    resource = "*"
    if shape != "*":
        resource = ":".join(("arn", *(str(model.get(f"arn.{name}", "")) for name in SEGMENTS)))
    context: dict[str, tuple[str, ...]] = {}
    for name, value in model.items():
        kind, _, key = name.partition(":")
        if kind == "has" and value is True:
            context[key] = (_value(key, model),)
    absent = tuple(name[4:] for name, value in model.items() if name.startswith("has:") and value is False)
    return Example(action, resource, context, absent)


def _value(key: str, model: Mapping[str, Value]) -> str:
    if f"ip:{key}" in model:
        return str(IPv4Address(max(0, min(2**32 - 1, int(model[f"ip:{key}"])))))
    if f"number:{key}" in model:
        number = int(model[f"number:{key}"]) / SCALE
        return str(int(number)) if number.is_integer() else str(number)
    return str(model.get(f"key:{key}", "x"))


def _shows(example: Example, new: Sequence[PolicyDocument], old: Sequence[PolicyDocument]) -> bool:
    """Whether the evaluator says so too."""
    states = []
    context: dict[str, KeyValue] = {**example.context, **dict.fromkeys(example.absent, Key.ABSENT)}
    for documents in (new, old):
        parts = example.resource.split(":", 5)
        account = parts[4] if len(parts) > len(SEGMENTS) and parts[4] else _ACCOUNT
        principal = Principal("role", f"arn:aws:iam::{account}:role/someone", tags={})
        request = Request(principal, example.action, example.resource, _NOW, context, account)
        states.append(evaluate(request, Applies(identity=tuple(documents))).state)
    return states[0] is not State.NO and states[1] is State.NO
