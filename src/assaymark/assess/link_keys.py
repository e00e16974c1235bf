"""The linker of keys: whatever holds a long-lived key of a cloud, to the principal or store that the key is of.

Files, Secrets and ConfigMaps of clusters, variables of pods, and what Terraform writes into other resources.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import HeldKey
from assaymark.assess.gcp.names import account_name
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.source.held_keys import account_of, decoded, held_keys
from assaymark.assess.source.placeholders import placeholder
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import texts_in
from assaymark.core.graph import Edge, State
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from assaymark.assess.estate.aws import Identity
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_UNKNOWN_ACCOUNT: Final = "000000000000"
# What is within another thing, by the attribute that names that one.
_VERSIONS: Final = {
    "aws_secretsmanager_secret_version": "secret_id",
    "google_secret_manager_secret_version": "secret",
    "azurerm_key_vault_secret": "key_vault_id",
}
_FEW: Final = 8  # users of an account, any of whom may be whose key it is
_STORAGE: Final = "microsoft.storage/storageaccounts"


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws them. ``now``: signatures that have ended open nothing."""
    run = _Keys(estates, builder, reading, now)
    for secret in estates.source.secrets:
        if secret.key is not None:
            path = secret.because.path
            node = builder.node(f"file:{path}", "file", path, (secret.because,), entry="supply-chain")
            run.draw(node, secret.key, secret.because)
    for node, key, because in (*_in_clusters(estates, builder), *_in_terraform(estates, builder)):
        run.draw(node, key, because)


def _in_clusters(estates: Estates, builder: Builder) -> Iterator[tuple[str, HeldKey, Because]]:
    """Keys in secrets, configuration and variables of clusters, with the node that has each."""
    holding: set[str] = set()
    for one in estates.kubernetes.of("Secret", "ConfigMap"):
        entries: list[tuple[str, str, Because]] = []
        for name in ("data", "stringData"):
            given = one.value.get(name)
            for key, value in given.items() if isinstance(given, Map) else ():
                if isinstance(value, str):
                    coded = one.kind == "Secret" and name == "data" and not isinstance(value, Unresolved)
                    entries.append((key, decoded(value) if coded else value, one.because(given, key)))
        for found, place in _of_entries(entries):
            kind = "secret" if one.kind == "Secret" else "configuration"
            yield builder.node(one.id, kind, f"{one.namespace}/{one.name}", (place,)), found, place
            holding |= {one.id} if one.kind == "ConfigMap" else set()
    for pod in pod_specs(estates.kubernetes):
        for container in pod.containers() if builder.has(pod.id) else ():
            items = [one for one in listed(container.get("env")) if isinstance(one, Map)]
            entries = [
                (one["name"], one["value"], pod.because(one))
                for one in items
                if isinstance(one.get("name"), str) and isinstance(one.get("value"), str)
            ]
            yield from ((pod.id, found, where) for found, where in _of_entries(entries))
        if builder.has(pod.id):
            for name, place in pod.configurations():
                node = f"k8s:{pod.owner.namespace}/configmap/{name}"
                if node in holding:
                    how = "its pods have the configuration as files or variables"
                    builder.edge(Edge(pod.id, node, "mounts", how, (place,), effort=0))


def _of_entries(entries: list[tuple[str, str, Because]]) -> Iterator[tuple[HeldKey, Because]]:
    """Keys of single values, then those that several values make together."""
    seen: set[tuple[str, str]] = set()
    for _, value, place in entries:
        for found in held_keys(value):
            seen.add((found.kind, found.identity))
            yield found, place
    together = "\n".join(f"{name}={value}" for name, value, _ in entries if "\n" not in value)
    for found in held_keys(together):
        if (found.kind, found.identity) not in seen:
            yield found, entries[0][2]


def _in_terraform(estates: Estates, builder: Builder) -> Iterator[tuple[str, HeldKey, Because]]:
    """Keys that resources of Terraform are given, as text or by the attribute of what makes them."""
    for one in estates.terraform:
        node = next((name for name in _ids(one) if builder.has(name)), "")
        if node:
            texts = [(name, text, one.because(name)) for name in one.values for text in texts_in(one.values[name])]
            yield from ((node, found, place) for found, place in (_of_entries(texts) if texts else ()))


def _ids(one: TfResource) -> Iterator[str]:
    """What the node of a resource may be called."""
    named = one.text("id")
    if one.kind in _VERSIONS:
        holder = one.text(_VERSIONS[one.kind])
        yield from (holder, holder.lower(), f"//secretmanager.googleapis.com/{holder}")
    yield from (one.arn, named, named.lower())
    yield from (f"//{service}.googleapis.com/{named}" for service in ("run", "cloudfunctions", "aiplatform"))


class _Keys:
    """Draws whose keys are."""

    def __init__(self, estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
        self.estates, self.builder, self.reading = estates, builder, reading
        self.now = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.written = {
            one.text("id"): (one.text("user"), one.because())
            for one in declared(estates).by_kind["aws_iam_access_key"]
            if one.text("id") and one.values.get("status") != "Inactive"
        }
        self.stores = {one.name.lower(): one for one in estates.azure.resources.values() if one.kind == _STORAGE}

    def draw(self, holder: str, key: HeldKey, place: Because) -> None:
        """The edges of one key."""
        {
            "aws": self._aws,
            "google": self._google,
            "azure-storage": self._store,
            "azure-client": self._client,
            "terraform": self._made,
        }[key.kind](holder, key, place)

    def _edge(
        self, holder: str, target: str, how: str, because: Iterable[Because], decides: tuple[str, ...] = ()
    ) -> None:
        state = State.UNKNOWN if decides else State.YES
        places = tuple(dict.fromkeys(because))
        self.builder.edge(Edge(holder, target, "holds-credential", how, places, state, decides, 0 if decides else 1))

    def _aws(self, holder: str, key: HeldKey, place: Because) -> None:
        """Its owner is listed, or named beside it, or one of an account's users, or nobody knows."""
        estates, builder = self.estates, self.builder
        if key.identity in estates.source.inactive:
            return
        shown = key.identity[:4]
        account = account_of(key.identity)
        users = [one for one in estates.aws.identities.values() if one.kind == "user" and builder.has(one.arn)]
        listed = estates.source.owners.get(key.identity) or self.written.get(key.identity)
        if listed is not None:
            owner = next((one for one in users if listed[0] in (one.name, one.arn)), None)
            if owner is not None:
                self._edge(holder, owner.arn, f"it has the access key {shown}... of {owner.name}", (place, listed[1]))
                return
        possible = [one for one in users if one.account in (account, _UNKNOWN_ACCOUNT) or not account]
        named = [one for one in possible if one.name in key.beside]
        sole = possible if len(possible) == 1 and possible[0].keys else []
        for one in named or sole:
            how = f"it has an access key {shown}..., and {_why(one, named=bool(named))}"
            self._edge(
                holder, one.arn, how, (place, *one.keys), (f"the access key {shown}... belongs to {one.name}",)
            )
        if named or sole or placeholder(key.identity):
            return  # an example's key is nobody's, unless a file says whose
        for one in possible if len(possible) <= _FEW else ():
            text = f"the access key {shown}... belongs to {one.name}"
            self._edge(holder, one.arn, f"it has an access key {shown}... of nobody knows whom", (place,), (text,))
        mark = sha256(key.identity.encode()).hexdigest()[:8]
        boundary = {"cloud": "aws", "account": account} if account else {"cloud": "aws"}
        name = f"the owner of access key {shown}... in account {account or 'unknown'}"
        node = builder.node(f"aws:key:{mark}", "user", name, (place,), boundary=boundary, target="identity")
        self._edge(holder, node, f"it has the access key {shown}...", (place,))
        self.reading.gap(f"whose access key {place.path} holds is not in the input; what it may do is not known")

    def _google(self, holder: str, key: HeldKey, place: Because) -> None:
        project = key.identity.partition("@")[2].removesuffix(".iam.gserviceaccount.com")
        node = account_name(self.estates.gcp, key.identity)
        boundary = {"cloud": "gcp", "account": project}
        self.builder.node(node, "service-account", key.identity, (place,), boundary=boundary, target="identity")
        self._edge(holder, node, f"it has a private key of {key.identity}", (place,))

    def _store(self, holder: str, key: HeldKey, place: Because) -> None:
        """The shared key of a storage account, or what one signed: it opens the account while it takes such keys."""
        builder = self.builder
        if key.until and key.until < self.now:
            return
        store = self.stores.get(key.identity)
        if store is not None and store.settings.get("shared_key") is False and not key.delegated:
            return
        whole = key.rights == ("reads", "writes") and not key.until and not key.decides
        mark = "key" if whole else "signature"
        name = f"{'shared access signature' if mark == 'signature' else 'account key'} of {key.identity}"
        boundary = dict(builder.boundary(store.id)) if store is not None and builder.has(store.id) else {}
        found = f"azure:storage-{mark}:{key.identity}" + (
            "" if mark == "key" else f":{'+'.join(key.rights)}{':unsure' * bool(key.decides)}"
        )
        more = {} if boundary else {"target": "identity"}
        builder.node(found, "credential", name, (place,), boundary=boundary or {"cloud": "azure"}, **more)
        self._edge(holder, found, f"it has the {name}", (place,))
        if store is not None and builder.has(store.id):
            for relation in key.rights:
                how = "the account takes shared keys" + (" and what they sign" if mark == "signature" else "")
                how = "the account takes what its users sign" if key.delegated else how
                state, effort = (State.UNKNOWN, 1) if key.decides else (State.YES, 0)
                builder.edge(Edge(found, store.id, relation, how, (store.because,), state, key.decides, effort))
        else:
            self.reading.gap(f"the storage account {key.identity}, whose key {place.path} holds, is not in the input")

    def _client(self, holder: str, key: HeldKey, place: Because) -> None:
        owner = self.estates.azure.aliases.get(key.identity)
        node = f"azure:principal:{owner}" if owner else f"azure:client:{key.identity}"
        if not self.builder.has(node):
            name = f"the application {key.identity}"
            self.builder.node(
                node, "service-principal", name, (place,), boundary={"cloud": "azure"}, target="identity"
            )
            self.reading.gap(f"the application {key.identity}, whose secret {place.path} holds, is not in the input")
        self._edge(holder, node, f"it has a client secret of {self.builder.known(node).name}", (place,))

    def _made(self, holder: str, key: HeldKey, place: Because) -> None:
        """What a resource of Terraform makes, in another that it is written into."""
        for one in declared(self.estates).by_address.get(key.identity, ()):
            because = (place, one.because())
            kind = one.kind
            if kind == "azurerm_storage_account":
                self._store(holder, HeldKey("azure-storage", one.text("name").lower()), place)
                continue
            target = self._owner(one)
            if target and self.builder.has(target) and target != holder:
                name = self.builder.known(target).name
                self._edge(holder, target, f"Terraform writes a key of {name} into it", because)

    def _owner(self, one: TfResource) -> str:
        """The node of the principal whose key a resource makes; empty when it is not known."""
        if one.kind == "aws_iam_access_key":
            name = one.text("user")
            users = [
                who.arn for who in self.estates.aws.identities.values() if who.kind == "user" and who.name == name
            ]
            return users[0] if len(users) == 1 else ""
        if one.kind == "google_service_account_key":
            email = one.text("service_account_id").rpartition("/")[2]
            return account_name(self.estates.gcp, email) if email else ""
        for name in ("service_principal_id", "application_id", "application_object_id"):
            alias = self._client_of(one.text(name).lower().rpartition("/")[2])
            owner = self.estates.azure.aliases.get(alias, alias)
            if alias and self.builder.has(f"azure:principal:{owner}"):
                return f"azure:principal:{owner}"
        return ""

    def _client_of(self, identifier: str) -> str:
        """The client id of the application whose object id it is; else itself."""
        for kind in ("azuread_application", "azuread_application_registration"):
            for one in declared(self.estates).by_kind[kind] if identifier else ():
                if identifier in (one.text("object_id").lower(), one.text("id").lower().rpartition("/")[2]):
                    return one.text("client_id").lower()
        return identifier


def _why(user: Identity, *, named: bool) -> str:
    return f"names {user.name} beside it" if named else f"{user.name} is the only user of its account"
