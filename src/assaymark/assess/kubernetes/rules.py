"""What is wrong with a cluster by itself, path or not: its rules, and the checks that find them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.check_access import check_access
from assaymark.assess.kubernetes.check_namespaces import check_namespaces
from assaymark.assess.kubernetes.check_pods import check_pods
from assaymark.assess.kubernetes.check_secrets import check_secrets
from assaymark.assess.kubernetes.check_servers import check_servers
from assaymark.assess.kubernetes.check_tenants import check_tenants
from assaymark.assess.kubernetes.check_transport import check_transport
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.rule_list import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

__all__ = ["CHECKS", "RULES"]

_LABEL: Final = re.compile(r"(?<=^k8s:)[^/]*:(?=[^/]*/)")  # of one of several overlays
_PARTS: Final = (
    check_pods,
    check_namespaces,
    check_access,
    check_servers,
    check_secrets,
    check_transport,
    check_tenants,
)


def _cluster(seen: Seen) -> Iterator[Finding]:
    """All that looks at the cluster, whose pods are found once."""
    cluster = seen.estates.kubernetes
    network = Network(cluster, pod_specs(cluster))
    known: set[tuple[object, ...]] = set()
    for one in (finding for check in _PARTS for finding in check(network)):
        # What overlays have in common is found in one of them.
        about = (one.rule, _LABEL.sub("", one.name), one.locations)
        if about not in known:
            known.add(about)
            yield one


CHECKS: Final = (_cluster,)
