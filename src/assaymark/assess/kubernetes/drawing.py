"""``Drawing``: the cluster while its graph is drawn, with the nodes that several parts of the linker draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.boundaries import environment_of, tenant_of
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.ports import port_node
from assaymark.assess.kubernetes.rbac import bound
from assaymark.core.graph import Edge

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Cluster
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because

ADMINISTRATOR: Final = "k8s:administrator"
NODES: Final = "k8s:nodes"
BOUNDARY: Final = {"cloud": "kubernetes"}


class Drawing:
    """The objects of a cluster, what they come to, and the builder."""

    def __init__(self, cluster: Cluster, builder: Builder, reading: Reading) -> None:
        self.cluster = cluster
        self.builder = builder
        self.reading = reading
        self.pods = pod_specs(cluster)
        self.network = Network(cluster, self.pods)
        self.first = next(iter(cluster.objects.values())).because()
        self.accounts: set[tuple[str, str]] = set()
        self.rules = bound(cluster)

    def boundary(self, namespace: str, name: str, labels: dict[str, str]) -> dict[str, str]:
        """In what a thing of a namespace lies."""
        around = self.network.namespace_labels(namespace)
        found = {
            **BOUNDARY,
            "namespace": namespace,
            "environment": environment_of(name, labels) or environment_of(namespace, around),
            "tenant": tenant_of(name, labels) or tenant_of(namespace, around),
        }
        return {key: value for key, value in found.items() if value}

    def account(self, namespace: str, name: str, because: Because) -> str:
        """The node of a service account."""
        self.accounts.add((namespace, name))
        found = self.cluster.objects.get(f"k8s:{namespace}/serviceaccount/{name}")
        place = found.because() if found else because
        return self.builder.node(
            f"k8s:{namespace}/serviceaccount/{name}",
            "service-account",
            f"{namespace}/{name}",
            (place,),
            boundary=self.boundary(namespace, name, found.labels() if found else {}),
            entry="principal",
        )

    def secret(self, namespace: str, name: str, because: Because) -> str:
        """The node of a secret."""
        found = self.cluster.objects.get(f"k8s:{namespace}/secret/{name}")
        boundary = self.boundary(namespace, name, found.labels() if found else {})
        target = "tenant-data" if "tenant" in boundary else "secret"
        place = found.because() if found else because
        return self.builder.node(
            f"k8s:{namespace}/secret/{name}",
            "secret",
            f"{namespace}/{name}",
            (place,),
            boundary=boundary,
            target=target,
        )

    def claim(self, namespace: str, name: str, because: Because) -> str:
        """The node of a volume claim."""
        boundary = self.boundary(namespace, name, {})
        target = "tenant-data" if "tenant" in boundary else "data"
        return self.builder.node(
            f"k8s:{namespace}/persistentvolumeclaim/{name}",
            "volume",
            f"{namespace}/{name}",
            (because,),
            boundary=boundary,
            target=target,
        )

    def workload(self, pod: Pod) -> str:
        """The node of what makes pods."""
        owner = pod.owner
        boundary = self.boundary(owner.namespace, owner.name, {**owner.labels(), **pod.labels})
        entry = "tenant" if "tenant" in boundary else "workload"
        of = f" of {owner.cluster}" if owner.cluster else ""
        name = f"{owner.namespace}/{owner.name}{of}" + (f" ({pod.where})" if pod.where else "")
        return self.builder.node(
            pod.id, "workload", name, (owner.because(),), boundary=boundary, entry=entry, object=owner.kind
        )

    def edge(
        self, source: str, target: str, relation: str, how: str, because: tuple[Because, ...], effort: int = 1
    ) -> None:
        """Draws a certain edge."""
        self.builder.edge(Edge(source, target, relation, how, because, effort=effort))

    def nodes(self, because: Because) -> str:
        """The node that stands for the cluster's nodes; ``because``: what leads to them."""
        if not self.builder.has(NODES):
            self.builder.node(NODES, "node", "any node of the cluster", (because,), boundary=BOUNDARY)
            how = "who controls nodes reads the tokens of all pods that are put on them"
            self.edge(NODES, ADMINISTRATOR, "takes-over", how, (because,), 2)
            for pod in self.pods:
                self.edge(NODES, pod.id, "takes-over", "its pods may run on the node", (pod.because(),), 2)
        return NODES

    def _one_of(self, pod: Pod, number: int) -> None:
        """Who reaches all ports reaches this one."""
        how, because = "it is one of them", (pod.because(),)
        self.builder.edge(Edge(self.port(pod), port_node(pod.id, number), "exposes", how, because, effort=0))

    def port(self, pod: Pod, number: int | None = None) -> str:
        """The node of what a workload's pods listen with: all their ports, or one."""
        of = f" of {pod.owner.cluster}" if pod.owner.cluster else ""
        name = f"{pod.owner.namespace}/{pod.owner.name}{of}"
        if number is not None and not self.builder.has(port_node(pod.id, number)):
            self._one_of(pod, number)
        return self.builder.node(
            port_node(pod.id, number),
            "port",
            f"any port of {name}" if number is None else f"port {number} of {name}",
            (pod.because(),),
            boundary=self.boundary(pod.owner.namespace, pod.owner.name, pod.labels),
        )
