"""Convert a pandas DataFrame to an Arrow table and back, with a note of what Parquet cannot express.

Columns that survive as they are go through pyarrow's own conversion. Objects, categories and times get an
encoding of their own and an entry in the note, from which :func:`from_arrow` makes them again. A frame that
cannot be kept so raises :class:`NotParquet`: it is pickled as a whole.
"""

from __future__ import annotations

import base64
import importlib
import warnings
from typing import Any, Dict, List, Optional, Tuple

from .codec_error import CodecError, describe
from .exact_json import survives_json
from .object_columns import Note, restore_cells, same_cells, store_cells
from .pandas_dtypes import cast, dtype_note, restored_dtype, same_dtype, same_index
from .pandas_labels import (
    NotParquet,
    attrs_note,
    check_index,
    index_columns,
    index_note,
    index_preview,
    names_note,
    restore_names,
    restored_attrs,
    restored_index,
    without_names,
)
from .parquet_files import Source, Target, in_memory, note, note_of, opened, read_table, write_table
from .pickles import Pickler, unpickle

# numpy's dtypes that come back as they are; units of times are put right afterwards.
_NUMPY_KINDS = "biuMm"
_NUMPY_FLOATS = ("float32", "float64")
_MASKED = "Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float32 Float64 boolean".split()


def write_pandas(frame: Any, target: Target, pickler: Pickler) -> Optional[bytes]:
    """Write a frame as Parquet.

    :param frame: a DataFrame whose column names are different strings.
    :param target: a path; None: in memory.
    :returns: the bytes; None when they went to a file.
    :raises NotParquet: Parquet cannot keep it.
    :raises CodecError: a cell, or what is in ``attrs``, can be kept in no way.
    """
    import pyarrow

    table, facts = _to_arrow(frame, pickler)
    try:
        return write_table(table, note("pandas", **facts), target)
    except pyarrow.ArrowException as exc:
        # Such as seconds beyond what milliseconds can count.
        raise NotParquet(describe(exc)) from exc


def read_pandas(source: Source, facts: Optional[Note]) -> Any:
    """Return the frame in a Parquet file.

    :param facts: the file's note; None for files of other programs, and those of releases before the note.
    """
    import pandas

    if facts is None:
        return pandas.read_parquet(opened(source), engine="pyarrow")
    _register_types()
    table = read_table(source)
    return _from_arrow(table, facts if "names" in facts else _note_of_others(table.schema, facts))


def _register_types() -> None:
    """Tell Arrow of pandas' periods and intervals, as pandas itself does when it first needs them."""
    try:
        importlib.import_module("pandas.core.arrays.arrow.extension_types")
    except ImportError:
        # pandas 1.5 and older.
        importlib.import_module("pandas.core.arrays._arrow_utils")


def preview_pandas(source: Source, facts: Optional[Note]) -> Any:
    """Return the frame without unpickling anything; pickled cells show their size."""
    import pyarrow

    if facts is None or "names" not in facts:
        return read_pandas(source, facts)
    _register_types()
    table, columns = read_table(source), dict(facts["columns"])
    for place, name in enumerate(table.column_names):
        own = columns.get(name, {})
        if own.get("as") == "pickles":
            strings = [f"<pickled, {len(cell):,} bytes>" for cell in table.column(name).to_pylist()]
            table = table.set_column(place, name, pyarrow.array(strings, pyarrow.large_string()))
            columns[name] = {"as": "text"}
        elif "pickle" in own or _has_pickled_categories(own):
            del columns[name]
    shown = {**facts, "columns": columns, "index": index_preview(facts["index"]), "attrs": None}
    return _from_arrow(table, shown)


def _has_pickled_categories(note: Note) -> bool:
    stored = note.get("categories")
    if not stored or stored["kind"] == "pickle":
        return bool(stored)
    facts = note_of(base64.b64decode(stored["data"])) or {}
    return any(own.get("as") == "pickles" or "pickle" in own for own in facts["columns"].values())


def _to_arrow(frame: Any, pickler: Pickler) -> Tuple[Any, Note]:
    import pandas

    if type(frame) is not pandas.DataFrame:
        raise NotParquet(f"it is a {type(frame).__name__}")
    if not frame.flags.allows_duplicate_labels:
        raise NotParquet("it has flags")
    facts: Note = {
        "columns": {},
        "names": names_note(frame.columns),
        "index": index_note(frame.index, pickler),
    }
    if frame.attrs:
        facts["attrs"] = attrs_note(frame.attrs, pickler)
        # Without them: pandas copies them, deeply, whenever it takes a column.
        frame = pandas.DataFrame(frame)
    own = {
        name: stored for name, column in frame.items() if (stored := _own_encoding(column, facts, pickler))
    }
    plain = frame[[name for name in frame.columns if name not in own]]
    if not own.keys().isdisjoint(frame.index.names):
        facts["index"]["names"] = list(frame.index.names)
        plain.index = without_names(frame.index, own)
        if not survives_json(facts["index"]):
            raise NotParquet("its index has names that are more than text")
    table = _converted(plain)
    check_index(frame.index, table, facts["index"])
    _check_plain(plain, table, facts, pickler)
    table = _in_order(frame, table, own)
    if len(frame) and not table.num_columns:
        raise NotParquet("it has rows but no columns")
    return table, facts


def _converted(frame: Any) -> Any:
    import pyarrow

    frame.columns = frame.columns.rename(None)
    try:
        with warnings.catch_warnings():
            # What pyarrow warns of does not come back as it was.
            warnings.simplefilter("error", UserWarning)
            return pyarrow.Table.from_pandas(frame)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError, UserWarning) as exc:
        raise NotParquet(describe(exc)) from exc


def _from_arrow(table: Any, note: Note) -> Any:
    notes = note["columns"]
    own = [name for name, column in notes.items() if "as" in column]
    frame = table.drop(own).to_pandas() if own else table.to_pandas()
    order = [name for name in table.column_names if name in own or name in frame.columns]
    for position, name in enumerate(order):
        if name in own:
            frame.insert(position, name, _restored(table.column(name), notes[name], frame.index))
        elif name in notes and not same_dtype(frame[name].dtype, dtype := restored_dtype(notes[name])):
            frame[name] = cast(frame[name], dtype)
    if "names" in note:
        restore_names(frame, note["names"])
        frame.index = restored_index(frame.index, note["index"])
    frame.attrs = restored_attrs(note.get("attrs"))
    return frame


def _note_of_others(schema: Any, facts: Note) -> Note:
    """Return the note for a table of another library: its lists and structs are Python's, not numpy's.

    :param facts: the file's note; of a table from a data system it may say how cells are restored.
    """
    import pyarrow

    nested = {one.name: {"as": "cells"} for one in schema if pyarrow.types.is_nested(one.type)}
    return {"columns": {**nested, **facts.get("columns", {})}}


# --- columns


def _own_encoding(column: Any, note: Note, pickler: Pickler) -> Any:
    """Array and field metadata of a column that needs more than Arrow's conversion; None of others."""
    import pandas

    metadata: Dict[bytes, bytes] = {}
    if isinstance(column.dtype, pandas.CategoricalDtype):
        array, own = _category(column, pickler)
    elif column.dtype == object:
        array, own, metadata = store_cells(column.name, list(column.array), pickler)
    else:
        return None
    note["columns"][column.name] = own
    return array, metadata


def _restored(array: Any, note: Note, index: Any) -> Any:
    import pandas

    array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    if note["as"] == "category":
        return _restored_category(array, note)
    # A Series, for pandas makes strings of an array of objects.
    return pandas.Series(restore_cells(array, note), index, dtype=object)


def _category(column: Any, pickler: Pickler) -> Tuple[Any, Note]:
    """Return the values as others read them; the note has all categories, in their order."""
    import pyarrow

    categories = column.cat.categories
    if not survives_json([categories.name]):
        raise NotParquet("its categories have a name that is not a string")
    codes = column.cat.codes.to_numpy()
    labels = _labels(categories)
    values = labels.take(pyarrow.array(codes, mask=codes < 0))
    note = {"as": "category", "ordered": bool(column.cat.ordered), "name": categories.name}
    if not _is_plain(categories):
        # Their text is not what it was when it is asked for again: it may hold an address, or a set.
        note["labels"] = labels.to_pylist()
    for dump in (_dumped, _pickled):
        note["categories"] = dump(column.name, categories, pickler)
        if note["categories"] and _category_survives(column, values, note):
            return values, note
    raise NotParquet(f"the categories of column {column.name!r} would change")


def _category_survives(column: Any, values: Any, note: Note) -> bool:
    try:
        restored = _restored_category(values, note)
    except Exception:
        return False  # Older pyarrow cannot look for values of every type.
    return bool(
        same_index(restored.categories, column.cat.categories)
        and getattr(restored.categories, "freq", None) == getattr(column.cat.categories, "freq", None)
        and (restored.codes == column.cat.codes.to_numpy()).all()
    )


def _restored_category(array: Any, note: Note) -> Any:
    import pandas
    import pyarrow.compute

    categories = _loaded(note["categories"], note["name"])
    labels = _labels(categories) if "labels" not in note else _text_array(note["labels"])
    codes = pyarrow.compute.index_in(array.cast(labels.type), labels).fill_null(-1)
    return pandas.Categorical.from_codes(codes.to_numpy(False), categories, ordered=note["ordered"])


def _dumped(_: str, categories: Any, pickler: Pickler) -> Optional[Note]:
    """Return the categories as Parquet; None if that needs a pickle."""
    import pandas

    column = pandas.Series(categories, dtype=categories.dtype)
    try:
        table, facts = _to_arrow(pandas.DataFrame({"categories": column}), pickler)
    except (NotParquet, CodecError):
        return None
    if facts["columns"].get("categories", {}).get("as") == "pickles":
        return None
    data = in_memory(table, note("pandas", **facts))
    return {"kind": "parquet", "data": base64.b64encode(data).decode()}


def _pickled(name: str, categories: Any, pickler: Pickler) -> Note:
    try:
        return {"kind": "pickle", "data": base64.b64encode(pickler(categories)).decode()}
    except CodecError as exc:
        raise CodecError(f"has in column {name!r} categories of which one {exc}") from exc
    except Exception as exc:
        raise CodecError(
            f"has in column {name!r} categories that cannot be stored ({describe(exc)}): turn them into "
            f"text, for instance with table[{name!r}].cat.rename_categories(str)"
        ) from exc


def _loaded(stored: Note, name: Any) -> Any:
    """Return the index of the categories; before note version 3, the pickle was a frame."""
    import pandas

    data = base64.b64decode(stored["data"])
    found = unpickle(data) if stored["kind"] == "pickle" else read_pandas(data, note_of(data))
    if isinstance(found, pandas.Index):
        return found
    return pandas.Index(found["categories"].array, dtype=found["categories"].dtype, name=name)


def _is_plain(categories: Any) -> bool:
    """Return whether they are Arrow's own values: numbers, text and times."""
    return categories.dtype.kind in "biuMm" or str(categories.dtype) in ("str", "string", *_NUMPY_FLOATS)


def _labels(categories: Any) -> Any:
    """Return one Arrow value for each category, different from all others: the category itself, or its text.

    :raises NotParquet: two categories have the same text, or one has no text.
    """
    import pyarrow

    try:
        if _is_plain(categories):
            return pyarrow.array(categories, from_pandas=True)
        strings = [str(category) for category in categories]
        labels = _text_array(strings)
    except Exception as exc:  # Whatever their ``__str__`` raises.
        raise NotParquet(f"Arrow has no value for a category: {describe(exc)}") from exc
    if len(set(strings)) != len(strings):
        raise NotParquet("several of its categories have the same text")
    return labels


def _text_array(strings: List[str]) -> Any:
    import pyarrow

    return pyarrow.array(strings, pyarrow.large_string())


def _check_plain(frame: Any, table: Any, note: Note, pickler: Pickler) -> None:
    """Note the dtypes that Parquet does not keep.

    :raises NotParquet: a column would not come back as it is.
    """

    try:
        restored = table.schema.empty_table().to_pandas()
    except Exception as exc:  # Time zones that it does not know are errors of their libraries' own.
        raise NotParquet(describe(exc)) from exc
    for name, dtype in frame.dtypes.items():
        if not _is_proven(dtype) and not _survives(frame[[name]], dtype):
            raise NotParquet(f"column {name!r} is of type {dtype}")
        if dtype.kind in "Mm":
            note["columns"][name] = dtype_note(dtype, pickler)
        elif _is_string(dtype):
            note["columns"][name] = {"string": [dtype.storage, str(getattr(dtype, "na_value", "<NA>"))]}
        elif not same_dtype(restored[name].dtype, dtype):
            raise NotParquet(f"column {name!r} would be of type {restored[name].dtype}")


def _is_proven(dtype: Any) -> bool:
    """Return whether every value of a dtype is restored; other dtypes are tried with the actual values."""
    import numpy
    import pandas

    if isinstance(dtype, numpy.dtype):
        return dtype.kind in _NUMPY_KINDS or dtype.name in _NUMPY_FLOATS
    return str(dtype) in _MASKED or isinstance(dtype, pandas.DatetimeTZDtype) or _is_string(dtype)


def _is_string(dtype: Any) -> bool:
    import pandas

    return isinstance(dtype, pandas.StringDtype)


def _survives(frame: Any, dtype: Any) -> bool:
    """Return whether Parquet restores a frame of one column."""
    import pyarrow
    import pyarrow.parquet

    try:
        sink = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(pyarrow.Table.from_pandas(frame), sink)
        (name,) = frame.columns
        back = pyarrow.parquet.read_table(pyarrow.BufferReader(sink.getvalue())).to_pandas()[name]
        return bool(same_dtype(back.dtype, dtype) and same_cells(list(frame[name]), list(back)))
    except Exception:
        return False  # An extension type may fail in any way of its own.


def _in_order(frame: Any, table: Any, own: Dict[str, Any]) -> Any:
    """Return the table with the frame's columns in order, those of the index last."""
    import pyarrow

    arrays, fields = [], []
    names = index_columns(table.schema)
    if not own.keys().isdisjoint(names):
        raise NotParquet(f"it has a column of the name {names[0]!r}, which its index needs")
    for name in (*frame.columns, *names):
        if name in own:
            array, metadata = own[name]
            fields.append(pyarrow.field(name, array.type, metadata=metadata or None))
        else:
            array = table.column(name)
            fields.append(table.schema.field(name))
        arrays.append(array)
    if not arrays:
        return table
    return pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields, table.schema.metadata))
