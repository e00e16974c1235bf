"""What of AWS the internet reaches over the network: instances by their addresses, tasks behind load balancers.

Sources: Amazon VPC User Guide, "Security group rules", "Enable internet access for a VPC"; Amazon ECS Developer
Guide, "Use load balancing to distribute Amazon ECS service traffic", task definition parameters ("portMappings");
Elastic Load Balancing user guides ("Internet-facing", "Listener rules", "Authenticate users").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answering import LAST_PORT, Served, Way, draw_reached, drawn_ports
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import json_of, listed
from assaymark.core.graph import State
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_EVERYWHERE: Final = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1")
_ALL: Final = ("-1", "all")
_LISTENERS: Final = ("aws_lb_listener", "aws_alb_listener")
_BALANCERS: Final = ("aws_lb", "aws_alb")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws it. ``reading`` and ``now`` are not needed."""
    del reading, now
    run = _Network(estates)
    draw_reached(builder, [*run.instances(), *run.services()], served(estates))


def served(estates: Estates) -> Iterator[Served]:
    """The containers of task definitions, and the scripts that instances start with."""
    index = declared(estates)
    for task in index.by_kind.get("aws_ecs_task_definition", ()):
        yield from task_containers(task)
    for one in index.by_kind.get("aws_instance", ()):
        script = one.get("user_data")
        if isinstance(script, str):
            yield Served(one.arn, "", script, one.because("user_data"), script=True)


def task_containers(resource: TfResource) -> list[Served]:
    """The containers of a task definition, as Terraform or CloudFormation has them."""
    given = resource.get("container_definitions")
    found = []
    for one in listed(given if isinstance(given, list) else json_of(given, 1)):
        if not isinstance(one, dict):
            continue
        image = _key(one, "image")
        ports = {
            port
            for item in listed(_key(one, "portMappings"))
            if isinstance(item, dict) and (port := _number(_key(item, "containerPort"))) is not None
        }
        words = " ".join(str(word) for name in ("entryPoint", "command") for word in listed(_key(one, name)))
        variables = {
            str(_key(item, "name")): str(_key(item, "value") or "")
            for item in listed(_key(one, "environment"))
            if isinstance(item, dict)
        }
        variables |= {
            str(_key(item, "name")): "<set>" for item in listed(_key(one, "secrets")) if isinstance(item, dict)
        }
        if isinstance(image, str):
            place = resource.because("container_definitions")
            found.append(Served(resource.arn, image, words, place, frozenset(ports), variables))
    return found


def _key(value: dict[str, Any], name: str) -> Any:
    """An entry as the API spells it, or CloudFormation."""
    return value.get(name, value.get(name[:1].upper() + name[1:]))


class _Network:
    """What Terraform and templates declare."""

    def __init__(self, estates: Estates) -> None:
        self._index = declared(estates)
        self._kinds = self._index.by_kind

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

    def _open(self, groups: Any) -> tuple[list[tuple[int, int]], bool]:
        """The ranges of ports that groups open to the internet; whether all of them are in the input."""
        ranges: list[tuple[int, int]] = []
        known = True
        for value in listed(groups):
            found = self._named(value, "aws_security_group", "aws_default_security_group")
            known &= bool(found)
            for group in found:
                for block in group.blocks("ingress"):
                    ranges += _range(block)
                for kind in ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule"):
                    for rule in self._kinds.get(kind, ()):
                        if rule.get("type") in (None, "ingress") and group in self._named(
                            rule.get("security_group_id"), group.kind
                        ):
                            ranges += _range(rule.values)
        return ranges, known and bool(listed(groups))

    # instances

    def instances(self) -> Iterator[Way]:
        """Instances with a public address whose groups let the internet in."""
        for one in self._kinds.get("aws_instance", ()):
            groups = one.get("vpc_security_group_ids") or one.get("security_groups")
            ranges, _ = self._open(groups)
            public = self._public(one)
            if public is State.NO:
                continue
            decides = () if public is State.YES else (f"{one.address} has a public address",)
            script = one.get("user_data")
            started = Served(one.arn, "", script if isinstance(script, str) else "", one.because(), script=True)
            listening = started.listening()
            how = "its security groups let the internet in"
            for port in drawn_ports(ranges, listening):
                yield Way(one.arn, port, how, (one.because(),), decides)

    def _public(self, one: TfResource) -> State:
        said = one.get("associate_public_ip_address")
        for address in (*self._kinds.get("aws_eip", ()), *self._kinds.get("aws_eip_association", ())):
            named = address.get("instance") or address.get("instance_id")
            if named is not None and one in self._named(named, one.kind):
                return State.YES
        if said is True:
            return State.YES
        return State.NO if said is False else State.UNKNOWN

    # services

    def services(self) -> Iterator[Way]:
        """Tasks of services that a load balancer of the internet passes on to, or with addresses of their own."""
        for service in self._kinds.get("aws_ecs_service", ()):
            tasks = self._named(service.get("task_definition"), "aws_ecs_task_definition")
            for task in tasks:
                for part in (*service.blocks("load_balancer"), *_maps(service.get("load_balancers"))):
                    port = _number(_key(part, "container_port") or _key(part, "containerPort"))
                    group = _key(part, "target_group_arn") or _key(part, "targetGroupArn")
                    for how, because, decides in self._balanced(group):
                        yield Way(task.arn, port, how, (*because, service.because()), decides)
                yield from self._addressed(service, task)

    def _addressed(self, service: TfResource, task: TfResource) -> Iterator[Way]:
        for part in service.blocks("network_configuration"):
            inner = next(iter(_maps(part.get("AwsvpcConfiguration"))), part)
            public = _key(inner, "assign_public_ip") or _key(inner, "assignPublicIp")
            if public is True or str(public).upper() == "ENABLED":
                ranges, _ = self._open(inner.get("security_groups") or inner.get("SecurityGroups"))
                listening = {port for one in task_containers(task) for port in one.ports}
                for port in drawn_ports(ranges, listening):
                    yield Way(task.arn, port, "its tasks have public addresses", (service.because(),))

    def _balanced(self, group: Any) -> Iterator[tuple[str, tuple[Because, ...], tuple[str, ...]]]:
        """How load balancers pass on what comes to a target group."""
        for target in self._named(group, "aws_lb_target_group", "aws_alb_target_group"):
            for listener in (one for kind in _LISTENERS for one in self._kinds.get(kind, ())):
                actions = [*listener.blocks("default_action"), *_maps(listener.get("default_action"))]
                rules = [
                    [*rule.blocks("action"), *_maps(rule.get("actions"))]
                    for rule in self._kinds.get("aws_lb_listener_rule", ())
                    if listener in self._named(rule.get("listener_arn"), listener.kind)
                ]
                if not any(self._forwards(some, target) for some in (actions, *rules)):
                    continue
                for balancer in self._named(listener.get("load_balancer_arn"), *_BALANCERS):
                    if balancer.get("internal") is True or balancer.get("scheme") == "internal":
                        continue
                    decides = self._lets(balancer, _number(listener.get("port")))
                    if decides is not None:
                        how = f"the load balancer {balancer.text('name') or balancer.address} passes on what comes"
                        yield how, (listener.because(),), decides

    def _forwards(self, actions: list[Map], target: TfResource) -> bool:
        """Whether actions pass on to a target group without asking who it is that calls."""
        kinds = [str(_key(one, "type") or "forward") for one in actions]
        if any(kind.startswith(("authenticate", "jwt")) for kind in kinds):
            return False
        return any(target in self._named(text, target.kind) for one in actions for text in _target_texts(one))

    def _lets(self, balancer: TfResource, port: int | None) -> tuple[str, ...] | None:
        """What would decide that the groups of a load balancer let the internet in; None where they do not."""
        groups = balancer.get("security_groups")
        kind = balancer.get("load_balancer_type") or balancer.get("type")
        if kind == "network" and not listed(groups):
            return ()
        ranges, known = self._open(groups)
        if any(port is None or first <= port <= last for first, last in ranges):
            return ()
        name = balancer.text("name") or balancer.address
        return None if known else (f"the security groups of {name} let the internet in",)


def _target_texts(action: Map) -> Iterator[str]:
    pending: list[Any] = [value for key, value in action.items() if key not in ("redirect", "fixed_response")]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item


def _maps(value: Any) -> list[Map]:
    return [one for one in ([value] if isinstance(value, Map) else listed(value)) if isinstance(one, Map)]


def _number(value: Any) -> int | None:
    if isinstance(value, (bool, Unresolved)):
        return None
    if isinstance(value, (int, float)):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _range(rule: Map) -> list[tuple[int, int]]:
    """The ports that a rule opens to the whole internet."""
    wide: list[Any] = []
    for key in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"):
        value = rule.get(key)
        wide += value if isinstance(value, list) else [value]
    if not any(one in _EVERYWHERE for one in wide):
        return []
    protocol = str(rule.get("protocol", rule.get("ip_protocol", "-1"))).lower()
    if protocol in _ALL:
        return [(0, LAST_PORT)]
    first, last = _number(rule.get("from_port")), _number(rule.get("to_port"))
    return [(first, last)] if protocol in ("tcp", "6") and first is not None and last is not None else []
