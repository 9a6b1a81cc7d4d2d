from __future__ import annotations

import os
from pathlib import Path

import pytest

from aqueduct_provider.bundles.bundle_version import BundleVersion, SpecFile
from aqueduct_provider.bundles.pinned_folder import drop_unused, prepare
from aqueduct_provider.errors import StorageError

LIST = ".aqueduct-version.json"
VERSION = BundleVersion({f"{name}.json": SpecFile(name * 64, name) for name in "abc"})


class Fetch:
    """Gives the version, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, version_id: str) -> BundleVersion:
        self.asked.append(version_id)
        return VERSION


def stubs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".py")


def test_a_task_gets_the_stub_of_its_dag_alone(tmp_path: Path) -> None:
    folder, fetch = tmp_path / "versions" / VERSION.id, Fetch()
    prepare(folder, VERSION.id, fetch, "b")
    assert stubs(folder) == ["b.json.py"]
    prepare(folder, VERSION.id, fetch, "a")
    assert stubs(folder) == ["a.json.py", "b.json.py"]
    prepare(folder, VERSION.id, fetch, None)
    assert stubs(folder) == ["a.json.py", "b.json.py", "c.json.py"]
    assert fetch.asked == [VERSION.id]
    assert "b" * 64 in (folder / "b.json.py").read_text()


def test_an_unknown_dag_gets_all(tmp_path: Path) -> None:
    prepare(tmp_path / "v", VERSION.id, Fetch(), "nobody")
    assert len(stubs(tmp_path / "v")) == 3


def test_later_tasks_of_a_dag_need_no_list(tmp_path: Path) -> None:
    fetch = Fetch()
    prepare(tmp_path / "v", VERSION.id, fetch, "a")
    (tmp_path / "v" / LIST).unlink()
    prepare(tmp_path / "v", VERSION.id, fetch, "a")
    assert len(fetch.asked) == 1


def test_a_stub_that_is_gone_is_made_again(tmp_path: Path) -> None:
    fetch = Fetch()
    prepare(tmp_path / "v", VERSION.id, fetch, "a")
    (tmp_path / "v" / "a.json.py").unlink()
    prepare(tmp_path / "v", VERSION.id, fetch, "a")
    assert stubs(tmp_path / "v") == ["a.json.py"]
    assert len(fetch.asked) == 1


def test_a_file_may_be_named_after_another_dag(tmp_path: Path) -> None:
    swapped = BundleVersion({"a.json": SpecFile("1" * 64, "b"), "b.json": SpecFile("2" * 64, "a")})
    prepare(tmp_path / "v", swapped.id, lambda _: swapped, "a")
    assert stubs(tmp_path / "v") == ["b.json.py"]
    prepare(tmp_path / "v", swapped.id, lambda _: swapped, "b")
    assert stubs(tmp_path / "v") == ["a.json.py", "b.json.py"]


def test_a_damaged_list_is_fetched_again(tmp_path: Path) -> None:
    fetch = Fetch()
    prepare(tmp_path / "v", VERSION.id, fetch, "a")
    (tmp_path / "v" / LIST).write_text("{")
    prepare(tmp_path / "v", VERSION.id, fetch, "b")
    assert len(fetch.asked) == 2


def test_nothing_is_made_of_a_version_that_cannot_be_had(tmp_path: Path) -> None:
    def away(version_id: str) -> BundleVersion:
        raise StorageError("away")

    with pytest.raises(StorageError, match="away"):
        prepare(tmp_path / "v", VERSION.id, away, "a")
    assert not (tmp_path / "v").exists()


def test_unused_folders_go_but_not_those_that_airflow_tracks(tmp_path: Path) -> None:
    versions, tracked = tmp_path / "versions", tmp_path / "_tracking"
    drop_unused(versions, tracked, 60)
    tracked.mkdir()
    for name in ("new", "old", "tracked"):
        prepare(versions / name, VERSION.id, Fetch(), "a")
        if name != "new":
            os.utime(versions / name, (0, 0))
    (tracked / "tracked").touch()
    prepare(versions / "old", VERSION.id, Fetch(), "a")
    drop_unused(versions, tracked, 60)
    assert sorted(path.name for path in versions.iterdir()) == ["new", "old", "tracked"]
    os.utime(versions / "old", (0, 0))
    drop_unused(versions, tracked, 60)
    assert sorted(path.name for path in versions.iterdir()) == ["new", "tracked"]
