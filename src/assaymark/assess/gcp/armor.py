"""What policies of Cloud Armor keep from everyone: rules by priority about the address of who calls.

Cloud Armor looks for attacks and asks nobody who it is; only what denies everyone but some addresses ends a way.
Source: Google Cloud documentation, "Security policy overview", "Configure custom rules language attributes".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.values import whole_number
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from assaymark.assess.gcp.parts import Part, Parts

_LAST: Final = 1 << 31
_RANGE: Final = re.compile(r"(!?)\s*inIpRange\(\s*origin\.(?:user_)?ip\s*,\s*['\"]([^'\"]+)['\"]\s*\)")
_ATTACKS: Final = re.compile(r"evaluate(?:Preconfigured|ThreatIntelligence|AdaptiveProtection)")
_PASSES: Final = ("allow", "throttle", "rate_based_ban")


def lets_anyone(policy: Part, parts: Parts) -> tuple[str, ...] | None:
    """What would decide that a policy lets everyone pass; None where it lets in some addresses alone."""
    rules = blocks(policy.values, "rules", "rule")
    rules += [
        dict(one.values)
        for one in parts.of.get("securityPolicyRule", ())
        if policy in parts.named(got(one.values, "securityPolicy"), policy.kind)
    ]
    unsure: list[str] = []
    for rule in sorted(rules, key=_priority):
        if got(rule, "preview") is True:
            continue
        action = text_at(rule, "action").lower()
        passes = action.startswith(_PASSES) or "recaptcha" in str(got(rule, "redirectOptions")).lower()
        about = _everyone(rule)
        if about is True:
            return tuple(unsure) if passes else tuple(unsure) if any(unsure) and _may(rules, rule) else None
        if about is None:
            unsure.append(f"the rule {_priority(rule)} of {policy.name} is about who calls")
    return tuple(unsure)


def _may(rules: list[dict[str, Any]], last: dict[str, Any]) -> bool:
    """Whether a rule before one that denies everyone lets somebody pass whom the input does not show."""
    before = [one for one in rules if _priority(one) < _priority(last)]
    return any(_everyone(one) is None and text_at(one, "action").lower().startswith(_PASSES) for one in before)


def _priority(rule: dict[str, Any]) -> int:
    found = whole_number(got(rule, "priority"))
    given = got(rule, "priority")
    return given if isinstance(given, int) else _LAST if found is None else found


def _everyone(rule: dict[str, Any]) -> bool | None:
    """Whether a rule is about everyone, or everyone but some; False: about some; None where nobody can tell."""
    found: bool | None = False
    for match in blocks(rule, "match"):
        sources = [str(one) for part in blocks(match, "config") for one in listed(got(part, "srcIpRanges"))]
        if any(one == "*" or one.endswith(("/0", "/1")) for one in sources):
            return True
        for part in blocks(match, "expr"):
            text = text_at(part, "expression")
            given = _RANGE.fullmatch(text.strip())
            if given is not None:
                wide = given[2].endswith(("/0", "/1"))
                found = (given[1] == "!") != wide
            elif text and not _ATTACKS.search(text):
                left = _RANGE.sub("", text).replace("||", "").strip(" ()")
                found = None if left or "!" in text else False
            if text.strip() == "true":
                return True
    return found
