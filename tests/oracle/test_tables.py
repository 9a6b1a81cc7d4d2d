"""Tables of every dtype, written by the original's pandas 1.5 and by ours: same bytes, same values."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aqueduct_provider.runner.codecs import decode, encode
from tests.oracle.harness import Oracle

pytestmark = pytest.mark.oracle

SAME = {
    "integers": "{'a': [1, 2]}",
    "reals": "{'a': [1.5, float('nan'), float('inf'), 1e300, 0.1 + 0.2, 1 / 3]}",
    "booleans": "{'a': [True, False]}",
    "strings": "{'a': ['x', None, '\\u00fc/\\\\\"', '01']}",
    "times": "{'a': [pd.Timestamp('2020-01-02'), pd.Timestamp('2020-01-02T03:04:05.123456')]}",
    "missing times": "{'a': [pd.Timestamp('2020-01-02'), pd.NaT]}",
    "time zones": "{'a': [pd.Timestamp('2020-07-02', tz='Europe/Berlin')], 'b': [pd.Timestamp(0, tz='UTC')]}",
    "nullable booleans": "{'a': pd.array([True, None], dtype='boolean')}",
    "nullable reals": "{'a': pd.array([1.5, None], dtype='Float64')}",
    "nullable integers": "{'a': pd.array([1, 2], dtype='Int64')}",
    "categories": "{'a': pd.Categorical(['x', 'y', 'x']), 'b': pd.Categorical([3, 1, 3], ordered=True)}",
    "sizes": "{'a': np.array([1], dtype='int8'), 'b': np.array([1], dtype='uint64'),"
    " 'c': np.array([1], dtype='float32')}",
    "no columns": "{}",
    "no rows": "{'a': pd.Series([], dtype='int64'), 'b': pd.Series([], dtype=object)}",
    "objects": "{'a': [{'x': 1}, [1, 2]]}",
    "mixed": "{'a': ['x', 1, None, 2.5, True]}",
    "dates": "{'a': [datetime.date(2020, 1, 2)], 'b': [datetime.time(1, 2)]}",
    "large": "{'a': [2**63, 1]}",
    "index names": "{'index': [1, 2], 'level_0': [3, 4]}",
    "nothing": "{'a': [None, None]}",
}

WRITE = """
import base64, datetime, decimal
import numpy as np, pandas as pd
from aqueduct.utils import serialization
table = pd.DataFrame(eval(source))
data = serialization._write_table_output(table)
result = data.decode(), [str(dtype) for dtype in table.dtypes]
"""
READ = """
from aqueduct.utils import serialization
table = serialization._read_table_content(data.encode())
rows = table.astype(object).where(table.notna(), None).values.tolist()
result = [[None if value is None else str(value) for value in row] for row in rows]
"""


def made(source: str) -> Any:
    names = {"pd": pd, "np": np, "datetime": datetime, "decimal": decimal}
    return pd.DataFrame(eval(source, names))


def cells(table: Any) -> list[list[str | None]]:
    rows = table.astype(object).where(table.notna(), None).values.tolist()
    return [[None if value is None else str(value) for value in row] for row in rows]


@pytest.mark.parametrize("name", SAME)
def test_tables_are_the_same_bytes(oracle: Oracle, name: str) -> None:
    theirs, dtypes = oracle.evaluate(WRITE, source=SAME[name])
    ours = encode(made(SAME[name]), "table")
    assert ours.data.decode() == theirs
    # Newer pandas counts time in microseconds.
    described = [dtype.replace("[us", "[ns") for column in ours.schema for dtype in column.values()]
    assert described == dtypes


@pytest.mark.parametrize("name", sorted(SAME.keys() - {"nullable booleans", "times", "time zones"}))
def test_both_sides_read_the_same_values(oracle: Oracle, name: str) -> None:
    data = encode(made(SAME[name]), "table").data
    assert cells(decode(data, "table", "table")) == oracle.evaluate(READ, data=data.decode())


@pytest.mark.parametrize("name", ["times", "time zones"])
def test_both_sides_read_the_same_times(oracle: Oracle, name: str) -> None:
    data = encode(made(SAME[name]), "table").data
    script = READ.splitlines()[1:3]
    instants = "result = [[value.value for value in table[name]] for name in table]"
    theirs = oracle.evaluate("\n".join([*script, instants]), data=data.decode())
    table = decode(data, "table", "table")
    assert [[value.as_unit("ns").value for value in table[name]] for name in table] == theirs


@pytest.mark.parametrize(
    "source",
    ["{'a': pd.array(['x', None], dtype='string')}", "{'a': [decimal.Decimal('1.5')]}"],
    ids=["string dtype", "decimals"],
)
def test_tables_whose_bytes_differ_are_read_all_the_same(oracle: Oracle, source: str) -> None:
    data = encode(made(source), "table").data.decode()
    theirs, _ = oracle.evaluate(WRITE, source=source)
    assert data != theirs
    read = oracle.evaluate(READ, data=data)
    assert read == oracle.evaluate(READ, data=theirs)
    assert cells(decode(theirs.encode(), "table", "table")) == read
