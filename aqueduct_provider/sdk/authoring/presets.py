"""The preset metrics of tables and the bounds of numbers: factories of plain functions.

What a factory returns is packaged like a user's function. It is pickled by value, with what it uses of this
module, for a worker's environment has no ``aqueduct_provider``. Must not import: anything but the standard
library at module level. The results are those of the original, which are floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Metric = Callable[[Any], float]
Check = Callable[[Any], bool]


def missing_in_column(column: Any) -> Metric:
    """Return how many values of a column are missing."""

    def number_of_missing_values(table: Any) -> float:
        return float(_column(table, column).isnull().sum())

    return number_of_missing_values


def missing_in_row(row: Any) -> Metric:
    """Return how many values of a row are missing; rows are counted from 0, whatever the table's index."""

    def number_of_missing_values(table: Any) -> float:
        if row not in range(len(table)):
            raise ValueError(f"the table has no row {row!r}, it has {len(table)} rows, counted from 0")
        return float(table.iloc[int(row)].isnull().sum())

    return number_of_missing_values


def number_of_rows(table: Any) -> float:
    """Return how many rows the table has."""
    return float(len(table))


def column_statistic(statistic: str, column: Any) -> Metric:
    """Return a statistic of a column; missing values do not count.

    :param statistic: ``max``, ``min``, ``mean`` or ``std``, that of a sample.
    """

    def statistic_of_column(table: Any) -> float:
        return float(getattr(_column(table, column), statistic)())

    return statistic_of_column


def bound(comparison: Callable[[Any, Any], Any], limit: float) -> Check:
    """Return whether a number is where it must be.

    :param comparison: of the number with the limit, such as ``operator.lt``.
    """

    def is_within_bound(metric: Any) -> bool:
        return bool(comparison(metric, limit))

    return is_within_bound


def table_requirements() -> tuple[str, ...]:
    """Return what a function needs that takes a table: in the versions that are installed here, if any."""
    return tuple(_pinned(package) for package in ("pandas", "pyarrow"))


def _pinned(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        # A local build has no counterpart in an index.
        return f"{package}=={version(package).partition('+')[0]}"
    except PackageNotFoundError:
        return package


def _column(table: Any, column: Any) -> Any:
    if column not in table.columns:
        names = ", ".join(map(repr, table.columns))
        raise ValueError(f"the table has no column {column!r}, it has: {names}")
    return table[column]
