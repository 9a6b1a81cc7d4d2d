"""Describe a table: its shape, its first rows, and for each column type, missing values, range, distribution.

In: a frame of any library, and the Parquet file that was made of it. A frame of pandas is described as it is;
any other by its file, for frames may be lazy, or streams that are read once. pandas, numpy and pyarrow are
imported only where the frame has brought them. Statistics are those of the first rows of long tables.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Tuple

_ROWS, _COLUMNS = 50, 60
# Rows from which the statistics are made.
_SAMPLE = 100_000
# Rows that are read at once, and bytes that are held at most: cells may be large.
_BATCH, _MOST_BYTES = 1_000, 50_000_000
_BARS = 10
# Kinds of dtypes, in numpy's letters: integers and floats; moments and durations.
_NUMBERS, _TIMES = ("i", "u", "f"), ("M", "m")
# Characters of a cell.
_CELL = 100


def table_shape(value: Any, path: str) -> Tuple[int, int]:
    """Return the number of rows and columns."""
    if _is_pandas(value):
        return int(value.shape[0]), int(value.shape[1])
    with _opened(path) as file:
        return file.metadata.num_rows, len(file.schema_arrow.names)


def table_preview(value: Any, path: str) -> Dict[str, Any]:
    """Return the preview of a table.

    ``columns`` has for each column ``name``, ``dtype``, ``nulls`` (the share that is missing), ``min``,
    ``max`` and ``bars`` (how many values lie in each tenth of that range; none where the column has no
    numbers); ``head`` the first rows; ``rows`` and ``width`` how many rows and columns there are; ``sample``
    how many rows the statistics are made from.
    """
    if _is_pandas(value):
        return _preview_pandas(value)
    with _opened(path) as file:
        return _preview_file(file)


def _is_pandas(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas"


def _opened(path: str) -> Any:
    from pyarrow import parquet

    return parquet.ParquetFile(path)


def _preview_pandas(frame: Any) -> Dict[str, Any]:
    rows = len(frame)
    shown = frame.iloc[:_SAMPLE, :_COLUMNS]
    columns = [_column_of_pandas(str(name), shown[name]) for name in shown.columns]
    head = shown.iloc[:_ROWS]
    cells = [[_cell(cell) for cell in head[name].tolist()] for name in head.columns]
    return _preview(columns, cells, rows, len(shown), frame.shape[1])


def _column_of_pandas(name: str, column: Any) -> Dict[str, Any]:
    known = column.dropna()
    lowest = highest = None
    bars: List[int] = []
    kind = getattr(column.dtype, "kind", "")
    if len(known) and kind in _NUMBERS:
        lowest, highest, bars = _distribution(known.to_numpy())
    elif len(known) and kind in _TIMES:
        lowest, highest = _cell(known.min()), _cell(known.max())
    nulls = 1 - len(known) / len(column) if len(column) else 0.0
    return _column(name, str(column.dtype), nulls, lowest, highest, bars)


def _preview_file(file: Any) -> Dict[str, Any]:
    import pyarrow

    names = file.schema_arrow.names[:_COLUMNS]
    batches, sample, held = [], 0, 0
    for batch in file.iter_batches(batch_size=_BATCH, columns=names):
        batches.append(batch)
        sample, held = sample + batch.num_rows, held + batch.nbytes
        if sample >= _SAMPLE or held >= _MOST_BYTES:
            break
    table = pyarrow.Table.from_batches(batches, file.schema_arrow.empty_table().select(names).schema)
    columns = [_column_of_arrow(name, table.column(name)) for name in names]
    cells = [[_cell(cell) for cell in table.column(name).slice(0, _ROWS).to_pylist()] for name in names]
    return _preview(columns, cells, file.metadata.num_rows, sample, len(file.schema_arrow.names))


def _column_of_arrow(name: str, column: Any) -> Dict[str, Any]:
    import pyarrow
    from pyarrow import compute

    lowest = highest = None
    bars: List[int] = []
    known = column.drop_null()
    if len(known) and (pyarrow.types.is_integer(column.type) or pyarrow.types.is_floating(column.type)):
        lowest, highest, bars = _distribution(known.to_numpy())
    elif len(known) and pyarrow.types.is_temporal(column.type):
        ends = compute.min_max(known).as_py()
        lowest, highest = _cell(ends["min"]), _cell(ends["max"])
    nulls = column.null_count / len(column) if len(column) else 0.0
    return _column(name, str(column.type), nulls, lowest, highest, bars)


def _distribution(values: Any) -> Tuple[Any, Any, List[int]]:
    import numpy

    numbers = numpy.asarray(values, dtype=float)
    finite = numbers[numpy.isfinite(numbers)]
    if not len(finite):
        return None, None, []
    bars = numpy.histogram(finite, bins=_BARS)[0]
    # Integers keep all their digits.
    ends = values.min(), values.max()
    lowest, highest = (_cell(end.item() if hasattr(end, "item") else end) for end in ends)
    return lowest, highest, [int(bar) for bar in bars]


def _column(
    name: str, dtype: str, nulls: float, lowest: Any, highest: Any, bars: List[int]
) -> Dict[str, Any]:
    return {
        "name": name[:_CELL],
        "dtype": dtype[:_CELL],
        "nulls": round(nulls, 4),
        "min": lowest,
        "max": highest,
        "bars": bars,
    }


def _preview(
    columns: List[Dict[str, Any]], cells: List[List[Any]], rows: int, sample: int, width: int
) -> Dict[str, Any]:
    head = [list(row) for row in zip(*cells)] if cells else []
    return {
        "kind": "table",
        "columns": columns,
        "head": head,
        "rows": rows,
        "sample": sample,
        "width": width,
    }


def _cell(value: Any) -> Any:
    """Return a cell as JSON can hold it: a number, a boolean, or text that is cut."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    text = str(value)
    return text if len(text) <= _CELL else f"{text[:_CELL]}..."
