"""Patches of Terraform for Azure and Google Cloud: keys, networks, and what everyone may read or call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.patches.terraform import changed, first_of, found_at, setting
from assaymark.assess.terraform.declared import block_of, declared
from assaymark.assess.unresolved import Unresolved
from assaymark.formats.hcl.tree import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.patch import Patch, Place
    from assaymark.assess.terraform.written import Written
    from assaymark.formats.hcl.tree import Block

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]

_EVERYONE: Final = ("allUsers", "allAuthenticatedUsers")
_KEYS: Final = "answer identities alone, no keys"


def _vault(place: Place) -> Iterator[Patch]:
    """A vault that refuses other networks, where some of its own are named: without any it would refuse everyone."""
    for resource in found_at(place, "azurerm_key_vault"):
        rules = resource.blocks("network_acls")
        named = any(one.get("ip_rules") or one.get("virtual_network_subnet_ids") for one in rules)
        private = any(
            resource.address in str(inner.get("private_connection_resource_id"))
            or (
                isinstance(known := inner.get("private_connection_resource_id"), str) and known == resource.text("id")
            )
            for one in declared(place.estates).by_kind["azurerm_private_endpoint"]
            for inner in one.blocks("private_service_connection")
        )
        if not named and not private:
            return
        title = "answer the networks that are named and no others"
        if rules:
            yield from changed(resource, {"network_acls.default_action": '"Deny"'}, title)
            continue
        shown = block_of(resource)
        lines = ["network_acls {", '  bypass         = "AzureServices"', '  default_action = "Deny"', "}"]
        change = shown[0].added(shown[1], lines) if shown is not None else None
        if shown is not None and change is not None:
            yield from shown[0].text.replaced([change], title)


def _public(estates: Estates) -> dict[str, set[tuple[str, int]]]:
    """What bindings give everyone, and where those are written."""
    found: dict[str, set[tuple[str, int]]] | None = estates.indexes.get("public")
    if found is None:
        found = {}
        for one in estates.gcp.bindings:
            if not set(_EVERYONE).isdisjoint(one.members):
                found.setdefault(one.resource, set()).add((one.because.path, one.because.line))
        estates.indexes["public"] = found
    return found


def _prevention(place: Place) -> Iterator[Patch]:
    """Prevention for a bucket that the input gives nobody in public; else the binding is taken away first."""
    for resource in found_at(place, "google_storage_bucket"):
        if place.finding.name not in _public(place.estates):
            yield from changed(
                resource, {"public_access_prevention": '"enforced"'}, "let nobody make the bucket public"
            )


def _everyone(place: Place) -> Iterator[Patch]:
    """A binding of Google Cloud without everyone: the resource goes, or its member."""
    title = "take everyone's access away"
    index = declared(place.estates)
    done = set()
    places = {(one.path, one.line or 0) for one in place.finding.locations}
    places |= _public(place.estates).get(place.finding.name, set())
    for here in sorted(places):
        for resource in index.by_line[here]:
            shown = block_of(resource)
            if shown is None or id(shown[1]) in done or "_iam_" not in resource.kind:
                continue
            done.add(id(shown[1]))
            file, block = shown
            if resource.kind.endswith("_member") and resource.values.get("member") in _EVERYONE:
                if isinstance(block.body.attributes.get("member"), Literal):
                    yield from _gone(file, block, title)
            elif resource.kind.endswith("_binding"):
                yield from _fewer(file, block, title)


def _fewer(file: Written, block: Block, title: str) -> Iterator[Patch]:
    """A list of members without everyone; the whole block when nobody is left."""
    value = block.body.attributes.get("members")
    items = list(getattr(value, "items", ()))
    left = [one for one in items if not (isinstance(one, Literal) and one.value in _EVERYONE)]
    if value is None or len(left) == len(items):
        return
    if not left:
        yield from _gone(file, block, title)
        return
    new = f"[{', '.join(file.source(one) for one in left)}]"
    yield from file.text.replaced([(*file.spans[id(value)], new)], title)


def _gone(file: Written, block: Block, title: str) -> Iterator[Patch]:
    """A block taken away, with the empty line before it when there is one; not one that shares its lines."""
    first, last = block.line, file.last_line(block)
    lines = file.text.lines
    if not lines[first - 1].lstrip().startswith(block.kind) or not lines[last - 1].rstrip().endswith("}"):
        return
    if first > 1 and not lines[first - 2].strip() and (last >= len(lines) or not lines[last].strip()):
        first -= 1
    yield file.text.without(first, last, title)


def _pool_condition(place: Place) -> Iterator[Patch]:
    """The repositories that bindings name, as the provider's own condition."""
    for resource in found_at(place, "google_iam_workload_identity_pool_provider"):
        provider = place.estates.gcp.providers.get(place.finding.name)
        if provider is None or provider.mapping.get("attribute.repository") != "assertion.repository":
            return
        pool = provider.pool.rpartition("/")[2]
        members = [
            member
            for binding in place.estates.gcp.bindings
            for member in binding.members
            if f"workloadIdentityPools/{pool}/" in member
        ]
        marks = [re.fullmatch(r".*/attribute\.repository/([\w.-]+/[\w.-]+)", one) for one in members]
        names = sorted({mark[1] for mark in marks if mark is not None})
        if not names or not all(marks) or any(isinstance(one, Unresolved) for one in members):
            return
        listed = ", ".join(f"'{name}'" for name in names)
        condition = f'"assertion.repository in [{listed}]"'
        title = "take tokens of the repositories that bindings name, and no others"
        yield from changed(resource, {"attribute_condition": condition}, title)


def _over_tls(place: Place) -> Iterator[Patch]:
    """The setting that a finding about plain text names, by the name that is written or that today's provider has."""
    address, _, named = place.finding.name.partition("#")
    for resource in declared(place.estates).by_address[address]:
        for kind, (ours, theirs), value in _TLS:
            if resource.kind == kind and resource.file.path == place.path and named in ours:
                written = next((one for one in theirs if resource.values.get(one) is not None), theirs[0])
                yield from changed(resource, {written: value}, "take connections over TLS alone")


_SECURE: Final = (("supportsHttpsTrafficOnly",), ("https_traffic_only_enabled", "enable_https_traffic_only"))
_SITE: Final = (("httpsOnly",), ("https_only",))
_TLS: Final[tuple[tuple[str, tuple[tuple[str, ...], tuple[str, ...]], str], ...]] = (
    ("azurerm_storage_account", _SECURE, "true"),
    ("azurerm_storage_account", (("minimumTlsVersion",), ("min_tls_version",)), '"TLS1_2"'),
    (
        "azurerm_redis_cache",
        (("enableNonSslPort",), ("non_ssl_port_enabled", "enable_non_ssl_port")),
        "false",
    ),
    ("azurerm_redis_cache", (("minimumTlsVersion",), ("minimum_tls_version",)), '"1.2"'),
    *(
        (f"azurerm_{kind}", _SITE, "true")
        for kind in (
            *("linux_web_app", "windows_web_app", "app_service", "function_app"),
            *("linux_function_app", "windows_function_app", "linux_web_app_slot"),
        )
    ),
    ("azurerm_mssql_server", (("minimalTlsVersion",), ("minimum_tls_version",)), '"1.2"'),
    *(
        (f"azurerm_{kind}_server", (("sslEnforcement",), ("ssl_enforcement_enabled",)), "true")
        for kind in ("postgresql", "mysql", "mariadb")
    ),
    *(
        (f"azurerm_{kind}_flexible_server_configuration", (("value",), ("value",)), '"on"')
        for kind in ("postgresql", "mysql")
    ),
    ("aws_elasticache_replication_group", (("transit_encryption_enabled",), ("transit_encryption_enabled",)), "true"),
    ("aws_memorydb_cluster", (("tls_enabled",), ("tls_enabled",)), "true"),
    (
        "aws_msk_cluster",
        (
            ("encryption_info.encryption_in_transit.client_broker",),
            ("encryption_info.encryption_in_transit.client_broker",),
        ),
        '"TLS"',
    ),
    *(
        (
            kind,
            (("domain_endpoint_options.enforce_https",), ("domain_endpoint_options.enforce_https",)),
            "true",
        )
        for kind in ("aws_opensearch_domain", "aws_elasticsearch_domain")
    ),
    (
        "google_redis_instance",
        (("transit_encryption_mode",), ("transit_encryption_mode",)),
        '"SERVER_AUTHENTICATION"',
    ),
    (
        "google_sql_database_instance",
        (("settings.ip_configuration.ssl_mode",), ("settings.ip_configuration.ssl_mode",)),
        '"ENCRYPTED_ONLY"',
    ),
)
CLOUD_WRITERS: Final[dict[str, Writer]] = {
    "aws-store-plaintext": _over_tls,
    "cloud-database-open": first_of(
        *(
            setting(kind, {"publicly_accessible": "false"}, "give the database no public address")
            for kind in ("aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster")
        )
    ),
    "azure-endpoint-keys": first_of(
        setting("azurerm_cognitive_account", {"local_auth_enabled": "false"}, _KEYS),
        setting("azurerm_search_service", {"local_authentication_enabled": "false"}, _KEYS),
        setting("azurerm_container_registry", {"admin_enabled": "false"}, "turn the admin user off"),
    ),
    "azure-plaintext": _over_tls,
    "azure-public-data": first_of(
        setting("azurerm_storage_container", {"container_access_type": '"private"'}, "let nobody in without a role"),
        setting("azurerm_container_registry", {"anonymous_pull_enabled": "false"}, "let nobody pull without a role"),
    ),
    "azure-storage-shared-key": setting("azurerm_storage_account", {"shared_access_key_enabled": "false"}, _KEYS),
    "azure-vault-public": _vault,
    "gcp-bucket-prevention": _prevention,
    "gcp-federation-condition": _pool_condition,
    "gcp-plaintext": _over_tls,
    "gcp-public-data": _everyone,
    "gcp-public-endpoint": _everyone,
}
