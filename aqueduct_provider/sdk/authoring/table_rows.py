"""The first rows of a table of any library, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.numbers import counted

if TYPE_CHECKING:
    import pandas


def first_rows(table: Any, count: int) -> Any:
    """Return the first rows as a frame of the table's own library; of a stream, as an Arrow table.

    :param count: how many, at most.
    """
    if hasattr(table, "head"):
        return table.head(count)
    if hasattr(table, "limit"):
        return table.limit(count)
    if hasattr(table, "slice"):
        return table.slice(0, count)
    import pyarrow

    batch = next(iter(table), None)
    return pyarrow.Table.from_batches([] if batch is None else [batch], table.schema).slice(0, count)


def shown_rows(table: Any, count: int) -> tuple[pandas.DataFrame, str]:
    """Return the first rows as a DataFrame of pandas, and the table's shape in words.

    :param count: how many, at most.
    """
    rows = _as_pandas(first_rows(table, count))
    columns = counted(len(rows.columns), "column")
    # Lazy frames and streams do not know how many they are.
    return rows, f"{counted(len(table), 'row')} x {columns}" if hasattr(table, "__len__") else columns


def _as_pandas(rows: Any) -> pandas.DataFrame:
    import pandas

    from aqueduct_provider.runner.codecs import CodecError
    from aqueduct_provider.runner.frames import as_view

    try:
        frame: pandas.DataFrame = as_view(rows, "pandas")
    except CodecError:
        # Types that only its library has: as that prints them.
        return pandas.DataFrame({"": str(rows).splitlines()})
    return frame
