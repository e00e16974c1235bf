"""What code calls of Google Cloud, as needs: what the methods of its client libraries ask for, and where.

What the source does not spell out is cut to what the old bindings allow, so that a need from code never asks for more
than there was. Sources: Cloud Storage, "IAM permissions for client libraries"; Secret Manager and Pub/Sub, "Access
control with IAM".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.gcp.places import place_of
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import CloudCall
    from assaymark.assess.gcp.evaluate import Access

_REPLACE: Final = ("objects.create", "objects.delete")  # who writes over an object deletes the one before
_GET: Final = ("objects.get",)
_NOTHING: Final = (
    *("bucket", "bucket.blob", "bucket.path", "blob.path", "batch", "close", "bucket.get_logging"),
    *("publisher.topic_path", "subscriber.subscription_path", "subscriber.topic_path", "publisher.stop"),
    *("secret_path", "secret_version_path", "subscriber.close", "common_project_path"),
)
_READS: Final = ("as_bytes", "as_string", "as_text", "to_file", "to_filename")
_WRITES: Final = ("from_file", "from_filename", "from_string")
# Service and method to the rest of the permissions.
_METHODS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "storage": {
        **dict.fromkeys(("get_bucket", "lookup_bucket", "bucket.exists", "bucket.reload"), ("buckets.get",)),
        **dict.fromkeys(("create_bucket", "bucket.create"), ("buckets.create",)),
        **dict.fromkeys(("bucket.patch", "bucket.update"), ("buckets.get", "buckets.update")),
        "bucket.delete": ("buckets.delete",),
        "list_buckets": ("buckets.list",),
        **dict.fromkeys(("list_blobs", "bucket.list_blobs"), ("objects.list",)),
        **dict.fromkeys(("bucket.get_blob", "blob.exists", "blob.reload"), _GET),
        **dict.fromkeys(("download_blob_to_file", *(f"blob.download_{one}" for one in _READS)), _GET),
        **dict.fromkeys((f"blob.upload_{one}" for one in _WRITES), _REPLACE),
        **dict.fromkeys(
            ("blob.open", "blob.rewrite", "blob.compose", "bucket.copy_blob", "bucket.rename_blob"),
            (*_GET, *_REPLACE),
        ),
        **dict.fromkeys(("blob.delete", "bucket.delete_blob", "bucket.delete_blobs"), ("objects.delete",)),
        **dict.fromkeys(("blob.patch", "blob.update"), (*_GET, "objects.update")),
    },
    "secretmanager": {
        "access_secret_version": ("versions.access",),
        "add_secret_version": ("versions.add",),
        "get_secret_version": ("versions.get",),
        "list_secret_versions": ("versions.list",),
        "create_secret": ("secrets.create",),
        "get_secret": ("secrets.get",),
        "list_secrets": ("secrets.list",),
        "delete_secret": ("secrets.delete",),
    },
    "pubsub": {
        "publisher.publish": ("topics.publish",),
        "publisher.get_topic": ("topics.get",),
        **dict.fromkeys(
            (
                f"subscriber.{one}"
                for one in ("subscribe", "pull", "streaming_pull", "acknowledge", "modify_ack_deadline")
            ),
            ("subscriptions.consume",),
        ),
        "subscriber.get_subscription": ("subscriptions.get",),
    },
    "bigquery": {
        **dict.fromkeys(("get_table",), ("tables.get",)),
        "list_rows": ("tables.get", "tables.getData"),
        "list_tables": ("tables.list",),
        "get_dataset": ("datasets.get",),
        **dict.fromkeys(("insert_rows", "insert_rows_json"), ("tables.get", "tables.updateData")),
    },
}
# What nobody writes a call for: what the platform's agents and libraries do as the account.
IMPLIED: Final = (
    *("logging.logEntries.create", "monitoring.timeSeries.create", "cloudtrace.traces.patch"),
    *("artifactregistry.repositories.downloadArtifacts", "serviceusage.services.use"),
)
_NAMES: Final = ("name", "parent", "topic", "subscription", "table", "dataset", "0")


def needed(call: CloudCall, access: Access, member: str) -> set[tuple[str, str]]:
    """Pairs of permission and place that a call needs, as far as the old bindings allow it; itself where not.

    A permission that ends in a star stands for those of a service that no table speaks of.
    """
    if call.operation in _NOTHING:
        return set()
    parts = _METHODS.get(call.service, {}).get(call.operation)
    if parts is None:
        return set(_everything(call.service, access, member))
    found = set()
    place = _place(call, access)
    for part in parts:
        permission = f"{call.service}.{part}"
        some = set(_narrowed(permission, place, access, member))
        found |= some or {(permission, place or "*")}
    return found


def implied(access: Access, member: str) -> set[tuple[str, str]]:
    """What the old bindings allow of that for which no call is written."""
    return {pair for one in IMPLIED for pair in _narrowed(one, "", access, member)}


def _place(call: CloudCall, access: Access) -> str:
    """What a call names; empty where the source does not spell it out."""
    if call.service == "storage":
        name = call.parameters.get("bucket", call.parameters.get("0", "*") if "." not in call.operation else "*")
        return f"//storage.googleapis.com/{name}" if name and not {"*", "/"} & set(name) else ""
    named = [call.parameters[one] for one in _NAMES if one in call.parameters]
    text = next((one for one in named if one.startswith("projects/")), "")
    kept = "/".join(part for part in text.split("/"))
    place = place_of(access.estate, kept, call.service) if text else ""
    return "" if "*" in place else place


def _narrowed(permission: str, place: str, access: Access, member: str) -> Iterator[tuple[str, str]]:
    for above, held in access.held(member).items():
        for binding, _ in held:
            if access.roles.has(binding.role, permission) is not State.YES:
                continue
            if not place or place in access.chain(above):
                yield permission, above
            elif above in access.chain(place):
                yield permission, place


def _everything(service: str, access: Access, member: str) -> Iterator[tuple[str, str]]:
    """All that the old bindings are known to allow of a service, and a star where they may allow more."""
    for place, held in access.held(member).items():
        for binding, _ in held:
            permissions, whole = access.roles.permissions(binding.role)
            some = [one for one in permissions if one.startswith(f"{service}.")]
            yield from ((one, place) for one in some)
            if some and not whole:
                yield f"{service}.*", place
