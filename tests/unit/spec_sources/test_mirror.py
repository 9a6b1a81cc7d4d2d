"""The mirror of a store's specs: what it asks for, what it keeps when things go wrong, who may write it."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aqueduct_provider.errors import (
    AccessDenied,
    ConfigError,
    DiskFull,
    ObjectNotFound,
    StorageError,
    StorageUnavailable,
)
from aqueduct_provider.spec.document import MAX_BYTES
from aqueduct_provider.spec.spec_files import is_spec_name
from aqueduct_provider.spec_sources.mirror import State, fetch, refresh, state_of
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.storage.object_store import Entry

ROOT = Path(__file__).parents[3]
LIMITS = {"workers": 2, "seconds": 20}


class WatchedStore(LocalStore):
    """Remembers what is asked of it, and fails where a test says so.

    :param faults: key -> what happens before it is read; the key of a listing is its prefix.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []
        self.faults: dict[str, Callable[[], None]] = {}
        self.sizes: dict[str, int] = {}

    def get(self, key: str) -> bytes:
        self.asked.append(key)
        self.faults.get(key, lambda: None)()
        return super().get(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        self.asked.append(prefix)
        self.faults.get(prefix, lambda: None)()
        for entry in super().entries(prefix):
            yield Entry(entry.key, entry.tag, self.sizes.get(entry.key, entry.size))

    def fails(self, key: str, error: Exception) -> None:
        def fail() -> None:
            raise error

        self.faults[key] = fail


@pytest.fixture
def store(tmp_path: Path) -> WatchedStore:
    return WatchedStore(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "specs" / "mirror"


def mirrored(store: WatchedStore, folder: Path, *, seconds: float = 10, workers: int = 4) -> dict[str, bytes]:
    """Refresh; the files that are there then."""
    store.asked.clear()
    refresh(store, "specs/", folder, workers=workers, seconds=seconds)
    return files(folder)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if is_spec_name(path.name)}


def test_only_what_changed_is_asked_for(store: WatchedStore, folder: Path) -> None:
    assert mirrored(store, folder) == {}
    for name in ("a", "b", "c"):
        store.put(f"specs/{name}.json", name.encode())
    assert mirrored(store, folder) == {"a.json": b"a", "b.json": b"b", "c.json": b"c"}
    assert sorted(store.asked) == ["specs/", "specs/a.json", "specs/b.json", "specs/c.json"]
    assert len(mirrored(store, folder)) == 3
    assert store.asked == ["specs/"]

    before = (folder / "a.json").stat()
    store.put("specs/b.json", b"B")
    store.put("specs/d.json", b"d")
    store.delete(["specs/c.json"])
    assert mirrored(store, folder) == {"a.json": b"a", "b.json": b"B", "d.json": b"d"}
    assert sorted(store.asked) == ["specs/", "specs/b.json", "specs/d.json"]
    assert (folder / "a.json").stat() == before


def test_nothing_is_written_when_nothing_changed(store: WatchedStore, folder: Path) -> None:
    store.put("specs/a.json", b"a")
    mirrored(store, folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    mirrored(store, folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "name", ["below/a.json", ".hidden.json", "notes.txt", "json", "a.json.tmp", "x" * 251 + ".json"]
)
def test_other_objects_are_left_alone(store: WatchedStore, folder: Path, name: str) -> None:
    store.sizes["specs/" + name] = 1
    listed = Entry("specs/" + name, "tag", 1)
    store.entries = lambda prefix: iter([listed])  # type: ignore[method-assign]
    assert mirrored(store, folder) == {}
    assert store.asked == []


def test_keys_that_would_leave_the_folder(store: WatchedStore, folder: Path) -> None:
    for key in ("specs/../../x.json", "specs//x.json", "specs/a\0b.json"):
        store.entries = lambda prefix, key=key: iter([Entry(key, "t", 1)])  # type: ignore[method-assign, misc]
        assert mirrored(store, folder) == {}
    with pytest.raises(ObjectNotFound):
        fetch(store, "specs/", "../x.json", folder, seconds=5)
    assert store.asked == []


def test_a_file_that_somebody_touched_is_fetched_again(store: WatchedStore, folder: Path) -> None:
    for name in ("a", "b"):
        store.put(f"specs/{name}.json", name.encode())
    mirrored(store, folder)
    (folder / "a.json").write_bytes(b"?")
    (folder / "b.json").unlink()
    (folder / "stranger.json").touch()
    assert mirrored(store, folder) == {"a.json": b"a", "b.json": b"b"}


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 2}', '{"nonsense": 1}'])
def test_a_damaged_state_is_made_anew(store: WatchedStore, folder: Path, damage: str) -> None:
    store.put("specs/a.json", b"a")
    mirrored(store, folder)
    (state,) = folder.glob(".*.json")
    state.write_text(damage)
    assert state_of(folder) == State()
    assert mirrored(store, folder) == {"a.json": b"a"}
    assert state_of(folder).complete


def test_a_store_that_is_away_leaves_everything_as_it_was(store: WatchedStore, folder: Path) -> None:
    store.put("specs/a.json", b"a")
    mirrored(store, folder)
    state = state_of(folder)
    store.fails("specs/", StorageUnavailable("away"))
    with pytest.raises(StorageUnavailable, match="away"):
        mirrored(store, folder)
    assert files(folder) == {"a.json": b"a"}
    assert state_of(folder) == state


def test_an_outage_in_the_middle_keeps_what_came_and_goes_on_later(store: WatchedStore, folder: Path) -> None:
    for name in "abcdef":
        store.put(f"specs/{name}.json", name.encode())
    store.fails("specs/c.json", StorageUnavailable("away"))
    with pytest.raises(StorageUnavailable, match="away"):
        mirrored(store, folder, workers=1)
    assert store.asked == ["specs/", "specs/a.json", "specs/b.json", "specs/c.json"]
    assert sorted(files(folder)) == ["a.json", "b.json"]
    assert not state_of(folder).complete
    store.faults.clear()
    assert sorted(mirrored(store, folder)) == [f"{name}.json" for name in "abcdef"]
    assert "specs/a.json" not in store.asked
    assert state_of(folder).complete


def test_what_is_late_comes_next_time(
    store: WatchedStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "ab":
        store.put(f"specs/{name}.json", name.encode())
    assert mirrored(store, folder, seconds=-1) == {}
    assert "2 specs of " in caplog.text
    assert not state_of(folder).complete
    assert sorted(mirrored(store, folder)) == ["a.json", "b.json"]


def test_one_object_that_is_refused_is_a_problem_of_its_own(
    store: WatchedStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.put("specs/a.json", b"a")
    store.put("specs/b.json", b"b")
    store.fails("specs/b.json", AccessDenied("not allowed"))
    assert mirrored(store, folder) == {"a.json": b"a"}
    assert state_of(folder).problems == {"b.json": "not allowed"}
    assert state_of(folder).complete
    store.faults.clear()
    assert len(mirrored(store, folder)) == 2
    assert state_of(folder).problems == {}

    store.put("specs/b.json", b"B")
    store.fails("specs/b.json", AccessDenied("not allowed"))
    assert mirrored(store, folder) == {"a.json": b"a", "b.json": b"b"}
    assert "used: not allowed" in caplog.text
    assert state_of(folder).problems == {}
    store.faults.clear()
    assert mirrored(store, folder)["b.json"] == b"B"


def test_an_object_that_went_since_the_listing_is_no_problem(store: WatchedStore, folder: Path) -> None:
    store.put("specs/a.json", b"a")
    store.fails("specs/a.json", ObjectNotFound("gone"))
    assert mirrored(store, folder) == {}
    assert state_of(folder) == State(complete=True)


def test_a_huge_object_is_not_fetched(store: WatchedStore, folder: Path) -> None:
    store.put("specs/a.json", b"a")
    assert mirrored(store, folder) == {"a.json": b"a"}
    store.put("specs/a.json", b"b")
    store.sizes["specs/a.json"] = MAX_BYTES + 1
    assert mirrored(store, folder) == {}
    assert store.asked == ["specs/"]
    assert "larger than 16 MiB" in state_of(folder).problems["a.json"]
    store.sizes.clear()
    assert mirrored(store, folder) == {"a.json": b"b"}


def test_a_complete_folder_is_not_waited_for(store: WatchedStore, folder: Path) -> None:
    store.put("specs/a.json", b"a")
    mirrored(store, folder)
    store.put("specs/b.json", b"b")
    with (folder / ".aqueduct-mirror.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert mirrored(store, folder) == {"a.json": b"a"}
    assert store.asked == []
    assert len(mirrored(store, folder)) == 2


def test_a_folder_that_was_never_filled_is_waited_for(store: WatchedStore, folder: Path) -> None:
    store.put("specs/a.json", b"a")
    started, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        assert go_on.wait(20)

    store.faults["specs/a.json"] = hold
    filling = threading.Thread(target=refresh, args=(store, "specs/", folder), kwargs=LIMITS)
    filling.start()
    assert started.wait(20)
    other = WatchedStore(store.root)
    waiting = threading.Thread(target=refresh, args=(other, "specs/", folder), kwargs=LIMITS)
    waiting.start()
    with pytest.raises(StorageError, match="Another process has been filling"):
        refresh(other, "specs/", folder, workers=1, seconds=0.1)
    go_on.set()
    filling.join()
    waiting.join()
    assert other.asked in ([], ["specs/"])
    assert files(folder) == {"a.json": b"a"}


REFRESHING = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from aqueduct_provider.spec_sources.mirror import refresh
from aqueduct_provider.storage.local import LocalStore
for _ in range(20):
    refresh(LocalStore(Path(sys.argv[1])), "specs/", Path(sys.argv[2]), workers=4, seconds=20)
"""


def test_several_processes_at_once_never_show_half_a_file(store: WatchedStore, folder: Path) -> None:
    sizes = (1000, 300_000)
    for number in range(8):
        store.put(f"specs/{number}.json", b"x" * sizes[0])
    command = [sys.executable, "-c", REFRESHING, str(store.root), str(folder)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    while any(process.poll() is None for process in processes):
        for number in range(8):
            store.put(f"specs/{number}.json", b"x" * sizes[number % 2])
        if folder.is_dir():
            assert {len(data) for data in files(folder).values()} <= set(sizes)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(mirrored(store, folder)) == 8
    assert not list(folder.glob(".aqueduct-partial-*"))


def test_a_full_disk_is_named_and_what_was_there_stays(store: WatchedStore, small_disk: Path) -> None:
    folder = small_disk / "mirror"
    store.put("specs/a.json", b"first")
    before = mirrored(store, folder)
    (small_disk / "filling").write_bytes(b"x" * 950_000)
    store.put("specs/a.json", b"x" * 100_000)
    with pytest.raises(DiskFull, match=rf"{small_disk}/mirror.*are free there.*cache_dir"):
        mirrored(store, folder)
    assert files(folder) == before


def test_unfinished_files_of_killed_processes_go_away(store: WatchedStore, folder: Path) -> None:
    mirrored(store, folder)
    old, new = folder / ".aqueduct-partial-old", folder / ".aqueduct-partial-new"
    for path in (old, new):
        path.touch()
    os.utime(old, (1, 1))
    mirrored(store, folder)
    assert not old.exists()
    assert new.exists()


def test_the_folder_is_its_owners_alone(store: WatchedStore, folder: Path) -> None:
    mirrored(store, folder)
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700
    folder.parent.chmod(0o777)
    with pytest.raises(ConfigError, match=r"everyone can write to it.*cache_dir"):
        mirrored(store, folder)
    store.put("specs/a.json", b"a")
    with pytest.raises(ConfigError, match="everyone can write to it"):
        fetch(store, "specs/", "a.json", folder, seconds=5)
    assert files(folder) == {}


def test_a_folder_that_cannot_be_made(store: WatchedStore, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot be kept in .*Not a directory.*cache_dir"):
        mirrored(store, tmp_path / "file" / "specs" / "x")


def test_one_file_is_fetched_without_a_listing(
    store: WatchedStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    store.put("specs/a.json", b"a")
    fetch(store, "specs/", "a.json", folder, seconds=5)
    assert files(folder) == {"a.json": b"a"}
    assert store.asked == ["specs/a.json"]
    mirrored(store, folder)
    before = (folder / "a.json").stat()
    fetch(store, "specs/", "a.json", folder, seconds=5)
    assert (folder / "a.json").stat() == before
    mirrored(store, folder)
    assert store.asked == ["specs/"]


def test_a_refresh_undoes_what_a_late_task_wrote(store: WatchedStore, folder: Path) -> None:
    store.put("specs/a.json", b"old")
    late = WatchedStore(store.root)
    read = late.get("specs/a.json")
    store.put("specs/a.json", b"new")
    mirrored(store, folder)
    late.get = lambda key: read  # type: ignore[method-assign]
    fetch(late, "specs/", "a.json", folder, seconds=5)
    assert files(folder) == {"a.json": b"old"}
    assert mirrored(store, folder) == {"a.json": b"new"}


def test_a_silent_store_is_not_waited_for(store: WatchedStore, folder: Path) -> None:
    go_on = threading.Event()
    store.faults["specs/a.json"] = lambda: go_on.wait(20) and None
    try:
        with pytest.raises(StorageUnavailable, match=r"a\.json: no answer within 0\.1 s"):
            fetch(store, "specs/", "a.json", folder, seconds=0.1)
    finally:
        go_on.set()
    assert not folder.exists()


def test_an_error_of_the_fetch_is_its_own(store: WatchedStore, folder: Path) -> None:
    with pytest.raises(ObjectNotFound):
        fetch(store, "specs/", "a.json", folder, seconds=5)
