"""Which pods hold a token that Entra ID takes for their account: not each that runs as an account which it trusts.

The token that Kubernetes mounts is for the API server; Entra ID asks for another audience. The webhook of Azure
workload identity gives pods such a token that carry its label (its object selector asks for it), and a pod may
project one itself. Who starts pods as the account, or has tokens of it made, chooses label and audience. Source:
Azure AD Workload Identity, "Service account labels and annotations", "Mutating admission webhook"; Microsoft Entra,
"Workload identity federation" (the audience must be the credential's).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.pods import has_token, pod_specs, projected_tokens
from assaymark.assess.values import texts_in
from assaymark.core.graph import Edge, State
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.assess.graph import Builder
    from assaymark.assess.kubernetes.pods import Pod

_LABEL: Final = "azure.workload.identity/use"
_EXCHANGE: Final = "api://azureadtokenexchange"
# What makes its pods of a template as that is; what another operator puts on its pods is not in the input.
_PLAIN: Final = frozenset(
    (
        *("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"),
        *("RayCluster", "RayJob", "RayService", "PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "PaddleJob", "JAXJob"),
        *("Workflow", "CronWorkflow", "JobSet", "LeaderWorkerSet"),
    )
)
_MUTATES: Final = ("ClusterPolicy", "Policy", "Assign", "AssignMetadata", "ModifySet", "MutatingAdmissionPolicy")


def link_azure_tokens(estates: Estates, builder: Builder) -> None:
    """Leads from accounts to Entra ID only those pods that hold a token for it."""
    edges = builder.edges()
    trusted: dict[str, list[Edge]] = {}
    ours = _issuers(estates)
    for edge in edges:
        if edge.relation == "federates" and "/serviceaccount/" in edge.source and _is_azure(edge.target, ours):
            trusted.setdefault(edge.source, []).append(edge)
    if not trusted:
        return
    own_edges: dict[str, list[Edge]] = {}
    for edge in (*edges, *builder.selves):  # to itself: as who starts pods that run as itself
        if edge.source in trusted:
            own_edges.setdefault(edge.source, []).append(edge)
    runs = {one.source: one for one in edges if one.relation == "runs-as" and "/serviceaccount/" in one.target}
    mutated = _mutated(estates.kubernetes)
    for pod in pod_specs(estates.kubernetes):
        own = runs.get(pod.id)
        account = own.target if own is not None else _account(estates.kubernetes, pod)
        if account not in trusted or not builder.has(pod.id):
            continue
        held = _held(pod, _audiences(trusted[account], builder), mutated=mutated)
        if own is not None and held is not State.YES:
            builder.drop(own)
            builder.edge(
                replace(
                    own,
                    target=_weaker(
                        builder, account, [one for one in own_edges[account] if one not in trusted[account]]
                    ),
                )
            )
        for edge in trusted[account] if held is not State.NO and (own is None or held is State.UNKNOWN) else ():
            words = f"its pods have the label {_LABEL}, or a token for {_EXCHANGE.replace('azuread', 'AzureAD')}"
            decides = (*edge.decides, *((words,) if held is State.UNKNOWN else ()))
            state = State.UNKNOWN if decides else State.YES
            how = "its pods hold a token of their account that Entra ID takes"
            because = (pod.because(None, "serviceAccountName"), *edge.because)
            builder.edge(Edge(pod.id, edge.target, "federates", how, because, state, decides, edge.effort))


def _issuers(estates: Estates) -> set[str]:
    """The issuers that Azure trusts; those that a pool of Google Cloud trusts too ask for audiences of their own."""
    pools = {one.issuer for one in estates.gcp.providers.values() if one.kind == "oidc"}
    return {one.issuer for one in estates.azure.federated} - pools


def _is_azure(target: str, issuers: set[str]) -> bool:
    issuer = target.removeprefix("oidc:").partition(":system:serviceaccount:")[0]
    return target.startswith("azure:principal:") or (target.startswith("oidc:") and issuer in issuers)


def _account(cluster: Cluster, pod: Pod) -> str:
    """The node of the account of a pod that has no token for the API server."""
    return "" if has_token(cluster, pod) else f"{pod.id.partition('/')[0]}/serviceaccount/{pod.account}"


def _audiences(edges: list[Edge], builder: Builder) -> set[str]:
    """The audiences that the credentials behind edges take, in lower case."""
    found: set[str] = set()
    for edge in edges:
        given = builder.known(edge.target).props.get("audiences")
        found |= {text.lower() for text in given} if isinstance(given, tuple) else set()
    return found or {_EXCHANGE}


def _held(pod: Pod, audiences: set[str], *, mutated: bool) -> State:
    """Whether a pod holds a token of one of the audiences."""
    asked = [str(token.get("audience") or "").lower() for token in projected_tokens(pod)]
    if audiences & set(asked) or any(not one.startswith("api://") for one in audiences):
        return State.YES  # another audience may be that of the mounted token
    labelled = {**_given(pod.owner), **pod.labels}.get(_LABEL)
    if _EXCHANGE in audiences and labelled is not None and labelled.lower() == "true":
        return State.YES
    if labelled is None and pod.owner.kind in _PLAIN and not mutated and not any("${" in one for one in asked):
        return State.NO
    open_ = labelled is None or "${" in labelled or any("${" in one for one in asked)
    return State.UNKNOWN if open_ else State.NO


def _given(owner: Object) -> dict[str, str]:
    """The labels that an object gives its pods beside their template's: Argo's, KServe's, Knative's, Kubeflow's."""
    found: dict[str, str] = {}
    spec = owner.value.get("spec")
    inner: Any = spec.get("podMetadata") if isinstance(spec, Map) else None
    if owner.kind not in _PLAIN:
        found |= owner.labels("labels")
    labels = inner.get("labels") if isinstance(inner, Map) else None
    return found | ({str(key): str(one) for key, one in labels.items()} if isinstance(labels, dict) else {})


def _mutated(cluster: Cluster) -> bool:
    """Whether a policy of the input puts the label on pods that do not have it."""
    policies = [one for kind in _MUTATES for one in cluster.of(kind)]
    return any(_LABEL in str(key) for one in policies for key in _words(one.value))


def _words(value: Any) -> list[str]:
    """All texts and keys within a value."""
    found, pending = texts_in(value), [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            found += [str(key) for key in one]
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return found


def _weaker(builder: Builder, account: str, given: list[Edge]) -> str:
    """The node of what an account's token for the API server gives: ``given``, what the account may do elsewhere."""
    known = builder.known(account)
    node = f"{account}#token"
    if not builder.has(node):
        name = f"{known.name}'s token for the API server"
        builder.node(node, "token-subject", name, known.because, boundary=known.boundary)
        for edge in given:
            builder.edge(replace(edge, source=node))
    return node
