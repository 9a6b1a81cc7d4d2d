"""BigQuery, through Google's own client: query jobs with parameters, and load jobs of Parquet files.

A load job is done whole or not at all, and no second job can have its id: a second try finds the job of the
first one, so that no markers are needed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import IO, TYPE_CHECKING, Any

from aqueduct_provider.connectors.bigquery.system import BIGQUERY
from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sql.column_types import columns, prepared
from aqueduct_provider.connectors.sql.query import Statement, Value
from aqueduct_provider.connectors.system_options import options_of
from aqueduct_provider.connectors.tables.model import KIND, Batches, Config, TableLoad, TableName, config_text
from aqueduct_provider.errors import (
    ConfigError,
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
    StatementRefused,
)
from aqueduct_provider.storage.google_credentials import google_credentials, limited

if TYPE_CHECKING:
    import pyarrow

# Seconds for which a request that fails in passing is repeated.
_PATIENCE = 120
_SCOPES = ["https://www.googleapis.com/auth/bigquery"]
_PARAMETERS = {str: "STRING", int: "INT64", float: "FLOAT64"}
_DISPOSITIONS = {"append": "WRITE_APPEND", "replace": "WRITE_TRUNCATE", "fail": "WRITE_EMPTY"}
# The label of a job that says which artifact it loaded; labels have up to 63 characters.
_DIGEST, _DIGEST_LENGTH = "aqueduct_digest", 63
_PASSING = {"rateLimitExceeded", "quotaExceeded", "backendError", "internalError", "jobRateLimitExceeded"}
# What is not here is text.
_TYPES = {
    "BOOL": "bool",
    "BOOLEAN": "bool",
    "BYTES": "binary",
    "DATE": "date32",
    "DATETIME": "timestamp[us]",
    "FLOAT": "float64",
    "FLOAT64": "float64",
    "INT64": "int64",
    "INTEGER": "int64",
    "TIME": "time64[us]",
}


def connect(connector: str, config: Config) -> BigQueryDatabase:
    """Return a client, which logs in with its first request. Raises ``DataSystemError``.

    Options: those of ``connectors/system_options.py``, such as ``location`` and ``impersonation_chain``.
    """
    from google.cloud import bigquery

    project, options = config_text(config, "project_id"), options_of(connector, config)
    what = f"{connector} project {project!r}"
    endpoint = options.get("api_endpoint")
    labels = _labels(what, options.get("labels", "{}"))
    client = bigquery.Client(
        project=project,
        credentials=_credentials(what, config_text(config, "service_account_credentials"), options),
        location=options.get("location"),
        client_options={"api_endpoint": endpoint} if endpoint else None,
        default_query_job_config=bigquery.QueryJobConfig(
            labels=labels, priority=options.get("priority", "INTERACTIVE").upper()
        ),
    )
    return BigQueryDatabase(client, what, options, labels)


def _credentials(what: str, account: str, options: Mapping[str, str]) -> Any:
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

    try:
        return google_credentials(json.loads(account) if account else None, options, _SCOPES)[0]
    except (ValueError, TypeError, AttributeError, RecursionError, GoogleAuthError) as error:
        if not account and isinstance(error, DefaultCredentialsError):
            raise DataSystemLoginFailed(
                f"{what}: no service account key was given, and this machine has no application default "
                f"credentials: {str(error).strip().rstrip('.')}. Provide one of them."
            ) from error
        # The error of the key's parser may quote it.
        raise DataSystemLoginFailed(
            f"{what}: service_account_credentials is not a service account key: paste the whole JSON of "
            "the key file."
        ) from None


def _labels(what: str, text: str) -> dict[str, str]:
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError):
        labels = None
    if not isinstance(labels, dict):
        raise ConfigError(f'{what}: labels must be a JSON object such as {{"team": "sales"}}.')
    return {str(name): str(value) for name, value in labels.items()}


@dataclass(frozen=True, eq=False, repr=False)
class BigQueryDatabase:
    """A client; a ``Database``.

    :param options: of the connection.
    :param labels: of every job.
    """

    client: Any
    what: str
    options: Mapping[str, str]
    labels: Mapping[str, str]
    dialect = BIGQUERY

    def _retry(self) -> Any:
        from google.cloud.bigquery import DEFAULT_RETRY

        return limited(DEFAULT_RETRY.with_timeout(_PATIENCE), self.options)

    def close(self) -> None:
        self.client.close()

    def check(self) -> str:
        with _translated(self.what):
            datasets = list(self.client.list_datasets(retry=self._retry()))
        return f"{self.what} answers: {len(datasets)} dataset{'' if len(datasets) == 1 else 's'}."

    def tables(self) -> list[str]:
        with _translated(self.what):
            return sorted(
                f"{table.dataset_id}.{table.table_id}"
                for dataset in self.client.list_datasets(retry=self._retry())
                for table in self.client.list_tables(dataset.reference, retry=self._retry())
            )

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        from google.cloud.bigquery import QueryJobConfig

        parameters = [_parameter(value) for value in statement.values]
        with _translated(self.what):
            job = self.client.query(
                statement.sql(), QueryJobConfig(query_parameters=parameters), retry=self._retry()
            )
            rows = job.result(retry=self._retry())
        if not rows.schema:
            raise StatementRefused("The statement gives no table: an extract reads with SELECT.")
        schema = _schema(rows.schema)
        yield Batches(schema, self._pages(rows, schema))

    def _pages(self, rows: Any, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow as pa

        pages = rows.to_arrow_iterable()
        while True:
            with _translated(self.what):
                page = next(pages, None)
            if page is None:
                return
            arrays = [column.cast(kind) for column, kind in zip(page.columns, schema.types, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    # --- writing

    def write(self, data: Batches, load: TableLoad) -> int | None:
        with _translated(self.what, LoadRefused), tempfile.TemporaryFile() as file:
            target = self._target(load.table)
            _write_parquet(data, file)
            for number in count():
                job_id = f"aqueduct_{load.key}_{number}"
                job = self._earlier_job(job_id, target) or self._start(
                    file, data.schema, load, target, job_id
                )
                if isinstance(job, _Started):
                    return self._finished(job, load)
                if _has_done(job, load, self._retry()):
                    return None
        raise AssertionError

    def _target(self, table: TableName) -> Any:
        """Return the dataset of a table."""
        from google.api_core.exceptions import NotFound

        if not table.schema:
            raise LoadRefused(f"The table {table} has no dataset: write dataset.table.")
        try:
            return self.client.get_dataset(table.schema, retry=self._retry())
        except NotFound as exc:
            raise LoadRefused(f"{self.what} has no dataset {table.schema}: create it first.") from exc

    def _earlier_job(self, job_id: str, target: Any) -> Any:
        """Return the job that an earlier try started; None: there is none."""
        from google.api_core.exceptions import NotFound

        try:
            return self.client.get_job(job_id, location=target.location, retry=self._retry())
        except NotFound:
            return None

    def _start(
        self, file: IO[bytes], schema: pyarrow.Schema, load: TableLoad, target: Any, job_id: str
    ) -> Any:
        """Start a job and return it, or return the one that a concurrent try started first."""
        from google.api_core.exceptions import Conflict
        from google.cloud.bigquery import LoadJobConfig, SchemaField

        if load.mode == "fail":
            self._refuse_existing(target.table(load.table.name), load)
        options = LoadJobConfig(
            source_format="PARQUET",
            schema=[SchemaField(column.name, column.sql) for column in columns(schema, BIGQUERY)],
            write_disposition=_DISPOSITIONS[load.mode],
            labels={**self.labels, _DIGEST: load.digest[:_DIGEST_LENGTH]},
        )
        try:
            job = self.client.load_table_from_file(
                file,
                target.table(load.table.name),
                rewind=True,
                job_id=job_id,
                location=target.location,
                job_config=options,
            )
        except Conflict:
            return self.client.get_job(job_id, location=target.location, retry=self._retry())
        return _Started(job)

    def _refuse_existing(self, table: Any, load: TableLoad) -> None:
        """WRITE_EMPTY alone would write into an empty table."""
        from google.api_core.exceptions import NotFound

        try:
            self.client.get_table(table, retry=self._retry())
        except NotFound:
            return
        raise idempotent_load.table_exists(load)

    def _finished(self, started: _Started, load: TableLoad) -> int:
        from google.api_core.exceptions import Conflict

        try:
            return int(started.job.result(retry=self._retry()).output_rows)
        except Conflict as exc:
            raise idempotent_load.table_exists(load) from exc


@dataclass(frozen=True)
class _Started:
    """A load job of this very try."""

    job: Any


def _has_done(job: Any, load: TableLoad, retry: Any) -> bool:
    """Return whether an earlier try's job did the load. It may still run after its worker died."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        job.result(retry=retry)
    except GoogleAPICallError:
        if not job.error_result:
            # It is not known how the job ended.
            raise
        return False
    if load.mode == "replace":
        return False
    if job.labels.get(_DIGEST) != load.digest[:_DIGEST_LENGTH]:
        raise LoadRefused(
            f"This run ({load.run}) has already written {job.output_rows} rows to {load.table}, of an "
            "artifact that has changed since. To write the new ones, delete the old rows and start a new run."
        )
    return True


def _write_parquet(data: Batches, file: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    table = prepared(data, BIGQUERY)
    with pq.ParquetWriter(file, table.schema.remove_metadata(), compression="snappy") as writer:
        for batch in table.batches:
            writer.write_batch(batch)


# --- types


def _parameter(value: Value) -> Any:
    """Return a positional parameter."""
    from google.cloud.bigquery import ScalarQueryParameter

    return ScalarQueryParameter(None, _PARAMETERS[type(value)], value)


def _schema(fields: Sequence[Any]) -> pyarrow.Schema:
    import pyarrow as pa

    return pa.schema([_field(field) for field in fields])


def _field(field: Any) -> pyarrow.Field:
    import pyarrow as pa

    kind = _type(field)
    if field.mode == "REPEATED":
        return pa.field(field.name, pa.list_(kind))
    return pa.field(field.name, kind, metadata={KIND: b"json"} if field.field_type == "JSON" else None)


def _type(field: Any) -> pyarrow.DataType:
    import pyarrow as pa

    match field.field_type:
        case "RECORD" | "STRUCT":
            return pa.struct([_field(part) for part in field.fields])
        case "RANGE":
            bound = pa.type_for_alias(_TYPES.get(field.range_element_type.element_type, "timestamp[us, UTC]"))
            return pa.struct([("start", bound), ("end", bound)])
        case "NUMERIC":
            return pa.decimal128(38, 9)
        case "BIGNUMERIC":
            return pa.decimal256(76, 38)
        case "TIMESTAMP":
            return pa.timestamp("us", "UTC")
        case other:
            return pa.type_for_alias(_TYPES.get(other, "string"))


# --- errors


@contextmanager
def _translated(what: str, refused: type[DataSystemError] = StatementRefused) -> Iterator[None]:
    """Translate the client's errors."""
    from concurrent.futures import TimeoutError as WaitedInVain

    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    try:
        yield
    except (GoogleAPIError, GoogleAuthError, RequestException, WaitedInVain) as error:
        raise _error(what, error, refused) from error


def _error(what: str, error: Exception, refused: type[DataSystemError]) -> DataSystemError:
    from google.api_core.exceptions import GoogleAPICallError, ServerError, TooManyRequests, Unauthorized
    from google.auth.exceptions import GoogleAuthError, TransportError

    if isinstance(error, GoogleAPICallError):
        details = [detail for detail in error.errors if isinstance(detail, dict)]
        text = (details[0].get("message") if details else "") or error.message
        text = str(text).strip().rstrip(".")
        if isinstance(error, Unauthorized):
            return DataSystemLoginFailed(f"{what} refuses the service account: {text}.")
        is_passing = any(detail.get("reason") in _PASSING for detail in details)
        if not is_passing and not isinstance(error, (ServerError, TooManyRequests)):
            return refused(f"{what} refuses: {text}.")
    elif isinstance(error, GoogleAuthError) and not isinstance(error, TransportError):
        return DataSystemLoginFailed(f"{what} refuses the service account's key: {_words(error)}.")
    return DataSystemUnavailable(f"{what} does not answer as it should: {_words(error)}.")


def _words(error: Exception) -> str:
    return str(error.args[0] if error.args else error).strip().rstrip(".")
