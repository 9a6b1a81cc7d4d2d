"""Note a DataFrame's column names, index and ``attrs``, and restore them."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, List

from .codec_error import CodecError, describe
from .exact_json import survives_json
from .pandas_dtypes import cast, dtype_note, has_text_dtype, restored_dtype, same_dtype, same_index
from .parquet_files import in_memory, read_table
from .pickles import Pickler, unpickle

Note = Dict[str, Any]


class NotParquet(Exception):
    """Parquet cannot keep this frame as it is."""


def index_columns(schema: Any) -> List[str]:
    """Return the columns of a Parquet file's Arrow schema that form the index of a DataFrame."""
    stored = (schema.metadata or {}).get(b"pandas")
    if not stored:
        return []
    # A range has no column: it is an object.
    return [name for name in json.loads(stored)["index_columns"] if isinstance(name, str)]


def names_note(columns: Any) -> Note:
    import pandas

    if type(columns) not in (pandas.Index, pandas.RangeIndex) or not survives_json([columns.name]):
        raise NotParquet("its columns have an index of a special kind")
    if not all(type(name) is str and _is_utf8(name) for name in columns):
        raise NotParquet("its columns have names that are more than text")
    is_usual = columns.dtype == object or same_dtype(columns.dtype, pandas.Index(["a"]).dtype)
    if not is_usual and not _is_range(columns):
        raise NotParquet("its columns' names have a dtype of their own")
    return {"name": columns.name, "dtype": "range" if _is_range(columns) else str(columns.dtype)}


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_range(columns: Any) -> bool:
    """Return whether these are default column labels; other numbers are not names."""
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


def index_note(index: Any, pickler: Pickler) -> Note:
    """Return what Parquet does not keep of an index: frequencies and time zones, by level.

    :raises NotParquet: a frequency has no text form.
    """
    zones: Note = {}
    freqs: Note = {}
    for level, part in enumerate(_levels(index)):
        if getattr(part.dtype, "tz", None) is not None:
            zones[str(level)] = dtype_note(part.dtype, pickler)
        if _is_regular(part) and part.freq is not None:
            if not _has_text(part.freq):
                raise NotParquet(f"its index has the frequency {part.freq!r}")
            freqs[str(level)] = part.freq.freqstr
    return {**({"zones": zones} if zones else {}), **({"freqs": freqs} if freqs else {})}


def _levels(index: Any) -> List[Any]:
    return list(index.levels) if index.nlevels > 1 else [index]


def _is_regular(index: Any) -> bool:
    """Return whether the index has times whose frequency can be set; for periods it is the dtype."""
    import pandas

    return isinstance(index, (pandas.DatetimeIndex, pandas.TimedeltaIndex))


def _has_text(freq: Any) -> bool:
    """Check that a frequency comes back from its text with all of its options."""
    from pandas.tseries.frequencies import to_offset

    try:
        back = to_offset(freq.freqstr)
    except ValueError:
        return False
    facts = [(type(one), one.n, one.normalize, one.kwds) for one in (freq, back)]
    return facts[0] == facts[1]


def without_names(index: Any, names: Any) -> Any:
    """Return an index whose levels have none of these names, which would name two columns of a file."""
    return index.set_names([None if name in names else name for name in index.names])


def restored_index(index: Any, note: Note) -> Any:
    """Restore the index.

    :param index: what pandas makes of the columns of a file.
    """
    for level, zone in note.get("zones", {}).items():
        index = _with_level(index, int(level), cast(_levels(index)[int(level)], restored_dtype(zone)))
    if "names" in note:
        index = index.set_names(note["names"])
    # Before note version 3 there was one, and not by level.
    for level, freq in note.get("freqs", {"0": note["freq"]} if "freq" in note else {}).items():
        part = _levels(index)[int(level)].copy()
        part.freq = freq
        index = _with_level(index, int(level), part)
    return index


def _with_level(index: Any, level: int, part: Any) -> Any:
    return index.set_levels(part, level=level) if index.nlevels > 1 else part


def index_preview(note: Note) -> Note:
    """Return the note without what must be unpickled."""
    return {
        **note,
        "zones": {key: zone for key, zone in note.get("zones", {}).items() if "pickle" not in zone},
    }


def check_index(index: Any, table: Any, note: Note) -> None:
    """Check that an index comes back.

    :param table: its frame's, from :func:`pyarrow.Table.from_pandas`.
    :param note: its own.
    :raises NotParquet: it would change.
    """
    import pandas

    if type(index) is pandas.RangeIndex and survives_json([index.name]):
        return
    names = index_columns(table.schema)
    if len(set(table.column_names)) < len(table.column_names):
        raise NotParquet("two levels of its index have one name")
    try:
        restored = restored_index(read_table(in_memory(table.select(names), {})).to_pandas().index, note)
    except Exception as exc:
        raise NotParquet(describe(exc)) from exc
    if not same_index(index, restored):
        raise NotParquet("its index would change")


def attrs_note(attrs: Any, pickler: Pickler) -> Note:
    if survives_json(attrs):
        return {"json": json.dumps(attrs)}
    try:
        return {"pickle": base64.b64encode(pickler(attrs)).decode()}
    except CodecError as exc:
        raise CodecError(f"has attrs of which one {exc}") from exc
    except Exception as exc:
        raise CodecError(
            f"has something in its attrs that cannot be stored ({describe(exc)}): remove it, for instance "
            "with table.attrs.clear()"
        ) from exc


def restored_attrs(note: Any) -> Any:
    if not note:
        return {}
    return json.loads(note["json"]) if "json" in note else unpickle(base64.b64decode(note["pickle"]))
