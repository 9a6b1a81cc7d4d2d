"""Decimals of databases: those that a driver gives as text, and all of them as floats where users ask for it.

How many digits text needs is known when the last value has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.errors import StatementRefused

if TYPE_CHECKING:
    import pyarrow

# Digits that Arrow's largest decimal has.
_MAX_DIGITS = 76
_PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
_ANY_NUMBER = r"(?i)^-?([0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|nan|inf|infinity)$"


@dataclass
class Digits:
    """How many digits the values of a decimal column need."""

    whole: int = 1
    scale: int = 0
    is_plain: bool = True
    is_number: bool = True

    def add(self, column: pyarrow.Array) -> None:
        """Count the digits of some more values."""
        import pyarrow.compute as pc

        if column.null_count == len(column):
            return
        self.is_plain = self.is_plain and _all_match(column, _PLAIN_NUMBER)
        self.is_number = self.is_number and (self.is_plain or _all_match(column, _ANY_NUMBER))
        length, point = pc.utf8_length(column), pc.find_substring(column, ".")
        fraction = pc.if_else(pc.less(point, 0), 0, pc.subtract(pc.subtract(length, point), 1))
        self.scale = max(self.scale, pc.max(fraction).as_py())
        whole = pc.if_else(pc.less(point, 0), length, point)
        self.whole = max(self.whole, pc.max(whole).as_py())

    def type(self) -> pyarrow.DataType:
        """Return a decimal type, or float if NaN or infinity is among the values.

        Text where Arrow's decimals have too few digits, or a value is not a number, as SQLite allows.
        """
        import pyarrow as pa

        if not self.is_plain:
            return pa.float64() if self.is_number else pa.string()
        digits = self.whole + self.scale
        if digits <= 38:
            return pa.decimal128(38, self.scale)
        return pa.decimal256(digits, self.scale) if digits <= _MAX_DIGITS else pa.string()


def _all_match(column: pyarrow.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    return pc.all(pc.match_substring_regex(column, pattern)).as_py() is True


def with_floats(data: Batches) -> Batches:
    """Return a table whose columns of decimals are floats: each the nearest one.

    Reading its batches raises ``StatementRefused`` where a value is not a number, as SQLite allows.
    """
    import pyarrow as pa

    schema, places = data.schema, []
    for place, column in enumerate(data.schema):
        if pa.types.is_decimal(column.type) or (column.metadata or {}).get(KIND) == b"decimal":
            places.append(place)
            schema = schema.set(place, pa.field(column.name, pa.float64()))
    return Batches(schema, _converted(data, schema, places)) if places else data


def _converted(data: Batches, schema: pyarrow.Schema, places: list[int]) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow as pa

    for batch in data.batches:
        columns = list(batch.columns)
        for place in places:
            try:
                # By way of text, for Arrow's own conversion of decimals gives floats beside the nearest.
                columns[place] = columns[place].cast(pa.string()).cast(pa.float64())
            except pa.ArrowInvalid as error:
                raise StatementRefused(
                    f"The column {schema.names[place]!r} cannot be read as floats: {error}. Read it without "
                    'decimals="float".'
                ) from error
        yield pa.record_batch(columns, schema=schema)
