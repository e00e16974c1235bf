"""``Stores``: the nodes of the graph that a store of the source is, and the stores that a workload may read."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import CONTROL, RELATIONS
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.servers import container_variables, container_words
from assaymark.assess.source.addresses import address, plain
from assaymark.assess.values import texts_in
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.loads import Store
    from assaymark.assess.graph import Builder
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because

_STORAGE: Final = "microsoft.storage/storageaccounts"
_CONTAINER: Final = f"{_STORAGE}/blobservices/containers"
_HOST: Final = re.compile(r"https?://([^/:]+)")
_ACCOUNT: Final = re.compile(r"//([a-z0-9]{3,24})\.|\bAccountName=([a-z0-9]{3,24})\b", re.IGNORECASE)
_MLFLOW: Final = re.compile(r"\bmlflow (?:server|ui)\b")
_ADDRESS: Final = re.compile(r"(?:s3a?|gs|gcs|wasbs?|abfss?)://[^\s\"',]+")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_HOPS: Final = 4  # from a workload to the identity that reads for it
_Nodes = list[tuple[str, tuple[str, ...]]]


class Stores:
    """Those of an input."""

    def __init__(self, estates: Estates, builder: Builder) -> None:
        self._estates = estates
        self._builder = builder
        self._buckets = {one.split(":::")[-1]: one for one in builder.ids() if ":s3:::" in one and "/" not in one}
        self._out: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for edge in builder.edges():
            self._out[edge.source].append((edge.relation, edge.target))

    def of(self, store: Store, because: tuple[Because, ...]) -> _Nodes:
        """The nodes that a store is, each with what would decide it; none where the input does not have it."""
        name = plain(store.name)
        if not name:
            return []
        match store.platform:
            case "s3":
                return [(self._buckets[name], ())] if name in self._buckets else []
            case "gs":
                node = f"//storage.googleapis.com/{name}"
                return [(node, ())] if self._builder.has(node) else []
            case "azure":
                return self._of_azure(name, _account(plain(store.within)))
            case "hub":
                return self._of_hub(name, because)
            case "mlflow":
                return list(self._of_mlflow(plain(store.within)))
        return []

    def _of_azure(self, container: str, account: str) -> _Nodes:
        """A container of an account; the account where its containers are not in the input."""
        resources = self._estates.azure.resources.values()
        accounts = [one for one in resources if one.kind == _STORAGE and account in ("", one.name.lower())]
        held = [
            one
            for one in resources
            if one.kind == _CONTAINER
            and one.id.rpartition("/")[2] == container.lower()
            and any(one.id.startswith(f"{holder.id}/") for holder in accounts)
        ]
        if account or len(accounts) == 1 or len(held) == 1:
            nodes = [one.id for one in held] or [one.id for one in accounts]
            return [(one, ()) for one in nodes if self._builder.has(one)]
        unsure = f"{container} is a container of %s"
        return [(one.id, (unsure % one.id.split("/blobservices/")[0].rpartition("/")[2],)) for one in held]

    def _of_hub(self, name: str, because: tuple[Because, ...]) -> _Nodes:
        """A repository of the hub, which is its owner's to change."""
        if not _REPOSITORY.fullmatch(name):
            return []
        node, shown = f"hub:{name}", f"{name} of Hugging Face's hub"
        boundary = {"domain": "huggingface.co"}
        self._builder.node(node, "repository", shown, because, entry="supply-chain", boundary=boundary)
        return [(node, ())]

    def _of_mlflow(self, server: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Where a tracking server keeps its artifacts, and the server itself, whose word it is which they are."""
        if server.startswith("arn:"):
            yield from self._of_sagemaker(server)
            return
        match = _HOST.match(server)
        host = match[1] if match is not None else ""
        name, _, rest = host.partition(".")
        namespace = rest.split(".")[0]
        for pod in pod_specs(self._estates.kubernetes):
            if not name or not self._builder.has(pod.id) or not self._is_behind(pod, name, namespace):
                continue
            answers = f"{pod.id}#MLflow"
            yield (answers if self._builder.has(answers) else pod.id), ()
            for container in pod.containers():
                said = " ".join((container_words(container), *container_variables(container).values()))
                if _MLFLOW.search(said):
                    for text in _ADDRESS.findall(said):
                        store = address((text,))
                        yield from self.of(store, (pod.because(container),)) if store is not None else ()

    def _is_behind(self, pod: Pod, service: str, namespace: str) -> bool:
        """Whether a service of this name, of a namespace if one is said, leads to a pod."""
        for one in self._estates.kubernetes.of("Service"):
            spec = one.value.get("spec")
            selector = spec.get("selector") if isinstance(spec, Map) else None
            near = one.namespace == pod.owner.namespace and namespace in ("", one.namespace)
            if one.name == service and near and isinstance(selector, Map) and selector:
                return all(pod.labels.get(key) == value for key, value in selector.items())
        return False

    def _of_sagemaker(self, arn: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The store of a managed tracking server."""
        name = arn.rpartition("/")[2]
        for node, one in sorted(self._estates.aws.resources.items()):
            called = (node.rpartition("/")[2], one.settings.get("tracking_server_name"))
            if "mlflow-tracking-server" in one.kind and name in called:
                for text in texts_in(dict(one.settings)):
                    store = address((text,)) if text.startswith("s3://") else None
                    yield from self.of(store, (one.because,)) if store is not None else ()

    def readable(self, workload: str, platform: str) -> list[str]:
        """The stores of a platform that a workload may read by the identities that it has."""
        held, seen, found = {workload}, {workload}, set()
        for _ in range(_HOPS):
            after = set()
            for node in held:
                for relation, target in self._out[node]:
                    if relation == "reads" and self._is_store(target, platform):
                        found.add(target)
                    elif RELATIONS[relation].gives == CONTROL and relation in _BECOMES and target not in seen:
                        after.add(target)
            seen |= after
            held = after
        return sorted(found)

    def _is_store(self, node: str, platform: str) -> bool:
        known = self._builder.known(node) if self._builder.has(node) else None
        if known is None or known.kind != "bucket":
            return False
        of = "gs" if node.startswith("//storage.") else "s3" if ":s3:::" in node else "azure"
        return of == platform


_BECOMES: Final = ("runs-as", "federates", "assumes", "member-of", "impersonates")


def _account(text: str) -> str:
    """The storage account that an address or a connection string names, which a program is told whole."""
    match = _ACCOUNT.search(text)
    return (match[1] or match[2] if match is not None else text).lower()
