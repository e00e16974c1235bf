"""What RBAC gives to whom: everything, all secrets, anything for nobody in particular.

Source: Kubernetes documentation, "Using RBAC Authorization" (default roles and bindings) and "Role Based Access
Control Good Practices".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.rbac import bound
from assaymark.assess.kubernetes.rule_list import ANONYMOUS, ROLE_WILDCARD, SECRETS_ALL
from assaymark.assess.rule import found
from assaymark.core.report import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.rbac import Rule, Subject
    from assaymark.core.report import Finding

# Namespaces of parts of the cluster that cannot do without.
_PARTS: Final = frozenset(
    (
        *("kube-system", "cert-manager", "external-secrets", "gatekeeper-system", "kyverno", "istio-system"),
        *("ingress-nginx", "flux-system", "argocd", "linkerd", "sealed-secrets", "velero", "openshift-operators"),
    )
)
_NOBODY: Final = ("system:anonymous", "system:unauthenticated")


def check_access(network: Network) -> Iterator[Finding]:
    """Findings about bindings; those that every cluster makes for itself are not asked."""
    for subject, rules in sorted(bound(network.cluster).items(), key=lambda item: item[0].id):
        once: dict[tuple[str, str], Finding] = {}
        for rule in rules:
            if not rule.default:
                for finding in _rule(subject, rule):
                    once.setdefault((finding.rule, finding.name), finding)
        yield from once.values()


def _rule(subject: Subject, rule: Rule) -> Iterator[Finding]:
    scope = f"namespace {rule.namespace}" if rule.namespace else "the cluster"
    if subject.name in _NOBODY and rule.resources and not (rule.namespace == "kube-public" and rule.names):
        message = f"{subject.name} is bound to a role: whoever reaches the API server has it"
        yield found(ANONYMOUS, subject.id, message, rule.because)
    if rule.names:
        return
    if "*" in rule.verbs and "*" in rule.resources and "*" in rule.groups:
        severity = Severity.MEDIUM if rule.namespace else None
        message = f"{subject.kind} {subject.name} may do everything in {scope}"
        if subject.name != "system:masters":
            yield found(ROLE_WILDCARD, f"{subject.id}#{rule.namespace}", message, rule.because, severity)
    elif not rule.namespace and any(rule.allows(one, "", "secrets") for one in ("get", "list", "watch")):
        message = f"{subject.kind} {subject.name} may read the secrets of every namespace"
        severity = Severity.MEDIUM if subject.namespace in _PARTS else None
        if not subject.name.startswith("system:node"):
            yield found(SECRETS_ALL, subject.id, message, rule.because, severity)
