"""Extracts and loads as tests ask for them: tables of pandas in, tables of pandas out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, SystemOrder
from aqueduct_provider.connectors.run import extract, load

DATES = {
    "today": "2026-11-22",
    "ds": "2026-11-21",
    "data_interval_start": "2026-11-21 00:00:00",
    "data_interval_end": "2026-11-22 00:00:00",
}


@dataclass
class Desk:
    """A job folder, and orders for one data system."""

    system: SystemOrder
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def name(self) -> str:
        return self.system.connector

    def extract(self, *queries: str, parameters: Sequence[str] = (), **options: Any) -> pa.Table:
        """What the queries give, as it is stored."""
        order = ExtractOrder(self.system, "out", queries, parameters=tuple(parameters), dates=DATES)
        extract(replace(order, **options), self.folder)
        return pq.read_table(self.folder / "out")

    def rows(self, *queries: str, parameters: Sequence[str] = ()) -> list[dict[str, Any]]:
        """The rows of the queries."""
        rows: list[dict[str, Any]] = self.extract(*queries, parameters=parameters).to_pylist()
        return rows

    def frame(self, *queries: str) -> pd.DataFrame:
        """What a function of a flow is given."""
        self.extract(*queries)
        return pd.read_parquet(self.folder / "out")

    def load(
        self, table: pa.Table | pd.DataFrame, target: str = "t", mode: Any = "replace", run: str = "run 1"
    ) -> int | None:
        """Save a table, in one try of the load of a run."""
        path = self.folder / "in"
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        pq.write_table(table, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        key = hashlib.sha256(f"{run} {target}".encode()).hexdigest()
        order = LoadOrder(self.system, target, mode, "in", "table", "parquet", key, digest, run)
        return load(order, self.folder)
