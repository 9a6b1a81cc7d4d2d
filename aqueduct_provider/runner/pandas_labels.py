"""What a DataFrame has besides its columns: their names, its index and its ``attrs``, and their notes."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, List

from .codec_error import CodecError, describe
from .exact_json import survives_json
from .object_columns import same_cells
from .parquet_files import in_memory, read_table
from .pickles import Pickler, unpickle

Note = Dict[str, Any]


class NotParquet(Exception):
    """Parquet cannot keep this frame as it is."""


def index_columns(schema: Any) -> List[str]:
    """The columns of a Parquet file's Arrow schema that are the index of a DataFrame, not its columns."""
    stored = (schema.metadata or {}).get(b"pandas")
    if not stored:
        return []
    # A range has no column: it is an object.
    return [name for name in json.loads(stored)["index_columns"] if isinstance(name, str)]


def has_text_dtype() -> bool:
    """Whether this pandas has a dtype of its own for strings whose missing values are NaN (3.0)."""
    import pandas

    return int(pandas.__version__.partition(".")[0]) >= 3


def names_note(columns: Any) -> Note:
    import pandas

    if type(columns) not in (pandas.Index, pandas.RangeIndex) or not survives_json([columns.name]):
        raise NotParquet("its columns have an index of a special kind")
    return {"name": columns.name, "dtype": "range" if _is_range(columns) else str(columns.dtype)}


def _is_range(columns: Any) -> bool:
    """Whether these are the columns of a frame that has none; other numbers are not names."""
    import pandas

    return isinstance(columns, pandas.RangeIndex)


def restore_names(frame: Any, note: Note) -> None:
    import pandas

    if note["dtype"] == "range":
        frame.columns = pandas.RangeIndex(0, name=note["name"])
        return
    columns = frame.columns
    if note["dtype"] == "object" or columns.dtype != object:
        columns = columns.astype(note["dtype"] if note["dtype"] == "object" or has_text_dtype() else object)
    frame.columns = columns.rename(note["name"])


def index_note(index: Any) -> Note:
    freq = getattr(index, "freqstr", None) if getattr(index, "freq", None) is not None else None
    return {"freq": freq} if freq and _is_regular(index) else {}


def _is_regular(index: Any) -> bool:
    """Whether the index is one of times, whose frequency can be set; that of periods is its dtype."""
    import pandas

    return isinstance(index, (pandas.DatetimeIndex, pandas.TimedeltaIndex))


def restore_index(frame: Any, note: Note) -> None:
    if "freq" in note:
        frame.index.freq = note["freq"]


def check_index(frame: Any, table: Any) -> None:
    import pandas

    if type(frame.index) is pandas.RangeIndex and survives_json([frame.index.name]):
        return
    restored = read_table(in_memory(table.select(index_columns(table.schema)), {})).to_pandas().index
    if not _same_index(frame.index, restored):
        raise NotParquet("its index would change")


def _same_index(one: Any, other: Any) -> bool:
    if type(one) is not type(other) or list(one.names) != list(other.names):
        return False
    if any(type(a) is not type(b) for a, b in zip(one.names, other.names)):
        return False
    if getattr(one, "nlevels", 1) > 1:
        return all(
            _same_index(one.get_level_values(level), other.get_level_values(level))
            for level in range(one.nlevels)
        )
    if one.dtype != other.dtype or str(one.dtype).partition("[")[2].startswith("s"):
        return False
    return same_cells(list(one), list(other)) if one.dtype == object else bool(one.equals(other))


def attrs_note(attrs: Any, pickler: Pickler) -> Note:
    if survives_json(attrs):
        return {"json": json.dumps(attrs)}
    try:
        return {"pickle": base64.b64encode(pickler(attrs)).decode()}
    except Exception as exc:
        raise CodecError(
            f"has something in its attrs that cannot be stored ({describe(exc)}): remove it, for instance "
            "with table.attrs.clear()"
        ) from exc


def restored_attrs(note: Any) -> Any:
    if not note:
        return {}
    return json.loads(note["json"]) if "json" in note else unpickle(base64.b64decode(note["pickle"]))
