"""What policies of Azure's web application firewalls keep from everyone: custom rules about the caller's address.

A firewall of this kind looks for attacks and asks nobody who it is; only a rule that blocks who is not of some
addresses ends a way. Source: Microsoft documentation, "Custom rules for Web Application Firewall".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.spelled import blocks, got, off, text_at
from assaymark.assess.values import texts_in, whole_number
from assaymark.formats.located import listed

if TYPE_CHECKING:
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
