"""Patches of whom roles trust: audiences and subjects of tokens, external ids of other accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.aws.trust import claimed, issuer_of
from assaymark.assess.aws.written import statement_as_written
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.terraform.declared import declared, referable
from assaymark.assess.unresolved import Unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.estate.aws import Identity, Statement
    from assaymark.assess.patch import Patch, Place

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]

# Issuers whose tokens carry no authorised party beside the audience, so that a provider's only audience is theirs.
_PLAIN_ISSUERS: Final = ("token.actions.githubusercontent.com", "oidc.eks.")


def _allowing(who: Identity | None) -> Iterator[Statement]:
    """The statements that let somebody in: a condition more on one that denies would let others in."""
    for statement in who.trust.statements if who is not None and who.trust is not None else ():
        if statement.effect == "Allow":
            yield statement


def _issued(statement: Statement, issuer: str) -> str:
    """The provider of an issuer that a statement names and nobody else; empty for another statement."""
    principals = statement.principals or {}
    named = principals.get("Federated", ())
    return named[0] if set(principals) == {"Federated"} and len(named) == 1 and issuer_of(named[0]) == issuer else ""


def _audience(place: Place) -> Iterator[Patch]:
    """The one audience that a provider takes, as the role's own condition: what was taken is taken still."""
    arn, _, issuer = place.finding.name.partition("#")
    who = place.estates.aws.identities.get(arn)
    for statement in _allowing(who):
        key, audience = _made_for(place, statement, _issued(statement, issuer))
        shown = statement_as_written(place.inputs, statement) if audience else None
        if shown is None:
            continue
        change = shown.condition("StringEquals", key, shown.quoted(audience))
        if change is not None:
            title = f"take tokens that are made for {audience}"
            yield from shown.text.replaced([change], title, safe=key.startswith(_PLAIN_ISSUERS))


def _made_for(place: Place, statement: Statement, provider: str) -> tuple[str, str]:
    """The key and the one audience that a statement of a provider does not ask for; empty for none."""
    known = place.estates.aws.providers.get(provider)
    if known is None or len(known.audiences) != 1 or isinstance(known.audiences[0], Unresolved):
        return "", ""
    return ("", "") if claimed(statement, provider, "aud") else (f"{known.issuer}:aud", known.audiences[0])


def _subject(place: Place) -> Iterator[Patch]:
    """The service accounts of the cluster that name a role, where the role takes those of every one.

    With the audience, where the role does not ask for one either: both would be written at one place.
    """
    arn, _, issuer = place.finding.name.partition("#")
    who = place.estates.aws.identities.get(arn)
    if not issuer.startswith("oidc.eks."):
        return
    named = []
    for account in place.estates.kubernetes.of("ServiceAccount"):
        role = account.labels("annotations").get("eks.amazonaws.com/role-arn", "")
        if role == arn or (arn.split(":")[4] == UNKNOWN_ACCOUNT and role.split(":")[5:] == arn.split(":")[5:]):
            named.append(f"system:serviceaccount:{account.namespace}:{account.name}")
    for statement in _allowing(who) if named else ():
        provider = _issued(statement, issuer)
        shown = statement_as_written(place.inputs, statement) if provider else None
        if shown is None or claimed(statement, provider, "sub"):
            continue
        values = [shown.quoted(one) for one in sorted(named)]
        listed = values[0] if len(values) == 1 else f"[{', '.join(values)}]"
        key, audience = _made_for(place, statement, provider) if shown.style != "block" else ("", "")
        beside = (key, shown.quoted(audience)) if audience else None
        change = shown.condition("StringEquals", f"{issuer}:sub", listed, beside)
        if change is not None:
            made = f", made for {audience}" if audience else ""
            title = f"take tokens of {', '.join(sorted(named))} alone{made}"
            yield from shown.text.replaced([change], title)


def _external_id(place: Place) -> Iterator[Patch]:
    """An external id, which is a variable without a value: who asks and who answers agree on one."""
    arn, _, account = place.finding.name.partition("#")
    who = place.estates.aws.identities.get(arn)
    roles = [one for one in declared(place.estates).by_arn[arn] if one.kind == "aws_iam_role"]
    if len(roles) != 1 or not referable(roles[0], place.path):
        return
    name = f"{roles[0].address.partition('.')[2].replace('-', '_')}_external_id"
    for statement in _allowing(who):
        shown = statement_as_written(place.inputs, statement)
        principals = statement.principals or {}
        if shown is None or shown.literal or set(principals) != {"AWS"} or len(principals["AWS"]) != 1:
            continue
        if account not in principals["AWS"][0] or f'"{name}"' in shown.text.text:
            continue
        value = f'"${{var.{name}}}"' if shown.style == "json" else f"var.{name}"
        change = shown.condition("StringEquals", "sts:ExternalId", value)
        if change is None:
            continue
        title = f"ask account {account} for an external id, which the variable {name} gives"
        yield from shown.text.replaced([change], title)
        variable = ("", f'variable "{name}" {{', "  type      = string", "  sensitive = true", "}")
        yield shown.text.appended(variable, title)


TRUST_WRITERS: Final[dict[str, Writer]] = {
    "aws-federation-audience": _audience,
    "aws-federation-subject": _subject,
    "aws-trust-external": _external_id,
}
