"""Servers in pods that ask nobody who they are, or talk in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.kubernetes.exposure import exposed
from assaymark.assess.kubernetes.mesh import in_mesh, strict
from assaymark.assess.kubernetes.mesh_policy import admitted, judged
from assaymark.assess.kubernetes.rule_list import SERVER_OPEN, SERVER_PLAIN
from assaymark.assess.kubernetes.servers import open_servers
from assaymark.assess.rule import found
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.assess.kubernetes.servers import Running
    from assaymark.core.report import Finding


def check_servers(network: Network) -> Iterator[Finding]:
    """Findings about model servers, notebooks, job queues and stores: of an object's pods of one kind the worst."""
    open_to_all: dict[str, list[frozenset[int] | None]] = {}
    for one in exposed(network):
        if not one.decides:
            open_to_all.setdefault(one.pod.id, []).append(one.ports)
    worst: dict[tuple[str, str], Finding] = {}
    for pod in network.own_pods():
        for running in open_servers(pod):
            reached = any(
                ports is None or not running.ports or ports & running.ports for ports in open_to_all.get(pod.id, ())
            )
            for finding in _judged(network, pod, running, public=reached):
                known = worst.get((finding.rule, finding.name))
                if known is None or finding.severity > known.severity:
                    worst[finding.rule, finding.name] = finding
    yield from worst.values()


def _judged(network: Network, pod: Pod, running: Running, *, public: bool) -> Iterator[Finding]:
    if not running.authenticated and admitted(network, pod).anyone is not State.NO:
        yield _open(network, pod, running, public=public)
    if not running.tls and not strict(network, pod):
        message = f"{running.server.name} in {pod.shown} talks in plain text"
        severity = Severity.LOW if in_mesh(network, pod) else None
        name = f"{pod.owner.id}#{running.server.name}"
        yield found(SERVER_PLAIN, name, message, (running.because,), severity)


def _open(network: Network, pod: Pod, running: Running, *, public: bool) -> Finding:
    server = running.server
    reach = "from the internet" if public else "from every pod that reaches it"
    guarded = not public and network.policies(pod, "Ingress")
    severity = Severity.CRITICAL if public else Severity.MEDIUM if guarded else None
    mesh = admitted(network, pod)
    perhaps = running.perhaps or (judged(mesh) if mesh.anyone is State.UNKNOWN else "")
    message = f"{server.name} in {pod.shown} {server.answers}, {reach}: {server.advice}"
    sure = None
    if perhaps:
        message = f"{server.name} in {pod.shown} asks for no authentication, unless {perhaps} does: {server.advice}"
        severity, sure = Severity.MEDIUM, Confidence.LOW
    return found(SERVER_OPEN, f"{pod.owner.id}#{server.name}", message, (running.because,), severity, sure)
