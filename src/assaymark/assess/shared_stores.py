"""Tenants that come to one another: buckets of nobody that several write and read, and grants to what is another's.

Of AWS the second is in ``aws.check_tenants``, which sees groups of things alike one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.prefixes import comes_to_all
from assaymark.assess.kinds import PRINCIPALS, RELATIONS
from assaymark.assess.rule import AssessRule, found
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.rule import Seen
    from assaymark.core.graph import Edge, Node
    from assaymark.core.report import Finding

SHARED: Final = AssessRule(
    "tenants-share-bucket",
    Severity.HIGH,
    "A bucket that one tenant writes and another uses",
    "tenancy",
    ("AML.T0035", "AML.T0020", "AML.M0005", "LLM02:2025", "CWE-653"),
)
REACHES: Final = AssessRule(
    "tenant-reaches-other",
    Severity.HIGH,
    "A tenant's principal that is let at what is another tenant's",
    "tenancy",
    ("AML.T0035", "AML.M0005", "LLM02:2025", "CWE-639"),
)
RULES: Final = (SHARED, REACHES)
_GRANTED: Final = ("reads", "writes", "decrypts", "invokes", "takes-over", "changes", "impersonates", "permissions")
_CLOUD: Final = ":iam:"  # a principal of AWS, of which more is known elsewhere


def check_shared(seen: Seen) -> Iterator[Finding]:
    """Findings about stores in which nothing keeps tenants apart."""
    nodes = seen.graph.nodes
    users: dict[str, dict[str, dict[str, Edge]]] = {}
    for edge in seen.graph.edges:
        source, target = nodes[edge.source], nodes[edge.target]
        if target.kind != "bucket" or target.boundary.get("tenant") or source.kind not in PRINCIPALS:
            continue
        tenant = source.boundary.get("tenant")
        if tenant and edge.state is State.YES and edge.relation in ("reads", "writes") and _whole(seen, edge):
            users.setdefault(edge.target, {}).setdefault(edge.relation, {}).setdefault(tenant, edge)
    for bucket, relations in sorted(users.items()):
        writers, readers = relations.get("writes", {}), relations.get("reads", {})
        for tenant, edge in sorted(writers.items()):
            others = sorted({*writers, *readers} - {tenant})
            if others:
                other = readers.get(others[0]) or writers[others[0]]
                message = (
                    f"tenant {tenant} writes, and tenant {', '.join(others)} uses, all of bucket {nodes[bucket].name}"
                )
                places = tuple(dict.fromkeys((*edge.because, *other.because)))
                yield found(SHARED, bucket, message, places, None, Confidence.MEDIUM)
                break  # one bucket, said once


def check_reaches(seen: Seen) -> Iterator[Finding]:
    """Findings about rights of one tenant's principals over what is another's, one for each pair."""
    nodes = seen.graph.nodes
    said: dict[tuple[str, str], Edge] = {}
    for edge in seen.graph.edges:
        source, target = nodes[edge.source], nodes[edge.target]
        here, there = source.boundary.get("tenant"), target.boundary.get("tenant")
        acts = source.kind in PRINCIPALS and _CLOUD not in edge.source
        if acts and here and there and here != there and edge.relation in _GRANTED:
            known = said.get((edge.source, edge.target))
            if known is None or (known.state is not State.YES and edge.state is State.YES):
                said[edge.source, edge.target] = edge
    for (who, what), edge in sorted(said.items()):
        verb = RELATIONS[edge.relation].verb
        one, other = nodes[who], nodes[what]
        message = f"{one.name} of tenant {_tenant(one)} {verb} {other.name} of tenant {_tenant(other)}"
        sure = None if edge.state is State.YES else Confidence.LOW
        yield found(REACHES, f"{who} {what}", message, edge.because, None, sure)


def _tenant(node: Node) -> str:
    """The tenant that a node is of; empty for none."""
    return node.boundary.get("tenant", "")


def _whole(seen: Seen, edge: Edge) -> bool:
    """Whether the edge is about all objects; of AWS policies may name a beginning of their keys."""
    identities = seen.estates.aws.identities
    who = identities.get(edge.source)
    if who is None:
        return True
    return comes_to_all(who, [identities[one] for one in who.groups if one in identities], edge.target)


CHECKS: Final = (check_shared, check_reaches)
