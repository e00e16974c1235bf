"""What Azure Firewall translates and passes on: rules that lead from its public address to one of the network.

Source: Microsoft documentation, "Azure Firewall rule processing logic" (DNAT rules; what they translate gets the
firewall's own address, so that security groups see the virtual network), "Azure Firewall policy rule sets".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.values import texts_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.core.graph import Because

_OLD: Final = "azurerm_firewall_nat_rule_collection"
_NEW: Final = "azurerm_firewall_policy_rule_collection_group"
_FIREWALL: Final = "microsoft.network/azurefirewalls"
_POLICY: Final = "microsoft.network/firewallpolicies/rulecollectiongroups"


def translations(
    kinds: Mapping[str, list[Resource]], declared: Mapping[str, list[TfResource]]
) -> Iterator[tuple[str, dict[str, Any], Because]]:
    """The rules that take what comes from anywhere: in words, as they are written, and where.

    Args:
        kinds: the resources of Azure, by type.
        declared: those of Terraform, by type.
    """
    groups: list[tuple[str, Any, Because]] = [
        (one.text("azure_firewall_name") or one.address, one.values, one.because()) for one in declared.get(_OLD, ())
    ]
    for one in declared.get(_NEW, ()):
        groups += [
            (one.text("name") or one.address, part, one.because()) for part in one.blocks("nat_rule_collection")
        ]
    for each in (*kinds.get(_FIREWALL, ()), *kinds.get(_POLICY, ())):
        parts = blocks(each.settings, "natRuleCollections", "ruleCollections")
        groups += [(each.name, part, each.because) for part in parts]
    for name, group, because in groups:
        for rule in blocks(group, "rules", "rule"):
            protocols = {text.lower() for text in texts_in(got(rule, "protocols"), got(rule, "ipProtocols"))}
            if got(rule, "translatedPort") is None or not protocols & {"tcp", "any"} or not _anyone(rule):
                continue
            line = getattr(rule, "line", 0)
            place = replace(because, line=line) if line else because
            yield f"the firewall {name} passes on what comes ({text_at(rule, 'name')})", rule, place


def _anyone(rule: dict[str, Any]) -> bool:
    sources = texts_in(got(rule, "sourceAddresses"))
    return any(one in ("*", "Internet") or one.endswith(("/0", "/1")) for one in sources)
