"""Distributions of CloudFront: which origins they pass on to what anyone asks of them.

Sources: Amazon CloudFront Developer Guide, "Restrict access to an Amazon S3 origin", "Restrict access to an AWS
Lambda function URL origin", "Serve private content with signed URLs and signed cookies" (a behaviour with trusted key
groups or signers answers who has a signature), "Restrict access with VPC origins"; AWS WAF Developer Guide, "Web ACL
default action". A list of addresses that alone is let in ends a way; what looks for attacks does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT, Distribution, Origin
from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.values import dicts_in, texts_in
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed, maps_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because

_DISTRIBUTION: Final = "aws_cloudfront_distribution"
_VIEWER: Final = ("viewer-request", "origin-request")
_ANYWHERE: Final = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1")
_WRITES: Final = ("PUT", "POST", "PATCH", "DELETE")


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds those that Terraform and templates declare, and those that the command line lists."""
    acls = [one for one in estates.terraform if one.kind == "aws_wafv2_web_acl"]
    sets = [one for one in estates.terraform if one.kind == "aws_wafv2_ip_set"]
    for resource in estates.terraform:
        if resource.kind == _DISTRIBUTION:
            config = next(iter(maps_in(resource.get("distribution_config"))), resource.values)
            let = filtered(text_at(config, "WebACLId", "web_acl_id"), acls, sets)
            name = resource.text("comment") or resource.address.rpartition(".")[2]
            found = _read(resource.text("arn"), name, config, resource.because(), let, declared=True)
            estates.aws.distributions += [found] if found is not None else []
    for file, value in inputs.maps():
        for item, config in _exported(value):
            inputs.reading.read.add(file.path)
            arn = text_at(item, "ARN") or f"arn:aws:cloudfront::{UNKNOWN_ACCOUNT}:distribution/{text_at(item, 'Id')}"
            acl = f"the web ACL of {text_at(item, 'Id') or arn} lets anyone pass"
            let = (acl,) if text_at(config, "WebACLId") else ()
            place = file.because(getattr(config, "line", value.line))
            found = _read(arn, text_at(item, "Id") or arn, config, place, let, declared=False)
            estates.aws.distributions += [found] if found is not None else []


def _exported(value: Map) -> Iterator[tuple[Map, Map]]:
    """What ``list-distributions``, ``get-distribution`` and ``get-distribution-config`` print."""
    several = value.get("DistributionList")
    for item in maps_in(several.get("Items")) if isinstance(several, Map) else ():
        yield item, item
    one = value.get("Distribution")
    if isinstance(one, Map) and isinstance(one.get("DistributionConfig"), Map):
        yield one, one["DistributionConfig"]
    elif isinstance(value.get("DistributionConfig"), Map) and "Origins" in value["DistributionConfig"]:
        yield value, value["DistributionConfig"]


def _items(value: Any, *names: str) -> list[dict[str, Any]]:
    """The mappings in a list, or in what the API writes for one: ``Items`` beside their ``Quantity``."""
    found: list[dict[str, Any]] = []
    for one in blocks(value, *names):
        inner = one.get("Items")
        found += [each for each in listed(inner) if isinstance(each, dict)] if "Quantity" in one else [one]
    return found


def _read(
    arn: str, name: str, config: Mapping[str, Any], because: Because, let: tuple[str, ...] | None, *, declared: bool
) -> Distribution | None:
    """A distribution; None for one that is switched off."""
    if str(got(config, "Enabled")).lower() == "false":
        return None
    if let is None or any(
        text_at(one, "mode", "Mode").lower() == "required" for one in blocks(config, "ViewerMtlsConfig")
    ):
        return Distribution(arn, name, (), because, declared)
    behaviours = [
        *_items(config, "DefaultCacheBehavior"),
        *_items(config, "CacheBehaviors", "OrderedCacheBehavior"),
    ]
    groups = {
        text_at(group, "Id", "OriginId"): {
            text for part in _items(group, "Members", "Member") for text in texts_in(part)
        }
        for group in _items(config, "OriginGroups", "OriginGroup")
    }
    origins = []
    for origin in _items(config, "Origins", "Origin"):
        own = text_at(origin, "Id", "OriginId")
        used = [one for one in behaviours if _leads(text_at(one, "TargetOriginId"), own, groups)]
        states = [(_asks(one, name), one) for one in used]
        free = sorted((words for words, _ in states if words is not None), key=len)
        if not free:
            continue
        line = getattr(origin, "line", 0)
        methods = {
            text for words, one in states if words is not None for text in texts_in(got(one, "AllowedMethods"))
        }
        inner = next(iter(blocks(origin, "S3OriginConfig")), {})
        decides = (*let, *free[0])
        origins.append(
            Origin(
                text_at(origin, "DomainName"),
                State.UNKNOWN if decides else State.YES,
                decides,
                replace(because, line=line) if line else because,
                text_at(inner, "OriginAccessIdentity").rpartition("/")[2],
                bool(got(origin, "OriginAccessControlId")),
                bool(blocks(origin, "VpcOriginConfig")),
                bool(methods & set(_WRITES)),
            )
        )
    return Distribution(arn, name, tuple(origins), because, declared)


def _leads(target: str, own: str, groups: dict[str, set[str]]) -> bool:
    return target == own or own in groups.get(target, ())


def _asks(behaviour: dict[str, Any], name: str) -> tuple[str, ...] | None:
    """What would decide that a behaviour answers anyone; None where it asks for a signature."""
    for key in ("TrustedKeyGroups", "TrustedSigners"):
        given = got(behaviour, key)
        switched = given.get("Enabled") if isinstance(given, dict) else None
        some = texts_in(given.get("Items")) if isinstance(given, dict) else texts_in(given)
        if some and switched is not False:
            return None
    parts = _items(behaviour, "FunctionAssociations", "FunctionAssociation")
    parts += _items(behaviour, "LambdaFunctionAssociations", "LambdaFunctionAssociation")
    if any(text_at(one, "EventType") in _VIEWER for one in parts):
        return (f"the function before {name} lets pass who says nothing of itself",)
    return ()


def filtered(text: str, acls: list[TfResource], sets: list[TfResource]) -> tuple[str, ...] | None:
    """What would decide that a web ACL lets anyone pass; None where it lets in some addresses alone."""
    known = [one for one in acls if text and _is(one, text)]
    if not text or not known:
        return (f"the web ACL {text} lets anyone pass",) if text else ()
    acl = known[0]
    blocked = any(got(one, "Block") is not None for one in blocks(acl.values, "DefaultAction"))
    unsure: list[str] = []
    for rule in blocks(acl.values, "Rule", "Rules"):
        actions = blocks(rule, "Action")
        allows = any(got(one, "Allow") is not None for one in actions)
        denies = any(got(one, "Block") is not None for one in actions)
        some = _addresses(got(rule, "Statement"), sets)
        if denies and some is False and not unsure:
            return None  # it blocks who is not of some addresses
        if allows and blocked and some is not True:
            unsure.append(f"the rule {text_at(rule, 'Name')} of {acl.text('name') or acl.address} lets anyone pass")
    return tuple(unsure) or None if blocked else ()


def _is(one: TfResource, text: str) -> bool:
    """Whether a reference of Terraform or a template, or an ARN, names a resource."""
    name = one.address.rpartition(".")[2]
    exact = {one.arn, one.text("id"), f"<{name}>", f"<{one.address}>"} - {""}
    return text in exact or f"${{{one.address}." in text or text.startswith(f"${{{name}.")


def _addresses(statement: Any, sets: list[TfResource]) -> bool | None:
    """True for what is about some addresses, False for all but some, None for others."""
    for one in dicts_in(statement):
        for part in blocks(one, "IPSetReferenceStatement", "ip_set_reference_statement"):
            text = text_at(part, "Arn")
            named = [each for each in sets if _is(each, text)]
            wide = any(address in _ANYWHERE for each in named for address in texts_in(each.get("addresses")))
            return None if wide else True
        for part in blocks(one, "NotStatement"):
            inner = _addresses(got(part, "Statement"), sets)
            return False if inner is True else None
    return None
