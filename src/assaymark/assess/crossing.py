"""The linker between platforms: a cluster's accounts and cloud roles, servers and what they serve."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.answering import draw_answer
from assaymark.assess.aws.conditions import Key, evaluate_condition
from assaymark.assess.aws.images import images_of
from assaymark.assess.aws.patterns import action_matches, glob
from assaymark.assess.aws.trust import claimed, issuer_of, lets_in, other_keys
from assaymark.assess.boundaries import tenant_of
from assaymark.assess.crossing_clouds import link_clouds
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.kubernetes.mesh_policy import admitted, judged
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import has_token, pod_specs, projected_tokens
from assaymark.assess.kubernetes.ports import doors, port_node, port_nodes
from assaymark.assess.kubernetes.servers import open_servers
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.estate.aws import Statement
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_AWS_ROLE: Final = "eks.amazonaws.com/role-arn"
_SUBJECT: Final = re.compile(r"system:serviceaccount:([^:]+):(.+)")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws what leads from one platform to another. ``now`` is what conditions on dates are held against."""
    _accounts_to_roles(estates, builder, reading, now)
    _associations(estates, builder)
    _servers(estates, builder)
    _images(estates, builder)
    link_clouds(estates, builder, reading)


def _accounts_to_roles(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Service accounts whose tokens a role of AWS trusts (IAM roles for service accounts).

    A pod may ask for a token whatever its account's annotations say, so the role's trust decides. Which cluster an
    issuer belongs to is not in manifests: an account that names a role of the issuer shows that it is this one.
    """
    accounts = list(estates.kubernetes.of("ServiceAccount"))
    written = {(one.namespace, one.name): one.labels("annotations").get(_AWS_ROLE, "") for one in accounts}
    named = {key: _ours(role, builder) for key, role in written.items()}
    places = {(one.namespace, one.name): one for one in accounts}
    subjects = _subjects(estates)
    quiet = _without_token(estates, builder)
    asked = _audiences(estates)
    confirmed = {issuer for role, issuer, *_ in subjects if role in named.values()}
    for role, issuer, pattern, because, rest, provider, audiences in subjects:
        for key in sorted(_known(builder)):
            subject = f"system:serviceaccount:{key[0]}:{key[1]}"
            if not glob(pattern, subject):
                continue
            let_in = lets_in(estates.aws.identities[role], provider, subject, now)
            if let_in.state is State.NO:
                continue
            ours = f"the cluster of these manifests is the one whose issuer is {issuer}"
            decides = (*(f"{name} is as {role} demands" for name in sorted(rest)), *let_in.decides)
            if audiences and not any(glob(one, name) for one in audiences for name in (_STS, *asked.get(key, ()))):
                decides = (*decides, f"pods of {key[0]}/{key[1]} hold tokens for {', '.join(audiences)}")
            decides = decides if issuer in confirmed else (ours, *decides)
            place = places.get(key)
            where = (place.because(place.metadata, "annotations"), because) if place else (because,)
            how = "the role trusts tokens of this account"
            source = f"k8s:{key[0]}/serviceaccount/{key[1]}"
            state = State.UNKNOWN if decides else State.YES
            builder.edge(Edge(source, role, "federates", how, where, state, decides))
            for pod in quiet.get(key, ()) if named.get(key) == role else ():
                builder.edge(Edge(pod, role, "federates", _INJECTED, where, state, decides))
    for (namespace, name), role in named.items():
        if role and not builder.has(role):
            one = places[namespace, name]
            node = builder.node(role, "role", role.rpartition("/")[2], (one.because(),), boundary=_boundary(role))
            how = "the account is annotated with this role"
            decides = (f"{role}, which the input does not hold, trusts this account",)
            source = f"k8s:{namespace}/serviceaccount/{name}"
            builder.edge(
                Edge(
                    source,
                    node,
                    "federates",
                    how,
                    (one.because(one.metadata, "annotations"),),
                    State.UNKNOWN,
                    decides,
                )
            )
            for pod in quiet.get((namespace, name), ()):
                where = (one.because(one.metadata, "annotations"),)
                builder.edge(Edge(pod, node, "federates", _INJECTED, where, State.UNKNOWN, decides))
            reading.gap(f"the role {role} of {namespace}/{name} is not in the input; what it may do is not known")


def _ours(role: str, builder: Builder) -> str:
    """A role as the input names it: where no file says which account it is deployed to, the account is unknown."""
    parts = role.split(":")
    if builder.has(role) or len(parts) <= 4:  # noqa: PLR2004
        return role
    unknown = ":".join((*parts[:4], UNKNOWN_ACCOUNT, *parts[5:]))
    return unknown if builder.has(unknown) else role


def _boundary(role: str) -> dict[str, str]:
    parts = role.split(":")
    return {"cloud": "aws", "account": parts[4]} if len(parts) > 4 else {"cloud": "aws"}  # noqa: PLR2004


def _known(builder: Builder) -> set[tuple[str, str]]:
    found = set()
    for identifier in builder.ids():
        if identifier.startswith("k8s:") and "/serviceaccount/" in identifier:
            namespace, _, name = identifier[4:].partition("/serviceaccount/")
            found.add((namespace, name))
    return found


_STS: Final = "sts.amazonaws.com"  # for which EKS gives pods tokens


def _audiences(estates: Estates) -> dict[tuple[str, str], set[str]]:
    """By service account the audiences of the tokens that its pods ask for."""
    found: dict[tuple[str, str], set[str]] = {}
    for pod in pod_specs(estates.kubernetes):
        for token in projected_tokens(pod):
            found.setdefault((pod.owner.namespace, pod.account), set()).add(str(token.get("audience") or ""))
    return found


def _subjects(estates: Estates) -> list[tuple[str, str, str, Because, frozenset[str], str, tuple[str, ...]]]:
    """Roles that trust service accounts.

    Each with issuer, pattern over subjects, where, what else is asked, provider, and the audiences that it takes.
    """
    found = []
    for arn, role in sorted(estates.aws.identities.items()):
        for statement in role.trust.statements if role.trust and role.kind == "role" else ():
            for provider in (statement.principals or {}).get("Federated", ()):
                issuer = issuer_of(provider)
                values = claimed(statement, provider, "sub")
                cluster = "eks" in issuer or any(_SUBJECT.fullmatch(value) for value in values)
                if cluster and statement.effect == "Allow":
                    rest = other_keys(statement, issuer)
                    audiences = claimed(statement, provider, "aud")
                    found += [
                        (arn, issuer, value, statement.because, rest, provider, audiences)
                        for value in values or ["*"]
                    ]
    return found


_INJECTED: Final = "its pods get credentials of the role, though no token of their account is mounted for them"


def _without_token(estates: Estates, builder: Builder) -> dict[tuple[str, str], list[str]]:
    """The workloads of each account whose pods have no token for the API server: EKS gives them its own still.

    Source: EKS User Guide, "Configure Pods to use a Kubernetes service account": the webhook adds a projected token.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for pod in pod_specs(estates.kubernetes):
        if builder.has(pod.id) and not has_token(estates.kubernetes, pod):
            found.setdefault((pod.owner.namespace, pod.account), []).append(pod.id)
    return found


def _associations(estates: Estates, builder: Builder) -> None:
    """EKS Pod Identity: an association gives an account of the cluster a role that trusts the agent's service.

    The account need not be declared: it may come with a chart. EKS User Guide, "Learn how EKS Pod Identity works".
    """
    quiet = _without_token(estates, builder)
    for resource in estates.terraform:
        if resource.kind != "aws_eks_pod_identity_association":
            continue
        namespace, account = resource.text("namespace"), resource.text("service_account")
        role = resource.text("role_arn")
        trust = estates.aws.identities[role].trust if role in estates.aws.identities else None
        if not (namespace and account and builder.has(role)):
            continue
        source = f"k8s:{namespace}/serviceaccount/{account}"
        trusting = [one for one in trust.statements if _trusts_pods(one, "sts:AssumeRole")] if trust else []
        tagless = str(resource.get("disable_session_tags")).lower() == "true"
        tagging = tagless or any(_trusts_pods(one, "sts:TagSession") for one in trust.statements) if trust else True
        if trust is not None and not (trusting and tagging):
            continue
        boundary = {
            "cloud": "kubernetes",
            "namespace": namespace,
            **({"tenant": tenant} if (tenant := tenant_of(account) or tenant_of(namespace)) else {}),
        }
        if not builder.has(source):
            shown = f"{namespace}/{account}"
            because = (resource.because(),)
            builder.node(source, "service-account", shown, because, boundary=boundary, entry="principal")
        met, decides = _met(trusting, resource, tagless=tagless) if trusting else (State.UNKNOWN, _CONDITIONS)
        if met is State.NO:
            continue
        target = resource.text("target_role_arn")
        if builder.has(target):  # EKS goes on to it, and pods get its credentials alone
            trusted = estates.aws.identities[target].trust if target in estates.aws.identities else None
            if not any(_names(one, role) for one in (trusted.statements if trusted else ())):
                decides = (*decides, f"{target} may be assumed by {role}, which the association goes by")
            role = target
        how = "an association of EKS Pod Identity gives the account this role"
        where = (resource.because(), *(one.because for one in trusting[:1]))
        state = State.UNKNOWN if decides else State.YES
        builder.edge(Edge(source, role, "federates", how, where, state, decides, effort=0))
        for pod in quiet.get((namespace, account), ()):
            builder.edge(Edge(pod, role, "federates", _INJECTED, where, state, decides, effort=0))


_PODS: Final = "pods.eks.amazonaws.com"
_CONDITIONS: Final = (f"the conditions of the role's trust in {_PODS}",)


def _met(trusting: list[Statement], resource: TfResource, *, tagless: bool) -> tuple[State, tuple[str, ...]]:
    """Whether a statement lets the association in: of the tags that EKS gives the session its condition may speak.

    Source: Amazon EKS User Guide, "Grant Pods access to AWS resources based on tags".
    """
    cluster = resource.text("cluster_name")
    place = f"arn:aws:eks:{resource.region}:{resource.account}:cluster/{cluster}"
    tags = {
        "kubernetes-namespace": resource.text("namespace"),
        "kubernetes-service-account": resource.text("service_account"),
        "eks-cluster-name": cluster,
        "eks-cluster-arn": place,
    }
    known: dict[str, Value] = {f"aws:requesttag/{key}": Key.ABSENT if tagless else (tags[key],) for key in tags}
    known |= {"aws:sourceaccount": (resource.account,), "aws:sourcearn": (place,)}
    if "<" in place or isinstance(resource.get("cluster_name"), Unresolved) or UNKNOWN_ACCOUNT in place:
        known |= dict.fromkeys(("aws:sourcearn", "aws:sourceaccount", "aws:requesttag/eks-cluster-arn"), Key.UNKNOWN)
    found = [
        evaluate_condition(one.condition, "2012-10-17", lambda key: known.get(key, Key.UNKNOWN)) for one in trusting
    ]
    best = max(found, key=lambda one: (State.NO, State.UNKNOWN, State.YES).index(one[0]))
    return best if best[0] is not State.UNKNOWN else (State.UNKNOWN, best[1] or _CONDITIONS)


def _names(statement: Statement, role: str) -> bool:
    """Whether a statement lets a role in by its name, whatever else is so."""
    named = role in (statement.principals or {}).get("AWS", ())
    return statement.effect == "Allow" and named and not statement.condition and not statement.not_actions


def _trusts_pods(statement: Statement, action: str) -> bool:
    """Whether a statement lets EKS do an action for pods: it takes on the role, and tags the session unless told not.

    Source: Amazon EKS User Guide, "Create IAM role with trust policy required by EKS Pod Identity".
    """
    principals = (statement.principals or {}).get("Service", ())
    named = statement.not_actions is not None or any(
        action_matches(one, action) is not State.NO for one in statement.actions
    )
    return statement.effect == "Allow" and named and any(str(one).lower() in (_PODS, "*") for one in principals)


def _servers(estates: Estates, builder: Builder) -> None:
    """Servers that answer anyone: whoever reaches their port has what they serve."""
    pods = pod_specs(estates.kubernetes)
    nodes = port_nodes(builder.ids())
    network = Network(estates.kubernetes, pods)
    for pod in pods:
        mesh = admitted(network, pod)
        port = port_node(pod.id)
        for running in open_servers(pod):
            server = running.server
            if running.authenticated or not builder.has(pod.id):
                continue
            if not builder.has(port):
                builder.node(port, "port", f"any port of {pod.owner.namespace}/{pod.owner.name}", (running.because,))
            judge = mesh.by if mesh.anyone is State.UNKNOWN else None
            perhaps = running.perhaps or (judged(mesh) if judge is not None else "")
            decides = (f"{perhaps} does not ask either",) if perhaps else ()
            through = mesh.callers if mesh.anyone is State.NO else doors(pod.id, running.ports, nodes)
            ways = [(way, (*decides, *unsure)) for way, unsure in through if builder.has(way)]
            shown = f"{pod.owner.namespace}/{pod.owner.name}"
            draw_answer(builder, pod.id, shown, server, running.because, ways)


def _images(estates: Estates, builder: Builder) -> None:
    """Workloads whose images lie in a repository of ECR: who writes a tag of it decides what they run."""
    for pod in pod_specs(estates.kubernetes):
        for container in pod.containers() if builder.has(pod.id) else ():
            for repository, image, decides in images_of(estates.aws, str(container.get("image", ""))):
                if builder.has(repository):
                    how = f"it runs {image}, a tag that may be moved"
                    state = State.UNKNOWN if decides else State.YES
                    where = (pod.because(container, "image"),)
                    builder.edge(Edge(repository, pod.id, "loaded-by", how, where, state, decides))
