"""The linker between Google Cloud, Azure, AWS and clusters: tokens of one that are taken for a principal of another.

Source: GKE, "Workload Identity Federation for GKE"; Azure, "Use Microsoft Entra Workload ID with AKS"; Google Cloud
IAM, "Workload Identity Federation with other clouds"; AWS, "OIDC federation" (accounts.google.com).
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.crossing_azure import link_azure_tokens
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.gcp.federation import becomes, pooled, providers_of
from assaymark.assess.gcp.names import account_name, gke_member
from assaymark.assess.unresolved import HOLE, Unresolved
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.gcp import Provider
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.files import Reading
    from assaymark.assess.gcp.federation import Pooled
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_GCP_ACCOUNT: Final = "iam.gke.io/gcp-service-account"
_AZURE_CLIENT: Final = "azure.workload.identity/client-id"
_SUBJECT: Final = "system:serviceaccount:"
_ACCOUNT_NODE: Final = re.compile(r"k8s:(?:[^/]*:)?([^/:]+)/serviceaccount/(.+)")
_AZURE_ISSUER: Final = re.compile(r"(?:sts\.windows\.net|login\.microsoftonline\.com)/([^/]+)(?:/v2\.0)?")
_CLUSTERS: Final = (("container:cluster", "gcp"), ("microsoft.containerservice/managedclusters", "azure"))


def link_clouds(estates: Estates, builder: Builder, reading: Reading) -> None:
    """Draws what leads between these platforms."""
    accounts = _accounts(estates, builder)
    _gke(estates, builder, reading, accounts)
    _issuers(estates, builder, accounts)
    _annotated(estates, builder, reading, accounts)
    link_azure_tokens(estates, builder)
    _of_other_clouds(estates, builder)
    _clusters(estates, builder)


def _accounts(estates: Estates, builder: Builder) -> dict[tuple[str, str], tuple[str, Object | None]]:
    """Service accounts of clusters: namespace and name, to node and object (None when only pods name it)."""
    found: dict[tuple[str, str], tuple[str, Object | None]] = {}
    objects = {one.id: one for one in estates.kubernetes.of("ServiceAccount")}
    for identifier in builder.ids():
        match = _ACCOUNT_NODE.fullmatch(identifier)
        if match:
            found[match[1], match[2]] = (identifier, objects.get(identifier))
    return found


def _edge(
    builder: Builder,
    source: str,
    target: str,
    how: str,
    because: tuple[Because, ...],
    decides: tuple[str, ...] = (),
    relation: str = "federates",
    effort: int = 1,
) -> None:
    if builder.has(source) and builder.has(target) and because:
        state = State.UNKNOWN if decides else State.YES
        builder.edge(Edge(source, target, relation, how, tuple(dict.fromkeys(because)), state, decides, effort))


def _annotation(one: Object | None, key: str) -> str:
    return one.labels("annotations").get(key, "") if one else ""


def _place(one: Object | None) -> tuple[Because, ...]:
    return (one.because(one.metadata, "annotations"),) if one else ()


# Google Cloud


def _gke(
    estates: Estates, builder: Builder, reading: Reading, accounts: dict[tuple[str, str], tuple[str, Object | None]]
) -> None:
    """Members that are service accounts of a project's clusters, ``PROJECT.svc.id.goog[namespace/account]``."""
    estate = estates.gcp
    emails = {_annotation(one, _GCP_ACCOUNT) for _, one in accounts.values()} - {""}
    lines: dict[str, Because] = {}
    confirmed: set[str] = set()
    for binding in estate.bindings:
        for member in binding.members:
            pool = _pool_of(member)
            if pool:
                lines.setdefault(member, binding.because)
                if any(account_name(estate, email) == binding.resource for email in emails):
                    confirmed.add(pool)
    for member, because in sorted(lines.items()):
        pool = _pool_of(member)
        decides = () if pool in confirmed else (f"the cluster of these manifests is one of the project {pool}",)
        for (namespace, name), (node, one) in sorted(accounts.items()):
            if _is_member(member, namespace, name):
                how = "tokens of the account count as this member of the project's identity pool"
                _edge(builder, node, member, how, (*_place(one), because), decides, effort=0)
    for (namespace, name), (_, one) in sorted(accounts.items()):
        email = _annotation(one, _GCP_ACCOUNT)
        if email and estate.bindings and not any(_is_member(member, namespace, name) for member in lines):
            reading.gap(f"{namespace}/{name} names {email}, which no binding of the input lets it impersonate")


def _pool_of(member: str) -> str:
    """The project of a member that is of a cluster; empty for another one."""
    known = gke_member(member)
    if known:
        return known[0]
    selected = pooled(member)
    return selected.pool.removesuffix(".svc.id.goog") if selected and selected.pool.endswith(".svc.id.goog") else ""


def _is_member(member: str, namespace: str, name: str) -> bool:
    known = gke_member(member)
    if known:
        return known[1:] == (namespace, name)
    selected = pooled(member)
    if selected is None:
        return False
    if selected.attribute == "google.subject":
        return selected.value == f"ns/{namespace}/sa/{name}"
    if selected.attribute == "namespace":
        return selected.value == namespace
    return selected.attribute in ("*", "kubernetes.cluster")


# issuers of clusters


def _issuers(estates: Estates, builder: Builder, accounts: dict[tuple[str, str], tuple[str, Object | None]]) -> None:
    """Service accounts whose tokens a federated credential or a pool trusts by issuer and subject."""
    clients = {one.client: one.id for one in estates.azure.principals.values() if one.client}
    confirmed = set()
    for credential in estates.azure.federated:
        owner = estates.azure.aliases.get(credential.owner, credential.owner)
        for (namespace, name), (_, one) in accounts.items():
            annotated = clients.get(_annotation(one, _AZURE_CLIENT).lower())
            if annotated == owner and credential.subject == f"{_SUBJECT}{namespace}:{name}":
                confirmed.add(credential.issuer)
    trusted = {one.issuer for one in estates.azure.federated}
    trusted |= {one.issuer for one in estates.gcp.providers.values() if one.kind == "oidc"}
    for node in [one for one in builder.ids() if one.startswith("oidc:") and _SUBJECT in one]:
        issuer, _, subject = node.removeprefix("oidc:").partition(f":{_SUBJECT}")
        if issuer not in trusted:
            continue  # what AWS alone trusts is drawn to its roles
        namespace, _, name = subject.partition(":")
        decides = (
            () if issuer in confirmed else (f"the cluster of these manifests is the one whose issuer is {issuer}",)
        )
        for key, (account, one) in sorted(accounts.items()):
            if fnmatch.fnmatchcase(f"{key[0]}:{key[1]}", f"{namespace}:{name}"):
                because = _place(one) or _lines(estates, issuer)
                _edge(
                    builder,
                    account,
                    node,
                    "the cluster signs tokens with this subject for it",
                    because,
                    decides,
                    effort=0,
                )


def _lines(estates: Estates, issuer: str) -> tuple[Because, ...]:
    found = [one.because for one in estates.azure.federated if one.issuer == issuer]
    return tuple(found + [one.because for one in estates.gcp.providers.values() if one.issuer == issuer])


def _annotated(
    estates: Estates, builder: Builder, reading: Reading, accounts: dict[tuple[str, str], tuple[str, Object | None]]
) -> None:
    """Annotations of Azure workload identity whose credential the input does not hold."""
    for (namespace, name), (node, one) in sorted(accounts.items()):
        client = _annotation(one, _AZURE_CLIENT).lower()
        if not client or one is None:
            continue
        subject = f"{_SUBJECT}{namespace}:{name}"
        key = estates.azure.aliases.get(client)
        if key is None:
            reading.gap(
                f"the identity {client} of {namespace}/{name} is not in the input; what it may do is not known"
            )
            continue
        held = [one for one in estates.azure.federated if estates.azure.aliases.get(one.owner, one.owner) == key]
        if held and not any(one.subject == subject or one.expression for one in held):
            reading.gap(f"{namespace}/{name} names {client}, none of whose federated credentials has its subject")
        elif not any(credential.subject == subject for credential in estates.azure.federated):
            decides = (f"a federated credential of {client} has the subject {subject}",)
            _edge(builder, node, f"azure:principal:{key}", "the account names this identity", _place(one), decides)


# clouds that trust each other


def _of_other_clouds(estates: Estates, builder: Builder) -> None:
    """Roles of AWS, identities of Azure and service accounts of Google Cloud whose tokens another cloud takes."""
    for member in sorted({one for binding in estates.gcp.bindings for one in binding.members}):
        selected = pooled(member)
        for provider in providers_of(estates.gcp, selected.pool) if selected else ():
            if selected is not None and provider.kind == "aws":
                _from_aws(estates, builder, provider, selected, member)
            elif selected is not None and _AZURE_ISSUER.fullmatch(provider.issuer):
                _from_azure(estates, builder, provider, selected, member)
    for account in estates.gcp.accounts.values():
        for issuer in ("accounts.google.com", "https://accounts.google.com"):
            for subject in {account.unique, account.email} - {""}:
                how = "Google signs tokens with this subject for it"
                _edge(builder, account.name, f"oidc:{issuer}:{subject}", how, (account.because,), effort=0)
    for principal in estates.azure.principals.values():
        for node in builder.ids():
            match = re.fullmatch(r"oidc:(.+):([^:]+)", node)
            if match and _AZURE_ISSUER.fullmatch(match[1].rstrip("/")) and match[2].lower() == principal.id:
                _edge(
                    builder,
                    principal.node,
                    node,
                    "Entra ID signs tokens with this subject for it",
                    (principal.because,),
                    effort=0,
                )


def _from_aws(estates: Estates, builder: Builder, provider: Provider, selected: Pooled, member: str) -> None:
    """Roles and users whose signed ``GetCallerIdentity`` the pool takes, as what its mapping makes of their ARNs."""
    account = provider.issuer
    for arn, identity in sorted(estates.aws.identities.items()):
        if identity.kind not in ("role", "user") or identity.account not in (account, UNKNOWN_ACCOUNT):
            continue
        own = arn.replace(f":{UNKNOWN_ACCOUNT}:", f":{account}:")
        if identity.kind == "role":  # the last part is the session's name
            session = f"arn:aws:sts::{account}:assumed-role/{identity.name}/"
            own = Unresolved(f"{session}SESSION", session + HOLE)
        answer = becomes(selected, provider, {"arn": own, "account": account})
        if answer.state is not State.NO:
            unsure = (f"the {identity.kind} {identity.name} is one of account {account}",)
            decides = (*answer.decides, *(unsure if identity.account != account else ()))
            how = "the pool takes requests that it signs with its credentials"
            _edge(builder, arn, member, how, (provider.because, identity.because), decides)


def _from_azure(estates: Estates, builder: Builder, provider: Provider, selected: Pooled, member: str) -> None:
    match = _AZURE_ISSUER.fullmatch(provider.issuer)
    tenant = match[1] if match else ""
    for principal in estates.azure.principals.values():
        if principal.kind not in ("managed-identity", "service-principal"):
            continue
        named = selected.value.lower() == principal.id
        wanted = selected._replace(value=principal.id) if named else selected
        answer = becomes(wanted, provider, {"sub": principal.id, "oid": principal.id, "tid": tenant})
        if answer.state is not State.NO:
            decides = (*answer.decides, *(() if named else (f"{principal.name} is of the tenant {tenant}",)))
            _edge(
                builder,
                principal.node,
                member,
                "the pool takes its tokens",
                (provider.because, principal.because),
                decides,
            )


# clusters and what they are of


def _clusters(estates: Estates, builder: Builder) -> None:
    """Who controls the managed cluster controls what its manifests declare, where it is this cluster's."""
    if not builder.has("k8s:administrator"):
        return
    found: list[tuple[str, Because]] = [
        *((one.name, one.because) for one in estates.gcp.resources.values() if one.kind == "container:cluster"),
        *((one.id, one.because) for one in estates.azure.resources.values() if one.kind == _CLUSTERS[1][0]),
    ]
    for name, because in sorted(found):
        decides = (f"the manifests are those of the cluster {name.rpartition('/')[2]}",)
        _edge(
            builder,
            name,
            "k8s:administrator",
            "its credentials are those of the cluster",
            (because,),
            decides,
            "administers",
            0,
        )
