"""What rules of networks of Azure and Google Cloud let the internet reach: administration, model servers.

The same as ``aws.check_network`` says of security groups. Ports that an earlier rule denies are not said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.azure.network import network_of
from assaymark.assess.gcp.firewalls import firewalls
from assaymark.assess.known_ports import ADMINISTRATION, SERVERS, met
from assaymark.assess.rule import AssessRule, found
from assaymark.core.report import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

_REFS: Final = ("AML.T0049", "AML.M0019", "CWE-668")
AZURE: Final = AssessRule(
    "azure-network-open",
    Severity.HIGH,
    "A network security group that lets the internet reach administration or model server ports",
    "endpoint",
    _REFS,
)
GCP: Final = AssessRule(
    "gcp-firewall-open",
    Severity.HIGH,
    "A firewall rule that lets the internet reach administration or model server ports",
    "endpoint",
    _REFS,
)
RULES: Final = (AZURE, GCP)
_KNOWN: Final = (*ADMINISTRATION, *SERVERS)


def check_azure(seen: Seen) -> Iterator[Finding]:
    """Findings about network security groups."""
    for _, group in sorted(network_of(seen.estates).groups.items()):
        for rule in group.rules:
            if not rule.allows or not rule.anywhere:
                continue
            before = [one for one in group.rules if one.priority < rule.priority and not one.allows and one.anywhere]
            hit = met(
                (port, port) for port in _KNOWN if rule.about(port) and not any(one.about(port) for one in before)
            )
            if hit is not None and rule.ranges is not None:
                message = f"rule {rule.name} of {group.name} lets the internet reach {hit.shown}"
                severity = None if hit.strong else Severity.MEDIUM
                yield found(AZURE, f"{group.id}#{rule.name}", message, (rule.because,), severity)


def check_google(seen: Seen) -> Iterator[Finding]:
    """Findings about firewall rules."""
    rules = firewalls(seen.estates)
    for rule in rules:
        if not rule.allows or not rule.anywhere:
            continue
        before = [
            one
            for one in rules
            if one.network == rule.network
            and one.priority <= rule.priority
            and not one.allows
            and one.anywhere
            and not (one.tags or one.accounts)
        ]
        hit = met((port, port) for port in _KNOWN if rule.about(port) and not any(one.about(port) for one in before))
        if hit is not None:
            message = f"firewall rule {rule.name} lets the internet reach {hit.shown}"
            severity = None if hit.strong else Severity.MEDIUM
            yield found(GCP, f"{rule.network}#{rule.name}", message, (rule.because,), severity)


CHECKS: Final = (check_azure, check_google)
