"""Policies as one identity has them: those of its groups too, with what its requests carry for policy variables."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.patterns import literal
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.unresolved import Unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assaymark.assess.estate.aws import Estate, Identity, PolicyDocument, Statement

_VARIABLE: Final = re.compile(r"\$\{\s*([^{},]*?)\s*\}")
_READS_VARIABLES: Final = "2012-10-17"


def held(estate: Estate, identity: Identity) -> tuple[tuple[PolicyDocument, ...], tuple[str, ...]]:
    """The policies of an identity and its groups, and the names of those whose text is not known."""
    documents, opaque = list(identity.policies), list(identity.opaque)
    for arn in identity.groups:
        group = estate.identities.get(arn)
        if group is None:
            opaque.append(f"the policies of {arn}")
        else:
            documents += [replace(one, name=f"{one.name}, through the group {group.name}") for one in group.policies]
            opaque += group.opaque
    return tuple(documents), tuple(dict.fromkeys(opaque))


def named_facts(who: Identity) -> dict[str, str]:
    """Condition keys that every request of an identity carries, whatever its tags are."""
    found = {"aws:username": who.name} if who.kind == "user" else {}
    if UNKNOWN_ACCOUNT not in who.arn and not isinstance(who.arn, Unresolved):
        found |= {"aws:principalarn": who.arn, "aws:principalaccount": who.account}
    return found


def facts(who: Identity) -> dict[str, str]:
    """The same with its tags."""
    tags = {
        f"aws:principaltag/{tag.lower()}": value
        for tag, value in who.tags.items()
        if not isinstance(value, Unresolved)
    }
    return tags | named_facts(who)


def personal(document: PolicyDocument, known: Mapping[str, str]) -> PolicyDocument:
    """A policy as one identity has it: policy variables of known keys are their values."""
    if document.version != _READS_VARIABLES:
        return document

    def known_in(value: str, literally: bool) -> str:
        shown = literal if literally else str
        return _VARIABLE.sub(
            lambda match: shown(known[key]) if (key := match[1].lower()) in known else match[0], value
        )

    return put(document, known_in)


def put(document: PolicyDocument, change: Callable[[str, bool], str]) -> PolicyDocument:
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
