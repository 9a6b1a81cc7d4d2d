from __future__ import annotations

from pathlib import Path

from aqueduct_provider.runner.codecs import encode
from aqueduct_provider.sdk.reruns.scratch_worker import ScratchStore
from aqueduct_provider.storage.local import LocalStore


def test_what_is_written_never_reaches_the_store(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    for key in ("kept", "both"):
        store.put(key, b"real")
    scratch = ScratchStore(store, tmp_path / "scratch")
    scratch.put("both", b"scratch")
    assert scratch.put_new("new", b"scratch")
    ref = scratch.put_input("input", encode(3, "numeric", "parquet"))
    assert (ref.key, ref.size, ref.artifact_type) == ("input", 1, "numeric")
    scratch.delete(["kept"])
    assert [scratch.get(key) for key in ("kept", "both", "new")] == [b"real", b"scratch", b"scratch"]
    assert scratch.get_file("both", tmp_path / "copy").size == len(b"scratch")
    assert scratch.exists("kept")
    assert not scratch.exists("none")
    assert {key: store.get(key) for key in store.list("")} == {"kept": b"real", "both": b"real"}
    assert scratch.url("kept") == store.url("kept")
