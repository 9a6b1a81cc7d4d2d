"""Code shared by databases behind ADBC: statements, rows and bulk loads on one connection.

ADBC was chosen where its driver is well kept and gives Arrow without Python objects in between: Postgres and
SQLite.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.tables.model import Batches
from aqueduct_provider.errors import DataSystemError

if TYPE_CHECKING:
    import pyarrow


@dataclass(eq=False, repr=False)
class AdbcDatabase(ABC):
    """An open connection; subclasses add reading and writing, and are a ``Database`` then.

    :param connection: the driver's.
    :param what: how errors call the database.
    """

    connection: Any
    what: str

    @staticmethod
    @abstractmethod
    def error(what: str, cause: Any) -> DataSystemError:
        """Return the error for the driver's. While rows come it is Arrow's, which has only a message."""

    @classmethod
    @contextmanager
    def translate_errors(cls, what: str) -> Iterator[None]:
        """Translate the errors of ADBC's drivers."""
        from adbc_driver_manager import Error

        try:
            yield
        except Error as error:
            raise cls.error(what, error) from error

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def cursor(self, **options: str) -> Iterator[Any]:
        """Yield a cursor whose errors are translated.

        :param options: of the statement.
        """
        with (
            self.translate_errors(self.what),
            closing(self.connection.cursor(adbc_stmt_kwargs=options)) as cursor,
        ):
            yield cursor

    def run(self, sql: str, *values: Any) -> None:
        """Run a statement."""
        with self.cursor() as cursor:
            cursor.execute(sql, values or None)

    def rows(self, sql: str, *values: Any, **options: str) -> list[Any]:
        """Run a query; its rows."""
        with self.cursor(**options) as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def records(self, cursor: Any) -> Batches:
        """Return the rows of the executed query, and translate errors that come with them."""
        reader = cursor.fetch_record_batch()
        return Batches(reader.schema, self._records(reader))

    def _records(self, reader: Any) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow as pa

        try:
            yield from reader
        except (OSError, pa.ArrowException) as error:
            raise self.error(self.what, error) from error

    def ingest(self, data: Batches, table: str, **place: Any) -> int:
        """Add all rows to a table; their number. :param place: of ``adbc_ingest``: schema, or temporary."""
        import pyarrow as pa

        failed: list[Exception] = []
        reader = pa.RecordBatchReader.from_batches(data.schema, _watched(data.batches, failed))
        try:
            with self.cursor() as cursor:
                return int(cursor.adbc_ingest(table, reader, mode="append", **place))
        except DataSystemError:
            # The driver's own error would hide why the rows ended.
            if failed:
                raise failed[0] from None
            raise


def _watched(
    batches: Iterator[pyarrow.RecordBatch], failed: list[Exception]
) -> Iterator[pyarrow.RecordBatch]:
    """Yield the same batches, and keep the error that ends them."""
    try:
        yield from batches
    except Exception as error:
        failed.append(error)
        raise
