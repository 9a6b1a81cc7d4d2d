"""Writing and reading a table as a task of a native flow does, beside pandas' own Parquet.

``encode`` and ``decode`` of the runner against the plain calls of pandas, which was all that they did before
they checked whether a table survives Parquet. In one process, in turns; who is first changes each time.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow

from aqueduct_provider.runner import codecs
from benchmarks.figures import Figure, Series, at_most
from benchmarks.lab import Lab

LIMIT = 1.10


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param rows: of the table.
    :param turns: with the first, which fills the caches and is left out.
    """

    rows: int
    turns: int


FULL, SMOKE = Sizes(rows=200_000, turns=26), Sizes(rows=100, turns=1)


def measure(_: Lab, sizes: Sizes) -> list[Figure]:
    table = make_table(sizes.rows)
    what = f"a table of {sizes.rows:,} rows and {len(table.columns)} columns"
    # The strings as pandas before 3 has them; any cell of such a column may be of another type.
    objects = table.astype({"string": object})
    return [
        *compared(table, what, LIMIT, sizes.turns),
        *compared(objects, f"{what}, strings as Python objects", None, sizes.turns),
    ]


def compared(table: pd.DataFrame, what: str, limit: float | None, turns: int) -> list[Figure]:
    """Writing and reading of one table, ours and pandas' own."""
    stored, parquet = _write(table), _plain_write(table)
    for came_back in (_read(stored), _plain_read(parquet)):
        # Plain Parquet gives object columns back as columns of strings.
        pd.testing.assert_frame_equal(came_back, table, check_dtype=limit is not None)
    writing = in_turns(lambda: _write(table), lambda: _plain_write(table), turns)
    reading = in_turns(lambda: _read(stored), lambda: _plain_read(parquet), turns)
    return [
        at_most(f"writing {what}; pandas.DataFrame.to_parquet", *writing, limit),
        at_most(f"reading {what}; pandas.read_parquet", *reading, limit),
    ]


def in_turns(ours: Callable[[], Any], plain: Callable[[], Any], turns: int) -> tuple[Series, Series]:
    """The durations of two functions."""
    series = Series(), Series()
    for turn in range(turns):
        pairs = list(zip(series, (ours, plain), strict=True))
        for values, function in pairs if turn % 2 else reversed(pairs):
            with values.timed():
                function()
    return series[0].warm, series[1].warm


def make_table(rows: int) -> pd.DataFrame:
    """Four columns of floats, three of integers, and one each of strings, booleans and times."""
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {f"float {n}": random.normal(size=rows) for n in range(4)}
    columns |= {f"integer {n}": random.integers(0, 1000, rows) for n in range(3)}
    columns["string"] = random.choice(["one", "two", "three", "a longer text"], rows)
    columns["flag"] = random.random(rows) < 0.5
    columns["when"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows), "s")
    return pd.DataFrame(columns)


def _write(table: pd.DataFrame) -> codecs.Encoded:
    return codecs.encode(table, "table", tables="parquet")


def _read(stored: codecs.Encoded) -> Any:
    return codecs.decode(stored.data, stored.serialization_type, "table")


def _plain_write(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, engine="pyarrow", compression="zstd", version="2.6", index=False)
    return buffer.getvalue()


def _plain_read(data: bytes) -> Any:
    return pd.read_parquet(pyarrow.BufferReader(data), engine="pyarrow")
