"""Compare the dtypes of pandas' columns and indexes, and note them."""

from __future__ import annotations

import base64
from typing import Any, Dict

from .exact_json import same_zone
from .object_columns import same_cells
from .pickles import Pickler, unpickle

Note = Dict[str, Any]


def has_text_dtype() -> bool:
    """Return whether this pandas has a dtype of its own for strings whose missing values are NaN (3.0)."""
    import pandas

    return int(pandas.__version__.partition(".")[0]) >= 3


def same_dtype(one: Any, other: Any) -> bool:
    """Check for two dtypes without a difference; ``==`` of some overlooks the order of their categories."""
    if type(one) is not type(other) or one != other:
        return False
    if hasattr(one, "categories"):
        return same_index(one.categories, other.categories)
    return repr(one) == repr(other) and same_zone(getattr(one, "tz", None), getattr(other, "tz", None))


def same_index(one: Any, other: Any) -> bool:
    """Check that two indexes are of the same class, names, dtypes and values."""
    if type(one) is not type(other) or list(one.names) != list(other.names):
        return False
    if any(type(a) is not type(b) for a, b in zip(one.names, other.names)):
        return False
    if getattr(one, "nlevels", 1) > 1:
        return all(
            same_index(one.get_level_values(level), other.get_level_values(level))
            for level in range(one.nlevels)
        )
    if not same_dtype(one.dtype, other.dtype):
        return False
    return same_cells(list(one), list(other)) if one.dtype == object else bool(one.equals(other))


def dtype_note(dtype: Any, pickler: Pickler) -> Note:
    """Return a dtype's text, and the dtype itself if the text is not enough (some time zones)."""
    import pandas

    text = str(dtype)
    try:
        if same_dtype(pandas.api.types.pandas_dtype(text), dtype):
            return {"dtype": text}
    except Exception:
        pass  # Each library of time zones has errors of its own for names that it does not know.
    return {"dtype": text, "pickle": base64.b64encode(pickler(dtype)).decode()}


def cast(column: Any, dtype: Any) -> Any:
    """Cast a column or an index to another dtype."""
    zone = getattr(dtype, "tz", None)
    if zone is None:
        return column.astype(dtype)
    # A zone of another class may be equal to it, and would stay.
    return getattr(column, "dt", column).tz_convert(zone).astype(dtype)


def restored_dtype(note: Note) -> Any:
    """Return the dtype that a column had; for strings as far as this pandas supports it."""
    import pandas

    if "pickle" in note:
        return unpickle(base64.b64decode(note["pickle"]))
    if "string" not in note:
        return pandas.api.types.pandas_dtype(note["dtype"])
    storage, missing = note["string"]
    if missing == "<NA>":
        return pandas.StringDtype(storage)
    return (
        pandas.StringDtype(storage, na_value=float("nan"))
        if has_text_dtype()
        else pandas.api.types.pandas_dtype(object)
    )
