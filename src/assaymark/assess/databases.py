"""Databases of clouds that answer the internet, whoever has a password for them.

Sources: Amazon RDS User Guide, "Hiding a DB instance in a VPC from the internet"; Amazon Redshift, "Managing
clusters"; Azure SQL and Azure Database for PostgreSQL, "Firewall rules" (a range over all addresses, and the rule
from 0.0.0.0 to 0.0.0.0, which lets all of Azure in); Cloud SQL, "Authorize with authorized networks".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.rule import AssessRule, found
from assaymark.core.report import Severity
from assaymark.formats.located import maps_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

OPEN: Final = AssessRule(
    "cloud-database-open",
    Severity.HIGH,
    "A database that answers the internet",
    "endpoint",
    ("AML.T0049", "AML.T0035", "AML.M0019", "CWE-668"),
)
RULES: Final = (OPEN,)
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1")


def check_databases(seen: Seen) -> Iterator[Finding]:
    """Findings about databases that strangers may knock at."""
    for one in seen.estates.terraform:
        check = _CHECKS.get(one.kind)
        if check is not None:
            yield from check(one)


def _named(one: TfResource) -> str:
    keys = ("identifier", "cluster_identifier", "name", "instance_identifier", "cluster_name")
    return next((str(one.values[key]) for key in keys if one.values.get(key)), one.address)


def _public(one: TfResource) -> Iterator[Finding]:
    if one.get("publicly_accessible") is True:
        message = f"database {_named(one)} has a public address"
        yield found(OPEN, one.address, message, (one.because(),))


def _range(one: TfResource) -> Iterator[Finding]:
    """A firewall rule of Azure's database servers."""
    first, last = one.text("start_ip_address"), one.text("end_ip_address")
    if first == "0.0.0.0" and last == "255.255.255.255":  # noqa: S104 - what a rule says
        message = f"firewall rule {one.text('name') or one.address} lets every address reach the database server"
        yield found(OPEN, one.address, message, (one.because("end_ip_address"),))
    elif first == last == "0.0.0.0":  # noqa: S104 - what a rule says
        name = one.text("name") or one.address
        message = f"firewall rule {name} lets everyone's machines in Azure reach the database server"
        yield found(OPEN, one.address, message, (one.because("start_ip_address"),), Severity.MEDIUM)


def _networks(one: TfResource) -> Iterator[Finding]:
    """Authorized networks of Cloud SQL."""
    for block in one.blocks("settings"):
        for inner in maps_in(block.get("ip_configuration")):
            for network in maps_in(inner.get("authorized_networks")):
                if network.get("value") in _EVERYWHERE:
                    message = f"database instance {_named(one)} lets every address in"
                    yield found(OPEN, one.address, message, (one.file.because(network.line),))


_CHECKS: Final[dict[str, Callable[[TfResource], Iterator[Finding]]]] = {
    **dict.fromkeys(
        (
            *("aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster", "aws_dms_replication_instance"),
            *("aws_docdb_cluster_instance", "aws_neptune_cluster_instance", "aws_redshiftserverless_workgroup"),
        ),
        _public,
    ),
    **dict.fromkeys(
        (
            *("azurerm_mssql_firewall_rule", "azurerm_sql_firewall_rule", "azurerm_postgresql_firewall_rule"),
            *("azurerm_postgresql_flexible_server_firewall_rule", "azurerm_mysql_flexible_server_firewall_rule"),
            *("azurerm_mysql_firewall_rule", "azurerm_redis_firewall_rule"),
        ),
        _range,
    ),
    "google_sql_database_instance": _networks,
}
CHECKS: Final = (check_databases,)
