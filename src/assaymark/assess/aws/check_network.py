"""Security groups and listeners of load balancers: what the internet reaches, and what goes in plain text.

Sources: Amazon VPC User Guide, "Security group rules"; user guides of the load balancers; default ports by the
documentation of each server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.rule_list import PLAIN_LISTENER, SECURITY_GROUP
from assaymark.assess.known_ports import met
from assaymark.assess.rule import found
from assaymark.assess.values import whole_number
from assaymark.core.report import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.rule import Seen
    from assaymark.core.graph import Because
    from assaymark.core.report import Finding

_GROUPS: Final = ("aws_security_group", "aws_default_security_group")
_PROTOCOLS: Final = ("-1", "all", "tcp", "6", "udp", "17")
_FORWARDS: Final = ("forward", "authenticate-cognito", "authenticate-oidc", None)


def check_network(seen: Seen) -> Iterator[Finding]:
    """Findings about what Terraform and CloudFormation declare of the network."""
    resources = seen.estates.terraform
    internal = [one.address for one in resources if one.kind in ("aws_lb", "aws_alb") and one.get("internal") is True]
    for resource in resources:
        if resource.kind in _GROUPS:
            for block in resource.blocks("ingress"):
                yield from _open_ports(resource, block, resource.file.because(block.line))
        elif (
            resource.kind == "aws_security_group_rule" and resource.get("type") == "ingress"
        ) or resource.kind == "aws_vpc_security_group_ingress_rule":
            yield from _open_ports(resource, resource.values, resource.because())
        elif resource.kind in ("aws_lb_listener", "aws_alb_listener"):
            yield from _listener(resource, internal)
        elif resource.kind == "aws_elb":
            yield from _classic(resource)


def _open_ports(resource: TfResource, values: Mapping[str, Any], because: Because) -> Iterator[Finding]:
    if not any(str(one).endswith(("/0", "/1")) for one in _ranges(values)):
        return
    protocol = str(values.get("protocol", values.get("ip_protocol", "-1"))).lower()
    if protocol not in _PROTOCOLS:
        return
    start, end = whole_number(values.get("from_port")), whole_number(values.get("to_port"))
    if protocol in ("-1", "all"):
        start, end = 0, 65535
    if start is None or end is None:
        return
    hit = met([(start, end)])
    if hit is not None:
        severity = None if hit.strong else Severity.MEDIUM
        message = f"{resource.address} lets the internet reach {hit.shown}"
        yield found(SECURITY_GROUP, f"{resource.address}#{start}-{end}", message, (because,), severity)


def _ranges(values: Mapping[str, Any]) -> list[Any]:
    found_: list[Any] = []
    for key in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"):
        value = values.get(key)
        found_ += value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return found_


def _listener(resource: TfResource, internal: list[str]) -> Iterator[Finding]:
    actions = [block.get("type", block.get("Type")) for block in resource.blocks("default_action")]
    if resource.get("protocol") == "HTTP" and any(action in _FORWARDS for action in actions):
        balancer = str(resource.get("load_balancer_arn"))
        severity = Severity.LOW if any(address in balancer for address in internal) else None
        message = f"listener {resource.address} serves HTTP without TLS"
        yield found(PLAIN_LISTENER, resource.address, message, (resource.because("protocol"),), severity)


def _classic(resource: TfResource) -> Iterator[Finding]:
    for block in resource.blocks("listener"):
        if str(block.get("lb_protocol")).lower() == "http":
            message = f"{resource.address} serves HTTP without TLS on port {whole_number(block.get('lb_port'))}"
            severity = Severity.LOW if resource.get("internal") is True else None
            place = resource.file.because(block.line)
            yield found(PLAIN_LISTENER, f"{resource.address}#{block.get('lb_port')}", message, (place,), severity)
