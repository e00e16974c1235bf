"""What of Azure the internet reaches: sites, container apps and groups, machines with public addresses.

Sources: Microsoft documentation, "Set up Azure App Service access restrictions", "Authentication and authorization in
Azure App Service and Azure Functions", "Ingress in Azure Container Apps", "Network security groups" (rules by
priority, the first that matches decides; without one a public address of the standard kind lets nobody in).
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import Answer, draw
from assaymark.assess.answering import Way, draw_reached
from assaymark.assess.azure.fronts import Fronts
from assaymark.assess.azure.network import network_of
from assaymark.assess.azure.security_groups import ANYONE
from assaymark.assess.azure.sites import SITES, allows, authenticates, config_of, is_off, is_wide, limits
from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.ports import port_number
from assaymark.assess.served import Served
from assaymark.assess.values import dicts_in, whole_number
from assaymark.core.graph import State
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.azure.network import Machine, Network
    from assaymark.assess.azure.passing import Passed
    from assaymark.assess.estate.azure import Resource
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder

_APP: Final = "microsoft.app/containerapps"
_GROUP: Final = "microsoft.containerinstance/containergroups"
_CONTAINER: Final = "microsoft.storage/storageaccounts/blobservices/containers"
_ENVIRONMENT: Final = "microsoft.app/managedenvironments"
_IMAGES: Final = ("docker_image_name", "docker_image")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws it. ``reading`` and ``now`` are not needed."""
    del reading, now
    resources = estates.azure.resources
    ways = [way for one in resources.values() for way in _ways(one, resources)]
    network = network_of(estates)
    fronts = Fronts(estates, network)
    ways += [*_machines(network), *fronts.ways()]
    draw_reached(builder, ways, served(estates))
    for account, passed in fronts.stores:
        for one in resources.values():
            if one.kind == _CONTAINER and one.id.startswith(f"{account.id}/"):
                _stored(builder, one, account, passed)


def _stored(builder: Builder, one: Resource, account: Resource, passed: Passed) -> None:
    """A container that anyone may read, behind a private link: its account's firewall is not about that."""
    allowed = account.settings.get("blob_public")
    if one.settings.get("public") not in ("blob", "container") or allowed is False or not builder.has(one.id):
        return
    words = () if allowed is True else ("the storage account allows public access to blobs",)
    answer = Answer(State.YES, (*passed.because, one.because))
    for text in (*passed.decides, *words):
        answer = answer.unless(text)
    builder.node(INTERNET, "internet", "internet", entry="internet")
    draw(builder, INTERNET, one.id, "reads", f"{passed.how}, and the container lets anyone read blobs", answer, 0)


def served(estates: Estates) -> Iterator[Served]:
    """The containers of sites, container apps and groups, and what machines start with."""
    for identifier, one in sorted(estates.azure.resources.items()):
        if one.kind in SITES:
            config = config_of(one, estates.azure.resources)
            stack = _block(config, "application_stack")
            image = next((stack[name] for name in _IMAGES if isinstance(stack.get(name), str)), "")
            fx = _text(config, "linux_fx_version", "linuxFxVersion")
            image = image or (fx.partition("|")[2] if fx.upper().startswith("DOCKER|") else "")
            command = _text(config, "app_command_line", "appCommandLine")
            variables = _variables({**one.settings, "appSettings": config.get("appSettings")})
            if image:
                yield Served(identifier, image, command, one.because, variables=variables)
            elif command:  # what a site without a container starts with is a line of a shell
                lines = command.replace("&&", "\n")
                yield Served(identifier, "", lines, one.because, variables=variables, script=True)
        elif one.kind == _APP:
            template = _block(one.settings, "template")
            for part in dicts_in(template.get("container") or template.get("containers")):
                yield _container(identifier, one, part, _app_port(one))
        elif one.kind == _GROUP:
            for part in dicts_in(one.settings.get("container") or one.settings.get("containers")):
                inner = {**part, **_block(part, "properties")}
                yield _container(identifier, one, inner, frozenset(_group_ports(one)))
    for machine in {one.resource.id: one for one in network_of(estates).attached()}.values():
        if machine.script:
            yield _started(machine)


def _container(identifier: str, one: Resource, part: Mapping[str, Any], ports: frozenset[int]) -> Served:
    words = [str(word) for name in ("command", "commands", "args") for word in listed(part.get(name))]
    image = str(part.get("image") or "")
    return Served(identifier, image, " ".join(words), one.because, ports, _variables(part))


def _variables(part: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a container or site; a value that is not shown is ``<set>``."""
    found = {}
    for name in ("env", "environmentVariables", "appSettings"):
        for item in dicts_in(part.get(name)):
            value = item.get("value")
            shown = "<set>" if value is None else str(value)
            found[str(item.get("name"))] = shown
    for name in ("environment_variables", "secure_environment_variables", "app_settings"):
        found |= {str(key): str(value) for key, value in _block(part, name).items()}
    return found


def _ways(one: Resource, resources: Mapping[str, Resource]) -> Iterator[Way]:
    """The ways to a resource that has a name of its own on the internet."""
    because = (one.because,)
    if one.kind in SITES:
        decides = limits(one, resources)
        if decides is not None:
            yield Way(one.id, None, "the site has a public name", because, tuple(decides))
    elif one.kind == _APP and not is_off(one):
        ingress = _ingress(one)
        if ingress.get("external_enabled") is True or ingress.get("external") is True:
            yield from _app_ways(one, ingress, resources)
    elif one.kind == _GROUP and not is_off(one):
        kind = _text(one.settings, "ip_address_type") or _text(_block(one.settings, "ipAddress"), "type")
        public = kind.lower() == "public" or (not kind and "terraform" in one.settings)
        for number in sorted(_exposed_ports(one)) if public else ():
            yield Way(one.id, number, "the group has a public address", because)


def _app_ways(one: Resource, ingress: Mapping[str, Any], resources: Mapping[str, Resource]) -> Iterator[Way]:
    """The ways to a container app, whose environment may have an address in one's own network only."""
    named = next(
        (
            value
            for key in ("container_app_environment_id", "managedEnvironmentId", "environmentId")
            if isinstance(value := one.settings.get(key), str)
        ),
        "",
    )
    environment = resources.get(named.lower())
    if environment is not None and environment.kind == _ENVIRONMENT:
        inner = environment.settings
        internal = (inner.get("internal_load_balancer_enabled"), _block(inner, "vnetConfiguration").get("internal"))
        if True in internal or is_off(environment):
            return
    rules = dicts_in(ingress.get("ip_security_restriction") or ingress.get("ipSecurityRestrictions"))
    allowed = [str(rule.get("ip_address_range") or rule.get("ipAddressRange")) for rule in _allowing(rules)]
    if (allowed and not any(is_wide(text) for text in allowed)) or _denied(rules):
        return
    asks = authenticates(one, resources)
    if asks is True:
        return
    decides = () if asks is False else (f"{one.name} asks who calls on all paths",)
    ports: list[int | None] = [*sorted(_app_port(one))]
    for port in ports or [None]:
        yield Way(one.id, port, "its ingress takes what comes from the internet", (one.because,), decides)


def _allowing(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules if allows(rule)]


def _denied(rules: list[dict[str, Any]]) -> bool:
    """Whether a rule denies everyone."""
    names = ("ip_address_range", "ipAddressRange")
    return any(is_wide(str(rule.get(name))) for rule in rules if rule not in _allowing(rules) for name in names)


def _exposed_ports(one: Resource) -> set[int]:
    """The ports that a container group has at its address: those of its containers unless it says which."""
    said = [*dicts_in(one.settings.get("exposed_port")), *dicts_in(_block(one.settings, "ipAddress").get("ports"))]
    found = {number for item in said if (number := _number(item.get("port"))) is not None}
    return found or _group_ports(one)


def _group_ports(one: Resource) -> set[int]:
    """The ports of a container group's containers."""
    found = set()
    for part in dicts_in(one.settings.get("container") or one.settings.get("containers")):
        for item in dicts_in({**part, **_block(part, "properties")}.get("ports")):
            number = _number(item.get("port"))
            found |= {number} if number is not None else set()
    return found


def _ingress(one: Resource) -> Mapping[str, Any]:
    return _block(one.settings, "ingress") or _block(_block(one.settings, "configuration"), "ingress")


def _app_port(one: Resource) -> frozenset[int]:
    ingress = _ingress(one)
    number = _number(ingress.get("target_port", ingress.get("targetPort")))
    return frozenset((number,)) if number is not None else frozenset()


def _machines(network: Network) -> Iterator[Way]:
    """The ports of machines with public addresses that their security groups let the internet reach."""
    for machine in network.machines():
        node, name = machine.resource.id, machine.resource.name
        if machine.groups is None:
            decides = (f"the security groups of {name} let the internet in",)
            yield Way(node, None, "it has a public address", (machine.because,), decides)
            continue
        listening = _started(machine).listening()
        ports: list[int | None] = [None, *sorted(listening | machine.singles())]
        for port in ports:
            answer = machine.lets(ANYONE, port)
            if answer.state is not State.NO:
                how, because = "its security groups let the internet in", (machine.because, *answer.because)
                yield Way(node, port, how, because, answer.decides)
            if port is None and answer.state is State.YES:
                break


def _started(machine: Machine) -> Served:
    return Served(machine.resource.id, "", _decoded(machine.script), machine.resource.because, script=True)


def _block(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        inner = value.get(name)
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, dict):
            return inner
    return {}


def _text(value: Mapping[str, Any], *names: str) -> str:
    return next((value[name] for name in names if isinstance(value.get(name), str)), "")


def _number(value: Any) -> int | None:
    return port_number(whole_number(value))


def _decoded(script: str) -> str:
    try:
        return b64decode(script, validate=True).decode("utf-8")
    except ValueError:
        return script
