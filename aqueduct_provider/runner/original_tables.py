"""Tables as the original stores them (Aqueduct formats, section 4): JSON, Extended JSON for MongoDB's."""

from __future__ import annotations

import io
import sys
from typing import Any, Dict, List

Schema = List[Dict[str, str]]


def write_json(table: Any) -> bytes:
    """Return a DataFrame as pandas' JSON with a schema, without its index."""
    table = _with_plain_strings(table).reset_index(drop=True)
    # The resolution that the original writes; newer pandas would follow the column's.
    text: str = table.to_json(orient="table", date_format="iso", date_unit="ms", index=False)
    return text.encode("utf-8")


def write_bson(table: Any) -> bytes:
    """Return a DataFrame as MongoDB's Extended JSON: a list of records."""
    import pandas
    from bson import json_util

    records = _with_plain_strings(table).to_dict(orient="records")
    missing = (pandas.NaT, pandas.NA)
    rows = [
        {name: None if any(item is null for null in missing) else item for name, item in row.items()}
        for row in records
    ]
    text: str = json_util.dumps(rows)
    return text.encode("utf-8")


def read_json(data: bytes) -> Any:
    """Read the DataFrame that :func:`write_json` wrote."""
    import pandas

    return pandas.read_json(io.StringIO(data.decode("utf-8")), orient="table")


def read_bson(data: bytes) -> Any:
    """Read the DataFrame that :func:`write_bson` wrote."""
    import pandas
    from bson import json_util

    return pandas.DataFrame(json_util.loads(data.decode("utf-8")))


def schema_of(table: Any) -> Schema:
    """Return the dtype of each column, as the original names them."""
    return [{name: str(dtype)} for name, dtype in _with_plain_strings(table).dtypes.items()]


def _with_plain_strings(table: Any) -> Any:
    """Columns of pandas 3's ``str`` dtype as objects: what the original's pandas writes and reads."""
    names = [name for name, dtype in table.dtypes.items() if str(dtype) == "str"]
    return table.astype(dict.fromkeys(names, object)) if names else table


def same_as_bson(table: Any) -> bool:
    """Check that a value is a DataFrame of pandas that comes back from :func:`write_bson` as it is."""
    from .object_columns import same_cells

    if type(table) is not getattr(sys.modules.get("pandas"), "DataFrame", None):
        return False
    if table.attrs or not table.flags.allows_duplicate_labels:
        return False
    if any(type(name) is not str for name in table.columns):
        return False
    try:
        back = read_bson(write_bson(table))
    except Exception:
        return False  # A cell that BSON has no type for.
    if list(back.dtypes.items()) != list(table.dtypes.items()) or not back.columns.identical(table.columns):
        return False
    if not back.index.identical(table.index):
        return False
    return all(same_cells(list(table[name]), list(back[name])) for name in back)
