"""What answers without TLS in AWS, Azure and Google Cloud: stores, caches, databases, queues, sites, proxies.

Each test is a setting by the names that the API, the command line and Terraform's provider give it, and the values
with which plain text (or a version of TLS that is broken) is taken. What is not written counts where the platform's
documentation gives the default, and then mildly. Sources: Azure Resource Manager template reference; Microsoft
documentation, "Require secure transfer to ensure secure connections"; Google Cloud documentation, "Configure SSL/TLS
certificates" (Cloud SQL) and "About in-transit encryption" (Memorystore); the providers' reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.rule import AssessRule, found
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.core.report import Severity
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.rule import Seen
    from assaymark.core.graph import Because
    from assaymark.core.report import Finding

_REFS: Final = ("AML.T0025", "AML.M0012", "CWE-319")
AZURE: Final = AssessRule(
    "azure-plaintext",
    Severity.MEDIUM,
    "A store, cache, database or site of Azure that takes connections without TLS",
    "transport",
    _REFS,
)
GCP: Final = AssessRule(
    "gcp-plaintext",
    Severity.MEDIUM,
    "A database, cache or load balancer of Google Cloud that takes connections without TLS",
    "transport",
    _REFS,
)
AWS: Final = AssessRule(
    "aws-store-plaintext",
    Severity.MEDIUM,
    "A cache, database, queue or search of AWS that takes connections without TLS",
    "transport",
    _REFS,
)
RULES: Final = (AWS, AZURE, GCP)


@dataclass(frozen=True, slots=True)
class _Test:
    """``names``: the setting, dots between blocks. ``bad``: values, in any case; ``default``: when unset."""

    names: tuple[str, ...]
    bad: tuple[object, ...]
    words: str
    default: object = None


_OLD_TLS: Final = ("tls1_0", "tls1_1", "1.0", "1.1", "tls10", "tls11")
_STORAGE: Final = (
    _Test(
        (
            "supportsHttpsTrafficOnly",
            "enableHttpsTrafficOnly",
            "https_traffic_only_enabled",
            "enable_https_traffic_only",
        ),
        (False,),
        "takes requests without TLS",
    ),
    _Test(("minimumTlsVersion", "min_tls_version"), _OLD_TLS, "takes versions of TLS that are broken"),
)
_REDIS: Final = (
    _Test(
        ("enableNonSslPort", "non_ssl_port_enabled", "enable_non_ssl_port"),
        (True,),
        "answers on its port without TLS",
    ),
    _Test(("minimumTlsVersion", "minimum_tls_version"), _OLD_TLS, "takes versions of TLS that are broken"),
)
_SITE: Final = (_Test(("httpsOnly", "https_only"), (False,), "answers plain HTTP", False),)
_SERVER: Final = (
    _Test(("sslEnforcement", "ssl_enforcement_enabled"), (False, "disabled"), "takes connections without TLS"),
)
_APP: Final = (
    _Test(
        ("configuration.ingress.allowInsecure", "ingress.allow_insecure_connections"), (True,), "answers plain HTTP"
    ),
)
_PARAMETER: Final = (_Test(("value",), ("off",), "takes connections without TLS"),)
_AZURE_SQL: Final = (
    _Test(
        ("minimalTlsVersion", "minimum_tls_version"),
        ("1.0", "1.1", "disabled", "none"),
        "takes versions of TLS that are broken",
    ),
)
_PROTOCOL: Final = (_Test(("clientProtocol", "client_protocol"), ("plaintext",), "takes connections without TLS"),)
_CLOUD_SQL: Final = (
    _Test(
        ("settings.ip_configuration.ssl_mode", "settings.ipConfiguration.sslMode"),
        ("allow_unencrypted_and_encrypted",),
        "takes connections without TLS",
        "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
    ),
)
_MEMORYSTORE: Final = (
    _Test(
        ("transit_encryption_mode", "transitEncryptionMode"),
        ("disabled",),
        "takes connections without TLS",
        "DISABLED",
    ),
)
_CLUSTER: Final = (
    _Test(
        ("transit_encryption_mode",),
        ("transit_encryption_mode_disabled", "transit_encryption_disabled"),
        "takes connections without TLS",
        "TRANSIT_ENCRYPTION_MODE_DISABLED",
    ),
)
_ELASTICACHE: Final = (
    _Test(("transit_encryption_enabled",), (False,), "takes connections without TLS", False),
    _Test(("transit_encryption_mode",), ("preferred",), "takes connections without TLS too"),
)
_KAFKA: Final = (
    _Test(
        ("encryption_info.encryption_in_transit.client_broker",),
        ("plaintext", "tls_plaintext"),
        "takes connections without TLS",
    ),
    _Test(("encryption_info.encryption_in_transit.in_cluster",), (False,), "copies between its brokers without TLS"),
)
_SEARCH: Final = (
    _Test(("domain_endpoint_options.enforce_https",), (False,), "answers plain HTTP", False),
    _Test(("node_to_node_encryption.enabled",), (False,), "talks between its nodes without TLS"),
)
_MEMORYDB: Final = (_Test(("tls_enabled",), (False,), "takes connections without TLS"),)
_NAMED: Final = ("name", "replication_group_id", "cluster_name", "domain_name")
_AWS_PARAMETERS: Final = {  # of a group, in which 0 or the word lets plain text in
    "rds.force_ssl": "0",
    "require_ssl": "false",
    "require_secure_transport": "off",
    "tls": "disabled",
}
_GROUPS_OF: Final = (
    *("aws_db_parameter_group", "aws_rds_cluster_parameter_group", "aws_redshift_parameter_group"),
    "aws_docdb_cluster_parameter_group",
)
_EXPORTED: Final[dict[str, tuple[_Test, ...]]] = {
    "microsoft.storage/storageaccounts": _STORAGE,
    "microsoft.cache/redis": _REDIS,
    "microsoft.web/sites": _SITE,
    "microsoft.web/sites/slots": _SITE,
    "microsoft.dbforpostgresql/servers": _SERVER,
    "microsoft.dbformysql/servers": _SERVER,
    "microsoft.app/containerapps": _APP,
    "microsoft.sql/servers": _AZURE_SQL,
    "microsoft.dbforpostgresql/flexibleservers/configurations": _PARAMETER,
    "microsoft.dbformysql/flexibleservers/configurations": _PARAMETER,
    "microsoft.cache/redisenterprise/databases": _PROTOCOL,
}
# Of what gcloud and the asset inventory list: what is not in an answer of theirs is not known.
_LISTED: Final[dict[str, tuple[str, tuple[_Test, ...]]]] = {
    "sql:instance": ("database instance", _CLOUD_SQL),
    "redis:instance": ("cache", _MEMORYSTORE),
}
_DECLARED: Final[dict[str, tuple[AssessRule, str, tuple[_Test, ...]]]] = {
    "azurerm_storage_account": (AZURE, "storage account", _STORAGE),
    "azurerm_redis_cache": (AZURE, "cache", _REDIS),
    **dict.fromkeys(
        (
            *("azurerm_linux_web_app", "azurerm_windows_web_app", "azurerm_app_service", "azurerm_function_app"),
            *("azurerm_linux_function_app", "azurerm_windows_function_app", "azurerm_linux_web_app_slot"),
        ),
        (AZURE, "site", _SITE),
    ),
    "azurerm_postgresql_server": (AZURE, "database server", _SERVER),
    "azurerm_mysql_server": (AZURE, "database server", _SERVER),
    "azurerm_mariadb_server": (AZURE, "database server", _SERVER),
    "azurerm_mssql_server": (AZURE, "database server", _AZURE_SQL),
    "azurerm_container_app": (AZURE, "container app", _APP),
    "azurerm_postgresql_flexible_server_configuration": (AZURE, "database server", _PARAMETER),
    "azurerm_mysql_flexible_server_configuration": (AZURE, "database server", _PARAMETER),
    "aws_elasticache_replication_group": (AWS, "cache", _ELASTICACHE),
    "aws_memorydb_cluster": (AWS, "cache", _MEMORYDB),
    "aws_msk_cluster": (AWS, "queue", _KAFKA),
    "aws_opensearch_domain": (AWS, "search", _SEARCH),
    "aws_elasticsearch_domain": (AWS, "search", _SEARCH),
    "google_sql_database_instance": (GCP, "database instance", _CLOUD_SQL),
    "google_redis_instance": (GCP, "cache", _MEMORYSTORE),
    "google_redis_cluster": (GCP, "cache", _CLUSTER),
    "google_memorystore_instance": (GCP, "cache", _CLUSTER),
    "azurerm_redis_enterprise_database": (AZURE, "cache", _PROTOCOL),
}
_PARAMETERS: Final = ("require_secure_transport",)


def check_transport(seen: Seen) -> Iterator[Finding]:
    """Findings about what takes connections without TLS."""
    for identifier, resource in sorted(seen.estates.azure.resources.items()):
        tests = _EXPORTED.get(resource.kind, ())
        if resource.because.path.endswith((".tf", ".tf.json")) or not resource.settings:
            continue  # what Terraform writes is read below, with the line of the setting
        if tests is _PARAMETER and resource.name.lower() not in _PARAMETERS:
            continue
        for test in tests:
            value, _, _ = _value(resource.settings, test)
            if _is_bad(value, test):
                message = f"{resource.name} {test.words}"
                yield found(AZURE, f"{identifier}#{test.names[0]}", message, (resource.because,))
    yield from _listed(seen)
    for one in seen.estates.terraform:
        yield from _resource(one)
        if one.kind == "google_compute_target_http_proxy":
            yield from _proxy(seen, one)
        elif one.kind in _GROUPS_OF:
            yield from _parameters(one)


def _listed(seen: Seen) -> Iterator[Finding]:
    """Findings about what gcloud and the inventory list."""
    for name, resource in sorted(seen.estates.gcp.resources.items()):
        known = _LISTED.get(resource.kind)
        if known is None or "terraform" in resource.settings or _connectors(resource.settings):
            continue
        for test in known[1]:
            value, _, _ = _value(resource.settings, test)
            if _is_bad(value, test):
                message = f"{known[0]} {name.rpartition('/')[2]} {test.words}"
                yield found(GCP, f"{name}#{test.names[0]}", message, (resource.because,))


def _connectors(values: Mapping[str, object]) -> bool:
    """Whether an instance of Cloud SQL takes what comes by its connectors only, which encrypt."""
    test = _Test(("settings.connectorEnforcement", "settings.connector_enforcement"), (), "")
    return str(_value(values, test)[0]).upper() == "REQUIRED"


def _resource(one: TfResource) -> Iterator[Finding]:
    known = _DECLARED.get(one.kind)
    if known is None or (known[2] is _PARAMETER and one.text("name") not in _PARAMETERS):
        return
    rule, what, tests = known
    for test in tests:
        value, holder, key = _value(one.values, test)
        name = next((str(one.values[key]) for key in _NAMED if one.values.get(key)), one.address)
        if rule is GCP and ((value is None and _requires(one)) or _connectors(one.values)):
            continue
        if _is_bad(test.default if value is None else value, test):
            place = one.file.because(holder.at(key)) if isinstance(holder, Map) else one.because()
            words = test.words if value is not None else f"{test.words}, as it does by default"
            severity = Severity.LOW if value is None else None
            yield found(rule, f"{one.address}#{test.names[0]}", f"{what} {name} {words}", (place,), severity)


def _parameters(one: TfResource) -> Iterator[Finding]:
    """Parameters of databases that switch off what asks for TLS."""
    for block in one.blocks("parameter"):
        name, value = str(block.get("name")), str(block.get("value")).lower()
        if _AWS_PARAMETERS.get(name) == value:
            owner = one.text("name") or one.address
            message = f"databases of {owner} take connections without TLS ({name} = {value})"
            yield found(AWS, f"{one.address}#{name}", message, (one.file.because(block.line),))


def _requires(one: TfResource) -> bool:
    """Whether an instance of Cloud SQL asks for TLS by the older name of the setting."""
    inner = [each for block in one.blocks("settings") for each in _blocks(block, "ip_configuration")]
    return any(each.get("require_ssl") is True for each in inner)


def _blocks(value: Mapping[str, object], name: str) -> list[Map]:
    inner = value.get(name)
    return [inner] if isinstance(inner, Map) else [item for item in listed(inner) if isinstance(item, Map)]


def _value(values: Mapping[str, object], test: _Test) -> tuple[Any, Mapping[str, object] | None, str]:
    """What a setting is, the mapping that has it, and its key there; None for one that is not written."""
    for path in test.names:
        *outer, key = path.split(".")
        holders: list[Mapping[str, object]] = [values]
        for name in outer:
            holders = [inner for holder in holders for inner in _blocks(holder, name)]
        for holder in holders:
            if holder.get(key) is not None:
                return holder[key], holder, key
    return None, None, ""


def _is_bad(value: object, test: _Test) -> bool:
    if value is None or isinstance(value, Unresolved):
        return False
    if isinstance(value, str):
        words = {"true": True, "false": False}
        return value.lower() in test.bad or any(
            words.get(value.lower()) is bad for bad in test.bad if bad is not None
        )
    return any(value is bad for bad in test.bad)


def _proxy(seen: Seen, one: TfResource) -> Iterator[Finding]:
    """A proxy for HTTP whose map of addresses does more than send callers on to HTTPS."""
    named = one.text("url_map")
    for other in declared(seen.estates).by_kind["google_compute_url_map"]:
        names = (other.text("id"), other.text("self_link"), other.address, "${" + other.address + ".id}")
        ours = named in names or other.address in named
        if ours and any(block.get("https_redirect") is True for block in other.blocks("default_url_redirect")):
            return
    because: Because = one.because()
    message = f"proxy {one.text('name') or one.address} serves plain HTTP, and does not send callers on to HTTPS"
    yield found(GCP, one.address, message, (because,))


CHECKS: Final = (check_transport,)
