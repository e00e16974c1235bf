"""The linker of what workloads of clusters are told to load from stores: who writes there decides what they run.

What the source shows of a workload goes before what its settings are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.source.addresses import address
from assaymark.assess.source.store_nodes import Stores
from assaymark.assess.told_places import told_places
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws it. ``reading`` and ``now`` are not needed."""
    del reading, now
    stores = Stores(estates, builder)
    known = {(edge.source, edge.target) for edge in builder.edges() if edge.relation == "loaded-by"}
    for pod in pod_specs(estates.kubernetes):
        for told in told_places(pod.spec, pod.owner.because) if builder.has(pod.id) else ():
            store = None if told.state is State.NO else address((told.address,))
            for node, more in stores.of(store, (told.because,)) if store is not None else ():
                decides = (*told.decides, *more)
                how = f"it {'is told' if told.decides else 'loads'} {told.address}"
                state = State.UNKNOWN if decides else State.YES
                if not decides or (node, pod.id) not in known:
                    builder.edge(Edge(node, pod.id, "loaded-by", how, (told.because,), state, decides))
