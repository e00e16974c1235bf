"""What stands before load balancers and instances: distributions of CloudFront, and Global Accelerator.

Sources: Amazon CloudFront Developer Guide, "Restrict access to Application Load Balancers" (groups that let in
CloudFront's list of addresses alone), "Restrict access with VPC origins"; AWS Global Accelerator Developer Guide,
"Endpoints for standard accelerators" (internal load balancers and instances without public addresses, too), "Preserve
client IP addresses" (groups are asked about the client).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from assaymark.assess.answering import Way
from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.terraform.declared import declared
from assaymark.assess.values import whole_number
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.core.graph import Because

_GROUP: Final = "aws_globalaccelerator_endpoint_group"
_LISTENER: Final = "aws_globalaccelerator_listener"
_ACCELERATOR: Final = "aws_globalaccelerator_accelerator"
_LAST: Final = 65535


class Lets(Protocol):
    """What would decide that the groups of a load balancer let somebody in; None where they do not."""

    def __call__(self, balancer: TfResource, port: int | None, *, front: bool = False) -> tuple[str, ...] | None:
        """``front``: CloudFront, else the internet."""


class Fronts:
    """All of the input. ``named``: the resources of some kinds that a reference names."""

    def __init__(self, estates: Estates, named: Callable[..., list[TfResource]], lets: Lets) -> None:
        self._distributions = estates.aws.distributions
        self._kinds = declared(estates).by_kind
        self._named = named
        self._lets = lets

    def before(self, balancer: TfResource, port: int | None, because: Because) -> Iterator[Way]:
        """How the internet comes to a listener of a load balancer by what stands before it."""
        for distribution in self._distributions:
            for origin in distribution.origins:
                inner = origin.inner
                internal = balancer.get("internal") is True or balancer.get("scheme") == "internal"
                if not self._is(origin.host, balancer) or (internal and not inner):
                    continue
                decides = () if inner else self._lets(balancer, port, front=True)
                if decides is not None and origin.open is not State.NO:
                    how = f"the distribution {distribution.name} passes on what comes"
                    yield Way("", None, how, (origin.because, because), (*origin.decides, *decides))
        for ranges, way in self.to_machine(balancer):
            decides = self._lets(balancer, port)
            if decides is not None and (port is None or any(first <= port <= last for first, last in ranges)):
                yield Way("", None, way.how, (*way.because, because), (*way.decides, *decides))

    def _is(self, host: str, balancer: TfResource) -> bool:
        """Whether a host's name is a load balancer's: by reference, or by its name as AWS makes it of."""
        name = balancer.text("name")
        internal = f"internal-{name}-"
        made = host.endswith(".elb.amazonaws.com") and bool(name) and host.startswith((f"{name}-", internal))
        template = f"${{{balancer.address}."
        last = f"${{{balancer.address.rpartition('.')[2]}."
        return made or template in host or (last in host and "aws_" not in host)

    def to_machine(self, one: TfResource) -> Iterator[tuple[list[tuple[int, int]], Way]]:
        """The ports by which accelerators lead to a load balancer or instance."""
        for group in self._kinds.get(_GROUP, ()):
            parts = blocks(group.values, "EndpointConfiguration")
            if not any(self._leads(text_at(part, "EndpointId"), one) for part in parts):
                continue
            for listener in self._named(group.get("listener_arn"), _LISTENER):
                accelerators = self._named(listener.get("accelerator_arn"), _ACCELERATOR)
                if listener.text("protocol").upper() == "UDP" or any(
                    str(each.get("enabled")).lower() == "false" for each in accelerators
                ):
                    continue
                overrides = {
                    number: whole_number(got(part, "EndpointPort"))
                    for part in blocks(group.values, "PortOverride")
                    if (number := whole_number(got(part, "ListenerPort"))) is not None
                }
                ranges = [_range(part, overrides) for part in blocks(listener.values, "PortRange")]
                name = next((each.text("name") or each.address for each in accelerators), "of the internet")
                how = f"the accelerator {name} passes on what comes"
                yield ranges, Way("", None, how, (listener.because(), group.because()))

    def _leads(self, text: str, one: TfResource) -> bool:
        return bool(text) and one in self._named(text, one.kind)


def _range(part: dict[str, Any], overrides: dict[int, int | None]) -> tuple[int, int]:
    """A range of ports as the endpoint sees it."""
    first, last = whole_number(got(part, "FromPort")), whole_number(got(part, "ToPort"))
    start, end = 0 if first is None else first, _LAST if last is None else last
    other = overrides.get(start) if start == end else None
    return (start, end) if other is None else (other, other)
