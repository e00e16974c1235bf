"""What of AWS the internet reaches over the network: instances by their addresses, tasks behind load balancers.

Sources: Amazon VPC User Guide, "Security group rules", "Enable internet access for a VPC"; Amazon ECS Developer
Guide, "Use load balancing to distribute Amazon ECS service traffic", task definition parameters ("portMappings");
Elastic Load Balancing user guides ("Internet-facing", "Listener rules", "Authenticate users").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from assaymark.assess.answering import LAST_PORT, Way, draw_reached
from assaymark.assess.aws.before import Fronts
from assaymark.assess.aws.behind import asked_by, lets_in
from assaymark.assess.aws.distributions import filtered
from assaymark.assess.aws.running import MACHINES, SERVICE, TASK, key_of, machine, served, task_containers
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import texts_in, whole_number
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed, maps_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder

_EVERYWHERE: Final = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1")
_ALL: Final = ("-1", "all")
_LISTS: Final = ("prefix_list_ids", "prefix_list_id", "SourcePrefixListId", "source_prefix_list_id")
_FEW: Final = 8  # ports of a range that are drawn one by one
_LISTENERS: Final = ("aws_lb_listener", "aws_alb_listener")
_RULES: Final = ("aws_lb_listener_rule", "aws_alb_listener_rule")
_BALANCERS: Final = ("aws_lb", "aws_alb")
_TARGETS: Final = ("aws_lb_target_group", "aws_alb_target_group")
_TEMPLATE_KEYS: Final = ("id", "name", "launch_template_id", "launch_template_name")
# First and last port, and what would decide that they are open.
_Range: TypeAlias = tuple[int, int, tuple[str, ...]]


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws it. ``reading`` and ``now`` are not needed."""
    del reading, now
    run = _Network(estates)
    draw_reached(builder, [*run.instances(), *run.services()], served(estates))


class _Network:
    """What Terraform and templates declare."""

    def __init__(self, estates: Estates) -> None:
        self._index = declared(estates)
        self._kinds = self._index.by_kind
        self._routes = estates.aws.routes
        self._fronts = Fronts(estates, self._named, self._lets)

    # what is named

    def _named(self, value: Any, *kinds: str) -> list[TfResource]:
        """The resources of some kinds that a reference names."""
        text = str(value)
        found = []
        for kind in kinds:
            for one in self._kinds.get(kind, ()):
                name = one.address.rpartition(".")[2]
                exact = {one.arn, one.text("id"), one.text("name"), f"<{name}>", f"<{one.address}>"} - {""}
                if text in exact or f"${{{one.address}." in text:
                    found.append(one)
        return found

    # security groups

    def _open(self, groups: Any, *, front: bool = False) -> tuple[list[_Range], bool]:
        """The ranges of ports that groups open to the internet; whether all of them are in the input."""
        ranges: list[_Range] = []
        known = True
        for value in listed(groups):
            found = self._named(value, "aws_security_group", "aws_default_security_group")
            known &= bool(found)
            for group in found:
                for block in group.blocks("ingress"):
                    ranges += _range(block, front=front)
                for kind in ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule"):
                    for rule in self._kinds.get(kind, ()):
                        if rule.get("type") in (None, "ingress") and group in self._named(
                            rule.get("security_group_id"), group.kind
                        ):
                            ranges += _range(rule.values, front=front)
        return ranges, known and bool(listed(groups))

    def _ways(self, groups: Any, listening: set[int], name: str) -> Iterator[tuple[int | None, tuple[str, ...]]]:
        """The ports that groups open to the internet, each with what would decide it."""
        ranges, known = self._open(groups)
        yield from _ports(ranges, listening)
        if not known and groups is not None:
            yield None, (f"the security groups of {name} let the internet in",)

    # instances

    def instances(self) -> Iterator[Way]:
        """Instances, and templates for them, with a public address whose groups let the internet in."""
        for one in (each for kind in MACHINES for each in self._kinds.get(kind, ())):
            public = self._public(one)
            if public is State.NO:
                continue
            decides = () if public is State.YES else (f"{one.address} has a public address",)
            listening = {port for each in machine(one).servers() for port in each.ports}
            how = "its security groups let the internet in"
            for port, more in self._ways(_groups(one), listening, one.address):
                yield Way(one.arn, port, how, (one.because(),), (*decides, *more))
        yield from self._attached()
        yield from self._classic()
        for one in self._kinds.get("aws_instance", ()):
            for ports, way in self._fronts.to_machine(one):
                listening = {port for each in machine(one).servers() for port in each.ports}
                for port, more in self._ways(_groups(one), listening, one.address):
                    if port is None or any(first <= port <= last for first, last in ports):
                        yield Way(one.arn, port, way.how, (*way.because, one.because()), (*way.decides, *more))

    def _classic(self) -> Iterator[Way]:
        """Instances behind classic load balancers, by the ports of their listeners."""
        for balancer in self._kinds.get("aws_elb", ()):
            listeners = balancer.blocks("listener") if balancer.get("internal") is not True else []
            for one in listeners:
                decides = self._lets(balancer, whole_number(one.get("lb_port")))
                named = [each for text in listed(balancer.get("instances")) for each in self._named(text, *MACHINES)]
                for machine_ in named if decides is not None else ():
                    how = f"the load balancer {balancer.text('name') or balancer.address} passes on what comes"
                    because = (balancer.because(),)
                    yield Way(machine_.arn, whole_number(one.get("instance_port")), how, because, decides or ())

    def _public(self, one: TfResource) -> State:
        said = [one.get("associate_public_ip_address")]
        for part in maps_in(one.get("network_interfaces")):
            said += [part.get("associate_public_ip_address"), part.get("AssociatePublicIpAddress")]
        for address in (*self._kinds.get("aws_eip", ()), *self._kinds.get("aws_eip_association", ())):
            named = address.get("instance") or address.get("instance_id")
            if named is not None and one in self._named(named, one.kind):
                return State.YES
        if any(str(value).lower() == "true" for value in said):
            return State.YES
        if any(str(value).lower() == "false" for value in said):
            return State.NO
        subnets = self._named(one.get("subnet_id"), "aws_subnet") if one.get("subnet_id") is not None else []
        mapped = [subnet.get("map_public_ip_on_launch") for subnet in subnets]
        if mapped and all(value in (None, False) for value in mapped):
            return State.NO
        return State.YES if mapped and all(value is True for value in mapped) else State.UNKNOWN

    def _attached(self) -> Iterator[Way]:
        """What load balancers and APIs pass on to instances, to groups that scale, and to functions."""
        for one in self._kinds.get("aws_lb_target_group_attachment", ()):
            yield from self._passed(one.get("target_group_arn"), one.get("target_id"), one.get("port"), one)
        for group in self._kinds.get("aws_lb_target_group", ()):
            for part in maps_in(group.get("targets")):
                yield from self._passed(group.address, part.get("Id"), part.get("Port"), group, group)
        for group in self._kinds.get("aws_autoscaling_group", ()):
            named = list(listed(group.get("target_group_arns")))
            named += [
                one.get("lb_target_group_arn") or one.get("alb_target_group_arn")
                for one in self._kinds.get("aws_autoscaling_attachment", ())
                if group in self._named(one.get("autoscaling_group_name"), group.kind)
            ]
            for part in maps_in(group.get("launch_template")):
                template = next((value for key, value in part.items() if key in _TEMPLATE_KEYS), None)
                for target in named if template is not None else ():
                    yield from self._passed(target, template, None, group)

    def _passed(
        self, group: Any, target: Any, port: Any, one: TfResource, own: TfResource | None = None
    ) -> Iterator[Way]:
        groups = [own] if own is not None else self._named(group, *_TARGETS)
        for each in groups:
            to = whole_number(port) or whole_number(each.get("port"))
            for resource in self._named(target, *MACHINES, "aws_lambda_function"):
                for way in self._balanced(each, _groups(resource), to):
                    because = (*way.because, one.because())
                    yield Way(resource.arn, to, way.how, because, way.decides, way.source)

    # services

    def services(self) -> Iterator[Way]:
        """Tasks of services that a load balancer of the internet passes on to, or with addresses of their own."""
        for service in self._kinds.get("aws_ecs_service", ()):
            tasks = self._named(service.get("task_definition"), TASK)
            for task in tasks:
                for part in (*service.blocks("load_balancer"), *maps_in(service.get("load_balancers"))):
                    port = whole_number(key_of(part, "container_port") or key_of(part, "containerPort"))
                    named = key_of(part, "target_group_arn") or key_of(part, "targetGroupArn")
                    for group in self._named(named, *_TARGETS):
                        for way in self._balanced(group, _of_tasks(service), port):
                            because = (*way.because, service.because())
                            yield Way(task.arn, port, way.how, because, way.decides, way.source)
                yield from self._addressed(service, task)
        for service in self._kinds.get(SERVICE, ()):
            yield from self._published(service)

    def _addressed(self, service: TfResource, task: TfResource) -> Iterator[Way]:
        for part in service.blocks("network_configuration"):
            inner = next(iter(maps_in(part.get("AwsvpcConfiguration"))), part)
            public = key_of(inner, "assign_public_ip") or key_of(inner, "assignPublicIp")
            if public is True or str(public).upper() == "ENABLED":
                listening = {port for one in task_containers(task) for port in one.ports}
                groups = inner.get("security_groups") or inner.get("SecurityGroups")
                for port, more in self._ways(groups, listening, service.address):
                    yield Way(task.arn, port, "its tasks have public addresses", (service.because(),), more)

    def _published(self, service: TfResource) -> Iterator[Way]:
        """A service of App Runner is of the internet unless it says that it is not."""
        said = [
            ingress.get("is_publicly_accessible")
            for part in service.blocks("network_configuration")
            for ingress in maps_in(part.get("ingress_configuration"))
        ]
        if any(value is False or str(value).lower() == "false" for value in said):
            return
        ports = {port for one in task_containers(service) for port in one.ports}
        for port in sorted(ports):
            yield Way(service.arn, port, "App Runner publishes it", (service.because(),))

    def _balanced(self, target: TfResource, groups: Any, port: int | None) -> Iterator[Way]:
        """How load balancers, and APIs before them, pass on what comes to targets that have groups."""
        for listener in (one for kind in _LISTENERS for one in self._kinds.get(kind, ())):
            asked = self._asked(listener, target)
            if asked is None or _asks_certificate(listener):
                continue
            for balancer in self._named(listener.get("load_balancer_arn"), *_BALANCERS):
                if not self._reaches(balancer, groups, port):
                    continue
                yield from self._fronted(listener, balancer)
                let = self._filtered(balancer)
                for way in self._entered(listener, balancer, asked) if let is not None else ():
                    yield replace(way, decides=(*way.decides, *(let or ())))

    def _asked(self, listener: TfResource, target: TfResource) -> tuple[str, ...] | None:
        """What would decide that a listener passes on to a target group what anyone sends; None where it does not."""
        actions = [*listener.blocks("default_action"), *maps_in(listener.get("default_action"))]
        if self._forwards(actions, target):
            return ()
        answers = [
            asked_by([*rule.blocks("condition"), *maps_in(rule.get("conditions"))])
            for kind in _RULES
            for rule in self._kinds.get(kind, ())
            if listener in self._named(rule.get("listener_arn"), listener.kind)
            and self._forwards([*rule.blocks("action"), *maps_in(rule.get("actions"))], target)
        ]
        return min((one for one in answers if one is not None), key=len, default=None)

    def _reaches(self, balancer: TfResource, groups: Any, port: int | None) -> bool:
        """Whether the groups of targets may let in what a load balancer sends; they do where one is not known."""
        found = [self._named(one, "aws_security_group", "aws_default_security_group") for one in listed(groups)]
        if port is None or not found or not all(found):
            return True
        return lets_in([each for one in found for each in one], self._kinds, self._named, balancer, port)

    def _entered(self, listener: TfResource, balancer: TfResource, asked: tuple[str, ...]) -> Iterator[Way]:
        """How the internet comes to a listener: directly, or by what stands before it and sends what is asked."""
        port = whole_number(listener.get("port"))
        yield from self._fronts.before(balancer, port, listener.because())
        if balancer.get("internal") is True or balancer.get("scheme") == "internal":
            return
        decides = self._lets(balancer, port)
        if decides is not None:
            how = f"the load balancer {balancer.text('name') or balancer.address} passes on what comes"
            yield Way("", None, how, (listener.because(),), (*decides, *asked))

    def _filtered(self, balancer: TfResource) -> tuple[str, ...] | None:
        """What would decide that a load balancer's web ACL lets anyone pass; None where it lets in some alone."""
        for one in self._kinds.get("aws_wafv2_web_acl_association", ()):
            if balancer in self._named(one.get("resource_arn"), balancer.kind):
                acls, sets = self._kinds.get("aws_wafv2_web_acl", []), self._kinds.get("aws_wafv2_ip_set", [])
                return filtered(one.text("web_acl_arn"), acls, sets)
        return ()

    def _fronted(self, listener: TfResource, balancer: TfResource) -> Iterator[Way]:
        """The APIs whose open routes lead to a listener, by its ARN or the name of its load balancer."""
        for route in self._routes:
            if route.open is State.NO:
                continue
            for uri in route.uris:
                if listener in self._named(uri, listener.kind) or balancer in self._named(uri, balancer.kind):
                    how = f"{route.shown} passes on what comes"
                    yield Way("", None, how, (route.because, listener.because()), (), route.api)

    def _forwards(self, actions: list[Map], target: TfResource) -> bool:
        """Whether actions pass on to a target group without asking who it is that calls."""
        kinds = [str(key_of(one, "type") or "forward") for one in actions]
        if any(kind.startswith(("authenticate", "jwt")) for kind in kinds):
            return False
        named = [value for one in actions for key, value in one.items() if key not in ("redirect", "fixed_response")]
        return any(target in self._named(text, target.kind) for text in texts_in(*named))

    def _lets(self, balancer: TfResource, port: int | None, *, front: bool = False) -> tuple[str, ...] | None:
        """What would decide that the groups of a load balancer let the internet in; None where they do not.

        ``front``: CloudFront, which groups may let in by its list of addresses.
        """
        groups = balancer.get("security_groups")
        kind = balancer.get("load_balancer_type") or balancer.get("type")
        if kind == "network" and not listed(groups):
            return ()
        ranges, known = self._open(groups, front=front)
        fits = [decides for first, last, decides in ranges if port is None or first <= port <= last]
        if fits:
            return min(fits, key=len)
        name = balancer.text("name") or balancer.address
        return None if known else (f"the security groups of {name} let the internet in",)


def _groups(one: TfResource) -> Any:
    """The security groups of an instance or template, its interfaces' among them."""
    found = [one.get(key) for key in ("vpc_security_group_ids", "security_groups", "security_group_ids")]
    for part in maps_in(one.get("network_interfaces")):
        found += [part.get(key) for key in ("security_groups", "groups", "GroupSet")]
    return next((value for value in found if value), None)


def _of_tasks(service: TfResource) -> Any:
    """The security groups of a service's tasks."""
    for part in service.blocks("network_configuration"):
        inner = next(iter(maps_in(part.get("AwsvpcConfiguration"))), part)
        return inner.get("security_groups") or inner.get("SecurityGroups")
    return None


def _asks_certificate(listener: TfResource) -> bool:
    """Whether only clients with a certificate of a store that the listener trusts get through."""
    parts = maps_in(listener.get("mutual_authentication"))
    return any(key_of(part, "mode") == "verify" for part in parts)


def _range(rule: Map, *, front: bool = False) -> list[_Range]:
    """The ports that a rule opens to the whole internet, or may where its addresses are not known."""
    lists = [str(one) for key in _LISTS for one in texts_in(rule.get(key))] if front else []
    wide: list[Any] = []
    for key in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"):
        value = rule.get(key)
        wide += value if isinstance(value, list) else [value]
    decides: tuple[str, ...] = ()
    if not any(one in _EVERYWHERE for one in wide):
        unknown = sorted(one for one in wide if isinstance(one, Unresolved))
        if not unknown and not lists:
            return []
        decides = (f"{unknown[0]} is the whole internet",) if unknown else (f"{lists[0]} is CloudFront's",)
        decides = () if any("cloudfront" in one.lower() for one in lists) else decides
    protocol = str(rule.get("protocol", rule.get("ip_protocol", "-1"))).lower()
    if protocol in _ALL:
        return [(0, LAST_PORT, decides)]
    first, last = whole_number(rule.get("from_port")), whole_number(rule.get("to_port"))
    known = protocol in ("tcp", "6") and first is not None and last is not None
    return [(first, last, decides)] if known and first is not None and last is not None else []


def _ports(ranges: list[_Range], listening: set[int]) -> Iterator[tuple[int | None, tuple[str, ...]]]:
    """The ports of ranges that are drawn: all at once, each of few, or those that something listens on."""
    found: dict[int, tuple[str, ...]] = {}
    for first, last, decides in sorted(ranges, key=lambda one: len(one[2])):
        if first <= 1 and last >= LAST_PORT:
            yield None, decides
        elif last - first < _FEW:
            found |= {port: decides for port in range(first, last + 1) if port not in found}
        elif listening:
            found |= {port: decides for port in listening if first <= port <= last and port not in found}
        else:
            yield None, (*decides, f"something listens on a port from {first} to {last}")
    yield from sorted(found.items())
