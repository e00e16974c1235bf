"""``contained``: whether one set of AWS policies allows nothing that another does not, asked of solvers.

Actions are finite and fall into classes that all statements treat alike; for one of each class and each form of ARN
that it takes, solvers are asked for a request that the first allows and the second does not. What they find is
replayed through the evaluator; what they do not find is ``solver-attested``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.condition_formulas import Conditions, carried, links
from assaymark.assess.aws.conditions import Key, condition_keys
from assaymark.assess.aws.evaluate import Applies, evaluate
from assaymark.assess.aws.formulas import SEGMENTS, allowed, names, opened, well_formed
from assaymark.assess.aws.patterns import segments
from assaymark.assess.aws.principals import named
from assaymark.assess.aws.request import Principal, Request
from assaymark.assess.estate.aws import STRANGER, PolicyDocument
from assaymark.assess.proofs import readable
from assaymark.assess.rewrite import CONTAINED, NOT_CONTAINED, UNKNOWN, Containment, Example
from assaymark.core.graph import Because, State
from assaymark.solve.ask import satisfiable
from assaymark.solve.formula import And, Not

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assaymark.assess.aws.conditions import Value as KeyValue
    from assaymark.solve.ask import Answer
    from assaymark.solve.formula import Formula, Value

_ACCOUNT: Final = "111122223333"
_OWNER: Final = "808080808080"  # of a resource whose policy decides alone
_NOWHERE: Final = Because("", 0, "")
_REGION: Final = "us-east-1"
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


def contained(
    new: Sequence[PolicyDocument],
    old: Sequence[PolicyDocument],
    solvers: tuple[str, ...] = (),
    facts: Mapping[str, str] | None = None,
) -> Containment:
    """Whether what ``new`` allows ``old`` allows too. Policies that name principals are asked for each kind of them.

    ``facts``: condition keys that every request carries, and their values. Where both say the same, word for word,
    nothing is asked, unless they do so everywhere.

    Raises:
        UsageError: ``solver-missing``.
    """
    answers: list[Answer] = []
    doubt = False
    same = None
    for action, shape, principal, question, differs in _questions(new, old, facts or {}):
        if not differs:
            same = same or question
            continue
        answer = satisfiable(question, solvers)
        answers.append(answer)
        if answer.verdict == "sat":
            for example in _examples(action, shape, answer.model, principal, (*new, *old)):
                if _shows(example, new, old, principal):
                    return Containment(NOT_CONTAINED, tuple(answers), example)
            doubt = True
        elif answer.verdict != "unsat":
            doubt = True
    if not answers and same is not None:
        answers.append(satisfiable(same, solvers))
        doubt = answers[0].verdict != "unsat"
    return Containment(UNKNOWN if doubt else CONTAINED, tuple(answers))


def _questions(
    new: Sequence[PolicyDocument], old: Sequence[PolicyDocument], facts: Mapping[str, str]
) -> Iterator[tuple[str, str, Principal | None, Formula, bool]]:
    """Action, form of ARN and principal, what is asked of them, and whether ``new`` and ``old`` differ there."""
    mentioned = _mentioned((*new, *old))
    who = _principals((*new, *old))
    conditions = Conditions((*new, *old))
    known = tuple(conditions.fact(key.lower(), value) for key, value in sorted(facts.items()))
    for action in _classes(new, old):
        for shape in _shapes(action):
            form = well_formed(shape, mentioned)
            for principal in who:
                now, before = (allowed(side, action, shape, conditions, principal) for side in (new, old))
                whole = And((*known, now, Not(before)))
                yield action, shape, principal, And((form, whole, links(whole))), now != before


def _principals(documents: Sequence[PolicyDocument]) -> tuple[Principal | None, ...]:
    """Of policies that name principals one of each kind that all statements treat alike, else none at all."""
    statements = [one for document in documents for one in document.statements]
    named_ones = [one for one in statements if one.principals is not None or one.not_principals is not None]
    if not named_ones:
        return (None,)
    candidates = [Principal("anonymous"), Principal("role", f"arn:aws:iam::{STRANGER}:role/someone", tags={})]
    for statement in named_ones:
        for elements in (statement.principals or {}, statement.not_principals or {}):
            for kind, values in sorted(elements.items()):
                candidates += [one for value in values for one in _like(kind, value)]
    found: dict[tuple[object, ...], Principal] = {}
    for one in candidates:
        found.setdefault((one.kind, *(named(statement, one).state for statement in named_ones)), one)
    return tuple(found.values())


def _like(kind: str, value: str) -> Iterator[Principal]:
    """Who is named, and of an account that is named somebody; one whom a template leaves open stands for itself."""
    if kind in ("Service", "Federated"):
        yield Principal(kind.lower(), value)
    elif kind == "AWS" and value != "*":
        parts = value.split(":")
        account = value if value.isdigit() else parts[4] if len(parts) > len(SEGMENTS) else ""
        if account.isdigit():
            yield Principal("role", f"arn:aws:iam::{account}:role/someone", tags={})
            for name in ("user", "role"):
                if parts[-1].startswith(f"{name}/"):
                    yield Principal(name, value, tags={})


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


def _mentioned(documents: Sequence[PolicyDocument]) -> dict[str, tuple[str, ...]]:
    """Partitions, accounts and regions of the policies' ARNs, and of each one that they do not mention."""
    partitions, accounts, regions = {"aws"}, {_ACCOUNT}, {_REGION}
    for document in documents:
        for statement in document.statements:
            for value in (*statement.resources, *(statement.not_resources or ())):
                parts = segments(value)
                if len(parts) > len(SEGMENTS):
                    partitions |= {parts[1]} if parts[1].startswith("aws") and "*" not in parts[1] else set()
                    accounts |= {parts[4]} if parts[4].isdigit() else set()
                    regions |= {parts[3]} if parts[3] and not {"*", "?", "$"} & set(parts[3]) else set()
    values = {"partition": partitions, "account": accounts, "region": regions}
    return {name: tuple(sorted(some)) for name, some in values.items()}


def _opened(model: Mapping[str, Value]) -> dict[str, Value]:
    """A model whose ARN has a word for each policy variable, which the request then carries as its key."""
    found = dict(model)
    for name in SEGMENTS:
        text, keys = opened(str(model.get(f"arn.{name}", "")))
        for key in keys:
            found |= {f"arn.{name}": text, f"has:{key}": True, f"key:{key}": "example"}
    return found


def _examples(
    action: str,
    shape: str,
    model: Mapping[str, Value],
    principal: Principal | None,
    documents: Sequence[PolicyDocument],
) -> Iterator[Example]:
    """Requests that a model may mean, the most readable first; at last one without all keys that it leaves open."""
    model = _opened(model)
    tried = [one for some in (readable(model), model) for one in _requests(action, shape, some, principal)]
    yield from tried
    conditions = [statement.condition for document in documents for statement in document.statements]
    keys = {key.lower() for condition in conditions for key in condition_keys(condition)}
    found = tried[0]
    left = sorted(keys - found.context.keys() - {*found.absent})
    yield replace(found, absent=(*found.absent, *left))


def _requests(action: str, shape: str, model: Mapping[str, Value], principal: Principal | None) -> Iterator[Example]:
    resource = "*"
    if shape != "*":
        resource = ":".join(("arn", *(str(model.get(f"arn.{name}", "")) for name in SEGMENTS)))
    for context, absent in carried(model):
        yield Example(action, resource, context, absent, principal.arn if principal is not None else "")


def _shows(
    example: Example, new: Sequence[PolicyDocument], old: Sequence[PolicyDocument], who: Principal | None = None
) -> bool:
    """Whether the evaluator says so too."""
    states = []
    context: dict[str, KeyValue] = {**example.context, **dict.fromkeys(example.absent, Key.ABSENT)}
    for documents in (new, old):
        if who is not None:
            states.append(_of_resource(example, documents, who, context))
            continue
        parts = example.resource.split(":", 5)
        account = parts[4] if len(parts) > len(SEGMENTS) and parts[4] else _ACCOUNT
        principal = Principal("role", f"arn:aws:iam::{account}:role/someone", tags={})
        request = Request(principal, example.action, example.resource, _NOW, context, account)
        states.append(evaluate(request, Applies(identity=tuple(documents))).state)
    return states[0] is not State.NO and states[1] is State.NO


def _of_resource(
    example: Example, documents: Sequence[PolicyDocument], who: Principal, context: dict[str, KeyValue]
) -> State:
    """What policies of a resource say of somebody whose own account allows everything."""
    request = Request(who, example.action, example.resource, _NOW, context, _OWNER)
    whole = PolicyDocument("all", tuple(one for policy in documents for one in policy.statements), _NOWHERE)
    return evaluate(request, Applies(resource=whole, trusted_account=True)).state
