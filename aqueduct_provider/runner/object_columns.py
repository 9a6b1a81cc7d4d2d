"""Store DataFrame columns of Python objects as Parquet columns that restore them exactly.

An encoding is tried, read back and compared cell by cell, value and type: the first that gives back what
went in is taken. The order is that of usefulness to others: a type of Arrow's, JSON text, and last a pickle
of each cell, which only Python reads. The note that each encoding leaves says how its cells are restored.
"""

from __future__ import annotations

import json
import pickle
import sys
import uuid
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from .codec_error import CodecError, describe
from .exact_json import is_finite_json, is_tree, same, survives_json
from .parquet_files import changed_fields
from .pickles import Pickler, unpickle

# In a field's metadata, for the data systems: what a text or binary column really is.
KIND = b"aqueduct:kind"
# Also in a field's metadata, of text that is JSON: some cells are text, the others numbers or booleans.
CELLS = b"aqueduct:cells"

Note = Dict[str, Any]
# The Arrow array, the note, and what the field's metadata says of it.
Stored = Tuple[Any, Note, Dict[bytes, bytes]]


def store_cells(name: str, cells: List[Any], pickler: Pickler) -> Stored:
    """Return the cells of one column as an Arrow array from which :func:`restore_cells` gives them back.

    :param name: of the column, for the error.
    :param cells: one Python object for each row.
    :raises CodecError: a cell can be kept in no way; the message names column and row.
    """
    is_text = set(map(type, cells)) == _TEXT
    missing = "none" if is_text else _missing(cells)
    if not is_text and not all(map(is_tree, cells)):
        # Only a pickle keeps what is shared, or holds itself.
        return _as_pickles(name, cells, pickler)
    for store in (_as_text, _as_scalars, _as_arrow, _as_arrays, _as_json, _as_extended_json):
        stored = store(cells, missing)
        if stored is not None:
            array, note, metadata = stored
            if missing in _MISSING:
                note = {**note, "missing": missing}
            return array, note, metadata
    return _as_pickles(name, cells, pickler)


def same_cells(cells: List[Any], others: List[Any]) -> bool:
    """Check that two columns hold the same values of the same types, missing ones included."""
    return len(cells) == len(others) and all(map(_alike, cells, others))


def restore_cells(array: Any, note: Note) -> List[Any]:
    """Return the stored cells."""
    cells = _RESTORE[note["as"]](array, note)
    if "missing" not in note:
        return cells
    substitute = _MISSING[note["missing"]]()
    return [substitute if cell is None else cell for cell in cells]


# --- what a missing cell is


def _nan() -> Any:
    return float("nan")


def _not_available() -> Any:
    import pandas

    return pandas.NA


def _not_a_time() -> Any:
    import pandas

    return pandas.NaT


# Parquet has one null; a DataFrame has four, of which a column mostly uses one.
_MISSING: Dict[str, Callable[[], Any]] = {"nan": _nan, "NA": _not_available, "NaT": _not_a_time}


def _missing(cells: List[Any]) -> str:
    """Return the kind of missing cells: ``none`` for None or no such cells, ``mixed`` for several kinds."""
    kinds = {kind for kind in map(_missing_kind, cells) if kind}
    if len(kinds) > 1:
        return "mixed"
    return kinds.pop() if kinds else "none"


def _missing_kind(cell: Any) -> str:
    if cell is None:
        return "none"
    kind = type(cell)
    if kind is float and cell != cell:
        return "nan"
    name = kind.__name__
    return {"NAType": "NA", "NaTType": "NaT"}.get(name, "") if name in ("NAType", "NaTType") else ""


def _bare(cells: List[Any], missing: str) -> List[Any]:
    """Return the cells with None for missing ones, if they are all missing in the same way."""
    if missing in ("none", "mixed"):
        return cells
    return [None if _missing_kind(cell) else cell for cell in cells]


# --- the ways to keep a column

_TEXT = {str}


def _as_text(cells: List[Any], missing: str) -> Optional[Stored]:
    import pyarrow

    bare = _bare(cells, missing)
    if missing == "mixed" or set(map(type, bare)) not in (_TEXT, _TEXT | {type(None)}):
        return None
    try:
        return pyarrow.array(bare, pyarrow.large_string()), {"as": "text"}, {}
    except (pyarrow.ArrowException, UnicodeError):
        return None  # Surrogates, which UTF-8 cannot hold.


def _as_arrow(cells: List[Any], missing: str) -> Optional[Stored]:
    """Store cells as an Arrow type: numbers, dates, decimals, bytes, lists and structs of one shape."""
    return _tried(cells, missing, {"as": "cells"}, _bare(cells, missing))


def _as_scalars(cells: List[Any], missing: str) -> Optional[Stored]:
    """Cells of one class that is made of something that Arrow has: numpy's scalars, pandas' times, UUIDs."""
    kinds = set(map(type, _present(cells)))
    if len(kinds) != 1:
        return None
    name = _class_name(kinds.pop())
    if name not in _SCALARS:
        return None
    plain, _, metadata = _SCALARS[name]
    bare = [None if cell is None else plain(cell) for cell in _bare(cells, missing)]
    stored = _tried(cells, missing, {"as": "scalars", "class": name, **_times_note(cells)}, bare)
    return stored and (stored[0], stored[1], metadata)


def _times_note(cells: List[Any]) -> Note:
    """Return the unit and zone of pandas' times if all share them."""
    facts = {(getattr(cell, "unit", None), str(getattr(cell, "tz", None))) for cell in _present(cells)}
    if len(facts) != 1:
        return {}
    unit, zone = facts.pop()
    return {**({"unit": unit} if unit else {}), **({} if zone == "None" else {"zone": zone})}


def _as_arrays(cells: List[Any], missing: str) -> Optional[Stored]:
    """Store one-dimensional numpy arrays of one dtype, such as embeddings."""
    present = _present(cells)
    if not present or {_class_name(type(cell)) for cell in present} != {"numpy.ndarray"}:
        return None
    dtypes = {str(cell.dtype) for cell in present if cell.ndim == 1}
    if len(dtypes) != 1 or any(cell.ndim != 1 for cell in present):
        return None
    bare = [None if cell is None else list(cell) for cell in _bare(cells, missing)]
    return _tried(cells, missing, {"as": "arrays", "dtype": dtypes.pop()}, bare)


def _as_json(cells: List[Any], missing: str) -> Optional[Stored]:
    """JSON text for each cell: dicts of many shapes, columns that mix numbers and text."""
    import pyarrow

    bare = _bare(cells, missing)
    present = _present(bare)
    if missing == "mixed" or any(type(cell) is tuple for cell in present):
        return None
    if not all(survives_json(cell) and is_finite_json(cell) for cell in present):
        return None
    strings = [None if cell is None else json.dumps(cell, ensure_ascii=False) for cell in bare]
    try:
        array = pyarrow.array(strings, pyarrow.large_string())
    except UnicodeError:
        return None
    kinds = set(map(type, present))
    is_mixed = str in kinds and kinds.isdisjoint((list, dict))
    return array, {"as": "json"}, {KIND: b"json", **({CELLS: b"json"} if is_mixed else {})}


def _as_extended_json(cells: List[Any], missing: str) -> Optional[Stored]:
    """MongoDB's JSON for each cell: object ids and what else only BSON has, also inside dicts and lists."""
    if missing == "mixed" or "bson" not in sys.modules or not any(map(_holds_bson, cells)):
        return None
    import pyarrow
    from bson import json_util

    bare = _bare(cells, missing)
    try:
        strings = [None if cell is None else json_util.dumps(cell) for cell in bare]
        array = pyarrow.array(strings, pyarrow.large_string())
        back = _from_extended_json(array, {})
    except Exception:
        return None  # BSON has no such type.
    return (array, {"as": "bson"}, {KIND: b"bson"}) if same_cells(back, bare) else None


def _holds_bson(cell: Any) -> bool:
    if isinstance(cell, (list, dict)):
        return any(map(_holds_bson, cell.values() if isinstance(cell, dict) else cell))
    return type(cell).__module__.partition(".")[0] == "bson"


def _as_pickles(name: str, cells: List[Any], pickler: Pickler) -> Stored:
    import pyarrow

    data = [_pickled(name, row, cell, pickler) for row, cell in enumerate(cells)]
    return pyarrow.array(data, pyarrow.large_binary()), {"as": "pickles"}, {KIND: b"pickle"}


def _pickled(name: str, row: int, cell: Any, pickler: Pickler) -> bytes:
    try:
        # Plain values need no help, and pickle is many times faster.
        return pickle.dumps(cell) if type(cell) in _PLAIN else pickler(cell)
    except CodecError as exc:
        raise CodecError(f"has in column {name!r}, row {row}, a value that {exc}") from exc
    except Exception as exc:
        raise CodecError(
            f"has in column {name!r}, row {row}, a {type(cell).__name__} that cannot be stored "
            f"({describe(exc)}): leave it out, or turn it into numbers, text or bytes"
        ) from exc


_PLAIN = (str, int, float, bool, bytes, type(None))


def _tried(cells: List[Any], missing: str, note: Note, bare: List[Any]) -> Optional[Stored]:
    """Return Arrow's conversion of the cells, unless it does not restore them exactly."""
    import pyarrow

    if missing == "mixed":
        return None
    try:
        array = pyarrow.array(bare)
        if changed_fields(pyarrow.schema([("cells", array.type)])):
            return None
        full = note if missing == "none" else {**note, "missing": missing}
        restored = restore_cells(array, full)
    except Exception:
        return None  # Arrow has no type for them, or no value in it.
    return (array, note, {}) if same_cells(cells, restored) else None


def _alike(cell: Any, restored: Any) -> bool:
    if cell is restored:
        return True
    if _class_name(type(cell)) == "numpy.ndarray":
        return type(cell) is type(restored) and _facts(cell) == _facts(restored)
    return same(cell, restored)


def _facts(array: Any) -> Tuple[Any, ...]:
    return array.dtype, array.shape, array.tobytes()


def _present(cells: List[Any]) -> List[Any]:
    return [cell for cell in cells if not _missing_kind(cell)]


def _class_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


# --- how they come back


def _from_text(array: Any, _: Note) -> List[Any]:
    cells: List[Any] = array.to_numpy(zero_copy_only=False).tolist()
    return cells


def _from_arrow(array: Any, _: Note) -> List[Any]:
    cells: List[Any] = array.to_pylist()
    return cells


def _from_scalars(array: Any, note: Note) -> List[Any]:
    restore = _SCALARS[note["class"]][1]
    cells: List[Any] = [None if cell is None else restore(cell) for cell in array.to_pylist()]
    if "zone" in note:
        cells = [None if cell is None else cell.tz_convert(note["zone"]) for cell in cells]
    if "unit" in note:
        # Older pandas have one resolution.
        cells = [cell.as_unit(note["unit"]) if hasattr(cell, "as_unit") else cell for cell in cells]
    return cells


def _from_arrays(array: Any, note: Note) -> List[Any]:
    import numpy

    return [None if cell is None else numpy.array(cell, note["dtype"]) for cell in array.to_pylist()]


def _from_json(array: Any, _: Note) -> List[Any]:
    return [None if cell is None else json.loads(cell) for cell in array.to_pylist()]


def _from_extended_json(array: Any, _: Note) -> List[Any]:
    from bson import json_util

    return [None if cell is None else json_util.loads(cell) for cell in array.to_pylist()]


def _from_pickles(array: Any, _: Note) -> List[Any]:
    return [unpickle(cell) for cell in array.to_pylist()]


_RESTORE: Dict[str, Callable[[Any, Note], List[Any]]] = {
    "text": _from_text,
    "cells": _from_arrow,
    "scalars": _from_scalars,
    "arrays": _from_arrays,
    "json": _from_json,
    "bson": _from_extended_json,
    "pickles": _from_pickles,
}


def _timestamp(value: Any) -> Any:
    import pandas

    return pandas.Timestamp(value)


def _timedelta(value: Any) -> Any:
    import pandas

    return pandas.Timedelta(value)


def _numpy_maker(name: str) -> Callable[[Any], Any]:
    def make(value: Any) -> Any:
        import numpy

        return getattr(numpy, name)(value)

    return make


def _numpy_scalars() -> Iterator[Tuple[str, Any]]:
    # numpy 1 calls its truth value bool_, numpy 2 bool.
    for (
        name
    ) in "bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split():
        make = _numpy_maker("bool_" if name == "bool" else name)
        yield f"numpy.{name}", (lambda cell: cell.item(), make, {})


# Class -> what Arrow is given, what makes the cell of it again, the field's metadata.
_SCALARS: Dict[str, Tuple[Callable[[Any], Any], Callable[[Any], Any], Dict[bytes, bytes]]] = {
    # pandas 3 gives its classes their public names.
    **dict.fromkeys(
        ("pandas.Timestamp", "pandas._libs.tslibs.timestamps.Timestamp"), (lambda cell: cell, _timestamp, {})
    ),
    **dict.fromkeys(
        ("pandas.Timedelta", "pandas._libs.tslibs.timedeltas.Timedelta"), (lambda cell: cell, _timedelta, {})
    ),
    "uuid.UUID": (str, uuid.UUID, {KIND: b"uuid"}),
    **dict(_numpy_scalars()),
}
