"""Describe a table: its shape, its first rows, and for each column type, missing values, range, distribution.

In: a frame of any library, and the Parquet file that was made of it. A frame of pandas is described as it is;
any other by its file, for frames may be lazy, or streams that are read once. pandas, numpy and pyarrow are
imported only where the frame has brought them. Statistics are those of the first rows of long tables.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from .column_statistics import cell, of_arrow, of_pandas

_ROWS, _COLUMNS = 50, 60
# Rows from which the statistics are made.
_SAMPLE = 100_000
# Rows that are read at once, and bytes that are held at most: cells may be large.
_BATCH, _MOST_BYTES = 1_000, 50_000_000
# Characters of a column's name, and levels of an index.
_NAME, _LEVELS = 100, 10


def table_shape(value: Any, path: str) -> Tuple[int, int]:
    """Return the number of rows and columns."""
    if _is_pandas(value):
        return int(value.shape[0]), int(value.shape[1])
    with _opened(path) as file:
        return file.metadata.num_rows, len(file.schema_arrow.names)


def table_preview(value: Any, path: str) -> Dict[str, Any]:
    """Return the preview of a table.

    ``columns`` has for each column ``name`` and the statistics of ``column_statistics.py``, first those of an
    index that says something, with ``index``; ``head`` the first rows; ``rows`` and ``width`` how many rows
    and columns there are; ``sample`` how many rows the statistics are made from.
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
    index = _telling_levels(frame)
    shown = frame.iloc[:_SAMPLE, : max(0, _COLUMNS - len(index))]
    levels = [shown.index.get_level_values(level).to_frame(index=False).iloc[:, 0] for level in index]
    parts = [*levels, *(shown.iloc[:, place] for place in range(shown.shape[1]))]
    names = [*(_level_name(frame.index, level) for level in index), *map(str, shown.columns)]
    columns = [_column(name, of_pandas(part)) for name, part in zip(names, parts)]
    for column in columns[: len(index)]:
        column["index"] = True
    cells = [[cell(one) for one in part.iloc[:_ROWS].tolist()] for part in parts]
    return _preview(columns, cells, len(frame), len(shown), frame.shape[1])


def _telling_levels(frame: Any) -> List[int]:
    """Return the levels of an index that says something: not one that counts the rows from 0."""
    index = frame.index
    counts = type(index).__name__ == "RangeIndex" and index.name is None
    if counts and index.start == 0 and index.step == 1:
        return []
    return list(range(index.nlevels))[:_LEVELS]


def _level_name(index: Any, level: int) -> str:
    name = index.names[level]
    return str(name) if name is not None else "index" if index.nlevels == 1 else f"level {level}"


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
    columns = [_column(name, of_arrow(table.column(name))) for name in names]
    cells = [[cell(one) for one in table.column(name).slice(0, _ROWS).to_pylist()] for name in names]
    return _preview(columns, cells, file.metadata.num_rows, sample, len(file.schema_arrow.names))


def _column(name: str, statistics: Dict[str, Any]) -> Dict[str, Any]:
    return {"name": name[:_NAME], **statistics, "dtype": statistics["dtype"][:_NAME]}


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
