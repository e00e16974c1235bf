"""Who runs applications: containers of pods, and what of AWS names an image or a handler."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws import running as aws
from assaymark.assess.azure import reachable as azure
from assaymark.assess.gcp import reachable as gcp
from assaymark.assess.kubernetes.mesh import in_mesh
from assaymark.assess.kubernetes.mesh_policy import admitted
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.ports import declared_ports
from assaymark.assess.kubernetes.servers import container_variables, server_of
from assaymark.assess.source.builds import bare
from assaymark.assess.source.function_code import code_of
from assaymark.assess.values import mappings
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.assess.graph import Builder
    from assaymark.assess.kubernetes.mesh_callers import Admitted
    from assaymark.assess.kubernetes.mesh_requests import Asked
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because

_IMAGE_KEYS: Final = frozenset(("image", "image_uri", "imageuri", "container_image"))
_SHARED: Final = frozenset(  # images that nobody builds from a repository of one's own
    (
        *("alpine", "busybox", "debian", "ubuntu", "python", "node", "nginx", "envoy", "haproxy", "traefik", "caddy"),
        *("redis", "postgres", "mysql", "mariadb", "mongo", "rabbitmq", "kafka", "zookeeper", "etcd", "memcached"),
        *(
            "prometheus",
            "grafana",
            "vault",
            "minio",
            "curl",
            "kubectl",
            "git-sync",
            "proxyv2",
            "oauth2-proxy",
            "pause",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Runner:
    """A workload that runs something.

    ``pod``: it is reached over the network; ``calls``: it is called by its name; else nobody knows.
    ``listens``: the ports that its container says it has. ``adds``: its command goes behind the image's entry point.
    ``variables``: the environment that its container is given; ``open``: more come from where they are not shown.
    ``admits``: whom a mesh lets ask something of it; None where there is none. ``container``: of a pod, if it is one.
    """

    node: str
    image: str
    command: str
    because: Because
    pod: bool = False
    calls: bool = False
    adds: bool = False
    listens: frozenset[int] = frozenset()
    variables: tuple[tuple[str, str], ...] = ()
    admits: Callable[[Asked | None], Admitted] | None = None
    open: bool = False
    container: tuple[Pod, Map] | None = field(default=None, compare=False)


def functions_of(estates: Estates, builder: Builder) -> Iterator[tuple[Runner, str]]:
    """Functions of AWS Lambda that name their handler, with where their code lies, if a file says it."""
    for arn, resource in sorted(estates.aws.resources.items()):
        handler = resource.settings.get("handler") or resource.settings.get("Handler")
        if resource.kind == "lambda:function" and isinstance(handler, str) and builder.has(arn):
            variables = tuple(_variables(resource.settings.get("environment")).items())
            yield (
                Runner(arn, "", handler, resource.because, calls=True, variables=variables),
                code_of(estates, resource),
            )


def _variables(value: Any) -> dict[str, str]:
    """The environment of a function, as Terraform or CloudFormation has it."""
    found = {}
    for part in mappings(value):
        inner = part.get("variables") or part.get("Variables")
        for key, text in inner.items() if isinstance(inner, dict) else ():
            if isinstance(text, str):
                found[str(key)] = text
    return found


def runners(estates: Estates, builder: Builder) -> Iterator[Runner]:
    """Containers of pods, and what of AWS names an image."""
    pods = pod_specs(estates.kubernetes)
    network = Network(estates.kubernetes, pods)
    for pod in pods:
        admits = partial(admitted, network, pod) if in_mesh(network, pod) else None
        for container in pod.containers() if builder.has(pod.id) and not pod.is_template else ():
            image = container.get("image")
            if isinstance(image, str) and image:
                command = " ".join([*_words(container.get("command")), *_words(container.get("args"))])
                served = _served_by_ray(pod)
                adds = not served and not _words(container.get("command"))
                place = pod.because(container, "image")
                listens = declared_ports(container)
                variables, is_open = environment(estates.kubernetes, pod, container)
                given = tuple(variables.items())
                told = (pod.id, image, served or command, place)
                found = Runner(*told, pod=True, adds=adds, listens=listens, variables=given)
                yield replace(found, admits=admits, open=is_open, container=(pod, container))
    for one in (*aws.served(estates), *azure.served(estates), *gcp.served(estates)):
        if one.image and builder.has(one.workload):
            told = (one.workload, one.image, one.command, one.because)
            given, calls = tuple(one.variables.items()), one.called
            yield Runner(*told, pod=not calls, calls=calls, adds=True, listens=one.ports, variables=given)
    for arn, resource in sorted(estates.aws.resources.items()):
        for image in sorted(set(_images(resource.settings))) if builder.has(arn) else ():
            yield Runner(arn, image, "", resource.because, calls=resource.kind.startswith(("lambda:", "sagemaker:")))


def environment(cluster: Cluster, pod: Pod, container: Map) -> tuple[dict[str, str], bool]:
    """The variables of a container, those of ConfigMaps too, and whether there are some that the input lacks.

    What a container sets itself counts before what it has from elsewhere (Kubernetes API reference, EnvFromSource).
    """
    maps = {one.name: one for one in cluster.of("ConfigMap") if one.namespace == pod.owner.namespace}
    found: dict[str, str] = {}
    is_open = False
    for item in listed(container.get("envFrom")):
        data = _data(maps, item, "configMapRef")
        prefix = item.get("prefix") if isinstance(item, Map) else None
        before = prefix if isinstance(prefix, str) else ""
        is_open |= data is None
        found |= {f"{before}{key}": str(value) for key, value in (data or {}).items()}
    found |= container_variables(container)
    for item in listed(container.get("env")):
        source = item.get("valueFrom") if isinstance(item, Map) else None
        data = _data(maps, source, "configMapKeyRef")
        reference = source.get("configMapKeyRef") if isinstance(source, Map) else None
        key = reference.get("key") if isinstance(reference, Map) else None
        if data is not None and isinstance(key, str) and isinstance(data.get(key), str):
            found[str(item.get("name"))] = data[key]
    return found, is_open


def _data(maps: dict[str, Object], value: Any, key: str) -> Map | None:
    """The entries of the ConfigMap that a reference names; None where the input does not have it."""
    reference = value.get(key) if isinstance(value, Map) else None
    name = reference.get("name") if isinstance(reference, Map) else None
    found = maps[name].value.get("data") if isinstance(name, str) and name in maps else None
    return found if isinstance(found, Map) else None


def _served_by_ray(pod: Pod) -> str:
    """What a service of Ray has its cluster serve, as the command that would; the workers run it, the head too."""
    spec = pod.owner.value.get("spec") if pod.owner.kind == "RayService" else None
    given = spec.get("serveConfigV2") or spec.get("serveConfig") if isinstance(spec, dict) else None
    names = re.findall(r"import_?[pP]ath[\"']?\s*:\s*[\"']?([\w.]+(?::\w+)?)", str(given)) if given else []
    return " && ".join(f"serve run {name if ':' in name else name.replace('.', ':')}" for name in names)


def _words(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _images(value: Any) -> Iterator[str]:
    """What is named as an image, at any depth."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            for key, inner in item.items():
                if isinstance(inner, str) and str(key).lower() in _IMAGE_KEYS:
                    yield inner
                elif isinstance(inner, (dict, list)):
                    pending.append(inner)
        elif isinstance(item, list):
            pending += item


def serves(runner: Runner) -> bool:
    """Whether it may be an image of one's own that serves something."""
    last = bare(runner.image).rpartition("/")[2]
    return bool(runner.listens) and last not in _SHARED and server_of(runner.image, runner.command, "") is None
