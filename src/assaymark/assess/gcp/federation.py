"""Edges from tokens of other issuers to the principals of workload identity pools that they become.

Source: Google Cloud IAM, "Workload Identity Federation" (principal identifiers, attribute mappings and conditions).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assaymark.assess.answer import NO, YES, Answer
from assaymark.assess.gcp.cel import evaluate, parse_cel
from assaymark.assess.gcp.conditions import called, holds
from assaymark.assess.unresolved import Unresolved
from assaymark.core.errors import InputError
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.estate.gcp import Gcp, Provider
    from assaymark.assess.gcp.linking import Linking

_MEMBER: Final = re.compile(
    r"principal(?:Set)?://iam\.googleapis\.com/projects/([^/]+)/locations/global/workloadIdentityPools/([^/]+)/(.+)"
)
_CLAIM: Final = re.compile(r"assertion\.([A-Za-z_]\w*)")
GITHUB: Final = "token.actions.githubusercontent.com"
# Issuers that sign tokens for anyone who has an account with them.
PUBLIC: Final = (
    GITHUB,
    "gitlab.com",
    "app.terraform.io",
    "agent.buildkite.com",
    "api.bitbucket.org",
    "accounts.google.com",
    "oidc.circleci.com",
    "vstoken.dev.azure.com",
)


# What a provider of AWS maps where it is not told. Source: "Workload Identity Federation with other clouds".
_OF_AWS: Final = {
    "google.subject": "assertion.arn",
    "attribute.aws_role": (
        "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/')"
        " + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn"
    ),
}


class Pooled(NamedTuple):
    """A member of a workload identity pool: the pool's id, the attribute that selects, its value (``*`` for all)."""

    project: str
    pool: str
    attribute: str
    value: str


def pooled(member: str) -> Pooled | None:
    """What a member selects of a pool; None for another kind of member."""
    match = _MEMBER.fullmatch(member)
    if match is None:
        return None
    attribute, _, value = match[3].partition("/")
    names = {"subject": "google.subject", "group": "google.groups"}
    return Pooled(match[1], match[2], names.get(attribute, attribute), value or "*")


def providers_of(estate: Gcp, pool: str) -> list[Provider]:
    """The providers of a pool, by the pool's id."""
    return [one for _, one in sorted(estate.providers.items()) if one.pool.rpartition("/")[2] == pool]


def link_federation(run: Linking) -> None:
    """Draws whose tokens become a member of a pool."""
    for member in run.members:
        selected = pooled(member)
        if selected is None or selected.pool.endswith(".svc.id.goog"):
            continue
        providers = providers_of(run.estate, selected.pool)
        if not providers:
            run.reading.gap(f"the providers of the pool {selected.pool} are not in the input; anybody may be let in")
            run.builder.node(
                f"gcp:outside:{selected.pool}",
                "outside",
                f"whoever the pool {selected.pool} lets in",
                _lines(run, member),
                boundary={"cloud": "gcp"},
                entry="outside",
            )
            answer = Answer(
                State.UNKNOWN, tuple(_lines(run, member)), (f"who the providers of {selected.pool} let in",)
            )
            run.draw(f"gcp:outside:{selected.pool}", member, "federates", "the pool lets it in", answer)
        for provider in providers:
            _let_in(run, member, selected, provider)


def _lines(run: Linking, member: str) -> list[Any]:
    return [one.because for some in run.access.held(member).values() for one, _ in some if member in one.members]


def _let_in(run: Linking, member: str, selected: Pooled, provider: Provider) -> None:
    for subject, names in subjects(selected, provider):
        answer = holds(provider.condition, names)
        if answer.state is State.NO:
            continue
        wide = subject == "*" and any(provider.issuer.startswith(one) for one in PUBLIC) and provider.kind == "oidc"
        issuer = provider.issuer if provider.kind != "aws" else f"aws:{provider.issuer}"
        node = run.builder.node(
            f"oidc:{issuer}:{subject}",
            "token-subject",
            f"{subject} of {issuer}" if subject != "*" else f"any subject of {issuer}",
            (provider.because,),
            boundary={"domain": issuer},
            issuer=issuer,
            subject=subject,
            **({"entry": "outside"} if wide else {}),
        )
        how = "the pool trusts tokens of this issuer" + ("" if subject != "*" else " whatever their subject")
        whole = Answer(answer.state, (provider.because, *_lines(run, member)), answer.decides)
        run.draw(node, member, "federates", how, whole)


def subjects(selected: Pooled, provider: Provider) -> Iterator[tuple[str, dict[str, Any]]]:
    """The subjects (patterns) that come to be what is selected, each with the claims that are known of them."""
    claims: dict[str, Any] = {}
    if selected.attribute != "*":
        mapped = provider.mapping.get(selected.attribute, "")
        claim = _CLAIM.fullmatch(mapped.strip())
        if claim is None and provider.kind == "oidc":
            yield f"{selected.attribute}={selected.value}", {selected.attribute: selected.value}
            return
        claims[claim[1] if claim else selected.attribute.removeprefix("attribute.")] = selected.value
    if provider.issuer == GITHUB:
        _github(claims)  # what is selected says this of the token, before what the condition asks of it
    for name, value in required(provider.condition).items():
        claims.setdefault(name, value)
    if provider.issuer == GITHUB:
        _github(claims)
    names: dict[str, Any] = {f"assertion.{name}": value for name, value in claims.items()}
    for attribute, mapped in provider.mapping.items():
        found = _CLAIM.fullmatch(mapped.strip())
        if found and found[1] in claims:
            names[attribute] = claims[found[1]]
    yield _subject(provider, claims), names


def _github(claims: dict[str, Any]) -> None:
    """What GitHub's subject, repository and owner say of each other."""
    subject = claims.get("sub")
    if isinstance(subject, str) and subject.startswith("repo:") and subject.count(":") > 1:
        claims.setdefault("repository", subject.split(":")[1])
        if ":ref:" in subject:
            claims.setdefault("ref", subject.partition(":ref:")[2])
        if ":environment:" in subject:
            claims.setdefault("environment", subject.partition(":environment:")[2])
    repository = claims.get("repository")
    if isinstance(repository, str) and "/" in repository and not isinstance(repository, Unresolved):
        claims.setdefault("repository_owner", repository.partition("/")[0])


def _subject(provider: Provider, claims: dict[str, Any]) -> str:
    if "sub" in claims:
        return str(claims["sub"])
    if provider.issuer == GITHUB:
        if "repository" in claims:
            rest = f"ref:{claims['ref']}" if "ref" in claims else "*"
            return f"repo:{claims['repository']}:{rest}"
        if "repository_owner" in claims:
            return f"repo:{claims['repository_owner']}/*"
    if provider.kind == "aws":
        return str(claims.get("aws_role") or claims.get("arn") or "*")
    shown = [f"{name}={value}" for name, value in sorted(claims.items())]
    return ",".join(shown) or "*"


def becomes(selected: Pooled, provider: Provider, assertion: Mapping[str, Any]) -> Answer:
    """Whether who has a token with these claims, or signs a request that says them, is what is selected of a pool."""
    names: dict[str, Any] = {f"assertion.{name}": value for name, value in assertion.items()}
    mapping = provider.mapping or (_OF_AWS if provider.kind == "aws" else {})
    for attribute, expression in mapping.items():
        value = _mapped(expression, names)
        if isinstance(value, str):
            names[attribute] = value
    let_in = holds(provider.condition, names)
    if selected.attribute == "*":
        return let_in
    is_it = f"{selected.attribute} is {selected.value}"
    own = names.get(selected.attribute)
    same = called("==", own, [selected.value], names) if own is not None else None
    if same is None:
        return let_in.both(Answer(State.UNKNOWN, (), (is_it,)))
    return let_in.both(YES if same else NO)


def _mapped(expression: str, names: dict[str, Any]) -> Any:
    try:
        node = parse_cel(expression)
    except InputError:
        return None
    return evaluate(node, names.get, lambda name, on, values: called(name, on, values, names))


def required(condition: str | None) -> dict[str, str]:
    """The claims that a condition demands to be one text, each with it: what its conjunction says by ``==``."""
    if condition is None:
        return {}
    try:
        pending = [parse_cel(condition)]
    except InputError:
        return {}
    found: dict[str, str] = {}
    while pending:
        match pending.pop():
            case ("&&", left, right):
                pending += [left, right]
            case ("==", ("get", ("name", "assertion"), name), ("value", str() as value)) | (
                "==",
                ("value", str() as value),
                ("get", ("name", "assertion"), name),
            ):
                found[str(name)] = value
    return found
