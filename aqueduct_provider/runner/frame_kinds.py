"""Recognize frames without importing their library, and check that their columns have names."""

from __future__ import annotations

from typing import Any, List

from .codec_error import CodecError

# Class -> the name under which files and readers say whose frame it is. Only the top-level package counts:
# libraries move their classes between modules.
_LIBRARIES = {
    "pandas.DataFrame": "pandas",
    "polars.DataFrame": "polars",
    "polars.LazyFrame": "polars.LazyFrame",
    "pyarrow.Table": "pyarrow",
    "pyarrow.RecordBatch": "pyarrow.RecordBatch",
    "pyarrow.RecordBatchReader": "pyarrow.RecordBatchReader",
    "duckdb.DuckDBPyRelation": "duckdb",
    "_duckdb.DuckDBPyRelation": "duckdb",
}

# As what a reader may ask for a frame.
VIEWS = tuple(dict.fromkeys(_LIBRARIES.values()))


def library_of(kind: Any) -> str:
    """Return the name of a frame's class, one of :data:`VIEWS`; empty for any other class."""
    if not isinstance(kind, type):
        return ""
    names = (f"{base.__module__.partition('.')[0]}.{base.__qualname__}" for base in kind.__mro__)
    return next((_LIBRARIES[name] for name in names if name in _LIBRARIES), "")


def check_columns(names: List[Any]) -> None:
    """Raises :class:`CodecError` unless the columns' names are strings, each of its own."""
    others = [repr(name) for name in names if not isinstance(name, str)]
    if others:
        raise CodecError(
            f"Non-String column names are not supported: {', '.join(others)}. "
            "Rename them, for instance with table.rename(columns=str)."
        )
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise CodecError(f"has several columns of the same name: {', '.join(twice)}. Rename or drop them.")
