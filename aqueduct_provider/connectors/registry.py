"""Every connector: which module speaks to it, and what must be installed for that.

Drivers are extras of the package, so that nobody installs what he does not use. Must not import: drivers.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from aqueduct_provider.errors import DriverMissing

DISTRIBUTION = "airflow-provider-aqueduct"


@dataclass(frozen=True)
class Connector:
    """One kind of data system.

    :param module: of this room, without the package; it has ``connect(connector, config)``.
    :param extra: of the package: installs the driver.
    :param drivers: modules that must be importable.
    :param connection_types: types of Airflow connections that lead to it.
    """

    name: str
    module: str
    extra: str
    drivers: tuple[str, ...]
    connection_types: tuple[str, ...]


_TABLES = ("pandas", "pyarrow")

CONNECTORS = {
    connector.name: connector
    for connector in (
        Connector(
            "Postgres",
            "postgres",
            "postgres",
            ("adbc_driver_postgresql", "adbc_driver_manager", *_TABLES),
            ("postgres",),
        ),
        Connector(
            "Redshift", "redshift", "redshift", ("redshift_connector", *_TABLES), ("redshift", "postgres")
        ),
        Connector("MySQL", "mysql", "mysql", ("pymysql", "sqlalchemy", *_TABLES), ("mysql",)),
        Connector("MariaDB", "mysql", "mysql", ("pymysql", "sqlalchemy", *_TABLES), ("mysql",)),
        Connector(
            "SQLite", "sqlite", "sqlite", ("adbc_driver_sqlite", "adbc_driver_manager", *_TABLES), ("sqlite",)
        ),
        Connector("SQL Server", "sqlserver", "sqlserver", ("pymssql", *_TABLES), ("mssql",)),
        Connector("AzureSQL", "sqlserver", "sqlserver", ("pymssql", *_TABLES), ("mssql",)),
        Connector("Snowflake", "snowflake", "snowflake", ("snowflake.connector", *_TABLES), ("snowflake",)),
        Connector(
            "BigQuery",
            "bigquery",
            "bigquery",
            ("google.cloud.bigquery", *_TABLES),
            ("google_cloud_platform", "gcpbigquery"),
        ),
        Connector("Athena", "athena", "athena", ("pyathena", *_TABLES), ("aws", "athena")),
        Connector("MongoDB", "mongodb", "mongodb", ("pymongo", *_TABLES), ("mongo",)),
        # Files are read and written through the stores of storage/.
        Connector("S3", "", "", (), ("aqueduct",)),
        Connector("GCS", "", "gcs", ("google.cloud.storage",), ("google_cloud_platform",)),
    )
}


def missing_driver(name: str) -> str:
    """What to install for a connector, in one sentence; empty where all is there."""
    connector = CONNECTORS[name]
    missing = [module for module in connector.drivers if not _is_installed(module)]
    if not missing:
        return ""
    return (
        f"{name} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed "
        f'in the Python of {sys.prefix}: pip install "{DISTRIBUTION}[{connector.extra}]".'
    )


def connect(name: str, config: Any) -> Any:
    """An open connection: a ``Database``, or the MongoDB of ``mongodb.py``.

    :raises DriverMissing: its driver is not installed.
    :raises DataSystemError: it cannot be reached, or refuses the user.
    """
    missing = missing_driver(name)
    if missing:
        raise DriverMissing(missing)
    module = import_module(f"aqueduct_provider.connectors.{CONNECTORS[name].module}.database")
    return module.connect(name, config)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
