"""Edges from the internet to what distributions of CloudFront answer with: objects of buckets, functions by URLs.

The bucket's or function's own policy decides whether the distribution is let in: as CloudFront's service for this
distribution, or as an origin access identity. Source: Amazon CloudFront Developer Guide, "Restrict access to an
Amazon S3 origin", "Restrict access to an AWS Lambda function URL origin".
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.data import encryption_key
from assaymark.assess.aws.linking import Chain
from assaymark.assess.aws.patterns import action_matches, arn_matches
from assaymark.assess.kinds import INTERNET
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Distribution, Origin, Resource, Statement
    from assaymark.assess.estate.estates import Estates

_BUCKET: Final = re.compile(r"(?:https?://)?(.+?)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?/?")
_NAMES: Final = re.compile(r"aws_\w+\.|\.\w+\}$")  # what a reference of Terraform or a template names
_SERVICE: Final = "cloudfront.amazonaws.com"
_SOURCE: Final = "aws:sourcearn"
_QUIET: Final = ("aws:securetransport", "s3:tlsversion")  # what CloudFront's own requests always meet


def link_fronts(run: Linking, estates: Estates) -> None:
    """Draws what anyone reads and calls through distributions."""
    for distribution in run.estate.distributions:
        for origin in distribution.origins:
            match = _BUCKET.fullmatch(origin.host)
            bucket = run.estate.resources.get(f"arn:aws:s3:::{match[1]}") if match else None
            if bucket is not None:
                _bucket(run, distribution, origin, bucket)
            elif origin.signs:
                for arn, one in sorted(run.estate.resources.items()):
                    led = _is_url(origin.host, one, estates) if one.kind == "lambda:function" else False
                    if led is None:
                        words = f"{origin.host} is the URL of {arn.rpartition(':')[2]}"
                        perhaps = replace(origin, decides=(*origin.decides, words))
                        _draw(run, distribution, perhaps, arn, "invokes", one, "lambda:InvokeFunctionUrl", arn)
                    elif led:
                        _draw(run, distribution, origin, arn, "invokes", one, "lambda:InvokeFunctionUrl", arn)


def _bucket(run: Linking, distribution: Distribution, origin: Origin, bucket: Resource) -> None:
    if not (origin.signs or origin.identity):
        return  # what is public without it is drawn as that
    _draw(run, distribution, origin, bucket.arn, "reads", bucket, "s3:GetObject", f"{bucket.arn}/*")
    if origin.sends:
        _draw(run, distribution, origin, bucket.arn, "writes", bucket, "s3:PutObject", f"{bucket.arn}/*")


def _is_url(host: str, function: Resource, estates: Estates) -> bool | None:
    """Whether a host is that of a function's URL; None where a template leaves it open."""
    url = function.settings.get("url")
    if not isinstance(url, dict):
        return False
    known = declared(estates).of_values(url)
    name = known.address if known is not None else ""
    said = url.get("function_url") or url.get("FunctionUrl")
    exact = isinstance(said, str) and "lambda-url" in said and host.strip("/") in said
    if isinstance(host, Unresolved) and not _NAMES.search(host):
        return None  # a function of a template, as a part of the URL
    return exact or (bool(name) and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", host) is not None)


def _draw(
    run: Linking,
    distribution: Distribution,
    origin: Origin,
    arn: str,
    relation: str,
    resource: Resource,
    action: str,
    target: str,
) -> None:
    chain = _lets(distribution, origin, resource, action, target)
    key = run.estate.resources.get(encryption_key(run, resource)) if resource.kind == "s3:bucket" else None
    if key is not None:  # an origin access identity cannot use keys of one's own
        asked = "kms:Decrypt" if relation == "reads" else "kms:GenerateDataKey"
        chain = chain.then(_lets(distribution, origin, key, asked, key.arn) if origin.signs else Chain(State.NO))
    if chain.state is State.NO or not run.builder.has(arn):
        return
    decides = (*origin.decides, *chain.decides)
    state = State.UNKNOWN if decides else State.YES
    run.builder.node(INTERNET, "internet", "internet", entry="internet")
    how = f"the distribution {distribution.name} answers anyone, and the policy lets it {action}"
    places = tuple(dict.fromkeys((origin.because, *chain.because)))
    run.builder.edge(Edge(INTERNET, arn, relation, how, places, state, decides, 0))


def _lets(distribution: Distribution, origin: Origin, resource: Resource, action: str, target: str) -> Chain:
    """Whether a resource's policy lets a distribution do an action."""
    name = resource.arn.rpartition(":")[2]
    if resource.policy is None:
        words = f"the policy of {name} lets {distribution.name} in"
        return Chain(State.NO) if distribution.declared else Chain(State.YES).unless(words)
    found = Chain(State.NO)
    for one in resource.policy.statements:
        about = _about(one, distribution, origin, action, target)
        if about is State.NO:
            continue
        if one.effect == "Deny":
            if about is State.YES and not one.condition:
                return Chain(State.NO)
            if {key.lower() for part in one.condition.values() for key in part} <= set(_QUIET):
                continue
            words = f"a denial in the policy of {name} is not about {distribution.name}"
            found = found.unless(words) if found.state is not State.NO else found
        elif found.state is State.NO or (found.state is State.UNKNOWN and about is State.YES):
            found = Chain(State.YES, (one.because,))
            if about is State.UNKNOWN:
                found = found.unless(f"a statement in the policy of {name} is about {distribution.name}")
    return found


def _about(one: Statement, distribution: Distribution, origin: Origin, action: str, target: str) -> State:
    """Whether a statement is about what a distribution asks."""
    if not any(action_matches(text, action) is State.YES for text in one.actions):
        return State.NO
    if not any(arn_matches(text, target) is not State.NO or _within(text, target) for text in one.resources):
        return State.NO
    named = one.principals or {}
    everyone = "*" in named.get("*", ()) or "*" in named.get("AWS", ())
    if origin.identity:
        who = (*named.get("AWS", ()), *named.get("CanonicalUser", ()))
        if any(_is_identity(text, origin.identity) for text in who):
            return State.YES
    if one.effect == "Deny":
        return State.YES if everyone else State.NO
    if not (origin.signs and (_SERVICE in named.get("Service", ()) or (everyone and one.condition))):
        return State.NO
    values = [
        value
        for part in one.condition.values()
        for key, texts in part.items()
        if key.lower() == _SOURCE
        for value in texts
    ]
    if not values:
        return State.NO if everyone else State.YES
    states = {_is_this(value, distribution) for value in values}
    return State.YES if State.YES in states else State.UNKNOWN if State.UNKNOWN in states else State.NO


def _within(text: str, target: str) -> bool:
    """Whether a pattern is about some objects of the target's bucket."""
    base = target.removesuffix("*")
    return base != target and text.startswith(base)


def _is_identity(text: str, identity: str) -> bool:
    """Whether a principal is an origin access identity: by its id, or as Terraform refers to it."""
    address = re.search(r"aws_cloudfront_origin_access_identity\.[\w-]+", identity)
    inner = f"${{{identity.strip('<>')}."
    return identity in text or inner in text or (address is not None and f"{address[0]}." in text)


def _is_this(value: str, distribution: Distribution) -> State:
    """Whether the ARN in a condition is a distribution's."""
    if value == distribution.arn or pattern_of(value) == distribution.arn:
        return State.YES
    own, other = distribution.arn.rpartition("/")[2], value.rpartition("/")[2]
    if own == other or own.strip("<>") in value:
        return State.YES
    if isinstance(value, Unresolved) or HOLE in value or "<" in own or "*" in value:
        return State.UNKNOWN
    return State.NO
