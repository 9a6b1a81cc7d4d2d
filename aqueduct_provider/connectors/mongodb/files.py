"""Convert documents to the files of table artifacts and back.

Out of MongoDB: the text that the runner's codec ``bson_table`` writes, and the schema that pandas has for it,
without holding the documents. A table's cells depend on all its documents - a field that is missing once is
NaN there, and makes floats of the integers - so documents go to a file first, and what was seen of each
column is kept. Into MongoDB: the rows of a stored table of any kind, as documents.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from aqueduct_provider.connectors.tables.arrow_types import is_pickled, pickled_column, pickled_table
from aqueduct_provider.connectors.tables.model import KIND
from aqueduct_provider.errors import LoadRefused
from aqueduct_provider.runner.codecs import CodecError, decode
from aqueduct_provider.runner.contract import OutputInfo
from aqueduct_provider.runner.pandas_labels import index_columns

if TYPE_CHECKING:
    import pyarrow

Document = dict[str, Any]

_ROWS = 4096
_BLOCK = 1 << 20
_NAN = float("nan")


# --- out of MongoDB


def write_bson_table(documents: Iterator[Document], folder: Path, path: str) -> OutputInfo:
    """Write documents as the table that pandas makes of them.

    :param path: of the file, in the folder.
    :returns: what the artifact's metadata says.
    """
    with tempfile.TemporaryFile(dir=folder) as spool:
        columns, rows = _spool(documents, spool)
        dtypes = {name: column.dtype() for name, column in columns.items()}
        spool.seek(0)
        with (folder / path).open("w", encoding="utf-8") as file:
            _write_records(spool, dtypes, file)
    schema = [{name: dtype} for name, dtype in dtypes.items()]
    glance = {"rows": rows, "columns": len(schema)}
    return OutputInfo(path, "table", "bson_table", "DataFrame", "bson_table/v1", schema, glance)


@dataclass
class _Column:
    """Facts about a column, collected from its values.

    :param seen: one value of each kind, for which pandas finds the same dtype as for all of them.
    """

    seen: dict[Any, Any] = field(default_factory=dict)
    count: int = 0

    def see(self, value: Any) -> None:
        self.count += 1
        kind = type(value)
        if kind is float and math.isnan(value):
            self.seen["missing"] = value
        elif kind is datetime:
            self.seen["first"] = min(self.seen.get("first", value), value)
            self.seen["last"] = max(self.seen.get("last", value), value)
        elif kind not in self.seen:
            self.seen[kind] = kind() if kind in (dict, list) else value

    def dtype(self) -> str:
        import pandas

        found = str(pandas.DataFrame([{"x": value} for value in self.seen.values()]).dtypes["x"])
        return "object" if found == "str" else found


def _spool(documents: Iterator[Document], spool: IO[bytes]) -> tuple[Mapping[str, _Column], int]:
    """Write the documents to a file; return their columns, and how many documents there are."""
    import bson
    from bson.binary import UuidRepresentation
    from bson.codec_options import CodecOptions

    options = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
    columns: dict[str, _Column] = {}
    count = 0
    for document in documents:
        count += 1
        spool.write(bson.encode(document, codec_options=options))
        for name, value in document.items():
            columns.setdefault(name, _Column()).see(value)
    for column in columns.values():
        if column.count < count:
            column.see(_NAN)
    return columns, count


def _write_records(spool: IO[bytes], dtypes: Mapping[str, str], file: IO[str]) -> None:
    import bson
    from bson import json_util

    convert = {name: _cell(dtype) for name, dtype in dtypes.items()}
    between = "["
    for document in bson.decode_file_iter(spool):
        record = {name: cell(document.get(name, _NAN)) for name, cell in convert.items()}
        file.write(between + json_util.dumps(record))
        between = ", "
    file.write("[]" if between == "[" else "]")


def _cell(dtype: str) -> Callable[[Any], Any]:
    """Return the function that converts values of a column of this dtype."""
    if dtype == "float64":
        return lambda value: _NAN if value is None else float(value)
    if dtype.startswith("datetime64"):
        return lambda value: value if isinstance(value, datetime) else None
    return lambda value: value


# --- into MongoDB


def stored_documents(path: Path, serialization_type: str) -> Iterator[Document]:
    """Yield the rows of a stored table; what is missing in it is null.

    Dates become midnights, times of day text, decimals ``Decimal128``, UUIDs ``Binary``, and JSON of other
    databases what it holds.

    :param serialization_type: ``parquet``, ``table`` or ``bson_table``.
    :raises LoadRefused: the file cannot be read, or a value has no BSON type.
    """
    if serialization_type == "pickle":
        raise pickled_table()
    readers = {"parquet": _parquet_rows, "bson_table": _bson_rows}
    for row in readers.get(serialization_type, _decoded_rows)(path):
        yield {name: _top(name, value) for name, value in row.items()}


def _top(name: str, value: Any) -> Any:
    if value is None or value != value:
        return None
    try:
        return _bson(value)
    except ArithmeticError as error:
        raise LoadRefused(
            f"Column {name!r} has a number of more digits than the 34 of MongoDB's decimals. Round it, or "
            "convert the column to text."
        ) from error


def _bson(value: Any) -> Any:
    """Return the value as a type that BSON has."""
    from bson import Binary, Decimal128

    match value:
        case dict():
            return {name: _bson(inner) for name, inner in value.items()}
        case list():
            return [_bson(inner) for inner in value]
        case Decimal():
            return Decimal128(value)
        case uuid.UUID():
            return Binary.from_uuid(value)
        case time():
            return value.isoformat()
        case date() if not isinstance(value, datetime):
            return datetime.combine(value, time())
    return value


def _parquet_rows(path: Path) -> Iterator[Document]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        index = index_columns(file.schema_arrow)
        columns = [column for column in file.schema_arrow if column.name not in index]
        for column in columns:
            if is_pickled(column):
                raise pickled_column(column.name)
        parsers = {column.name: parse for column in columns if (parse := _parser(column))}
        for batch in file.iter_batches(batch_size=_ROWS, columns=[column.name for column in columns]):
            for row in batch.to_pylist():
                yield row | {name: parse(row[name]) for name, parse in parsers.items() if row[name]}


def _parser(column: pyarrow.Field) -> Callable[[str], Any] | None:
    """Return the function that turns text of this column into its value; None: it stays text."""
    from bson import json_util

    parsers: dict[bytes, Callable[[str], Any]] = {
        b"json": json.loads,
        b"bson": json_util.loads,
        b"uuid": uuid.UUID,
    }
    return parsers.get((column.metadata or {}).get(KIND, b""))


def _decoded_rows(path: Path) -> Iterator[Document]:
    try:
        table = decode(path.read_bytes(), "table", "table")
    except CodecError as error:
        raise LoadRefused(f"The artifact {error}.") from error
    for start in range(0, len(table), _ROWS):
        rows = table.iloc[start : start + _ROWS].astype(object)
        yield from rows.where(rows.notna(), None).to_dict(orient="records")


def _bson_rows(path: Path) -> Iterator[Document]:
    """Yield the elements of a list of Extended JSON, one by one."""
    from bson import json_util
    from bson.errors import BSONError

    decoder = json.JSONDecoder(
        object_hook=lambda found: json_util.object_hook(found, json_util.DEFAULT_JSON_OPTIONS)
    )
    try:
        with path.open(encoding="utf-8") as file:
            yield from _elements(file, decoder)
    except (BSONError, TypeError, ValueError) as error:
        raise LoadRefused(f"The artifact cannot be read as bson_table: {error}.") from error


def _elements(file: IO[str], decoder: json.JSONDecoder) -> Iterator[Document]:
    text, position = "", 0
    while True:
        between = re.compile(r"[\s\[,]*").match(text, position)
        position = between.end() if between else position
        try:
            element, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError:
            # An element that is not all there yet, or the end.
            block = file.read(max(_BLOCK, len(text)))
            if not block and text[position:].strip() != "]":
                raise
            if not block:
                return
            text, position = text[position:] + block, 0
        else:
            if not isinstance(element, dict):
                raise TypeError("it is not a list of documents")
            yield element
