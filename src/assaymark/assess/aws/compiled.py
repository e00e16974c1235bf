"""Policies as sets of bits: which actions a statement means, which atoms, and what its condition looks at.

``Span`` is three-valued for every action at once: ``yes`` holds the actions of which something is certain, ``maybe``
those too of which it is not certain. And, or and not are those of ``State``, bit by bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assaymark.assess.aws import actions
from assaymark.assess.aws.conditions import condition_keys, variables
from assaymark.assess.aws.request import BOUNDARY_KEY
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.estate.aws import PolicyDocument, Statement


class Span(NamedTuple):
    """The actions of which something is so, and those of which it may be; the second holds the first."""

    yes: int
    maybe: int

    def both(self, other: Span) -> Span:
        """And."""
        return Span(self.yes & other.yes, self.maybe & other.maybe)

    def either(self, other: Span) -> Span:
        """Or."""
        return Span(self.yes | other.yes, self.maybe | other.maybe)

    def when(self, state: State) -> Span:
        """And, with something that does not hang on the action."""
        if state is State.YES:
            return self
        return NOTHING if state is State.NO else Span(0, self.maybe)


NOTHING = Span(0, 0)
# Keys that are the same for all requests of a principal; others hang on the action or the resource.
_PRINCIPAL_KEYS = ("aws:principal", "aws:source", "aws:multifactor", "aws:calledvia", "aws:federated", "aws:token")
_PRINCIPAL_NAMES = frozenset(
    (
        "aws:username",
        "aws:userid",
        "aws:currenttime",
        "aws:epochtime",
        "aws:securetransport",
        "aws:useragent",
        "aws:referer",
        "aws:viaawsservice",
        "aws:vpcsourceip",
    )
)


def of_principal(key: str) -> bool:
    """Whether a condition key has one value for all requests of a principal."""
    return key in _PRINCIPAL_NAMES or key.startswith(_PRINCIPAL_KEYS)


_RESOURCE_KEYS = frozenset(("aws:resourceaccount", "aws:requestedregion", "s3:resourceaccount"))


def of_action(key: str) -> bool:
    """Whether a condition key hangs on the action that is asked for."""
    if key.startswith("aws:resourcetag/"):
        return False
    return not of_principal(key) and key not in _RESOURCE_KEYS


def of_resource_tags(key: str) -> bool:
    """Whether a condition key reads the tags of the resource, or the boundary of an identity."""
    return "resourcetag/" in key or key == BOUNDARY_KEY


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement.

    ``patterns`` are its resources, of which ``excluded`` tells NotResource; None for a policy of a
    resource that names none. ``steady``: its condition is the same for all requests of a principal; ``tags``: it
    looks at tags of the resource; ``per_action``: at the action; ``variable``: its resources have policy variables,
    ``wild`` ones that hang on the request.
    """

    statement: Statement
    version: str
    actions: Span
    patterns: tuple[str, ...]
    excluded: bool
    steady: bool
    per_action: bool
    tags: bool
    variable: bool
    wild: bool

    @property
    def deny(self) -> bool:
        """Whether it denies."""
        return self.statement.effect == "Deny"


class Compiler:
    """Compiles each statement once; statements are told apart by identity and kept alive by their estate."""

    def __init__(self) -> None:
        self._documents: dict[int, tuple[PolicyDocument, tuple[Compiled, ...]]] = {}

    def document(self, document: PolicyDocument) -> tuple[Compiled, ...]:
        """The statements of a policy."""
        found = self._documents.get(id(document))
        if found is None:
            compiled = tuple(_compile(statement, document.version) for statement in document.statements)
            found = self._documents[id(document)] = (document, compiled)
        return found[1]

    def documents(self, documents: Iterable[PolicyDocument]) -> list[Compiled]:
        """The statements of several."""
        return [one for document in documents for one in self.document(document)]


def _compile(statement: Statement, version: str) -> Compiled:
    excluded = statement.not_resources is not None
    patterns = statement.not_resources if statement.not_resources is not None else statement.resources
    keys = condition_keys(statement.condition) if statement.condition else frozenset()
    used: set[str] = set()
    if version == "2012-10-17":
        for pattern in patterns:
            used |= variables(pattern)
    return Compiled(
        statement,
        version,
        _actions(statement),
        patterns,
        excluded,
        steady=all(of_principal(key) for key in keys),
        per_action=any(of_action(key) for key in keys),
        tags=any(of_resource_tags(key) for key in keys | used),
        variable=version == "2012-10-17" and any("${" in pattern for pattern in patterns),
        wild=not all(of_principal(key) for key in used),
    )


def _actions(statement: Statement) -> Span:
    names = statement.not_actions if statement.not_actions is not None else statement.actions
    yes = maybe = 0
    for name in names:
        certain, perhaps = actions.expand_known(name)
        yes |= certain
        maybe |= certain | perhaps
    if statement.not_actions is None:
        return Span(yes, maybe)
    everything = actions.everything()
    return Span(everything & ~maybe, everything & ~yes)
