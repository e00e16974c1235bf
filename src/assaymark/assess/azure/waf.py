"""What policies of Azure's web application firewalls keep from everyone: custom rules about the caller's address.

A firewall of this kind looks for attacks and asks nobody who it is; only a rule that blocks who is not of some
addresses ends a way. Source: Microsoft documentation, "Custom rules for Web Application Firewall" and
"Azure Front Door security policies" (a policy is of domains and paths).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.spelled import blocks, got, off, text_at
from assaymark.assess.values import texts_in, whole_number
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assaymark.assess.estate.azure import Resource

_ADDRESSES: Final = ("remoteaddr", "socketaddr")
_ANYWHERE: Final = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1")


def lets_anyone(policy: Resource) -> tuple[str, ...] | None:
    """What would decide that a policy lets everyone pass; None where it blocks who is not of some addresses."""
    settings = [policy.settings, *blocks(policy.settings, "policySettings")]
    if any(off(got(one, "enabled", "enabledState", "state")) for one in settings):
        return ()
    if any(text_at(one, "mode").lower() == "detection" for one in settings):
        return ()
    custom = got(policy.settings, "customRules")
    rules = [*blocks(custom, "rules"), *blocks(policy.settings, "customRules", "customRule")]
    rules = [one for one in rules if got(one, "matchConditions", "matchCondition") is not None]
    passed = False
    for rule in sorted(rules, key=_priority):
        if off(got(rule, "enabledState", "enabled", "state")) or text_at(rule, "ruleType", "type").startswith("Rate"):
            continue
        action = text_at(rule, "action").lower()
        conditions = blocks(rule, "matchConditions", "matchCondition")
        if action == "allow":
            passed = True
        if action == "block" and len(conditions) == 1 and _shuts(conditions[0]):
            words = f"a rule of {policy.name} before the one that blocks other addresses lets everyone pass"
            return (words,) if passed else None
    return ()


def widest(answers: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """Of several ways the one that least decides about; None where none lets everyone pass."""
    return min((one for one in answers if one is not None), key=len, default=None)


def lets_by_route(
    route: Resource, policies: Sequence[Resource], resources: Mapping[str, Resource]
) -> tuple[str, ...] | None:
    """What would decide that one of the domains of a route of Front Door lets everyone pass; None where none does.

    ``policies``: the security policies of its profile, each of which puts firewalls before domains, for some paths.
    """
    domains = {text.lower() for text in texts_in(got(route.settings, "customDomains", "cdnFrontdoorCustomDomainIds"))}
    linked = got(route.settings, "linkToDefaultDomain")
    if not domains or (not off(linked) and (linked is not None or "terraform" in route.settings)):
        domains.add(route.id.rpartition("/routes/")[0])
    paths = [str(one) for one in listed(got(route.settings, "patternsToMatch"))] or ["/*"]
    return widest(_at_domain(domain, paths, policies, resources) for domain in sorted(domains))


def _at_domain(
    domain: str, paths: Sequence[str], policies: Sequence[Resource], resources: Mapping[str, Resource]
) -> tuple[str, ...] | None:
    for policy in policies:
        given = [*blocks(policy.settings, "parameters")]
        given += [inner for one in blocks(policy.settings, "securityPolicies") for inner in blocks(one, "firewall")]
        for one in given:
            texts = texts_in(got(one, "wafPolicy", "cdnFrontdoorFirewallPolicyId"))
            firewall = next((found for text in texts if (found := resources.get(text.lower())) is not None), None)
            for part in blocks(one, "associations", "association"):
                named = {text.lower() for text in texts_in(got(part, "domains", "domain"))}
                before = [str(each) for each in listed(got(part, "patternsToMatch"))] or ["/*"]
                if domain in named and firewall is not None and _cover(before, paths):
                    return lets_anyone(firewall)
    return ()


def _cover(before: Sequence[str], paths: Sequence[str]) -> bool:
    """Whether each path that a route answers is one that a firewall stands before."""
    return all(any(one == path or fnmatchcase(path, one) for one in before) for path in paths)


def _priority(rule: dict[str, Any]) -> int:
    found = whole_number(got(rule, "priority"))
    return 0 if found is None else found


def _shuts(condition: dict[str, Any]) -> bool:
    """Whether a condition is met by all addresses but some."""
    variables = texts_in(got(condition, "matchVariable"), got(condition, "matchVariables"))
    if text_at(condition, "operator").lower() != "ipmatch" or not variables:
        return False
    if any(one.lower() not in _ADDRESSES for one in variables):
        return False
    values = [str(one) for one in listed(got(condition, "matchValue", "matchValues"))]
    wide = any(one in _ANYWHERE for one in values)
    negated = got(condition, "negateCondition", "negationConditon", "negationCondition") is True
    return bool(values) and negated != wide
