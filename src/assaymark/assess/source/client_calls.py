"""Calls of other client libraries than AWS's in code: of Kubernetes, Google Cloud and Azure.

Followed are clients as they are made, what their methods give (buckets, blobs, containers), and the names that stand
for them. One that is handed on to where it is not followed is said so: operation ``*``. Sources: Kubernetes Python
client, README and API documentation; reference pages of google-cloud-storage, -bigquery, -secret-manager and -pubsub,
of azure-storage-blob, azure-keyvault-secrets and -keys.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import CloudCall
from assaymark.assess.source.cloud_calls import Client, Finder
from assaymark.assess.source.modules import argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.modules import Module, Project

_PACKAGES: Final = ("kubernetes", "kubernetes_asyncio", "google", "azure", "vertexai")
_KUBERNETES: Final = re.compile(r"kubernetes(?:_asyncio)?\.client\.(?:api\.\w+\.)?(\w+Api)")
_OF_ALL: Final = re.compile(r"kubernetes(?:_asyncio)?\.(?:utils\.create_from_\w+|dynamic\.DynamicClient)")
# Who makes clients: platform, service, kind, and the parameters that it is given by place.
_MAKERS: Final[dict[str, tuple[str, str, str, tuple[str, ...]]]] = {
    "google.cloud.storage.Client": ("gcp", "storage", "", ()),
    "google.cloud.bigquery.Client": ("gcp", "bigquery", "", ()),
    "google.cloud.secretmanager.SecretManagerServiceClient": ("gcp", "secretmanager", "", ()),
    "google.cloud.secretmanager_v1.SecretManagerServiceClient": ("gcp", "secretmanager", "", ()),
    "google.cloud.pubsub_v1.PublisherClient": ("gcp", "pubsub", "publisher", ()),
    "google.cloud.pubsub_v1.SubscriberClient": ("gcp", "pubsub", "subscriber", ()),
    "azure.storage.blob.BlobServiceClient": ("azure", "blob", "", ("account_url",)),
    "azure.storage.blob.ContainerClient": ("azure", "blob", "container", ("account_url", "container")),
    "azure.storage.blob.BlobClient": ("azure", "blob", "blob", ("account_url", "container", "blob")),
    "azure.keyvault.secrets.SecretClient": ("azure", "secrets", "", ("vault_url",)),
    "azure.keyvault.keys.KeyClient": ("azure", "keys", "", ("vault_url",)),
    "azure.keyvault.keys.crypto.CryptographyClient": ("azure", "keys", "crypto", ("key",)),
}
# What methods give: service, kind and method to the kind that comes of it, and the parameters by place.
_GIVE: Final[dict[tuple[str, str, str], tuple[str, tuple[str, ...]]]] = {
    **{("storage", "", name): ("bucket", ("bucket",)) for name in ("bucket", "get_bucket", "lookup_bucket")},
    ("storage", "", "create_bucket"): ("bucket", ("bucket",)),
    ("storage", "", "list_blobs"): ("blob", ("bucket",)),
    ("storage", "bucket", "list_blobs"): ("blob", ()),
    ("storage", "bucket", "blob"): ("blob", ("blob",)),
    ("storage", "bucket", "get_blob"): ("blob", ("blob",)),
    ("blob", "", "get_container_client"): ("container", ("container",)),
    ("blob", "", "create_container"): ("container", ("container",)),
    ("blob", "", "get_blob_client"): ("blob", ("container", "blob")),
    ("blob", "container", "get_blob_client"): ("blob", ("blob",)),
    ("blob", "container", "upload_blob"): ("blob", ("blob",)),
}
# Libraries of which any part may ask anything of these services.
_WHOLE: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "google.cloud.aiplatform": ("gcp", ("aiplatform", "storage")),
    "vertexai": ("gcp", ("aiplatform", "storage")),
    "gcsfs": ("gcp", ("storage",)),
    "adlfs": ("azure", ("blob",)),
    "azure.ai.ml": ("azure", ("ml", "blob")),
    "azureml": ("azure", ("ml", "blob")),
}
# What a thing says of itself and asks nobody for.
_PLAIN: Final = frozenset(
    (
        *("name", "size", "updated", "metadata", "id", "content_type", "md5_hash", "generation", "bucket", "path"),
        *("project", "public_url", "time_created", "account_name", "container_name", "blob_name", "url", "vault_url"),
    )
)


def client_calls(module: Module, project: Project) -> Iterator[CloudCall]:
    """The calls of a module, in the order in which they are written."""
    yield from _libraries(module)
    if not module.imports(*_PACKAGES):
        return
    finder = _Finder(module, project)
    followed: set[int] = set()
    for call, _ in module.calls:
        if _OF_ALL.fullmatch(module.meaning(call.func)):
            yield CloudCall("*", "*", {}, module.because(call), "kubernetes")
        yield from finder.watched(call, followed)
        function = call.func
        client = finder.client(function.value) if isinstance(function, ast.Attribute) else None
        if client is None or not isinstance(function, ast.Attribute):
            continue
        followed.add(id(function.value))
        yield finder.said(client, function.attr, call)
    for node in finder.handed_on(followed):
        client = None if finder.is_plain(node) else finder.client(node)
        if client is not None:
            platform, _, service = client.service.partition(":")
            yield CloudCall(service, "*", {}, module.because(node), platform)


def _libraries(module: Module) -> Iterator[CloudCall]:
    for name in sorted(set(module.names.values())):
        for library, (platform, services) in _WHOLE.items():
            if name == library or name.startswith(f"{library}."):
                for service in services:
                    yield CloudCall(service, "*", {}, module.file.because(1), platform)


class _Finder(Finder):
    """What expressions of a module stand for; services are written ``platform:service``."""

    def _assignments(self) -> dict[tuple[int, str], ast.expr]:
        found = super()._assignments()
        for node in ast.walk(self.module.tree):
            if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)) and isinstance(node.target, ast.Name):
                key = (self._function_of(node), node.target.id)
                known = found.setdefault(key, node.iter)
                if known is not node.iter and ast.dump(known) != ast.dump(node.iter):
                    self._ambiguous.add(key)
        return found

    def _made(self, where: Module, node: ast.Call, hops: int) -> Client | None:
        function = node.func
        if isinstance(function, ast.Attribute) and where is self.module:
            holder = self.client(function.value, hops - 1)
            if holder is not None:
                _, _, service = holder.service.partition(":")
                given = _GIVE.get((service, holder.kind, function.attr))
                if given is None:
                    return None
                return Client(holder.service, given[0], holder.parameters | self._by_place(node, given[1]))
        return self._maker(where, node)

    def _maker(self, where: Module, node: ast.Call) -> Client | None:
        name = where.meaning(node.func).replace(".aio.", ".")
        match = _KUBERNETES.fullmatch(name)
        if match is not None:
            return Client(f"kubernetes:{match[1]}")
        made = _MAKERS.get(name)
        if made is None:
            return None
        platform, service, kind, names = made
        return Client(f"{platform}:{service}", kind, self._by_place(node, names))

    def _by_place(self, node: ast.Call, names: tuple[str, ...]) -> dict[str, str]:
        found = {}
        for index, name in enumerate(names):
            value = argument(node, index, name)
            value = value if value is not None else argument(node, index, f"{name}_name")
            found[name] = self.text(value)
        return found

    def said(self, client: Client, method: str, call: ast.Call) -> CloudCall:
        """A call of a method; arguments by place are named by their numbers."""
        given = dict(client.parameters)
        starred = any(isinstance(one, ast.Starred) for one in call.args)
        given |= {str(index): self.text(one) for index, one in enumerate(call.args) if not starred}
        for item in call.keywords:
            if item.arg is not None:
                given[item.arg] = self.text(item.value)
            if item.arg == "request" and isinstance(item.value, ast.Dict):
                given |= {
                    str(key.value): self.text(value)
                    for key, value in zip(item.value.keys, item.value.values, strict=True)
                    if isinstance(key, ast.Constant)
                }
        platform, _, service = client.service.partition(":")
        operation = f"{client.kind}.{method}" if client.kind else method
        return CloudCall(service, operation, given, self.module.because(call), platform)

    def watched(self, call: ast.Call, followed: set[int]) -> Iterator[CloudCall]:
        """``Watch().stream(v1.list_namespaced_pod, "ns")`` and ``stream(v1.connect_…, "pod", "ns")`` call it."""
        name = self.module.meaning(call.func)
        first = call.args[0] if call.args else None
        if not name.endswith("stream") or not isinstance(first, ast.Attribute):
            return
        client = self.client(first.value)
        if client is None or not client.service.startswith("kubernetes:"):
            return
        followed.add(id(first.value))
        rest = ast.Call(call.func, call.args[1:], call.keywords)
        ast.copy_location(rest, call)
        for prefix in ("", "watch:") if first.attr.startswith("list_") else ("",):
            yield self.said(client, f"{prefix}{first.attr}", rest)

    def is_plain(self, node: ast.expr) -> bool:
        """Whether a thing is but asked for what it says of itself, or gone through."""
        above = self._parents.get(id(node))
        if isinstance(above, (ast.comprehension, ast.For, ast.AsyncFor)):
            name = above.target.id if isinstance(above.target, ast.Name) else ""
            return above.iter is node and (self._function_of(above), name) in self._assigned.keys() - self._ambiguous
        return isinstance(above, ast.Attribute) and above.attr in _PLAIN
