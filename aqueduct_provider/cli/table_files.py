"""Tables as text, as rows for programs, and as files.

An index that says something, such as the groups of a ``groupby``, comes first, as columns.
"""

from __future__ import annotations

import datetime
import decimal
import io
import json
import math
from collections.abc import Callable
from typing import Any

from aqueduct_provider.artifacts.numbers import counted
from aqueduct_provider.cli.command import UsageError

_ROWS = 60
# What JSON has itself; booleans are integers.
_PLAIN = (str, int, type(None))
_TIMES = (datetime.date, datetime.time)


def table_text(table: Any) -> str:
    """Return a table for a terminal; of a long one its beginning and its end."""
    shown = with_index(table)
    rows, columns = counted(shown.shape[0], "row"), counted(shown.shape[1], "column")
    return f"{shown.to_string(max_rows=_ROWS, index=False)}\n\n{rows} x {columns}"


def table_rows(table: Any) -> list[dict[str, Any]]:
    """Return a list of rows that JSON can hold; null where a value is missing, or NaN or infinity."""
    shown = with_index(table)
    names = [str(name) for name in shown.columns]
    columns = [_json_cells(shown.iloc[:, place]) for place in range(len(names))]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def table_file(table: Any, suffix: str) -> bytes:
    """Return the bytes of a file with this suffix.

    :raises UsageError: a table cannot be such a file.
    """
    if suffix not in _WRITERS:
        raise UsageError(f"a table is written as .csv, .parquet or .json, not as {suffix!r}")
    try:
        return _WRITERS[suffix](table)
    # What pandas and pyarrow raise for cells and names that the format has no place for.
    except (ValueError, TypeError, NotImplementedError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        others = " or ".join(sorted(_WRITERS.keys() - {suffix}))
        raise UsageError(f"the table cannot be written as {suffix} ({reason}); try {others}") from error


def with_index(table: Any) -> Any:
    """Return the table with its index as leading columns; without one that only counts the rows."""
    import pandas

    index = table.index
    if index.name is None and index.dtype.kind == "i" and index.equals(pandas.RangeIndex(len(table))):
        return table
    names: list[str] = []
    for level, name in enumerate(index.names):
        default = "index" if index.nlevels == 1 else f"level_{level}"
        names.append(_free(default if name is None else str(name), [*table.columns, *names]))
    return index.set_names(names).to_frame(index=False).join(table.reset_index(drop=True))


def _free(name: str, taken: list[Any]) -> str:
    """Return a name for a level of the index that no column has."""
    while name in taken:
        name = f"index_{name}"
    return name


def _json_cells(column: Any) -> list[Any]:
    # Integers and booleans of numpy need no look at each.
    is_plain = getattr(column.dtype, "kind", "") in "iub" and not hasattr(column.dtype, "na_value")
    return column.tolist() if is_plain else list(map(json_cell, column.astype(object)))


def json_cell(cell: Any) -> Any:
    """Return a cell, or any value, as JSON holds it; other values become the text that a CSV file has."""
    if isinstance(cell, _PLAIN):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, decimal.Decimal):
        return _json_decimal(cell)
    import numpy
    import pandas

    if cell is pandas.NaT or cell is pandas.NA:
        return None
    if isinstance(cell, (list, tuple, numpy.ndarray)):
        return [json_cell(item) for item in cell]
    if isinstance(cell, dict):
        return {str(key): json_cell(item) for key, item in cell.items()}
    if isinstance(cell, (numpy.bool_, numpy.number)) and not isinstance(cell, numpy.timedelta64):
        return json_cell(cell.item()) if not numpy.iscomplexobj(cell) else str(cell)
    return cell.isoformat() if isinstance(cell, (*_TIMES, pandas.Timedelta)) else str(cell)


def _json_decimal(number: decimal.Decimal) -> float | str | None:
    """Return a number where a float has all of its digits, else its text."""
    if not number.is_finite():
        return None
    return float(number) if decimal.Decimal(repr(float(number))) == number else str(number)


def _csv(table: Any) -> bytes:
    return str(with_index(table).to_csv(index=False)).encode("utf-8")


def _json(table: Any) -> bytes:
    return json.dumps(table_rows(table), separators=(",", ":")).encode("ascii")


def _parquet(table: Any) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[Any], bytes]] = {".csv": _csv, ".json": _json, ".parquet": _parquet}
