"""Where each data system is tested, held against the declarations of ``connectors/<system>/system.py``."""

from __future__ import annotations

from collections.abc import Iterable

# A real one runs here: its name -> the fixture that starts it; a file needs none.
RUN_HERE = {"Postgres": "postgres", "MariaDB": "mariadb", "SQLite": ""}

# It cannot run here, or tables are not what it holds: its name -> its tests, against a stand-in.
ELSEWHERE = {
    "Athena": "tests/unit/connectors/athena/test_database.py",
    "AzureSQL": "tests/unit/connectors/sqlserver/test_database.py",
    "BigQuery": "tests/unit/connectors/bigquery/test_database.py",
    "GCS": "tests/unit/storage/test_gcs_faults.py",
    "MongoDB": "tests/unit/connectors/mongodb/test_database.py",
    # MariaDB's server, by the same module.
    "MySQL": "tests/unit/connectors/mysql/test_database.py",
    "Redshift": "tests/unit/connectors/redshift/test_database.py",
    "S3": "tests/unit/storage/test_s3_faults.py",
    "SQL Server": "tests/unit/connectors/sqlserver/test_database.py",
    "Snowflake": "tests/unit/connectors/snowflake/test_database.py",
}


def run_here(declared: Iterable[str]) -> list[str]:
    """Return the systems that these tests run on: all that are declared and not tested elsewhere.

    :raises LookupError: one of them has no test server.
    """
    names = [name for name in declared if name not in ELSEWHERE]
    for name in names:
        if name not in RUN_HERE:
            raise LookupError(
                f"The data system {name!r} is declared and has no test server. Write one in "
                "tests/data_servers/ and name its fixture in RUN_HERE of tests/connectors/system_servers.py; "
                "where none can run here, name its tests against a stand-in in ELSEWHERE."
            )
    return names
