"""Edges from whoever a role's trust policy lets in: principals of the estate, of other accounts, tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.answers import Part
from assaymark.assess.aws.conditions import condition_keys
from assaymark.assess.aws.evaluate import denied_by
from assaymark.assess.aws.linking import Chain
from assaymark.assess.aws.patterns import overlap
from assaymark.assess.aws.request import Principal, Request
from assaymark.assess.aws.strangers import strangers
from assaymark.assess.estate.aws import STRANGER
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.aws.answers import Answer
    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Identity, Statement

_ASSUME: Final = "sts:AssumeRole"
_WEB: Final = "sts:AssumeRoleWithWebIdentity"
_SAML: Final = "sts:AssumeRoleWithSAML"
_GITHUB: Final = "token.actions.githubusercontent.com"
GOOGLE: Final = "accounts.google.com"
_ACCOUNT: Final = re.compile(
    r"\d{15,25}|<.*google_service_account\..*\.unique_id>|\$\{.*google_service_account\..*\}"
)
_WILDCARDS: Final = frozenset("*?")
_LITERAL: Final = {ord("*"): "\N{ASTERISK OPERATOR}", ord("?"): "\N{FULLWIDTH QUESTION MARK}"}


def link_trust(run: Linking) -> None:
    """Draws whom roles trust that is no principal of the input: other accounts, tokens."""
    for role in run.principals:
        for statement in role.trust.statements if role.kind == "role" and role.trust is not None else ():
            if statement.effect == "Allow":
                _outside(run, role, statement)
                _federated(run, role, statement)


def link_assumed(run: Linking, who: Identity) -> set[str]:
    """Draws which roles a user or role can assume, and gives them."""
    gained: set[str] = set()
    allowed = run.may(who) & actions.bit(_ASSUME)
    for alike in run.each(who, _ASSUME):
        arns = alike.arns if allowed else [arn for arn in alike.arns if _names(run.estate.identities[arn], who)]
        how = f"the role trusts it, and it may call {_ASSUME}"
        run.fan(who.arn, arns, "assumes", how, lambda arn, alike=alike: Chain().then(alike.of(arn)))  # type: ignore[misc]
        gained.update(arns)
    return gained - {who.arn}


def _names(role: Identity, who: Identity) -> bool:
    """Whether a trust policy names an identity by its ARN, or everyone, which is enough within an account.

    Whom a template leaves open could be anybody, and is not taken for one whose own policies speak of no role.
    """
    for statement in role.trust.statements if role.trust is not None else ():
        named = statement.principals or {}
        if statement.effect == "Allow" and ("*" in named or {"*", who.arn} & {*named.get("AWS", ())}):
            return True
    return False


def _outside(run: Linking, role: Identity, statement: Statement) -> None:
    """Principals of accounts that the input does not hold, and everyone."""
    values = (*(statement.principals or {}).get("AWS", ()), *(("*",) if "*" in (statement.principals or {}) else ()))
    for value in dict.fromkeys(values):
        if isinstance(value, Unresolved):
            continue
        account = value if value.isdigit() else value.split(":")[4] if value.count(":") > 4 else ""  # noqa: PLR2004
        if value != "*" and (account in run.accounts or not account):
            continue
        who = "anyone with an AWS account" if value == "*" else f"AWS account {account}"
        arn = f"arn:aws:iam::{STRANGER}:role/anyone" if value == "*" else value
        principal = f"arn:aws:iam::{value}:root" if value.isdigit() else arn
        answer = run.access.can(principal, _ASSUME, role.arn)
        for name, context in strangers(role.trust) if value == "*" and role.trust is not None else ():
            answer = (
                answer
                if answer.state is State.YES
                else _better(answer, run.access.can(name, _ASSUME, role.arn, context))
            )
        if answer.state is State.NO:
            continue
        node = run.builder.node(
            f"aws:outside:{value}",
            "outside",
            who if value == "*" or value.isdigit() or value.endswith(":root") else value,
            (statement.because,),
            boundary={"cloud": "aws", "account": account} if account else {"cloud": "aws"},
            entry="outside",
        )
        chain = Chain().then(answer)
        decides = chain.decides if chain.state is State.UNKNOWN else ()
        because = chain.because or (statement.because,)
        how = f"the role trusts {who}"
        run.builder.edge(Edge(node, role.arn, "assumes", how, because, chain.state, decides))


def _better(one: Answer, two: Answer) -> Answer:
    rank = (State.YES, State.UNKNOWN, State.NO)
    return min(one, two, key=lambda answer: rank.index(answer.state))


def _federated(run: Linking, role: Identity, statement: Statement) -> None:
    """Tokens of identity providers: the subjects that the conditions leave."""
    for provider in (statement.principals or {}).get("Federated", ()):
        issuer = issuer_of(provider)
        subjects = named_subjects(statement, provider) or ("*",)
        audiences = claimed(statement, provider, "aud")
        open_ones = isinstance(provider, Unresolved) or bool(statement.unresolved)
        for subject in subjects:
            state: State = State.YES
            decides: tuple[str, ...] = ()
            rest = other_keys(statement, issuer)
            if open_ones:
                state, decides = State.UNKNOWN, (f"{provider} is the issuer that signs the token",)
            elif rest:
                state, decides = State.UNKNOWN, tuple(f"{key} is as {role.name} demands" for key in sorted(rest))
            let_in = lets_in(role, provider, subject, run.now)
            if let_in.state is State.NO:
                continue
            if let_in.state is State.UNKNOWN:
                state, decides = State.UNKNOWN, (*decides, *let_in.decides)
            node = _subject(run, statement, issuer, subject, audiences)
            how = "the role trusts tokens of this issuer" + ("" if subject != "*" else " whatever their subject")
            run.builder.edge(Edge(node, role.arn, "federates", how, (statement.because,), state, decides))


def _subject(run: Linking, statement: Statement, issuer: str, subject: str, audiences: tuple[str, ...]) -> str:
    wide = subject == "*" or _any_owner(issuer, subject)
    return run.builder.node(
        f"oidc:{issuer}:{subject}",
        "token-subject",
        f"{subject} of {issuer}" if subject != "*" else f"any subject of {issuer}",
        (statement.because,),
        boundary={"domain": issuer},
        issuer=issuer,
        subject=subject,
        audiences=audiences,
        **({"entry": "outside"} if wide and not _own_issuer(issuer) else {}),
    )


def lets_in(role: Identity, provider: str, subject: str, now: datetime) -> Part:
    """Whether the trust policy lets tokens with a subject in, as far as its denials go: no, or under conditions.

    A subject with wildcards could be any that they mean, so a denial that looks at it leaves it open.
    """
    if role.trust is None or all(statement.effect == "Allow" for statement in role.trust.statements):
        return Part(State.YES)
    action = _SAML if ":saml-provider/" in provider else _WEB
    context: dict[str, Value] = {}
    if subject and not _WILDCARDS & set(subject):
        context[f"{issuer_of(provider)}:sub"] = (subject,)
    denied = denied_by(Request(Principal("federated", provider), action, role.arn, now, context), role.trust)
    return Part(denied.state.inverse(), denied.statements, denied.decides)


def issuer_of(provider: str) -> str:
    """The issuer of a provider's ARN, or of a well-known provider: without ``https://``."""
    for mark in (":oidc-provider/", ":saml-provider/"):
        if mark in provider:
            return provider.partition(mark)[2]
    return str(provider)


def _own_issuer(issuer: str) -> bool:
    """Whether only the team's own clusters get tokens of this issuer."""
    return issuer.startswith("oidc.eks.") or "eks.amazonaws.com" in issuer


_OWNERS: Final = {  # before the name of an organisation, group or owner in the subjects of issuers that all may use
    "token.actions.githubusercontent.com": ("repo:", "/"),
    "gitlab.com": ("project_path:", "/"),
    "app.terraform.io": ("organization:", ":"),
}


def _any_owner(issuer: str, subject: str) -> bool:
    """Whether a pattern over a forge's subjects leaves open whose repository or project it is."""
    if issuer not in _OWNERS:
        return False
    before, after = _OWNERS[issuer]
    return bool(_WILDCARDS & set(subject.removeprefix(before).partition(after)[0]))


def claimed(statement: Statement, provider: str, claim: str) -> tuple[str, ...]:
    """The values that positive conditions of a trust policy leave a claim (``sub``) of a provider's tokens.

    None when no condition speaks of it. Of a provider that a template leaves open, any issuer's claim counts, and a
    key whose issuer is left open counts for any provider: if it were another's, no token would have it. A wildcard
    in ``StringEquals`` stands for itself and no token has it: it is shown as a letter that matches nothing.
    """
    issuer = issuer_of(provider)
    found: list[str] = []
    for operator, keys in statement.condition.items():
        bare = operator.lower().rpartition(":")[2].removesuffix("ifexists")
        if bare not in ("stringequals", "stringlike", "stringequalsignorecase", "arnlike", "arnequals"):
            continue
        for name, values in keys.items():
            key = name.lower()
            ours = key == f"{issuer}:{claim}".lower()
            either_open = isinstance(provider, Unresolved) or "${" in key
            if ours or (either_open and key.endswith(f":{claim}")):
                found += [one.translate(_LITERAL) for one in values] if bare == "stringequals" else values
    return tuple(dict.fromkeys(found))


def named_subjects(statement: Statement, provider: str) -> tuple[str, ...]:
    """The subjects that a trust policy asks for, also by other claims: GitHub's repository, Google's audience.

    Source: AWS documentation, "IAM and AWS STS condition context keys": ``accounts.google.com:aud`` is the ``azp`` of
    a token, which is the id of the account that asked for it, and ``oaud`` its ``aud``, which that account chooses.
    """
    found = claimed(statement, provider, "sub")
    if issuer_of(provider).startswith(_GITHUB) and (asked := claimed(statement, provider, "repository")):
        narrowed = [one for each in found or ("*",) for repository in asked for one in _of(each, repository)]
        return tuple(dict.fromkeys(narrowed)) or found
    if found or issuer_of(provider) != GOOGLE:
        return found
    asked = claimed(statement, provider, "aud")
    return asked if all(_ACCOUNT.fullmatch(one) for one in asked) else ()


def _of(subject: str, repository: str) -> tuple[str, ...]:
    """What a pattern over subjects of GitHub means of a repository, or of a pattern of such; nothing for neither.

    Source: AWS documentation, "Available keys for AWS OIDC federation", ``token.actions.githubusercontent.com``.
    """
    if subject == "*":
        return (f"repo:{repository}:*",)
    head, _, rest = subject.partition(":")
    named, colon, rest = rest.partition(":")
    if head != "repo":  # an organisation puts its subjects together as it likes
        return (subject,)
    if not overlap(named, repository):
        return ()
    narrower = named if colon and _WILDCARDS & set(repository) and not _WILDCARDS & set(named) else repository
    return (f"repo:{narrower}:{rest or '*'}",)


def other_keys(statement: Statement, issuer: str) -> frozenset[str]:
    """The keys that conditions ask for besides the token's subject and audience."""
    known = {f"{issuer}:sub".lower(), f"{issuer}:aud".lower(), "saml:aud", f"{GOOGLE}:oaud"}
    known |= {f"{issuer}:repository".lower()} if issuer.startswith(_GITHUB) else set()
    return frozenset(
        key
        for key in condition_keys(statement.condition)
        if key.lower() not in known and not ("${" in key and key.lower().endswith((":sub", ":aud")))
    )
