"""``inline_runners``: the pods whose manifests hold the Python that they run: scripts, ``python -c``, ConfigMaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.servers import container_variables, container_words
from assaymark.assess.source.runners import Runner
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.estate.loads import Program
    from assaymark.assess.graph import Builder
    from assaymark.assess.kubernetes.pods import Pod

_LAST: float = 1 << 40  # behind every line


def inline_runners(estates: Estates, builder: Builder) -> Iterator[tuple[Runner, Program, range]]:
    """Each with the program, and the lines of its file that it runs."""
    programs = {one.path: one for one in estates.source.programs if not one.path.endswith((".py", ".ipynb", ".pyw"))}
    if not programs:
        return
    starts: dict[str, list[int]] = {}
    pods = [one for one in pod_specs(estates.kubernetes) if builder.has(one.id) and not one.is_template]
    for pod in pods:
        starts.setdefault(pod.owner.file.path, []).append(pod.owner.value.line)
        starts[pod.owner.file.path] += [container.line for container in pod.containers()]
    for one in estates.kubernetes.objects.values():
        starts.setdefault(one.file.path, []).append(one.value.line)
    maps = {(one.namespace, one.name): one for one in estates.kubernetes.of("ConfigMap")}
    for pod in pods:
        path = pod.owner.file.path
        for container in pod.containers():
            given = tuple(container_variables(container).items())
            said = container_words(container)
            runner = Runner(pod.id, "", said, pod.because(container), variables=given, container=(pod, container))
            if path in programs:
                after = min((line for line in starts[path] if line > container.line), default=_LAST)
                yield runner, programs[path], range(container.line, int(after))
            yield from _mounted(pod, maps, programs, runner, said)


def _mounted(
    pod: Pod, maps: dict[tuple[str, str], Object], programs: dict[str, Program], runner: Runner, said: str
) -> Iterator[tuple[Runner, Program, range]]:
    """Files of ConfigMaps that a container's command names."""
    for name, _ in pod.configurations():
        one = maps.get((pod.owner.namespace, name))
        data = one.value.get("data") if one is not None else None
        if one is None or not isinstance(data, Map) or one.file.path not in programs:
            continue
        for key, text in data.items():
            if key.endswith(".py") and f"/{key}" in f"/{said.replace(' ', '/')}" and isinstance(text, str):
                first = data.at(key)
                yield runner, programs[one.file.path], range(first, first + text.count("\n") + 2)
