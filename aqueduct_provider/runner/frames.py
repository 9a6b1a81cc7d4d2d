"""Store tables of every library as Parquet: pandas, polars, pyarrow, DuckDB, any other Arrow stream.

A frame comes back as what it was where its library is installed, or as what its reader asks for
(``frame_kinds.VIEWS``).
"""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any, Callable, Dict

from . import arrow_frames
from .arrow_frames import Stored
from .codec_error import CodecError
from .frame_kinds import check_columns, library_of
from .parquet_files import Source, Target, note_of
from .pickles import Pickler, dump_pickle


def is_frame(value: Any) -> bool:
    """Check for a table of any library, or a generator, which may yield Arrow batches.

    A series has the same protocol as a frame, but neither columns nor a schema.
    """
    if isinstance(value, types.GeneratorType) or library_of(type(value)):
        return True
    if isinstance(value, type) or not hasattr(value, "__arrow_c_stream__"):
        return False
    return any(hasattr(value, name) for name in ("columns", "column_names", "schema"))


def write_frame(value: Any, target: Target, pickler: Pickler) -> Stored:
    """Write a frame as Parquet; pickled, where Parquet cannot keep it.

    :param target: a path; None: in memory.
    :raises CodecError: it can be kept in no way.
    """
    if not _is_installed("pyarrow"):
        return "pickle", pickler(value), []
    if isinstance(value, types.GeneratorType):
        return arrow_frames.write_generator(value, target)
    library = library_of(type(value))
    if library.startswith("polars") and not type(value).__module__.startswith("polars"):
        # A class of the user's, derived from one of polars: Parquet would give back the latter.
        return "pickle", pickler(value), []
    return _WRITERS.get(library, arrow_frames.write_stream)(value, library, target, pickler)


def read_frame(source: Source, view: str = "") -> Any:
    """Return the frame in a Parquet file.

    :param view: as which library's frame; empty: as what it was, where its library is installed; else as a
        DataFrame of pandas, else as an Arrow table.
    """
    facts = note_of(source)
    if not view:
        made = facts["library"] if facts else "pandas"
        view = next(name for name in (made, "pandas", "pyarrow") if name in _READERS and _is_installed(name))
    return _READERS[view](source, facts)


def as_view(value: Any, view: str) -> Any:
    """Return a frame that is not stored as Parquet as another library's frame.

    :raises CodecError: Parquet, by which it would become the other, cannot keep it.
    """
    if library_of(type(value)) == view:
        return value
    kind, data, _ = write_frame(value, None, dump_pickle)
    if data is None or kind != "parquet":
        raise CodecError(
            f"is a {type(value).__name__} that Parquet cannot keep, so it cannot be given as {view}: take it "
            "as what it is, by leaving out the annotation"
        )
    return read_frame(data, view)


def read_parquet(data: bytes) -> Any:
    """Read a Parquet file of any origin as a pandas DataFrame."""
    return _read_pandas(data, note_of(data))


def preview_frame(data: bytes) -> Any:
    """Return a Parquet file of any library as a DataFrame to look at; nothing in it is unpickled."""
    from .pandas_tables import preview_pandas

    return preview_pandas(data, note_of(data))


def _is_installed(library: str) -> bool:
    package = library.partition(".")[0]
    if package in sys.modules:
        return sys.modules[package] is not None
    return importlib.util.find_spec(package) is not None


def _write_pandas(value: Any, _: str, target: Target, pickler: Pickler) -> Stored:
    from .pandas_labels import NotParquet
    from .pandas_tables import write_pandas

    check_columns(list(value.columns))
    schema = [{name: str(dtype)} for name, dtype in value.dtypes.items()]
    try:
        return "parquet", write_pandas(value, target, pickler), schema
    except NotParquet:
        return "pickle", pickler(value), schema


def _read_pandas(source: Source, facts: Any) -> Any:
    from .pandas_tables import read_pandas

    return read_pandas(source, facts)


_WRITERS: Dict[str, Callable[[Any, str, Target, Pickler], Stored]] = {
    "pandas": _write_pandas,
    "polars": arrow_frames.write_polars,
    "polars.LazyFrame": arrow_frames.write_lazy,
    "pyarrow": arrow_frames.write_table,
    "pyarrow.RecordBatch": arrow_frames.write_table,
}

_READERS: Dict[str, Callable[[Source, Any], Any]] = {
    "pandas": _read_pandas,
    "polars": arrow_frames.read_polars,
    "polars.LazyFrame": arrow_frames.read_lazy,
    "pyarrow": arrow_frames.read_table,
    "pyarrow.RecordBatch": arrow_frames.read_batch,
    "pyarrow.RecordBatchReader": arrow_frames.read_reader,
    "duckdb": arrow_frames.read_duckdb,
}
