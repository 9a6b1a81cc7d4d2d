"""Which files a spec's path names."""

from __future__ import annotations

from pathlib import Path

from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.storage.object_store import file_keys


def test_one_file_several_or_all_below_a_prefix(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for key in ("days/2.csv", "days/1.csv", "days/old/0.csv", "days.csv"):
        store.put(key, b"")
    assert file_keys(store, "days.csv") == ["days.csv"]
    assert file_keys(store, ("b", "a")) == ["b", "a"]
    assert file_keys(store, "days/") == ["days/1.csv", "days/2.csv", "days/old/0.csv"]
    assert file_keys(store, "nothing/") == []
