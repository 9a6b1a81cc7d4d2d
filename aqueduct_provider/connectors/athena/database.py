"""Athena, through PyAthena, which starts queries and waits for them; read only.

Values are execution parameters of the query. Athena takes them as SQL literals, so strings are quoted here.
The result is the CSV file that Athena leaves in S3, fetched as any object and read in batches, see
``results.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aqueduct_provider.connectors.athena.errors import translated
from aqueduct_provider.connectors.athena.results import read_csv, schema_of
from aqueduct_provider.connectors.athena.system import ATHENA
from aqueduct_provider.connectors.sql import dbapi_rows
from aqueduct_provider.connectors.sql.query import Statement, Value
from aqueduct_provider.connectors.system_options import driver_options
from aqueduct_provider.connectors.tables.model import Batches, Config, TableLoad, config_text
from aqueduct_provider.errors import ConfigError, LoadRefused, StatementRefused
from aqueduct_provider.storage import s3
from aqueduct_provider.storage.held_folder import temporary_folder
from aqueduct_provider.storage.layout import bucket_and_prefix
from aqueduct_provider.storage.patience import IMPATIENT
from aqueduct_provider.storage.s3_client import S3Settings, other_services
from aqueduct_provider.storage.s3_connector import connector_settings

# Of the API: characters of an execution parameter.
_LONGEST_VALUE = 1024
_POLL_SECONDS = 0.5
_KEYS, _KEY_FIELDS = "access_key", ("access_key_id", "secret_access_key")
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY table_name"


def connect(connector: str, config: Config) -> AthenaDatabase:
    """Return a connection. Sends no request, unless credentials have to be fetched.

    :raises ConfigError: the configuration cannot be used.
    :raises DataSystemError: no credentials were found.
    """
    from pyathena import connect as connect_driver

    database, output = config_text(config, "database"), config_text(config, "output_location")
    missing = [name for name in ("database", "output_location") if not config_text(config, name)]
    if missing:
        raise ConfigError(f"The {connector} connector lacks {' and '.join(missing)}.")
    settings, what = _settings(connector, config), f"{connector} {database!r}"
    with translated(what), other_services(settings) as session:
        if not session.region_name:
            raise ConfigError(f"The {connector} connector lacks region, and its profile has none.")
        connection = connect_driver(
            session=session,
            region_name=session.region_name,
            endpoint_url=settings.endpoint_url or None,
            schema_name=database,
            s3_staging_dir=output,
            **_options(connector, config),
        )
    return AthenaDatabase(connection, settings, database, what)


def _options(connector: str, config: Config) -> dict[str, Any]:
    options = {"poll_interval": _POLL_SECONDS, **driver_options(connector, config)}
    try:
        return {**options, "poll_interval": float(options["poll_interval"])}
    except ValueError as error:
        raise ConfigError(
            f"The options of {connector}: poll_interval must be seconds, such as 0.5."
        ) from error


def _settings(connector: str, config: Config) -> S3Settings:
    """Return how to reach the bucket of the results, and Athena itself."""
    output = config_text(config, "output_location")
    if not output.startswith("s3://"):
        raise ConfigError(
            f"The {connector} connector's output_location is where Athena writes results: s3://bucket/path/."
        )
    bucket, _ = bucket_and_prefix(output, "")
    endpoint = config_text(config, "endpoint_url")
    if config_text(config, "type", _KEYS) == _KEYS and not any(config.get(name) for name in _KEY_FIELDS):
        # What the machine has, such as an instance's role, or a profile of its usual files.
        profile = config_text(config, "config_file_profile")
        region = config_text(config, "region")
        return S3Settings(bucket, region=region, endpoint_url=endpoint, credentials_profile=profile)
    given = {"type": _KEYS, **config, "bucket": bucket, "root_dir": ""}
    return connector_settings(given, connector, endpoint_url=endpoint)


class AthenaDatabase:
    """A connection; a ``Database`` that is only read. Results are fetched with its ``patience``.

    :param settings: of the bucket that results are in.
    :param what: what error messages call it.
    """

    dialect = ATHENA

    def __init__(self, connection: Any, settings: S3Settings, database: str, what: str) -> None:
        self._connection = connection
        self._settings = settings
        self._database = database
        self._what = what
        self.patience = IMPATIENT

    def close(self) -> None:
        self._connection.close()

    def check(self) -> str:
        with self._run(Statement(ATHENA, ("SELECT 1",))):
            return f"{self._what} answers."

    def tables(self) -> list[str]:
        with self._run_text(_TABLES, [_literal(self._database)]) as cursor:
            return [row[0] for row in cursor.fetchall()]

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        """Run a query; its rows, while the context is open."""
        with self._run(statement) as cursor, temporary_folder("results") as folder:
            schema = schema_of(cursor.description or ())
            location = cursor.output_location or ""
            if not location.endswith(".csv"):
                # SHOW and DESCRIBE leave plain text, not a CSV file.
                yield dbapi_rows.batches(schema, cursor.fetchmany)
                return
            path = folder / "result.csv"
            with translated(self._what):
                self._fetch(location, path)
            yield read_csv(path, schema)

    def write(self, data: Batches, load: TableLoad) -> int | None:  # noqa: ARG002
        """Athena tables are files of S3 with a description elsewhere: there is nothing to write to."""
        raise LoadRefused(
            f"{self._what} is only read: {load.table} cannot be written. Save the table as Parquet files in "
            "S3, below the location of a table that Athena knows."
        )

    def _fetch(self, location: str, path: Path) -> None:
        """Fetch a result; a workgroup may have put it elsewhere than was asked."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        s3.connect(replace(self._settings, bucket=bucket), self.patience).get_file(key, path)

    @contextmanager
    def _run(self, statement: Statement) -> Iterator[Any]:
        with self._run_text(statement.sql(), [_literal(value) for value in statement.values]) as cursor:
            yield cursor

    @contextmanager
    def _run_text(self, sql: str, values: list[str]) -> Iterator[Any]:
        with closing(self._connection.cursor()) as cursor:
            with translated(self._what, lambda: self._may_succeed_later(cursor.query_id)):
                cursor.execute(sql, values or None, paramstyle="qmark")
            yield cursor

    def _may_succeed_later(self, query_id: str | None) -> bool:
        """Return whether Athena says that a failed query may be tried again."""
        try:
            answer = self._connection.client.get_query_execution(QueryExecutionId=query_id)
            return bool(answer["QueryExecution"]["Status"]["AthenaError"]["Retryable"])
        except Exception:
            # Report the failure of the query itself, not this one.
            return False


def _literal(value: Value) -> str:
    """Return a value as an execution parameter. In SQL strings, only the quote has to be escaped."""
    literal = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
    if len(literal) > _LONGEST_VALUE:
        raise StatementRefused(
            f"A parameter has {len(literal)} characters, quotes included; Athena takes {_LONGEST_VALUE}."
        )
    return literal
