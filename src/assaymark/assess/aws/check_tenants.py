"""Tenants of one account: keys that they share, and principals of one that reach what is another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.aws.data import encryption_key
from assaymark.assess.aws.rule_list import TENANTS_ACCESS, TENANTS_KEY
from assaymark.assess.rule import found
from assaymark.core.graph import State
from assaymark.core.report import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Resource
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding


def check_tenants(run: Linking, seen: Seen) -> Iterator[Finding]:
    """Findings about tenants, as tags and names tell them."""
    yield from _keys(run, seen)
    nodes = seen.graph.nodes
    for edge in seen.graph.edges:
        here, there = nodes[edge.source].boundary.get("tenant"), nodes[edge.target].boundary.get("tenant")
        if not here or not there or here == there or ":iam:" not in edge.source:
            continue
        if edge.relation in ("reads", "writes", "decrypts"):
            sure = edge.state is State.YES
            verb = edge.relation if sure else f"perhaps {edge.relation}"
            who, what = nodes[edge.source].name, nodes[edge.target].name
            message = f"{who} of tenant {here} {verb} {what} of tenant {there}"
            name = f"{edge.source} {edge.target}"
            yield found(TENANTS_ACCESS, name, message, edge.because, None, None if sure else Confidence.LOW)


def _keys(run: Linking, seen: Seen) -> Iterator[Finding]:
    keys: dict[str, dict[str, list[Resource]]] = {}
    for arn, resource in sorted(run.estate.resources.items()):
        key, node = encryption_key(run, resource), seen.graph.nodes.get(arn)
        if key and node is not None and node.boundary.get("tenant"):
            keys.setdefault(key, {}).setdefault(node.boundary["tenant"], []).append(resource)
    for key, tenants in sorted(keys.items()):
        if len(tenants) > 1:
            places = [resource.because for some in tenants.values() for resource in some]
            message = f"tenants {', '.join(sorted(tenants))} share the key {key.rpartition('/')[2]}"
            yield found(TENANTS_KEY, key, message, places)
