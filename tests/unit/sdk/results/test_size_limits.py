"""Limits for what nothing vouches for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from aqueduct_provider.errors import IntegrityError, ObjectNotFound
from aqueduct_provider.sdk.results.size_limits import bounded_get, check_table_size
from aqueduct_provider.storage.local import LocalStore


def test_objects_up_to_the_limit_are_read(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a", b"123")
    store.put("ab", b"12345")
    assert bounded_get(store, "a", 3) == b"123"
    with pytest.raises(IntegrityError, match=r"a has 3 bytes, which is more than the 2 that are read"):
        bounded_get(store, "a", 2)
    store.delete(["a"])
    with pytest.raises(ObjectNotFound):
        bounded_get(store, "a", 2)


def parquet_of(column: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table({"a": column}), buffer, **options)
    return buffer.getvalue()


def equal_texts() -> Any:
    """A column of equal strings, which a dictionary holds once."""
    return pyarrow.array(["x" * 10_000] * 1000)


LARGE = {
    "equal numbers": parquet_of(pyarrow.array([7] * 1_000_000)),
    "equal strings": parquet_of(equal_texts()),
    "well compressed": parquet_of(equal_texts(), compression="zstd", use_dictionary=False),
    "nothing": parquet_of(pyarrow.nulls(1_000_000)),
}


@pytest.mark.parametrize("name", LARGE)
def test_small_files_that_hold_large_tables(name: str) -> None:
    assert len(LARGE[name]) < 100_000
    check_table_size(LARGE[name], 12_000_000)
    with pytest.raises(IntegrityError, match="holds a table of more than 5,000,000 bytes"):
        check_table_size(LARGE[name], 5_000_000)
