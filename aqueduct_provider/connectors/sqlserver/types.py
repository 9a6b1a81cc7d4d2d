"""Map SQL Server's types to Arrow, and write tables as INSERTs whose rows are one JSON string.

Literals would have to be compiled by the server, row by row, and the driver's bulk copy cuts times to
milliseconds; OPENJSON reads any number of rows as the very types of the columns.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.sql.column_types import columns
from aqueduct_provider.connectors.sqlserver.system import SQL_SERVER
from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.errors import StatementRefused

if TYPE_CHECKING:
    import pyarrow

# Of one INSERT, as Arrow has them.
_BYTES = 2 << 20
_ROWS = 20_000

# What is not here is text.
_TYPES = {
    "bit": "bool",
    "tinyint": "int16",
    "smallint": "int16",
    "int": "int32",
    "bigint": "int64",
    "real": "float32",
    "float": "float64",
    "date": "date32",
    "time": "time64[us]",
    "datetime": "timestamp[us]",
    "datetime2": "timestamp[us]",
    "smalldatetime": "timestamp[us]",
    "binary": "binary",
    "varbinary": "binary",
    "image": "binary",
    "timestamp": "binary",
    "rowversion": "binary",
    "geography": "binary",
    "geometry": "binary",
    "hierarchyid": "binary",
}
_KINDS = {"uniqueidentifier": b"uuid", "json": b"json"}
_MONEY = {"money": (19, 4), "smallmoney": (10, 4)}


def result_schema(described: Sequence[Sequence[Any]]) -> pyarrow.Schema:
    """Return the schema of a result.

    :param described: of each column the name, the type as the server writes it, such as ``decimal(10,2)``,
        and the error, if the server cannot determine it.
    :raises StatementRefused: the server cannot determine the types, or the statement returns no result.
    """
    import pyarrow as pa

    problems = [problem for _, _, problem in described if problem]
    if problems:
        raise StatementRefused(f"SQL Server refuses the query: {str(problems[0]).rstrip('.')}.")
    if not described:
        raise StatementRefused("The statement gives no table: an extract reads with SELECT.")
    return pa.schema([_field(name or "", kind or "") for name, kind, _ in described])


def _field(name: str, kind: str) -> pyarrow.Field:
    import pyarrow as pa

    word, *numbers = re.findall(r"\w+", kind.lower())
    if word in ("decimal", "numeric"):
        return pa.field(name, pa.decimal128(int(numbers[0]), int(numbers[1])))
    if word in _MONEY:
        return pa.field(name, pa.decimal128(*_MONEY[word]))
    if word == "datetimeoffset":
        return pa.field(name, pa.timestamp("us", "UTC"))
    note = _KINDS.get(word)
    return pa.field(
        name, pa.type_for_alias(_TYPES.get(word, "string")), metadata={KIND: note} if note else None
    )


def inserts(data: Batches, original: pyarrow.Schema, table: str) -> Iterator[tuple[str, str, int]]:
    """Statements, each with the text for its one place, ``@p1``, and its number of rows.

    :param data: prepared.
    :param original: its schema before that, which says what the columns are.
    :param table: its name, quoted.
    """
    sql = _insert(original, table)
    strings = [_text_of(kind) for kind in data.schema.types]
    for batch in data.batches:
        size = max(1, min(_BYTES * batch.num_rows // max(batch.nbytes, 1), _ROWS))
        for start in range(0, batch.num_rows, size):
            part = batch.slice(start, size)
            values = [
                [None if value is None else text(value) for value in column.to_pylist()]
                for text, column in zip(strings, part.columns, strict=True)
            ]
            rows = json.dumps([*zip(*values, strict=True)], ensure_ascii=False, separators=(",", ":"))
            yield sql, rows, part.num_rows


def _insert(schema: pyarrow.Schema, table: str) -> str:
    written = columns(schema, SQL_SERVER)
    names = ", ".join(SQL_SERVER.quote(column.name) for column in written)
    read = ", ".join(f"c{number}" for number in range(len(written)))
    types = ", ".join(f"c{number} {column.sql} '$[{number}]'" for number, column in enumerate(written))
    return f"INSERT INTO {table} ({names}) SELECT {read} FROM OPENJSON(@p1) WITH ({types})"


def _text_of(kind: pyarrow.DataType) -> Callable[[Any], Any]:
    """Return the function that writes a value of this type as JSON."""
    from pyarrow import types

    if types.is_decimal(kind):
        return lambda value: f"{value:f}"
    if types.is_binary(kind) or types.is_large_binary(kind):
        return lambda value: base64.b64encode(value).decode()
    return (lambda value: value.isoformat()) if types.is_temporal(kind) else (lambda value: value)
