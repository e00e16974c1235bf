"""``OnDisk``: what of stores lies on the disk of a workload when its program starts, and what it loads of it.

Sources: Cloud Run, "Cloud Storage volume mounts"; Amazon SageMaker Developer Guide, "How Amazon SageMaker AI provides
training information" (``/opt/ml/input/data``, ``SM_CHANNEL_...``), "Use your own inference code" (``/opt/ml/model``),
``ProcessingS3Input``; of clusters and commands see ``pod_files`` and ``fetched``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.source.addresses import address
from assaymark.assess.source.entry_points import opened
from assaymark.assess.source.fetched import Fetched, fetched, lies
from assaymark.assess.source.matching import told
from assaymark.assess.source.pod_files import bucket_of_driver, mounted, shared
from assaymark.assess.source.runners import environment
from assaymark.assess.values import mappings
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.loads import Load, Store, Words
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.assess.source.matching import Images, Likely
    from assaymark.assess.source.runners import Runner
    from assaymark.core.graph import Because

_INPUTS: Final = "/opt/ml/input/data"
_MODEL: Final = "/opt/ml/model"


class OnDisk:
    """That of all workloads of an input."""

    def __init__(self, estates: Estates, images: Images) -> None:
        self._estates = estates
        self._images = images

    def of(self, runner: Runner, images: list[Likely]) -> list[Fetched]:
        """What lies on the disk of a workload."""
        known = {name: value for built, _ in images for name, value in built.variables} | dict(runner.variables)
        place = runner.because
        if runner.container is not None:
            place = _place(*runner.container)
        found = list(self._by_command(runner.command, runner, images, known, place))
        if runner.container is not None:
            found += self._of_pod(*runner.container)
        resource = self._estates.gcp.resources.get(runner.node)
        if resource is not None:
            found += _of_run(resource.settings, runner.image, runner.because)
        owned = self._estates.aws.resources.get(runner.node)
        if owned is not None and owned.kind.startswith("sagemaker:"):
            found += _of_sagemaker(owned.settings, runner.because)
        return found

    def _by_command(
        self, command: str, runner: Runner, images: list[Likely], known: Mapping[str, str], place: Because
    ) -> Iterator[Fetched]:
        """What its command and the scripts that this starts fetch."""
        if not images:
            yield from fetched(command, known, place)
        for built, decides in images:
            text, branches = opened(told(runner, built), built, self._estates.source, self._images.contexts(built))
            for one in fetched(text, known, place):
                unsure = (f"{branches} gets as far as fetching it",) if branches else ()
                path = one.path if one.path.startswith("/") else f"{built.workdir.rstrip('/')}/{one.path}"
                yield replace(one, path=path, decides=(*one.decides, *decides, *unsure))

    def _of_pod(self, pod: Pod, container: Map) -> Iterator[Fetched]:
        """What a container has of its pod: mounted buckets, and what others put into the volumes of both."""
        cluster = self._estates.kubernetes
        yield from mounted(cluster, pod, container)
        for other in pod.containers():
            if other is container:
                continue
            variables, _ = environment(cluster, pod, other)
            words = [*listed(other.get("command")), *listed(other.get("args"))]
            command = " ".join(str(one) for one in words)
            image = other.get("image")
            likely = self._images.of(image) if isinstance(image, str) else []
            place = _place(pod, other)
            found = list(fetched(command, variables, place))
            for built, decides in likely if not words else ():
                text, _ = opened(built.command, built, self._estates.source, self._images.contexts(built))
                given = dict(built.variables) | variables
                found += [replace(one, decides=(*one.decides, *decides)) for one in fetched(text, given, place)]
            yield from shared(container, other, found)


def loaded(words: Words, files: list[Fetched], folder: str) -> list[tuple[Fetched, tuple[str, ...]]]:
    """What of the files a program loads by a path, with what would decide it: what is sure if anything is."""
    found = [(one, decides) for one in files if (decides := lies(words, one, folder)) is not None]
    sure = [each for each in found if not each[1]]
    return sure or found


def as_fetched(load: Load, one: Fetched) -> Load:
    """A load of what was fetched, from the store that it is of."""
    return replace(load, store=one.store, origin=one.because)


def _place(pod: Pod, container: Map) -> Because:
    key = "args" if container.get("args") else "command" if container.get("command") else "image"
    return pod.because(container, key)


def _of_run(settings: Mapping[str, Any], image: str, because: Because) -> Iterator[Fetched]:
    """Buckets that a service or job of Cloud Run mounts."""
    buckets: dict[str, Store] = {}
    for part in mappings(dict(settings)):
        for volume in listed(part.get("volumes")):
            store = _volume(volume) if isinstance(volume, dict) else None
            if store is not None:
                buckets[str(volume.get("name"))] = store
    for part in mappings(dict(settings)) if buckets else ():
        for key in ("volume_mounts", "volumeMounts") if part.get("image") == image else ():
            for item in listed(part.get(key)):
                path = item.get("mount_path", item.get("mountPath")) if isinstance(item, dict) else None
                if isinstance(path, str) and item.get("name") in buckets:
                    yield Fetched(path, buckets[item["name"]], because, whole=True)


def _volume(volume: Mapping[str, Any]) -> Store | None:
    for part in mappings(volume.get("gcs")):
        bucket = part.get("bucket")
        if isinstance(bucket, str):
            return address((f"gs://{bucket}",))
    return next((bucket_of_driver(part) for part in mappings(volume.get("csi"))), None)


def _of_sagemaker(settings: Mapping[str, Any], because: Because) -> Iterator[Fetched]:
    """Channels of training jobs, inputs of processing jobs and archives of models."""
    for part in mappings(dict(settings)):
        low = {str(key).lower().replace("_", ""): value for key, value in part.items()}
        channel, path = low.get("channelname"), low.get("localpath")
        if isinstance(channel, str):
            for inner in mappings(low.get("datasource")):
                yield from _at(f"{_INPUTS}/{channel}", inner, because)
        elif isinstance(path, str) and "s3uploadmode" not in low:
            yield from _at(path, part, because)
        archive = low.get("modeldataurl")
        store = address((archive,)) if isinstance(archive, str) else None
        if store is not None:
            yield Fetched(_MODEL, store, because, whole=True)


def _at(path: str, part: Mapping[str, Any], because: Because) -> Iterator[Fetched]:
    for key, value in part.items():
        store = address((value,)) if str(key).lower().replace("_", "") == "s3uri" and isinstance(value, str) else None
        if store is not None:
            yield Fetched(path, store, because, whole=True)


def channel_variables(files: list[Fetched]) -> dict[str, str]:
    """The variables by which SageMaker's containers name the folders of their channels."""
    inner = {one.path: one.path.removeprefix(f"{_INPUTS}/") for one in files if one.path.startswith(f"{_INPUTS}/")}
    return {f"SM_CHANNEL_{name.upper().replace('-', '_')}": path for path, name in inner.items()}
