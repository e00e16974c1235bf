"""Tenants and environments of one account: keys that they share, principals of one that reach what is another's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assaymark.assess.aws.data import encryption_key
from assaymark.assess.aws.rule_list import ENVIRONMENTS, TENANTS_ACCESS, TENANTS_KEY
from assaymark.assess.rule import found
from assaymark.core.graph import State
from assaymark.core.report import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import Resource
    from assaymark.assess.graph import Graph
    from assaymark.assess.rule import Seen
    from assaymark.core.graph import Edge
    from assaymark.core.report import Finding


def check_tenants(run: Linking, seen: Seen) -> Iterator[Finding]:
    """Findings about tenants and environments, as tags and names tell them."""
    nodes = seen.graph.nodes
    shared = list(_keys(run, seen))
    yield from shared
    yield from _opened(seen, {one.name for one in shared})
    for edge in _each(seen.graph):
        here, there = nodes[edge.source].boundary, nodes[edge.target].boundary
        sure = edge.state is State.YES
        verb = edge.relation if sure else f"perhaps {edge.relation}"
        who, what = nodes[edge.source].name, nodes[edge.target].name
        name, confidence = f"{edge.source} {edge.target}", None if sure else Confidence.LOW
        tenant, other = here.get("tenant"), there.get("tenant")
        if tenant and other and tenant != other:
            message = f"{who} of tenant {tenant} {verb} {what} of tenant {other}"
            yield found(TENANTS_ACCESS, name, message, edge.because, None, confidence)
        outside = here.get("environment", "")
        if there.get("environment") == "production" and outside not in ("", "production", "ci"):
            message = f"{who} of {outside} {verb} {what} of production"
            yield found(ENVIRONMENTS, name, message, edge.because, None, confidence)


def _each(graph: Graph) -> Iterator[Edge]:
    """What those of a tenant or environment read, write or decrypt, one by one where a node stands for many."""
    within: dict[str, list[str]] = {}
    for edge in graph.edges:
        if edge.relation in ("contains-read", "contains-write") and ":alike:" in edge.source:
            within.setdefault(edge.source, []).append(edge.target)
    for edge in graph.edges:
        if ":iam:" not in edge.source or edge.relation not in ("reads", "writes", "decrypts"):
            continue
        if not {"tenant", "environment"}.isdisjoint(graph.nodes[edge.source].boundary):
            for target in dict.fromkeys(within.get(edge.target, (edge.target,))):
                yield replace(edge, target=target)


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


def _opened(seen: Seen, known: set[str]) -> Iterator[Finding]:
    """Keys of nobody that principals of several tenants decrypt with, whatever is encrypted with them."""
    nodes = seen.graph.nodes
    users: dict[str, dict[str, Edge]] = {}
    for edge in _each(seen.graph):
        tenant = nodes[edge.source].boundary.get("tenant")
        if edge.relation == "decrypts" and edge.state is State.YES and tenant:
            users.setdefault(edge.target, {}).setdefault(tenant, edge)
    for key, tenants in sorted(users.items()):
        if len(tenants) > 1 and key not in known and not nodes[key].boundary.get("tenant"):
            places = (*nodes[key].because, *(place for one in tenants.values() for place in one.because))
            message = f"principals of the tenants {', '.join(sorted(tenants))} decrypt with the key {nodes[key].name}"
            yield found(TENANTS_KEY, key, message, tuple(dict.fromkeys(places)))
