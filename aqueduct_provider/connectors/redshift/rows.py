"""Redshift rows: the types of results, rows as they arrive, values of multi-row INSERTs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from aqueduct_provider.connectors.sql.dbapi_rows import converted
from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.errors import StatementRefused

if TYPE_CHECKING:
    import pyarrow

_BATCH_ROWS = 5_000
_BATCH_BYTES = 8 << 20
# Redshift takes 32,767 values and 16 MB in one statement.
_MOST_VALUES = 32_767
_MOST_BYTES = 4 << 20

# Types by their OID (pg_type of Redshift); what is not here is text.
_TYPES = {
    16: "bool",
    20: "int64",
    21: "int16",
    23: "int32",
    26: "int64",
    700: "float32",
    701: "float64",
    1082: "date32",
    1083: "time64[us]",
    6551: "binary",
}
_TIMESTAMP, _TIMESTAMPTZ, _NUMERIC, _VARBYTE = 1114, 1184, 1700, 6551
# SUPER, and what Postgres calls JSON.
_JSON = (4000, 114, 3802)


def result_field(name: str, oid: int, modifier: int) -> pyarrow.Field:
    """Return the Arrow field of a column.

    :param modifier: of the type, which holds precision and scale of a NUMERIC; -1: it has none.
    """
    import pyarrow as pa

    if oid == _NUMERIC and modifier > 4:
        precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0xFFFF
        return pa.field(name, (pa.decimal128 if precision <= 38 else pa.decimal256)(precision, scale))
    if oid in (_TIMESTAMP, _TIMESTAMPTZ):
        return pa.field(name, pa.timestamp("us", "UTC" if oid == _TIMESTAMPTZ else None))
    if oid in _TYPES:
        return pa.field(name, pa.type_for_alias(_TYPES[oid]))
    kind = b"decimal" if oid == _NUMERIC else b"json" if oid in _JSON else b""
    return pa.field(name, pa.string(), metadata={KIND: kind} if kind else None)


class ArrivingRows(deque[Any]):
    """The rows of one result, in place of the list in which the driver would collect them all.

    :param cursor: of the driver, which has read the columns' types when the first row comes.
    :param file: takes the rows as Arrow batches, a few MB at a time.
    """

    def __init__(self, cursor: Any, file: IO[bytes]) -> None:
        super().__init__()
        self._cursor = cursor
        self._file = file
        self._writer: Any = None
        self._enough = _BATCH_ROWS
        self._done = 0
        self._refusal: StatementRefused | None = None

    def append(self, row: Any) -> None:
        if self._refusal is None:
            super().append(row)
            if len(self) >= self._enough:
                self._save()

    def table(self) -> Batches:
        """Return all rows once the statement has ended.

        :raises StatementRefused: the statement gave no table, or a value does not fit its column.
        """
        import pyarrow as pa

        if not self._cursor.description:
            raise StatementRefused("The statement gives no table: an extract reads with SELECT.")
        self._save()
        if self._refusal:
            raise self._refusal
        self._writer.close()
        self._file.seek(0)
        reader = pa.ipc.open_stream(self._file)
        return Batches(reader.schema, iter(reader))

    def _save(self) -> None:
        import pyarrow as pa

        schema = _schema(self._cursor)
        if self._writer is None:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._writer = pa.ipc.new_stream(self._file, schema, options=options)
        if not self:
            return
        rows = [_plain(row, schema) for row in self]
        self.clear()
        try:
            for batch in converted(schema, rows, self._done):
                self._writer.write_batch(batch)
                self._enough = min(_BATCH_ROWS, _BATCH_BYTES * batch.num_rows // batch.nbytes + 1)
        except StatementRefused as refusal:
            # The driver reads on: what it leaves unread would be the answer to the next statement.
            self._refusal = refusal
        self._done += len(rows)


def _schema(cursor: Any) -> pyarrow.Schema:
    import pyarrow as pa

    modifiers = [column.get("type_modifier", -1) for column in cursor.ps["row_desc"]]
    columns = zip(cursor.description, modifiers, strict=True)
    return pa.schema([result_field(column[0], column[1], modifier) for column, modifier in columns])


def _plain(row: Any, schema: pyarrow.Schema) -> Any:
    """VARBYTE comes as hexadecimal digits."""
    import pyarrow as pa

    if not any(pa.types.is_binary(field.type) for field in schema):
        return row
    return [
        bytes.fromhex(value) if pa.types.is_binary(field.type) and isinstance(value, str) else value
        for field, value in zip(schema, row, strict=True)
    ]


def chunks(data: Batches) -> Iterator[tuple[str, list[Any], int]]:
    """Yield the rows for multi-row INSERTs: placeholders of VALUES, values, and number of rows.

    Numbers of rows are powers of two: the driver reads each new text of a statement slowly, and keeps it.
    """
    import pyarrow as pa

    marks = ["from_hex(${})" if pa.types.is_binary(field.type) else "${}" for field in data.schema]
    for batch in data.batches:
        fit = _MOST_BYTES * batch.num_rows // max(batch.nbytes, 1)
        most = max(1, min(fit, _MOST_VALUES // len(marks)))
        start = 0
        while start < batch.num_rows:
            rows = 1 << (min(most, batch.num_rows - start).bit_length() - 1)
            columns = [_values(column) for column in batch.slice(start, rows).columns]
            values = [value for row in zip(*columns, strict=True) for value in row]
            yield _places(marks, rows), values, rows
            start += rows


def _values(column: pyarrow.Array) -> list[Any]:
    import pyarrow as pa

    values: list[Any] = column.to_pylist()
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return [None if value is None else value.hex() for value in values]
    return values


def _places(marks: list[str], rows: int) -> str:
    numbers = iter(range(1, len(marks) * rows + 1))
    return ", ".join(f"({', '.join(mark.format(next(numbers)) for mark in marks)})" for _ in range(rows))
