from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas
import polars
import pytest

from aqueduct_provider.runner.codecs import Encoded
from aqueduct_provider.sdk.authoring import kept_tables
from aqueduct_provider.sdk.authoring.execute import decoded
from aqueduct_provider.sdk.authoring.kept_tables import kept_table, new_file

ROOT = Path(__file__).parents[4]


def kept(value: object) -> Encoded:
    return kept_table(value, "parquet")


def test_a_small_table_is_kept_in_memory() -> None:
    folder = new_file().parent
    before = set(folder.iterdir())
    encoded = kept(pandas.DataFrame({"a": [1]}))
    assert encoded.path is None
    assert decoded(encoded)["a"].tolist() == [1]
    assert set(folder.iterdir()) == before


def test_a_large_table_is_kept_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_tables, "_IN_MEMORY", 10)
    encoded = kept(polars.LazyFrame({"a": [1, 2]}))
    assert encoded.path is not None
    assert encoded.data == b""
    for _ in range(2):
        assert decoded(encoded).collect()["a"].to_list() == [1, 2]
    pickled = kept(pandas.DataFrame({"a": [1j]}))
    assert pickled.path is not None
    assert decoded(pickled)["a"].tolist() == [1j]


SCRIPT = """
import resource, sys
import numpy, polars as pl, pyarrow
import aqueduct_provider.sdk as aq

@aq.op(requirements=["pyarrow", "numpy"])
def big():
    for number in range(100):
        yield pyarrow.RecordBatch.from_pydict({"a": numpy.random.default_rng(number).random(500_000)})

@aq.op(requirements=["polars"])
def small(table: pl.LazyFrame):
    return table.filter(pl.col("a") < 0.5)

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
half = small(big())
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
print(grown)
print(half.get().select(pl.len()).collect().item())
"""


def test_a_lazy_frame_never_passes_through_memory_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    grown, rows = map(int, done.stdout.split())
    # 400 MB of numbers that do not compress.
    assert grown < 250
    assert 24_000_000 < rows < 26_000_000
    assert not list(tmp_path.glob("aqueduct-*"))
