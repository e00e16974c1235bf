"""What of Google Cloud the internet reaches: machines with external addresses, by their network's firewall rules.

Sources: Google Cloud documentation, "Configure static external IP addresses", "Deploying containers on VMs"; what
firewall rules mean is in ``firewalls`` and ``admission``, what load balancers lead to in ``fronts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answering import Way, draw_reached
from assaymark.assess.gcp.admission import Admission, let_in
from assaymark.assess.gcp.fronts import Fronts, interfaces_of
from assaymark.assess.served import Served
from assaymark.core.errors import InputError
from assaymark.core.graph import State
from assaymark.formats.located import listed
from assaymark.formats.located_yaml import read_located_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.gcp import Resource
    from assaymark.assess.files import Reading
    from assaymark.assess.gcp.firewalls import Firewall
    from assaymark.assess.graph import Builder

_OUTSIDE: Final = ("access_config", "ipv6_access_config", "accessConfigs", "ipv6AccessConfigs")
_RUNS: Final = ("run:service", "cloudfunctions:function")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws it. ``reading`` and ``now`` are not needed."""
    del reading, now
    fronts = Fronts(estates)
    draw_reached(builder, [*_ways(estates, fronts), *fronts.ways()], served(estates))


def served(estates: Estates) -> Iterator[Served]:
    """The containers of services, and what machines start with."""
    for name, one in sorted(estates.gcp.resources.items()):
        if one.kind in _RUNS:
            for part in _containers(one.settings):
                yield _container(name, one, part, called=True)
        elif one.kind == "compute:instance":
            yield from _machine(name, one)


def _containers(value: object) -> Iterator[Mapping[str, Any]]:
    """What has an image below ``containers``, at any depth."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            for key, inner in item.items():
                if key == "containers":
                    yield from (one for one in listed(inner) if isinstance(one, dict) and one.get("image"))
                else:
                    pending.append(inner)
        elif isinstance(item, list):
            pending += item


def _metadata(one: Resource, name: str) -> str:
    """A value of an instance's metadata, as Terraform's map or the API's list has it."""
    metadata = one.settings.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    items = [item for item in listed(metadata.get("items")) if isinstance(item, dict)]
    found = metadata.get(name) or next((item.get("value") for item in items if item.get("key") == name), None)
    return found if isinstance(found, str) else ""


def _script(one: Resource) -> str:
    script = one.settings.get("metadata_startup_script")
    return script if isinstance(script, str) else _metadata(one, "startup-script")


def _machine(name: str, one: Resource) -> Iterator[Served]:
    """What an instance runs: what it starts with, and the containers that it declares."""
    script = _script(one)
    if script:
        yield Served(name, "", script, one.because, script=True)
    try:
        values = read_located_yaml(_metadata(one, "gce-container-declaration"))
    except InputError:
        values = []
    for value in values:
        for part in _containers(value):
            yield _container(name, one, part)


def _container(name: str, one: Resource, part: Mapping[str, Any], *, called: bool = False) -> Served:
    words = [str(word) for key in ("command", "args") for word in listed(part.get(key))]
    variables = {
        str(item.get("name")): str(item.get("value") or "<set>")
        for item in listed(part.get("env"))
        if isinstance(item, dict)
    }
    image = str(part.get("image") or "")
    return Served(name, image, " ".join(words), one.because, frozenset(), variables, called=called)


def _ways(estates: Estates, fronts: Fronts) -> Iterator[Way]:
    """The ports of instances with external addresses that rules and policies let the internet reach."""
    admission = Admission(estates, fronts.parts)
    for name, one in sorted(estates.gcp.resources.items()):
        if one.kind != "compute:instance":
            continue
        outside = [part for part in interfaces_of(one) if any(part.get(key) is not None for key in _OUTSIDE)]
        if outside:
            layers = admission.layers(one, outside)
            listening = {port for server in _machine(name, one) for port in server.listening()}
            yield from _opened(one, layers, listening)


def _opened(one: Resource, layers: Sequence[Sequence[Firewall]], listening: set[int]) -> Iterator[Way]:
    """The ports that the first rule about each lets in."""
    how = "it has an external address, and firewall rules let the internet in"
    answer = let_in(layers, None, None)
    if answer.state is State.YES:
        yield Way(one.name, None, how, (one.because, *answer.because))
        return
    singles = {start for rules in layers for rule in rules for start, end in rule.ranges if start == end}
    for port in sorted(listening | singles):
        answer = let_in(layers, None, port)
        if answer.state is not State.NO:
            yield Way(one.name, port, how, (one.because, *answer.because), answer.decides)
